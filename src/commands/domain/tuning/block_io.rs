//! blkiotune, numatune: shares of the host's disks, and the NUMA nodes memory comes from.

use super::parameters::{self, Setting};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact};
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("blkiotune", Group::Domain, blkiotune)
        .answers("{*: integer | text?}")
        .about(
            "show or set disk shares",
            "Shows the shares and limits a domain has of the host's disks, or changes those given.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("weight", "share of the disks, 10 to 1000").tolerated_by_place(),
            Opt::text("device-weights", "weights per device, as DEVICE,NUMBER,…").tolerated_by_place(),
            Opt::text("device-read-iops-sec", "reads a second, as DEVICE,NUMBER,…").tolerated_by_place(),
            Opt::text("device-write-iops-sec", "writes a second, as DEVICE,NUMBER,…").tolerated_by_place(),
            Opt::text("device-read-bytes-sec", "bytes a second that may be read, as DEVICE,NUMBER,…")
                .tolerated_by_place(),
            Opt::text("device-write-bytes-sec", "bytes a second that may be written, as DEVICE,NUMBER,…")
                .tolerated_by_place(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("numatune", Group::Domain, numatune)
        .answers("{*: integer | text?}")
        .about(
            "show or set NUMA placement",
            "Shows from which host NUMA nodes a domain takes memory, or changes it.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("mode", "strict, preferred, interleave or restrictive")
                .tolerated_by_place()
                .complete(Complete::Words(&["strict", "preferred", "interleave", "restrictive"])),
            Opt::text("nodeset", "host NUMA nodes, such as 0-3,^2").tolerated_by_place(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
];

/// Options that take a list of devices and numbers, and their parameters.
const DEVICE_LISTS: &[(&str, &str)] = &[
    ("device-weights", "device_weight"),
    ("device-read-iops-sec", "device_read_iops_sec"),
    ("device-write-iops-sec", "device_write_iops_sec"),
    ("device-read-bytes-sec", "device_read_bytes_sec"),
    ("device-write-bytes-sec", "device_write_bytes_sec"),
];

/// Flags that exclude each other, which virsh learns from its first question: that for the number of parameters.
const BOTH: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;

fn blkiotune(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let mut wanted = Vec::new();
    if let Some(weight) = args.number::<i32>("weight")? {
        match u32::try_from(weight) {
            Ok(weight) if weight > 0 => wanted.push(TypedParam::new("weight", weight)),
            _ => bail!("Invalid value of {weight} for I/O weight"),
        }
    }
    for (option, name) in DEVICE_LISTS {
        match args.get(option) {
            Some("") => bail!("Unable to parse string parameter"),
            Some(list) => wanted.push(TypedParam::new(*name, list)),
            None => {}
        }
    }
    if !wanted.is_empty() {
        let answer = domains.set_blkio_parameters(&domain, &wanted, flags);
        return answer.context("Unable to change blkio parameters");
    }
    let params = domains.blkio_parameters(&domain, flags | TYPED_PARAM_STRING_OKAY);
    let params = params.with_context(|| {
        let number_of = if flags & BOTH == BOTH { "number of " } else { "" };
        format!("Unable to get {number_of}blkio parameters")
    })?;
    parameters::show(session, params.iter().map(Setting::of).collect())
}

/// By their numbers.
const MODES: &[&str] = &["strict", "preferred", "interleave", "restrictive"];

fn numatune(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let mut wanted = Vec::new();
    if let Some(nodes) = args.text("nodeset")? {
        wanted.push(TypedParam::new("numa_nodeset", nodes));
    }
    if let Some(mode) = args.text("mode")? {
        // A number goes through, so that a newer driver's modes can be asked for.
        let known = MODES.iter().position(|name| *name == mode).map(|mode| mode as i32);
        match known.or_else(|| mode.parse().ok()) {
            Some(mode) => wanted.push(TypedParam::new("numa_mode", mode)),
            None => bail!("Invalid mode: {mode}"),
        }
    }
    if !wanted.is_empty() {
        let answer = domains.set_numa_parameters(&domain, &wanted, flags);
        return answer.context("Unable to change numa parameters");
    }
    let params = domains.numa_parameters(&domain, flags | TYPED_PARAM_STRING_OKAY);
    let params = params.context("Unable to get numa parameters")?;
    let setting = |param: &TypedParam| {
        let number = param.value.as_i64().and_then(|mode| usize::try_from(mode).ok());
        match number.filter(|_| param.name == "numa_mode").and_then(|mode| MODES.get(mode)) {
            Some(mode) => Setting::with(&param.name, *mode, *mode),
            None => Setting::of(param),
        }
    };
    parameters::show(session, params.iter().map(setting).collect())
}
