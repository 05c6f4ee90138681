//! The names of tap devices: `vnet0`, `vnet1`, …, as everybody expects them.

use crate::xml::Element;
use crate::xml::domain::devices::DEVICES;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The next number to try. A number is not used twice by one helper, so that two guests which start at the same time do
/// not meet.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Gives a name to every tap device that has none.
pub fn name(devices: &mut Element) {
    for interface in devices.elements_mut().filter(|device| device.name == "interface") {
        let on_the_host = match interface.attribute("type") {
            Some("ethernet") => true,
            // A plain user's is made by a program of QEMU's, under a name of its own.
            Some("bridge") => nix::unistd::geteuid().is_root(),
            _ => false,
        };
        if on_the_host && interface.child_attribute("target", "dev").is_none() {
            interface.child_or_new("target").set("dev", free_name());
            if let Some(shape) = DEVICES.child("interface") {
                shape.arrange(interface);
            }
        }
    }
}

/// A name that no device of the host has.
fn free_name() -> String {
    loop {
        let name = format!("vnet{}", NEXT.fetch_add(1, Ordering::Relaxed));
        if !Path::new("/sys/class/net").join(&name).exists() {
            return name;
        }
    }
}
