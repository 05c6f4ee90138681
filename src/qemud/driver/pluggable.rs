//! What may come and go while a guest runs, and what a device brings with it.

use super::QemuConnection;
use super::devices::{check_free, identity, is_same};
use super::hotplug::unsupported;
use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::Element;
use crate::xml::domain::variants::insert_device;

/// The kinds of devices that can come and go while a guest runs.
const PLUGGABLE: [&str; 10] =
    ["disk", "interface", "rng", "input", "controller", "channel", "console", "serial", "watchdog", "vsock"];

/// A definition with a device more.
pub struct Completed {
    /// The whole of it.
    pub base: Element,
    /// The device, with its place.
    pub device: Element,
    /// The controllers that come with it.
    pub controllers: Vec<Element>,
}

fn controllers(tree: &Element) -> impl Iterator<Item = &Element> {
    tree.child("devices").into_iter().flat_map(|devices| devices.children("controller"))
}

/// The controllers that a completion added for `device`; not the device itself if it is one.
fn new_controllers(base: &Element, completed: &Element, device: &Element) -> Vec<Element> {
    let same = |one: &Element, other: &Element| {
        ["type", "index"].iter().all(|name| one.attribute(name) == other.attribute(name))
    };
    let added = controllers(completed).filter(|one| !controllers(base).any(|known| same(known, one)));
    let own = device.name == "controller";
    added.filter(|one| !(own && same(one, device))).cloned().collect()
}

/// Refuses what cannot come while a guest runs, in the words of its kind.
pub fn check_pluggable(active: &Element, device: &Element) -> Result<()> {
    let name = &device.name;
    if !PLUGGABLE.contains(&name.as_str()) {
        return Err(unsupported(format!("live attach of device '{name}' is not supported")));
    }
    let mut known = active.child("devices").into_iter().flat_map(Element::elements);
    match name.as_str() {
        "controller" => match device.attribute("type") {
            Some("scsi" | "virtio-serial") => Ok(()),
            kind => {
                Err(unsupported(format!("'{}' controller cannot be hot plugged.", kind.unwrap_or_default())))
            }
        },
        "disk" => match device.child_attribute("target", "bus").unwrap_or_default() {
            "virtio" | "scsi" | "usb" | "" => Ok(()),
            bus => Err(unsupported(format!("disk bus '{bus}' cannot be hotplugged."))),
        },
        "watchdog" => {
            let action = device.attribute("action").unwrap_or("reset");
            let differs = |other: &Element| {
                other.name == "watchdog" && other.attribute("action").unwrap_or("reset") != action
            };
            match known.any(differs) {
                true => Err(Error::unsupported_configuration(
                    "watchdogs with different actions are not supported with this QEMU binary",
                )),
                false => Ok(()),
            }
        }
        "vsock" if known.any(|other| other.name == "vsock") => {
            Err(super::invalid("the domain already has a vsock device"))
        }
        _ => Ok(()),
    }
}

/// Refuses what cannot go while a guest runs.
pub fn check_unpluggable(device: &Element) -> Result<()> {
    let name = &device.name;
    match PLUGGABLE.contains(&name.as_str()) {
        true => Ok(()),
        false => Err(unsupported(format!("live detach of device '{name}' is not supported"))),
    }
}

impl QemuConnection {
    /// What a guest is started from with a device more, that device as it is completed, and the controllers it brings.
    pub(super) fn completed_with(&self, base: &Element, device: &Element) -> Result<Completed> {
        check_free(base, device)?;
        let mut new_base = base.clone();
        insert_device(&mut new_base, device.clone());
        self.complete_again(&mut new_base)?;
        let wanted = new_controllers(base, &new_base, device);
        // A SCSI controller more is of the model of those that are there.
        let like = controllers(base).find(|one| one.attribute("type") == Some("scsi"));
        let first = wanted.iter().find(|one| one.attribute("type") == Some("scsi"));
        if let (Some(like), Some(first)) = (like, first) {
            let mut more = Element::new("controller").with("type", "scsi");
            more.set("index", first.attribute("index").unwrap_or("0"));
            more.set("model", like.attribute("model").unwrap_or_default());
            new_base = base.clone();
            insert_device(&mut new_base, more);
            insert_device(&mut new_base, device.clone());
            self.complete_again(&mut new_base)?;
        }
        let controllers = new_controllers(base, &new_base, device);
        if controllers.iter().any(|one| one.attribute("type") != Some("scsi")) {
            return Err(Error::internal("No more available PCI slots").from_origin(ErrorOrigin::QEMU));
        }
        // The completed device is the one of its name, or the one that was not there before.
        let before: Vec<&Element> = base.child("devices").into_iter().flat_map(Element::elements).collect();
        let devices = new_base.child("devices").into_iter().flat_map(Element::elements);
        let named =
            identity(device).is_some_and(|(element, name)| device.child_attribute(element, name).is_some());
        let is_new = |known: &&Element| match named {
            true => is_same(known, device),
            false => known.name == device.name && !before.contains(known),
        };
        let completed = devices.filter(is_new).last().cloned();
        let device = completed.ok_or_else(|| unsupported("the device is there already"))?;
        Ok(Completed { base: new_base, device, controllers })
    }
}
