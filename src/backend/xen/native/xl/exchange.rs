//! A configuration in the words and the order in which other tools exchange it.
//!
//! What xl and xm read is the same in any order; who compares texts is used to this one.

use super::Use;
use crate::backend::xen::native::config::{Config, Value};

/// The order of the keys; others come after them.
const ORDER: &[&str] = &[
    "name",
    "uuid",
    "maxmem",
    "memory",
    "maxvcpus",
    "vcpus",
    "cpus",
    "pae",
    "acpi",
    "apic",
    "hap",
    "viridian",
    "hpet",
    "tsc_mode",
    "rtc_timeoffset",
    "localtime",
    "on_poweroff",
    "on_reboot",
    "on_crash",
    "device_model_override",
    "sdl",
    "vnc",
    "vncunused",
    "vncdisplay",
    "vnclisten",
    "vncpasswd",
    "keymap",
    "display",
    "xauthority",
    "vfb",
    "vif",
    "pci",
    "parallel",
    "serial",
    "soundhw",
    "type",
    "builder",
    "kernel",
    "ramdisk",
    "cmdline",
    "extra",
    "bootloader",
    "bootargs",
    "boot",
    "disk",
    "usb",
    "usbdevice",
];

/// The memory of the usual video card, in MiB: what it has unasked here and there.
const USUAL_VIDEO: [i64; 2] = [8, 16];

/// Brings a configuration that was written for xl into that form.
pub(super) fn settle(config: &mut Config, purpose: Use) {
    config.rename("bootloader_args", "bootargs");
    if config.number("hap") == Some(1) {
        // A machine has it unasked.
        config.remove("hap");
    }
    settle_video(config, purpose);
    let screens = config.list("vfb").into_iter().map(|screen| match screen.split_once("=1") {
        Some((kind @ ("vnc" | "sdl"), rest)) => format!("type={kind}{rest}"),
        _ => screen,
    });
    let screens: Vec<String> = screens.collect();
    if !screens.is_empty() {
        config.set("vfb", screens);
    }
    config.arrange(ORDER);
}

/// The usual video card is not spoken of; xm has a switch for the other one.
fn settle_video(config: &mut Config, purpose: Use) {
    let card = config.text("vga").unwrap_or_default();
    if card == "cirrus" {
        config.remove("vga");
        if config.number("videoram").is_some_and(|size| USUAL_VIDEO.contains(&size)) {
            config.remove("videoram");
        }
    }
    if card == "stdvga" && purpose == Use::Xm {
        config.set("vga", Value::Number(1));
        config.rename("vga", "stdvga");
    }
}
