//! Ports on virtio-serial controllers and slots on smart card readers.

use super::devices::{Devices, address, number};
use crate::error::{Error, Result};
use crate::xml::Element;
use std::collections::BTreeSet;

/// Ports a controller has when it does not say; port 0 is the console's.
const PORTS: u32 = 31;

/// Gives every virtio channel its port.
pub fn assign(devices: &mut Devices) -> Result<()> {
    let mut used: BTreeSet<(u32, u32)> = BTreeSet::new();
    for device in &devices.items {
        if let Some(place) = address(device, "virtio-serial")
            && let Some(port) = number(place.attribute("port")).filter(|port| *port != 0)
        {
            let controller = number(place.attribute("controller")).unwrap_or(0);
            if !used.insert((controller, port)) {
                return Err(Error::xml(format!(
                    "virtio serial device on port {port} of controller {controller} is there twice"
                )));
            }
        }
    }
    let controllers = devices.controllers("virtio-serial").count() as u32;
    for channel in devices.of_mut("channel") {
        if channel.child_attribute("target", "type") != Some("virtio") {
            continue;
        }
        let place = address(channel, "virtio-serial");
        if place.is_some_and(|place| number(place.attribute("port")).unwrap_or(0) != 0) {
            continue;
        }
        let wanted = place.and_then(|place| number(place.attribute("controller")));
        let candidates = (0..controllers).filter(|index| wanted.is_none_or(|wanted| wanted == *index));
        let mut places = candidates.flat_map(|index| (1..PORTS).map(move |port| (index, port)));
        let (controller, port) = places
            .find(|place| !used.contains(place))
            .ok_or_else(|| Error::xml("Unable to find a free virtio-serial port"))?;
        used.insert((controller, port));
        channel.remove("address");
        channel.push(
            Element::new("address")
                .with("type", "virtio-serial")
                .with("controller", controller)
                .with("bus", 0)
                .with("port", port),
        );
    }
    Ok(())
}

/// Gives every smart card its slot.
pub fn assign_smartcards(devices: &mut Devices) {
    for (slot, card) in devices.of_mut("smartcard").enumerate() {
        if address(card, "ccid").is_none() {
            card.remove("address");
            card.push(Element::new("address").with("type", "ccid").with("controller", 0).with("slot", slot));
        }
    }
}
