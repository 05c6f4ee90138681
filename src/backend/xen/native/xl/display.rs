//! Screens, keyboards and consoles.

use super::{Kind, fields, fits_in_specification};
use crate::backend::xen::native::config::{Config, Value};
use crate::error::{Error, Result};
use crate::xml::Element;

/// The first port of a VNC server.
const VNC_BASE: u32 = 5900;

/// The screens of a configuration, with the pointer and keyboard that come with them.
pub(super) fn screens(config: &Config, kind: Kind) -> Vec<Element> {
    let keymap = config.text("keymap").filter(|keymap| !keymap.is_empty());
    let mut screens = Vec::new();
    if kind == Kind::Hvm {
        let on = |name: &str, default: bool| config.number(name).map_or(default, |number| number != 0);
        if on("spice", false) {
            screens.push(spice(config, keymap.as_deref()));
        } else if on("vnc", false) {
            let named = |name: &str| config.text(name);
            screens.push(vnc(&named, keymap.as_deref()));
        }
        if on("sdl", false) {
            let named = |name: &str| config.text(name);
            screens.push(sdl(&named));
        }
        return screens;
    }
    for specification in config.list("vfb") {
        let fields = fields(&specification);
        let named = |name: &str| {
            fields
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| value.trim_matches('"').to_string())
        };
        let on = |name: &str| named(name).is_some_and(|value| value != "0");
        if on("sdl") || named("type").as_deref() == Some("sdl") {
            screens.push(sdl(&named));
        } else {
            screens.push(vnc(&named, named("keymap").or(keymap.clone()).as_deref()));
        }
    }
    screens
}

fn vnc(named: &dyn Fn(&str) -> Option<String>, keymap: Option<&str>) -> Element {
    let set = |name: &str| named(name).filter(|value| !value.is_empty());
    let listen = set("vnclisten");
    // A display may follow the address: `0.0.0.0:1`.
    let (listen, display) = match listen.as_deref().and_then(|text| text.rsplit_once(':')) {
        Some((address, display)) if display.bytes().all(|b| b.is_ascii_digit()) && !address.contains(':') => {
            (Some(address.to_string()), Some(display.to_string()))
        }
        _ => (listen, None),
    };
    let display = set("vncdisplay").or(display).and_then(|text| text.parse::<u32>().ok());
    let searches = named("vncunused").map_or(display.is_none(), |value| value != "0");
    let mut graphics = Element::new("graphics").with("type", "vnc");
    match display {
        Some(display) if !searches => {
            graphics.set("port", VNC_BASE.saturating_add(display));
            graphics.set("autoport", "no");
        }
        _ => {
            graphics.set("port", -1);
            graphics.set("autoport", "yes");
        }
    }
    if let Some(listen) = listen {
        graphics.set("listen", listen);
    }
    if let Some(password) = set("vncpasswd") {
        graphics.set("passwd", password);
    }
    if let Some(keymap) = keymap {
        graphics.set("keymap", keymap);
    }
    graphics
}

fn sdl(named: &dyn Fn(&str) -> Option<String>) -> Element {
    let mut graphics = Element::new("graphics").with("type", "sdl");
    for (name, attribute) in [("display", "display"), ("xauthority", "xauth")] {
        if let Some(value) = named(name).filter(|value| !value.is_empty()) {
            graphics.set(attribute, value);
        }
    }
    graphics
}

fn spice(config: &Config, keymap: Option<&str>) -> Element {
    let mut graphics = Element::new("graphics").with("type", "spice");
    let port = config.number("spiceport").filter(|port| *port > 0);
    if let Some(port) = port {
        graphics.set("port", port);
    }
    if let Some(port) = config.number("spicetls_port").filter(|port| *port > 0) {
        graphics.set("tlsPort", port);
    }
    graphics.set("autoport", if port.is_some() { "no" } else { "yes" });
    if let Some(host) = config.text("spicehost").filter(|host| !host.is_empty()) {
        graphics.set("listen", host);
    }
    if let Some(keymap) = keymap {
        graphics.set("keymap", keymap);
    }
    if let Some(password) = config.text("spicepasswd").filter(|password| !password.is_empty()) {
        graphics.set("passwd", password);
    }
    graphics
}

/// Writes the screens of a definition.
pub(super) fn write_screens(devices: &Element, kind: Kind, config: &mut Config) -> Result<()> {
    let mut framebuffers = Vec::new();
    let has = |wanted: &str| {
        devices.children("graphics").any(|graphics| graphics.attribute("type") == Some(wanted))
    };
    if kind == Kind::Hvm && devices.child("graphics").is_some() {
        config.set("sdl", i64::from(has("sdl")));
        config.set("vnc", i64::from(has("vnc")));
    }
    for graphics in devices.children("graphics") {
        let settings = settings(graphics)?;
        if kind == Kind::Hvm {
            for (name, value) in settings {
                match value.parse::<i64>() {
                    Ok(number) => config.set(name, number),
                    Err(_) => config.set(name, value),
                }
            }
        } else {
            let fitting = settings.iter().all(|(_, value)| fits_in_specification(value));
            if !fitting {
                return Err(refused(graphics, "a value with a comma or a quote"));
            }
            let parts: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
            framebuffers.push(parts.join(","));
        }
    }
    if !framebuffers.is_empty() {
        config.set("vfb", framebuffers);
    }
    Ok(())
}

fn refused(graphics: &Element, what: &str) -> Error {
    let kind = graphics.attribute("type").unwrap_or_default();
    Error::unsupported_configuration(format!("graphics '{kind}': {what} cannot be had with xl"))
}

/// What a screen asks for, as names and values.
fn settings(graphics: &Element) -> Result<Vec<(&'static str, String)>> {
    let says = |name: &str| graphics.attribute(name).filter(|value| !value.is_empty()).map(str::to_string);
    let listen = says("listen").or_else(|| graphics.child_attribute("listen", "address").map(str::to_string));
    let port: Option<u32> = says("port").and_then(|port| port.parse().ok());
    let mut found: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name, value: Option<String>| found.extend(value.map(|value| (name, value)));
    match graphics.attribute("type") {
        Some("vnc") => {
            if graphics.child_attribute("listen", "type") == Some("socket") {
                return Err(refused(graphics, "a socket"));
            }
            add("vnc", Some("1".to_string()));
            match port.filter(|_| says("autoport").as_deref() != Some("yes")) {
                Some(port) => {
                    let display = port.checked_sub(VNC_BASE);
                    let display = display.ok_or_else(|| refused(graphics, "a port below 5900"))?;
                    add("vncunused", Some("0".to_string()));
                    add("vncdisplay", Some(display.to_string()));
                }
                None => add("vncunused", Some("1".to_string())),
            }
            add("vnclisten", listen);
            add("vncpasswd", says("passwd"));
            add("keymap", says("keymap"));
        }
        Some("sdl") => {
            add("sdl", Some("1".to_string()));
            add("display", says("display"));
            add("xauthority", says("xauth"));
        }
        Some("spice") => {
            add("spice", Some("1".to_string()));
            add("spicehost", listen);
            add("spiceport", port.filter(|port| *port > 0).map(|port| port.to_string()));
            add("spicetls_port", says("tlsPort").filter(|port| port != "-1"));
            match says("passwd") {
                Some(password) => add("spicepasswd", Some(password)),
                None => add("spicedisable_ticketing", Some("1".to_string())),
            }
            add("keymap", says("keymap"));
        }
        _ => return Err(refused(graphics, "this type")),
    }
    Ok(found)
}

/// The consoles and ports of a configuration.
pub(super) fn consoles(config: &Config, kind: Kind) -> Vec<Element> {
    if kind != Kind::Hvm {
        let target = Element::new("target").with("type", "xen").with("port", 0);
        return vec![Element::new("console").with("type", "pty").with_child(target)];
    }
    let mut found = Vec::new();
    for name in ["parallel", "serial"] {
        let values = match config.get(name) {
            Some(Value::List(_)) => config.list(name),
            _ => config.text(name).into_iter().collect(),
        };
        for (port, value) in values.iter().filter(|value| !value.is_empty() && *value != "none").enumerate() {
            found.push(port_element(name, value, port));
        }
    }
    found
}

fn port_element(name: &str, value: &str, port: usize) -> Element {
    let (kind, rest) = value.split_once(':').unwrap_or((value, ""));
    let source = Element::new("source");
    let (kind, source) = match kind {
        "file" => ("file", Some(source.with("path", rest))),
        "pipe" => ("pipe", Some(source.with("path", rest))),
        "unix" => {
            let (path, options) = rest.split_once(',').unwrap_or((rest, ""));
            let mode = if options.contains("server") { "bind" } else { "connect" };
            ("unix", Some(source.with("mode", mode).with("path", path)))
        }
        "tcp" | "telnet" => {
            let (place, options) = rest.split_once(',').unwrap_or((rest, ""));
            let (host, service) = place.rsplit_once(':').unwrap_or(("", place));
            let mode = if options.contains("server") { "bind" } else { "connect" };
            ("tcp", Some(source.with("mode", mode).with("host", host).with("service", service)))
        }
        "null" | "vc" | "stdio" => (
            if kind == "vc" {
                "vc"
            } else if kind == "null" {
                "null"
            } else {
                "stdio"
            },
            None,
        ),
        path if path.starts_with("/dev/") => ("dev", Some(source.with("path", value))),
        _ => ("pty", None),
    };
    let mut element = Element::new(name).with("type", kind);
    if let Some(source) = source {
        element.push(source);
    }
    if kind == "tcp" {
        let protocol = if value.starts_with("telnet") { "telnet" } else { "raw" };
        element.push(Element::new("protocol").with("type", protocol));
    }
    element.with_child(Element::new("target").with("port", port))
}

/// Writes the ports of a whole machine; the others have the one console of their kind.
pub(super) fn write_ports(devices: &Element, kind: Kind, config: &mut Config) -> Result<()> {
    for name in ["parallel", "serial"] {
        let values: Vec<String> = devices.children(name).map(port_value).collect::<Result<_>>()?;
        match (kind, values.len()) {
            (Kind::Hvm, 0) => config.set(name, "none"),
            (_, 0) => {}
            (Kind::Hvm, 1) => config.set(name, values[0].clone()),
            (Kind::Hvm, _) if name == "serial" => config.set(name, values),
            _ => {
                let detail = format!("so many <{name}> devices cannot be had with this kind of guest");
                return Err(Error::unsupported_configuration(detail));
            }
        }
    }
    Ok(())
}

fn port_value(port: &Element) -> Result<String> {
    let source = |name: &str| port.child_attribute("source", name).unwrap_or_default();
    let waits = if source("mode") == "bind" { ",server,nowait" } else { "" };
    Ok(match port.attribute("type").unwrap_or("pty") {
        "pty" => "pty".to_string(),
        kind @ ("null" | "vc" | "stdio") => kind.to_string(),
        "file" => format!("file:{}", source("path")),
        "pipe" => format!("pipe:{}", source("path")),
        "dev" => source("path").to_string(),
        "unix" => format!("unix:{}{waits}", source("path")),
        "tcp" => {
            let telnet = port.child_attribute("protocol", "type") == Some("telnet");
            let word = if telnet { "telnet" } else { "tcp" };
            format!("{word}:{}:{}{waits}", source("host"), source("service"))
        }
        kind => {
            let detail = format!("a port of type '{kind}' cannot be had with xl");
            return Err(Error::unsupported_configuration(detail));
        }
    })
}
