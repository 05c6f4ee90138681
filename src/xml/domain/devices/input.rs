//! `<input>`: mice, tablets, keyboards, and input devices of the host.

use super::address::ADDRESS;
use super::{ACPI, ALIAS, BOOT, VIRTIO_DRIVER};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, on_off, one, one_of, shape, text};

/// `<input>`.
pub static INPUT: Shape = shape("input")
    .attributes(&[
        text("type"),
        text("bus"),
        one_of("model", &["virtio", "virtio-transitional", "virtio-non-transitional"]),
    ])
    .children(&[one(&VIRTIO_DRIVER), one(&SOURCE), one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .after(complete);

static SOURCE: Shape = shape("source").attributes(&[
    text("evdev"),
    text("dev"),
    one_of("grab", &["all"]),
    one_of(
        "grabToggle",
        &["ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"],
    ),
    on_off("repeat"),
]);

fn complete(input: &mut Element) -> Result<()> {
    let kind = input.attribute("type").unwrap_or_default().to_string();
    if kind.is_empty() {
        return Err(Error::internal("missing input device type"));
    }
    if !matches!(kind.as_str(), "mouse" | "tablet" | "keyboard" | "passthrough" | "evdev") {
        return Err(Error::unsupported_configuration(format!("unknown input device type '{kind}'")));
    }
    match input.attribute("bus") {
        Some("ps2" | "usb" | "xen" | "parallels" | "virtio" | "none") => {}
        Some(bus) => {
            return Err(Error::unsupported_configuration(format!("unknown input bus type '{bus}'")));
        }
        None => match kind.as_str() {
            "mouse" | "keyboard" => input.set("bus", "ps2"),
            "tablet" => input.set("bus", "usb"),
            _ => {}
        },
    }
    if input.attribute("bus") == Some("ps2") && !matches!(kind.as_str(), "mouse" | "keyboard") {
        return Err(Error::internal(format!("ps2 bus does not support {kind} input device")));
    }
    Ok(())
}
