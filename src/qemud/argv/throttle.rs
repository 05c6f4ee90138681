//! The limits of a disk's throughput: as definitions, clients and QEMU name them.

use super::builder::alias;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::TypedParam;
use crate::xml::domain::devices::DEVICES;
use crate::xml::{Element, Node};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One limit.
pub struct Limit {
    /// Its name in definitions and on the wire.
    pub name: &'static str,
    /// What QEMU calls it.
    qemu: &'static str,
    /// Limits of one family are set together: naming one takes back the others.
    family: u8,
}

const fn limit(name: &'static str, qemu: &'static str, family: u8) -> Limit {
    Limit { name, qemu, family }
}

/// Families whose members are independent of each other.
const APART: u8 = 0;

/// All limits in their order.
pub const LIMITS: &[Limit] = &[
    limit("total_bytes_sec", "bps", 1),
    limit("read_bytes_sec", "bps_rd", 1),
    limit("write_bytes_sec", "bps_wr", 1),
    limit("total_iops_sec", "iops", 2),
    limit("read_iops_sec", "iops_rd", 2),
    limit("write_iops_sec", "iops_wr", 2),
    limit("total_bytes_sec_max", "bps_max", 3),
    limit("read_bytes_sec_max", "bps_rd_max", 3),
    limit("write_bytes_sec_max", "bps_wr_max", 3),
    limit("total_iops_sec_max", "iops_max", 4),
    limit("read_iops_sec_max", "iops_rd_max", 4),
    limit("write_iops_sec_max", "iops_wr_max", 4),
    limit("size_iops_sec", "iops_size", APART),
    limit("group_name", "group", APART),
    limit("total_bytes_sec_max_length", "bps_max_length", APART),
    limit("read_bytes_sec_max_length", "bps_rd_max_length", APART),
    limit("write_bytes_sec_max_length", "bps_wr_max_length", APART),
    limit("total_iops_sec_max_length", "iops_max_length", APART),
    limit("read_iops_sec_max_length", "iops_rd_max_length", APART),
    limit("write_iops_sec_max_length", "iops_wr_max_length", APART),
];

/// The limits of one disk; what is not there is no limit.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Limits {
    numbers: BTreeMap<&'static str, u64>,
    /// The group of disks that share them.
    pub group: Option<String>,
}

/// Reads what a disk's definition says.
pub fn from_definition(disk: &Element) -> Limits {
    let mut limits = Limits::default();
    let Some(tune) = disk.child("iotune") else {
        return limits;
    };
    for limit in LIMITS {
        let Some(text) = tune.child_text(limit.name) else { continue };
        match text.trim().parse::<u64>() {
            Ok(number) if limit.name != "group_name" => limits.set(limit.name, number),
            _ if limit.name == "group_name" => limits.group = Some(text.trim().to_string()),
            _ => {}
        }
    }
    limits
}

/// Reads what QEMU says of a medium (`inserted` in `query-block`).
pub fn from_qemu(inserted: &Value) -> Limits {
    let mut limits = Limits::default();
    for limit in LIMITS {
        match inserted.get(limit.qemu) {
            Some(Value::String(group)) => limits.group = Some(group.clone()),
            // A burst that is not limited has no length.
            Some(number) if !limit.name.ends_with("_length") || limits.has_burst(limit.name) => {
                limits.set(limit.name, number.as_u64().unwrap_or(0));
            }
            _ => {}
        }
    }
    limits
}

/// What limits a disk once it is there.
pub fn commands_for(disk: &Element) -> Vec<(&'static str, Value)> {
    let limits = from_definition(disk);
    match limits == Limits::default() {
        true => Vec::new(),
        false => vec![("block_set_io_throttle", limits.command(disk))],
    }
}

impl Limits {
    /// A limit; 0 for none.
    pub fn number(&self, name: &str) -> u64 {
        self.numbers.get(name).copied().unwrap_or(0)
    }

    fn set(&mut self, name: &'static str, number: u64) {
        match number {
            0 => self.numbers.remove(name),
            _ => self.numbers.insert(name, number),
        };
    }

    fn has_burst(&self, length: &str) -> bool {
        self.number(length.trim_end_matches("_length")) > 0
    }

    /// These limits with what a client wants otherwise.
    pub fn changed(&self, params: &[TypedParam]) -> Result<Limits> {
        let bad = |detail: String| Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU);
        let mut new = self.clone();
        for param in params {
            let limit = LIMITS.iter().find(|limit| limit.name == param.name);
            let limit = limit.ok_or_else(|| bad(format!("parameter '{}' not supported", param.name)))?;
            if limit.family != APART {
                let others = LIMITS.iter().filter(|other| other.family == limit.family);
                for other in others.filter(|other| !params.iter().any(|param| param.name == other.name)) {
                    new.set(other.name, 0);
                }
            }
            match param.value.as_u64() {
                Some(number) => new.set(limit.name, number),
                None => new.group = param.value.as_str().filter(|name| !name.is_empty()).map(str::to_string),
            }
        }
        new.check()?;
        Ok(new)
    }

    fn check(&self) -> Result<()> {
        for unit in ["bytes_sec", "iops_sec", "bytes_sec_max", "iops_sec_max"] {
            let each = |kind: &str| self.number(&format!("{kind}_{unit}"));
            if each("total") > 0 && (each("read") > 0 || each("write") > 0) {
                let detail = format!("total and read/write of {unit} cannot be set at the same time");
                return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
            }
        }
        let refuse =
            |detail: String| Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::QEMU));
        for limit in LIMITS.iter().filter(|limit| limit.name.ends_with("_max")) {
            let base = limit.name.trim_end_matches("_max");
            let (most, usual) = (self.number(limit.name), self.number(base));
            if most > 0 && usual == 0 {
                return refuse(format!("cannot reset '{base}' when '{}' is set", limit.name));
            }
            if most > 0 && most < usual {
                return refuse(format!("value '{}' cannot be smaller than '{base}'", limit.name));
            }
        }
        Ok(())
    }

    /// The arguments of the monitor's command for a disk.
    pub fn command(&self, disk: &Element) -> Value {
        let alias = alias(disk);
        let is_virtio = disk.child_attribute("target", "bus") == Some("virtio");
        let id = match is_virtio {
            true => format!("/machine/peripheral/{alias}/virtio-backend"),
            false => alias.to_string(),
        };
        let mut arguments = json!({ "id": id });
        for limit in LIMITS {
            let required = matches!(limit.family, 1 | 2);
            let number = self.number(limit.name);
            if limit.name == "group_name" {
                if let Some(group) = &self.group {
                    arguments[limit.qemu] = json!(group);
                }
            } else if required || number > 0 {
                arguments[limit.qemu] = json!(number);
            }
        }
        arguments
    }

    /// Writes them into the definition of the disk with this target.
    pub fn write(&self, tree: &mut Element, target: &str) {
        let devices = tree.child_mut("devices").into_iter().flat_map(Element::elements_mut);
        let mut disks = devices.filter(|device| device.name == "disk");
        let Some(disk) = disks.find(|disk| disk.child_attribute("target", "dev") == Some(target)) else {
            return;
        };
        disk.remove("iotune");
        let mut tune = Element::new("iotune");
        for limit in LIMITS {
            let text = match limit.name {
                "group_name" => self.group.clone(),
                name => self.numbers.get(name).map(u64::to_string),
            };
            if let Some(text) = text {
                tune.nodes.push(Node::Element(Element::new(limit.name).with_text(text)));
            }
        }
        if !tune.nodes.is_empty() {
            disk.nodes.push(Node::Element(tune));
        }
        if let Some(shape) = DEVICES.child("disk") {
            shape.arrange(disk);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(params: &[(&str, u64)], old: &Limits) -> Result<Limits> {
        let params: Vec<TypedParam> =
            params.iter().map(|(name, value)| TypedParam::new(*name, *value)).collect();
        old.changed(&params)
    }

    #[test]
    fn a_family_is_set_together() {
        let first = limits(&[("total_bytes_sec", 9), ("size_iops_sec", 4)], &Limits::default()).unwrap();
        let second = limits(&[("read_bytes_sec", 5)], &first).unwrap();
        assert_eq!((second.number("total_bytes_sec"), second.number("read_bytes_sec")), (0, 5));
        assert_eq!(second.number("size_iops_sec"), 4);
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let none = Limits::default();
        let both = limits(&[("total_bytes_sec", 9), ("read_bytes_sec", 4)], &none).unwrap_err().to_string();
        assert_eq!(
            both,
            "invalid argument: total and read/write of bytes_sec cannot be set at the same time"
        );
        let bare = limits(&[("read_iops_sec_max", 9)], &none).unwrap_err().to_string();
        assert_eq!(
            bare,
            "unsupported configuration: cannot reset 'read_iops_sec' when 'read_iops_sec_max' is set"
        );
        let small = limits(&[("read_iops_sec", 9), ("read_iops_sec_max", 8)], &none).unwrap_err().to_string();
        assert!(
            small.ends_with("value 'read_iops_sec_max' cannot be smaller than 'read_iops_sec'"),
            "{small}"
        );
    }

    #[test]
    fn a_definition_keeps_them() {
        let text = "<domain><devices><disk><source file='/x'/><target dev='vda' bus='virtio'/><alias name='a'/></disk></devices></domain>";
        let mut tree = crate::xml::parse(text, "x").unwrap();
        let wanted =
            limits(&[("write_iops_sec", 50), ("write_iops_sec_max", 100)], &Limits::default()).unwrap();
        wanted.write(&mut tree, "vda");
        let disk = tree.find("devices/disk").unwrap();
        assert_eq!(from_definition(disk), wanted);
        let names: Vec<&str> = disk.elements().map(|element| element.name.as_str()).collect();
        assert_eq!(names, ["source", "target", "iotune", "alias"]);
        assert_eq!(wanted.command(disk)["id"], "/machine/peripheral/a/virtio-backend");
    }
}
