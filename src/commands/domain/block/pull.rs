//! blockpull: filling a disk from the images beneath it.

use super::job::bandwidth;
use super::waiting::{Ended, Wait};
use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("blockpull", Group::Domain, blockpull)
    .answers(shape::PROGRESS)
    .about(
        "fill a disk from its backing image",
        "Copies data from the images beneath into a disk's image, so that it needs them no more.",
    )
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::text("path", "the disk, by its target or source").required().complete(Complete::Disk),
        Opt::number("bandwidth", "speed limit in MiB/s").tolerated_by_place(),
        Opt::text("base", "image at which to stop").tolerated_by_place().complete(Complete::Disk),
        Opt::flag("wait", "wait until everything is pulled"),
        Opt::flag("verbose", "show how far it is"),
        Opt::number("timeout", "with --wait: give up after so many seconds").tolerated_by_place(),
        Opt::flag("async", "with --wait: do not wait for a cancelled job"),
        Opt::flag("keep-relative", "keep relative names in the backing chain"),
        Opt::flag("bytes", "the speed limit counts in bytes/s"),
    ])
    .writes()];

fn blockpull(session: &mut Session, args: &Args) -> Result<()> {
    for option in ["verbose", "async"] {
        args.requires(option, "wait")?;
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let path = args.required("path")?;
    let domains = connection.domains();
    let wait = Wait { label: "Block Pull", ..Wait::of(args, domains, &domain, path)? };
    let (speed, in_bytes) = bandwidth(args)?.unwrap_or_default();
    let base = args.text("base")?;
    let relative = args.flags(&[("keep-relative", DOMAIN_BLOCK_REBASE_RELATIVE)]);
    if base.is_some() || relative != 0 {
        let bytes = if in_bytes { DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES } else { 0 };
        domains.block_rebase(&domain, path, base, speed, relative | bytes)?;
    } else {
        let bytes = if in_bytes { DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES } else { 0 };
        domains.block_pull(&domain, path, speed, bytes)?;
    }
    if !args.has("wait") {
        session.print_extra("Block Pull started");
        return Ok(());
    }
    match wait.run(session)? {
        Ended::Cancelled => {
            session.print_extra("\nPull aborted");
            return Err(crate::shell::report::Silent.into());
        }
        _ => session.print_extra("\nPull complete"),
    }
    Ok(())
}
