//! What one kind of guest can have, as the `domainCapabilities` document.

use super::capabilities::installed;
use super::host::VCPUS_MAX;
use crate::error::{Error, Result};
use crate::xml::Element;

/// The most virtual CPUs of a guest with an emulated machine.
const VCPUS_MAX_HVM: i32 = 128;
/// The emulator that is named when none is asked for.
const EMULATOR: &str = "/usr/bin/qemu-system-x86_64";
/// Where distributions put the firmware of guests with an emulated machine.
const FIRMWARE: [&[&str]; 2] = [
    &["/usr/libexec/xen/boot/ovmf.bin", "/usr/lib/xen/boot/ovmf.bin"],
    &["/usr/libexec/xen/boot/hvmloader", "/usr/lib/xen/boot/hvmloader"],
];

/// The document for a machine: `xenpv` unless another one is named.
pub(super) fn document(
    emulator: Option<&str>,
    arch: &str,
    machine: Option<&str>,
    virttype: Option<&str>,
) -> Result<String> {
    if let Some(other) = virttype.filter(|virttype| *virttype != "xen") {
        return Err(Error::invalid_argument(format!("unknown virttype: {other}")));
    }
    let machine = machine.unwrap_or("xenpv");
    let vcpus = match machine {
        "xenpv" | "xenpvh" => VCPUS_MAX,
        "xenfv" => VCPUS_MAX_HVM,
        _ => return Err(Error::invalid_argument("Xen only supports 'xenpv', 'xenpvh' and 'xenfv' machines")),
    };
    let document = Element::new("domainCapabilities")
        .with_child(text("path", emulator.unwrap_or(EMULATOR)))
        .with_child(text("domain", "xen"))
        .with_child(text("machine", machine))
        .with_child(text("arch", arch))
        .with_child(Element::new("vcpu").with("max", vcpus))
        .with_child(supported("iothreads", false))
        .with_child(supported("os", true).with_child(loader(machine)))
        .with_child(cpu())
        .with_child(devices(machine))
        .with_child(features());
    Ok(document.to_string())
}

fn text(name: &str, text: impl ToString) -> Element {
    Element::new(name).with_text(text)
}

fn supported(name: &str, supported: bool) -> Element {
    Element::new(name).with("supported", if supported { "yes" } else { "no" })
}

fn choices(name: &str, values: &[&str]) -> Element {
    values
        .iter()
        .fold(Element::new("enum").with("name", name), |list, value| list.with_child(text("value", value)))
}

fn loader(machine: &str) -> Element {
    if machine != "xenfv" {
        return supported("loader", false);
    }
    let values = FIRMWARE.iter().map(|paths| text("value", installed(paths)));
    values
        .fold(supported("loader", true), Element::with_child)
        .with_child(choices("type", &["rom", "pflash"]))
        .with_child(choices("readonly", &["yes"]))
}

fn cpu() -> Element {
    let modes = ["host-passthrough", "maximum", "host-model", "custom"];
    modes.iter().fold(Element::new("cpu"), |cpu, mode| {
        cpu.with_child(Element::new("mode").with("name", mode).with("supported", "no"))
    })
}

fn devices(machine: &str) -> Element {
    let disk = supported("disk", true)
        .with_child(choices("diskDevice", &["disk", "cdrom"]))
        .with_child(choices("bus", &["ide", "scsi", "xen"]))
        .with_child(choices("model", &[]));
    let graphics = supported("graphics", true).with_child(choices("type", &["sdl", "vnc", "spice"]));
    let video = supported("video", true).with_child(choices("modelType", &["vga", "cirrus", "xen"]));
    let devices = Element::new("devices").with_child(disk).with_child(graphics).with_child(video);
    if machine == "xenpvh" {
        return devices;
    }
    let hostdev = supported("hostdev", true)
        .with_child(choices("mode", &["subsystem"]))
        .with_child(choices("startupPolicy", &["default", "mandatory", "requisite", "optional"]))
        .with_child(choices("subsysType", &["usb", "pci"]))
        .with_child(choices("capsType", &[]))
        .with_child(choices("pciBackend", &["xen"]));
    devices.with_child(hostdev)
}

fn features() -> Element {
    let names = ["gic", "vmcoreinfo", "genid", "sev", "sgx"];
    names.iter().fold(Element::new("features"), |features, name| features.with_child(supported(name, false)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_its_own_limits() {
        let told = |machine| document(None, "x86_64", machine, Some("xen")).unwrap();
        assert!(told(None).starts_with("<domainCapabilities>\n  <path>/usr/bin/qemu-system-x86_64</path>\n"));
        assert!(told(None).contains("<machine>xenpv</machine>") && told(None).contains("<vcpu max='512'/>"));
        assert!(told(Some("xenfv")).contains("<vcpu max='128'/>"));
        assert!(told(Some("xenfv")).contains("<value>rom</value>"));
        assert!(!told(Some("xenpvh")).contains("hostdev"));
        assert!(document(None, "x86_64", Some("q35"), None).is_err());
        assert!(document(None, "x86_64", None, Some("kvm")).is_err());
    }
}
