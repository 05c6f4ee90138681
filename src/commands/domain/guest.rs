//! What a guest tells of itself: dommemstat, domtime, domhostname, guestinfo.

use super::lookup;
use crate::commands::clock;
use crate::commands::impact::{self, impact};
use crate::commands::parameters;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::{Map, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domhostname", Group::Domain, hostname)
        .answers("{hostname: text}")
        .about("print a guest's host name", "Prints the name a running guest gives itself.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("source", "whom to ask: lease or agent")
                .tolerated_by_place()
                .complete(Complete::Words(&["lease", "agent"])),
        ]),
    Command::new("dommemstat", Group::Monitor, memory)
        .answers("{*: integer}")
        .about(
            "show a guest's memory figures",
            "Shows what the balloon driver in the guest reports, in KiB, or sets how often it reports.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("period", "have the guest report every so many seconds; 0 for never"),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ]),
    Command::new("domtime", Group::Monitor, time)
        .answers("{seconds: integer, nanoseconds: integer, utc: text}")
        .about("show or set a guest's clock", "Asks the agent in the guest for its clock, or has it set.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("now", "set it to this machine's clock"),
            Opt::flag("pretty", "show a date"),
            Opt::flag("sync", "set it from the guest's hardware clock"),
            Opt::number("time", "set it to so many seconds since 1970").tolerated_by_place(),
        ]),
    Command::new("guestinfo", Group::Domain, info)
        .answers("{*: any}")
        .about(
            "show what the agent knows about a guest",
            "Asks the agent in the guest for its users, system, disks and so on; without a choice, for all.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("user", "who is logged in"),
            Opt::flag("os", "the operating system"),
            Opt::flag("timezone", "the time zone"),
            Opt::flag("hostname", "the host name"),
            Opt::flag("filesystem", "mounted filesystems"),
            Opt::flag("disk", "disks"),
            Opt::flag("interface", "network interfaces"),
            Opt::flag("load", "load averages"),
        ]),
];

fn hostname(session: &mut Session, args: &Args) -> Result<()> {
    let flags = match args.text("source")? {
        None => 0,
        Some("lease") => DOMAIN_GET_HOSTNAME_LEASE,
        Some("agent") => DOMAIN_GET_HOSTNAME_AGENT,
        Some(other) => bail!("Unknown data source '{other}'"),
    };
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = connection.domains().hostname(&domain, flags).context("failed to get hostname")?;
    session.value("hostname", name)
}

/// The figures' names by their tags.
const MEMORY_STATS: &[(i32, &str)] = &[
    (DOMAIN_MEMORY_STAT_SWAP_IN, "swap_in"),
    (DOMAIN_MEMORY_STAT_SWAP_OUT, "swap_out"),
    (DOMAIN_MEMORY_STAT_MAJOR_FAULT, "major_fault"),
    (DOMAIN_MEMORY_STAT_MINOR_FAULT, "minor_fault"),
    (DOMAIN_MEMORY_STAT_UNUSED, "unused"),
    (DOMAIN_MEMORY_STAT_AVAILABLE, "available"),
    (DOMAIN_MEMORY_STAT_USABLE, "usable"),
    (DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, "actual"),
    (DOMAIN_MEMORY_STAT_RSS, "rss"),
    (DOMAIN_MEMORY_STAT_LAST_UPDATE, "last_update"),
    (DOMAIN_MEMORY_STAT_DISK_CACHES, "disk_caches"),
    (DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "hugetlb_pgalloc"),
    (DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "hugetlb_pgfail"),
];

fn memory(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    if let Some(period) = args.number::<i32>("period")? {
        if period < 0 {
            bail!("Invalid collection period value '{period}'");
        }
        let answer = connection.domains().set_memory_stats_period(&domain, period, flags);
        return answer.context("Unable to change balloon collection period.");
    }
    let name = args.required("domain")?;
    let answer = connection.domains().memory_stats(&domain, 0);
    let stats = answer.with_context(|| format!("Failed to get memory statistics for domain {name}"))?;
    let named: Vec<_> = stats
        .iter()
        .filter_map(|stat| {
            let (_, name) = MEMORY_STATS.iter().find(|(tag, _)| *tag == stat.tag)?;
            Some((*name, stat.value))
        })
        .collect();
    let text: String = named.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    let data: Map<_, _> = named.iter().map(|(name, value)| ((*name).to_string(), json!(value))).collect();
    session.show(&data, |session| session.print(text))
}

fn time(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("time", "now")?;
    args.exclusive("time", "sync")?;
    args.exclusive("now", "sync")?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let domains = connection.domains();
    let given = args.number::<i64>("time")?;
    if args.has("now") || given.is_some() {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let seconds = given.unwrap_or_else(|| i64::try_from(now()).unwrap_or(i64::MAX));
        return Ok(domains.set_time(&domain, seconds, 0, 0)?);
    }
    if args.has("sync") {
        return Ok(domains.set_time(&domain, 0, 0, DOMAIN_TIME_SYNC)?);
    }
    let (seconds, nanoseconds) = domains.time(&domain, 0)?;
    // The line has no end of its own, as in virsh.
    let text = match args.has("pretty") {
        true => format!("Time: {}", clock::utc_seconds(seconds)),
        false => format!("Time: {seconds}"),
    };
    let data = json!({"seconds": seconds, "nanoseconds": nanoseconds, "utc": clock::utc_seconds(seconds)});
    session.show(&data, |session| session.print(text))
}

const INFO_TYPES: &[(&str, u32)] = &[
    ("user", DOMAIN_GUEST_INFO_USERS),
    ("os", DOMAIN_GUEST_INFO_OS),
    ("timezone", DOMAIN_GUEST_INFO_TIMEZONE),
    ("hostname", DOMAIN_GUEST_INFO_HOSTNAME),
    ("filesystem", DOMAIN_GUEST_INFO_FILESYSTEM),
    ("disk", DOMAIN_GUEST_INFO_DISKS),
    ("interface", DOMAIN_GUEST_INFO_INTERFACES),
    ("load", DOMAIN_GUEST_INFO_LOAD),
];

fn info(session: &mut Session, args: &Args) -> Result<()> {
    let chosen = INFO_TYPES.iter().filter(|(option, _)| args.has(option));
    let types = chosen.fold(0, |types, (_, flag)| types | flag);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let params = connection.domains().guest_info(&domain, types, 0)?;
    let text: String = params.iter().map(|param| format!("{:<20}: {}\n", param.name, param.value)).collect();
    session.show(&parameters::object(&params), |session| session.print(text))
}
