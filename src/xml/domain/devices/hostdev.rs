//! `<hostdev>`: devices of the host handed to the guest.

use super::address::{ADDRESS, HOST_ADDRESS};
use super::disk_source::AUTH;
use super::{ACPI, ALIAS, BOOT, ROM};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{
    Shape, hexadecimal, many, missing_attribute, on_off, one, one_of, shape, text, text_shape, yes_no,
};

/// `<hostdev>`.
pub static HOSTDEV: Shape = shape("hostdev")
    .attributes(&[
        one_of("mode", &["subsystem", "capabilities"]),
        text("type"),
        yes_no("managed"),
        one_of("sgio", &["filtered", "unfiltered"]),
        yes_no("rawio"),
        text("model"),
        on_off("display"),
        on_off("ramfb"),
    ])
    .children(&[
        one(&DRIVER),
        one(&SOURCE),
        one(&TEAMING),
        one(&READ_ONLY),
        one(&SHAREABLE),
        one(&BOOT),
        one(&ALIAS),
        one(&ROM),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .after(complete);

static DRIVER: Shape =
    shape("driver").attributes(&[one_of("name", &["kvm", "vfio", "xen"]), text("model")]).unless_empty();
static SOURCE: Shape = shape("source")
    .attributes(&[
        text("protocol"),
        text("name"),
        text("wwpn"),
        yes_no("writeFiltering"),
        one_of("startupPolicy", &["mandatory", "requisite", "optional"]).omit("default"),
        text("guestReset"),
    ])
    .children(&[
        many(&HOST),
        one(&INITIATOR),
        one(&AUTH),
        one(&ADAPTER),
        one(&VENDOR),
        one(&PRODUCT),
        one(&HOST_ADDRESS),
        one(&BLOCK),
        one(&CHAR),
        one(&INTERFACE),
    ]);
static HOST: Shape =
    shape("host").attributes(&[text("name"), text("port"), text("transport"), text("socket")]);
static INITIATOR: Shape = shape("initiator").children(&[one(&IQN)]);
static IQN: Shape = shape("iqn").attributes(&[text("name")]);
static ADAPTER: Shape = shape("adapter").attributes(&[text("name")]);
static VENDOR: Shape = shape("vendor").attributes(&[hexadecimal("id", 4).required()]);
static PRODUCT: Shape = shape("product").attributes(&[hexadecimal("id", 4).required()]);
static BLOCK: Shape = text_shape("block");
static CHAR: Shape = text_shape("char");
static INTERFACE: Shape = text_shape("interface");
static TEAMING: Shape = shape("teaming").attributes(&[text("type"), text("persistent")]);
static READ_ONLY: Shape = shape("readonly");
static SHAREABLE: Shape = shape("shareable");

const TYPES: &[&str] = &["usb", "pci", "scsi", "scsi_host", "mdev"];
const CAPABILITIES: &[&str] = &["storage", "misc", "net"];

fn complete(device: &mut Element) -> Result<()> {
    let mode = device.attribute("mode").unwrap_or("subsystem").to_string();
    let Some(kind) = device.attribute("type").map(str::to_string) else {
        return Err(Error::xml("missing source address type"));
    };
    let is_subsystem = mode == "subsystem";
    let known = if is_subsystem { TYPES } else { CAPABILITIES };
    if !known.contains(&kind.as_str()) {
        return Err(Error::xml(format!("unknown host device source address type '{kind}'")));
    }
    device.set("mode", &mode);
    if !is_subsystem {
        device.unset("managed");
    } else if device.attribute("managed").is_none() {
        device.set("managed", "no");
    }
    if kind == "mdev" && device.attribute("model").is_none() {
        return Err(missing_attribute("hostdev", "model"));
    }
    let Some(source) = device.child_mut("source") else {
        return Err(Error::xml("Missing <source> element in hostdev device"));
    };
    if kind == "pci" {
        if let Some(address) = source.child_mut("address") {
            address.unset("type");
            super::address::complete_host_pci(address)?;
            HOST_ADDRESS.arrange(address);
        }
    }
    if kind == "usb" && source.child("vendor").is_none() && source.child("address").is_none() {
        return Err(Error::xml("usb device must have either vendor/product or bus/device"));
    }
    Ok(())
}
