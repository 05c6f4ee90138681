//! Virtual CPUs: how many, and where they may run.

use super::bits::{map_of, numbers_of, parse_ranges};
use super::definition::{self, insert_after, part};
use crate::model::{NodeInfo, ranges};
use crate::xml::Element;

/// All children of `cputune` that this driver adds, in their order.
const TUNES: &[&str] = &[
    "shares",
    "period",
    "quota",
    "global_period",
    "global_quota",
    "emulator_period",
    "emulator_quota",
    "iothread_period",
    "iothread_quota",
    "vcpupin",
    "emulatorpin",
    "iothreadpin",
];

/// The CPUs that a node's figures leave room for.
pub(super) fn host_cpus(node: &NodeInfo) -> usize {
    let product = [node.nodes, node.sockets, node.cores, node.threads];
    product.iter().map(|number| usize::try_from(*number).unwrap_or(0)).product()
}

/// Sets the number of virtual CPUs that a domain has.
pub(super) fn set_count(tree: &mut Element, count: u32) {
    let most = definition::max_vcpus(tree);
    let vcpu = part(tree, "vcpu");
    match count == most {
        true => vcpu.unset("current"),
        false => vcpu.set("current", count),
    }
}

/// Sets the number of virtual CPUs that a domain may have; it cannot have more, nor places for more.
pub(super) fn set_most(tree: &mut Element, most: u32) {
    let count = definition::vcpus(tree).min(most);
    part(tree, "vcpu").set_text(most);
    set_count(tree, count);
    if let Some(tune) = tree.child_mut("cputune") {
        let beyond = |pin: &Element| {
            let vcpu = pin.attribute("vcpu").and_then(|vcpu| vcpu.parse::<u32>().ok());
            pin.name == "vcpupin" && vcpu.is_some_and(|vcpu| vcpu >= most)
        };
        tune.retain(|element| !beyond(element));
    }
    definition::drop_empty(tree, "cputune");
}

/// The host CPUs that all of a domain may use unless something is pinned elsewhere.
fn allowed(tree: &Element) -> Option<Vec<usize>> {
    let cpus = tree.child_attribute("vcpu", "cpuset")?;
    parse_ranges(cpus).ok()
}

/// The pin of a kind (`vcpupin`, `emulatorpin`, `iothreadpin`) and number.
fn pin_of(tree: &Element, kind: &str, numbered: Option<(&str, u32)>) -> Option<Vec<usize>> {
    let wanted = numbered.map(|(attribute, number)| (attribute, number.to_string()));
    let is_it = |pin: &&Element| match &wanted {
        Some((attribute, number)) => pin.attribute(attribute) == Some(number),
        None => true,
    };
    let tune = tree.child("cputune")?;
    let pin = tune.children(kind).find(is_it)?;
    parse_ranges(pin.attribute("cpuset")?).ok()
}

/// The host CPUs that a virtual one may run on.
pub(super) fn vcpu_affinity(tree: &Element, vcpu: u32, host_cpus: usize) -> Vec<usize> {
    let pinned = pin_of(tree, "vcpupin", Some(("vcpu", vcpu)));
    pinned.or_else(|| allowed(tree)).unwrap_or_else(|| (0..host_cpus).collect())
}

/// The host CPUs that the emulator may run on.
pub(super) fn emulator_affinity(tree: &Element, host_cpus: usize) -> Vec<usize> {
    let pinned = pin_of(tree, "emulatorpin", None);
    pinned.or_else(|| allowed(tree)).unwrap_or_else(|| (0..host_cpus).collect())
}

/// The host CPUs that an I/O thread may run on: without any word on it, as many as there are virtual ones.
pub(super) fn iothread_affinity(tree: &Element, iothread: u32) -> Vec<usize> {
    let pinned = pin_of(tree, "iothreadpin", Some(("iothread", iothread)));
    let count = definition::vcpus(tree) as usize;
    pinned.or_else(|| allowed(tree)).unwrap_or_else(|| (0..count).collect())
}

/// Pins something to the CPUs of a map.
pub(super) fn pin(tree: &mut Element, kind: &str, numbered: Option<(&str, u32)>, map: &[u8]) {
    unpin(tree, kind, numbered);
    let mut pin = Element::new(kind);
    if let Some((attribute, number)) = numbered {
        pin.set(attribute, number);
    }
    pin.set("cpuset", ranges(&numbers_of(map)));
    let tune = part(tree, "cputune");
    // Pins of a kind stand in the order of what they pin.
    let number_of = |element: &Element, attribute: &str| {
        element.attribute(attribute).and_then(|number| number.parse::<u32>().ok())
    };
    let later = numbered.and_then(|(attribute, number)| {
        let is_later = |node: &crate::xml::Node| match node {
            crate::xml::Node::Element(element) => {
                element.name == kind && number_of(element, attribute) > Some(number)
            }
            crate::xml::Node::Text(_) => false,
        };
        tune.nodes.iter().position(is_later)
    });
    match later {
        Some(at) => tune.nodes.insert(at, crate::xml::Node::Element(pin)),
        None => {
            let place = TUNES.iter().position(|tune| *tune == kind).unwrap_or(0);
            insert_after(tune, pin, &TUNES[..=place]);
        }
    }
}

/// Takes a pin away.
pub(super) fn unpin(tree: &mut Element, kind: &str, numbered: Option<(&str, u32)>) {
    let wanted = numbered.map(|(attribute, number)| (attribute, number.to_string()));
    let is_it = |pin: &Element| {
        let right = match &wanted {
            Some((attribute, number)) => pin.attribute(attribute) == Some(number),
            None => true,
        };
        pin.name == kind && right
    };
    if let Some(tune) = tree.child_mut("cputune") {
        tune.retain(|element| !is_it(element));
    }
    definition::drop_empty(tree, "cputune");
}

/// The maps of CPUs 0 to `count`, one after the other, each `length` bytes long.
pub(super) fn affinity_maps(tree: &Element, count: u32, host_cpus: usize, length: usize) -> Vec<u8> {
    let map = |vcpu| map_of(&vcpu_affinity(tree, vcpu, host_cpus), length);
    (0..count).flat_map(map).collect()
}
