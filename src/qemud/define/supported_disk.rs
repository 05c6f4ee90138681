//! Which disks can be honoured.

use super::board::Board;
use super::refuse;
use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;

/// Image formats that are opened read-write.
pub const FORMATS: &[&str] = &["raw", "qcow2"];

/// What may stand in a disk.
const CHILDREN: &[&str] = &[
    "driver",
    "source",
    "target",
    "readonly",
    "shareable",
    "serial",
    "wwn",
    "boot",
    "alias",
    "address",
    "iotune",
    "backingStore",
    "blockio",
    "geometry",
    "vendor",
    "product",
    "transient",
    "encryption",
    "auth",
    "mirror",
    "throttlefilters",
];

/// What may stand in a disk and is not honoured.
const REFUSED: &[&str] = &["transient", "encryption", "auth", "mirror", "throttlefilters"];

/// Refuses an attribute whose value is none of these.
fn known(element: &Element, attribute: &str, values: &[&str]) -> Result<()> {
    match element.attribute(attribute) {
        Some(value) if !values.contains(&value) => Err(refuse::value(element, attribute, value)),
        _ => Ok(()),
    }
}

/// Checks one disk.
pub fn check(disk: &Element, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    known(disk, "type", &["file", "block", "network"])?;
    known(disk, "device", &["disk", "cdrom", "floppy"])?;
    known(disk, "snapshot", &["internal", "external", "no"])?;
    if let Some(child) = disk
        .elements()
        .find(|child| !CHILDREN.contains(&child.name.as_str()) || REFUSED.contains(&child.name.as_str()))
    {
        return Err(refuse::element(child));
    }
    let Some(target) = disk.child("target") else {
        return Err(Error::xml("missing target information for disk"));
    };
    known(target, "bus", &["virtio", "scsi", "sata", "usb", "ide", "fdc"])?;
    if let Some(driver) = disk.child("driver") {
        check_driver(driver)?;
    }
    if disk.attribute("sgio").is_some() {
        return Err(Error::unsupported_configuration("sgio can be used only with device='lun'"));
    }
    source(disk)?;
    if target.attribute("bus") == Some("ide") && !board.family.is_i440fx {
        let detail = "IDE controllers are unsupported for this QEMU binary or machine type";
        return Err(Error::unsupported_configuration(detail));
    }
    device(disk, capabilities)
}

fn check_driver(driver: &Element) -> Result<()> {
    known(driver, "name", &["qemu"])?;
    known(driver, "type", FORMATS)?;
    known(driver, "cache", &["default", "none", "writethrough", "writeback", "directsync", "unsafe"])?;
    known(driver, "io", &["native", "threads", "io_uring"])?;
    known(driver, "discard", &["unmap", "ignore"])?;
    known(driver, "detect_zeroes", &["off", "on", "unmap"])?;
    known(driver, "error_policy", &["stop", "report", "ignore", "enospace"])?;
    known(driver, "rerror_policy", &["stop", "report", "ignore"])?;
    let direct = matches!(driver.attribute("cache"), Some("none" | "directsync"));
    if driver.attribute("io") == Some("native") && !direct {
        return Err(Error::unsupported_configuration(
            "io='native' needs either no disk cache or directsync cache mode",
        ));
    }
    Ok(())
}

fn source(disk: &Element) -> Result<()> {
    let Some(source) = disk.child("source") else {
        return match disk.attribute("device") {
            Some("cdrom" | "floppy") => Ok(()),
            _ => Err(Error::internal(format!(
                "Missing source of disk '{}'",
                disk.child_attribute("target", "dev").unwrap_or_default()
            ))),
        };
    };
    let known = [
        "seclabel",
        "host",
        "reservations",
        "encryption",
        "ssl",
        "identity",
        "cookies",
        "timeout",
        "readahead",
        "slices",
    ];
    for child in source.elements() {
        if !known.contains(&child.name.as_str()) || !matches!(child.name.as_str(), "seclabel" | "host") {
            return Err(refuse::element(child));
        }
    }
    match (disk.attribute("type"), source.attribute("protocol")) {
        (Some("network"), Some("nbd" | "http" | "https")) => Ok(()),
        (Some("network"), Some(other)) => Err(refuse::value(source, "protocol", other)),
        (Some("network"), None) => Err(Error::xml("missing network source protocol type")),
        _ => Ok(()),
    }
}

fn device(disk: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    let bus = disk.child_attribute("target", "bus").unwrap_or_default();
    let kind = disk.attribute("device").unwrap_or("disk");
    if disk.child("wwn").is_some() && !matches!(bus, "ide" | "scsi") {
        return Err(Error::unsupported_configuration("Only ide and scsi disk support wwn"));
    }
    match (kind, bus) {
        ("floppy", other) if other != "fdc" => {
            Err(Error::unsupported_configuration(format!("unexpected bus type '{other}' for floppy disk")))
        }
        ("cdrom", "virtio") => {
            Err(Error::unsupported_configuration("disk type 'virtio' of 'cdrom' is not supported"))
        }
        (_, "virtio") if !capabilities.has_type("virtio-blk-device") => {
            Err(Error::unsupported_configuration("virtio disks are not supported with this QEMU"))
        }
        _ => Ok(()),
    }
}
