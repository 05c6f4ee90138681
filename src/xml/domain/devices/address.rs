//! `<address>`: where a device sits, in the form of its bus.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{
    Shape, hexadecimal, hexadecimal_text, invalid_attribute, on_off, one, one_of, parse_number, shape, text,
};

/// `<address>` of a device.
pub static ADDRESS: Shape = shape("address")
    .attributes(&[
        one_of("type", TYPES).required(),
        text("domain"),
        text("controller"),
        text("bus"),
        text("target"),
        text("unit"),
        text("port"),
        text("slot"),
        text("function"),
        on_off("multifunction"),
        text("iobase"),
        text("irq"),
        text("reg"),
        text("cssid"),
        text("ssid"),
        text("devno"),
        text("base"),
    ])
    .children(&[one(&ZPCI)])
    .after(complete);

/// `<address>` inside the source of a PCI host device.
pub static HOST_ADDRESS: Shape = shape("address")
    .attributes(&[
        text("type"),
        text("domain"),
        text("bus"),
        text("device"),
        text("port"),
        text("target"),
        text("unit"),
        text("slot"),
        text("function"),
        text("uuid"),
    ])
    .children(&[one(&ZPCI)]);

static ZPCI: Shape = shape("zpci").attributes(&[hexadecimal("uid", 4), hexadecimal("fid", 8)]);

const TYPES: &[&str] = &[
    "pci",
    "drive",
    "virtio-serial",
    "ccid",
    "usb",
    "spapr-vio",
    "virtio-s390",
    "ccw",
    "virtio-mmio",
    "isa",
    "dimm",
    "unassigned",
];

/// How one field of an address is written: its name, its digits (none: decimal), and whether it is filled in.
type Field = (&'static str, Option<usize>, bool);

const PCI: &[Field] = &[
    ("domain", Some(4), true),
    ("bus", Some(2), true),
    ("slot", Some(2), true),
    ("function", Some(1), true),
];

fn fields(kind: &str) -> &'static [Field] {
    match kind {
        "pci" => PCI,
        "drive" => {
            &[("controller", None, true), ("bus", None, true), ("target", None, true), ("unit", None, true)]
        }
        "virtio-serial" => &[("controller", None, true), ("bus", None, true), ("port", None, true)],
        "ccid" => &[("controller", None, true), ("slot", None, true)],
        "spapr-vio" => &[("reg", Some(8), false)],
        "ccw" => &[("cssid", Some(1), false), ("ssid", Some(1), false), ("devno", Some(4), false)],
        "isa" => &[("iobase", Some(1), false), ("irq", Some(1), false)],
        "dimm" => &[("slot", None, true), ("base", Some(1), false)],
        _ => &[],
    }
}

fn complete(address: &mut Element) -> Result<()> {
    let kind = address.attribute("type").unwrap_or_default().to_string();
    if kind == "pci" && address.attributes.len() == 1 {
        return Ok(());
    }
    let fields = fields(&kind);
    for (name, digits, filled) in fields {
        complete_field(address, name, *digits, *filled)?;
    }
    match kind.as_str() {
        "pci" => check_pci(address)?,
        "usb" => check_usb(address)?,
        _ => {}
    }
    let keeps = |name: &str| {
        name == "type"
            || fields.iter().any(|(known, ..)| *known == name)
            || (kind == "pci" && name == "multifunction")
            || (kind == "usb" && matches!(name, "bus" | "port"))
    };
    address.attributes.retain(|(name, _)| keeps(name));
    Ok(())
}

fn complete_field(address: &mut Element, name: &str, digits: Option<usize>, filled: bool) -> Result<()> {
    let number = match address.attribute(name) {
        Some(text) => parse_number(text).ok_or_else(|| {
            let refused = invalid_attribute("address", name, text).message;
            let detail = refused.trim_start_matches("XML error: ");
            Error::xml(format!("{detail} Expected non-negative integer value"))
        })?,
        None if filled => 0,
        None => return Ok(()),
    };
    match digits {
        Some(digits) => address.set(name, hexadecimal_text(number, digits)),
        None => address.set(name, number),
    }
    Ok(())
}

/// Refuses a PCI address out of range.
fn check_pci(address: &Element) -> Result<()> {
    let number = |name| address.attribute(name).and_then(parse_number).unwrap_or(0);
    let (domain, bus, slot, function) = (number("domain"), number("bus"), number("slot"), number("function"));
    let refused = |detail: String| Err(Error::xml(format!("Invalid PCI address {detail}")));
    if domain > 0xFFFF {
        return refused(format!("domain='0x{domain:x}', must be <= 0xFFFF"));
    }
    if bus > 0xFF {
        return refused(format!("bus='0x{bus:x}', must be <= 0xFF"));
    }
    if slot > 0x1F {
        return refused(format!("slot='0x{slot:x}', must be <= 0x1F"));
    }
    if function > 7 {
        return refused(format!("function=0x{function:x}, must be <= 7"));
    }
    Ok(())
}

fn check_usb(address: &mut Element) -> Result<()> {
    let port = address.attribute("port").unwrap_or_default();
    let is_path = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    if !port.is_empty() && (port.split('.').count() > 4 || !port.split('.').all(is_path)) {
        return Err(Error::internal("Cannot parse <address> 'port' attribute"));
    }
    complete_field(address, "bus", None, true)
}

/// Writes the PCI address of a host device in its canonical form.
pub(super) fn complete_host_pci(address: &mut Element) -> Result<()> {
    for (name, digits, filled) in PCI {
        complete_field(address, name, *digits, *filled)?;
    }
    check_pci(address)
}
