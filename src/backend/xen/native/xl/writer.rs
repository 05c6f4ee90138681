//! From a completed definition to a configuration.

use super::{Kind, Use, disk, display, exchange, interface, machine};
use crate::backend::xen::native::config::Config;
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::Domain;

/// Devices that are written, or that every guest of the kind has anyway.
const DEVICES: &[&str] = &[
    "emulator",
    "disk",
    "interface",
    "graphics",
    "video",
    "sound",
    "input",
    "serial",
    "parallel",
    "console",
    "controller",
    "memballoon",
    "hostdev",
];

/// The configuration that a completed definition asks for. What the toolstack cannot do is refused by its name.
pub fn config_from_domain(tree: &Element, purpose: Use) -> Result<Config> {
    let domain = Domain::parse(tree)?;
    let kind = Kind::of_os_type(&tree.child_text("os/type").unwrap_or_default());
    if purpose == Use::Xm && kind == Kind::Pvh {
        return Err(Error::unsupported_configuration("xm knows no guests of type 'xenpvh'"));
    }
    if purpose == Use::Xm && kind == Kind::Hvm && tree.find("devices").is_some_and(has_several_ports) {
        let detail = "Multiple serial devices are not supported by xen-xm";
        return Err(Error::unsupported_configuration(detail));
    }
    let devices = tree.child("devices").cloned().unwrap_or_default();
    if let Some(device) = devices.elements().find(|device| !DEVICES.contains(&device.name.as_str())) {
        let detail = format!("<{}> devices cannot be had with xl", device.name);
        return Err(Error::unsupported_configuration(detail));
    }
    let mut config = Config::default();
    config.set("name", domain.name.clone());
    config.set("uuid", domain.uuid.to_string());
    write_figures(&domain, &mut config)?;
    machine::write_features(&domain, kind, &mut config)?;
    machine::write_clock(&domain, kind, &mut config)?;
    for key in ["on_poweroff", "on_reboot", "on_crash"] {
        config.set(key, tree.child_text(key).unwrap_or_else(|| "destroy".to_string()));
    }
    if let Some(emulator) = devices.child_text("emulator").filter(|_| kind == Kind::Hvm) {
        config.set("device_model_override", emulator);
    }
    display::write_screens(&devices, kind, &mut config)?;
    let card = |card| interface::specification_for(card, kind, purpose);
    set_list(&mut config, "vif", devices.children("interface").map(card))?;
    display::write_ports(&devices, kind, &mut config)?;
    match kind {
        Kind::Hvm => config.set("builder", "hvm"),
        Kind::Pvh => config.set("type", "pvh"),
        Kind::Pv => {}
    }
    machine::write_os(&domain, kind, purpose, &mut config)?;
    set_list(
        &mut config,
        "disk",
        devices.children("disk").map(|disk| disk::specification_for(disk, purpose)),
    )?;
    machine::write_cards(&devices, kind, &mut config)?;
    match purpose {
        Use::Kept => write_own(tree, &mut config),
        Use::Exchanged | Use::Xm => exchange::settle(&mut config, purpose),
    }
    Ok(config)
}

fn has_several_ports(devices: &Element) -> bool {
    devices.children("serial").nth(1).is_some()
}

fn set_list(config: &mut Config, key: &str, items: impl Iterator<Item = Result<String>>) -> Result<()> {
    let items: Vec<String> = items.collect::<Result<_>>()?;
    if !items.is_empty() {
        config.set(key, items);
    }
    Ok(())
}

fn write_figures(domain: &Domain, config: &mut Config) -> Result<()> {
    let mebibytes = |kib: u64| i64::try_from(kib.div_ceil(1024)).unwrap_or(i64::MAX);
    config.set("maxmem", mebibytes(domain.memory.maximum));
    config.set("memory", mebibytes(domain.memory.current));
    if domain.vcpus.maximum != domain.vcpus.current {
        config.set("maxvcpus", i64::from(domain.vcpus.maximum));
    }
    config.set("vcpus", i64::from(domain.vcpus.current));
    let tune = domain.element.child("cputune");
    let pin = |number: u32| {
        let mut pins = tune.into_iter().flat_map(|tune| tune.children("vcpupin"));
        let wanted = number.to_string();
        let pin = pins.find(|pin| pin.attribute("vcpu") == Some(&wanted))?;
        pin.attribute("cpuset").map(str::to_string)
    };
    let pins: Vec<Option<String>> = (0..domain.vcpus.maximum).map(pin).collect();
    let everywhere = domain.vcpus.cpuset.clone();
    if pins.iter().any(Option::is_some) {
        let all = everywhere.unwrap_or_else(|| "all".to_string());
        config
            .set("cpus", pins.into_iter().map(|pin| pin.unwrap_or_else(|| all.clone())).collect::<Vec<_>>());
    } else if let Some(cpus) = everywhere {
        config.set("cpus", cpus);
    }
    let known = |child: &&Element| matches!(child.name.as_str(), "vcpupin" | "shares");
    if let Some(other) = tune.into_iter().flat_map(Element::elements).find(|child| !known(child)) {
        let detail = format!("<{}> of <cputune> cannot be had with xl", other.name);
        return Err(Error::unsupported_configuration(detail));
    }
    if let Some(weight) =
        tune.and_then(|tune| tune.child_text("shares")).and_then(|text| text.parse::<i64>().ok())
    {
        config.set("cpu_weight", weight);
    }
    Ok(())
}

fn write_own(tree: &Element, config: &mut Config) {
    for (key, name) in super::reader::OWN_KEYS {
        let Some(child) = tree.child(name) else { continue };
        match name {
            "metadata" => config.set(key, child.to_string()),
            _ => config.set(key, child.text()),
        }
    }
}

/// Keys that a definition can say; what it does not say they do not have.
const OWNED: &[&str] = &[
    "name",
    "uuid",
    "type",
    "builder",
    "pvh",
    "maxmem",
    "memory",
    "vcpus",
    "maxvcpus",
    "cpus",
    "cpu_weight",
    "bootloader",
    "bootloader_args",
    "kernel",
    "ramdisk",
    "cmdline",
    "root",
    "extra",
    "boot",
    "bios",
    "firmware_override",
    "acpi",
    "apic",
    "pae",
    "hap",
    "viridian",
    "e820_host",
    "passthrough",
    "localtime",
    "rtc_timeoffset",
    "hpet",
    "tsc_mode",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "device_model_override",
    "disk",
    "vif",
    "vfb",
    "vnc",
    "vnclisten",
    "vncdisplay",
    "vncunused",
    "vncpasswd",
    "sdl",
    "display",
    "xauthority",
    "spice",
    "spicehost",
    "spiceport",
    "spicetls_port",
    "spicepasswd",
    "spicedisable_ticketing",
    "keymap",
    "serial",
    "parallel",
    "usb",
    "usbdevice",
    "soundhw",
    "vga",
    "stdvga",
    "videoram",
    "pci",
    "hvsh_title",
    "hvsh_description",
    "hvsh_metadata",
];

/// Takes over from an old configuration what no definition can say, so that rewriting a file loses none of it.
pub fn keep_unknown(old: &Config, new: &mut Config) {
    new.take_over(old, |key| !OWNED.contains(&key));
}
