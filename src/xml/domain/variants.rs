//! The forms one definition is shown in: with or without secrets, with the id of a running domain, as it will be
//! at the next start, and fit for another host.

use super::devices::{DEVICES, graphics, interface};
use super::{DOMAIN, chardev_kinds};
use crate::xml::{Element, Node};

/// The definition as a client sees it: with the id of a running domain, with secrets only if they were asked for.
pub fn shown(tree: &Element, id: Option<u32>, secrets: bool) -> Element {
    let mut shown = tree.clone();
    shown.unset("id");
    if let Some(id) = id {
        shown.set("id", id);
        DOMAIN.arrange(&mut shown);
    }
    if !secrets {
        strip_secrets(&mut shown);
    }
    shown
}

/// Takes the passwords out of a definition.
pub fn strip_secrets(tree: &mut Element) {
    let Some(devices) = tree.child_mut("devices") else {
        return;
    };
    for graphics in devices.elements_mut().filter(|device| device.name == "graphics") {
        graphics.unset("passwd");
    }
}

/// The definition without what only a running domain has: its id, aliases, terminals, chosen ports and addresses,
/// the images a job is working on.
pub fn inactive(active: &Element) -> Element {
    let mut tree = active.clone();
    tree.unset("id");
    for label in tree.elements_mut().filter(|child| child.name == "seclabel") {
        if label.attribute("type") == Some("dynamic") {
            label.remove("label");
            label.remove("imagelabel");
        }
    }
    let Some(devices) = tree.child_mut("devices") else {
        return tree;
    };
    for device in devices.elements_mut() {
        make_inactive(device);
    }
    tree
}

fn make_inactive(device: &mut Element) {
    let is_user = |child: &Element| child.attribute("name").is_some_and(|name| name.starts_with("ua-"));
    device.retain(|child| child.name != "alias" || is_user(child));
    match device.name.as_str() {
        "disk" => {
            device.remove("mirror");
            device.retain(|child| child.name != "backingStore" || child.attribute("index").is_none());
            if let Some(source) = device.child_mut("source") {
                source.unset("index");
            }
        }
        "interface" => interface::forget_host_end(device),
        "graphics" => graphics::forget_ports(device),
        "vsock" => {
            if let Some(context) = device.child_mut("cid") {
                if context.attribute("auto") == Some("yes") {
                    context.unset("address");
                }
            }
        }
        name if chardev_kinds().contains(&name) => forget_terminal(device),
        _ => {}
    }
}

/// A terminal gets its path, and a channel its state, anew at each start.
fn forget_terminal(device: &mut Element) {
    if device.attribute("type") == Some("pty") {
        device.unset("tty");
        device.remove("source");
    }
    if let Some(target) = device.child_mut("target") {
        target.unset("state");
    }
}

/// The definition as another host takes it: without what every machine of its kind has unasked.
pub fn migratable(tree: &Element) -> Element {
    let mut tree = tree.clone();
    let Some(devices) = tree.child_mut("devices") else {
        return tree;
    };
    let usb = devices
        .children("controller")
        .filter(|controller| controller.attribute("type") == Some("usb"))
        .count();
    devices.retain(|device| {
        if device.name != "controller" {
            return true;
        }
        let model = device.attribute("model");
        match device.attribute("type") {
            Some("usb") => usb > 1 || !matches!(model, None | Some("piix3-uhci")),
            Some("pci") => !matches!(model, Some("pci-root" | "pcie-root")),
            _ => true,
        }
    });
    tree
}

/// Puts a device where it belongs among the devices of a definition: after the last of its kind, or where its kind
/// comes.
pub fn insert_device(tree: &mut Element, device: Element) {
    let devices = tree.child_or_new("devices");
    devices.nodes.retain(|node| matches!(node, Node::Element(_)));
    devices.push(device);
    DEVICES.arrange(devices);
}
