//! What this host offers, as far as reading a definition depends on it; and the whole way from a document to a
//! definition.

use super::QemuConnection;
use crate::error::Result;
use crate::qemud::define;
use crate::xml::Element;
use crate::xml::domain::{Platform, complete};

/// This host's QEMU.
pub struct QemuPlatform;

impl Platform for QemuPlatform {
    fn default_architecture(&self, _virt_type: &str, _os_type: &str) -> String {
        std::env::consts::ARCH.to_string()
    }

    fn emulator(&self, _virt_type: &str, architecture: &str) -> Option<String> {
        // A missing binary is told when the definition's facts are asked for, with its name.
        let path = define::emulator_of(architecture).ok()?;
        Some(path.display().to_string())
    }

    fn namespaces(&self) -> &[(&'static str, &'static str)] {
        &[("qemu", "http://libvirt.org/schemas/domain/qemu/1.0")]
    }
}

impl QemuConnection {
    /// Reads a document and makes it a definition that fixes everything the guest can see.
    pub(super) fn complete(&self, xml: &str) -> Result<Element> {
        let mut tree = crate::xml::parse(xml, "domain_definition")?;
        complete(&mut tree, &QemuPlatform)?;
        // Early, so that a name that is no file name is told before anything about QEMU.
        super::lifecycle::identity(&tree)?;
        self.complete_for_qemu(&mut tree)?;
        Ok(tree)
    }

    /// The part of the completion that knows QEMU.
    pub(super) fn complete_for_qemu(&self, tree: &mut Element) -> Result<()> {
        let capabilities = define::capabilities_for(tree)?;
        let places = define::Places {
            nvram: self.inventory().store.paths.state.join("nvram"),
        };
        define::complete(tree, &capabilities, &places)
    }
}
