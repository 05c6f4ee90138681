//! What each device asks of PCI: nothing, a place of some kind, or a place fixed by the board.

use super::bus::{Kind, Place};
use crate::qemud::define::board::Board;
use crate::qemud::define::devices::{index_of, model};
use crate::xml::Element;

/// What a device needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Any place of the kind.
    Any(Kind),
    /// A place beside other root ports on the root bus.
    Port,
    /// This place if it is free, else any of the kind.
    Preferred(Place, Kind),
    /// A function in the slot of the USB controllers of the same index.
    Companion(u32),
}

/// In which order devices are given their places, by kind; bridges go first.
pub const ORDER: &[&str] = &[
    "filesystem",
    "interface",
    "sound",
    "controller",
    "disk",
    "hostdev",
    "memballoon",
    "rng",
    "watchdog",
    "video",
    "shmem",
    "input",
    "serial",
    "vsock",
    "iommu",
    "crypto",
    "panic",
];

const fn root(slot: u32, function: u32) -> Place {
    Place { bus: 0, slot, function }
}

/// The slots that the four ICH9 USB controllers of one index prefer on q35.
pub const ICH9_USB_SLOTS: [u32; 2] = [0x1d, 0x1a];

/// What `device` needs; none when it does not sit on PCI.
pub fn of(device: &Element, board: Board, is_first_video: bool) -> Option<Need> {
    let express = Need::Any(Kind::Express);
    let conventional = Need::Any(Kind::Conventional);
    let virtio = |is_virtio: bool| is_virtio.then_some(express);
    let need = match device.name.as_str() {
        "filesystem" => Some(by_virtio_model(device, "model")),
        "interface" => interface(device),
        "sound" => match device.attribute("model")? {
            "ich9" if board.family.is_q35 => Some(Need::Preferred(root(0x1b, 0), Kind::Conventional)),
            "virtio" => Some(express),
            "sb16" | "pcspk" | "usb" => None,
            _ => Some(conventional),
        },
        "controller" => controller(device, board),
        "disk" => (device.child_attribute("target", "bus") == Some("virtio"))
            .then(|| by_virtio_model(device, "model")),
        "hostdev" => match device.attribute("type")? {
            "pci" => Some(conventional),
            "scsi_host" | "mdev" => Some(express),
            _ => None,
        },
        "memballoon" | "rng" | "vsock" => match device.attribute("model")? {
            "none" => None,
            _ => Some(by_virtio_model(device, "model")),
        },
        "watchdog" => (device.attribute("model") == Some("i6300esb")).then_some(conventional),
        "video" => video(device, board, is_first_video),
        "shmem" => Some(conventional),
        "input" => virtio(device.attribute("bus") == Some("virtio")),
        "serial" => (device.child_attribute("target", "type") == Some("pci-serial")).then_some(conventional),
        "iommu" => virtio(device.attribute("model") == Some("virtio")),
        "crypto" => virtio(device.attribute("model") == Some("virtio")),
        "panic" => (device.attribute("model") == Some("pvpanic")).then_some(Need::Any(Kind::Integrated)),
        _ => None,
    }?;
    Some(match need {
        // Where there is only conventional PCI everything sits on it.
        Need::Any(_) if !board.is_express() => Need::Any(Kind::Conventional),
        need => need,
    })
}

/// A virtio device is PCI Express, unless it is the model that old guests see too.
fn by_virtio_model(device: &Element, attribute: &str) -> Need {
    match device.attribute(attribute) {
        Some("virtio-transitional") => Need::Any(Kind::Conventional),
        _ => Need::Any(Kind::Express),
    }
}

fn interface(device: &Element) -> Option<Need> {
    if device.attribute("type") == Some("hostdev") {
        return Some(Need::Any(Kind::Conventional));
    }
    Some(match model(device) {
        "virtio" | "virtio-non-transitional" | "e1000e" | "igb" | "vmxnet3" => Need::Any(Kind::Express),
        "usb-net" => return None,
        _ => Need::Any(Kind::Conventional),
    })
}

fn video(device: &Element, board: Board, is_first: bool) -> Option<Need> {
    let model = device.child_attribute("model", "type")?;
    if matches!(model, "none" | "ramfb") {
        return None;
    }
    let kind = if matches!(model, "virtio" | "bochs") { Kind::Express } else { Kind::Conventional };
    Some(match is_first {
        true if board.family.is_q35 => Need::Preferred(root(1, 0), kind),
        true if board.family.is_i440fx => Need::Preferred(root(2, 0), kind),
        _ => Need::Any(kind),
    })
}

fn controller(device: &Element, board: Board) -> Option<Need> {
    let index = index_of(device);
    let model = device.attribute("model").unwrap_or_default();
    let conventional = Need::Any(Kind::Conventional);
    let express = Need::Any(Kind::Express);
    match device.attribute("type")? {
        "pci" => match model {
            "pcie-root" | "pci-root" => None,
            "pcie-root-port" => Some(Need::Port),
            "pcie-to-pci-bridge" | "pcie-switch-upstream-port" => Some(express),
            "pci-bridge" => Some(conventional),
            _ => Some(Need::Any(Kind::Integrated)),
        },
        "usb" => match model {
            "none" => None,
            "piix3-uhci" if board.family.is_i440fx && index == 0 => {
                Some(Need::Preferred(root(1, 2), Kind::Conventional))
            }
            "ich9-ehci1" => Some(Need::Companion(7)),
            "ich9-uhci1" => Some(Need::Companion(0)),
            "ich9-uhci2" => Some(Need::Companion(1)),
            "ich9-uhci3" => Some(Need::Companion(2)),
            "qemu-xhci" | "nec-xhci" => Some(express),
            _ => Some(conventional),
        },
        "ide" if board.family.is_i440fx && index == 0 => {
            Some(Need::Preferred(root(1, 1), Kind::Conventional))
        }
        "sata" if board.family.is_q35 && index == 0 => {
            Some(Need::Preferred(root(0x1f, 2), Kind::Conventional))
        }
        "ide" | "sata" => Some(conventional),
        "scsi" => match model {
            "lsilogic" | "lsisas1078" | "virtio-transitional" | "buslogic" | "am53c974" | "dc390" => {
                Some(conventional)
            }
            _ => Some(express),
        },
        "virtio-serial" => match model {
            "virtio-transitional" => Some(conventional),
            _ => Some(express),
        },
        _ => None,
    }
}
