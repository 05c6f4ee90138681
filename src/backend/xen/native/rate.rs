//! The limit of what an interface sends, `rate=10Mb/s@20ms`, as `<bandwidth>`.

use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::Element;

/// The element of a rate in the notation of Xen's tools; none for one that is too small to be told.
pub fn read(rate: &str) -> Result<Option<Element>> {
    let invalid = || {
        let detail = format!("Invalid rate '{rate}' specified");
        Error::internal(detail).from_origin(ErrorOrigin::XEN)
    };
    let average = kilobytes_a_second(rate).ok_or_else(invalid)?;
    let limit = || Element::new("bandwidth").with_child(Element::new("outbound").with("average", average));
    Ok((average > 0).then(limit))
}

/// A rate such as `10Mb/s`, `1GB/s`, `500KB/s@20ms` in kilobytes a second; these tools count in steps of 1024.
fn kilobytes_a_second(rate: &str) -> Option<u64> {
    let rate = rate.split('@').next()?.trim().strip_suffix("/s")?;
    let digits = rate.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = rate[..digits].parse().ok()?;
    let (unit, bits) = match rate[digits..].strip_suffix('b') {
        Some(unit) => (unit, true),
        None => (rate[digits..].strip_suffix('B')?, false),
    };
    let kilobytes = match unit {
        "" => number / 1000,
        "K" => number,
        "M" => number.checked_mul(1 << 10)?,
        "G" => number.checked_mul(1 << 20)?,
        _ => return None,
    };
    Some(if bits { kilobytes / 8 } else { kilobytes })
}

/// The notation of an interface's limit, if it has one. Xen limits the average of what a guest sends and nothing
/// else; the error is what else was asked for.
pub fn write(interface: &Element) -> std::result::Result<Option<String>, &'static str> {
    let Some(bandwidth) = interface.child("bandwidth") else { return Ok(None) };
    if bandwidth.child("inbound").is_some() {
        return Err("an <inbound> limit");
    }
    let Some(outbound) = bandwidth.child("outbound") else { return Ok(None) };
    match (outbound.attribute("peak"), outbound.attribute("burst"), outbound.attribute("average")) {
        (None, None, Some(average)) => Ok(Some(format!("{average}KB/s"))),
        (None, None, None) => Ok(None),
        _ => Err("the peak or burst of an <outbound> limit"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_and_written() {
        for (rate, average) in [
            ("10Mb/s", 1280),
            ("1GB/s", 1 << 20),
            ("500KB/s@20ms", 500),
            ("8000b/s", 1),
            ("16Kb/s", 2),
            ("3MB/s", 3072),
            ("2000B/s", 2),
            ("1Gb/s", 131_072),
        ] {
            let interface = Element::new("interface").with_child(read(rate).unwrap().unwrap());
            assert_eq!(write(&interface).unwrap(), Some(format!("{average}KB/s")), "{rate}");
        }
        assert_eq!(read("7Kb/s").unwrap(), None);
        for wrong in ["", "10", "fast", "10MB", "10Tb/s", "99999999999999999999b/s", "99999999999999999GB/s"]
        {
            let error = read(wrong).unwrap_err().to_string();
            assert_eq!(error, format!("internal error: Invalid rate '{wrong}' specified"));
        }
    }

    #[test]
    fn what_xen_does_not_limit_is_named() {
        let limited = |inner: Element| {
            Element::new("interface").with_child(Element::new("bandwidth").with_child(inner))
        };
        assert!(write(&limited(Element::new("inbound").with("average", 1))).unwrap_err().contains("inbound"));
        let peak = Element::new("outbound").with("average", 1).with("peak", 2);
        assert!(write(&limited(peak)).unwrap_err().contains("peak"));
        assert_eq!(write(&Element::new("interface")), Ok(None));
    }
}
