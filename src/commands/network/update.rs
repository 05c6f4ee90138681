//! `net-update`: changing a part of a network without a new definition.

use super::{NETWORK, network};
use crate::commands::files;
use crate::commands::impact::{self, impact};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("net-update", Group::Network, update)
    .about(
        "change a part of a network",
        "Adds, changes or removes one element of a network's definition, while it runs if that is asked for.",
    )
    .options(&[
        NETWORK,
        Opt::text("command", "add-first, add-last (or add), delete or modify")
            .required()
            .complete(Complete::Words(&["add", "add-first", "add-last", "delete", "modify"])),
        Opt::text("section", "which part of the definition the element belongs to")
            .required()
            .complete(Complete::Words(SECTIONS.split_at(1).1)),
        Opt::text("xml", "the element itself if it begins with '<', or else a file that holds it")
            .required()
            .complete(Complete::File),
        Opt::number("parent-index", "which of several parents, counted from 0").tolerated_by_place(),
        impact::CONFIG,
        impact::LIVE,
        impact::CURRENT,
    ])
    .writes()];

/// In the order of their numbers.
const SECTIONS: &[&str] = &[
    "none",
    "bridge",
    "domain",
    "ip",
    "ip-dhcp-host",
    "ip-dhcp-range",
    "forward",
    "forward-interface",
    "forward-pf",
    "portgroup",
    "dns-host",
    "dns-txt",
    "dns-srv",
];

fn update(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let networks = connection.networks();
    let network = network(&*connection, args)?;
    let command = match args.required("command")? {
        "modify" => NETWORK_UPDATE_COMMAND_MODIFY,
        "delete" => NETWORK_UPDATE_COMMAND_DELETE,
        "add" | "add-last" => NETWORK_UPDATE_COMMAND_ADD_LAST,
        "add-first" => NETWORK_UPDATE_COMMAND_ADD_FIRST,
        other => bail!("unrecognized command name '{other}'"),
    };
    let section = args.required("section")?;
    let number = SECTIONS.iter().skip(1).position(|known| *known == section);
    let Some(number) = number.and_then(|place| u32::try_from(place + 1).ok()) else {
        bail!("unrecognized section name '{section}'");
    };
    let parent = args.number::<i32>("parent-index")?.unwrap_or(-1);
    let given = args.required("xml")?;
    let element = match given.starts_with('<') {
        true => given.to_string(),
        false => files::read(given)?,
    };
    let name = &network.name;
    let answer = networks.update(&network, command, number, parent, &element, flags);
    answer.with_context(|| format!("Failed to update network {name}"))?;
    let live = flags & NETWORK_UPDATE_AFFECT_LIVE != 0
        || flags & NETWORK_UPDATE_AFFECT_CONFIG == 0 && networks.is_active(&network).unwrap_or_default();
    let what = match (flags & NETWORK_UPDATE_AFFECT_CONFIG != 0, live) {
        (true, true) => "persistent config and live state",
        (_, false) => "persistent config",
        (false, true) => "live state",
    };
    // The line has no end of its own, as in virsh.
    session.print_extra(format_args!("Updated network {name} {what}"));
    Ok(())
}
