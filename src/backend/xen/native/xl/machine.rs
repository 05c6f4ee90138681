//! What a guest boots from, its features, its clock and its lesser devices.

use super::{Kind, Use};
use crate::backend::xen::native::config::{Config, Value};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::Domain;

/// The program that sets up a whole machine before its firmware runs.
const HVMLOADER: &str = "/usr/lib/xen/boot/hvmloader";
/// Boot letters and what they mean, in both directions.
const BOOT_DEVICES: [(char, &str); 4] = [('a', "fd"), ('c', "hd"), ('d', "cdrom"), ('n', "network")];

/// Switches of a configuration that are features of a definition; the last part says whether a machine has it unasked.
const FEATURES: [(&str, &str, bool); 5] = [
    ("pae", "pae", true),
    ("acpi", "acpi", true),
    ("apic", "apic", true),
    ("viridian", "viridian", false),
    ("hap", "hap", true),
];

pub(super) fn push_os(config: &Config, kind: Kind, domain: &mut Element) {
    let text = |key: &str| config.text(key).filter(|text| !text.is_empty());
    let child = |name: &str, text: String| Element::new(name).with_text(text);
    let mut os = Element::new("os");
    os.push(
        Element::new("type").with("arch", "x86_64").with("machine", kind.machine()).with_text(kind.os_type()),
    );
    let kernel = text("kernel").filter(|kernel| !(kind == Kind::Hvm && kernel.ends_with("hvmloader")));
    if kind == Kind::Hvm {
        let firmware = text("firmware_override").or_else(|| match text("bios").as_deref() {
            Some("ovmf") => Some("/usr/lib/xen/boot/ovmf.bin".to_string()),
            _ => text("kernel").filter(|kernel| kernel.ends_with("hvmloader")),
        });
        let is_flash = firmware.as_deref().is_some_and(|path| path.ends_with("ovmf.bin"));
        let mut loader = Element::new("loader").with("type", if is_flash { "pflash" } else { "rom" });
        if is_flash {
            loader.set("readonly", "yes");
        }
        os.push(loader.with_text(firmware.unwrap_or_else(|| HVMLOADER.to_string())));
    } else if let Some(bootloader) = text("bootloader") {
        domain.push(child("bootloader", bootloader));
        // The second word is the older one.
        let key = if config.get("bootloader_args").is_some() { "bootloader_args" } else { "bootargs" };
        let arguments = match config.get(key) {
            Some(Value::List(_)) => Some(config.list(key).join(" ")),
            _ => text(key),
        };
        if let Some(arguments) = arguments {
            domain.push(child("bootloader_args", arguments));
        }
    }
    if let Some(kernel) = kernel {
        os.push(child("kernel", kernel));
        if let Some(ramdisk) = text("ramdisk") {
            os.push(child("initrd", ramdisk));
        }
    }
    let line = text("cmdline").or_else(|| {
        let root = text("root").map(|root| format!("root={root}"));
        let parts: Vec<String> = root.into_iter().chain(text("extra")).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    if let Some(line) = line {
        os.push(child("cmdline", line));
    }
    if kind == Kind::Hvm {
        for letter in text("boot").unwrap_or_else(|| "c".to_string()).chars() {
            if let Some((_, device)) = BOOT_DEVICES.iter().find(|(known, _)| *known == letter) {
                os.push(Element::new("boot").with("dev", device));
            }
        }
    }
    domain.push(os);
}

pub(super) fn push_features(config: &Config, kind: Kind, domain: &mut Element) {
    let mut features = Element::new("features");
    for (key, name, default) in FEATURES {
        let said = config.number(key).map(|number| number != 0);
        let on = match (kind, key) {
            (Kind::Hvm, "hap") => match said {
                Some(false) => {
                    features.push(Element::new("hap").with("state", "off"));
                    continue;
                }
                _ => false,
            },
            (Kind::Hvm, _) => said.unwrap_or(default),
            _ => continue,
        };
        if on {
            features.push(Element::new(name));
        }
    }
    let passes = config.text("passthrough");
    if config.number("e820_host") == Some(1) {
        let e820 = Element::new("e820_host").with("state", "on");
        features.push(Element::new("xen").with_child(e820));
    }
    if passes.is_some_and(|mode| mode != "disabled") && features.child("xen").is_none() {
        features.push(Element::new("xen").with_child(Element::new("passthrough").with("state", "on")));
    }
    if features.elements().next().is_some() {
        domain.push(features);
    }
}

pub(super) fn push_clock(config: &Config, domain: &mut Element) {
    let is_local = config.number("localtime") == Some(1);
    let mut clock = Element::new("clock");
    match config.number("rtc_timeoffset").filter(|offset| *offset != 0) {
        Some(offset) => {
            clock.set("offset", "variable");
            clock.set("adjustment", offset);
            clock.set("basis", if is_local { "localtime" } else { "utc" });
        }
        None => clock.set("offset", if is_local { "localtime" } else { "utc" }),
    }
    if let Some(present) = config.number("hpet") {
        let timer = Element::new("timer").with("name", "hpet");
        clock.push(timer.with("present", if present == 0 { "no" } else { "yes" }));
    }
    let mode = match config.text("tsc_mode").as_deref() {
        Some("always_emulate" | "1") => Some("emulate"),
        Some("native" | "2") => Some("native"),
        Some("native_paravirt" | "3") => Some("paravirt"),
        _ => None,
    };
    if let Some(mode) = mode {
        clock.push(Element::new("timer").with("name", "tsc").with("mode", mode));
    }
    domain.push(clock);
}

/// Pointers that are plugged into a machine's USB.
pub(super) fn inputs(config: &Config) -> Vec<Element> {
    let names = config.list("usbdevice");
    let known = names.iter().filter(|name| matches!(name.as_str(), "mouse" | "tablet" | "keyboard"));
    known.map(|name| Element::new("input").with("type", name).with("bus", "usb")).collect()
}

/// Sound and graphics cards, and devices of the host.
pub(super) fn cards(config: &Config, kind: Kind) -> Result<Vec<Element>> {
    let mut cards = Vec::new();
    if let Some(models) = config.text("soundhw").filter(|models| !models.is_empty() && kind == Kind::Hvm) {
        let models = if models == "all" { "sb16,es1370,pcspk,ac97".to_string() } else { models };
        cards.extend(models.split(',').map(|model| Element::new("sound").with("model", model)));
    }
    let has_screen = ["vnc", "sdl", "spice"].iter().any(|key| config.number(key).is_some_and(|on| on != 0));
    let model = match config.text("vga").as_deref() {
        Some("stdvga" | "vga") => Some("vga"),
        Some("qxl") => Some("qxl"),
        Some("none") => None,
        Some(_) => Some("cirrus"),
        None if config.number("stdvga") == Some(1) => Some("vga"),
        None => has_screen.then_some("cirrus"),
    };
    if let Some(model) = model.filter(|_| kind == Kind::Hvm) {
        let least = if model == "cirrus" { 8 } else { 16 };
        let memory = config.number("videoram").filter(|memory| *memory > 0).unwrap_or(least);
        let model = Element::new("model").with("type", model).with("vram", memory.saturating_mul(1024));
        cards.push(Element::new("video").with_child(model));
    }
    for place in config.list("pci") {
        cards.push(host_device(&place)?);
    }
    Ok(cards)
}

/// A `<hostdev>` from `0000:01:00.0@7,permissive=1`.
fn host_device(place: &str) -> Result<Element> {
    let wrong =
        || Error::unsupported_configuration(format!("pci = '{place}' is not a place of a PCI device"));
    let plain = place.split([',', '@']).next().unwrap_or_default().trim();
    let (rest, function) = plain.rsplit_once('.').ok_or_else(wrong)?;
    let (rest, slot) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0", rest));
    let hex = |text: &str| u32::from_str_radix(text, 16).map_err(|_| wrong());
    let address = Element::new("address")
        .with("domain", format!("0x{:04x}", hex(domain)?))
        .with("bus", format!("0x{:02x}", hex(bus)?))
        .with("slot", format!("0x{:02x}", hex(slot)?))
        .with("function", format!("0x{:x}", hex(function)?));
    let device = Element::new("hostdev").with("mode", "subsystem").with("type", "pci").with("managed", "no");
    Ok(device.with_child(Element::new("source").with_child(address)))
}

pub(super) fn write_os(domain: &Domain, kind: Kind, purpose: Use, config: &mut Config) -> Result<()> {
    let tree = &domain.element;
    if let Some(bootloader) = tree.child_text("bootloader") {
        config.set("bootloader", bootloader);
        if let Some(arguments) = tree.child_text("bootloader_args") {
            config.set("bootloader_args", arguments);
        }
    }
    let text = |name: &str| tree.child_text(&format!("os/{name}")).filter(|text| !text.is_empty());
    let is_old_machine = kind == Kind::Hvm && purpose == Use::Xm;
    if is_old_machine {
        if text("kernel").is_some() {
            let detail = "xm boots a full machine from its disks only, by its own loader";
            return Err(Error::unsupported_configuration(detail));
        }
        config.set("kernel", text("loader").unwrap_or_else(|| HVMLOADER.to_string()));
    }
    if kind == Kind::Hvm {
        match text("loader").as_deref() {
            _ if is_old_machine => {}
            Some(path) if path.ends_with("ovmf.bin") || path.ends_with("OVMF.fd") => {
                config.set("bios", "ovmf")
            }
            Some(path) if path != HVMLOADER && !path.ends_with("/hvmloader") => {
                config.set("firmware_override", path);
            }
            _ => {}
        }
        if tree.child_attribute("os", "firmware") == Some("efi") {
            config.set("bios", "ovmf");
        }
        let letters: String = tree
            .find("os")
            .into_iter()
            .flat_map(|os| os.children("boot"))
            .filter_map(|boot| BOOT_DEVICES.iter().find(|(_, name)| Some(*name) == boot.attribute("dev")))
            .map(|(letter, _)| *letter)
            .collect();
        if !letters.is_empty() {
            config.set("boot", letters);
        }
    }
    let line = if purpose == Use::Xm { "extra" } else { "cmdline" };
    let direct = [("kernel", "kernel"), ("initrd", "ramdisk"), ("cmdline", line)];
    for (name, key) in direct {
        if let Some(text) = text(name) {
            config.set(key, text);
        }
    }
    if kind != Kind::Hvm && text("kernel").is_none() && tree.child("bootloader").is_none() {
        return Err(Error::unsupported_configuration(
            "a guest of this kind needs <kernel> in <os>, or a <bootloader>",
        ));
    }
    Ok(())
}

pub(super) fn write_features(domain: &Domain, kind: Kind, config: &mut Config) -> Result<()> {
    for (key, name, _) in FEATURES {
        match (kind, name, domain.feature(name)) {
            (Kind::Hvm, "hap", Some(on)) | (Kind::Pvh, "hap", Some(on)) => config.set(key, i64::from(on)),
            (_, "hap", _) | (Kind::Pv | Kind::Pvh, ..) => {}
            (Kind::Hvm, _, said) => config.set(key, i64::from(said.unwrap_or(false))),
        }
    }
    let switch = |path: &str| domain.element.child_attribute(path, "state");
    if switch("features/xen/e820_host") == Some("on") {
        config.set("e820_host", 1);
    }
    if switch("features/xen/passthrough") == Some("on") {
        config.set("passthrough", "enabled");
    }
    let known = ["acpi", "apic", "pae", "hap", "viridian", "xen", "hyperv"];
    let features = domain.element.child("features");
    match features
        .into_iter()
        .flat_map(Element::elements)
        .find(|feature| !known.contains(&feature.name.as_str()))
    {
        Some(feature) if feature.attribute("state") != Some("off") => {
            let detail = format!("the feature '{}' cannot be had with xl", feature.name);
            Err(Error::unsupported_configuration(detail))
        }
        _ => Ok(()),
    }
}

pub(super) fn write_clock(domain: &Domain, kind: Kind, config: &mut Config) -> Result<()> {
    let clock = &domain.clock;
    let is_local = match (clock.offset.as_str(), clock.basis.as_deref()) {
        ("utc", _) | ("variable", None | Some("utc")) => 0,
        ("localtime", _) | ("variable", Some("localtime")) => 1,
        (offset, _) => {
            let detail = format!("the clock offset '{offset}' cannot be had with xl");
            return Err(Error::unsupported_configuration(detail));
        }
    };
    let offset = clock.adjustment.filter(|_| clock.offset == "variable").unwrap_or(0);
    if kind == Kind::Hvm || offset != 0 {
        config.set("rtc_timeoffset", offset);
    }
    config.set("localtime", is_local);
    for timer in &clock.timers {
        match (timer.name.as_str(), timer.mode.as_deref()) {
            ("hpet", _) => config.set("hpet", i64::from(timer.present.unwrap_or(true))),
            ("tsc", None | Some("auto")) => {}
            ("tsc", Some("emulate")) => config.set("tsc_mode", "always_emulate"),
            ("tsc", Some("native")) => config.set("tsc_mode", "native"),
            ("tsc", Some("paravirt")) => config.set("tsc_mode", "native_paravirt"),
            (name, _) => {
                let detail = format!("the timer '{name}' cannot be had with xl");
                return Err(Error::unsupported_configuration(detail));
            }
        }
    }
    Ok(())
}

pub(super) fn write_cards(devices: &Element, kind: Kind, config: &mut Config) -> Result<()> {
    let only_hvm = |what: &str| {
        Error::unsupported_configuration(format!("{what} can be had with a fully virtualised guest only"))
    };
    let usb: Vec<String> = devices
        .children("input")
        .filter(|input| input.attribute("bus") == Some("usb"))
        .filter_map(|input| input.attribute("type").map(str::to_string))
        .collect();
    if !usb.is_empty() {
        if kind != Kind::Hvm {
            return Err(only_hvm("USB input"));
        }
        config.set("usb", 1);
        match usb.len() {
            1 => config.set("usbdevice", usb[0].clone()),
            _ => config.set("usbdevice", usb),
        }
    }
    let sounds: Vec<&str> = devices.children("sound").filter_map(|sound| sound.attribute("model")).collect();
    if !sounds.is_empty() {
        if kind != Kind::Hvm {
            return Err(only_hvm("sound"));
        }
        config.set("soundhw", sounds.join(","));
    }
    if let Some(model) = devices.find("video/model").filter(|_| kind == Kind::Hvm) {
        match model.attribute("type") {
            Some("vga") => config.set("vga", "stdvga"),
            Some("cirrus" | "xen") | None => config.set("vga", "cirrus"),
            Some("qxl") => config.set("vga", "qxl"),
            Some("none") => config.set("vga", "none"),
            Some(other) => {
                let detail = format!("the video model '{other}' cannot be had with xl");
                return Err(Error::unsupported_configuration(detail));
            }
        }
        let memory = model.attribute("vram").and_then(|text| text.parse::<i64>().ok());
        if let Some(memory) = memory.filter(|memory| *memory >= 1024) {
            config.set("videoram", memory / 1024);
        }
    }
    write_host_devices(devices, config)
}

fn write_host_devices(devices: &Element, config: &mut Config) -> Result<()> {
    let mut places = Vec::new();
    for device in devices.children("hostdev") {
        let is_pci = device.attribute("type") == Some("pci") && device.attribute("mode") == Some("subsystem");
        let place = device.find("source/address").filter(|_| is_pci);
        let part = |name: &str| {
            let text = place?.attribute(name)?;
            u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
        };
        match (part("bus"), part("slot"), part("function")) {
            (Some(bus), Some(slot), Some(function)) => {
                places.push(format!("{:04x}:{bus:02x}:{slot:02x}.{function:x}", part("domain").unwrap_or(0)));
            }
            _ => {
                let detail = "of the host's devices only PCI devices can be given to a guest with xl";
                return Err(Error::unsupported_configuration(detail));
            }
        }
    }
    if !places.is_empty() {
        config.set("pci", places);
    }
    Ok(())
}
