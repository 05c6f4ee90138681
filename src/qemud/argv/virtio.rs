//! What a definition may say about any virtio device: how it reaches memory, and the shape of its rings.

use super::properties::Properties;
use crate::qemud::define::address;
use crate::xml::Element;

/// A device's `<driver>` attributes and the properties that carry them.
const SWITCHES: [(&str, &str); 4] = [
    ("iommu", "iommu_platform"),
    ("packed", "packed"),
    ("ioeventfd", "ioeventfd"),
    ("event_idx", "event_idx"),
];
/// The same where the device sits on a PCI bus.
const PCI_SWITCHES: [(&str, &str); 2] = [("ats", "ats"), ("page_per_vq", "page-per-vq")];

impl Properties {
    /// With what the definition says of the device as a virtio one.
    #[must_use]
    pub fn with_virtio(self, device: &Element) -> Properties {
        let on_pci: &[(&str, &str)] =
            if address(device, "virtio-mmio").is_some() { &[] } else { &PCI_SWITCHES };
        let with = |properties: Properties, (attribute, property): &(&str, &str)| {
            properties.with_switch(property, device.child_attribute("driver", attribute))
        };
        SWITCHES.iter().chain(on_pci).fold(self, with)
    }
}
