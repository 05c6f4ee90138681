//! Disks of a domain: domblklist, domblkinfo, domblkstat, domblkerror.

use super::device_tree::{self, Disk};
use super::lookup;
use crate::backend::Domains;
use crate::error::Error;
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use crate::shell::units;
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domblkerror", Group::Monitor, errors)
.answers("[{disk: text, error: text}]")
        .about("show disks that met an error", "Names the disks whose last operation failed, and how.")
        .options(&[Opt::domain(Complete::ActiveDomain)]),
    Command::new("domblkinfo", Group::Monitor, info)
.answers("{capacity: integer, allocation: integer, physical: integer} | [{target: text, \
             capacity: integer?, allocation: integer?, physical: integer?}]")
        .about(
            "show the sizes of a domain's disks",
            "Shows how large a disk is for the guest, how much of it is in use, and what it takes on the host.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("device", "a disk by its target or source").positional().complete(Complete::Disk),
            Opt::flag("human", "in units people read"),
            Opt::flag("all", "all disks in a table"),
        ]),
    Command::new("domblklist", Group::Monitor, list)
.answers("[{type?: text, device?: text, target: text, source: text?}]")
        .about("list a domain's disks", "Shows the target and the source of each disk.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("inactive", "as defined for the next boot"),
            Opt::flag("details", "show the types as well"),
        ]),
    Command::new("domblkstat", Group::Monitor, stats)
.answers("{*: integer}")
        .about(
            "show a disk's counters",
            "Shows how much was read and written, of one disk or, without a device, of all together.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("device", "a disk by its target or source")
                .positional()
                .empty_ok()
                .complete(Complete::Disk),
            Opt::flag("human", "in words rather than short names"),
        ]),
];

fn list(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let flags = if args.has("inactive") { DOMAIN_XML_INACTIVE } else { 0 };
    let disks = device_tree::disks(&device_tree::tree(connection, &domain, flags)?);
    let details = args.has("details");
    let mut table = match details {
        true => Table::new(["Type", "Device", "Target", "Source"]),
        false => Table::new(["Target", "Source"]),
    };
    for disk in disks {
        let mut cells = Vec::new();
        if details {
            cells.extend([Cell::from(disk.kind), Cell::from(disk.device)]);
        }
        cells.extend([Cell::from(disk.target), Cell::or_dash(disk.source)]);
        table.row(cells);
    }
    session.table(&table)
}

fn info(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "device")?;
    let human = args.has("human");
    let connection = session.connection()?;
    if args.has("all") {
        let domain = lookup::domain(connection, args)?;
        let disks = device_tree::disks(&device_tree::tree(connection, &domain, 0)?);
        let table = sizes(connection.domains(), &domain, disks, human)?;
        return session.table(&table);
    }
    let domain = lookup::domain(connection, args)?;
    let Some(device) = args.get("device").filter(|device| !device.is_empty()) else {
        bail!("command 'domblkinfo' requires <device> option");
    };
    let info = connection.domains().block_info(&domain, device, 0)?;
    let mut fields = Fields::new(15);
    fields.add("Capacity", size(info.capacity, human));
    fields.add("Allocation", size(info.allocation, human));
    fields.add("Physical", size(info.physical, human));
    session.fields(&fields)
}

fn size(bytes: u64, human: bool) -> Cell {
    if !human {
        return Cell::from(bytes);
    }
    let (value, unit) = units::pretty_size(bytes);
    Cell::with(format!("{value:.3} {unit}"), bytes)
}

fn sizes(domains: &dyn Domains, domain: &DomainRef, disks: Vec<Disk>, human: bool) -> Result<Table> {
    let mut table = Table::new(["Target", "Capacity", "Allocation", "Physical"]);
    for disk in disks {
        let info = match domains.block_info(domain, &disk.target, 0) {
            _ if !disk.has_source => None,
            Ok(info) => Some(info),
            // The far end of a network disk is only asked while the domain runs.
            Err(_) if disk.kind == "network" && domain.id.is_none() => None,
            Err(error) => return Err(error.into()),
        };
        let sizes = info.map(|info| [info.capacity, info.allocation, info.physical]);
        let cells = match sizes {
            Some(sizes) => sizes.map(|bytes| size(bytes, human)),
            None => [(); 3].map(|()| Cell::with("-", Value::Null)),
        };
        table.row(std::iter::once(Cell::from(&disk.target)).chain(cells));
    }
    Ok(table)
}

/// A counter: its name in the answer, its short name, and what people read.
const COUNTERS: &[(&str, &str, &str)] = &[
    ("rd_operations", "rd_req", "number of read operations:"),
    ("rd_bytes", "rd_bytes", "number of bytes read:"),
    ("wr_operations", "wr_req", "number of write operations:"),
    ("wr_bytes", "wr_bytes", "number of bytes written:"),
    ("errs", "errs", "error count:"),
    ("flush_operations", "flush_operations", "number of flush operations:"),
    ("rd_total_times", "rd_total_times", "total duration of reads (ns):"),
    ("wr_total_times", "wr_total_times", "total duration of writes (ns):"),
    ("flush_total_times", "flush_total_times", "total duration of flushes (ns):"),
];

fn stats(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    // Without a device the driver adds up the counters of all disks.
    let device = args.get("device").unwrap_or_default();
    let name = args.required("domain")?;
    let counters = counters(connection.domains(), &domain, name, device)?;
    let human = args.has("human");
    let mut text = if human { format!("Device: {device}\n") } else { String::new() };
    let mut data = Map::new();
    for (short, long, value) in counters {
        match human {
            true => text.push_str(&format!(" {long:<31} {value}\n")),
            false => text.push_str(&format!("{device} {short} {value}\n")),
        }
        data.insert(short, value.parse::<i64>().map_or(Value::String(value), Value::from));
    }
    session.show(&data, |session| session.print(text))
}

/// The counters of a disk: short name, long name and value. Counters this release does not know come last.
fn counters(
    domains: &dyn Domains,
    domain: &DomainRef,
    name: &str,
    device: &str,
) -> Result<Vec<(String, String, String)>> {
    let params = match domains.block_stats_params(domain, device, 0) {
        Err(error) if error.is_unsupported() => plain_counters(domains, domain, device)
            .with_context(|| format!("Failed to get block stats {name} {device}"))?,
        answer => answer?,
    };
    let mut counters = Vec::new();
    for (name, short, long) in COUNTERS {
        if let Some(value) = TypedParam::find(&params, name) {
            counters.push(((*short).to_string(), (*long).to_string(), value.to_string()));
        }
    }
    let unknown = params.iter().filter(|param| COUNTERS.iter().all(|(name, _, _)| *name != param.name));
    counters.extend(unknown.map(|param| (param.name.clone(), param.name.clone(), param.value.to_string())));
    Ok(counters)
}

/// The few counters that every driver has, as parameters.
fn plain_counters(domains: &dyn Domains, domain: &DomainRef, device: &str) -> Result<Vec<TypedParam>, Error> {
    let stats = domains.block_stats(domain, device)?;
    let counters = [
        ("rd_operations", stats.read_requests),
        ("rd_bytes", stats.read_bytes),
        ("wr_operations", stats.write_requests),
        ("wr_bytes", stats.write_bytes),
        ("errs", stats.errors),
    ];
    let known = counters.into_iter().filter(|(_, value)| *value >= 0);
    Ok(known.map(|(name, value)| TypedParam::new(name, value)).collect())
}

fn errors(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let errors = connection.domains().disk_errors(&domain, 0)?;
    let word = |error| match error {
        DOMAIN_DISK_ERROR_NONE => "no error",
        DOMAIN_DISK_ERROR_NO_SPACE => "no space",
        _ => "unspecified error",
    };
    let mut text: String =
        errors.iter().map(|error| format!("{}: {}\n", error.disk, word(error.error))).collect();
    if text.is_empty() {
        text = "No errors found\n".to_string();
    }
    let data: Vec<_> =
        errors.iter().map(|error| json!({"disk": error.disk, "error": word(error.error)})).collect();
    session.show(&data, |session| session.print(text))
}
