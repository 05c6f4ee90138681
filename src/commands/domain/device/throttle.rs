//! blkdeviotune, domthrottlegroup*: how much a disk, or a group of disks, may read and write.

use crate::commands::domain::device_tree;
use crate::commands::domain::lookup;
use crate::commands::domain::tuning::parameters::{self, Setting};
use crate::commands::impact::{self, impact};
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use crate::shell::units::read_size;
use anyhow::{Context, Result, anyhow};

/// The options of a command about limits: its own first ones, the limits, then its own last ones.
macro_rules! with_limits {
    ([$($before:expr),*], [$($after:expr),*]) => {
        &[
            $($before,)*
            Opt::number("total-bytes-sec", "limit of reads and writes together: bytes a second, or with a suffix"),
            Opt::number("read-bytes-sec", "limit of reads: bytes a second, or with a suffix"),
            Opt::number("write-bytes-sec", "limit of writes: bytes a second, or with a suffix"),
            Opt::number("total-iops-sec", "limit of reads and writes together: requests a second"),
            Opt::number("read-iops-sec", "limit of reads: requests a second"),
            Opt::number("write-iops-sec", "limit of writes: requests a second"),
            Opt::number("total-bytes-sec-max", "burst of reads and writes together: bytes a second, or with a suffix"),
            Opt::number("read-bytes-sec-max", "burst of reads: bytes a second, or with a suffix"),
            Opt::number("write-bytes-sec-max", "burst of writes: bytes a second, or with a suffix"),
            Opt::number("total-iops-sec-max", "burst of reads and writes together: requests a second"),
            Opt::number("read-iops-sec-max", "burst of reads: requests a second"),
            Opt::number("write-iops-sec-max", "burst of writes: requests a second"),
            Opt::number("size-iops-sec", "bytes that count as one request"),
            Opt::number("total-bytes-sec-max-length", "seconds that a burst of reads and writes together may last"),
            Opt::number("read-bytes-sec-max-length", "seconds that a burst of reads may last"),
            Opt::number("write-bytes-sec-max-length", "seconds that a burst of writes may last"),
            Opt::number("total-iops-sec-max-length", "seconds that a burst of reads and writes together may last"),
            Opt::number("read-iops-sec-max-length", "seconds that a burst of reads may last"),
            Opt::number("write-iops-sec-max-length", "seconds that a burst of writes may last"),
            $($after,)*
            Opt::alias("total_bytes_sec", "total-bytes-sec"),
            Opt::alias("read_bytes_sec", "read-bytes-sec"),
            Opt::alias("write_bytes_sec", "write-bytes-sec"),
            Opt::alias("total_iops_sec", "total-iops-sec"),
            Opt::alias("read_iops_sec", "read-iops-sec"),
            Opt::alias("write_iops_sec", "write-iops-sec"),
            Opt::alias("total_bytes_sec_max", "total-bytes-sec-max"),
            Opt::alias("read_bytes_sec_max", "read-bytes-sec-max"),
            Opt::alias("write_bytes_sec_max", "write-bytes-sec-max"),
            Opt::alias("total_iops_sec_max", "total-iops-sec-max"),
            Opt::alias("read_iops_sec_max", "read-iops-sec-max"),
            Opt::alias("write_iops_sec_max", "write-iops-sec-max"),
            Opt::alias("size_iops_sec", "size-iops-sec"),
            Opt::alias("total_bytes_sec_max_length", "total-bytes-sec-max-length"),
            Opt::alias("read_bytes_sec_max_length", "read-bytes-sec-max-length"),
            Opt::alias("write_bytes_sec_max_length", "write-bytes-sec-max-length"),
            Opt::alias("total_iops_sec_max_length", "total-iops-sec-max-length"),
            Opt::alias("read_iops_sec_max_length", "read-iops-sec-max-length"),
            Opt::alias("write_iops_sec_max_length", "write-iops-sec-max-length"),
        ]
    };
}

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("blkdeviotune", Group::Domain, blkdeviotune)
        .answers("{*: integer | text?}")
        .about(
            "show or set a disk's limits",
            "Shows the throughput limits of a disk, or changes those given.",
        )
        .options(with_limits!(
            [
                Opt::domain(Complete::Domain),
                Opt::text("device", "the disk, by its target or source").required().complete(Complete::Disk),
                Opt::text("group-name", "name of a group of disks that share the limits")
            ],
            [impact::CONFIG, impact::LIVE, impact::CURRENT, Opt::alias("group_name", "group-name")]
        ))
        .writes(),
    Command::new("domthrottlegroupset", Group::Domain, domthrottlegroupset)
        .about("set the limits of a throttle group", "Makes a throttle group, or changes its limits.")
        .options(with_limits!(
            [Opt::domain(Complete::Domain), Opt::text("group-name", "name of the throttle group").required()],
            [impact::CONFIG, impact::LIVE, impact::CURRENT, Opt::alias("group_name", "group-name")]
        ))
        .writes(),
    Command::new("domthrottlegroupdel", Group::Domain, domthrottlegroupdel)
        .about("remove a throttle group", "Removes a throttle group that no disk uses.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("group-name", "name of the throttle group").required(),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("domthrottlegroupinfo", Group::Domain, domthrottlegroupinfo)
        .answers("{*: integer | text}")
        .about("show the limits of a throttle group", "Shows the limits of a throttle group.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("group-name", "name of the throttle group").required(),
            Opt::flag("inactive", "of the next boot"),
        ]),
    Command::new("domthrottlegrouplist", Group::Domain, domthrottlegrouplist)
        .answers("[{name: text}]")
        .about("list throttle groups", "Lists the throttle groups of a domain.")
        .options(&[Opt::domain(Complete::Domain), Opt::flag("inactive", "of the next boot")]),
];

/// The options that set limits, in the order they are looked at.
fn limits(args: &Args) -> Result<Vec<TypedParam>> {
    let mut wanted = Vec::new();
    for end in ["", "-max", "-max-length"] {
        for unit in ["bytes", "iops"] {
            for what in ["total", "read", "write"] {
                let option = format!("{what}-{unit}-sec{end}");
                let scaled = unit == "bytes" && end != "-max-length";
                if let Some(limit) = limit(args, &option, scaled)? {
                    wanted.push(TypedParam::new(option.replace('-', "_"), limit));
                }
            }
        }
    }
    if let Some(size) = limit(args, "size-iops-sec", false)? {
        wanted.push(TypedParam::new("size_iops_sec", size));
    }
    Ok(wanted)
}

fn limit(args: &Args, option: &str, scaled: bool) -> Result<Option<u64>> {
    let Some(text) = args.get(option) else {
        return Ok(None);
    };
    let unable = "Unable to parse integer parameter";
    if !scaled {
        // Both sentences are printed, the one about the number first.
        return args.number::<u64>(option).map_err(|error| anyhow!(unable).context(error));
    }
    let refusal = format!("Scaled numeric value '{text}' for <{option}> option is malformed or out of range");
    match read_size(text, 1, u64::MAX) {
        Ok(limit) => Ok(Some(limit)),
        Err(Some(cause)) => Err(cause).context(unable).context(refusal),
        Err(None) => Err(anyhow!(unable).context(refusal)),
    }
}

fn blkdeviotune(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let disk = args.required("device")?;
    let mut wanted = limits(args)?;
    let group = args.text("group-name");
    if let Some(group) =
        group.map_err(|error| anyhow!("Unable to parse group-name parameter").context(error))?
    {
        wanted.push(TypedParam::new("group_name", group));
    }
    let domains = connection.domains();
    if !wanted.is_empty() {
        let answer = domains.set_block_io_tune(&domain, disk, &wanted, flags);
        return answer.context("Unable to change block I/O throttle");
    }
    let flags = flags | TYPED_PARAM_STRING_OKAY;
    domains
        .block_io_tune(&domain, None, flags)
        .context("Unable to get number of block I/O throttle parameters")?;
    let params = domains.block_io_tune(&domain, Some(disk), flags);
    let params = params.context("Unable to get block I/O throttle parameters")?;
    parameters::show(session, params.iter().map(Setting::of).collect())
}

fn domthrottlegroupset(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let group = args.required("group-name")?;
    let wanted = limits(args)?;
    let answer = connection.domains().set_throttle_group(&domain, group, &wanted, flags);
    answer.context("Unable to set throttle group")?;
    session.print_extra("Throttle group set successfully\n");
    Ok(())
}

fn domthrottlegroupdel(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let group = args.required("group-name")?;
    connection.domains().del_throttle_group(&domain, Some(group), flags)?;
    session.print_extra("Throttle group deleted successfully\n");
    Ok(())
}

/// A group is part of the description, which is asked for it.
fn description(args: &Args) -> u32 {
    args.flags(&[("inactive", DOMAIN_XML_INACTIVE)])
}

fn domthrottlegroupinfo(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = args.required("group-name")?;
    let tree = device_tree::tree(&*connection, &domain, description(args))?;
    let mut groups =
        tree.child("throttlegroups").into_iter().flat_map(|groups| groups.children("throttlegroup"));
    let group = groups.find(|group| group.child_text("group_name").as_deref() == Some(name));
    let limits = group.into_iter().flat_map(|group| group.elements());
    let settings = limits.filter(|limit| limit.name != "group_name").map(|limit| {
        let text = limit.text();
        let number = text.trim().parse::<u64>().ok();
        Setting::with(&limit.name, text.trim(), number)
    });
    parameters::show(session, settings.collect())
}

fn domthrottlegrouplist(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let tree = device_tree::tree(&*connection, &domain, description(args))?;
    let groups = tree.child("throttlegroups").into_iter().flat_map(|groups| groups.children("throttlegroup"));
    let mut table = Table::new(["Name"]);
    for name in groups.filter_map(|group| group.child_text("group_name")) {
        table.row([name]);
    }
    session.table(&table)
}
