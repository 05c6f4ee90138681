//! USB addresses: a port for each device, hubs where the ports run out.

use super::devices::{Devices, address, has_address, index_of, model, number};
use crate::error::{Error, Result};
use crate::xml::Element;
use std::collections::BTreeSet;

/// How many ports a hub has.
const HUB_PORTS: u32 = 8;

/// Whether a device sits on a USB bus.
pub fn is_usb_device(device: &Element) -> bool {
    match device.name.as_str() {
        "disk" => device.child_attribute("target", "bus") == Some("usb"),
        "input" | "redirdev" => device.attribute("bus") == Some("usb"),
        "hostdev" => device.attribute("type") == Some("usb"),
        "hub" => device.attribute("type") == Some("usb"),
        "sound" => device.attribute("model") == Some("usb"),
        "interface" => model(device) == "usb-net",
        "serial" => device.child_attribute("target", "type") == Some("usb-serial"),
        "controller" => device.attribute("type") == Some("ccid"),
        "smartcard" => false,
        _ => false,
    }
}

/// In which order devices are given their ports.
const ORDER: &[&str] = &[
    "hub",
    "disk",
    "interface",
    "sound",
    "hostdev",
    "controller",
    "smartcard",
    "serial",
    "input",
    "redirdev",
];

/// One bus and the ports in use, as `1` or `1.3`.
struct Bus {
    index: u32,
    ports: u32,
    hubs: Vec<String>,
    used: BTreeSet<String>,
}

impl Bus {
    fn free_port(&self) -> Option<String> {
        let own = (1..=self.ports).map(|port| port.to_string());
        let behind_hubs =
            self.hubs.iter().flat_map(|hub| (1..=HUB_PORTS).map(move |port| format!("{hub}.{port}")));
        own.chain(behind_hubs).find(|port| !self.used.contains(port))
    }
}

/// Gives every USB device its address.
pub fn assign(devices: &mut Devices) -> Result<()> {
    let mut buses = buses(devices);
    if buses.is_empty() {
        return Ok(());
    }
    for device in devices.items.iter().filter(|device| is_usb_device(device)) {
        if let Some(address) = address(device, "usb") {
            reserve(&mut buses, device, address)?;
        }
    }
    add_hubs(devices, &buses);
    for kind in ORDER {
        for device in devices.of_mut(kind) {
            if is_usb_device(device) && !has_address(device) {
                place(device, &mut buses)?;
            }
        }
    }
    Ok(())
}

/// The buses: one for each index, with the ports of its controllers.
fn buses(devices: &Devices) -> Vec<Bus> {
    let mut buses: Vec<Bus> = Vec::new();
    for controller in devices.controllers("usb") {
        let index = index_of(controller);
        // A companion shares the ports of its EHCI controller.
        let ports = match model(controller) {
            "none" => continue,
            "qemu-xhci" | "nec-xhci" => number(controller.attribute("ports")).unwrap_or(4),
            "ich9-ehci1" | "ehci" => 6,
            "ich9-uhci1" | "ich9-uhci2" | "ich9-uhci3" => 0,
            _ => 2,
        };
        match buses.iter_mut().find(|bus| bus.index == index) {
            Some(bus) => bus.ports = bus.ports.max(ports),
            None => buses.push(Bus { index, ports, hubs: Vec::new(), used: BTreeSet::new() }),
        }
    }
    buses
}

fn reserve(buses: &mut [Bus], device: &Element, address: &Element) -> Result<()> {
    let index = number(address.attribute("bus")).unwrap_or(0);
    let bus = buses.iter_mut().find(|bus| bus.index == index);
    let bus = bus.ok_or_else(|| {
        Error::xml(format!("USB bus {index} requested but no controller with that index is present"))
    })?;
    let Some(port) = address.attribute("port") else {
        return Ok(());
    };
    if !bus.used.insert(port.to_string()) {
        return Err(Error::xml(format!("Duplicate USB address bus {index} port {port}")));
    }
    if device.name == "hub" {
        bus.hubs.push(port.to_string());
    }
    Ok(())
}

/// Adds as many hubs as the devices without a port need.
fn add_hubs(devices: &mut Devices, buses: &[Bus]) {
    let waiting = |device: &&Element| is_usb_device(device) && !has_address(device);
    let wanting = devices.items.iter().filter(waiting).count() as i64;
    let new_hubs = devices.of("hub").filter(waiting).count() as i64;
    let placed_hubs: usize = buses.iter().map(|bus| bus.hubs.len()).sum();
    let used: usize = buses.iter().map(|bus| bus.used.len()).sum();
    let ports: i64 = buses.iter().map(|bus| i64::from(bus.ports)).sum();
    let free = ports + i64::from(HUB_PORTS) * (placed_hubs as i64 + new_hubs) - used as i64;
    let missing = wanting - free;
    let gain = i64::from(HUB_PORTS) - 1;
    for _ in 0..(missing.max(0) + gain - 1) / gain {
        devices.add(Element::new("hub").with("type", "usb"));
    }
}

fn place(device: &mut Element, buses: &mut [Bus]) -> Result<()> {
    let wanted = address(device, "usb").and_then(|address| number(address.attribute("bus")));
    let fitting = buses.iter_mut().filter(|bus| wanted.is_none_or(|index| bus.index == index));
    let found = fitting.filter_map(|bus| bus.free_port().map(|port| (bus, port))).next();
    let (bus, port) = found.ok_or_else(|| Error::internal("No free USB ports"))?;
    let address = Element::new("address").with("type", "usb").with("bus", bus.index).with("port", &port);
    if device.name == "hub" {
        bus.hubs.push(port.clone());
    }
    bus.used.insert(port);
    device.remove("address");
    device.push(address);
    Ok(())
}
