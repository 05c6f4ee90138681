//! dump: a core of the guest.

use crate::commands::domain::lookup;
use crate::commands::domain::progress::watched;
use crate::commands::files;
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("dump", Group::Domain, dump)
.answers(shape::PROGRESS)
        .about("write a domain's memory to a file", "Writes a core of the guest for analysis. Without --live the guest is paused meanwhile. Ctrl-C ends the attempt.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("file", "where the dump goes").required().complete(Complete::File),
            Opt::flag("live", "the guest runs on meanwhile"),
            Opt::flag("crash", "let the guest crash once the dump is written"),
            Opt::flag("bypass-cache", "keep the data out of the page cache"),
            Opt::flag("reset", "reset the guest afterwards"),
            Opt::flag("verbose", "show how far it is"),
            Opt::flag("memory-only", "the memory alone, as an ELF core"),
            Opt::text("format", "elf, kdump-zlib, kdump-lzo, kdump-snappy or win-dmp, with --memory-only").tolerated_by_place().complete(Complete::Words(&["elf", "kdump-zlib", "kdump-lzo", "kdump-snappy", "win-dmp"])),
        ])
        .writes(),
];

const DUMP_FLAGS: &[(&str, u32)] = &[
    ("live", DUMP_LIVE),
    ("crash", DUMP_CRASH),
    ("bypass-cache", DUMP_BYPASS_CACHE),
    ("reset", DUMP_RESET),
    ("memory-only", DUMP_MEMORY_ONLY),
];

const FORMATS: &[(&str, u32)] = &[
    ("kdump-zlib", DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB),
    ("kdump-lzo", DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO),
    ("kdump-snappy", DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY),
    ("elf", DOMAIN_CORE_DUMP_FORMAT_RAW),
    ("win-dmp", DOMAIN_CORE_DUMP_FORMAT_WIN_DMP),
];

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let domain = lookup::domain(session.connection()?, args)?;
    let file = args.required("file")?;
    let path = files::absolute(file)?;
    let flags = args.flags(DUMP_FLAGS);
    let format = format(args)?;
    let name = &domain.name;
    let answer = watched(session, &domain, "Dump", args.has("verbose"), |connection| {
        let answer = connection.domains().core_dump_with_format(&domain, &path, format, flags);
        plain_name(answer, format, "virDomainCoreDumpWithFormat", "virDomainCoreDump")
    })?;
    answer.with_context(|| format!("Failed to core dump domain '{name}' to {file}"))?;
    session.print_extra(format_args!("\nDomain '{name}' dumped to {file}\n"));
    Ok(())
}

fn format(args: &Args) -> Result<u32> {
    let Some(wanted) = args.text("format")? else {
        return Ok(DOMAIN_CORE_DUMP_FORMAT_RAW);
    };
    if !args.has("memory-only") {
        bail!("--format only works with --memory-only");
    }
    match FORMATS.iter().find(|(name, _)| *name == wanted) {
        Some((_, format)) => Ok(*format),
        None => bail!(
            "format '{wanted}' is not supported, expecting 'kdump-zlib', 'kdump-lzo', 'kdump-snappy', \
             'win-dmp' or 'elf'"
        ),
    }
}
