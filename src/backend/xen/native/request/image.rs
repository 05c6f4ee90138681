//! `(image …)`: what boots, and what the machine around it is like.

use super::{Abilities, first_there, refused};
use crate::backend::xen::native::chardev;
use crate::backend::xen::sxp::Sxp;
use crate::error::Result;
use crate::xml::Element;

/// The features that xend can give or deny a guest.
pub const FEATURES: &[&str] = &["acpi", "apic", "pae", "hap", "viridian"];
const LOADERS: &[&str] = &["/usr/lib/xen/boot/hvmloader", "/usr/lib64/xen/boot/hvmloader"];
const EMULATORS: &[&str] = &["/usr/lib/xen/bin/qemu-dm", "/usr/lib64/xen/bin/qemu-dm"];

/// The memory of a video card, in KiB, where nobody says how much: of the better one, and of the usual one.
const USUAL_VIDEO_MEMORY: [u64; 2] = [16 * 1024, 8 * 1024];

/// `(linux (kernel K) (ramdisk R) (args A))`.
pub fn paravirtual(tree: &Element) -> Result<Sxp> {
    let mut image = Sxp::list("linux", []);
    let has_bootloader = tree.child("bootloader").is_some();
    match tree.child_text("os/kernel") {
        Some(kernel) => image.push(Sxp::pair("kernel", kernel)),
        None if has_bootloader => {}
        None => {
            return Err(refused(
                "a paravirtual domain needs a <kernel> or a <bootloader>: it has no firmware",
            ));
        }
    }
    for (element, field) in [("os/initrd", "ramdisk"), ("os/cmdline", "args")] {
        if let Some(text) = tree.child_text(element) {
            image.push(Sxp::pair(field, text));
        }
    }
    Ok(image)
}

/// `(hvm (kernel L) (boot cd) …)`.
pub fn full(tree: &Element, abilities: Abilities) -> Result<Sxp> {
    if tree.find("os/kernel").is_some() || tree.find("os/nvram").is_some() {
        return Err(refused("xend boots a full machine from its disks only, by its own loader"));
    }
    let mut image = Sxp::list("hvm", []);
    // What is the loader here was called the kernel at first, and is still taken under that name.
    let loader = tree.child_text("os/loader");
    image.push(Sxp::pair("kernel", loader.unwrap_or_else(|| first_there(LOADERS).to_string())));
    image.push(Sxp::pair("vcpus", tree.child_text("vcpu").unwrap_or_else(|| "1".to_string())));
    image.push(Sxp::pair("boot", boot_order(tree)?));
    let emulator = tree.child_text("devices/emulator");
    image.push(Sxp::pair("device_model", emulator.unwrap_or_else(|| first_there(EMULATORS).to_string())));
    for feature in FEATURES {
        let element = tree.child("features").and_then(|features| features.child(feature));
        let is_on = element.is_some_and(|element| element.attribute("state") != Some("off"));
        // The first three have other defaults in other releases, so they are always said.
        if is_on || matches!(*feature, "acpi" | "apic" | "pae") || element.is_some() {
            image.push(Sxp::pair(feature, u8::from(is_on)));
        }
    }
    add_clock(tree, &mut image)?;
    if let Some(devices) = tree.child("devices") {
        add_ports(devices, &mut image)?;
        add_usb_and_sound(devices, &mut image)?;
        add_screen(devices, &mut image)?;
        super::devices::add_image_drives(devices, abilities, &mut image)?;
    }
    Ok(image)
}

fn boot_order(tree: &Element) -> Result<String> {
    let devices = tree.child("devices").into_iter().flat_map(Element::elements);
    if devices.into_iter().any(|device| device.child("boot").is_some()) {
        return Err(refused("xend knows no boot order of single devices: say <boot dev='…'/> in <os>"));
    }
    let os = tree.child("os").into_iter().flat_map(|os| os.children("boot"));
    let letters: String = os
        .filter_map(|boot| match boot.attribute("dev") {
            Some("fd") => Some('a'),
            Some("hd") => Some('c'),
            Some("cdrom") => Some('d'),
            Some("network") => Some('n'),
            _ => None,
        })
        .collect();
    Ok(if letters.is_empty() { "c".to_string() } else { letters })
}

fn add_clock(tree: &Element, image: &mut Sxp) -> Result<()> {
    let Some(clock) = tree.child("clock") else { return Ok(()) };
    let (local, shift) = match clock.attribute("offset") {
        Some("localtime") => (true, None),
        Some("variable") => (clock.attribute("basis") == Some("localtime"), clock.attribute("adjustment")),
        Some("utc") | None => (false, None),
        Some(other) => return Err(refused(format!("xend has no clock with the offset '{other}'"))),
    };
    image.push(Sxp::pair("localtime", u8::from(local)));
    if let Some(shift) = shift.filter(|shift| *shift != "0") {
        image.push(Sxp::pair("rtc_timeoffset", shift));
    }
    for timer in clock.children("timer") {
        match (timer.attribute("name"), timer.attribute("present"), timer.attribute("mode")) {
            (Some("hpet"), present, _) => image.push(Sxp::pair("hpet", u8::from(present != Some("no")))),
            (Some("tsc"), _, mode) => {
                let mode = match mode {
                    Some("emulate") => 1,
                    Some("native") => 2,
                    Some("paravirt") => 3,
                    _ => 0,
                };
                image.push(Sxp::pair("tsc_mode", mode));
            }
            (name, ..) => return Err(refused(format!("xend has no timer '{}'", name.unwrap_or_default()))),
        }
    }
    Ok(())
}

fn add_ports(devices: &Element, image: &mut Sxp) -> Result<()> {
    for kind in ["serial", "parallel"] {
        if devices.children(kind).nth(1).is_some() {
            return Err(refused(format!("xend gives a domain one <{kind}> device")));
        }
        match devices.child(kind) {
            Some(port) => image.push(Sxp::pair(kind, chardev::write(port)?)),
            None => image.push(Sxp::pair(kind, "none")),
        }
    }
    Ok(())
}

fn add_usb_and_sound(devices: &Element, image: &mut Sxp) -> Result<()> {
    let on_usb = |input: &&Element| input.attribute("bus") == Some("usb");
    let mut inputs = devices.children("input").filter(on_usb);
    if let Some(input) = inputs.next() {
        image.push(Sxp::pair("usb", 1));
        image.push(Sxp::pair("usbdevice", input.attribute("type").unwrap_or_default()));
    }
    if inputs.next().is_some() {
        return Err(refused("xend gives a domain one USB input device"));
    }
    let models: Vec<&str> = devices.children("sound").filter_map(|sound| sound.attribute("model")).collect();
    if !models.is_empty() {
        image.push(Sxp::pair("soundhw", models.join(",")));
    }
    Ok(())
}

fn add_screen(devices: &Element, image: &mut Sxp) -> Result<()> {
    match devices.child("graphics") {
        Some(graphics) => {
            let screen = super::devices::screen(graphics)?;
            let kind = graphics.attribute("type").unwrap_or_default();
            let other = if kind == "vnc" { "sdl" } else { "vnc" };
            image.push(Sxp::pair(kind, 1));
            image.push(Sxp::pair(other, 0));
            for setting in screen {
                image.push(setting);
            }
        }
        None => image.push(Sxp::pair("nographic", 1)),
    }
    let model = devices.child("video").and_then(|video| video.child("model"));
    match model.and_then(|model| model.attribute("type")) {
        Some("vga") => image.push(Sxp::pair("stdvga", 1)),
        None | Some("cirrus" | "none") => {}
        Some(other) => return Err(refused(format!("xend has no video card '{other}': use cirrus or vga"))),
    }
    let size = model.and_then(|model| model.attribute("vram")).and_then(|size| size.parse::<u64>().ok());
    if let Some(size) = size.filter(|size| !USUAL_VIDEO_MEMORY.contains(size)) {
        image.push(Sxp::pair("videoram", size.div_ceil(1024)));
    }
    Ok(())
}
