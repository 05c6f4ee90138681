//! `net-dhcp-leases`: which addresses a network's DHCP server has given out.

use super::{NETWORK, network};
use crate::commands::clock;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("net-dhcp-leases", Group::Network, leases)
    .answers(
        "[{expiry_time: integer, mac_address: text?, protocol: text, ip_address: text, \
             hostname: text?, client_id_or_duid: text?}]",
    )
    .about(
        "list a network's DHCP leases",
        "Shows the addresses that the network's own DHCP server has given out.",
    )
    .options(&[
        NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE)),
        Opt::text("mac", "only those of this MAC address").tolerated_by_place(),
    ])];

fn leases(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let mac = args.text("mac")?;
    let network = network(connection, args)?;
    let name = args.required("network")?;
    let answer = connection.networks().dhcp_leases(&network, mac, 0);
    let mut leases = answer.with_context(|| format!("Failed to get leases info for {name}"))?;
    leases.sort_by(|left, right| left.mac.cmp(&right.mac));
    let titles = ["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname", "Client ID or DUID"];
    let mut table = Table::new(titles);
    for lease in leases {
        let expiry = Cell::with(clock::local_seconds(lease.expiry, clock::DATE_AND_TIME), lease.expiry);
        let protocol = if lease.kind == IP_ADDR_TYPE_IPV6 { "ipv6" } else { "ipv4" };
        // An IPv4 client has an id, an IPv6 client a DUID; both stand in one column.
        table.row([
            expiry,
            Cell::or_dash(lease.mac),
            Cell::from(protocol),
            Cell::from(format!("{}/{}", lease.address, lease.prefix)),
            Cell::or_dash(lease.hostname),
            Cell::or_dash(lease.client_id),
        ]);
    }
    session.table(&table)
}
