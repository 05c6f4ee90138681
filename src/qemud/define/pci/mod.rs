//! PCI addresses: every device its place, and the ports and bridges that takes.
//!
//! The places are tried out with the controllers there are; when one does not fit, a controller is added and the trial
//! starts again. So bridges come before what sits behind them, and a definition that fits already is left alone.

mod bus;
mod need;

use super::board::{Board, RootBus};
use super::controllers;
use super::devices::{Devices, address, has_address, index_of, number};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::devices::controller::CONTROLLER;
use bus::{Bus, BusKind, Kind, Place};
use need::Need;
use std::collections::BTreeMap;

/// PCI has room for no more buses.
const BUSES_MAX: u32 = 256;

/// Why a trial failed.
enum Obstacle {
    /// A PCI Express device found no port.
    NoPort,
    /// A conventional device found no slot; says whether a port is free for a bridge.
    NoSlot { port_is_free: bool },
    /// A device names a bus that does not exist.
    NoBus(u32),
    /// Nothing that another controller would cure.
    Error(Error),
}

/// What a step of a trial answers.
type Attempt<T> = std::result::Result<T, Obstacle>;

impl From<Error> for Obstacle {
    fn from(error: Error) -> Obstacle {
        Obstacle::Error(error)
    }
}

/// Gives every device that sits on the board's bus its address.
pub fn assign(devices: &mut Devices, board: Board) -> Result<()> {
    if board.family.root == RootBus::MemoryMapped {
        memory_mapped(devices);
        return Ok(());
    }
    for device in &mut devices.items {
        normalize(device);
    }
    // A free port for a device plugged in later; not where the definition has its own idea of its ports.
    let mut wants_spare =
        board.is_express() && !devices.controllers("pci").any(|controller| index_of(controller) > 0);
    let trial = loop {
        match Trial::run(devices, board) {
            Ok(trial) => {
                let ports = || trial.buses.values().filter(|bus| bus.kind == BusKind::Port);
                if wants_spare && ports().count() > 0 && !ports().any(Bus::is_empty) {
                    add(devices, "pcie-root-port")?;
                    continue;
                }
                break trial;
            }
            Err(Obstacle::NoPort) => add(devices, "pcie-root-port")?,
            Err(Obstacle::NoSlot { .. }) if !board.is_express() => add(devices, "pci-bridge")?,
            Err(Obstacle::NoSlot { port_is_free }) => {
                if !port_is_free {
                    add(devices, "pcie-root-port")?;
                }
                add(devices, "pcie-to-pci-bridge")?;
            }
            Err(Obstacle::NoBus(bus)) if bus < BUSES_MAX => {
                add(devices, if board.is_express() { "pcie-root-port" } else { "pci-bridge" })?;
            }
            Err(Obstacle::NoBus(bus)) => {
                return Err(Error::xml(format!("Invalid PCI address bus 0x{bus:02x}, must be <= 0xff")));
            }
            Err(Obstacle::Error(error)) => return Err(error),
        }
        wants_spare = wants_spare && board.is_express();
    };
    trial.write(devices);
    Ok(())
}

/// Adds a PCI controller with the next free index.
fn add(devices: &mut Devices, model: &str) -> Result<()> {
    let index = devices.controllers("pci").map(index_of).max().map_or(1, |last| last + 1);
    if index >= BUSES_MAX {
        return Err(Error::xml("No more available PCI slots"));
    }
    devices.add_controller(controllers::new("pci", index).with("model", model));
    Ok(())
}

/// The virtio devices of a board without PCI.
fn memory_mapped(devices: &mut Devices) {
    for device in &mut devices.items {
        let virtio = match device.name.as_str() {
            "disk" => device.child_attribute("target", "bus") == Some("virtio"),
            "interface" | "rng" | "memballoon" | "vsock" | "video" => {
                super::devices::model(device).starts_with("virtio")
            }
            "controller" => match device.attribute("type") {
                Some("virtio-serial") => true,
                Some("scsi") => device.attribute("model") == Some("virtio-scsi"),
                _ => false,
            },
            "input" => device.attribute("bus") == Some("virtio"),
            "filesystem" => true,
            _ => false,
        };
        if virtio && !has_address(device) {
            device.push(Element::new("address").with("type", "virtio-mmio"));
        }
    }
}

/// Writes an address the way all are written.
fn normalize(device: &mut Element) {
    let Some(written) = address(device, "pci") else {
        return;
    };
    if ["domain", "bus", "slot"].iter().all(|part| written.attribute(part).is_none()) {
        device.retain(|child| child.name != "address"); // only the type is said: choose one
        return;
    }
    let place = place_of(written);
    let multifunction = written.attribute("multifunction").map(str::to_string);
    let mut canonical = place.element();
    if let Some(multifunction) = multifunction {
        canonical.set("multifunction", multifunction);
    }
    if let Some(address) = device.child_mut("address") {
        canonical.nodes = std::mem::take(&mut address.nodes);
        *address = canonical;
    }
}

fn place_of(address: &Element) -> Place {
    let part = |name| number(address.attribute(name)).unwrap_or(0);
    Place { bus: part("bus"), slot: part("slot"), function: part("function") }
}

/// One attempt to give everything a place.
struct Trial {
    board: Board,
    buses: BTreeMap<u32, Bus>,
    /// The places found, by the device's position in the list.
    found: Vec<(usize, Place)>,
    /// The slots of USB companions, by controller index.
    companions: BTreeMap<u32, (u32, u32)>,
}

impl Trial {
    fn run(devices: &Devices, board: Board) -> Attempt<Trial> {
        let mut trial =
            Trial { board, buses: BTreeMap::new(), found: Vec::new(), companions: BTreeMap::new() };
        trial.load(devices)?;
        let waiting = waiting(devices, board);
        let fixed = |need: &Need| matches!(need, Need::Preferred(..));
        let is_bridge = |at: usize| {
            devices.items[at].attribute("type") == Some("pci") && devices.items[at].name == "controller"
        };
        let mut bridges: Vec<_> = waiting.iter().filter(|(at, _)| is_bridge(*at)).collect();
        bridges.sort_by_key(|(at, _)| index_of(&devices.items[*at]));
        let first = waiting.iter().filter(|(_, need)| fixed(need));
        let built_in_usb =
            waiting.iter().filter(|(_, need)| board.family.is_q35 && matches!(need, Need::Companion(_)));
        let first: Vec<_> = first.chain(built_in_usb).collect();
        let rest = waiting.iter().filter(|(at, need)| {
            !is_bridge(*at) && !first.iter().any(|(known, _)| known == at) && !fixed(need)
        });
        for (at, need) in first.iter().copied().chain(bridges).chain(rest) {
            trial.place(*at, *need, devices)?;
        }
        Ok(trial)
    }

    /// The buses there are, with what the board and the definition put on them.
    fn load(&mut self, devices: &Devices) -> Attempt<()> {
        for controller in devices.controllers("pci") {
            let name = controller.attribute("model").unwrap_or_default();
            let kind =
                BusKind::of_model(name).ok_or_else(|| super::refuse::value(controller, "model", name))?;
            if self.buses.insert(index_of(controller), Bus::new(kind)).is_some() {
                let index = index_of(controller);
                return Err(Error::xml(format!("Multiple 'pci' controllers with index '{index}'")).into());
            }
        }
        let chipset: &[(u32, u32)] = match (self.board.family.is_q35, self.board.family.is_i440fx) {
            (true, _) => &[(0x1f, 0), (0x1f, 3)],
            (_, true) => &[(1, 0), (1, 3)],
            _ => &[],
        };
        for (slot, function) in chipset {
            self.take(Place { bus: 0, slot: *slot, function: *function }, false)?;
        }
        for device in &devices.items {
            let Some(written) = address(device, "pci") else {
                continue;
            };
            let is_port = device.attribute("model") == Some("pcie-root-port");
            self.take(place_of(written), is_port)?;
            if device.attribute("model").is_some_and(|model| model.starts_with("ich9-")) {
                let place = place_of(written);
                self.companions.insert(index_of(device), (place.bus, place.slot));
            }
        }
        Ok(())
    }

    fn take(&mut self, place: Place, joinable: bool) -> Attempt<()> {
        let bus = self.buses.get_mut(&place.bus).ok_or(Obstacle::NoBus(place.bus))?;
        Ok(bus.take(place, joinable)?)
    }

    fn place(&mut self, at: usize, need: Need, devices: &Devices) -> Attempt<()> {
        let device = &devices.items[at];
        let place = match need {
            Need::Preferred(place, kind) => {
                let alone = place.function == 0;
                let bus = self.buses.get_mut(&place.bus).ok_or(Obstacle::NoBus(place.bus))?;
                let taken = (alone && !bus.is_free(place.slot)) || bus.take(place, false).is_err();
                if taken { self.any(kind)? } else { place }
            }
            Need::Any(kind) => self.any(kind)?,
            Need::Port => self.port()?,
            Need::Companion(function) => self.companion(devices, index_of(device), function)?,
        };
        self.found.push((at, place));
        Ok(())
    }

    fn any(&mut self, kind: Kind) -> Attempt<Place> {
        let fitting = self.buses.iter_mut().filter(|(_, bus)| bus.kind.takes(kind));
        let mut free = fitting.filter_map(|(index, bus)| bus.free_slot().map(|slot| (*index, slot)));
        let Some((bus, slot)) = free.next() else {
            let port_is_free = self.buses.values().any(|bus| bus.kind == BusKind::Port && bus.is_empty());
            return Err(match kind {
                Kind::Express => Obstacle::NoPort,
                Kind::Conventional => Obstacle::NoSlot { port_is_free },
                Kind::Integrated => Error::xml("No more available PCI slots").into(),
            });
        };
        let place = Place { bus, slot, function: 0 };
        self.take(place, false)?;
        Ok(place)
    }

    fn port(&mut self) -> Attempt<Place> {
        let root = self.buses.get(&0).filter(|bus| bus.kind == BusKind::ExpressRoot);
        let (slot, function) =
            root.and_then(Bus::place_for_port).ok_or_else(|| Error::xml("No more available PCI slots"))?;
        let place = Place { bus: 0, slot, function };
        self.take(place, true)?;
        Ok(place)
    }

    fn companion(&mut self, devices: &Devices, index: u32, function: u32) -> Attempt<Place> {
        let known = self.companions.get(&index).copied();
        let built_in = || {
            // The chipset's own slots are for whole sets; a fast controller alone goes where there is room.
            let mut set = devices.controllers("usb").filter(|controller| index_of(controller) == index);
            set.find(|controller| controller.attribute("model") == Some("ich9-uhci1"))?;
            let root = self.buses.get(&0).filter(|_| self.board.family.is_q35)?;
            let mut slots = need::ICH9_USB_SLOTS.into_iter();
            slots.find(|slot| root.is_free(*slot)).map(|slot| (0, slot))
        };
        let (bus, slot) = match known.or_else(built_in) {
            Some(slot) => slot,
            None => {
                let fitting = self.buses.iter().filter(|(_, bus)| bus.kind.takes(Kind::Conventional));
                let mut free =
                    fitting.filter_map(|(bus_index, bus)| bus.free_slot().map(|slot| (*bus_index, slot)));
                let port_is_free = self.buses.values().any(|bus| bus.kind == BusKind::Port && bus.is_empty());
                free.next().ok_or(Obstacle::NoSlot { port_is_free })?
            }
        };
        self.companions.insert(index, (bus, slot));
        let place = Place { bus, slot, function };
        self.take(place, false)?;
        Ok(place)
    }

    /// Writes the places into the definition.
    fn write(self, devices: &mut Devices) {
        for (at, place) in &self.found {
            let device = &mut devices.items[*at];
            device.remove("address");
            let mut element = place.element();
            if device.attribute("model") == Some("ich9-uhci1") {
                // The rest of its set comes into the same slot, now or later.
                element.set("multifunction", "on");
            }
            device.push(element);
        }
        for device in &mut devices.items {
            if device.name == "controller" && device.attribute("type") == Some("pci") {
                describe(device);
            }
        }
        say_multifunction(devices);
    }
}

/// The devices without a place, in the order they get theirs.
fn waiting(devices: &Devices, board: Board) -> Vec<(usize, Need)> {
    let first_video = devices.items.iter().position(|device| device.name == "video");
    let mut waiting: Vec<(usize, Need)> = Vec::new();
    for kind in need::ORDER {
        for (at, device) in devices.items.iter().enumerate() {
            if device.name != *kind || has_address(device) {
                continue;
            }
            if let Some(need) = need::of(device, board, first_video == Some(at)) {
                waiting.push((at, need));
            }
        }
    }
    waiting
}

/// The model and the numbers of a PCI controller.
fn describe(controller: &mut Element) {
    let index = index_of(controller);
    let (name, target) = match controller.attribute("model").unwrap_or_default() {
        "pcie-root-port" => ("pcie-root-port", "port"),
        "pcie-switch-downstream-port" => ("xio3130-downstream", "port"),
        "pcie-switch-upstream-port" => ("x3130-upstream", ""),
        "pcie-to-pci-bridge" => ("pcie-pci-bridge", ""),
        "pci-bridge" => ("pci-bridge", "chassisNr"),
        "dmi-to-pci-bridge" => ("i82801b11-bridge", ""),
        "pcie-expander-bus" => ("pxb-pcie", ""),
        "pci-expander-bus" => ("pxb", ""),
        _ => return,
    };
    let port = address(controller, "pci").map(place_of).map(|place| place.slot << 3 | place.function);
    let mut kept = std::mem::take(&mut controller.nodes);
    if !kept.iter().any(|node| matches!(node, crate::xml::Node::Element(child) if child.name == "model")) {
        kept.insert(0, crate::xml::Node::Element(Element::new("model").with("name", name)));
    }
    controller.nodes = kept;
    if target.is_empty() {
        return;
    }
    if controller.child("target").is_none() {
        controller.nodes.insert(1, crate::xml::Node::Element(Element::new("target")));
    }
    if let Some(element) = controller.child_mut("target") {
        let mut fill = |name: &str, value: String| {
            if element.attribute(name).is_none() {
                element.set(name, value);
            }
        };
        match target {
            "chassisNr" => fill("chassisNr", index.to_string()),
            _ => {
                fill("chassis", index.to_string());
                fill("port", format!("0x{:x}", port.unwrap_or(0)));
            }
        }
        if let Some(shape) = CONTROLLER.child("target") {
            shape.arrange(element);
        }
    }
}

/// A device at function 0 must say that its slot has more functions, or the guest does not look for them.
fn say_multifunction(devices: &mut Devices) {
    let places = devices.items.iter().filter_map(|device| address(device, "pci")).map(place_of);
    let higher: Vec<(u32, u32)> =
        places.filter(|place| place.function > 0).map(|place| (place.bus, place.slot)).collect();
    for device in &mut devices.items {
        let Some(written) = address(device, "pci") else {
            continue;
        };
        let place = place_of(written);
        let shares = place.function == 0 && higher.contains(&(place.bus, place.slot));
        if shares
            && let Some(address) = device.child_mut("address")
            && address.attribute("multifunction").is_none()
        {
            address.set("multifunction", "on");
        }
    }
}
