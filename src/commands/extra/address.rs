//! `ip`: a guest's addresses from all who may know them, the best first.

use crate::backend::Connection;
use crate::commands::domain::lookup;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Result, anyhow};
use std::net::IpAddr;

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("ip", Group::Extra, ip)
.answers("[{address: text, prefix: integer, interface: text, mac_address: text?, source: \
             text}] | {address: text}")
    .about(
        "show the addresses of a guest, from whoever knows them",
        "Asks the agent in the guest, the leases of its networks and the host's neighbour table, and shows each \
         address once, the best first: what the guest itself says counts most, and addresses that lead nowhere \
         from outside (loopback, link-local) count least. --first prints one address alone, for scripts.",
    )
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::flag("first", "print the best address only"),
        Opt::all_domains(),
    ])
    .several(&[])];

/// Whom to ask, the best first.
const SOURCES: &[(&str, u32)] = &[
    ("agent", DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT),
    ("lease", DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE),
    ("arp", DOMAIN_INTERFACE_ADDRESSES_SRC_ARP),
];

/// An address of a guest.
pub struct Found {
    /// The address without its prefix.
    pub address: String,
    /// How many bits name the network.
    pub prefix: u32,
    /// The interface, as the one who knows it calls it.
    pub interface: String,
    /// The interface's hardware address.
    pub mac: Option<String>,
    /// Who knows it.
    pub source: &'static str,
}

/// What all the sources said.
pub struct Answer {
    /// Each address once, the best first.
    pub addresses: Vec<Found>,
    /// Whether at least one source could be asked at all.
    pub supported: bool,
    /// Why a source said nothing, a line each.
    pub silences: Vec<String>,
}

impl Answer {
    /// What to say when no address was found.
    pub fn failure(&self, name: &str) -> anyhow::Error {
        anyhow!("no address of domain '{name}' is known: {}", self.silences.join("; "))
    }
}

/// Asks all sources.
pub fn find(connection: &dyn Connection, domain: &DomainRef) -> Answer {
    let mut answer = Answer { addresses: Vec::new(), supported: false, silences: Vec::new() };
    for &(source, number) in SOURCES {
        match connection.domains().interface_addresses(domain, number, 0) {
            Ok(interfaces) => {
                answer.supported = true;
                let before = answer.addresses.len();
                for interface in interfaces {
                    for address in interface.addresses {
                        if !answer.addresses.iter().any(|found| found.address == address.address) {
                            answer.addresses.push(Found {
                                address: address.address,
                                prefix: address.prefix,
                                interface: interface.name.clone(),
                                mac: interface.mac.clone(),
                                source,
                            });
                        }
                    }
                }
                if answer.addresses.len() == before {
                    answer.silences.push(format!("{source}: none"));
                }
            }
            Err(error) => {
                answer.supported |= !error.is_unsupported();
                answer.silences.push(format!("{source}: {error}"));
            }
        }
    }
    answer.addresses.retain(|found| reach(&found.address) != Reach::Nowhere);
    // The order of the sources stays within each kind.
    answer.addresses.sort_by_key(|found| reach(&found.address));
    answer
}

/// How far an address leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reach {
    Version4,
    Version6,
    Link,
    Nowhere,
}

fn reach(address: &str) -> Reach {
    match address.parse::<IpAddr>() {
        Ok(address) if address.is_loopback() => Reach::Nowhere,
        Ok(IpAddr::V4(address)) if address.is_link_local() => Reach::Link,
        Ok(IpAddr::V4(_)) => Reach::Version4,
        Ok(IpAddr::V6(address)) if address.segments()[0] & 0xffc0 == 0xfe80 => Reach::Link,
        Ok(IpAddr::V6(_)) => Reach::Version6,
        Err(_) => Reach::Link,
    }
}

fn ip(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = args.required("domain")?;
    let answer = find(&*connection, &domain);
    let Some(best) = answer.addresses.first() else {
        return Err(answer.failure(name));
    };
    if args.has("first") {
        return session.value("address", best.address.clone());
    }
    let mut table = Table::new(["Address", "Prefix", "Interface", "MAC address", "Source"]);
    for found in &answer.addresses {
        table.row([
            Cell::from(&found.address),
            Cell::from(found.prefix),
            Cell::from(&found.interface),
            Cell::or_dash(found.mac.as_ref()),
            Cell::from(found.source.to_string()),
        ]);
    }
    session.table(&table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_far_comes_first() {
        let mut addresses = ["fe80::1", "2001:db8::1", "169.254.1.1", "192.0.2.7"];
        addresses.sort_by_key(|address| reach(address));
        assert_eq!(addresses, ["192.0.2.7", "2001:db8::1", "fe80::1", "169.254.1.1"]);
        assert_eq!((reach("127.0.0.1"), reach("::1")), (Reach::Nowhere, Reach::Nowhere));
    }
}
