//! Network cards and what they are plugged into on the host.

use super::builder::{Builder, alias, child_number};
use super::disk::boot_order;
use super::properties::{Properties, comma, switch};
use super::{Preparation, SideProcess};
use crate::error::{Error, Result};
use crate::qemud::define::{model, number};
use crate::xml::Element;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    let from_network = boot_order(builder.active).network;
    for (position, interface) in builder.devices("interface").enumerate() {
        let host = format!("host{}", alias(interface));
        backend(builder, interface, &host)?;
        let boots = child_number(interface, "boot", "order").or(from_network.filter(|_| position == 0));
        let card = card(builder, interface, &host, boots);
        builder.device(&card);
    }
    Ok(())
}

/// A cable that is out is pulled after the card is there.
pub fn commands_for(interface: &Element) -> Vec<(&'static str, Value)> {
    match interface.child_attribute("link", "state") {
        Some("down") => vec![("set_link", json!({ "name": alias(interface), "up": false }))],
        _ => Vec::new(),
    }
}

fn card(builder: &Builder<'_>, interface: &Element, host: &str, boots: Option<u32>) -> Properties {
    let kind = model(interface);
    let is_virtio = kind.starts_with("virtio");
    let device =
        if is_virtio { builder.virtio("virtio-net", interface, Some(kind)) } else { kind.to_string() };
    let driver = |name: &str| child_number(interface, "driver", name);
    let mut properties = Properties::default().with("driver", device);
    if is_virtio {
        if let Some(queues) = driver("queues").filter(|queues| *queues > 1) {
            properties = properties.with("mq", true).with("vectors", 2 * queues + 2);
        }
        properties = properties
            .with_some("rx_queue_size", driver("rx_queue_size"))
            .with_some("tx_queue_size", driver("tx_queue_size"))
            .with_some("host_mtu", child_number(interface, "mtu", "size"))
            .with_virtio(interface);
        properties = offloads(properties, interface);
    }
    properties
        .with("netdev", host)
        .with("id", alias(interface))
        .with_some("mac", interface.child_attribute("mac", "address"))
        .with_some("bootindex", boots)
        .with_some("rombar", switch(interface.child_attribute("rom", "bar")).map(u32::from))
        .with_some("romfile", option_rom(interface))
        .at(interface, &builder.buses)
}

/// The file with the code that boots from the card; an empty name for none at all.
fn option_rom(interface: &Element) -> Option<&str> {
    match interface.child_attribute("rom", "enabled") {
        Some("no") => Some(""),
        _ => interface.child_attribute("rom", "file"),
    }
}

/// Which work on packets the two ends leave to each other.
fn offloads(properties: Properties, interface: &Element) -> Properties {
    let driver = |name: &str| interface.child_attribute("driver", name);
    let mode = driver("txmode").map(|mode| if mode == "timer" { "timer" } else { "bh" });
    let mut properties = properties
        .with_some("tx", mode)
        .with_switch("rss", driver("rss"))
        .with_switch("hash", driver("rss_hash_report"));
    let names: [(&str, &[(&str, &str)]); 2] = [
        (
            "driver/host",
            &[
                ("csum", "csum"),
                ("gso", "gso"),
                ("tso4", "host_tso4"),
                ("tso6", "host_tso6"),
                ("ecn", "host_ecn"),
                ("ufo", "host_ufo"),
                ("mrg_rxbuf", "mrg_rxbuf"),
            ],
        ),
        (
            "driver/guest",
            &[
                ("csum", "guest_csum"),
                ("tso4", "guest_tso4"),
                ("tso6", "guest_tso6"),
                ("ecn", "guest_ecn"),
                ("ufo", "guest_ufo"),
            ],
        ),
    ];
    for (end, kinds) in names {
        for (kind, property) in kinds {
            properties = properties.with_switch(property, interface.child_attribute(end, kind));
        }
    }
    properties
}

fn backend(builder: &mut Builder<'_>, interface: &Element, id: &str) -> Result<()> {
    let properties = match interface.attribute("type").unwrap_or_default() {
        "user" if interface.child_attribute("backend", "type") == Some("passt") => {
            passt(builder, interface, id)?
        }
        "user" => slirp(builder, interface, id)?,
        "bridge" => bridge(builder, interface, id)?,
        "ethernet" => tap(builder, interface, id),
        other => {
            return Err(Error::unsupported_configuration(format!(
                "interface type '{other}' cannot be started by this driver"
            )));
        }
    };
    let text = match builder.capabilities.takes_json_netdev() {
        true => properties.to_string(),
        false => as_option(&properties),
    };
    builder.option("-netdev", text);
    Ok(())
}

/// The same in the older form: `user,id=hostnet0,hostfwd=tcp::22-:22`.
fn as_option(properties: &Value) -> String {
    let Value::Object(entries) = properties else {
        return String::new();
    };
    let mut text = String::new();
    let mut add = |name: &str, value: String| {
        if !text.is_empty() {
            text.push(',');
        }
        match name {
            "type" => text.push_str(&value),
            name => text.push_str(&format!("{name}={}", comma(&value))),
        }
    };
    for (name, value) in entries {
        match value {
            Value::String(value) => add(name, value.clone()),
            Value::Bool(value) => add(name, if *value { "on" } else { "off" }.into()),
            // The rules of port forwarding are a list of objects that hold one string each.
            Value::Array(items) => {
                for item in items.iter().filter_map(|item| item.get("str").and_then(Value::as_str)) {
                    add(name, item.to_string());
                }
            }
            other => add(name, other.to_string()),
        }
    }
    text
}

fn slirp(builder: &Builder<'_>, interface: &Element, id: &str) -> Result<Value> {
    if !builder.capabilities.has_netdev("user") {
        return Err(Error::unsupported_configuration(
            "QEMU is built without user networking (slirp); use <backend type='passt'/>",
        ));
    }
    let mut rules = Vec::new();
    for forward in interface.children("portForward") {
        let protocol = forward.attribute("proto").unwrap_or("tcp");
        let host = forward.attribute("address").unwrap_or_default();
        for range in forward.children("range") {
            let number = |name: &str| range.attribute(name).and_then(|text| text.parse::<u16>().ok());
            let first =
                number("start").ok_or_else(|| Error::xml("missing start of the range of a port forward"))?;
            let last = number("end").unwrap_or(first);
            let to = number("to").unwrap_or(first);
            for offset in 0..=last.saturating_sub(first) {
                let rule = format!("{protocol}:{host}:{}-:{}", first + offset, to.saturating_add(offset));
                rules.push(json!({ "str": rule }));
            }
        }
    }
    let mut properties = json!({ "type": "user", "id": id });
    if !rules.is_empty() {
        properties["hostfwd"] = Value::Array(rules);
    }
    for address in interface.children("ip") {
        let prefix = address.attribute("prefix").unwrap_or("24");
        let given = address.attribute("address").unwrap_or_default();
        if address.attribute("family") != Some("ipv6") {
            properties["net"] = json!(format!("{given}/{prefix}"));
        } else {
            properties["ipv6-prefix"] = json!(given);
            if let Some(length) = number(address.attribute("prefix")) {
                properties["ipv6-prefixlen"] = json!(length);
            }
        }
    }
    Ok(properties)
}

fn passt(builder: &mut Builder<'_>, interface: &Element, id: &str) -> Result<Value> {
    if !builder.capabilities.has_netdev("stream") {
        return Err(Error::unsupported_configuration(
            "passt needs a QEMU with the 'stream' network back end",
        ));
    }
    let program = find_program("passt")?;
    let socket = builder.runtime.join(format!("{}-passt.socket", alias(interface)));
    let mut arguments: Vec<String> =
        vec!["--one-off".into(), "--foreground".into(), "--socket".into(), socket.display().to_string()];
    if nix::unistd::geteuid().is_root() {
        // Otherwise it becomes "nobody", who may not make a socket in the guest's folder.
        arguments.extend(["--runas".into(), "0".into()]);
    }
    if let Some(name) = interface.child_attribute("source", "dev") {
        arguments.extend(["--interface".into(), name.into()]);
    }
    for address in interface.children("ip") {
        arguments.extend(["--address".into(), address.attribute("address").unwrap_or_default().into()]);
        let prefix = address.attribute("prefix").filter(|_| address.attribute("family") != Some("ipv6"));
        if let Some(prefix) = prefix {
            arguments.extend(["--netmask".into(), prefix.into()]);
        }
    }
    if let Some(file) = interface.child_attribute("backend", "logFile") {
        arguments.extend(["--log-file".into(), file.into()]);
    }
    for forward in interface.children("portForward") {
        let option = if forward.attribute("proto") == Some("udp") { "--udp-ports" } else { "--tcp-ports" };
        let address = forward.attribute("address").map(|address| format!("{address}/")).unwrap_or_default();
        for range in forward.children("range") {
            let first = range.attribute("start").unwrap_or_default();
            let last = range.attribute("end").map(|last| format!("-{last}")).unwrap_or_default();
            let to = range.attribute("to").map(|to| format!(":{to}")).unwrap_or_default();
            let excluded = if range.attribute("exclude") == Some("yes") { "~" } else { "" };
            arguments.extend([option.into(), format!("{address}{excluded}{first}{last}{to}")]);
        }
    }
    builder.prepare(Preparation::Remove(socket.clone()));
    builder.side_process(SideProcess { name: "passt".into(), program, arguments, socket: socket.clone() });
    Ok(json!({
        "type": "stream", "addr": { "type": "unix", "path": socket.display().to_string() }, "server": false, "id": id
    }))
}

/// A program of the system, by its name.
pub fn find_program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(name));
    let found = candidates.find(|candidate| crate::qemud::define::is_executable(candidate));
    found.ok_or_else(|| {
        Error::operation_failed(format!(
            "Unable to find '{name}' binary in $PATH; install the package '{name}'"
        ))
    })
}

/// A tap device on a bridge: made here when we may, else by QEMU's own set-uid helper.
fn bridge(builder: &mut Builder<'_>, interface: &Element, id: &str) -> Result<Value> {
    let bridge = interface.child_attribute("source", "bridge").unwrap_or_default().to_string();
    if !Path::new("/sys/class/net").join(&bridge).join("bridge").exists() {
        return Err(Error::operation_failed(format!("bridge '{bridge}' does not exist on this host")));
    }
    if !nix::unistd::geteuid().is_root() {
        builder.spawns = true;
        return Ok(json!({ "type": "bridge", "br": bridge, "id": id }));
    }
    let name = tap_name(interface);
    let mut run = |purpose: &str, arguments: &[&str]| {
        let command = std::iter::once("ip").chain(arguments.iter().copied()).map(str::to_string).collect();
        builder.prepare(Preparation::Run { purpose: purpose.to_string(), command });
    };
    run("make the tap device", &["tuntap", "add", "dev", &name, "mode", "tap"]);
    if let Some(mtu) = interface.child_attribute("mtu", "size") {
        run("set the MTU of the tap device", &["link", "set", "dev", &name, "mtu", mtu]);
    }
    run("put the tap device on the bridge", &["link", "set", "dev", &name, "master", &bridge, "up"]);
    builder.clean_up(["ip", "link", "delete", "dev", &name].map(str::to_string).to_vec());
    Ok(json!({ "type": "tap", "ifname": name, "script": "no", "downscript": "no", "id": id }))
}

/// The name of the tap device, which the active definition has.
fn tap_name(interface: &Element) -> String {
    interface.child_attribute("target", "dev").unwrap_or_default().to_string()
}

/// A tap device that exists already, or that QEMU makes.
fn tap(builder: &mut Builder<'_>, interface: &Element, id: &str) -> Value {
    let script = interface.child_attribute("script", "path").unwrap_or("no").to_string();
    builder.spawns |= script != "no";
    json!({ "type": "tap", "ifname": tap_name(interface), "script": script, "downscript": "no", "id": id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_back_end_can_be_written_without_json() {
        let properties = json!({ "type": "user", "id": "hostnet0", "hostfwd": [{ "str": "tcp::22-:22" }, { "str": "udp::5-:5" }] });
        assert_eq!(as_option(&properties), "user,id=hostnet0,hostfwd=tcp::22-:22,hostfwd=udp::5-:5");
    }
}
