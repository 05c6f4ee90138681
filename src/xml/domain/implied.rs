//! Devices that other devices imply: controllers, the console beside the serial port, the card behind a screen.

use super::Platform;
use super::devices::{DEVICES, chardev, video};
use super::order;
use crate::error::{Error, ErrorCode, Result};
use crate::xml::{Element, Node};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Adds what the devices imply.
pub fn settle(tree: &mut Element, platform: &dyn Platform) -> Result<()> {
    let os_type = tree.child_text("os/type").unwrap_or_default();
    let is_hvm = os_type == "hvm";
    let machine = tree.child_attribute("os/type", "machine").map(str::to_string);
    let architecture = tree.child_attribute("os/type", "arch").unwrap_or_default().to_string();
    let devices = tree.child_or_new("devices");
    check_companions(devices)?;
    number_controllers(devices);
    number_ports(devices);
    pair_console(devices, is_hvm);
    place_smartcards(devices);
    place_scsi_hostdevs(devices);
    platform.add_board_controllers(&architecture, machine.as_deref(), devices);
    add_controllers(devices);
    let card = match os_type.as_str() {
        "xen" | "linux" => "xen",
        _ => platform.default_video(&architecture, machine.as_deref()),
    };
    settle_video(devices, card)?;
    let has_usb = platform.has_usb(&architecture, machine.as_deref());
    check_usb(devices, has_usb)?;
    settle_panic(devices, platform.default_panic(&architecture, machine.as_deref()));
    DEVICES.arrange(devices);
    if devices.elements().next().is_none() {
        // Written with two tags, as libvirt writes it.
        devices.set_text("\n");
    }
    Ok(())
}

fn number(element: &Element, name: &str) -> Option<u32> {
    element.attribute(name)?.parse().ok()
}

/// Controllers without an index get the lowest free one of their type; those of one ICH9 set share theirs.
fn number_controllers(devices: &mut Element) {
    let mut used: HashMap<String, BTreeSet<u32>> = HashMap::new();
    let mut sets: HashSet<(String, u32)> = HashSet::new();
    for known in devices.children("controller") {
        if let (Some(kind), Some(index)) = (known.attribute("type"), number(known, "index")) {
            used.entry(kind.to_string()).or_default().insert(index);
            sets.extend(ich9_model(known).map(|model| (model.to_string(), index)));
        }
    }
    let mut next: HashMap<String, u32> = HashMap::new();
    // The index of the USB controller before, while that belongs to an ICH9 set.
    let mut set = None;
    for controller in devices.elements_mut().filter(|child| child.name == "controller") {
        let kind = controller.attribute("type").unwrap_or_default().to_string();
        let model = ich9_model(controller).map(str::to_string);
        if controller.attribute("index").is_none() {
            let joined = model.as_ref().zip(set).map(|(model, index)| (model.clone(), index));
            let index = match joined.filter(|member| sets.insert(member.clone())) {
                Some((_, index)) => index,
                None => {
                    lowest_free(used.entry(kind.clone()).or_default(), next.entry(kind.clone()).or_default())
                }
            };
            sets.extend(model.clone().map(|model| (model, index)));
            controller.set("index", index);
            super::devices::controller::CONTROLLER.arrange(controller);
        }
        join_companion(controller);
        if kind == "usb" {
            set = model.and(number(controller, "index"));
        }
    }
}

/// Takes the lowest index that is free, from `next` on.
fn lowest_free(taken: &mut BTreeSet<u32>, next: &mut u32) -> u32 {
    while !taken.insert(*next) {
        *next += 1;
    }
    *next
}

/// The model of a USB controller that is one of an ICH9 set: a fast one and its slow companions.
fn ich9_model(controller: &Element) -> Option<&str> {
    let model = controller.attribute("model")?;
    (controller.attribute("type") == Some("usb") && model.starts_with("ich9-")).then_some(model)
}

/// The port of the fast controller from which on a companion serves the slow devices.
fn companion_port(controller: &Element) -> Option<u32> {
    match ich9_model(controller)? {
        "ich9-uhci1" => Some(0),
        "ich9-uhci2" => Some(2),
        "ich9-uhci3" => Some(4),
        _ => None,
    }
}

/// Says of a companion which ports it serves, unless that is written.
fn join_companion(controller: &mut Element) {
    if let Some(port) = companion_port(controller)
        && controller.child("master").is_none()
    {
        controller.push(Element::new("master").with("startport", port));
        super::devices::controller::CONTROLLER.arrange(controller);
    }
}

/// Companions serve the slow devices of another controller, so one must be there that is none itself.
fn check_companions(devices: &Element) -> Result<()> {
    let mut controllers =
        devices.children("controller").filter(|one| one.attribute("type") == Some("usb")).peekable();
    if controllers.peek().is_some() && controllers.all(|one| companion_port(one).is_some()) {
        return Err(Error::new(ErrorCode::XML_DETAIL, "No master USB controller specified"));
    }
    Ok(())
}

/// Character devices without a port get the one after the highest of their kind.
fn number_ports(devices: &mut Element) {
    for kind in ["serial", "parallel", "console"] {
        let mut next = devices
            .children(kind)
            .filter_map(|device| number(device.child("target")?, "port"))
            .max()
            .map_or(0, |highest| highest.saturating_add(1));
        if kind == "console" {
            next = 0;
        }
        for (place, device) in devices.elements_mut().filter(|child| child.name == kind).enumerate() {
            let target = device.child_or_new("target");
            if target.attribute("port").is_none() {
                target.set("port", if kind == "console" { place as u32 } else { next });
                next = next.saturating_add(1);
            }
        }
    }
    for device in devices.elements_mut() {
        if matches!(device.name.as_str(), "serial" | "parallel" | "console") {
            chardev::SERIAL.arrange(device);
        }
    }
}

/// The first console of a hardware guest and its first serial port are one and the same.
fn pair_console(devices: &mut Element, is_hvm: bool) {
    for console in devices.elements_mut().filter(|child| child.name == "console") {
        let target = console.child_or_new("target");
        if target.attribute("type").is_none() {
            target.set("type", "serial");
        }
        target.attributes.sort_by_key(|(name, _)| name != "type");
    }
    let first = devices.child("console").cloned();
    let is_serial =
        first.as_ref().is_none_or(|console| console.child_attribute("target", "type") == Some("serial"));
    if !is_hvm {
        return;
    }
    if devices.child("serial").is_none() {
        let Some(console) = first.filter(|_| is_serial) else { return };
        devices.push(twin(&console, "serial"));
    }
    let Some(serial) = devices.child("serial").cloned() else {
        return;
    };
    let is_plain = matches!(
        serial.child_attribute("target", "type"),
        None | Some("isa-serial" | "spapr-vio-serial" | "system-serial" | "serial" | "sclp-serial")
    );
    let console = twin(&serial, "console");
    match devices.child_mut("console") {
        Some(old) if is_serial => *old = console,
        // A console of another kind comes second.
        Some(_) if is_plain => {
            let at =
                devices.nodes.iter().position(|node| matches!(node, Node::Element(e) if e.name == "console"));
            devices.nodes.insert(at.unwrap_or(0), Node::Element(console));
            let consoles = devices.elements_mut().filter(|child| child.name == "console");
            for (port, console) in consoles.enumerate() {
                console.child_or_new("target").set("port", port);
            }
        }
        None if is_plain => devices.push(console),
        _ => {}
    }
}

/// A copy of a character device in its other guise.
fn twin(device: &Element, name: &str) -> Element {
    let mut copy = device.clone();
    copy.name = name.to_string();
    let port = device.child_attribute("target", "port").unwrap_or("0").to_string();
    copy.remove("target");
    let target = Element::new("target");
    copy.push(match name {
        "console" => target.with("type", "serial").with("port", port),
        _ => target.with("port", 0),
    });
    chardev::SERIAL.arrange(&mut copy);
    copy
}

/// Smartcards without an address take the next slot of the first reader.
fn place_smartcards(devices: &mut Element) {
    let mut slot = devices
        .children("smartcard")
        .filter_map(|card| number(card.child("address")?, "slot"))
        .max()
        .map_or(0, |highest| highest.saturating_add(1));
    for card in devices.elements_mut().filter(|child| child.name == "smartcard") {
        if card.child("address").is_none() {
            let address = Element::new("address").with("type", "ccid").with("controller", 0);
            card.push(address.with("slot", slot));
            slot = slot.saturating_add(1);
        }
    }
}

/// SCSI devices of the host without an address take the next free unit of the first controller.
fn place_scsi_hostdevs(devices: &mut Element) {
    let unit = |device: &Element| {
        let address = device.child("address")?;
        let is_first = address.attribute("type") == Some("drive") && number(address, "controller") == Some(0);
        number(address, "unit").filter(|_| is_first)
    };
    let on_scsi = |device: &Element| {
        device.name == "disk" && device.child_attribute("target", "bus") == Some("scsi")
            || device.name == "hostdev" && device.attribute("type") == Some("scsi")
    };
    let mut used: BTreeSet<u32> = devices.elements().filter(|d| on_scsi(d)).filter_map(unit).collect();
    for device in devices.elements_mut().filter(|device| device.name == "hostdev" && on_scsi(device)) {
        if device.child("address").is_none() {
            let free = (0..u32::MAX).find(|unit| used.insert(*unit)).unwrap_or(0);
            let address = Element::new("address").with("type", "drive").with("controller", 0).with("bus", 0);
            device.push(address.with("target", 0).with("unit", free));
        }
    }
}

/// Adds the controllers that devices sit on.
fn add_controllers(devices: &mut Element) {
    let disk_on = |bus: &'static str| {
        move |device: &Element| {
            device.name == "disk"
                && device.child_attribute("target", "bus") == Some(bus)
                && device.child_attribute("address", "type") == Some("drive")
        }
    };
    let is_virtio_serial = |device: &Element| {
        matches!(device.name.as_str(), "channel" | "console")
            && device.child_attribute("target", "type") == Some("virtio")
    };
    let is_scsi_hostdev =
        |device: &Element| device.name == "hostdev" && device.attribute("type") == Some("scsi");
    let mut wanted: Vec<(&str, u32)> = Vec::new();
    for (kind, used) in [
        ("scsi", controllers_of(devices, &disk_on("scsi"))),
        ("fdc", controllers_of(devices, &disk_on("fdc"))),
        ("ide", controllers_of(devices, &disk_on("ide"))),
        ("sata", controllers_of(devices, &disk_on("sata"))),
        ("virtio-serial", controllers_of(devices, &is_virtio_serial)),
        ("ccid", controllers_of(devices, &|device| device.name == "smartcard")),
        ("scsi", controllers_of(devices, &is_scsi_hostdev)),
    ] {
        // Ports on the virtio bus need just the controllers they name; others also all before them.
        if kind == "virtio-serial" {
            wanted.extend(used.iter().map(|index| (kind, *index)));
        } else if let Some(top) = used.last() {
            wanted.extend((0..=(*top).min(CONTROLLERS_MAX)).map(|index| (kind, index)));
        }
    }
    order::add_controllers(devices, &wanted);
}

/// Controllers up to this index are implied by what sits on a later one.
const CONTROLLERS_MAX: u32 = 255;

/// The indexes of the controllers that some devices sit on.
fn controllers_of(devices: &Element, sits_there: &dyn Fn(&Element) -> bool) -> BTreeSet<u32> {
    let sitting = devices.elements().filter(|device| sits_there(device));
    let index = |device: &Element| device.child("address").and_then(|at| number(at, "controller"));
    sitting.map(|device| index(device).unwrap_or(0)).collect()
}

/// A screen needs a card to show; the primary card stands first.
fn settle_video(devices: &mut Element, default: &str) -> Result<()> {
    if devices.child("graphics").is_some() && devices.child("video").is_none() {
        devices.push(Element::new("video"));
    }
    let mut cards: Vec<Element> = devices.children("video").cloned().collect();
    for card in &mut cards {
        video::settle_model(card, default)?;
    }
    let is_primary = |card: &Element| card.child_attribute("model", "primary") == Some("yes");
    if let Some(at) = cards.iter().position(is_primary) {
        let primary = cards.remove(at);
        cards.insert(0, primary);
    } else if let Some(first) = cards.first_mut() {
        video::make_primary(first);
    }
    devices.remove("video");
    for card in cards {
        devices.push(card);
    }
    Ok(())
}

/// A panic device is of the machine's own model unless it says which; a machine may have none.
fn settle_panic(devices: &mut Element, default: Option<&str>) {
    for panic in devices.elements_mut().filter(|child| child.name == "panic") {
        if let (None, Some(model)) = (panic.attribute("model"), default) {
            panic.set("model", model);
        }
    }
    devices.retain(|child| child.name != "panic" || child.attribute("model").is_some());
}

/// USB redirection needs a USB controller.
fn check_usb(devices: &Element, has_usb: bool) -> Result<()> {
    let mut controllers =
        devices.children("controller").filter(|known| known.attribute("type") == Some("usb"));
    let enabled = match controllers.next() {
        Some(first) => first.attribute("model") != Some("none"),
        None => has_usb,
    };
    if devices.child("redirdev").is_some() && !enabled {
        return Err(Error::unsupported_configuration(
            "cannot add redirected USB device: USB is disabled for this domain",
        ));
    }
    Ok(())
}
