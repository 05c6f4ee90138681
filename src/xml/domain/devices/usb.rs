//! `<redirdev>` and `<redirfilter>`: USB redirected by a viewer; `<hub>`; `<smartcard>`.

use super::address::ADDRESS;
use super::chardev::{LOG, PROTOCOL, SOURCE};
use super::{ACPI, ALIAS, BOOT};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, one, one_of, shape, text, text_shape, yes_no};

/// `<redirdev>`.
pub static REDIRDEV: Shape = shape("redirdev")
    .attributes(&[one_of("bus", &["usb"]), text("type").required()])
    .children(&[many(&SOURCE), one(&PROTOCOL), one(&LOG), one(&BOOT), one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .before(|device| super::wording::known(device, "bus", &["usb"], "unknown redirdev bus"))
    .after(|device| {
        if device.attribute("bus").is_none() {
            device.set("bus", "usb");
        }
        super::chardev::complete_source(device)
    });

/// `<redirfilter>`.
pub static REDIRFILTER: Shape = shape("redirfilter").children(&[many(&USB_DEVICE)]).unless_empty();
static USB_DEVICE: Shape = shape("usbdev")
    .attributes(&[
        text("class"),
        text("vendor"),
        text("product"),
        text("version"),
        yes_no("allow").required(),
    ])
    .after(|filter| {
        let version = filter.attribute("version").unwrap_or("-1");
        let number = |text: &str| text.parse::<u8>().is_ok();
        if version != "-1"
            && !version.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor))
        {
            return Err(Error::xml(format!("Cannot parse USB device version {version}")));
        }
        for (name, digits) in [("class", 2), ("vendor", 4), ("product", 4)] {
            if let Some(number) = filter.attribute(name).and_then(crate::xml::shape::parse_number) {
                filter.set(name, format!("0x{number:0digits$X}"));
            }
        }
        Ok(())
    });

/// `<hub>`.
pub static HUB: Shape = shape("hub")
    .attributes(&[one_of("type", &["usb"]).required()])
    .children(&[one(&ALIAS), one(&ACPI), one(&ADDRESS)])
    .before(|hub| super::wording::known(hub, "type", &["usb"], "unknown hub device type"));

/// `<smartcard>`.
pub static SMARTCARD: Shape = shape("smartcard")
    .attributes(&[one_of("mode", &["host", "host-certificates", "passthrough"]).required(), text("type")])
    .children(&[
        many(&SOURCE),
        one(&PROTOCOL),
        one(&LOG),
        many(&CERTIFICATE),
        one(&DATABASE),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .after(complete_smartcard);
static CERTIFICATE: Shape = text_shape("certificate");
static DATABASE: Shape = text_shape("database");

fn complete_smartcard(card: &mut Element) -> Result<()> {
    match card.attribute("mode") {
        Some("passthrough") => {
            if card.attribute("type").is_none() {
                return Err(Error::xml("passthrough mode requires a character device type attribute"));
            }
            super::chardev::complete_source(card)
        }
        Some("host-certificates") if card.children("certificate").count() != 3 => {
            Err(Error::xml("host-certificates mode needs exactly three certificates"))
        }
        _ => {
            card.unset("type");
            Ok(())
        }
    }
}
