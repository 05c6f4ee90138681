//! What a disk may not say of itself: identity, limits and switches that do not fit.

use crate::error::{Error, Result};
use crate::xml::Element;

/// Refuses what does not fit the disk.
pub(super) fn check(disk: &Element) -> Result<()> {
    let device = disk.attribute("device").unwrap_or("disk");
    let bus = disk.child_attribute("target", "bus").unwrap_or_default();
    let name = disk.child_attribute("target", "dev").unwrap_or_default();
    match device {
        "floppy" if !name.starts_with("fd") => {
            return Err(Error::internal(format!("Invalid floppy device name: {name}")));
        }
        "disk" | "lun" if name.starts_with("fd") => {
            return Err(Error::internal(format!("Invalid harddisk device name: {name}")));
        }
        "disk" | "cdrom" | "lun" if bus == "fdc" => {
            return Err(Error::internal("Invalid bus type 'fdc' for disk"));
        }
        _ => {}
    }
    let text = |name: &str| disk.child_text(name).unwrap_or_default();
    if disk.attribute("rawio").is_some() && device != "lun" {
        return Err(Error::unsupported_configuration("rawio can be used only with device='lun'"));
    }
    if disk.child_attribute("target", "removable").is_some() && bus != "usb" && bus != "scsi" {
        return Err(Error::xml("removable is only valid for usb or scsi disks"));
    }
    if disk.child_attribute("target", "tray").is_some() && device != "cdrom" && device != "floppy" {
        return Err(Error::unsupported_configuration("tray is only valid for cdrom and floppy"));
    }
    let wwn = text("wwn");
    let digits = wwn.strip_prefix("0x").unwrap_or(&wwn);
    if !wwn.is_empty() && (digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err(Error::internal(format!("Malformed wwn: {wwn}")));
    }
    for (name, most) in [("vendor", 8), ("product", 16)] {
        if text(name).len() > most {
            let detail = format!("disk {name} is more than {most} characters");
            return Err(Error::unsupported_configuration(detail));
        }
    }
    check_totals(disk)
}

/// A limit of both directions together rules limits of one direction out.
fn check_totals(disk: &Element) -> Result<()> {
    let Some(iotune) = disk.child("iotune") else {
        return Ok(());
    };
    let given = |name: String| iotune.child_text(&name).is_some_and(|text| text.trim() != "0");
    for unit in ["bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"] {
        let single = given(format!("read_{unit}")) || given(format!("write_{unit}"));
        if given(format!("total_{unit}")) && single {
            let detail = format!("total and read/write {unit} cannot be set at the same time");
            return Err(Error::xml(detail));
        }
    }
    Ok(())
}
