//! The limit of what an interface sends, `rate=10Mb/s@20ms`, as `<bandwidth>`.

use crate::xml::Element;

/// The element of a rate in the notation of Xen's tools; nothing for what cannot be read.
pub fn read(rate: &str) -> Option<Element> {
    let average = kilobytes_a_second(rate)?;
    Some(Element::new("bandwidth").with_child(Element::new("outbound").with("average", average)))
}

/// A rate such as `10Mb/s`, `1GB/s`, `500KB/s@20ms` in kilobytes a second.
fn kilobytes_a_second(rate: &str) -> Option<u64> {
    let rate = rate.split('@').next()?.trim();
    let digits = rate.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = rate[..digits].parse().ok()?;
    let bits = match rate[digits..].trim_end_matches("/s") {
        "b" => number,
        "Kb" => number.checked_mul(1_000)?,
        "Mb" => number.checked_mul(1_000_000)?,
        "Gb" => number.checked_mul(1_000_000_000)?,
        "B" => number.checked_mul(8)?,
        "KB" => number.checked_mul(8_000)?,
        "MB" => number.checked_mul(8_000_000)?,
        "GB" => number.checked_mul(8_000_000_000)?,
        _ => return None,
    };
    Some(bits / 8_000)
}

/// The notation of an interface's limit, if it has one. Xen limits the average of what a guest sends and nothing
/// else; the error is what else was asked for.
pub fn write(interface: &Element) -> Result<Option<String>, &'static str> {
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
            ("10Mb/s", 1250),
            ("1GB/s", 1_000_000),
            ("500KB/s@20ms", 500),
            ("8000b/s", 1),
            ("16Kb/s", 2),
            ("3MB/s", 3000),
            ("2000B/s", 2),
            ("1Gb/s", 125_000),
        ] {
            let interface = Element::new("interface").with_child(read(rate).unwrap());
            assert_eq!(write(&interface).unwrap(), Some(format!("{average}KB/s")), "{rate}");
        }
        for wrong in ["", "10", "fast", "10Tb/s", "99999999999999999999b/s", "99999999999999999GB/s"] {
            assert_eq!(read(wrong), None, "{wrong}");
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
