//! Where the arguments are collected, with the facts every kind of device needs.

use super::properties::Properties;
use super::{LaunchRequest, MonitorCommand, Preparation, SideProcess};
use crate::error::Result;
use crate::qemud::capabilities::QemuCapabilities;
use crate::qemud::define::{Board, RootBus, address, index_of, number};
use crate::xml::Element;
use serde_json::Value;
use std::path::Path;

/// The names QEMU knows the buses by.
pub struct Buses {
    root: RootBus,
    usb: Vec<(u32, String)>,
    bridges: Vec<u32>,
}

impl Buses {
    fn of(active: &Element, board: Board) -> Buses {
        let controllers = |kind: &'static str| {
            let devices = active.child("devices").into_iter();
            let all = devices.flat_map(|devices| devices.children("controller"));
            all.filter(move |controller| controller.attribute("type") == Some(kind))
        };
        let mut usb: Vec<(u32, String)> = Vec::new();
        for controller in controllers("usb") {
            let alias = controller.child_attribute("alias", "name").unwrap_or_default();
            if !usb.iter().any(|(index, _)| *index == index_of(controller))
                && controller.child("master").is_none()
            {
                usb.push((index_of(controller), format!("{alias}.0")));
            }
        }
        let bridges = controllers("pci").map(index_of).collect();
        Buses { root: board.family.root, usb, bridges }
    }

    /// A PCI bus by its index.
    pub fn pci(&self, index: u32) -> String {
        match index {
            0 if self.root == RootBus::Conventional => "pci.0".into(),
            0 => "pcie.0".into(),
            index => {
                debug_assert!(self.bridges.contains(&index));
                format!("pci.{index}")
            }
        }
    }

    /// A USB bus by its index.
    pub fn usb(&self, index: u32) -> String {
        let known = self.usb.iter().find(|(known, _)| *known == index);
        known.map_or_else(|| "usb.0".to_string(), |(_, name)| name.clone())
    }
}

/// What was collected.
pub struct Collected {
    pub arguments: Vec<String>,
    pub prepare: Vec<Preparation>,
    pub side_processes: Vec<SideProcess>,
    pub monitor_commands: Vec<MonitorCommand>,
    pub clean_up: Vec<Vec<String>>,
}

/// The collection.
pub struct Builder<'a> {
    /// The active definition.
    pub active: &'a Element,
    /// The facts of the binary.
    pub capabilities: &'a QemuCapabilities,
    /// The guest's runtime folder.
    pub runtime: &'a Path,
    /// The board.
    pub board: Board,
    /// The names of the buses.
    pub buses: Buses,
    /// Whether QEMU must be allowed to run other programs.
    pub spawns: bool,
    collected: Collected,
}

impl<'a> Builder<'a> {
    /// An empty collection.
    pub fn new(request: &'a LaunchRequest<'_>, active: &'a Element) -> Result<Builder<'a>> {
        let board = Board::of(active)?;
        Ok(Builder {
            active,
            capabilities: &request.capabilities,
            runtime: request.runtime,
            board,
            buses: Buses::of(active, board),
            spawns: false,
            collected: Collected {
                arguments: Vec::new(),
                prepare: Vec::new(),
                side_processes: Vec::new(),
                monitor_commands: Vec::new(),
                clean_up: Vec::new(),
            },
        })
    }

    /// The collection's end.
    pub fn finish(self) -> Collected {
        self.collected
    }

    /// The devices of a kind, in the definition's order.
    pub fn devices(&self, name: &'a str) -> impl Iterator<Item = &'a Element> + use<'a> {
        self.active.child("devices").into_iter().flat_map(move |devices| devices.children(name))
    }

    /// The domain's type.
    pub fn is_accelerated(&self) -> bool {
        self.active.attribute("type") == Some("kvm")
    }

    /// The versioned machine type.
    pub fn machine(&self) -> &'a str {
        self.active.child_attribute("os/type", "machine").unwrap_or_default()
    }

    /// An argument that stands alone.
    pub fn flag(&mut self, name: &str) {
        self.collected.arguments.push(name.to_string());
    }

    /// An argument with its value.
    pub fn option(&mut self, name: &str, value: impl Into<String>) {
        self.collected.arguments.push(name.to_string());
        self.collected.arguments.push(value.into());
    }

    /// `-device`.
    pub fn device(&mut self, properties: &Properties) {
        self.option("-device", properties.text());
    }

    /// `-object`.
    pub fn object(&mut self, properties: &Properties) {
        self.option("-object", properties.text());
    }

    /// `-blockdev`.
    pub fn node(&mut self, properties: &Properties) {
        self.option("-blockdev", properties.text());
    }

    /// Something to do before the start.
    pub fn prepare(&mut self, preparation: Preparation) {
        self.collected.prepare.push(preparation);
    }

    /// A process beside QEMU.
    pub fn side_process(&mut self, process: SideProcess) {
        self.collected.side_processes.push(process);
    }

    /// A question for the monitor before the guest runs.
    pub fn ask(&mut self, command: &str, arguments: Value) {
        self.collected.monitor_commands.push(MonitorCommand { command: command.to_string(), arguments });
    }

    /// A command that undoes a preparation.
    pub fn clean_up(&mut self, command: Vec<String>) {
        self.collected.clean_up.push(command);
    }

    /// The name of a virtio device on this board: `virtio-blk` → `virtio-blk-pci`, `-device` where memory-mapped.
    pub fn virtio(&self, stem: &str, device: &Element, model: Option<&str>) -> String {
        if address(device, "virtio-mmio").is_some() {
            return format!("{stem}-device");
        }
        let transport = match model {
            Some("virtio-transitional") => "pci-transitional",
            Some("virtio-non-transitional") => "pci-non-transitional",
            _ => "pci",
        };
        format!("{stem}-{transport}")
    }
}

/// A device's alias.
pub fn alias(device: &Element) -> &str {
    device.child_attribute("alias", "name").unwrap_or_default()
}

/// A number in an attribute of a child.
pub fn child_number(device: &Element, child: &str, attribute: &str) -> Option<u32> {
    number(device.child_attribute(child, attribute))
}
