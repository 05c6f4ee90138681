//! The bandwidth that a domain's network interface may use.

use super::definition::insert_after;
use super::stats::{find_interface, is_interface, unknown_interface};
use crate::error::Result;
use crate::model::{ParamValue, TypedParam};
use crate::xml::Element;

/// The parameters in the order they are told: direction and figure.
pub(super) const NAMES: [&str; 7] = [
    "inbound.average",
    "inbound.peak",
    "inbound.burst",
    "inbound.floor",
    "outbound.average",
    "outbound.peak",
    "outbound.burst",
];
/// The figures in the order they are written.
const WRITTEN: [&str; 4] = ["average", "peak", "floor", "burst"];

fn figure(interface: &Element, name: &str) -> u32 {
    let parts = name.split_once('.');
    let value = parts
        .and_then(|(direction, figure)| interface.child("bandwidth")?.child_attribute(direction, figure));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn told(interface: &Element) -> Vec<TypedParam> {
    NAMES.iter().map(|name| TypedParam::new(*name, figure(interface, name))).collect()
}

/// The bandwidth of an interface; zero is no limit.
pub(super) fn read(tree: &Element, device: &str) -> Result<Vec<TypedParam>> {
    let interface = find_interface(tree, device).ok_or_else(|| unknown_interface(device))?;
    Ok(told(interface))
}

/// Sets the directions that parameters name; an average of zero (and no floor) lifts a direction's limits.
pub(super) fn write(tree: &mut Element, device: &str, params: &[TypedParam]) {
    let devices = tree.child_mut("devices").into_iter().flat_map(Element::elements_mut);
    let found = devices.into_iter().find(|found| found.name == "interface" && is_interface(found, device));
    let Some(interface) = found else { return };
    let old = told(interface);
    let mut bandwidth = Element::new("bandwidth");
    for direction in ["inbound", "outbound"] {
        let prefix = format!("{direction}.");
        let named = params.iter().any(|param| param.name.starts_with(&prefix));
        // What a direction had is forgotten when anything of it is set.
        let source = if named { params } else { old.as_slice() };
        let value = |figure: &&str| {
            let value = TypedParam::find(source, &format!("{prefix}{figure}"));
            (figure.to_string(), value.and_then(ParamValue::as_u64).unwrap_or(0))
        };
        let mut limits = Element::new(direction);
        for (figure, value) in WRITTEN.iter().map(value).filter(|(_, value)| *value > 0) {
            limits.set(&figure, value);
        }
        if limits.attribute("average").is_some() || limits.attribute("floor").is_some() {
            bandwidth.push(limits);
        }
    }
    interface.remove("bandwidth");
    if bandwidth.elements().next().is_some() {
        insert_after(interface, bandwidth, &["mac", "source", "backend", "virtualport", "portForwarding"]);
    }
}
