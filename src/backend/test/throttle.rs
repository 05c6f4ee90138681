//! Limits of a disk's input and output, kept in its `iotune`.

use super::definition::insert_after;
use super::memory::{Kind, known_parameters};
use super::stats::find_disk;
use crate::error::{Error, Result};
use crate::model::{ParamValue, TypedParam};
use crate::xml::Element;

/// The limits in the order they are told; `group_name` is the only text.
const LIMITS: [&str; 20] = [
    "total_bytes_sec",
    "read_bytes_sec",
    "write_bytes_sec",
    "total_iops_sec",
    "read_iops_sec",
    "write_iops_sec",
    "total_bytes_sec_max",
    "read_bytes_sec_max",
    "write_bytes_sec_max",
    "total_iops_sec_max",
    "read_iops_sec_max",
    "write_iops_sec_max",
    "size_iops_sec",
    "group_name",
    "total_bytes_sec_max_length",
    "read_bytes_sec_max_length",
    "write_bytes_sec_max_length",
    "total_iops_sec_max_length",
    "read_iops_sec_max_length",
    "write_iops_sec_max_length",
];
/// The limits that can have a maximum.
const WITH_MAXIMUM: usize = 6;

fn limit(disk: Option<&Element>, name: &str) -> Option<String> {
    disk.and_then(|disk| disk.child("iotune")?.child_text(name))
}

fn told(disk: Option<&Element>) -> Vec<TypedParam> {
    let param = |name: &&str| match *name {
        "group_name" => TypedParam::new(*name, limit(disk, name).unwrap_or_default()),
        _ => {
            let value = limit(disk, name).and_then(|text| text.parse::<u64>().ok());
            TypedParam::new(*name, value.unwrap_or(0))
        }
    };
    LIMITS.iter().map(param).collect()
}

fn unknown(disk: &str) -> Error {
    Error::invalid_argument(format!("disk '{disk}' was not found in the domain config"))
}

/// The limits of a disk without any.
pub(super) fn none() -> Vec<TypedParam> {
    told(None)
}

/// The limits of a disk.
pub(super) fn read(tree: &Element, disk: &str) -> Result<Vec<TypedParam>> {
    let disk = find_disk(tree, disk).ok_or_else(|| unknown(disk))?;
    Ok(told(Some(disk)))
}

/// Refuses parameters that are no limits.
pub(super) fn check(params: &[TypedParam]) -> Result<()> {
    let kind = |name| match name {
        "group_name" => Kind::Text,
        _ => Kind::ULLong,
    };
    known_parameters(params, &LIMITS.map(|name| (name, kind(name))))
}

/// No limit may be larger.
const MOST: u64 = 1_000_000_000_000_000;

/// Refuses a limit beyond all reason.
fn check_size(params: &[TypedParam]) -> Result<()> {
    match params.iter().filter_map(|param| param.value.as_u64()).any(|value| value > MOST) {
        true => Err(Error::new(
            crate::error::ErrorCode::ARGUMENT_UNSUPPORTED,
            format!("block I/O throttle limit value must be no more than {MOST}"),
        )),
        false => Ok(()),
    }
}

/// Refuses limits that contradict each other.
fn check_together(limits: &[TypedParam]) -> Result<()> {
    let value = |name: &str| TypedParam::find(limits, name).and_then(ParamValue::as_u64).unwrap_or(0);
    for unit in ["bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"] {
        let single = value(&format!("read_{unit}")) + value(&format!("write_{unit}"));
        if value(&format!("total_{unit}")) > 0 && single > 0 {
            let detail = format!("total and read/write of {unit} cannot be set at the same time");
            return Err(Error::invalid_argument(detail));
        }
    }
    for name in &LIMITS[..WITH_MAXIMUM] {
        let maximum = format!("{name}_max");
        if value(name) > value(&maximum) {
            let detail = format!("{name} cannot be set higher than {maximum}");
            return Err(Error::invalid_argument(detail));
        }
    }
    Ok(())
}

/// Sets limits; those not named stay. Answers with the disk's target.
pub(super) fn write(tree: &mut Element, disk: &str, params: &[TypedParam]) -> Result<String> {
    let found = find_disk(tree, disk).ok_or_else(|| unknown(disk))?;
    let target = found.child_attribute("target", "dev").unwrap_or_default().to_string();
    check_size(params)?;
    let mut limits = told(Some(found));
    for param in params {
        if let Some(limit) = limits.iter_mut().find(|limit| limit.name == param.name) {
            limit.value = param.value.clone();
        }
    }
    check_together(&limits)?;
    let mut iotune = Element::new("iotune");
    for limit in limits {
        let text = limit.value.to_string();
        if !text.is_empty() && text != "0" {
            iotune.push(Element::new(limit.name).with_text(text));
        }
    }
    let devices = tree.child_mut("devices");
    let disks = devices.into_iter().flat_map(Element::elements_mut);
    let is_it = |disk: &&mut Element| {
        disk.name == "disk" && disk.child_attribute("target", "dev") == Some(target.as_str())
    };
    for disk in disks.filter(is_it) {
        disk.remove("iotune");
        if iotune.elements().next().is_some() {
            let before = [
                "driver",
                "auth",
                "source",
                "mirror",
                "backingStore",
                "backenddomain",
                "geometry",
                "blockio",
                "target",
            ];
            insert_after(disk, iotune.clone(), &before);
        }
    }
    Ok(target)
}
