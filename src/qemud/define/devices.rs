//! The devices of a definition while it is being completed: found by kind, inserted where libvirt would write them.

use crate::xml::domain::devices::DEVICES;
use crate::xml::{Element, Node};

/// The children of `<devices>`.
pub struct Devices {
    /// The devices, in the order they will be written in.
    pub items: Vec<Element>,
}

impl Devices {
    /// Takes the devices out of a definition.
    pub fn take(domain: &mut Element) -> Devices {
        Devices::of_element(domain.child_or_new("devices"))
    }

    /// Takes the devices out of `<devices>`.
    pub fn of_element(devices: &mut Element) -> Devices {
        let elements = std::mem::take(&mut devices.nodes).into_iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        });
        Devices { items: elements.collect() }
    }

    /// Puts them back into a definition, in order.
    pub fn put_back(self, domain: &mut Element) {
        self.into_element(domain.child_or_new("devices"));
    }

    /// Puts them into `<devices>`, in order.
    pub fn into_element(mut self, devices: &mut Element) {
        self.items.sort_by_key(|element| DEVICES.place(&element.name));
        devices.nodes = self.items.into_iter().map(Node::Element).collect();
    }

    /// The devices of a kind.
    pub fn of<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.items.iter().filter(move |element| element.name == name)
    }

    /// The devices of a kind, to be changed.
    pub fn of_mut<'a>(&'a mut self, name: &'a str) -> impl Iterator<Item = &'a mut Element> {
        self.items.iter_mut().filter(move |element| element.name == name)
    }

    /// Whether there is a device of the kind.
    pub fn any(&self, name: &str) -> bool {
        self.of(name).next().is_some()
    }

    /// The controllers of a type.
    pub fn controllers<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Element> {
        self.of("controller").filter(move |element| element.attribute("type") == Some(kind))
    }

    /// Adds a device after those of its kind.
    pub fn add(&mut self, element: Element) {
        let place = DEVICES.place(&element.name);
        let at = self.items.iter().rposition(|known| DEVICES.place(&known.name) <= place);
        self.items.insert(at.map_or(0, |at| at + 1), element);
    }

    /// Adds a controller: among those of its type by index, after all controllers if it is the first of its type.
    pub fn add_controller(&mut self, element: Element) {
        let kind = element.attribute("type").unwrap_or_default().to_string();
        let index = index_of(&element);
        let same =
            |known: &Element| known.name == "controller" && known.attribute("type") == Some(kind.as_str());
        let larger = self.items.iter().position(|known| same(known) && index_of(known) > index);
        let at = larger.or_else(|| self.items.iter().rposition(same).map(|at| at + 1));
        match at {
            Some(at) => self.items.insert(at, element),
            None => self.add(element),
        }
    }

    /// Whether the controller of a type and index exists.
    pub fn has_controller(&self, kind: &str, index: u32) -> bool {
        self.controllers(kind).any(|controller| index_of(controller) == index)
    }
}

/// A controller's index.
pub fn index_of(controller: &Element) -> u32 {
    number(controller.attribute("index")).unwrap_or(0)
}

/// A number as definitions write it, decimal or `0x…`.
pub fn number(text: Option<&str>) -> Option<u32> {
    let text = text?.trim();
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// The address of a device, if it has one of this type.
pub fn address<'a>(device: &'a Element, kind: &str) -> Option<&'a Element> {
    device.child("address").filter(|address| address.attribute("type") == Some(kind))
}

/// Whether a device has an address of whatever type.
pub fn has_address(device: &Element) -> bool {
    device
        .child("address")
        .is_some_and(|address| address.attribute("type").is_some_and(|kind| kind != "none"))
}

/// A device's `model` element's `type`, or its `model` attribute.
pub fn model(device: &Element) -> &str {
    let inside = device.child_attribute("model", "type");
    inside.or_else(|| device.attribute("model")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controllers_are_kept_by_type_and_index() {
        let controller =
            |kind: &str, index: u32| Element::new("controller").with("type", kind).with("index", index);
        let mut devices = Devices { items: vec![Element::new("disk"), Element::new("interface")] };
        for (kind, index) in [("usb", 0), ("pci", 0), ("sata", 0), ("pci", 2), ("pci", 1)] {
            devices.add_controller(controller(kind, index));
        }
        let order: Vec<(&str, u32)> =
            devices.of("controller").map(|c| (c.attribute("type").unwrap(), index_of(c))).collect();
        assert_eq!(order, [("usb", 0), ("pci", 0), ("pci", 1), ("pci", 2), ("sata", 0)]);
        assert_eq!(devices.items[0].name, "disk");
        assert_eq!(devices.items[6].name, "interface");
    }
}
