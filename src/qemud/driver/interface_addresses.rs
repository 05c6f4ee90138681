//! A guest's addresses: from its agent, or from the host's own knowledge of its neighbours.

use super::invalid;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{GuestAddress, GuestInterface};
use crate::qemud::vm::agent;
use crate::qemud::vm::guest::Guest;
use crate::xml::Element;
use serde_json::Value;

/// `virIPAddrType`.
const IPV4: i32 = 0;
const IPV6: i32 = 1;

/// Answers `virDomainInterfaceAddresses`.
pub fn addresses(guest: &Guest, source: u32) -> Result<Vec<GuestInterface>> {
    let definition = guest.lock().running()?.definition.clone();
    match source {
        DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT => from_agent(guest),
        DOMAIN_INTERFACE_ADDRESSES_SRC_ARP => Ok(from_neighbours(&definition.tree()?)),
        DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE => Ok(Vec::new()),
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

/// Looks the guest's MAC addresses up in the host's ARP table.
fn from_neighbours(tree: &Element) -> Vec<GuestInterface> {
    let table = std::fs::read_to_string("/proc/net/arp").unwrap_or_default();
    let interfaces = tree.child("devices").into_iter().flat_map(|devices| devices.children("interface"));
    let known = interfaces.filter_map(|interface| {
        let mac = interface.child_attribute("mac", "address")?;
        let name = interface.child_attribute("target", "dev")?;
        let lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        // Address, type, flags (2: complete), MAC address, mask, device.
        let ours = lines
            .filter(|fields| fields.len() >= 4 && fields[3].eq_ignore_ascii_case(mac) && fields[2] != "0x0");
        let addresses: Vec<GuestAddress> = ours
            .map(|fields| GuestAddress { kind: IPV4, address: fields[0].to_string(), prefix: 0 })
            .collect();
        let found = GuestInterface { name: name.to_string(), mac: Some(mac.to_string()), addresses };
        (!found.addresses.is_empty()).then_some(found)
    });
    known.collect()
}
