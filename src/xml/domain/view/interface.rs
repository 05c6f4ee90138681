//! The view of `<interface>`.

use super::{Address, number, switch, word};
use crate::xml::Element;

/// A network card.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// What it is connected to: `user`, `network`, `bridge`, `direct`, `ethernet`, `vhostuser`, …
    pub kind: String,
    /// Its MAC address.
    pub mac: String,
    /// The virtual network, for `network`.
    pub network: Option<String>,
    /// The bridge, for `bridge`, and for a `network` that runs.
    pub bridge: Option<String>,
    /// The host's device, for `direct` and `user`.
    pub source_device: Option<String>,
    /// How it uses that device.
    pub source_mode: Option<String>,
    /// The socket, for `vhostuser`.
    pub source_path: Option<String>,
    /// The name of the host's end.
    pub target: Option<String>,
    /// Whether the host's end is made and removed by the driver (`false`: it is there already).
    pub target_managed: Option<bool>,
    /// The model of the card; none leaves it to the driver.
    pub model: Option<String>,
    /// Who serves it: `vhost` or `qemu`.
    pub driver: Option<String>,
    /// How many queues it has.
    pub queues: Option<u32>,
    /// The size of its receive queue.
    pub receive_queue_size: Option<u32>,
    /// The size of its send queue.
    pub send_queue_size: Option<u32>,
    /// Who serves user networking: `passt`.
    pub backend: Option<String>,
    /// The log of the backend.
    pub backend_log: Option<String>,
    /// Whether its link is down.
    pub link_down: bool,
    /// Its MTU.
    pub mtu: Option<u32>,
    /// Its place in the boot order.
    pub boot_order: Option<u32>,
    /// The script that sets up the host's end.
    pub script: Option<String>,
    /// The script that takes it down.
    pub down_script: Option<String>,
    /// Ports of the host that lead to the guest.
    pub port_forwards: Vec<PortForward>,
    /// Addresses of the network it is in: address, prefix, family.
    pub addresses: Vec<(String, Option<u32>, String)>,
    /// Its alias.
    pub alias: Option<String>,
    /// Where it sits.
    pub address: Option<Address>,
    /// The whole element.
    pub element: Element,
}

/// Ports of the host that lead to the guest.
#[derive(Clone, Debug, Default)]
pub struct PortForward {
    /// `tcp` or `udp`.
    pub protocol: String,
    /// The host's address.
    pub address: Option<String>,
    /// The host's device.
    pub device: Option<String>,
    /// First and last port, the guest's first port, and whether the range is left out.
    pub ranges: Vec<(u16, u16, u16, bool)>,
}

impl Interface {
    /// Reads a completed `<interface>`.
    pub fn parse(interface: &Element) -> Interface {
        let says = |path: &str, name: &str| interface.child_attribute(path, name).map(str::to_string);
        let counts = |path: &str, name: &str| interface.child(path).and_then(|child| number(child, name));
        let address = |ip: &Element| {
            let family = word(ip, "family").unwrap_or_else(|| "ipv4".to_string());
            Some((word(ip, "address")?, number(ip, "prefix"), family))
        };
        Interface {
            kind: interface.attribute("type").unwrap_or_default().to_string(),
            mac: says("mac", "address").unwrap_or_default(),
            network: says("source", "network"),
            bridge: says("source", "bridge"),
            source_device: says("source", "dev"),
            source_mode: says("source", "mode"),
            source_path: says("source", "path"),
            target: says("target", "dev"),
            target_managed: interface.child("target").and_then(|target| switch(target, "managed")),
            model: says("model", "type"),
            driver: says("driver", "name"),
            queues: counts("driver", "queues"),
            receive_queue_size: counts("driver", "rx_queue_size"),
            send_queue_size: counts("driver", "tx_queue_size"),
            backend: says("backend", "type"),
            backend_log: says("backend", "logFile"),
            link_down: interface.child_attribute("link", "state") == Some("down"),
            mtu: counts("mtu", "size"),
            boot_order: counts("boot", "order"),
            script: says("script", "path"),
            down_script: says("downscript", "path"),
            port_forwards: interface.children("portForward").map(PortForward::parse).collect(),
            addresses: interface.children("ip").filter_map(address).collect(),
            alias: says("alias", "name"),
            address: interface.child("address").and_then(Address::parse),
            element: interface.clone(),
        }
    }
}

impl PortForward {
    fn parse(forward: &Element) -> PortForward {
        let range = |range: &Element| {
            let first = number(range, "start")?;
            let last = number(range, "end").unwrap_or(first);
            let to = number(range, "to").unwrap_or(first);
            Some((first, last, to, switch(range, "exclude").unwrap_or(false)))
        };
        PortForward {
            protocol: word(forward, "proto").unwrap_or_default(),
            address: word(forward, "address"),
            device: word(forward, "dev"),
            ranges: forward.children("range").filter_map(range).collect(),
        }
    }
}
