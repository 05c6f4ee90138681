//! Boards: what a family of machine types has on it, a row each.

use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::qemud::capabilities::architecture::{self, Architecture};
use crate::xml::Element;

/// The bus a board's devices sit on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RootBus {
    /// PCI Express: `pcie.0`, with root ports.
    Express,
    /// Conventional PCI: `pci.0`, with bridges.
    Conventional,
    /// None: virtio devices sit on memory-mapped slots.
    MemoryMapped,
}

/// A family of machine types.
#[derive(Debug)]
pub struct Family {
    /// How the versioned names of the family begin.
    prefix: &'static str,
    /// Its bus.
    pub root: RootBus,
    /// Whether it is the board of the ICH9 chips (q35): SATA, watchdog and USB companions built in.
    pub is_q35: bool,
    /// Whether it is the board of the PIIX chips (pc): IDE and USB built in.
    pub is_i440fx: bool,
    /// The USB controller it has when the definition says nothing; none: no USB.
    pub usb: Option<&'static str>,
    /// Whether it has PS/2 ports.
    pub ps2: bool,
    /// Whether it has an ISA bus, so that serial ports are ISA devices.
    pub isa: bool,
    /// Whether it has a balloon by default.
    pub balloon: bool,
    /// Whether `usb=off` must be said.
    pub says_usb: bool,
    /// The network card of an interface without a model.
    pub network_card: &'static str,
}

const FAMILIES: &[Family] = &[
    Family {
        prefix: "pc-q35-",
        root: RootBus::Express,
        is_q35: true,
        is_i440fx: false,
        usb: Some("qemu-xhci"),
        ps2: true,
        isa: true,
        balloon: true,
        says_usb: true,
        network_card: "rtl8139",
    },
    Family {
        prefix: "microvm",
        root: RootBus::MemoryMapped,
        is_q35: false,
        is_i440fx: false,
        usb: None,
        ps2: false,
        isa: true,
        balloon: false,
        says_usb: false,
        network_card: "virtio",
    },
    Family {
        prefix: "pc-",
        root: RootBus::Conventional,
        is_q35: false,
        is_i440fx: true,
        usb: Some("piix3-uhci"),
        ps2: true,
        isa: true,
        balloon: true,
        says_usb: true,
        network_card: "rtl8139",
    },
    Family {
        prefix: "virt",
        root: RootBus::Express,
        is_q35: false,
        is_i440fx: false,
        usb: None,
        ps2: false,
        isa: false,
        balloon: false,
        says_usb: true,
        network_card: "virtio",
    },
];

/// The board of one definition.
#[derive(Clone, Copy)]
pub struct Board {
    /// The architecture's row.
    pub arch: &'static Architecture,
    /// The family's row.
    pub family: &'static Family,
}

impl Board {
    /// The board of a definition whose machine type is already the versioned one.
    pub fn of(domain: &Element) -> Result<Board> {
        let arch = domain.child_attribute("os/type", "arch").unwrap_or_default();
        let machine = domain.child_attribute("os/type", "machine").unwrap_or_default();
        Board::named(arch, machine)
    }

    /// The board of what a definition asks for, before its machine type is the versioned one.
    pub fn asked_for(arch: &str, machine: Option<&str>) -> Result<Board> {
        let default = architecture::row(arch).and_then(|row| row.default_machine);
        match machine.or(default).unwrap_or_default() {
            "q35" => Board::named(arch, "pc-q35-"),
            "pc" => Board::named(arch, "pc-"),
            machine => Board::named(arch, machine),
        }
    }

    /// The board of a versioned machine type.
    pub fn named(arch: &str, machine: &str) -> Result<Board> {
        let row = architecture::known(arch)?;
        let families = FAMILIES.iter();
        let mut fitting = families.filter(|family| (family.prefix == "virt") != row.is_x86);
        let family = fitting.find(|family| machine.starts_with(family.prefix)).ok_or_else(|| {
            Error::unsupported_configuration(format!(
                "machine type '{machine}' of architecture '{arch}' is not served"
            ))
        })?;
        Ok(Board { arch: row, family })
    }

    /// Whether the board is x86's or the virt board, so that its bus is PCI Express.
    pub fn is_express(&self) -> bool {
        self.family.root == RootBus::Express
    }

    /// Whether the board is ARM's virt.
    pub fn is_arm_virt(&self) -> bool {
        self.family.prefix == "virt" && matches!(self.arch.target, "aarch64" | "arm")
    }

    /// The video card of a definition with graphics but without a card.
    pub fn video(&self, capabilities: &QemuCapabilities) -> &'static str {
        let preferred: &[(&str, &str)] = match self.arch.is_x86 {
            true => &[("cirrus", "cirrus-vga"), ("vga", "VGA")],
            false => &[("virtio", "virtio-gpu-pci")],
        };
        let mut built_in = preferred.iter().filter(|(_, device)| capabilities.has_type(device));
        built_in.next().map_or("virtio", |(model, _)| model)
    }
}
