//! Weights and limits of a domain's input and output on the host's block devices.

use super::definition::{drop_empty, insert_after, number, part};
use super::memory::{Kind, known_parameters};
use crate::error::{Error, Result};
use crate::model::TypedParam;
use crate::xml::Element;

/// The parameters of single devices and the elements they are written as, in their order.
const OF_DEVICES: [(&str, &str); 5] = [
    ("device_weight", "weight"),
    ("device_read_iops_sec", "read_iops_sec"),
    ("device_write_iops_sec", "write_iops_sec"),
    ("device_read_bytes_sec", "read_bytes_sec"),
    ("device_write_bytes_sec", "write_bytes_sec"),
];

/// What a definition sets; devices as `path,value,path,value`.
pub(super) fn parameters(tree: &Element) -> Vec<TypedParam> {
    let weight = number(tree, "blkiotune/weight").and_then(|weight| u32::try_from(weight).ok());
    let mut params = vec![TypedParam::new("weight", weight.unwrap_or(0))];
    for (name, element) in OF_DEVICES {
        let mut pairs = Vec::new();
        for device in tree.child("blkiotune").into_iter().flat_map(|tune| tune.children("device")) {
            if let (Some(path), Some(value)) = (device.child_text("path"), device.child_text(element)) {
                pairs.push(format!("{path},{value}"));
            }
        }
        params.push(TypedParam::new(name, pairs.join(",")));
    }
    params
}

/// One checked change: an element of one device, or the weight of all.
pub(super) enum Change {
    Weight(u32),
    Device(String, usize, u64),
}

/// Checks parameters and says what they change.
pub(super) fn changes(params: &[TypedParam]) -> Result<Vec<Change>> {
    let mut known = OF_DEVICES.map(|(name, _)| (name, Kind::Text)).to_vec();
    known.push(("weight", Kind::UInt));
    known_parameters(params, &known)?;
    let mut changes = Vec::new();
    for param in params {
        match OF_DEVICES.iter().position(|(name, _)| *name == param.name) {
            None => {
                let weight = param.value.as_u64().and_then(|weight| u32::try_from(weight).ok());
                changes.push(Change::Weight(weight.unwrap_or(0)));
            }
            Some(place) => {
                let text = param.value.as_str().unwrap_or_default();
                changes.extend(device_changes(&param.name, place, text)?);
            }
        }
    }
    Ok(changes)
}

fn device_changes(name: &str, place: usize, text: &str) -> Result<Vec<Change>> {
    let words: Vec<&str> = text.split(',').collect();
    if words.len() % 2 != 0 {
        let detail = format!("unable to parse blkio device '{name}' '{text}'");
        return Err(Error::invalid_argument(detail));
    }
    let change = |pair: &[&str]| {
        let narrow = name != "device_read_bytes_sec" && name != "device_write_bytes_sec";
        let value = pair[1].parse::<u64>().ok();
        match value.filter(|value| !narrow || *value <= u64::from(u32::MAX)) {
            Some(value) => Ok(Change::Device(pair[0].to_string(), place, value)),
            None => Err(Error::invalid_argument(format!(
                "invalid value '{}' for parameter '{name}' of device '{}'",
                pair[1], pair[0]
            ))),
        }
    };
    words.chunks(2).map(change).collect()
}

/// Makes the changes; a zero takes a setting away.
pub(super) fn apply(tree: &mut Element, changes: &[Change]) {
    let tune = part(tree, "blkiotune");
    for change in changes {
        match change {
            Change::Weight(weight) => {
                tune.remove("weight");
                if *weight > 0 {
                    insert_after(tune, Element::new("weight").with_text(weight), &[]);
                }
            }
            Change::Device(path, place, value) => set_device(tune, path, *place, *value),
        }
    }
    tune.retain(|element| element.name != "device" || element.elements().count() > 1);
    drop_empty(tree, "blkiotune");
}

fn set_device(tune: &mut Element, path: &str, place: usize, value: u64) {
    let is_it = |element: &Element| element.child_text("path").as_deref() == Some(path);
    if !tune.children("device").any(is_it) {
        tune.push(Element::new("device").with_child(Element::new("path").with_text(path)));
    }
    let found = tune.elements_mut().find(|element| element.name == "device" && is_it(element));
    let Some(device) = found else { return };
    let (_, name) = OF_DEVICES[place];
    device.remove(name);
    if value > 0 {
        let mut before = vec!["path"];
        before.extend(OF_DEVICES[..place].iter().map(|(_, element)| *element));
        insert_after(device, Element::new(name).with_text(value), &before);
    }
}
