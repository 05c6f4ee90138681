//! This host's QEMU as the generic completion of definitions asks about it.

use super::board::Board;
use super::controllers;
use super::devices::Devices;
use crate::qemud::capabilities::architecture;
use crate::xml::Element;
use crate::xml::domain::Platform;

/// This host's QEMU.
pub struct QemuPlatform;

impl Platform for QemuPlatform {
    fn default_architecture(&self, _virt_type: &str, _os_type: &str) -> String {
        architecture::host().to_string()
    }

    fn default_video(&self, architecture: &str, machine: Option<&str>) -> &'static str {
        let facts = super::emulator_of(architecture).and_then(|binary| super::QemuCapabilities::of(&binary));
        match (Board::asked_for(architecture, machine), facts) {
            (Ok(board), Ok(facts)) => board.video(&facts),
            // Why there is no board or no binary is said when the definition is completed for QEMU.
            _ => "cirrus",
        }
    }

    fn default_panic(&self, architecture: &str, machine: Option<&str>) -> Option<&'static str> {
        let board = Board::asked_for(architecture, machine).ok()?;
        Some(if board.family.isa { "isa" } else { "pvpanic" })
    }

    fn has_usb(&self, architecture: &str, machine: Option<&str>) -> bool {
        Board::asked_for(architecture, machine).is_ok_and(|board| board.family.usb.is_some())
    }

    fn add_board_controllers(&self, architecture: &str, machine: Option<&str>, devices: &mut Element) {
        if let Ok(board) = Board::asked_for(architecture, machine) {
            let mut list = Devices::of_element(devices);
            controllers::add_board(&mut list, board);
            list.into_element(devices);
        }
    }

    fn namespaces(&self) -> &[(&'static str, &'static str)] {
        &[("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")]
    }
}
