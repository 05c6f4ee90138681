//! setmem, setmaxmem, memtune: how much memory a domain has, may have, and may take of the host.

use super::parameters::{self, Setting};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact, impact_or_live};
use crate::model::constants::*;
use crate::model::{ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::units::read_size;
use anyhow::{Context, Result, anyhow};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("setmem", Group::Domain, setmem)
        .about("change a domain's memory", "Asks the guest by its balloon to give memory up or take it back, or changes what the next boot uses.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("size", "new size (KiB, or with a suffix)").required(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::alias("kilobytes", "size"),
        ])
        .writes(),
    Command::new("setmaxmem", Group::Domain, setmaxmem)
        .about("change a domain's memory limit", "Changes the most memory a domain may have; mostly only for the next boot.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("size", "new size (KiB, or with a suffix)").required(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::alias("kilobytes", "size"),
        ])
        .writes(),
    Command::new("memtune", Group::Domain, memtune)
.answers("{*: integer | text?}")
        .about("show or set memory limits", "Shows the limits of a domain's memory on the host, or changes those given.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("hard-limit", "most memory the domain may take (KiB, or with a suffix; -1 for no limit)").tolerated_by_place(),
            Opt::number("soft-limit", "memory to be held to when the host runs short (KiB, or with a suffix)").tolerated_by_place(),
            Opt::number("swap-hard-limit", "most memory and swap together (KiB, or with a suffix; -1 for no limit)").tolerated_by_place(),
            Opt::number("min-guarantee", "memory that the domain is sure of (KiB, or with a suffix)").tolerated_by_place(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
];

/// What `-1` and no limit at all stand for, in KiB.
const UNLIMITED: u64 = 9_007_199_254_740_991;

fn setmem(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact_or_live(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let size = kibibytes(args)?;
    Ok(connection.domains().set_memory(&domain, size, flags)?)
}

fn setmaxmem(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)? | DOMAIN_MEM_MAXIMUM;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let size = kibibytes(args)?;
    let answer = connection.domains().set_memory(&domain, size, flags);
    answer.context("Unable to change MaxMemorySize")
}

/// The option `size` in KiB, rounded up.
fn kibibytes(args: &Args) -> Result<u64> {
    let bytes = args.size("size", 1024, u64::MAX)?.unwrap_or_default();
    Ok(bytes.div_ceil(1024))
}

/// Flags that exclude each other, which virsh learns from its first question: that for the number of parameters.
const BOTH: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;

fn memtune(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let mut wanted = Vec::new();
    for option in ["hard-limit", "soft-limit", "swap-hard-limit", "min-guarantee"] {
        if let Some(limit) = limit(args, option)? {
            wanted.push(TypedParam::new(option.replace('-', "_"), limit));
        }
    }
    if !wanted.is_empty() {
        let answer = domains.set_memory_parameters(&domain, &wanted, flags);
        return answer.context("Unable to change memory parameters");
    }
    let limits = domains.memory_parameters(&domain, flags | TYPED_PARAM_STRING_OKAY);
    let limits = limits.with_context(|| {
        let number_of = if flags & BOTH == BOTH { "number of " } else { "" };
        format!("Unable to get {number_of}memory parameters")
    })?;
    let settings = limits.iter().map(|limit| match limit.value {
        ParamValue::ULLong(UNLIMITED) => Setting::with(&limit.name, "unlimited", ()),
        _ => Setting::of(limit),
    });
    parameters::show(session, settings.collect())
}

/// A limit in KiB; anything negative means none.
fn limit(args: &Args, option: &str) -> Result<Option<u64>> {
    let Some(text) = args.get(option) else {
        return Ok(None);
    };
    if text.parse::<i64>().is_ok_and(|number| number < 0) {
        return Ok(Some(UNLIMITED));
    }
    let refusal = || format!("Unable to parse integer parameter {option}");
    match read_size(text, 1024, u64::MAX) {
        Ok(bytes) => Ok(Some(bytes.div_ceil(1024))),
        // A number that is too large in itself has no cause told.
        Err(Some(cause)) if text.parse::<u64>().is_err() || text.parse::<i64>().is_ok() => {
            Err(cause).with_context(refusal)
        }
        Err(_) => Err(anyhow!(refusal())),
    }
}
