//! The addresses that attach-disk takes: `pci:0000.00.0a.0`, `scsi:0.0.1`, `ccw:0xfe.0.0000` …

use crate::xml::Element;
use anyhow::{Result, bail};

/// An address on a kind of bus.
struct DiskAddress {
    bus: Bus,
    element: Element,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bus {
    Pci,
    Ccw,
    Ide,
    Scsi,
    Sata,
    Usb,
}

/// The element `address` for a disk of this target; the bus must be one that such a target sits on.
pub(super) fn parse(text: &str, target: &str, multifunction: bool) -> Result<Element> {
    let Some(address) = read(text) else {
        bail!("Invalid address.");
    };
    let DiskAddress { bus, mut element } = address;
    if target.starts_with("vd") && !matches!(bus, Bus::Pci | Bus::Ccw) {
        bail!("expecting a pci:0000.00.00.00 or ccw:00.0.0000 address.");
    }
    if target.starts_with("sd") && !matches!(bus, Bus::Scsi | Bus::Sata | Bus::Usb) {
        bail!("expecting a scsi:00.00.00 or usb:00.00 or sata:00.00.00 address.");
    }
    if target.starts_with("hd") && bus != Bus::Ide {
        bail!("expecting an ide:00.00.00 address.");
    }
    if bus == Bus::Pci && multifunction {
        element.set("multifunction", "on");
    }
    Ok(element)
}

/// Reads an address; what follows the last number is passed over.
fn read(text: &str) -> Option<DiskAddress> {
    let (kind, numbers) = text.split_once(':')?;
    let (bus, radix, count) = match kind {
        "pci" => (Bus::Pci, 16, 4),
        "ccw" => (Bus::Ccw, 16, 3),
        "ide" => (Bus::Ide, 10, 3),
        "scsi" => (Bus::Scsi, 10, 3),
        "sata" => (Bus::Sata, 10, 3),
        "usb" => (Bus::Usb, 10, 2),
        _ => return None,
    };
    let parts = read_numbers(numbers, radix, count)?;
    let element = match bus {
        Bus::Pci => Element::new("address")
            .with("type", "pci")
            .with("domain", format!("0x{:04x}", parts[0]))
            .with("bus", format!("0x{:02x}", parts[1]))
            .with("slot", format!("0x{:02x}", parts[2]))
            .with("function", format!("0x{:x}", parts[3])),
        Bus::Ccw => Element::new("address")
            .with("type", "ccw")
            .with("cssid", format!("0x{:02x}", parts[0]))
            .with("ssid", format!("0x{:x}", parts[1]))
            .with("devno", format!("0x{:04x}", parts[2])),
        Bus::Usb => Element::new("address").with("type", "usb").with("bus", parts[0]).with("port", parts[1]),
        Bus::Ide | Bus::Scsi | Bus::Sata => Element::new("address")
            .with("type", "drive")
            .with("controller", parts[0])
            .with("bus", parts[1])
            .with("unit", parts[2]),
    };
    Some(DiskAddress { bus, element })
}

/// So many numbers with one character between each two.
fn read_numbers(text: &str, radix: u32, count: usize) -> Option<Vec<u64>> {
    let mut rest = text;
    let mut numbers = Vec::new();
    for place in 0..count {
        if place > 0 {
            let mut characters = rest.chars();
            let separator = characters.next()?;
            if separator.is_digit(radix) || !matches!(separator, '.' | ':') {
                return None;
            }
            rest = characters.as_str();
        }
        if radix == 16 {
            rest = rest.strip_prefix("0x").unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_digit(radix)).unwrap_or(rest.len());
        numbers.push(u64::from_str_radix(&rest[..end], radix).ok()?);
        rest = &rest[end..];
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, target: &str) -> String {
        match parse(text, target, false) {
            Ok(element) => {
                let values = element.attributes.iter().map(|(_, value)| value.as_str());
                values.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn addresses_fit_their_targets() {
        assert_eq!(told("pci:0000.00.0a.0", "vdb"), "pci 0x0000 0x00 0x0a 0x0");
        assert_eq!(told("pci:0000:00:0a.0", "vdb"), "pci 0x0000 0x00 0x0a 0x0");
        assert_eq!(told("ccw:0xfe.0.0001", "vdb"), "ccw 0xfe 0x0 0x0001");
        assert_eq!(told("scsi:0.0.1", "sdb"), "drive 0 0 1");
        assert_eq!(told("ide:0.0.1", "sdb"), told("pci:0.0.0.0", "sdb"));
        assert_eq!(told("usb:0.1", "hdb"), "expecting an ide:00.00.00 address.");
        for bad in ["nope", "usb:1", "pci:zz.0.0.0", "scsi:0xa.1.1", "ide:0.1"] {
            assert_eq!(told(bad, "vdb"), "Invalid address.", "{bad}");
        }
    }
}
