//! The view of `<graphics>`.

use super::{number, switch, word};
use crate::xml::Element;

/// A screen served to viewers.
#[derive(Clone, Debug, Default)]
pub struct Graphics {
    /// `vnc`, `spice`, `sdl`, `egl-headless`, `dbus`, …
    pub kind: String,
    /// The port; none if it is chosen at start or if there is none.
    pub port: Option<u16>,
    /// The port for encrypted connections.
    pub tls_port: Option<u16>,
    /// Whether the ports are chosen at start.
    pub automatic_port: bool,
    /// The port for web sockets; -1 lets the driver choose.
    pub websocket: Option<i32>,
    /// Where it listens.
    pub listens: Vec<Listen>,
    /// The password.
    pub password: Option<String>,
    /// Until when the password holds.
    pub password_valid_to: Option<String>,
    /// What becomes of viewers already there when the password changes.
    pub connected: Option<String>,
    /// The keyboard's layout.
    pub keymap: Option<String>,
    /// How viewers share it.
    pub share_policy: Option<String>,
    /// Whether viewers may power the guest off.
    pub power_control: Option<bool>,
    /// Whether it draws with OpenGL.
    pub gl: Option<bool>,
    /// The host's device that draws.
    pub render_node: Option<String>,
    /// The whole element.
    pub element: Element,
}

/// Where a screen is served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// On an address; none is the driver's default.
    Address(Option<String>),
    /// On the address a network has on the host, and that address once it is known.
    Network(String, Option<String>),
    /// On a unix socket; without a path the driver chooses one.
    Socket(Option<String>),
    /// Nowhere: viewers are handed in by their file descriptor.
    Nowhere,
}

impl Graphics {
    /// Reads a completed `<graphics>`.
    pub fn parse(graphics: &Element) -> Graphics {
        let port = |name: &str| number::<u16>(graphics, name).filter(|port| *port != 0);
        let listen = |listen: &Element| match listen.attribute("type") {
            Some("network") => {
                Listen::Network(word(listen, "network").unwrap_or_default(), word(listen, "address"))
            }
            Some("socket") => Listen::Socket(word(listen, "socket")),
            Some("none") => Listen::Nowhere,
            _ => Listen::Address(word(listen, "address")),
        };
        Graphics {
            kind: graphics.attribute("type").unwrap_or_default().to_string(),
            port: port("port"),
            tls_port: port("tlsPort"),
            automatic_port: switch(graphics, "autoport").unwrap_or(false),
            websocket: number(graphics, "websocket"),
            listens: graphics.children("listen").map(listen).collect(),
            password: word(graphics, "passwd"),
            password_valid_to: word(graphics, "passwdValidTo"),
            connected: word(graphics, "connected"),
            keymap: word(graphics, "keymap"),
            share_policy: word(graphics, "sharePolicy"),
            power_control: switch(graphics, "powerControl"),
            gl: graphics.child("gl").and_then(|gl| switch(gl, "enable")),
            render_node: graphics.child_attribute("gl", "rendernode").map(str::to_string),
            element: graphics.clone(),
        }
    }
}
