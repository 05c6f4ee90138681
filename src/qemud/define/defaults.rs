//! What QEMU's boards have by themselves, and what each device gets when the definition does not say.

use super::board::{Board, RootBus};
use super::devices::{Devices, model};
use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::domain::cpu::CPU;
use crate::xml::domain::devices::video::MODEL;
use crate::xml::{Element, Node};
use std::io::Read;

/// The order of the elements of a domain around those added here.
const AFTER_CPU: &[&str] = &[
    "clock",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "on_lockfailure",
    "pm",
    "perf",
    "idmap",
    "devices",
    "seclabel",
    "keywrap",
    "launchSecurity",
];

/// Puts an element before the first of those that come after it.
fn insert_before(tree: &mut Element, element: Element, after: &[&str]) {
    let is_after = |node: &Node| matches!(node, Node::Element(e) if after.contains(&e.name.as_str()) || e.name.contains(':'));
    let at = tree.nodes.iter().position(is_after).unwrap_or(tree.nodes.len());
    tree.nodes.insert(at, Node::Element(element));
}

/// The CPU, the interrupt controller.
pub fn complete_domain(tree: &mut Element, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    if board.is_arm_virt() {
        interrupt_controller(tree);
    }
    cpu(tree, board, capabilities);
    Ok(())
}

fn interrupt_controller(tree: &mut Element) {
    if tree.child("features").is_none() {
        let after: Vec<&str> = std::iter::once("cpu").chain(AFTER_CPU.iter().copied()).collect();
        insert_before(tree, Element::new("features"), &after);
    }
    if let Some(features) = tree.child_mut("features") {
        let gic = features.child_or_new("gic");
        if gic.attribute("version").is_none() {
            gic.set("version", "2");
        }
    }
}

fn cpu(tree: &mut Element, board: Board, capabilities: &QemuCapabilities) {
    let accelerated = tree.attribute("type") == Some("kvm");
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default();
    let default_type = capabilities.machine(machine).and_then(|machine| machine.default_cpu_type.clone());
    let default_model = default_type.map(|name| name.trim_end_matches(board.arch.cpu_suffix).to_string());
    if tree.child("cpu").is_none() {
        if default_model.is_none() {
            return;
        }
        insert_before(tree, Element::new("cpu"), AFTER_CPU);
    }
    let Some(cpu) = tree.child_mut("cpu") else {
        return;
    };
    let set_if_absent = |cpu: &mut Element, name: &str, value: &str| {
        if cpu.attribute(name).is_none() {
            cpu.set(name, value);
        }
    };
    match cpu.attribute("mode") {
        Some("host-model") => set_if_absent(cpu, "check", "partial"),
        Some("host-passthrough") => {
            set_if_absent(cpu, "check", "none");
            if board.arch.is_x86 {
                set_if_absent(cpu, "migratable", "on");
            }
        }
        Some("maximum") => set_if_absent(cpu, "check", "none"),
        _ => {
            cpu.set("mode", "custom");
            set_if_absent(cpu, "match", "exact");
            let named = cpu.child("model").is_some();
            set_if_absent(cpu, "check", if accelerated && named { "partial" } else { "none" });
            if !named && let Some(model) = default_model {
                let element = Element::new("model").with("fallback", "forbid").with_text(model);
                cpu.nodes.insert(0, Node::Element(element));
            }
            if let Some(model) = cpu.child_mut("model") {
                set_if_absent(model, "fallback", "allow");
            }
        }
    }
    CPU.arrange(cpu);
    if let Some(topology) = cpu.child_mut("topology") {
        let part = |name: &str| topology.attribute(name).unwrap_or("1").to_string();
        let parts =
            ["sockets", "dies", "clusters", "cores", "threads"].map(|name| (name.to_string(), part(name)));
        topology.attributes = parts.to_vec();
    }
}

/// Everything inside `<devices>` but controllers and addresses.
pub fn complete_devices(
    devices: &mut Devices,
    has_ps2: bool,
    board: Board,
    capabilities: &QemuCapabilities,
) -> Result<()> {
    devices.of_mut("disk").for_each(complete_disk);
    for interface in devices.of_mut("interface") {
        complete_interface(interface, board)?;
    }
    devices.of_mut("channel").for_each(forget_empty_source);
    serial_ports(devices, board);
    if has_ps2 {
        inputs(devices, board);
    }
    for graphics in devices.of_mut("graphics") {
        complete_graphics(graphics);
    }
    if !devices.any("audio") {
        // The sound goes where the pictures go, if it can.
        let screen = devices.of("graphics").last().and_then(|graphics| graphics.attribute("type"));
        let sink = if screen == Some("spice") { "spice" } else { "none" };
        devices.add(Element::new("audio").with("id", 1).with("type", sink));
    }
    video(devices, board, capabilities);
    let itco = devices.of("watchdog").any(|watchdog| watchdog.attribute("model") == Some("itco"));
    if board.family.is_q35 && !itco {
        // There is one action for all watchdogs.
        let first = devices.of("watchdog").next();
        let action = first.and_then(|watchdog| watchdog.attribute("action"));
        let action = action.unwrap_or("reset").to_string();
        devices.add(Element::new("watchdog").with("model", "itco").with("action", action));
    }
    if board.family.balloon && !devices.any("memballoon") {
        devices.add(Element::new("memballoon").with("model", "virtio"));
    }
    for panic in devices.of_mut("panic") {
        if panic.attribute("model").is_none() {
            panic.set("model", if board.arch.is_x86 { "isa" } else { "pvpanic" });
        }
    }
    for tpm in devices.of_mut("tpm") {
        complete_tpm(tpm, board);
    }
    Ok(())
}

/// What is not said to be in another format is raw: guessing would let a guest choose what the host opens.
fn complete_disk(disk: &mut Element) {
    if disk.child("driver").is_none() {
        disk.nodes.insert(0, Node::Element(Element::new("driver")));
    }
    if let Some(driver) = disk.child_mut("driver") {
        for (at, name, value) in [(0, "name", "qemu"), (1, "type", "raw")] {
            if driver.attribute(name).is_none() {
                driver.attributes.insert(at, (name.into(), value.into()));
            }
        }
    }
}

/// A socket that listens without a path gets one at each start.
fn forget_empty_source(channel: &mut Element) {
    let listens = channel.attribute("type") == Some("unix");
    let source = channel.child("source");
    let empty =
        source.is_some_and(|source| source.attribute("path").is_none() && source.elements().next().is_none());
    if listens && empty && channel.child_attribute("source", "mode") != Some("connect") {
        channel.remove("source");
    }
}

fn complete_interface(interface: &mut Element, board: Board) -> Result<()> {
    if interface.child("mac").is_none() {
        let mac = Element::new("mac").with("address", new_mac()?);
        interface.nodes.insert(0, Node::Element(mac));
    }
    if let Some(driver) = interface.child_mut("driver") {
        // One queue is what a card has anyway.
        if driver.attribute("queues") == Some("1") {
            driver.unset("queues");
        }
        if driver.attributes.is_empty() && driver.nodes.is_empty() {
            interface.remove("driver");
        }
    }
    if model(interface).is_empty() {
        let at = interface.nodes.iter().rposition(|node| matches!(node, Node::Element(e) if ["mac", "source", "portForward", "target"].contains(&e.name.as_str())));
        let element = Element::new("model").with("type", board.family.network_card);
        interface.nodes.insert(at.map_or(0, |at| at + 1), Node::Element(element));
    }
    Ok(())
}

/// An address of QEMU's range, at random.
fn new_mac() -> Result<String> {
    let mut bytes = [0; 3];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|cause| Error::system("cannot read /dev/urandom", &cause))?;
    let [first, second, third] = bytes;
    Ok(format!("52:54:00:{first:02x}:{second:02x}:{third:02x}"))
}

/// Serial ports are of the board's kind and numbered.
fn serial_ports(devices: &mut Devices, board: Board) {
    let (kind, model) = match board.arch.board_serial {
        Some(model) if !board.family.isa => ("system-serial", model),
        _ => ("isa-serial", "isa-serial"),
    };
    for (port, serial) in devices.of_mut("serial").enumerate() {
        let target = serial.child_or_new("target");
        if target.attribute("type").is_none() {
            target.attributes.insert(0, ("type".into(), kind.into()));
        }
        if target.attribute("port").is_none() {
            target.set("port", port);
        }
        let name = match target.attribute("type").unwrap_or_default() {
            "isa-serial" => "isa-serial",
            "system-serial" => model,
            "pci-serial" => "pci-serial",
            "usb-serial" => "usb-serial",
            _ => continue,
        };
        if target.child("model").is_none() {
            target.push(Element::new("model").with("name", name));
        }
    }
}

fn inputs(devices: &mut Devices, board: Board) {
    if !board.family.ps2 {
        return;
    }
    for kind in ["mouse", "keyboard"] {
        let is_there =
            |input: &Element| input.attribute("type") == Some(kind) && input.attribute("bus") == Some("ps2");
        if !devices.of("input").any(is_there) {
            devices.add(Element::new("input").with("type", kind).with("bus", "ps2"));
        }
    }
}

fn complete_graphics(graphics: &mut Element) {
    let listening = graphics.child_attribute("listen", "type").unwrap_or("address").to_string();
    if listening != "address" {
        if let Some(socket) = graphics.child_attribute("listen", "socket").map(str::to_string) {
            graphics.set("socket", socket);
        }
        graphics.unset("port");
        graphics.unset("autoport");
        return;
    }
    let fixed = graphics.attribute("port").is_some_and(|port| port != "-1")
        || graphics.attribute("tlsPort").is_some();
    if graphics.attribute("autoport").is_none() {
        if graphics.attribute("port").is_none() && !fixed && graphics.attribute("type") == Some("vnc") {
            graphics.set("port", "-1");
        }
        graphics.set("autoport", if fixed { "no" } else { "yes" });
    }
    if graphics.child("listen").is_none() {
        let mut listen = Element::new("listen").with("type", "address");
        if let Some(address) = graphics.attribute("listen") {
            listen.set("address", address.to_string());
        }
        graphics.push(listen);
    }
}

fn video(devices: &mut Devices, board: Board, capabilities: &QemuCapabilities) {
    let shown = devices.of("graphics").any(|graphics| graphics.attribute("type") != Some("egl-headless"));
    if shown && !devices.any("video") && board.family.root != RootBus::MemoryMapped {
        let model = Element::new("model").with("type", board.video(capabilities));
        devices.add(Element::new("video").with_child(model));
    }
    let primary = devices.of("video").any(|video| video.child_attribute("model", "primary") == Some("yes"));
    for (position, video) in devices.of_mut("video").enumerate() {
        let Some(model) = video.child_mut("model") else {
            continue;
        };
        let kind = model.attribute("type").unwrap_or_default().to_string();
        if kind == "none" {
            continue;
        }
        let mut fill = |name: &str, value: &str| {
            if model.attribute(name).is_none() {
                model.set(name, value);
            }
        };
        match kind.as_str() {
            "qxl" => {
                fill("ram", "65536");
                fill("vram", "65536");
                fill("vgamem", "16384");
            }
            "vga" | "cirrus" | "bochs" => fill("vram", "16384"),
            _ => {}
        }
        fill("heads", "1");
        if position == 0 && !primary {
            fill("primary", "yes");
        }
        if model.attribute("primary") == Some("no") {
            model.unset("primary");
        }
        MODEL.arrange(model);
    }
}

fn complete_tpm(tpm: &mut Element, board: Board) {
    if tpm.attribute("model").is_none() {
        tpm.set("model", "tpm-tis");
    }
    let is_old = board.arch.is_x86 && tpm.attribute("model") == Some("tpm-tis");
    let version = if is_old { "1.2" } else { "2.0" };
    if let Some(backend) = tpm.child_mut("backend")
        && backend.attribute("type") == Some("emulator")
        && matches!(backend.attribute("version"), None | Some("default"))
    {
        backend.set("version", version);
    }
}
