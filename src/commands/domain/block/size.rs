//! blockresize, domblkthreshold: the size of a disk, and being told when its image fills.

use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("blockresize", Group::Domain, blockresize)
        .about("change the size of a disk", "Changes the size of a running domain's disk.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("path", "the disk, by its target or source").required().complete(Complete::Disk),
            Opt::number("size", "new size (KiB, or with a suffix)").positional(),
            Opt::flag("capacity", "take the size of the block device beneath"),
        ])
        .writes(),
    Command::new("domblkthreshold", Group::Domain, domblkthreshold)
        .about(
            "be told when a disk fills",
            "Sets the byte of a disk's image beyond which a block-threshold event comes.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("dev", "disk target, or target[index] for an image of its chain")
                .required()
                .complete(Complete::Disk),
            Opt::number("threshold", "byte beyond which to tell (or with a suffix)").required(),
        ])
        .writes(),
];

fn blockresize(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("size", "capacity")?;
    let size = args.size("size", 1024, u64::MAX)?;
    let (size, flags) = match size {
        // Whole KiB need no newer form of the call.
        Some(bytes) if bytes % 1024 == 0 => (bytes / 1024, 0),
        Some(bytes) => (bytes, DOMAIN_BLOCK_RESIZE_BYTES),
        None if args.has("capacity") => (0, DOMAIN_BLOCK_RESIZE_CAPACITY),
        None => bail!("Either --size or --capacity must be provided"),
    };
    let path = args.required("path")?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().block_resize(&domain, path, size, flags);
    answer.with_context(|| format!("Failed to resize block device '{path}'"))?;
    session.print_extra(format_args!("Block device '{path}' is resized"));
    Ok(())
}

fn domblkthreshold(session: &mut Session, args: &Args) -> Result<()> {
    let device = args.required("dev")?;
    let threshold = args.size("threshold", 1, u64::MAX)?.unwrap_or_default();
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().set_block_threshold(&domain, device, threshold, 0)?)
}
