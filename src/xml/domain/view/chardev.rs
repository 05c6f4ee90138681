//! The view of character devices.

use super::{Address, number, switch, word};
use crate::xml::Element;

/// A serial or parallel port, a console or a channel.
#[derive(Clone, Debug, Default)]
pub struct CharacterDevice {
    /// Its far end.
    pub source: ChardevSource,
    /// The kind of its near end: `isa-serial`, `virtio`, `serial`, `guestfwd`.
    pub target_type: Option<String>,
    /// The model of the near end.
    pub target_model: Option<String>,
    /// Its number among its kind.
    pub port: Option<u32>,
    /// The name of a channel: `org.qemu.guest_agent.0`.
    pub name: Option<String>,
    /// The file that keeps what the guest wrote, and whether it is added to.
    pub log: Option<(String, Option<bool>)>,
    /// Its alias.
    pub alias: Option<String>,
    /// Where it sits.
    pub address: Option<Address>,
    /// The whole element.
    pub element: Element,
}

/// Whether an end waits for the other or goes to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketMode {
    /// It listens.
    Bind,
    /// It connects.
    Connect,
}

/// The far end of a character device.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ChardevSource {
    /// Nowhere.
    #[default]
    Null,
    /// A pseudo terminal; its path once it is there.
    Pty(Option<String>),
    /// A file, and whether it is added to.
    File(String, Option<bool>),
    /// A device of the host.
    Device(String),
    /// A pair of named pipes.
    Pipe(String),
    /// The helper's own standard input and output.
    Stdio,
    /// A virtual console of the screen.
    VirtualConsole,
    /// A unix socket; without a path the driver chooses one.
    Unix(Option<String>, SocketMode),
    /// A TCP connection: host, port, mode, whether telnet is spoken, whether TLS.
    Tcp {
        /// The host to listen on or to connect to.
        host: String,
        /// The port.
        service: String,
        /// Which way.
        mode: SocketMode,
        /// Whether telnet is spoken.
        telnet: bool,
        /// Whether TLS is spoken.
        tls: Option<bool>,
    },
    /// UDP datagrams: where they go and where answers come to.
    Udp {
        /// Where datagrams go: host and port.
        to: (String, String),
        /// Where they come to, if that is said.
        from: Option<(String, String)>,
    },
    /// The viewer's agent.
    SpiceAgent,
    /// A port the viewer sees under a name.
    SpicePort(String),
    /// A bus connection under a name.
    Dbus(String),
    /// QEMU's own agent for the clipboard.
    VdAgent,
    /// A null modem: the two ends.
    NullModem(String, String),
}

impl ChardevSource {
    /// Reads the far end of any device that has one.
    pub fn parse(device: &Element) -> ChardevSource {
        let says = |name: &str| device.child_attribute("source", name).map(str::to_string);
        let path = || says("path").unwrap_or_default();
        let mode = |text: Option<&str>| match text {
            Some("connect") => SocketMode::Connect,
            _ => SocketMode::Bind,
        };
        match device.attribute("type").unwrap_or("null") {
            "pty" => ChardevSource::Pty(says("path")),
            "file" => ChardevSource::File(
                path(),
                device.child("source").and_then(|source| switch(source, "append")),
            ),
            "dev" => ChardevSource::Device(path()),
            "pipe" => ChardevSource::Pipe(path()),
            "stdio" => ChardevSource::Stdio,
            "vc" => ChardevSource::VirtualConsole,
            "unix" => ChardevSource::Unix(says("path"), mode(says("mode").as_deref())),
            "tcp" => ChardevSource::Tcp {
                host: says("host").unwrap_or_default(),
                service: says("service").unwrap_or_default(),
                mode: mode(says("mode").as_deref()),
                telnet: device.child_attribute("protocol", "type") == Some("telnet"),
                tls: device.child("source").and_then(|source| switch(source, "tls")),
            },
            "udp" => Self::parse_udp(device),
            "spicevmc" => ChardevSource::SpiceAgent,
            "spiceport" => ChardevSource::SpicePort(says("channel").unwrap_or_default()),
            "dbus" => ChardevSource::Dbus(says("channel").unwrap_or_default()),
            "qemu-vdagent" => ChardevSource::VdAgent,
            "nmdm" => ChardevSource::NullModem(
                says("master").unwrap_or_default(),
                says("slave").unwrap_or_default(),
            ),
            _ => ChardevSource::Null,
        }
    }

    fn parse_udp(device: &Element) -> ChardevSource {
        let end = |wanted: &str| {
            let source = device.children("source").find(|source| source.attribute("mode") == Some(wanted))?;
            Some((word(source, "host").unwrap_or_default(), word(source, "service").unwrap_or_default()))
        };
        let any = || {
            let source = device.child("source")?;
            Some((word(source, "host").unwrap_or_default(), word(source, "service").unwrap_or_default()))
        };
        ChardevSource::Udp { to: end("connect").or_else(any).unwrap_or_default(), from: end("bind") }
    }
}

impl CharacterDevice {
    /// Reads a completed `<serial>`, `<parallel>`, `<console>` or `<channel>`.
    pub fn parse(device: &Element) -> CharacterDevice {
        let log = |log: &Element| Some((word(log, "file")?, switch(log, "append")));
        CharacterDevice {
            source: ChardevSource::parse(device),
            target_type: device.child_attribute("target", "type").map(str::to_string),
            target_model: device.child_attribute("target/model", "name").map(str::to_string),
            port: device.child("target").and_then(|target| number(target, "port")),
            name: device.child_attribute("target", "name").map(str::to_string),
            log: device.child("log").and_then(log),
            alias: device.child_attribute("alias", "name").map(str::to_string),
            address: device.child("address").and_then(Address::parse),
            element: device.clone(),
        }
    }
}
