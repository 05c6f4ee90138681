//! Tuning of a migration, before it or while it runs: migrate-compcache, migrate-getmaxdowntime, migrate-getspeed,
//! migrate-postcopy, migrate-setmaxdowntime, migrate-setspeed, domdirtyrate-calc.

use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::units;
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domdirtyrate-calc", Group::Domain, dirty_rate)
        .about(
            "measure how fast a guest changes its memory",
            "Starts the measurement, whose result domstats --dirtyrate shows: a guest that changes its memory \
             faster than the network moves it does not migrate.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("seconds", "how long to measure, 1 to 60; 1 if not given").tolerated_by_place(),
            Opt::text("mode", "how to measure: page-sampling, dirty-bitmap or dirty-ring")
                .tolerated_by_place()
                .complete(Complete::Words(MODES)),
        ])
        .writes(),
    Command::new("migrate-compcache", Group::Domain, compression_cache)
.answers("{size: integer}")
        .about(
            "show or set the cache for compressed migration",
            "Shows, or sets in bytes, the cache that a migration uses to send changed pages in short.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("size", "the new size in bytes"),
        ])
        .writes(),
    Command::new("migrate-getmaxdowntime", Group::Domain, max_downtime)
.answers("{downtime_milliseconds: integer}")
        .about(
            "show how long a migration may stop the guest",
            "Prints the milliseconds that the guest may stand still at the end of a migration.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain)]),
    Command::new("migrate-getspeed", Group::Domain, speed)
.answers("{bandwidth_mib_per_second: integer}")
        .about("show the limit of a migration's speed", "Prints the most that a migration may send, in MiB/s.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("postcopy", "the limit after the guest has moved"),
        ]),
    Command::new("migrate-postcopy", Group::Domain, post_copy)
        .about(
            "move the guest now and its memory after it",
            "Lets a running migration that was started with --postcopy move the guest at once.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain)])
        .writes(),
    Command::new("migrate-setmaxdowntime", Group::Domain, set_max_downtime)
        .about(
            "set how long a migration may stop the guest",
            "Sets the milliseconds that the guest may stand still at the end of a migration.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("downtime", "the time in milliseconds").required(),
        ])
        .writes(),
    Command::new("migrate-setspeed", Group::Domain, set_speed)
        .about("limit a migration's speed", "Sets the most that a migration may send, in MiB/s.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("bandwidth", "the limit in MiB/s").required(),
            Opt::flag("postcopy", "the limit after the guest has moved"),
        ])
        .writes(),
];

/// In the order of their bits; the first is the default and has none.
const MODES: &[&str] = &["page-sampling", "dirty-bitmap", "dirty-ring"];

fn dirty_rate(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let seconds = args.number::<i32>("seconds")?.unwrap_or(1);
    let flags = match args.text("mode")? {
        None | Some("page-sampling") => DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING,
        Some("dirty-bitmap") => DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP,
        Some("dirty-ring") => DOMAIN_DIRTYRATE_MODE_DIRTY_RING,
        Some(other) => bail!("Unknown calculation mode '{other}'"),
    };
    connection.domains().start_dirty_rate_calc(&domain, seconds, flags)?;
    session.print_extra("Start to calculate domain's memory dirty rate successfully.\n");
    Ok(())
}

fn compression_cache(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    if let Some(size) = args.number::<u64>("size")? {
        connection.domains().migrate_set_compression_cache(&domain, size, 0)?;
    }
    let size = connection.domains().migrate_compression_cache(&domain, 0)?;
    let (value, unit) = units::pretty_size(size);
    // The line has no end of its own, as in virsh.
    session.show(&json!({ "size": size }), |session| {
        session.print(format_args!("Compression cache: {value:.3} {unit}"));
    })
}

fn max_downtime(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let downtime = connection.domains().migrate_max_downtime(&domain, 0)?;
    session.value("downtime_milliseconds", downtime)
}

fn set_max_downtime(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let downtime = args.number::<u64>("downtime")?.unwrap_or_default();
    if downtime == 0 {
        bail!("migrate: Invalid downtime");
    }
    Ok(connection.domains().migrate_set_max_downtime(&domain, downtime, 0)?)
}

fn speed_flags(args: &Args) -> u32 {
    if args.has("postcopy") { DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY } else { 0 }
}

fn speed(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let limit = connection.domains().migrate_max_speed(&domain, speed_flags(args))?;
    session.value("bandwidth_mib_per_second", Cell::from(limit))
}

fn set_speed(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let limit = args.wrapping("bandwidth")?.unwrap_or_default();
    Ok(connection.domains().migrate_set_max_speed(&domain, limit, speed_flags(args))?)
}

fn post_copy(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().migrate_start_post_copy(&domain, 0)?)
}
