//! blockcommit: merging images of a disk downwards.

use super::job::bandwidth;
use super::waiting::{Ended, Wait, needs_one_of};
use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("blockcommit", Group::Domain, blockcommit)
    .answers(shape::PROGRESS)
    .about("merge images of a disk downwards", "Merges the upper images of a disk's chain into a lower one.")
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::text("path", "the disk, by its target or source").required().complete(Complete::Disk),
        Opt::number("bandwidth", "speed limit in MiB/s").tolerated_by_place(),
        Opt::text("base", "image to merge into (default: the lowest)")
            .tolerated_by_place()
            .complete(Complete::Disk),
        Opt::flag("shallow", "only the topmost layer"),
        Opt::text("top", "image to merge down (default: the active one)")
            .tolerated_by_place()
            .complete(Complete::Disk),
        Opt::flag("active", "the top is the active image: merge in two phases"),
        Opt::flag("delete", "remove the files that were merged away"),
        Opt::flag("wait", "wait until all is merged (active commit: until it is synced)"),
        Opt::flag("verbose", "show how far it is"),
        Opt::number("timeout", "with --wait: give up after so many seconds").tolerated_by_place(),
        Opt::flag("pivot", "wait, then switch over to the base"),
        Opt::flag("keep-overlay", "wait until the active commit is synced, then leave the overlay in place"),
        Opt::flag("async", "with --wait: do not wait for a cancelled job"),
        Opt::flag("keep-relative", "keep relative names in the backing chain"),
        Opt::flag("bytes", "the speed limit counts in bytes/s"),
    ])
    .writes()];

fn blockcommit(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("pivot", "keep-overlay")?;
    let waits = ["timeout", "wait", "pivot", "keep-overlay"];
    needs_one_of(args, "verbose", &waits)?;
    needs_one_of(args, "async", &waits)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let path = args.required("path")?;
    let domains = connection.domains();
    let active = ["active", "pivot", "keep-overlay"].iter().any(|option| args.has(option));
    let wait = Wait { label: "Block commit", two_phases: active, ..Wait::of(args, domains, &domain, path)? };
    let (speed, in_bytes) = bandwidth(args)?.unwrap_or_default();
    let mut flags = args.flags(&[
        ("shallow", DOMAIN_BLOCK_COMMIT_SHALLOW),
        ("delete", DOMAIN_BLOCK_COMMIT_DELETE),
        ("keep-relative", DOMAIN_BLOCK_COMMIT_RELATIVE),
    ]);
    if active {
        flags |= DOMAIN_BLOCK_COMMIT_ACTIVE;
    }
    if in_bytes {
        flags |= DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES;
    }
    let (base, top) = (args.text("base")?, args.text("top")?);
    domains.block_commit(&domain, path, base, top, speed, flags)?;
    if !waits.iter().any(|option| args.has(option)) {
        session.print_extra("Block Commit started");
        return Ok(());
    }
    let ended = wait.run(session)?;
    let told = match ended {
        Ended::Cancelled => {
            session.print_extra("\nCommit aborted");
            return Err(Silent.into());
        }
        Ended::Done => "\nCommit complete",
        Ended::Ready if args.has("pivot") => {
            wait.abort(DOMAIN_BLOCK_JOB_ABORT_PIVOT)
                .with_context(|| format!("failed to pivot job for disk {path}"))?;
            "\nSuccessfully pivoted"
        }
        Ended::Ready if args.has("keep-overlay") => {
            wait.abort(0).with_context(|| format!("failed to finish job for disk {path}"))?;
            "\nCommit complete, overlay image kept"
        }
        Ended::Ready => "\nNow in synchronized phase",
    };
    session.print_extra(told);
    Ok(())
}
