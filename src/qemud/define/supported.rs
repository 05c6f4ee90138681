//! What of a definition can be honoured; the rest is refused by element and line, before anything is stored.

use super::board::{Board, RootBus};
use super::devices::{Devices, model, number};
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
    "acpi", "apic", "pae", "hyperv", "kvm", "pmu", "vmport", "smm", "ioapic", "gic", "hap", "ps2",
];
const MEMORY_BACKING: &[&str] = &[
    "hugepages",
    "nosharepages",
    "locked",
    "source",
    "access",
    "allocation",
    "discard",
];
const CPU_TUNE: &[&str] = &["vcpupin", "emulatorpin", "iothreadpin", "shares"];
const DEVICES: &[&str] = &[
    "emulator",
    "disk",
    "controller",
    "interface",
    "serial",
    "console",
    "channel",
    "input",
    "tpm",
    "graphics",
    "sound",
    "audio",
    "video",
    "hub",
    "watchdog",
    "memballoon",
    "rng",
    "panic",
    "vsock",
];

/// Refuses children of `parent` that are not in `known`.
fn only(parent: &Element, known: &[&str]) -> Result<()> {
    match parent
        .elements()
        .find(|child| !known.contains(&child.name.as_str()))
    {
        Some(child) => Err(refuse::element(child)),
        None => Ok(()),
    }
}

/// Refuses an attribute whose value is not in `known`; an absent one is fine.
fn one_of(element: &Element, attribute: &str, known: &[&str]) -> Result<()> {
    match element.attribute(attribute) {
        Some(value) if !known.contains(&value) => Err(refuse::value(element, attribute, value)),
        _ => Ok(()),
    }
}

/// Checks everything outside `<devices>`.
pub fn check(tree: &Element, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    only(tree, DOMAIN)?;
    for (name, known) in [
        ("os", OS),
        ("features", FEATURES),
        ("memoryBacking", MEMORY_BACKING),
        ("cputune", CPU_TUNE),
    ] {
        if let Some(element) = tree.child(name) {
            only(element, known)?;
        }
    }
    for label in tree.children("seclabel") {
        one_of(label, "type", &["none", "dynamic"])?;
    }
    features(tree, board)?;
    cpu(tree, board, capabilities)?;
    vcpus(tree, capabilities)?;
    clock(tree)?;
    for (name, known) in [
        ("on_poweroff", &["destroy", "restart", "preserve"][..]),
        ("on_reboot", &["destroy", "restart", "preserve"]),
        (
            "on_crash",
            &[
                "destroy",
                "restart",
                "preserve",
                "coredump-destroy",
                "coredump-restart",
            ],
        ),
    ] {
        if let Some(action) = tree.child(name)
            && !known.contains(&action.text().trim())
        {
            return Err(refuse::because(
                action,
                format!(
                    "{name} '{}' is not supported by this driver",
                    action.text().trim()
                ),
            ));
        }
    }
    Ok(())
}

fn features(tree: &Element, board: Board) -> Result<()> {
    let Some(features) = tree.child("features") else {
        return Ok(());
    };
    let efi = tree.child_attribute("os", "firmware") == Some("efi") || tree.find("os/loader").is_some();
    if !board.arch.is_x86 && features.child("acpi").is_some() && !efi {
        return Err(Error::unsupported_configuration(
            "ACPI requires UEFI on this architecture",
        ));
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
    only(
        cpu,
        &[
            "model",
            "vendor",
            "topology",
            "feature",
            "numa",
            "cache",
            "maxphysaddr",
        ],
    )?;
    one_of(
        cpu,
        "mode",
        &["custom", "host-model", "host-passthrough", "maximum"],
    )?;
    one_of(cpu, "match", &["exact", "minimum", "strict"])?;
    if let Some(cache) = cpu.child("cache") {
        one_of(cache, "mode", &["passthrough", "disable"])?;
    }
    for feature in cpu.children("feature") {
        one_of(
            feature,
            "policy",
            &["force", "require", "optional", "disable", "forbid"],
        )?;
    }
    if let Some(topology) = cpu.child("topology") {
        let parts = ["sockets", "dies", "clusters", "cores", "threads"];
        let product = parts.iter().try_fold(1u32, |product, part| {
            product.checked_mul(number(topology.attribute(part).or(Some("1"))).unwrap_or(0))
        });
        let vcpus = tree
            .child_text("vcpu")
            .and_then(|text| text.parse::<u32>().ok())
            .unwrap_or(1);
        if product != Some(vcpus) {
            return Err(Error::unsupported_configuration(
                "CPU topology doesn't match maximum vcpu count",
            ));
        }
    }
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default();
    if cpu.child("numa").is_some()
        && capabilities
            .machine(machine)
            .is_some_and(|machine| !machine.numa_mem_supported)
        && board.family.root == RootBus::MemoryMapped
    {
        return Err(refuse::because(
            cpu,
            format!("NUMA is not supported by machine type '{machine}'"),
        ));
    }
    Ok(())
}

fn vcpus(tree: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    let vcpus = tree
        .child_text("vcpu")
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or(1);
    let machine = tree.child_attribute("os/type", "machine").unwrap_or_default();
    let limit = capabilities
        .machine(machine)
        .map_or(u32::MAX, |machine| machine.cpu_max);
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
    one_of(
        clock,
        "offset",
        &["utc", "localtime", "variable", "absolute", "timezone"],
    )?;
    for timer in clock.children("timer") {
        one_of(
            timer,
            "name",
            &["rtc", "pit", "hpet", "kvmclock", "hypervclock", "tsc"],
        )?;
        let allowed: &[&str] = match timer.attribute("name").unwrap_or_default() {
            "rtc" => &["delay", "catchup"],
            "pit" => &["delay", "discard"],
            _ => &[],
        };
        one_of(timer, "tickpolicy", allowed)?;
    }
    Ok(())
}

/// Checks everything inside `<devices>`.
pub fn check_devices(
    tree: &Element,
    devices: &Devices,
    board: Board,
    capabilities: &QemuCapabilities,
) -> Result<()> {
    for device in &devices.items {
        if !DEVICES.contains(&device.name.as_str()) {
            return Err(refuse::element(device));
        }
        match device.name.as_str() {
            "disk" => super::supported_disk::check(device, capabilities)?,
            "interface" => interface(device)?,
            "serial" | "console" | "channel" => chardev(device)?,
            "graphics" => graphics(device, capabilities)?,
            "video" => video(device, capabilities)?,
            "input" => {
                one_of(device, "type", &["mouse", "tablet", "keyboard"])?;
                one_of(device, "bus", &["ps2", "usb", "virtio"])?;
            }
            "watchdog" => watchdog(device, board)?,
            "memballoon" => one_of(
                device,
                "model",
                &["virtio", "none", "virtio-non-transitional", "virtio-transitional"],
            )?,
            "rng" => rng(device)?,
            "panic" => panic_device(device, capabilities)?,
            "tpm" => tpm(device)?,
            "audio" => one_of(device, "type", &["none"])?,
            "sound" => one_of(device, "model", &["ich6", "ich9", "ac97", "es1370", "usb"])?,
            "hub" => one_of(device, "type", &["usb"])?,
            "vsock" => one_of(
                device,
                "model",
                &["virtio", "virtio-non-transitional", "virtio-transitional"],
            )?,
            _ => {}
        }
    }
    iothreads(tree, devices)
}

fn interface(device: &Element) -> Result<()> {
    one_of(device, "type", &["user", "bridge", "ethernet", "network"])?;
    if device.attribute("type") == Some("bridge") && device.child_attribute("source", "bridge").is_none() {
        return Err(Error::xml(
            "No <source> 'bridge' attribute specified with <interface type='bridge'/>",
        ));
    }
    let models = [
        "",
        "virtio",
        "virtio-non-transitional",
        "virtio-transitional",
        "e1000e",
        "e1000",
        "rtl8139",
        "ne2k_pci",
        "pcnet",
        "vmxnet3",
        "igb",
    ];
    if !models.contains(&model(device)) {
        return Err(refuse::value(device, "model", model(device)));
    }
    only(
        device,
        &[
            "mac",
            "source",
            "target",
            "model",
            "driver",
            "backend",
            "portForward",
            "mtu",
            "link",
            "boot",
            "alias",
            "address",
            "guest",
            "rom",
            "ip",
        ],
    )?;
    if let Some(backend) = device.child("backend") {
        one_of(backend, "type", &["passt", "default"])?;
        if device.attribute("type") != Some("user") && backend.attribute("type") == Some("passt") {
            return Err(refuse::because(
                backend,
                "The 'passt' backend can only be used with interface type='user'",
            ));
        }
    }
    if let Some(driver) = device.child("driver") {
        one_of(driver, "name", &["qemu", "vhost"])?;
    }
    Ok(())
}

fn chardev(device: &Element) -> Result<()> {
    one_of(
        device,
        "type",
        &["pty", "unix", "tcp", "file", "null", "udp", "pipe", "dev"],
    )?;
    let path_needed = matches!(device.attribute("type"), Some("file" | "pipe" | "dev"));
    if path_needed && device.child_attribute("source", "path").is_none() {
        return Err(Error::xml(format!(
            "Missing source path attribute for char device ({})",
            device.name
        )));
    }
    let Some(target) = device.child("target") else {
        return Ok(());
    };
    let known: &[&str] = match device.name.as_str() {
        "serial" => &["isa-serial", "pci-serial", "usb-serial", "system-serial", "none"],
        "console" => &["serial", "virtio"],
        _ => &["virtio"],
    };
    one_of(target, "type", known)
}

fn graphics(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    one_of(device, "type", &["vnc", "spice", "egl-headless"])?;
    match device.attribute("type") {
        Some("vnc") if !capabilities.has_command("query-vnc") => Err(Error::unsupported_configuration(
            "vnc graphics are not supported with this QEMU",
        )),
        Some("spice") if !capabilities.has_command("query-spice") => Err(Error::unsupported_configuration(
            "spice graphics are not supported with this QEMU",
        )),
        _ => Ok(()),
    }?;
    match device.child("listen") {
        Some(listen) => one_of(listen, "type", &["address", "socket", "none"]),
        None => Ok(()),
    }
}

fn panic_device(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    one_of(device, "model", &["isa", "pvpanic", "hyperv"])?;
    let (name, kind) = match device.attribute("model") {
        Some("isa") => ("ISA panic", "pvpanic"),
        Some("pvpanic") => ("PCI panic", "pvpanic-pci"),
        _ => return Ok(()),
    };
    match capabilities.has_type(kind) {
        true => Ok(()),
        false => Err(Error::unsupported_configuration(format!(
            "the QEMU binary does not support the {name} device"
        ))),
    }
}

fn video(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    let Some(model) = device.child("model") else {
        return Err(refuse::because(device, "video device without a model"));
    };
    one_of(
        model,
        "type",
        &["virtio", "qxl", "vga", "bochs", "cirrus", "none", "ramfb"],
    )?;
    let kind = model.attribute("type").unwrap_or_default();
    let built_in = match kind {
        "virtio" => capabilities.has_type("virtio-gpu-device"),
        "qxl" => capabilities.has_type("qxl"),
        "vga" => capabilities.has_type("VGA"),
        "bochs" => capabilities.has_type("bochs-display"),
        "cirrus" => capabilities.has_type("cirrus-vga"),
        "ramfb" => capabilities.has_type("ramfb"),
        _ => true,
    };
    if !built_in {
        return Err(Error::unsupported_configuration(format!(
            "domain configuration does not support video model '{kind}'"
        )));
    }
    match model.child_attribute("acceleration", "accel3d") {
        Some("yes") => Err(refuse::because(
            model,
            "3D acceleration is not supported by this driver",
        )),
        _ => Ok(()),
    }
}

fn watchdog(device: &Element, board: Board) -> Result<()> {
    one_of(device, "model", &["itco", "i6300esb", "ib700"])?;
    one_of(
        device,
        "action",
        &[
            "reset",
            "shutdown",
            "poweroff",
            "pause",
            "none",
            "dump",
            "inject-nmi",
        ],
    )?;
    match device.attribute("model") {
        Some("itco") if !board.family.is_q35 => Err(Error::unsupported_configuration(
            "itco model of watchdog is only part of q35 machine",
        )),
        Some("ib700") if !board.family.is_i440fx => Err(Error::unsupported_configuration(
            "ib700 model of watchdog cannot be used with this machine type",
        )),
        _ => Ok(()),
    }
}

fn rng(device: &Element) -> Result<()> {
    one_of(
        device,
        "model",
        &["virtio", "virtio-non-transitional", "virtio-transitional"],
    )?;
    match device.child("backend") {
        Some(backend) => one_of(backend, "model", &["random", "builtin"]),
        None => Err(Error::xml("missing RNG backend")),
    }
}

fn tpm(device: &Element) -> Result<()> {
    one_of(device, "model", &["tpm-tis", "tpm-crb"])?;
    match device.child("backend") {
        Some(backend) => {
            one_of(backend, "type", &["emulator"])?;
            one_of(backend, "version", &["1.2", "2.0", "default"])
        }
        None => Err(Error::xml("missing TPM device backend")),
    }
}

/// Disks may only name threads that are defined.
fn iothreads(tree: &Element, devices: &Devices) -> Result<()> {
    let count = tree
        .child_text("iothreads")
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or(0);
    let named: Vec<u32> = tree
        .find("iothreadids")
        .into_iter()
        .flat_map(|ids| ids.children("iothread"))
        .filter_map(|thread| number(thread.attribute("id")))
        .collect();
    let threads = count.max(named.len() as u32);
    for disk in devices.of("disk") {
        let Some(thread) = number(disk.child_attribute("driver", "iothread")) else {
            continue;
        };
        let known =
            thread > 0 && (named.contains(&thread) || (named.len() < threads as usize && thread <= threads));
        if !known {
            return Err(Error::unsupported_configuration(format!(
                "Disk iothread '{thread}' not defined in iothreadid"
            )));
        }
    }
    Ok(())
}
