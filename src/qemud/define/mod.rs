//! Completing a definition for QEMU: what must not change from one start to the next is chosen here, once.
//!
//! The versioned machine type, the controllers, every device's address, MAC addresses, the firmware. What the driver
//! cannot honour is refused here, before anything is stored. A definition that is complete already comes out as it was.

mod board;
mod controllers;
mod defaults;
mod devices;
mod drive;
pub mod firmware;
mod machine;
mod pci;
mod platform;
mod refuse;
mod supported;
mod supported_device;
mod supported_disk;
#[cfg(test)]
mod tests;
mod usb;
mod virtio_serial;

pub use board::{Board, RootBus};
pub use devices::{address, index_of, model, number};
pub use drive::disk_index;
pub use platform::QemuPlatform;
pub use supported::actions as check_actions;

use crate::error::Result;
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;
use devices::Devices;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the driver that a definition belongs to keeps what goes with it.
#[derive(Clone, Debug)]
pub struct Places {
    /// The folder of UEFI variable stores.
    pub nvram: PathBuf,
}

/// The binary a definition runs: the one it names, else the architecture's; its facts.
pub fn capabilities_for(tree: &Element) -> Result<Arc<QemuCapabilities>> {
    QemuCapabilities::of(&machine::emulator(tree)?)
}

/// Completes a definition that the generic completion has seen.
pub fn complete(tree: &mut Element, capabilities: &QemuCapabilities, places: &Places) -> Result<()> {
    machine::complete(tree, capabilities)?;
    let board = Board::of(tree)?;
    supported::check(tree, board, capabilities)?;
    firmware::complete(tree, board, places)?;
    defaults::complete_domain(tree, board, capabilities)?;
    let mut devices = Devices::take(tree);
    let done = complete_devices(tree, &mut devices, board, capabilities);
    devices.put_back(tree);
    done
}

fn complete_devices(
    tree: &Element,
    devices: &mut Devices,
    board: Board,
    capabilities: &QemuCapabilities,
) -> Result<()> {
    supported_device::check(tree, devices, board, capabilities)?;
    let has_ps2 = tree.child_attribute("features/ps2", "state") != Some("off");
    defaults::complete_devices(devices, has_ps2, board, capabilities)?;
    drive::assign(devices)?;
    controllers::complete(devices, board, capabilities)?;
    virtio_serial::assign(devices)?;
    virtio_serial::assign_smartcards(devices);
    pci::assign(devices, board)?;
    usb::assign(devices)
}

/// The emulator of an architecture: `/usr/bin/qemu-system-ARCH`, or where else `PATH` has it.
pub fn emulator_of(arch: &str) -> Result<PathBuf> {
    machine::emulator_of(arch)
}

/// Whether a file can be executed by somebody.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

/// `yes`, `on` → true; `no`, `off` → false; anything else → none.
fn switch(value: Option<&str>) -> Option<bool> {
    match value? {
        "yes" | "on" => Some(true),
        "no" | "off" => Some(false),
        _ => None,
    }
}
