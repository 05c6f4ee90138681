//! The properties of a device, a node or an object, as the JSON QEMU takes.

use crate::qemud::define::{address, number};
use crate::xml::Element;
use serde_json::{Map, Value};

/// Properties in the order they were given.
#[derive(Clone, Default, Debug)]
pub struct Properties(Map<String, Value>);

impl Properties {
    /// The properties of a device of a kind.
    pub fn device(driver: &str, id: &str) -> Properties {
        Properties::default().with("driver", driver).with("id", id)
    }

    /// The properties of an object of a kind.
    pub fn object(kind: &str, id: &str) -> Properties {
        Properties::default().with("qom-type", kind).with("id", id)
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Properties {
        self.0.insert(name.to_string(), value.into());
        self
    }

    /// With one more if there is a value.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Properties {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With `on` or `off` as a truth value, if the definition says one of them (or `yes` or `no`).
    #[must_use]
    pub fn with_switch(self, name: &str, value: Option<&str>) -> Properties {
        self.with_some(name, switch(value))
    }

    /// With the place the definition gives the device.
    #[must_use]
    pub fn at(self, device: &Element, buses: &super::builder::Buses) -> Properties {
        if let Some(pci) = address(device, "pci") {
            let part = |name| number(pci.attribute(name)).unwrap_or(0);
            let (slot, function) = (part("slot"), part("function"));
            let place = match function {
                0 => format!("0x{slot:x}"),
                function => format!("0x{slot:x}.0x{function:x}"),
            };
            let properties = self.with("bus", buses.pci(part("bus")));
            return properties
                .with_switch("multifunction", pci.attribute("multifunction"))
                .with("addr", place);
        }
        if let Some(usb) = address(device, "usb") {
            let bus = buses.usb(number(usb.attribute("bus")).unwrap_or(0));
            return self.with("bus", bus).with_some("port", usb.attribute("port"));
        }
        self
    }

    /// With all of another's.
    #[must_use]
    pub fn merge(mut self, more: Properties) -> Properties {
        self.0.extend(more.0);
        self
    }

    /// As text.
    pub fn text(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }
}

/// `on`, `yes` → true; `off`, `no` → false; anything else → none.
pub fn switch(value: Option<&str>) -> Option<bool> {
    match value? {
        "on" | "yes" => Some(true),
        "off" | "no" => Some(false),
        _ => None,
    }
}

/// A value inside an option that is not JSON: commas are doubled.
pub fn comma(text: &str) -> String {
    text.replace(',', ",,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_keep_their_order_and_types() {
        let text = Properties::device("virtio-blk-pci", "virtio-disk0")
            .with("bootindex", 1)
            .with_switch("x", Some("on"));
        assert_eq!(text.text(), r#"{"driver":"virtio-blk-pci","id":"virtio-disk0","bootindex":1,"x":true}"#);
    }

    #[test]
    fn commas_are_doubled() {
        assert_eq!(comma("/a,b"), "/a,,b");
    }
}
