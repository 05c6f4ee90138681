//! What a domain may have only one of, and what must not be said twice.

use crate::error::{Error, Result};
use crate::xml::Element;
use std::collections::HashSet;

/// A device, and how a second one is refused.
type Single = (&'static str, fn(&str) -> Error, &'static str);

/// The devices of which there may be one.
const SINGLE: &[Single] = &[
    ("memballoon", |text| Error::internal(text), "only a single memory balloon device is supported"),
    ("nvram", |text| Error::internal(text), "only a single nvram device is supported"),
    ("redirfilter", |text| Error::internal(text), "only one set of redirection filter rule is supported"),
    ("vsock", |text| Error::xml(text), "only a single vsock device is supported"),
    ("iommu", |text| Error::xml(text), "only a single IOMMU device is supported"),
];

/// Refuses what is there too often, in a definition as it was written.
pub fn check(tree: &Element) -> Result<()> {
    let Some(devices) = tree.child("devices") else {
        return Ok(());
    };
    for (name, refusal, text) in SINGLE {
        if devices.children(name).nth(1).is_some() {
            return Err(refusal(text));
        }
    }
    let mut audio = HashSet::new();
    for id in devices.children("audio").filter_map(|audio| audio.attribute("id")) {
        if !audio.insert(id) {
            return Err(Error::xml(format!("audio ID {id} is used multiple times")));
        }
    }
    let mut panics = HashSet::new();
    for model in devices.children("panic").map(|panic| panic.attribute("model").unwrap_or("default")) {
        if !panics.insert(model) {
            return Err(Error::xml(format!("Multiple panic devices with model '{model}'")));
        }
    }
    let primary = |video: &&Element| video.child_attribute("model", "primary") == Some("yes");
    if devices.children("video").filter(primary).nth(1).is_some() {
        return Err(Error::unsupported_configuration("Only one primary video device is supported"));
    }
    check_throttle_filters(tree, devices)
}

/// Every throttle group that a disk names must be there, and be named once.
fn check_throttle_filters(tree: &Element, devices: &Element) -> Result<()> {
    let groups: HashSet<String> = tree
        .child("throttlegroups")
        .into_iter()
        .flat_map(|groups| groups.children("throttlegroup"))
        .filter_map(|group| group.child_text("group_name"))
        .collect();
    for disk in devices.children("disk") {
        let mut seen = HashSet::new();
        let filters = disk.child("throttlefilters").into_iter();
        for filter in filters.flat_map(|filters| filters.children("throttlefilter")) {
            let group = filter.attribute("group").unwrap_or_default();
            if !seen.insert(group) {
                return Err(Error::xml(format!("duplicate filter name '{group}' found")));
            }
        }
        if let Some(group) = seen.into_iter().find(|group| !groups.contains(*group)) {
            return Err(Error::xml(format!("throttle group '{group}' not found")));
        }
    }
    Ok(())
}
