//! A guest's addresses: from its agent, from the host's own knowledge of its neighbours, or from its user networking.

use super::invalid;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{GuestAddress, GuestInterface};
use crate::qemud::vm::agent;
use crate::qemud::vm::guest::Guest;
use crate::xml::Element;
use serde_json::Value;
use std::net::Ipv4Addr;

/// `virIPAddrType`.
const IPV4: i32 = 0;
const IPV6: i32 = 1;

/// Answers `virDomainInterfaceAddresses`.
pub fn addresses(guest: &Guest, source: u32) -> Result<Vec<GuestInterface>> {
    let definition = guest.lock().running()?.definition.clone();
    match source {
        DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT => from_agent(guest),
        DOMAIN_INTERFACE_ADDRESSES_SRC_ARP => Ok(from_neighbours(&definition.tree()?)),
        DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE => from_user_networking(guest, &definition.tree()?),
        other => {
            let detail = format!("Unknown IP address data source {other}");
            Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU))
        }
    }
}

fn from_agent(guest: &Guest) -> Result<Vec<GuestInterface>> {
    let answer = agent::execute(guest, "guest-network-get-interfaces", Value::Null, None)?;
    let listed = answer.as_array().ok_or_else(|| invalid("the guest agent's answer is no list"))?;
    let interfaces = listed.iter().filter_map(|interface| {
        let text = |field: &str| interface.get(field).and_then(Value::as_str).map(str::to_string);
        let addresses = interface.get("ip-addresses").and_then(Value::as_array).into_iter().flatten();
        Some(GuestInterface {
            name: text("name")?,
            mac: text("hardware-address"),
            addresses: addresses.filter_map(address).collect(),
        })
    });
    Ok(interfaces.collect())
}

fn address(address: &Value) -> Option<GuestAddress> {
    let kind = match address.get("ip-address-type").and_then(Value::as_str)? {
        "ipv4" => IPV4,
        "ipv6" => IPV6,
        _ => return None,
    };
    let prefix = address.get("prefix").and_then(Value::as_u64).unwrap_or(0);
    Some(GuestAddress {
        kind,
        address: address.get("ip-address").and_then(Value::as_str)?.to_string(),
        prefix: u32::try_from(prefix).unwrap_or(0),
    })
}

/// Looks the guest's MAC addresses up in the host's ARP table; each entry counts for itself.
fn from_neighbours(tree: &Element) -> Vec<GuestInterface> {
    neighbours(tree, &std::fs::read_to_string("/proc/net/arp").unwrap_or_default())
}

fn neighbours(tree: &Element, table: &str) -> Vec<GuestInterface> {
    let mut found = Vec::new();
    let interfaces = tree.child("devices").into_iter().flat_map(|devices| devices.children("interface"));
    for interface in interfaces {
        let Some(mac) = interface.child_attribute("mac", "address") else {
            continue;
        };
        let Some(name) = interface.child_attribute("target", "dev") else {
            continue;
        };
        for line in table.lines().skip(1) {
            // Address, type, flags (2: complete, 4: written by hand), MAC address, mask, device.
            let fields: Vec<&str> = line.split_whitespace().collect();
            let [address, _, "0x2", known, ..] = fields[..] else {
                continue;
            };
            if known.eq_ignore_ascii_case(mac) {
                let address = GuestAddress { kind: IPV4, address: address.to_string(), prefix: 0 };
                found.push(GuestInterface {
                    name: name.to_string(),
                    mac: Some(mac.to_string()),
                    addresses: vec![address],
                });
            }
        }
    }
    found
}

/// What user networking knows: `passt` gives the address it was told to give; QEMU's own stack tells whom its connections
/// belong to, and where it forwards the host's ports.
fn from_user_networking(guest: &Guest, tree: &Element) -> Result<Vec<GuestInterface>> {
    let interfaces = tree.child("devices").into_iter().flat_map(|devices| devices.children("interface"));
    let ours: Vec<&Element> =
        interfaces.filter(|interface| interface.attribute("type") == Some("user")).collect();
    let by_passt = |interface: &Element| interface.child_attribute("backend", "type") == Some("passt");
    let connections = match ours.iter().all(|interface| by_passt(interface)) {
        true => String::new(),
        false => guest.monitor()?.human("info usernet")?,
    };
    let mut found = Vec::new();
    for interface in ours {
        let alias = interface.child_attribute("alias", "name").unwrap_or_default();
        let addresses = match by_passt(interface) {
            true => given(interface),
            false => seen(interface, &connections, &format!("(host{alias}):")),
        };
        if !addresses.is_empty() {
            let name = interface.child_attribute("target", "dev").unwrap_or(alias).to_string();
            let mac = interface.child_attribute("mac", "address").map(str::to_string);
            found.push(GuestInterface { name, mac, addresses });
        }
    }
    Ok(found)
}

/// The length of the prefix that a definition gives with an address.
fn prefix_of(address: Option<&Element>, default: u32) -> u32 {
    address.and_then(|address| address.attribute("prefix")?.parse().ok()).unwrap_or(default)
}

/// The addresses that `passt` hands to the guest because the definition says so.
fn given(interface: &Element) -> Vec<GuestAddress> {
    let told = interface.children("ip").filter_map(|ip| {
        let (kind, length) = if ip.attribute("family") == Some("ipv6") { (IPV6, 64) } else { (IPV4, 24) };
        let address = ip.attribute("address")?.to_string();
        Some(GuestAddress { kind, address, prefix: prefix_of(Some(ip), length) })
    });
    told.collect()
}

/// The guest's ends of the connections below a heading of `info usernet`.
fn seen(interface: &Element, connections: &str, heading: &str) -> Vec<GuestAddress> {
    let network = interface.children("ip").find(|ip| ip.attribute("family") != Some("ipv6"));
    let base = network.and_then(|ip| ip.attribute("address")).unwrap_or("10.0.2.0");
    let length = prefix_of(network, 24).min(32);
    let Ok(base) = base.parse::<Ipv4Addr>() else {
        return Vec::new();
    };
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    let base = u32::from(base) & mask;
    // The stack itself is the second and the third of the network.
    let is_guest = |address: &Ipv4Addr| {
        let number = u32::from(*address);
        number & mask == base && number & !mask > 3
    };
    let after = connections.lines().skip_while(|line| !line.trim_end().ends_with(heading)).skip(1);
    let rows = after.take_while(|line| !line.starts_with("Hub "));
    let mut addresses: Vec<GuestAddress> = Vec::new();
    for word in rows.flat_map(str::split_whitespace) {
        let Some(address) = word.parse::<Ipv4Addr>().ok().filter(is_guest) else {
            continue;
        };
        let address = GuestAddress { kind: IPV4, address: address.to_string(), prefix: length };
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(interface: &str) -> Element {
        let text = format!("<domain><devices><interface{interface}</interface></devices></domain>");
        crate::xml::parse(&text, "test").unwrap()
    }

    #[test]
    fn each_neighbour_is_told_by_itself() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
            10.9.9.10        0x1         0x2         52:54:00:AA:00:02     *        br0\n\
            10.9.9.11        0x1         0x6         52:54:00:aa:00:02     *        br0\n\
            10.9.9.12        0x1         0x0         52:54:00:aa:00:02     *        br0\n\
            10.9.9.9         0x1         0x2         52:54:00:aa:00:02     *        br0\n";
        let tree = domain("><mac address='52:54:00:aa:00:02'/><target dev='vnet0'/>");
        let found = neighbours(&tree, table);
        let addresses: Vec<&str> = found.iter().map(|one| one.addresses[0].address.as_str()).collect();
        assert_eq!(addresses, ["10.9.9.10", "10.9.9.9"]);
        assert_eq!((found[1].name.as_str(), found[1].addresses[0].prefix), ("vnet0", 0));
    }

    #[test]
    fn the_guests_end_of_a_connection_is_its_address() {
        let told = "Hub -1 (hostnet0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n\
            \x20 TCP[HOST_FORWARD]   9               *  2299       10.0.2.15    22     0     0\r\n\
            \x20 TCP[ESTABLISHED]   10       10.0.2.15 40000        10.0.2.2    22     0     0\r\n\
            Hub -1 (hostnet1):\r\n\x20 UDP[236 sec]        11      10.0.2.77 40000        10.0.2.3    53     0     0\r\n";
        let tree = domain(" type='user'>");
        let interface = tree.find("devices/interface").unwrap();
        let addresses = |heading: &str| -> Vec<String> {
            seen(interface, told, heading).into_iter().map(|found| found.address).collect()
        };
        assert_eq!(addresses("(hostnet0):"), ["10.0.2.15"]);
        assert_eq!(addresses("(hostnet1):"), ["10.0.2.77"]);
        assert_eq!(addresses("(hostnet2):"), Vec::<String>::new());
    }
}
