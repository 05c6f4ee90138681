//! Character devices: `<serial>`, `<parallel>`, `<console>`, `<channel>`, and the source and log they share.

use super::address::ADDRESS;
use super::disk_source::{RECONNECT, SECLABEL};
use super::{ACPI, ALIAS, BOOT};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, on_off, one, one_of, shape, text, unsigned, yes_no};

/// The kinds of far ends a character device may have.
pub const TYPES: &[&str] = &[
    "null",
    "vc",
    "pty",
    "dev",
    "file",
    "pipe",
    "stdio",
    "udp",
    "tcp",
    "unix",
    "spicevmc",
    "spiceport",
    "nmdm",
    "qemu-vdagent",
    "dbus",
];

/// `<serial>`.
pub static SERIAL: Shape = shape("serial")
    .attributes(&[text("type"), text("tty")])
    .children(CHILDREN)
    .before(check_type)
    .after(complete);
/// `<parallel>`.
pub static PARALLEL: Shape = shape("parallel")
    .attributes(&[text("type"), text("tty")])
    .children(CHILDREN)
    .before(check_type)
    .after(complete);
/// `<console>`.
pub static CONSOLE: Shape = shape("console")
    .attributes(&[text("type"), text("tty")])
    .children(CHILDREN)
    .before(check_type)
    .after(complete);
/// `<channel>`.
pub static CHANNEL: Shape = shape("channel")
    .attributes(&[text("type")])
    .children(CHILDREN)
    .before(check_type)
    .after(complete_channel);

const CHILDREN: &[crate::xml::shape::Child] = &[
    many(&SOURCE),
    one(&PROTOCOL),
    one(&LOG),
    one(&TARGET),
    one(&BOOT),
    one(&ALIAS),
    one(&ACPI),
    one(&ADDRESS),
];

/// `<source>` of a character device, whoever has it.
pub static SOURCE: Shape = shape("source")
    .attributes(&[
        text("mode"),
        text("path"),
        on_off("append"),
        text("host"),
        text("service"),
        yes_no("tls"),
        text("master"),
        text("slave"),
        text("channel"),
    ])
    .children(&[one(&CLIPBOARD), one(&MOUSE), one(&RECONNECT), many(&SECLABEL)])
    .after(check_source)
    .unless_empty();
static CLIPBOARD: Shape = shape("clipboard").attributes(&[yes_no("copypaste")]).unless_empty();
static MOUSE: Shape = shape("mouse").attributes(&[one_of("mode", &["client", "server"])]).unless_empty();

/// `<protocol>` spoken over a TCP source.
pub static PROTOCOL: Shape =
    shape("protocol").attributes(&[one_of("type", &["raw", "telnet", "telnets", "tls"])]);
/// `<log>`: the file that keeps what the guest wrote.
pub static LOG: Shape = shape("log").attributes(&[text("file"), on_off("append")]);

static TARGET: Shape = shape("target")
    .attributes(&[
        text("type"),
        text("address"),
        text("name"),
        text("state"),
        text("chardev"),
        unsigned("port"),
    ])
    .children(&[one(&MODEL)])
    .unless_empty();
static MODEL: Shape = shape("model").attributes(&[one_of(
    "name",
    &[
        "isa-serial",
        "usb-serial",
        "pci-serial",
        "spapr-vty",
        "pl011",
        "sclpconsole",
        "sclplmconsole",
        "16550a",
        "isa-debugcon",
    ],
)]);

fn check_type(device: &mut Element) -> Result<()> {
    match device.attribute("type") {
        None => device.set("type", "pty"),
        Some(kind) if TYPES.contains(&kind) => {}
        Some(kind) => {
            return Err(Error::unsupported_configuration(format!(
                "unknown type presented to host for character device: {kind}"
            )));
        }
    }
    Ok(())
}

fn check_source(source: &mut Element) -> Result<()> {
    if let Some(mode) = source.attribute("mode") {
        if !matches!(mode, "bind" | "connect" | "client" | "server") {
            return Err(crate::xml::shape::invalid_attribute("source", "mode", mode));
        }
    }
    if source.child("reconnect").is_some() && source.attribute("mode") == Some("bind") {
        return Err(Error::internal("chardev reconnect is possible only for connect mode"));
    }
    Ok(())
}

/// The attributes of a source that its kind of far end takes.
fn fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "dev" | "pipe" => &["path"],
        "file" => &["path", "append"],
        "unix" => &["mode", "path"],
        "udp" => &["mode", "host", "service"],
        "tcp" => &["mode", "host", "service", "tls"],
        "nmdm" => &["master", "slave"],
        "spiceport" | "dbus" => &["channel"],
        _ => &[],
    }
}

fn complete(device: &mut Element) -> Result<()> {
    complete_source(device)?;
    check_target(device)?;
    device.unset("tty");
    Ok(())
}

/// Checks the source of a character device against its kind and leaves in it what belongs to that kind.
pub(super) fn complete_source(device: &mut Element) -> Result<()> {
    let kind = device.attribute("type").unwrap_or_default().to_string();
    let fields = fields(&kind);
    let required = match kind.as_str() {
        "file" | "dev" | "pipe" => Some(("path", "Missing source path attribute for char device")),
        "nmdm" => Some(("master", "Missing master path attribute for nmdm device")),
        "spiceport" => Some(("channel", "Missing source channel attribute for char device")),
        "unix" if device.name != "channel" => Some(("path", "Missing source path attribute for char device")),
        "tcp" if device.child_attribute("source", "host").is_none() => {
            Some(("host", "Missing source host attribute for char device"))
        }
        "tcp" => Some(("service", "Missing source service attribute for char device")),
        "udp" => Some(("service", "Missing source service attribute for char device")),
        _ => None,
    };
    if let Some((name, message)) = required {
        if device.child_attribute("source", name).is_none() {
            return Err(Error::internal(message));
        }
    }
    let many_sources = kind == "udp";
    let mut seen = false;
    device.retain(|child| child.name != "source" || many_sources || !std::mem::replace(&mut seen, true));
    for source in device.elements_mut().filter(|child| child.name == "source") {
        source.attributes.retain(|(name, _)| fields.contains(&name.as_str()));
        if matches!(kind.as_str(), "tcp" | "udp") && source.attribute("mode").is_none() {
            source.set("mode", "connect");
        }
        if kind == "unix" && source.attribute("path").is_none() {
            source.unset("mode");
        }
        SOURCE.arrange(source);
    }
    if kind == "tcp" {
        let protocol = device.child_or_new("protocol");
        if protocol.attribute("type").is_none() {
            protocol.set("type", "raw");
        }
    } else {
        device.remove("protocol");
    }
    device.retain(|child| child.name != "source" || !crate::xml::shape::is_empty(child));
    Ok(())
}

fn unknown_target(kind: &str) -> Error {
    Error::unsupported_configuration(format!("unknown target type '{kind}' specified for character device"))
}

fn check_target(device: &mut Element) -> Result<()> {
    let known: &[&str] = match device.name.as_str() {
        "serial" => SERIAL_TARGETS,
        "console" => CONSOLE_TARGETS,
        _ => return Ok(()),
    };
    if let Some(target) = device.child_mut("target") {
        target.unset("name");
        match target.attribute("type") {
            Some(kind) if !known.contains(&kind) => return Err(unknown_target(kind)),
            _ => {}
        }
    }
    Ok(())
}

const SERIAL_TARGETS: &[&str] = &[
    "isa-serial",
    "usb-serial",
    "pci-serial",
    "spapr-vio-serial",
    "system-serial",
    "sclp-serial",
    "isa-debug",
];
const CONSOLE_TARGETS: &[&str] = &["serial", "xen", "uml", "virtio", "lxc", "openvz", "sclp", "sclplm"];

fn complete_channel(channel: &mut Element) -> Result<()> {
    complete_source(channel)?;
    let Some(kind) = channel.child_attribute("target", "type").map(str::to_string) else {
        return Err(Error::xml("target type must be specified for channel device"));
    };
    if !matches!(kind.as_str(), "guestfwd" | "virtio" | "xen") {
        return Err(unknown_target(&kind));
    }
    if let Some(target) = channel.child_mut("target") {
        if kind == "guestfwd" {
            super::wording::forward(target)?;
        }
        target.unset("state");
        if kind != "guestfwd" {
            target.unset("port");
            target.unset("address");
        }
    }
    Ok(())
}

/// Whether two character devices have the same far end: what makes a console the twin of a serial port.
pub fn same_source(one: &Element, other: &Element) -> bool {
    let parts = |device: &Element| {
        let kept =
            device.elements().filter(|child| matches!(child.name.as_str(), "source" | "protocol" | "log"));
        kept.cloned().collect::<Vec<_>>()
    };
    one.attribute("type") == other.attribute("type") && parts(one) == parts(other)
}
