//! The emulator, the versioned machine type, and whether the domain's type can run here.

use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::qemud::capabilities::architecture;
use crate::xml::Element;
use std::path::{Path, PathBuf};

/// The binary a definition runs.
pub fn emulator(tree: &Element) -> Result<PathBuf> {
    if let Some(named) = tree.child_text("devices/emulator").filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let arch = tree.child_attribute("os/type", "arch").unwrap_or(architecture::host());
    emulator_of(arch)
}

/// The binary of an architecture.
pub fn emulator_of(arch: &str) -> Result<PathBuf> {
    let row = architecture::known(arch)?;
    let name = format!("qemu-system-{}", row.target);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from("/usr/bin")].into_iter().chain(std::env::split_paths(&path));
    let mut candidates: Vec<PathBuf> = folders.map(|folder| folder.join(&name)).collect();
    if architecture::runs_natively(arch) && arch == architecture::host() {
        candidates.push(PathBuf::from("/usr/libexec/qemu-kvm"));
        candidates.push(PathBuf::from("/usr/bin/qemu-kvm"));
    }
    let found = candidates.into_iter().find(|candidate| super::is_executable(candidate));
    found.ok_or_else(|| Error::unsupported_configuration(format!("No emulator found for arch '{arch}'")))
}

/// Fills in and checks `<os><type>`, `<emulator>` and the domain's type.
pub fn complete(tree: &mut Element, capabilities: &QemuCapabilities) -> Result<()> {
    let kind = tree.attribute("type").unwrap_or_default().to_string();
    check_domain_type(&kind, capabilities)?;
    let os_type = tree.child_text("os/type").unwrap_or_default();
    if os_type != "hvm" {
        return Err(Error::unsupported_configuration(format!(
            "Emulator '{}' does not support os type '{os_type}'",
            capabilities.binary.display()
        )));
    }
    let arch = tree.child_attribute("os/type", "arch").map(str::to_string);
    let arch = arch.unwrap_or_else(|| capabilities.arch.clone());
    // A 64-bit PC emulator also runs 32-bit guests.
    let fits = arch == capabilities.arch || (arch == "i686" && capabilities.arch == "x86_64");
    if !fits {
        return Err(Error::unsupported_configuration(format!(
            "Emulator '{}' does not support arch '{arch}'",
            capabilities.binary.display()
        )));
    }
    let named = tree.child_attribute("os/type", "machine").map(str::to_string);
    let machine = match &named {
        Some(name) => capabilities.machine(name),
        None => capabilities.default_machine(),
    };
    let Some(machine) = machine else {
        return Err(Error::unsupported_configuration(match named {
            Some(name) => {
                format!("Emulator '{}' does not support machine type '{name}'", capabilities.binary.display())
            }
            None => format!("no machine type given, and architecture '{arch}' has no default"),
        }));
    };
    let machine = machine.name.clone();
    let element = tree.child_or_new("os").child_or_new("type");
    element.set("arch", arch);
    element.set("machine", machine);
    set_emulator(tree, &capabilities.binary);
    Ok(())
}

fn check_domain_type(kind: &str, capabilities: &QemuCapabilities) -> Result<()> {
    let refused = |cause: &str| {
        let tail = if cause.is_empty() { String::new() } else { format!(": {cause}") };
        Err(Error::unsupported_configuration(format!(
            "Emulator '{}' does not support virt type '{kind}'{tail}",
            capabilities.binary.display()
        )))
    };
    match kind {
        "qemu" if capabilities.tcg => Ok(()),
        "qemu" => refused("it is built without the translator TCG"),
        "kvm" => capabilities.kvm_usable().or_else(|cause| refused(&cause)),
        _ => refused(""),
    }
}

fn set_emulator(tree: &mut Element, binary: &Path) {
    let devices = tree.child_or_new("devices");
    if devices.child("emulator").is_none() {
        let emulator = Element::new("emulator").with_text(binary.display());
        devices.nodes.insert(0, crate::xml::Node::Element(emulator));
    }
}
