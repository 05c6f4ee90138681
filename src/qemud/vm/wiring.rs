//! What only QEMU knows once it runs (ptys, ports, threads), filled into the active definition.

use crate::xml::{Element, Node};
use serde_json::Value;

/// Whether there is a display of this kind.
pub fn has_graphics(tree: &Element, kind: &str) -> bool {
    let devices = tree.child("devices").into_iter();
    let mut graphics = devices.flat_map(|devices| devices.children("graphics"));
    graphics.any(|graphics| graphics.attribute("type") == Some(kind))
}

/// Fills the answers of `query-chardev`, `query-vnc` and `query-spice` in.
pub fn fill_in(tree: &mut Element, chardevs: &Value, vnc: Option<&Value>, spice: Option<&Value>) {
    let Some(devices) = tree.child_mut("devices") else {
        return;
    };
    for device in devices.elements_mut() {
        match device.name.as_str() {
            "serial" | "console" | "parallel" | "channel" | "redirdev" => fill_in_chardev(device, chardevs),
            "graphics" => match device.attribute("type") {
                Some("vnc") => fill_in_port(device, "port", vnc.and_then(|answer| answer.get("service"))),
                Some("spice") => {
                    fill_in_port(device, "port", spice.and_then(|answer| answer.get("port")));
                    fill_in_port(device, "tlsPort", spice.and_then(|answer| answer.get("tls-port")));
                }
                _ => {}
            },
            _ => {}
        }
    }
    // The first console tells its terminal in the old place too.
    if let Some(console) = devices.child_mut("console")
        && let Some(path) = console.child_attribute("source", "path").map(str::to_string)
        && console.attribute("type") == Some("pty")
    {
        console.set("tty", path);
    }
}

/// A pty's path, told by QEMU under the label `char` and the device's alias.
fn fill_in_chardev(device: &mut Element, chardevs: &Value) {
    let Some(alias) = device.child_attribute("alias", "name").map(str::to_string) else {
        return;
    };
    let known = chardevs.as_array().into_iter().flatten();
    let label = format!("char{alias}");
    let mut ours = known.filter(|chardev| chardev.get("label").and_then(Value::as_str) == Some(&label));
    let Some(chardev) = ours.next() else { return };
    if device.name == "channel" && device.child_attribute("target", "type") == Some("virtio") {
        let open = chardev.get("frontend-open").and_then(Value::as_bool).unwrap_or(false);
        let state = if open { "connected" } else { "disconnected" };
        device.child_or_new("target").set("state", state);
    }
    let file = chardev.get("filename").and_then(Value::as_str).unwrap_or("");
    let Some(path) = file.strip_prefix("pty:").filter(|_| device.attribute("type") == Some("pty")) else {
        return;
    };
    match device.child_mut("source") {
        Some(source) => source.set("path", path),
        None => device.nodes.insert(0, Node::Element(Element::new("source").with("path", path))),
    }
}

fn fill_in_port(graphics: &mut Element, attribute: &str, port: Option<&Value>) {
    let text = port.map(|port| port.as_str().map_or_else(|| port.to_string(), str::to_string));
    let Some(number) = text.and_then(|text| text.parse::<u16>().ok()) else {
        return;
    };
    if graphics.attribute("port").is_some() || attribute == "port" {
        graphics.set(attribute, number);
    }
}

/// The memory in KiB that a balloon leaves its guest, from `query-balloon`.
pub fn balloon(told: &Value) -> Option<u64> {
    told.get("actual").and_then(Value::as_u64).map(|bytes| bytes / 1024)
}

/// The threads of the virtual CPUs, from `query-cpus-fast`.
pub fn vcpu_threads(cpus: &Value) -> Vec<i32> {
    let mut threads = Vec::new();
    for cpu in cpus.as_array().into_iter().flatten() {
        let number = |field: &str| cpu.get(field).and_then(Value::as_i64);
        let index = number("cpu-index").and_then(|index| usize::try_from(index).ok());
        let thread = number("thread-id").and_then(|thread| i32::try_from(thread).ok());
        // No machine has this many; a larger index is nonsense.
        if let (Some(index @ ..=65535), Some(thread)) = (index, thread) {
            threads.resize(threads.len().max(index + 1), 0);
            threads[index] = thread;
        }
    }
    threads
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ptys_and_ports_are_filled_in() {
        let text = "<domain><devices>\
            <serial type='pty'><target port='0'/><alias name='serial0'/></serial>\
            <console type='pty'><target type='serial' port='0'/><alias name='serial0'/></console>\
            <graphics type='vnc' port='-1' autoport='yes'/>\
            </devices></domain>";
        let mut tree = crate::xml::parse(text, "x").unwrap();
        let chardevs = json!([{"label": "charserial0", "filename": "pty:/dev/pts/7", "frontend-open": true}]);
        fill_in(&mut tree, &chardevs, Some(&json!({"service": "5903"})), None);
        assert_eq!(tree.child_attribute("devices/serial/source", "path"), Some("/dev/pts/7"));
        assert_eq!(tree.child_attribute("devices/console", "tty"), Some("/dev/pts/7"));
        assert_eq!(tree.child_attribute("devices/graphics", "port"), Some("5903"));
    }

    #[test]
    fn threads_stand_at_their_index() {
        let cpus = json!([{"cpu-index": 1, "thread-id": 11}, {"cpu-index": 0, "thread-id": 10}, {"cpu-index": -1, "thread-id": 1}]);
        assert_eq!(vcpu_threads(&cpus), [10, 11]);
    }
}
