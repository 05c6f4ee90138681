//! blockjob: watching, limiting and ending the job on a disk.

use super::waiting::percent;
use crate::backend::Domains;
use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::model::{BlockJobInfo, DomainRef};
use crate::shell::args::Args;
use crate::shell::args::wrapping_number;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::units::{pretty_size, read_size};
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("blockjob", Group::Domain, blockjob)
    .answers("{type: text, bandwidth: integer, current: integer, end: integer}?")
    .about(
        "watch, limit or end a block job",
        "Shows the job that runs on a disk, changes its speed limit, or ends it.",
    )
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::text("path", "the disk, by its target or source").required().complete(Complete::Disk),
        Opt::flag("abort", "end the job that runs on the disk"),
        Opt::flag("async", "with --abort: do not wait for its end"),
        Opt::flag("pivot", "end the job by switching over to the new image"),
        Opt::flag("info", "show the job that runs on the disk"),
        Opt::flag("bytes", "the speed limit counts in bytes/s"),
        Opt::flag("raw", "show plain keys and values"),
        Opt::number("bandwidth", "speed limit in MiB/s").tolerated_by_place(),
    ])
    .writes()];

/// By their numbers.
const KINDS: &[&str] =
    &["Unknown job", "Block Pull", "Block Copy", "Block Commit", "Active Block Commit", "Backup"];

fn blockjob(session: &mut Session, args: &Args) -> Result<()> {
    for (one, other) in [
        ("raw", "bandwidth"),
        ("raw", "abort"),
        ("raw", "async"),
        ("raw", "pivot"),
        ("info", "abort"),
        ("info", "async"),
        ("info", "pivot"),
        ("info", "bandwidth"),
        ("bytes", "abort"),
        ("bytes", "async"),
        ("bytes", "pivot"),
    ] {
        args.exclusive(one, other)?;
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let path = args.required("path")?;
    let domains = connection.domains();
    if let Some((bandwidth, in_bytes)) = bandwidth(args)? {
        let flags = if in_bytes { DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES } else { 0 };
        return Ok(domains.block_job_set_speed(&domain, path, bandwidth, flags)?);
    }
    if args.has("abort") || args.has("async") || args.has("pivot") {
        let flags =
            args.flags(&[("async", DOMAIN_BLOCK_JOB_ABORT_ASYNC), ("pivot", DOMAIN_BLOCK_JOB_ABORT_PIVOT)]);
        return Ok(domains.block_job_abort(&domain, path, flags)?);
    }
    show(session, args, domains, &domain, path)
}

/// The option `bandwidth`, and whether it counts bytes/s: a plain number does so with `--bytes` and is of MiB/s
/// without, a number with a suffix always does.
pub(super) fn bandwidth(args: &Args) -> Result<Option<(u64, bool)>> {
    let Some(text) = args.get("bandwidth") else {
        return Ok(None);
    };
    if !args.has("bytes")
        && let Some(mebibytes) = wrapping_number(text)
    {
        return Ok(Some((mebibytes, false)));
    }
    let malformed =
        || format!("Scaled numeric value '{text}' for <--bandwidth> option is malformed or out of range");
    match read_size(text, 1, u64::MAX) {
        Ok(bytes) => Ok(Some((bytes, true))),
        Err(Some(cause)) => Err(anyhow::Error::from(cause).context(malformed())),
        Err(None) => bail!(malformed()),
    }
}

fn show(
    session: &mut Session,
    args: &Args,
    domains: &dyn Domains,
    domain: &DomainRef,
    path: &str,
) -> Result<()> {
    let raw = args.has("raw");
    // People are told bytes, whatever the unit; the raw figure is in the unit asked for.
    let in_bytes = args.has("bytes") || !raw;
    let flags = if in_bytes { DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES } else { 0 };
    let job = domains.block_job_info(domain, path, flags)?;
    let kind = usize::try_from(job.kind).ok().and_then(|kind| KINDS.get(kind).copied());
    let kind = kind.unwrap_or(KINDS[0]);
    let data = job.found.then(|| {
        json!({
            "type": kind,
            "bandwidth": job.bandwidth,
            "current": job.current,
            "end": job.end,
        })
    });
    session.show(&data, |session| match (job.found, raw) {
        (false, true) => {}
        (false, false) => session.print_extra(format_args!("No current block job for {path}")),
        (true, true) => session.print(format_args!(
            " type={kind}\n bandwidth={}\n cur={}\n end={}\n",
            job.bandwidth, job.current, job.end
        )),
        (true, false) => session.print(line(kind, &job)),
    })
}

fn line(kind: &str, job: &BlockJobInfo) -> String {
    let limit = match job.bandwidth {
        0 => String::new(),
        bytes => {
            let (size, unit) = pretty_size(bytes);
            format!("    Bandwidth limit: {bytes} bytes/s ({size:.3} {unit}/s)")
        }
    };
    format!("{kind}: [{:.2} %]{limit}\n", percent(job))
}
