//! The controllers a definition needs but does not name: the board's own, and those its devices hang on.

use super::board::{Board, RootBus};
use super::devices::{Devices, address, index_of, model, number};
use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;

/// Adds what is missing.
pub fn complete(devices: &mut Devices, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    for controller in devices.of_mut("controller") {
        check(controller)?;
    }
    number_those_without_index(devices);
    add_board(devices, board);
    usb(devices)?;
    for kind in ["scsi", "fdc", "ide", "sata"] {
        for_drives(devices, kind);
    }
    for_virtio_serial(devices);
    for_smartcards(devices);
    models(devices, board, capabilities)
}

/// Adds the controllers a board has by itself.
pub fn add_board(devices: &mut Devices, board: Board) {
    // Controllers without an index are numbered from 0.
    let above = |controller: &Element| number(controller.attribute("index")).is_some_and(|index| index > 0);
    let absent = devices.controllers("usb").all(above);
    if absent && let Some(model) = board.family.usb {
        devices.add_controller(new("usb", 0).with("model", model));
    }
    if board.family.is_q35 && !devices.has_controller("sata", 0) {
        devices.add_controller(new("sata", 0));
    }
    let root = match board.family.root {
        RootBus::Express => "pcie-root",
        RootBus::Conventional => "pci-root",
        RootBus::MemoryMapped => return,
    };
    if !devices.has_controller("pci", 0) {
        devices.add_controller(new("pci", 0).with("model", root));
    }
}

/// A controller without a model.
pub fn new(kind: &str, index: u32) -> Element {
    Element::new("controller").with("type", kind).with("index", index)
}

fn check(controller: &Element) -> Result<()> {
    let kind = controller.attribute("type").unwrap_or_default();
    let known = ["usb", "sata", "pci", "scsi", "fdc", "ide", "virtio-serial", "ccid"];
    if !known.contains(&kind) {
        return Err(super::refuse::value(controller, "type", kind));
    }
    Ok(())
}

/// Controllers may be written without an index: each gets the next of its type.
fn number_those_without_index(devices: &mut Devices) {
    for at in 0..devices.items.len() {
        let controller = &devices.items[at];
        if controller.name != "controller" || controller.attribute("index").is_some_and(|index| index != "-1")
        {
            continue;
        }
        let kind = controller.attribute("type").unwrap_or_default().to_string();
        let taken: Vec<u32> =
            devices.controllers(&kind).filter_map(|other| number(other.attribute("index"))).collect();
        let free = (0..).find(|index| !taken.contains(index)).unwrap_or(0);
        devices.items[at].set("index", free);
    }
}

fn usb(devices: &Devices) -> Result<()> {
    let mut controllers = devices.controllers("usb");
    let enabled = controllers.any(|controller| controller.attribute("model") != Some("none"));
    if !enabled && devices.items.iter().any(super::usb::is_usb_device) {
        return Err(Error::unsupported_configuration(
            "USB is disabled for this domain, but USB devices are present in the domain XML",
        ));
    }
    Ok(())
}

/// Drives on a bus need its controllers, from the first to the last used.
fn for_drives(devices: &mut Devices, kind: &str) {
    let used = devices.of("disk").filter(|disk| disk.child_attribute("target", "bus") == Some(kind));
    let hosted =
        devices.of("hostdev").filter(|device| kind == "scsi" && device.attribute("type") == Some("scsi"));
    let indexes = used.chain(hosted).filter_map(|disk| address(disk, "drive"));
    let last = indexes.filter_map(|drive| number(drive.attribute("controller"))).max();
    for index in 0..last.map_or(0, |last| last + 1) {
        if !devices.has_controller(kind, index) {
            devices.add_controller(new(kind, index));
        }
    }
}

fn for_virtio_serial(devices: &mut Devices) {
    let used = devices.items.iter().filter(|device| {
        let on_virtio = device.child_attribute("target", "type") == Some("virtio");
        matches!(device.name.as_str(), "channel" | "console") && on_virtio
    });
    let last = used.map(|device| {
        let written = address(device, "virtio-serial").and_then(|port| number(port.attribute("controller")));
        written.unwrap_or(0)
    });
    for index in 0..last.max().map_or(0, |last| last + 1) {
        if !devices.has_controller("virtio-serial", index) {
            devices.add_controller(new("virtio-serial", index));
        }
    }
}

fn for_smartcards(devices: &mut Devices) {
    if devices.any("smartcard") && !devices.has_controller("ccid", 0) {
        devices.add_controller(new("ccid", 0));
    }
}

/// Gives each controller its model.
fn models(devices: &mut Devices, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    for controller in devices.of_mut("controller") {
        let kind = controller.attribute("type").unwrap_or_default().to_string();
        let named = model(controller).to_string();
        match kind.as_str() {
            "usb" if named.is_empty() => {
                let fallback = if index_of(controller) == 0 { board.family.usb } else { None };
                set_model(controller, fallback.unwrap_or("piix3-uhci"));
            }
            "scsi" if named.is_empty() || named == "auto" => {
                let default = scsi_model(board, capabilities)?;
                set_model(controller, default);
            }
            "pci" if named.is_empty() => {
                let model = if board.is_express() { "pcie-root-port" } else { "pci-bridge" };
                set_model(controller, model);
            }
            _ => {}
        }
    }
    Ok(())
}

fn set_model(controller: &mut Element, model: &str) {
    controller.set("model", model);
}

/// The SCSI controller of a definition that names none: libvirt's choice where the binary has it.
fn scsi_model(board: Board, capabilities: &QemuCapabilities) -> Result<&'static str> {
    let candidates: &[(&str, &str)] = match board.family.root {
        RootBus::MemoryMapped => &[("virtio-scsi", "virtio-scsi-device")],
        _ => &[("lsilogic", "lsi53c895a"), ("virtio-scsi", "virtio-scsi-pci")],
    };
    let mut built_in = candidates.iter().filter(|(_, device)| capabilities.has_type(device));
    let (model, _) = built_in
        .next()
        .ok_or_else(|| Error::unsupported_configuration("Unable to determine model for SCSI controller"))?;
    Ok(model)
}
