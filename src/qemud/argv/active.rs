//! The active tree: the definition with the aliases, the free ports and the paths of this run.

use super::{LaunchRequest, image, taps};
use crate::error::{Error, Result};
use crate::qemud::define::{Board, address, disk_index, index_of, model, number};
use crate::xml::domain::devices::DEVICES;
use crate::xml::{Element, Node};
use std::net::{IpAddr, TcpListener};
use std::path::Path;

/// The ports handed out to displays.
const PORTS: std::ops::RangeInclusive<u16> = 5900..=65535;

/// The ports handed out to displays that speak through a browser.
const WEBSOCKETS: std::ops::RangeInclusive<u16> = 5700..=65535;

/// Fills in what belongs to a run.
pub fn activate(request: &LaunchRequest<'_>) -> Result<Element> {
    let mut active = request.definition.clone();
    let board = Board::of(&active)?;
    if let Some(model) = active.child_mut("cpu").and_then(|cpu| cpu.child_mut("model")) {
        // QEMU gives what was asked for or nothing.
        model.set("fallback", "forbid");
    }
    if let Some(devices) = active.child_mut("devices") {
        aliases(devices, board);
        channels(devices, request.runtime);
        plain_sockets(devices);
        taps::name(devices);
        images(devices)?;
        vsock(devices, request.id);
        if !request.live {
            display_ports(devices)?;
        }
    }
    Ok(active)
}

/// Sets a device's alias where it is written: before its address.
fn set_alias(device: &mut Element, name: &str) {
    if device.child_attribute("alias", "name").is_some_and(|known| known.starts_with("ua-")) {
        return; // the user's own
    }
    device.remove("alias");
    let late = ["address", "acpi", "auth", "master"];
    let at = device
        .nodes
        .iter()
        .position(|node| matches!(node, Node::Element(e) if late.contains(&e.name.as_str())));
    let alias = Node::Element(Element::new("alias").with("name", name));
    device.nodes.insert(at.unwrap_or(device.nodes.len()), alias);
}

fn aliases(devices: &mut Element, board: Board) {
    let low_scsi: Vec<u32> = devices
        .children("controller")
        .filter(|controller| controller.attribute("type") == Some("scsi") && !is_wide(model(controller)))
        .map(index_of)
        .collect();
    let mut counters: Vec<(String, u32)> = Vec::new();
    let mut consoles_on_serial = false;
    for device in devices.elements_mut() {
        let prefix = match device.name.as_str() {
            "interface" => "net",
            "memballoon" => "balloon",
            "redirdev" => "redir",
            "serial" | "channel" | "console" | "input" | "sound" | "video" | "hub" | "watchdog" | "rng"
            | "tpm" | "vsock" | "smartcard" => device.name.as_str(),
            "disk" => {
                let name = disk_alias(device, &low_scsi);
                set_alias(device, &name);
                continue;
            }
            "controller" => {
                if let Some(name) = controller_alias(device, board) {
                    set_alias(device, &name);
                }
                continue;
            }
            _ => continue,
        }
        .to_string();
        let count = match counters.iter_mut().find(|(known, _)| *known == prefix) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                counters.push((prefix.clone(), 0));
                0
            }
        };
        if device.name == "memballoon" && model(device) == "none" {
            continue;
        }
        // The first console is another view of the first serial port.
        let on_serial =
            device.name == "console" && device.child_attribute("target", "type") == Some("serial");
        if on_serial && !consoles_on_serial {
            consoles_on_serial = true;
            set_alias(device, "serial0");
        } else {
            set_alias(device, &format!("{prefix}{count}"));
        }
    }
}

/// Whether a SCSI controller addresses by channel, target and unit.
pub fn is_wide(model: &str) -> bool {
    model != "lsilogic"
}

fn disk_alias(disk: &Element, low_scsi: &[u32]) -> String {
    let bus = disk.child_attribute("target", "bus").unwrap_or_default();
    if let Some(drive) = address(disk, "drive") {
        let part = |name| number(drive.attribute(name)).unwrap_or(0);
        let (controller, channel, target, unit) =
            (part("controller"), part("bus"), part("target"), part("unit"));
        return match bus {
            "scsi" if low_scsi.contains(&controller) => format!("scsi{controller}-{channel}-{unit}"),
            "scsi" => format!("scsi{controller}-{channel}-{target}-{unit}"),
            bus => format!("{bus}{controller}-{channel}-{unit}"),
        };
    }
    let index = disk_index(disk.child_attribute("target", "dev").unwrap_or_default()).unwrap_or(0);
    format!("{bus}-disk{index}")
}

fn controller_alias(controller: &Element, board: Board) -> Option<String> {
    let index = index_of(controller);
    Some(match controller.attribute("type")? {
        "pci" => match (index, board.is_express()) {
            (0, true) => "pcie.0".into(),
            (index, _) => format!("pci.{index}"),
        },
        "usb" if index == 0 => "usb".into(),
        "ide" if board.family.is_i440fx && index == 0 => "ide".into(),
        "sata" if board.family.is_q35 && index == 0 => "ide".into(),
        kind => format!("{kind}{index}"),
    })
}

/// Channels that listen, without a path of their own, get one in the runtime folder.
fn channels(devices: &mut Element, runtime: &Path) {
    for device in devices.elements_mut() {
        let listens = device.attribute("type") == Some("unix")
            && matches!(device.name.as_str(), "channel" | "console" | "serial");
        let named = device.child_attribute("source", "path").is_some();
        if !listens || named {
            continue;
        }
        let alias = device.child_attribute("alias", "name").unwrap_or_default().to_string();
        // A target's name comes from the guest's owner and may hold a slash.
        let file = device.child_attribute("target", "name").unwrap_or(&alias).replace('/', "_");
        let source = Element::new("source").with("mode", "bind").with("path", runtime.join(file).display());
        device.remove("source");
        device.nodes.insert(0, Node::Element(source));
    }
}

/// What speaks TCP does so openly unless it is told otherwise, and the document of a run says so.
fn plain_sockets(devices: &mut Element) {
    for device in devices.elements_mut().filter(|device| device.attribute("type") == Some("tcp")) {
        if let Some(source) = device.child_mut("source").filter(|source| source.attribute("tls").is_none()) {
            source.set("tls", "no");
        }
    }
}

/// Gives every image its number, and writes the chains down; the top of each chain counts down from the number of
/// disks, as libvirt does.
fn images(devices: &mut Element) -> Result<()> {
    let count = devices.children("disk").count() as u32;
    let (mut left, mut next) = (count, count);
    for disk in devices.elements_mut().filter(|device| device.name == "disk") {
        let read_only = disk.attribute("device") == Some("cdrom") || disk.child("readonly").is_some();
        let chain = image::chain(disk, !read_only)?;
        match disk.child_mut("driver") {
            _ if !chain.is_empty() => image::write_chain(disk, &chain, left, &mut next),
            // What is in an empty drive has no format.
            Some(driver) => driver.unset("type"),
            None => {}
        }
        left -= 1;
    }
    Ok(())
}

fn vsock(devices: &mut Element, id: u32) {
    for device in devices.elements_mut().filter(|device| device.name == "vsock") {
        let cid = device.child_or_new("cid");
        if cid.attribute("address").is_none() {
            // Numbers below 3 are taken by the hypervisor and the host.
            cid.set("address", id + 2);
        }
    }
}

/// A free port for each display that has none.
fn display_ports(devices: &mut Element) -> Result<()> {
    let mut taken: Vec<u16> = Vec::new();
    for graphics in devices.elements_mut().filter(|device| device.name == "graphics") {
        let kind = graphics.attribute("type").unwrap_or_default().to_string();
        let over_network = graphics.child_attribute("listen", "type").unwrap_or("address") == "address";
        if !matches!(kind.as_str(), "vnc" | "spice") || !over_network {
            continue;
        }
        let host = graphics.child_attribute("listen", "address").unwrap_or("127.0.0.1").to_string();
        let auto = graphics.attribute("autoport") != Some("no");
        if auto {
            let port = free_port(&host, PORTS, &taken)?;
            graphics.set("port", port);
            taken.push(port);
        } else if let Some(port) = graphics.attribute("port").and_then(|port| port.parse::<u16>().ok()) {
            if taken.contains(&port) || !is_free(&host, port) {
                return Err(Error::operation_failed(format!(
                    "{kind} port {port} on {host} is in use already"
                )));
            }
            taken.push(port);
        }
        if graphics.attribute("websocket") == Some("-1") {
            let port = free_port(&host, WEBSOCKETS, &taken)?;
            graphics.set("websocket", port);
            taken.push(port);
        }
        graphics.set("listen", &host);
        if let Some(listen) = graphics.child_mut("listen") {
            listen.set("address", &host);
        }
        if let Some(shape) = DEVICES.child("graphics") {
            shape.arrange(graphics);
        }
    }
    Ok(())
}

fn free_port(host: &str, ports: std::ops::RangeInclusive<u16>, taken: &[u16]) -> Result<u16> {
    let (first, last) = (*ports.start(), *ports.end());
    let mut candidates = ports.filter(|port| !taken.contains(port));
    candidates.find(|port| is_free(host, *port)).ok_or_else(|| {
        Error::internal(format!("Unable to find an unused port in range 'display' ({first}-{last})"))
    })
}

/// Whether nobody listens on a port now.
fn is_free(host: &str, port: u16) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => TcpListener::bind((address, port)).is_ok(),
        Err(_) => TcpListener::bind((host, port)).is_ok(),
    }
}

/// QEMU's display number of a VNC port.
pub fn vnc_port_of(port: u16) -> u16 {
    port.saturating_sub(5900)
}
