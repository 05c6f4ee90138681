//! Network interfaces of a domain: domiflist, domifstat, domifaddr, domif-getlink.

use super::device_tree;
use super::lookup;
use crate::model::GuestInterface;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result, bail};
use serde_json::{Map, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domif-getlink", Group::Monitor, link)
.answers("{interface: text, state: text}")
        .about("tell whether an interface's cable is plugged in", "Prints up or down.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("interface", "an interface by its MAC address or host device")
                .required()
                .complete(Complete::Interface),
            Opt::flag("config", "as defined for the next boot"),
        ]),
    Command::new("domifaddr", Group::Monitor, addresses)
.answers("[{name: text, mac_address: text?, addresses: [{protocol: text, address: text, \
             prefix: integer}]}]")
        .about(
            "show a guest's network addresses",
            "Shows the addresses of a running guest as known from the leases of its networks, from the host's \
             neighbour table, or from the agent in the guest.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("interface", "only this interface, by the name shown in the first column").positional().complete(Complete::Interface),
            Opt::flag("full", "repeat the name and MAC address on each line"),
            Opt::text("source", "whom to ask: lease, agent or arp")
                .tolerated_by_place()
                .complete(Complete::Words(&["lease", "agent", "arp"])),
        ]),
    Command::new("domiflist", Group::Monitor, list)
.answers("[{interface: text?, type: text, source: text?, model: text?, mac_address: \
             text?}]")
        .about("list a domain's network interfaces", "Shows each interface and what it is connected to.")
        .options(&[Opt::domain(Complete::Domain), Opt::flag("inactive", "as defined for the next boot")]),
    Command::new("domifstat", Group::Monitor, stats)
.answers("{*: integer}")
        .about("show an interface's counters", "Shows how much a running guest received and sent.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("interface", "an interface by its host device or MAC address")
                .required()
                .complete(Complete::Interface),
        ]),
];

fn list(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let flags = if args.has("inactive") { DOMAIN_XML_INACTIVE } else { 0 };
    let interfaces = device_tree::interfaces(&device_tree::tree(connection, &domain, flags)?);
    let mut table = Table::new(["Interface", "Type", "Source", "Model", "MAC"]).names([
        "interface",
        "type",
        "source",
        "model",
        "mac_address",
    ]);
    for interface in interfaces {
        table.row([
            Cell::or_dash(interface.target),
            Cell::from(interface.kind),
            Cell::or_dash(interface.source),
            Cell::or_dash(interface.model),
            Cell::or_dash(interface.mac),
        ]);
    }
    session.table(&table)
}

fn stats(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let (name, device) = (args.required("domain")?, args.required("interface")?);
    let answer = connection.domains().interface_stats(&domain, device);
    let stats = answer.with_context(|| format!("Failed to get interface stats {name} {device}"))?;
    let counters = [
        ("rx_bytes", stats.rx_bytes),
        ("rx_packets", stats.rx_packets),
        ("rx_errs", stats.rx_errors),
        ("rx_drop", stats.rx_drops),
        ("tx_bytes", stats.tx_bytes),
        ("tx_packets", stats.tx_packets),
        ("tx_errs", stats.tx_errors),
        ("tx_drop", stats.tx_drops),
    ];
    let known = || counters.iter().filter(|(_, value)| *value != -1);
    let text: String = known().map(|(counter, value)| format!("{device} {counter} {value}\n")).collect();
    let data: Map<_, _> = known().map(|(counter, value)| ((*counter).to_string(), json!(value))).collect();
    session.show(&data, |session| session.print(text))
}

fn link(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let wanted = args.required("interface")?;
    let flags = if args.has("config") { DOMAIN_XML_INACTIVE } else { 0 };
    let interfaces = device_tree::interfaces(&device_tree::tree(connection, &domain, flags)?);
    let found = interfaces.into_iter().find(|interface| {
        let mac = interface.mac.as_deref().unwrap_or_default();
        mac.eq_ignore_ascii_case(wanted) || interface.target.as_deref() == Some(wanted)
    });
    let Some(found) = found else {
        bail!("Interface (dev: {wanted}) not found.");
    };
    // The line has no end of its own, as in virsh.
    let text = format!("{wanted} {}", found.link);
    let data = json!({"interface": wanted, "state": found.link});
    session.show(&data, |session| session.print(text))
}

/// The titles of domifaddr.
const ADDRESS_HEAD: [&str; 4] = ["Name", "MAC address", "Protocol", "Address"];

fn addresses(session: &mut Session, args: &Args) -> Result<()> {
    let source = match args.text("source")? {
        None | Some("lease") => DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        Some("agent") => DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
        Some("arp") => DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
        Some(other) => bail!("Unknown data source '{other}'"),
    };
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().interface_addresses(&domain, source, 0);
    let mut interfaces = answer.context("Failed to query for interfaces addresses")?;
    if let Some(wanted) = args.text("interface")? {
        interfaces.retain(|interface| interface.name == wanted);
    }
    let data: Vec<_> = interfaces.iter().map(address_data).collect();
    let full = args.has("full");
    let rows = interfaces.iter().flat_map(|interface| address_rows(interface, full));
    if session.settings.ruled {
        let mut table = Table::new(ADDRESS_HEAD);
        for row in rows {
            table.row(row);
        }
        return session.table(&table);
    }
    session.show(&data, |session| {
        // These columns have fixed widths, and the title of one is wider than its cells.
        let [name, mac, protocol, address] = ADDRESS_HEAD;
        let head = format!(" {name:<10} {mac:<20} {protocol:<8}     {address}\n");
        session.print_extra(format_args!("{head}{}\n", "-".repeat(79)));
        for [name, mac, protocol, address] in rows {
            session.print(format_args!(" {name:<10} {mac:<17}    {protocol:<12} {address}\n"));
        }
    })
}

fn address_data(interface: &GuestInterface) -> serde_json::Value {
    let addresses = interface.addresses.iter().map(|address| {
        let protocol = protocol(address.kind);
        json!({"protocol": protocol, "address": address.address, "prefix": address.prefix})
    });
    json!({
        "name": interface.name,
        "mac_address": interface.mac,
        "addresses": addresses.collect::<Vec<_>>(),
    })
}

fn protocol(kind: i32) -> &'static str {
    match kind {
        IP_ADDR_TYPE_IPV6 => "ipv6",
        _ => "ipv4",
    }
}

/// A row an address; an interface without any has one too.
fn address_rows(interface: &GuestInterface, full: bool) -> Vec<[String; 4]> {
    let mac = interface.mac.as_deref().unwrap_or("N/A");
    let row = |name: &str, mac: &str, protocol: &str, address: &str| {
        [name, mac, protocol, address].map(str::to_string)
    };
    if interface.addresses.is_empty() {
        return vec![row(&interface.name, mac, "N/A", "N/A")];
    }
    let rows = interface.addresses.iter().enumerate().map(|(index, address)| {
        let (name, mac) = if full || index == 0 { (interface.name.as_str(), mac) } else { ("-", "-") };
        let shown = format!("{}/{}", address.address, address.prefix);
        row(name, mac, protocol(address.kind), &shown)
    });
    rows.collect()
}
