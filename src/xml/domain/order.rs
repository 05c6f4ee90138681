//! The order of disks and controllers: libvirt puts each among its kind by its number as it reads them.

use super::devices::disk;
use crate::error::{Error, Result};
use crate::xml::{Element, Node};
use std::collections::HashSet;

/// No machine has room for more devices.
const DEVICES_MAX: usize = 8192;

/// A device, the group it is ordered in and its number there.
struct Numbered {
    group: Option<String>,
    number: Option<i64>,
    element: Element,
}

/// Orders disks and controllers; to be run on the devices as they were written, because a bus that is only implied
/// does not count yet.
pub fn as_written(devices: &mut Element) -> Result<()> {
    let count = devices.elements().count();
    if count > DEVICES_MAX {
        return Err(Error::unsupported_configuration(format!(
            "the definition has {count} devices, more than {DEVICES_MAX}"
        )));
    }
    let mut disks: Vec<Numbered> = Vec::new();
    let mut controllers: Vec<Numbered> = Vec::new();
    let mut rest: Vec<Node> = Vec::new();
    for node in std::mem::take(&mut devices.nodes) {
        match node {
            Node::Element(element) if element.name == "disk" => insert(&mut disks, numbered_disk(element)),
            Node::Element(element) if element.name == "controller" => {
                insert(&mut controllers, numbered_controller(element));
            }
            other => rest.push(other),
        }
    }
    let ordered = disks.into_iter().chain(controllers);
    devices.nodes = ordered.map(|one| Node::Element(one.element)).chain(rest).collect();
    Ok(())
}

/// Adds those of the wanted controllers, by type and index, that are not there yet.
pub fn add_controllers(devices: &mut Element, wanted: &[(&str, u32)]) {
    let mut known: HashSet<(String, i64)> = HashSet::new();
    let mut controllers: Vec<Numbered> = Vec::new();
    for controller in devices.children("controller") {
        let numbered = numbered_controller(controller.clone());
        if let (Some(kind), Some(index)) = (&numbered.group, numbered.number) {
            known.insert((kind.clone(), index));
        }
        controllers.push(numbered);
    }
    for (kind, index) in wanted {
        if known.insert(((*kind).to_string(), i64::from(*index))) {
            let made = Element::new("controller").with("type", kind).with("index", index);
            insert(&mut controllers, numbered_controller(made));
        }
    }
    devices.remove("controller");
    for controller in controllers {
        devices.push(controller.element);
    }
}

fn numbered_disk(disk: Element) -> Numbered {
    let name = disk.child_attribute("target", "dev").unwrap_or_default();
    Numbered {
        group: disk.child_attribute("target", "bus").map(str::to_string),
        number: Some(disk::index_of(name).map_or(-1, i64::from)),
        element: disk,
    }
}

fn numbered_controller(controller: Element) -> Numbered {
    Numbered {
        group: controller.attribute("type").map(str::to_string),
        number: controller.attribute("index").and_then(|text| text.parse().ok()),
        element: controller,
    }
}

/// Puts one among its group: before those with a higher number, or else behind the last; a new group comes last.
/// The first fast USB controller of a number goes before the companions that have it.
fn insert(list: &mut Vec<Numbered>, new: Numbered) {
    let mut place = None;
    let is_fast = |one: &Numbered| one.element.attribute("model") == Some("ich9-ehci1");
    let leads = is_fast(&new) && !list.iter().any(|known| is_fast(known) && known.number == new.number);
    for (at, known) in list.iter().enumerate().rev().filter(|(_, known)| known.group == new.group) {
        match (known.number, new.number) {
            (Some(old), Some(wanted)) if old > wanted => place = Some(at),
            (old, wanted) if leads && old == wanted && is_companion(&known.element) => place = Some(at),
            _ if place.is_none() => place = Some(at + 1),
            _ => {}
        }
    }
    list.insert(place.unwrap_or(list.len()), new);
}

fn is_companion(controller: &Element) -> bool {
    controller.attribute("model").is_some_and(|model| model.starts_with("ich9-uhci"))
}
