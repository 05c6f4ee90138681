//! Serial ports, consoles and channels: the character device on the host, and what the guest sees of it.

use super::builder::{Builder, alias};
use super::properties::{Properties, comma};
use crate::error::{Error, Result};
use crate::qemud::define::{address, number};
use crate::xml::Element;
use serde_json::{Value, json};

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    for card in builder.devices("smartcard") {
        let id = backend(builder, card)?;
        let reader =
            address(card, "ccid").and_then(|place| number(place.attribute("controller"))).unwrap_or(0);
        let properties = Properties::default().with("driver", "ccid-card-passthru").with("chardev", id);
        builder.device(&properties.with("id", alias(card)).with("bus", format!("ccid{reader}.0")));
    }
    for serial in builder.devices("serial") {
        let id = backend(builder, serial)?;
        serial_port(builder, serial, &id);
    }
    for channel in builder.devices("channel") {
        let id = backend(builder, channel)?;
        let properties = virtio_port(channel, "virtserialport", &id)
            .with_some("name", channel.child_attribute("target", "name"));
        builder.device(&properties);
    }
    for console in builder.devices("console") {
        if console.child_attribute("target", "type") != Some("virtio") {
            continue; // another view of a serial port
        }
        let id = backend(builder, console)?;
        let properties = virtio_port(console, "virtconsole", &id);
        builder.device(&properties);
    }
    for redirection in builder.devices("redirdev") {
        let id = backend(builder, redirection)?;
        let properties = Properties::default().with("driver", "usb-redir").with("chardev", id);
        builder.device(&properties.with("id", alias(redirection)).at(redirection, &builder.buses));
    }
    Ok(())
}

/// Adds the character device; answers its id.
fn backend(builder: &mut Builder<'_>, device: &Element) -> Result<String> {
    let id = format!("char{}", alias(device));
    let text = text(device, &id)?;
    let log = device.child("log").and_then(|log| log.attribute("file"));
    let log = log.map(|file| {
        let append = device.child_attribute("log", "append").unwrap_or("off");
        format!(",logfile={},logappend={append}", comma(file))
    });
    builder.option("-chardev", format!("{text}{}", log.unwrap_or_default()));
    Ok(id)
}

fn text(device: &Element, id: &str) -> Result<String> {
    let path = || comma(device.child_attribute("source", "path").unwrap_or_default());
    Ok(match device.attribute("type").unwrap_or_default() {
        "pty" => format!("pty,id={id}"),
        "null" => format!("null,id={id}"),
        "file" => {
            let append = match device.child_attribute("source", "append") {
                Some("on") => "on",
                _ => "off",
            };
            format!("file,id={id},path={},append={append}", path())
        }
        "spicevmc" => {
            let name = match device.name.as_str() {
                "redirdev" => "usbredir",
                "smartcard" => "smartcard",
                _ => match device.child_attribute("target", "name") {
                    None | Some("com.redhat.spice.0") => "vdagent",
                    Some(other) => other,
                },
            };
            format!("spicevmc,id={id},name={}", comma(name))
        }
        "pipe" => format!("pipe,id={id},path={}", path()),
        "dev" => format!("serial,id={id},path={}", path()),
        "unix" => format!("socket,id={id},path={}{}", path(), manner(device)),
        "tcp" => {
            let (host, service) = host_and_service(device, None)?;
            let telnet = match device.child_attribute("protocol", "type") {
                Some("telnet") => ",telnet=on",
                _ => "",
            };
            format!("socket,id={id},host={host},port={service}{telnet}{}", manner(device))
        }
        "udp" => {
            let (host, service) = host_and_service(device, Some("connect"))?;
            let (local, port) =
                host_and_service(device, Some("bind")).unwrap_or_else(|_| (String::new(), "0".into()));
            format!("udp,id={id},host={host},port={service},localaddr={local},localport={port}")
        }
        other => {
            return Err(Error::unsupported_configuration(format!(
                "character device type '{other}' is not supported by this driver"
            )));
        }
    })
}

/// The same as the monitor wants it, for a guest that runs.
pub fn backend_object(device: &Element, id: &str) -> Result<Value> {
    let said = |name: &str| device.child_attribute("source", name);
    let path = said("path").unwrap_or_default();
    let listens = said("mode").unwrap_or("bind") != "connect";
    let socket = |address: Value| {
        let mut data = json!({ "addr": address, "server": listens });
        if listens {
            data["wait"] = json!(false);
        }
        data["telnet"] = json!(device.child_attribute("protocol", "type") == Some("telnet"));
        data
    };
    let kind = device.attribute("type").unwrap_or_default();
    let (kind, mut data) = match kind {
        "pty" | "null" => (kind, json!({})),
        "file" => (kind, json!({ "out": path, "append": said("append") == Some("on") })),
        "pipe" => (kind, json!({ "device": path })),
        "dev" => ("serial", json!({ "device": path })),
        "unix" => ("socket", socket(json!({ "type": "unix", "data": { "path": path } }))),
        "tcp" => {
            let host = said("host").unwrap_or("127.0.0.1");
            let port = said("service")
                .ok_or_else(|| Error::xml("Missing source service attribute for char device"))?;
            ("socket", socket(json!({ "type": "inet", "data": { "host": host, "port": port } })))
        }
        other => {
            return Err(Error::unsupported_configuration(format!(
                "character device type '{other}' cannot be plugged in by this driver"
            )));
        }
    };
    if let Some(log) = device.child_attribute("log", "file") {
        data["logfile"] = json!(log);
        data["logappend"] = json!(device.child_attribute("log", "append") == Some("on"));
    }
    Ok(json!({ "id": id, "backend": { "type": kind, "data": data } }))
}

/// How a socket comes about: listening, or calling again when it breaks.
fn manner(device: &Element) -> String {
    match device.child_attribute("source", "mode").unwrap_or("bind") {
        "connect" => {
            let reconnect = device.child("source").and_then(|source| source.child("reconnect"));
            let wanted = reconnect.filter(|reconnect| reconnect.attribute("enabled") == Some("yes"));
            let seconds = wanted.map(|reconnect| reconnect.attribute("timeout").unwrap_or("1"));
            seconds.map(|seconds| format!(",reconnect={seconds}")).unwrap_or_default()
        }
        _ => ",server=on,wait=off".to_string(),
    }
}

fn host_and_service(device: &Element, mode: Option<&str>) -> Result<(String, String)> {
    let mut sources = device.children("source");
    let source = sources.find(|source| mode.is_none_or(|mode| source.attribute("mode") == Some(mode)));
    let said = |name: &str| source.and_then(|source| source.attribute(name));
    let service =
        said("service").ok_or_else(|| Error::xml("Missing source service attribute for char device"))?;
    Ok((comma(said("host").unwrap_or("127.0.0.1")), comma(service)))
}

fn serial_port(builder: &mut Builder<'_>, serial: &Element, chardev: &str) {
    let port = number(serial.child_attribute("target", "port")).unwrap_or(0);
    let model = serial.find("target/model").and_then(|model| model.attribute("name")).unwrap_or("isa-serial");
    let on_board = serial.child_attribute("target", "type") == Some("system-serial");
    if on_board {
        // The board's own port: it is there already and only wants its other end.
        builder.option("-serial", format!("chardev:{chardev}"));
        return;
    }
    let properties =
        Properties::default().with("driver", model).with("chardev", chardev).with("id", alias(serial));
    let properties = match model {
        "isa-serial" => {
            let place = address(serial, "isa");
            let hexadecimal = |name: &str| {
                let text = place?.attribute(name)?;
                u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
            };
            properties
                .with("index", port)
                .with_some("iobase", hexadecimal("iobase"))
                .with_some("irq", hexadecimal("irq"))
        }
        _ => properties.at(serial, &builder.buses),
    };
    builder.device(&properties);
}

fn virtio_port(device: &Element, driver: &str, chardev: &str) -> Properties {
    let properties = Properties::default().with("driver", driver);
    let place = address(device, "virtio-serial");
    let part = |name| place.and_then(|place| number(place.attribute(name)));
    let properties = match part("controller") {
        Some(controller) => properties
            .with("bus", format!("virtio-serial{controller}.{}", part("bus").unwrap_or(0)))
            .with_some("nr", part("port")),
        None => properties,
    };
    properties.with("chardev", chardev).with("id", alias(device))
}
