//! Which interfaces there are: iface-list, iface-mac, iface-name.

use super::{by_mac, by_name};
use crate::commands::plain_name::known_as;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};
use std::collections::HashSet;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("iface-list", Group::Interface, list)
        .answers("[{name: text, state: text, mac_address: text}]")
        .about(
            "list the host's interfaces",
            "Shows the active interfaces, or with --all the inactive ones too.",
        )
        .options(&[
            Opt::flag("inactive", "only interfaces that are down"),
            Opt::flag("all", "active and inactive interfaces"),
        ]),
    Command::new("iface-mac", Group::Interface, mac)
        .answers("{mac_address: text}")
        .about(
            "print an interface's MAC address",
            "Prints the MAC address of an interface given by its name.",
        )
        .options(&[Opt::text("interface", "an interface by its name")
            .required()
            .complete(Complete::HostInterface)]),
    Command::new("iface-name", Group::Interface, name)
        .answers("{name: text}")
        .about("print an interface's name", "Prints the name of an interface given by its MAC address.")
        .options(&[Opt::text("interface", "an interface by its MAC address")
            .required()
            .complete(Complete::HostInterfaceMac)]),
];

fn list(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "inactive")?;
    let flags = if args.has("all") {
        CONNECT_LIST_INTERFACES_ACTIVE | CONNECT_LIST_INTERFACES_INACTIVE
    } else if args.has("inactive") {
        CONNECT_LIST_INTERFACES_INACTIVE
    } else {
        CONNECT_LIST_INTERFACES_ACTIVE
    };
    let connection = session.handle()?;
    let interfaces = connection.interfaces();
    let unsupported = |error: &crate::error::Error| match error.is_unsupported() {
        true => "Failed to list active interfaces",
        false => "Failed to list interfaces",
    };
    let mut listed =
        known_as(interfaces.list_all_interfaces(flags), "virConnectNumOfInterfaces").map_err(|error| {
            let failed = unsupported(&error);
            anyhow::Error::from(error).context(failed)
        })?;
    listed.sort_by_cached_key(|interface| (interface.name.to_ascii_lowercase(), interface.name.clone()));
    // One question tells which are active, however many there are.
    let active: HashSet<String> = match flags {
        CONNECT_LIST_INTERFACES_ACTIVE => listed.iter().map(|interface| interface.name.clone()).collect(),
        CONNECT_LIST_INTERFACES_INACTIVE => HashSet::new(),
        _ => {
            let answer = interfaces.list_all_interfaces(CONNECT_LIST_INTERFACES_ACTIVE);
            let active = answer.context("Failed to list interfaces")?;
            active.into_iter().map(|interface| interface.name).collect()
        }
    };
    let mut table = Table::new(["Name", "State", "MAC Address"]);
    for interface in listed {
        let state = if active.contains(&interface.name) { "active" } else { "inactive" };
        table.row([Cell::from(interface.name), Cell::from(state), Cell::from(interface.mac)]);
    }
    session.table(&table)
}

fn mac(session: &mut Session, args: &Args) -> Result<()> {
    let interface = by_name(session.connection()?, args.required("interface")?)?;
    session.value("mac_address", interface.mac)
}

fn name(session: &mut Session, args: &Args) -> Result<()> {
    let interface = by_mac(session.connection()?, args.required("interface")?)?;
    session.value("name", interface.name)
}
