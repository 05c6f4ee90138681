//! Whether one definition may take the place of another under a guest that has seen the first one: nothing the guest
//! can see may differ.

use crate::error::{Error, Result};
use crate::xml::Element;

/// Refuses `target` where the guest of `source` would see a difference. Both are completed definitions.
pub fn check(source: &Element, target: &Element) -> Result<()> {
    check_identity(source, target)?;
    check_processors(source, target)?;
    check_machine(source, target)?;
    check_features(source, target)?;
    check_cpu(source, target)?;
    check_clock_and_tables(source, target)?;
    let (old, new) = (devices(source), devices(target));
    for kind in KINDS {
        kind.check(&old, &new)?;
    }
    Ok(())
}

fn refused(detail: impl std::fmt::Display) -> Error {
    Error::unsupported_configuration(format!("Target {detail}"))
}

/// Two facts that must be the same; a fact that is not there is written as libvirt writes it.
fn same(what: &str, source: Option<&str>, target: Option<&str>) -> Result<()> {
    if source == target {
        return Ok(());
    }
    let shown = |fact: Option<&str>| fact.unwrap_or("<null>").to_string();
    Err(refused(format!("{what} {} does not match source {}", shown(target), shown(source))))
}

fn same_text(what: &str, path: &str, source: &Element, target: &Element) -> Result<()> {
    same(what, source.child_text(path).as_deref(), target.child_text(path).as_deref())
}

fn check_identity(source: &Element, target: &Element) -> Result<()> {
    same("domain virt type", source.attribute("type"), target.attribute("type"))?;
    same_text("domain uuid", "uuid", source, target)?;
    if source.child_text("genid") != target.child_text("genid") {
        return Err(refused("domain requested genid does not match source"));
    }
    let name = |tree: &Element| tree.child_text("name").map(|name| format!("'{name}'"));
    same("domain name", name(source).as_deref(), name(target).as_deref())?;
    same_text("domain max memory", "memory", source, target)?;
    same_text("domain current memory", "currentMemory", source, target)?;
    same_text("domain maximum memory", "maxMemory", source, target)
}

fn check_processors(source: &Element, target: &Element) -> Result<()> {
    same_text("domain vCPU max", "vcpu", source, target)?;
    let maximum: u32 = source.child_text("vcpu").and_then(|text| text.parse().ok()).unwrap_or(1);
    let (old, new) = (online(source, maximum), online(target, maximum));
    match (0..maximum as usize).find(|vcpu| old.get(*vcpu) != new.get(*vcpu)) {
        Some(vcpu) => Err(Error::unsupported_configuration(format!(
            "State of vCPU '{vcpu}' differs between source and destination definitions"
        ))),
        None => Ok(()),
    }
}

/// Which processors are there when the guest starts.
fn online(tree: &Element, maximum: u32) -> Vec<bool> {
    if let Some(vcpus) = tree.child("vcpus") {
        let enabled = |vcpu: &Element| vcpu.attribute("enabled") == Some("yes");
        return vcpus.children("vcpu").map(enabled).collect();
    }
    let current = tree.child_attribute("vcpu", "current");
    let current = current.and_then(|text| text.parse().ok()).unwrap_or(maximum);
    (0..maximum).map(|vcpu| vcpu < current).collect()
}

fn check_machine(source: &Element, target: &Element) -> Result<()> {
    same_text("domain OS type", "os/type", source, target)?;
    for (what, path, name) in [
        ("domain architecture", "os/type", "arch"),
        ("domain machine type", "os/type", "machine"),
        ("domain SMBIOS mode", "os/smbios", "mode"),
    ] {
        same(what, source.child_attribute(path, name), target.child_attribute(path, name))?;
    }
    Ok(())
}

fn check_features(source: &Element, target: &Element) -> Result<()> {
    let state = |tree: &Element, name: &str| -> String {
        match tree.find(&format!("features/{name}")) {
            None => "default".to_string(),
            Some(feature) => feature.attribute("state").unwrap_or("on").to_string(),
        }
    };
    let named = |tree: &Element| -> Vec<String> {
        let features = tree.child("features").into_iter().flat_map(Element::elements);
        features.map(|feature| feature.name.clone()).collect()
    };
    for name in named(source).into_iter().chain(named(target)) {
        let (old, new) = (state(source, &name), state(target, &name));
        if old != new {
            return Err(Error::unsupported_configuration(format!(
                "State of feature '{name}' differs: source: '{old}', destination: '{new}'"
            )));
        }
    }
    Ok(())
}

fn check_cpu(source: &Element, target: &Element) -> Result<()> {
    let (Some(old), Some(new)) = (source.child("cpu"), target.child("cpu")) else {
        return match source.child("cpu").is_some() == target.child("cpu").is_some() {
            true => Ok(()),
            false => Err(refused("CPU does not match source")),
        };
    };
    same("CPU mode", old.attribute("mode"), new.attribute("mode"))?;
    same_text("CPU model", "model", old, new)?;
    same_text("CPU vendor", "vendor", old, new)?;
    for part in ["sockets", "dies", "clusters", "cores", "threads"] {
        let of = |cpu: &Element| cpu.child_attribute("topology", part).unwrap_or("1").to_string();
        same(&format!("CPU {part}"), Some(&of(old)), Some(&of(new)))?;
    }
    let features = |cpu: &Element| -> std::collections::BTreeMap<String, String> {
        let fact = |feature: &Element, name: &str| feature.attribute(name).unwrap_or_default().to_string();
        let all = cpu.children("feature");
        all.map(|feature| (fact(feature, "name"), fact(feature, "policy"))).collect()
    };
    let (old_features, new_features) = (features(old), features(new));
    let count = |features: &std::collections::BTreeMap<String, String>| features.len().to_string();
    same("CPU feature count", Some(&count(&old_features)), Some(&count(&new_features)))?;
    for (name, policy) in &old_features {
        match new_features.get(name) {
            None => return Err(refused(format!("CPU feature {name} is missing"))),
            found => same(
                &format!("CPU feature policy of {name}"),
                Some(policy.as_str()),
                found.map(String::as_str),
            )?,
        }
    }
    let cells = |cpu: &Element| cpu.child("numa").cloned().map(|numa| numa.to_string());
    match cells(old) == cells(new) {
        true => Ok(()),
        false => Err(refused("guest NUMA cells do not match source")),
    }
}

fn check_clock_and_tables(source: &Element, target: &Element) -> Result<()> {
    let timers = |tree: &Element| -> Vec<String> {
        let clock = tree.child("clock").into_iter();
        let all = clock.flat_map(|clock| clock.children("timer"));
        all.map(Element::to_string).collect()
    };
    if timers(source) != timers(target) {
        return Err(refused("domain timers do not match source"));
    }
    let tables = |tree: &Element| tree.children("sysinfo").map(Element::to_string).collect::<Vec<_>>();
    let (old, new) = (tables(source), tables(target));
    if old.len() != new.len() {
        return Err(refused("domain count of sysinfo does not match source"));
    }
    match old == new {
        true => Ok(()),
        false => Err(refused("sysinfo does not match source")),
    }
}

fn devices(tree: &Element) -> Element {
    tree.child("devices").cloned().unwrap_or_default()
}

/// A kind of device: its element, what its number is called, and what must be the same in each.
struct Kind {
    element: &'static str,
    counted: &'static str,
    facts: &'static [Fact],
}

/// A fact of a device: what messages call it, the child it stands in (empty: the device itself), the attribute
/// (empty: the text).
type Fact = (&'static str, &'static str, &'static str);

const fn kind(element: &'static str, counted: &'static str, facts: &'static [Fact]) -> Kind {
    Kind { element, counted, facts }
}

const KINDS: &[Kind] = &[
    kind(
        "disk",
        "disk",
        &[
            ("disk device", "", "device"),
            ("disk bus", "target", "bus"),
            ("disk", "target", "dev"),
            ("disk serial", "serial", ""),
            ("disk wwn", "wwn", ""),
        ],
    ),
    kind(
        "controller",
        "controller",
        &[
            ("controller type", "", "type"),
            ("controller index", "", "index"),
            ("controller model", "", "model"),
            ("controller ports", "", "ports"),
            ("controller vectors", "", "vectors"),
        ],
    ),
    kind("filesystem", "filesystem", &[("filesystem guest target", "target", "dir")]),
    kind(
        "interface",
        "net card",
        &[("network card mac", "mac", "address"), ("network card model", "model", "type")],
    ),
    kind("input", "input device", &[("input device type", "", "type"), ("input device bus", "", "bus")]),
    kind("sound", "sound card", &[("sound card model", "", "model")]),
    kind(
        "video",
        "video card",
        &[
            ("video card model", "model", "type"),
            ("video card ram", "model", "ram"),
            ("video card vram", "model", "vram"),
            ("video card vgamem", "model", "vgamem"),
            ("video card heads", "model", "heads"),
        ],
    ),
    kind("hostdev", "host device", &[("host device mode", "", "mode"), ("host device type", "", "type")]),
    kind("smartcard", "smartcard", &[]),
    kind("serial", "serial port", &[("serial port", "target", "port")]),
    kind("parallel", "parallel port", &[("parallel port", "target", "port")]),
    kind("channel", "channel", &[("channel type", "target", "type"), ("channel name", "target", "name")]),
    kind("console", "console", &[("console type", "target", "type")]),
    kind("hub", "hub device", &[("hub device type", "", "type")]),
    kind("redirdev", "redirected devices", &[]),
    kind("watchdog", "watchdog device", &[("watchdog model", "", "model")]),
    kind("memballoon", "memory balloon", &[("balloon model", "", "model")]),
    kind("rng", "RNG device", &[("RNG model", "", "model")]),
    kind("panic", "panic device", &[("panic model", "", "model")]),
    kind("tpm", "TPM device", &[("TPM device model", "", "model")]),
    kind(
        "shmem",
        "shared memory device",
        &[("shared memory name", "", "name"), ("shared memory model", "model", "type")],
    ),
    kind(
        "memory",
        "memory device",
        &[("memory device model", "", "model"), ("memory device size", "target/size", "")],
    ),
    kind("vsock", "vsock device", &[("vsock model", "", "model")]),
    kind("iommu", "IOMMU device", &[("domain IOMMU device model", "", "model")]),
];

impl Kind {
    fn check(&self, source: &Element, target: &Element) -> Result<()> {
        let count = |devices: &Element| devices.children(self.element).count().to_string();
        // Controllers are told apart first, so that the one that is missing is named.
        if self.element != "controller" {
            let what = format!("domain {} count", self.counted);
            same(&what, Some(&count(source)), Some(&count(target)))?;
        }
        for (old, new) in source.children(self.element).zip(target.children(self.element)) {
            for (what, path, attribute) in self.facts {
                same(what, fact(old, path, attribute).as_deref(), fact(new, path, attribute).as_deref())?;
            }
            check_address(old.child("address"), new.child("address"))?;
        }
        let what = format!("domain {} count", self.counted);
        same(&what, Some(&count(source)), Some(&count(target)))
    }
}

fn fact(device: &Element, path: &str, attribute: &str) -> Option<String> {
    let element = if path.is_empty() { device } else { device.find(path)? };
    if attribute.is_empty() {
        return Some(element.text().trim().to_string());
    }
    element.attribute(attribute).map(str::to_string)
}

/// A device stays where the guest found it.
fn check_address(source: Option<&Element>, target: Option<&Element>) -> Result<()> {
    let (Some(source), Some(target)) = (source, target) else {
        return match (source, target) {
            (None, None) => Ok(()),
            _ => Err(refused("device address type does not match source")),
        };
    };
    same("device address type", source.attribute("type"), target.attribute("type"))?;
    if source.attribute("type") == Some("pci") {
        let shown = |address: &Element| {
            let part =
                |name: &str| address.attribute(name).unwrap_or("0x0").trim_start_matches("0x").to_string();
            format!("{}:{}:{}.{}", part("domain"), part("bus"), part("slot"), part("function"))
        };
        return same("device PCI address", Some(&shown(source)), Some(&shown(target)));
    }
    let place = |address: &Element| {
        let parts = address.attributes.iter().filter(|(name, _)| name != "type");
        parts.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(":")
    };
    let what = match source.attribute("type") {
        Some("drive") => "device drive address",
        Some("virtio-serial") => "device virtio serial address",
        Some("ccid") => "device ccid address",
        Some("isa") => "device isa address",
        _ => "device address",
    };
    same(what, Some(&place(source)), Some(&place(target)))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::xml::parse;

    const SOURCE: &str = "<domain type='qemu'><name>a</name><uuid>u</uuid><memory>4</memory><vcpu>2</vcpu>\
        <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>\
        <cpu mode='custom'><model>qemu64</model></cpu><clock offset='utc'/><devices>\
        <disk device='cdrom'><target dev='sda' bus='sata'/></disk>\
        <interface><mac address='m'/><model type='virtio'/>\
        <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/></interface>\
        </devices></domain>";

    fn message(from: &str, to: &str) -> String {
        let source = parse(SOURCE, "x").unwrap();
        let target = parse(&SOURCE.replacen(from, to, 1), "x").unwrap();
        match check(&source, &target) {
            Ok(()) => String::new(),
            Err(error) => error.message.replacen("unsupported configuration: ", "", 1),
        }
    }

    #[test]
    fn what_the_guest_sees_may_not_change() {
        for (from, to, wanted) in [
            (">a<", ">b<", "Target domain name 'b' does not match source 'a'"),
            (">4<", ">5<", "Target domain max memory 5 does not match source 4"),
            (
                "<acpi/>",
                "<acpi/><pae/>",
                "State of feature 'pae' differs: source: 'default', destination: 'on'",
            ),
            ("qemu64", "core2duo", "Target CPU model core2duo does not match source qemu64"),
            ("'m'", "'n'", "Target network card mac n does not match source m"),
            ("0x02", "0x07", "Target device PCI address 0000:00:07.0 does not match source 0000:00:02.0"),
            (
                "<target dev",
                "<serial>x</serial><target dev",
                "Target disk serial x does not match source <null>",
            ),
        ] {
            assert_eq!(message(from, to), wanted);
        }
        assert_eq!(message("offset='utc'", "offset='localtime'"), "");
        assert_eq!(message("<target", "<source file='/other'/><target"), "");
    }
}
