//! iothreadinfo and its like: the threads that serve disks.

use crate::commands::cpu_list::{self, host_cpus};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact};
use crate::model::TypedParam;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result, bail};

const ID: Opt = Opt::number("id", "id of the I/O thread").required();

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("iothreadinfo", Group::Domain, iothreadinfo)
        .answers("[{iothread_id: integer, cpu_affinity: text}]")
        .about("show a domain's I/O threads", "Lists the I/O threads and the host CPUs they may run on.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("config", "of the next boot"),
            Opt::flag("live", "of the running domain"),
            Opt::flag("current", "of the present state"),
        ]),
    Command::new("iothreadpin", Group::Domain, iothreadpin)
        .about("set where an I/O thread may run", "Pins an I/O thread to a list of host CPUs.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("iothread", "id of the I/O thread").required().complete(Complete::IoThread),
            Opt::text("cpulist", "host CPUs, such as 0-3,5,^2").required().complete(Complete::HostCpuList),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("iothreadadd", Group::Domain, iothreadadd)
        .about("add an I/O thread", "Adds an I/O thread under a number of your choice.")
        .options(&[Opt::domain(Complete::Domain), ID, impact::CONFIG, impact::LIVE, impact::CURRENT])
        .writes(),
    Command::new("iothreadset", Group::Domain, iothreadset)
        .about("tune an I/O thread", "Changes how an I/O thread polls and how many workers it has.")
        .options(&[
            Opt::domain(Complete::Domain),
            ID.complete(Complete::IoThread),
            Opt::number("poll-max-ns", "longest time to poll, in nanoseconds").tolerated_by_place(),
            Opt::number("poll-grow", "factor by which polling grows").tolerated_by_place(),
            Opt::number("poll-shrink", "divisor by which polling shrinks").tolerated_by_place(),
            Opt::number("thread-pool-min", "fewest worker threads").tolerated_by_place(),
            Opt::number("thread-pool-max", "most worker threads").tolerated_by_place(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("iothreaddel", Group::Domain, iothreaddel)
        .about("remove an I/O thread", "Removes an I/O thread that no disk uses.")
        .options(&[
            Opt::domain(Complete::Domain),
            ID.complete(Complete::IoThread),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
];

fn iothreadinfo(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let cpus = host_cpus(&*connection)?;
    let threads = connection.domains().iothread_info(&domain, flags);
    let threads = threads.context("Unable to get domain IOThreads information")?;
    if threads.is_empty() {
        let none: [u8; 0] = [];
        return session.show(&none, |session| session.print_extra("No IOThreads found for the domain"));
    }
    let mut table = Table::new(["IOThread ID", "CPU Affinity"]);
    for thread in threads {
        let list = cpu_list::format(&thread.cpumap, cpus);
        table.row([Cell::from(thread.id), Cell::from(list)]);
    }
    session.table(&table)
}

fn iothreadpin(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let list = args.required("cpulist")?;
    let thread = args.number::<u32>("iothread")?.unwrap_or_default();
    let map = cpu_list::parse(list, host_cpus(connection)?)?;
    Ok(connection.domains().pin_iothread(&domain, thread, &map, flags)?)
}

/// The id of a thread; zero and less are none.
fn thread_id(args: &Args) -> Result<u32> {
    let id = args.number::<i32>("id")?.unwrap_or_default();
    match u32::try_from(id) {
        Ok(id) if id > 0 => Ok(id),
        _ => bail!("Invalid IOThread id value: '{id}'"),
    }
}

fn iothreadadd(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().add_iothread(&domain, thread_id(args)?, flags)?)
}

fn iothreaddel(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    Ok(connection.domains().del_iothread(&domain, thread_id(args)?, flags)?)
}

fn iothreadset(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let id = thread_id(args)?;
    let mut params = Vec::new();
    if let Some(longest) = args.number::<u64>("poll-max-ns")? {
        params.push(TypedParam::new("poll_max_ns", longest));
    }
    for option in ["poll-grow", "poll-shrink"] {
        if let Some(factor) = args.number::<u64>(option)? {
            let name = option.replace('-', "_");
            params.push(match u32::try_from(factor) {
                Ok(factor) => TypedParam::new(name, factor),
                Err(_) => TypedParam::new(name, factor),
            });
        }
    }
    for option in ["thread-pool-min", "thread-pool-max"] {
        if let Some(workers) = args.number::<i32>(option)? {
            params.push(TypedParam::new(option.replace('-', "_"), workers));
        }
    }
    if params.is_empty() {
        bail!("Not enough arguments passed, nothing to set");
    }
    Ok(connection.domains().set_iothread_params(&domain, id, &params, flags)?)
}
