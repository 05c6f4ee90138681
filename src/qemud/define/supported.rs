//! What of a definition can be honoured; the rest is refused by element and line, before anything is stored.

use super::board::{Board, RootBus};
use super::devices::number;
use super::refuse;
use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;

/// Elements of a domain that are honoured, or that only describe it.
const DOMAIN: &[&str] = &[
    "name",
    "uuid",
    "genid",
    "title",
    "description",
    "metadata",
    "memory",
    "currentMemory",
    "memoryBacking",
    "vcpu",
    "iothreads",
    "iothreadids",
    "cputune",
    "resource",
    "sysinfo",
    "os",
    "features",
    "cpu",
    "clock",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "pm",
    "devices",
    "seclabel",
    "qemu:commandline",
    "qemu:capabilities",
];
const OS: &[&str] = &[
    "type", "firmware", "loader", "nvram", "kernel", "initrd", "cmdline", "boot", "bootmenu", "bios",
    "smbios", "dtb",
];
const FEATURES: &[&str] = &[
    "acpi",
    "apic",
    "pae",
    "hyperv",
    "kvm",
    "pmu",
    "vmport",
    "smm",
    "ioapic",
    "gic",
    "hap",
    "ps2",
    "vmcoreinfo",
];
const MEMORY_BACKING: &[&str] =
    &["hugepages", "nosharepages", "locked", "source", "access", "allocation", "discard"];
const CPU_TUNE: &[&str] = &["vcpupin", "emulatorpin", "iothreadpin", "shares"];

/// Refuses children of `parent` that are not in `known`.
pub(super) fn only(parent: &Element, known: &[&str]) -> Result<()> {
    match parent.elements().find(|child| !known.contains(&child.name.as_str())) {
        Some(child) => Err(refuse::element(child)),
        None => Ok(()),
    }
}

/// Refuses an attribute whose value is not in `known`; an absent one is fine.
pub(super) fn one_of(element: &Element, attribute: &str, known: &[&str]) -> Result<()> {
    match element.attribute(attribute) {
        Some(value) if !known.contains(&value) => Err(refuse::value(element, attribute, value)),
        _ => Ok(()),
    }
}

/// Which actions there are for the ends of a guest. A power-off becomes a restart by a reset, and a reset cannot be an
/// end at the same time.
pub fn actions(tree: &Element) -> Result<()> {
    let is = |element: &str, action: &str| tree.child_text(element).as_deref() == Some(action);
    let lacking = |detail: &str| {
        Err(Error::unsupported_configuration(format!("qemu driver doesn't support the {detail}")))
    };
    let ends = ["on_reboot", "on_poweroff", "on_crash"];
    if ends.iter().any(|end| is(end, "rename-restart")) {
        return lacking("'rename-restart' action for 'on_reboot'/'on_poweroff'/'on_crash'");
    }
    if ends[..2].iter().any(|end| is(end, "preserve")) {
        return lacking("'preserve' action for 'on_reboot'/'on_poweroff'");
    }
    match is("on_poweroff", "restart") && is("on_reboot", "destroy") {
        true => Err(Error::unsupported_configuration(
            "qemu driver doesn't support 'onReboot' set to 'destroy and 'onPoweroff' set to 'reboot'",
        )),
        false => Ok(()),
    }
}

/// Checks everything outside `<devices>`.
pub fn check(tree: &Element, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    actions(tree)?;
    only(tree, DOMAIN)?;
    for (name, known) in
        [("os", OS), ("features", FEATURES), ("memoryBacking", MEMORY_BACKING), ("cputune", CPU_TUNE)]
    {
        if let Some(element) = tree.child(name) {
            only(element, known)?;
        }
    }
    for label in tree.children("seclabel") {
        one_of(label, "type", &["none", "dynamic"])?;
    }
    let has_serial = tree.child("devices").is_some_and(|devices| devices.child("serial").is_some());
    if tree.child_attribute("os/bios", "useserial") == Some("yes") && !has_serial {
        return Err(Error::xml("need at least one serial port to use BIOS serial output"));
    }
    features(tree, board)?;
    cpu(tree, board, capabilities)?;
    vcpus(tree, capabilities)?;
    clock(tree)?;
    Ok(())
}

fn features(tree: &Element, board: Board) -> Result<()> {
    let Some(features) = tree.child("features") else {
        return Ok(());
    };
    let efi = tree.child_attribute("os", "firmware") == Some("efi") || tree.find("os/loader").is_some();
    if !board.arch.is_x86 && features.child("acpi").is_some() && !efi {
        return Err(Error::unsupported_configuration("ACPI requires UEFI on this architecture"));
    }
    if let Some(gic) = features.child("gic") {
        if !board.is_arm_virt() {
            return Err(refuse::because(
                gic,
                "The 'gic' feature is not supported for this architecture or machine type",
            ));
        }
        one_of(gic, "version", &["2", "3", "host"])?;
    }
    if let Some(ioapic) = features.child("ioapic") {
        one_of(ioapic, "driver", &["kvm", "qemu"])?;
    }
    if let Some(kvm) = features.child("kvm") {
        only(kvm, &["hidden", "hint-dedicated", "poll-control", "pv-ipi"])?;
    }
    Ok(())
}

fn cpu(tree: &Element, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    let Some(cpu) = tree.child("cpu") else {
        return Ok(());
    };
    only(cpu, &["model", "vendor", "topology", "feature", "numa", "cache", "maxphysaddr"])?;
    one_of(cpu, "mode", &["custom", "host-model", "host-passthrough", "maximum"])?;
    one_of(cpu, "match", &["exact", "minimum", "strict"])?;
    if let Some(cache) = cpu.child("cache") {
        one_of(cache, "mode", &["passthrough", "disable"])?;
    }
    for feature in cpu.children("feature") {
        one_of(feature, "policy", &["force", "require", "optional", "disable", "forbid"])?;
    }
    if let Some(topology) = cpu.child("topology") {
        check_topology(tree, topology)?;
    }
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default();
    if cpu.child("numa").is_some()
        && capabilities.machine(machine).is_some_and(|machine| !machine.numa_mem_supported)
        && board.family.root == RootBus::MemoryMapped
    {
        return Err(refuse::because(cpu, format!("NUMA is not supported by machine type '{machine}'")));
    }
    Ok(())
}

/// The parts of a topology multiply to the number of virtual CPUs.
fn check_topology(tree: &Element, topology: &Element) -> Result<()> {
    let parts = ["sockets", "dies", "clusters", "cores", "threads"];
    let product = parts.iter().try_fold(1u32, |product, part| {
        product.checked_mul(number(topology.attribute(part).or(Some("1"))).unwrap_or(0))
    });
    let vcpus = tree.child_text("vcpu").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    if product != Some(vcpus) {
        return Err(Error::unsupported_configuration("CPU topology doesn't match maximum vcpu count"));
    }
    Ok(())
}

fn vcpus(tree: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    let vcpus = tree.child_text("vcpu").and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default();
    let limit = capabilities.machine(machine).map_or(u32::MAX, |machine| machine.cpu_max);
    if vcpus > limit {
        return Err(Error::unsupported_configuration(format!(
            "Maximum CPUs greater than specified machine type limit {limit}"
        )));
    }
    Ok(())
}

fn clock(tree: &Element) -> Result<()> {
    let Some(clock) = tree.child("clock") else {
        return Ok(());
    };
    one_of(clock, "offset", &["utc", "localtime", "variable", "absolute", "timezone"])?;
    for timer in clock.children("timer") {
        one_of(timer, "name", &["rtc", "pit", "hpet", "kvmclock", "hypervclock", "tsc"])?;
        let allowed: &[&str] = match timer.attribute("name").unwrap_or_default() {
            "rtc" => &["delay", "catchup"],
            "pit" => &["delay", "discard"],
            _ => &[],
        };
        one_of(timer, "tickpolicy", allowed)?;
    }
    Ok(())
}
