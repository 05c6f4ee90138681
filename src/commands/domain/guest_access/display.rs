//! vncdisplay, domdisplay: where a viewer can see a guest's screen.

use crate::commands::domain::{device_tree, lookup};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vncdisplay", Group::Domain, vncdisplay)
        .answers("{display: text}")
        .about(
            "show a domain's VNC address",
            "Prints address and display number where the VNC server of a domain listens.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain)]),
    Command::new("domdisplay", Group::Domain, domdisplay)
        .answers("[text]")
        .about(
            "show the address of a domain's display",
            "Prints a URI for each graphical display that a viewer can open, the preferred one first.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("include-password", "put the password into the URI"),
            Opt::text("type", "only this kind of display: vnc, spice, rdp or dbus")
                .positional()
                .complete(Complete::Words(&["vnc", "spice", "rdp", "dbus"])),
            Opt::flag("all", "every display there is"),
        ]),
];

/// VNC counts its displays from this port.
const VNC_BASE: i64 = 5900;

fn graphics<'a>(tree: &'a Element, kind: &'a str) -> impl Iterator<Item = &'a Element> {
    let devices = tree.child("devices").into_iter();
    let all = devices.flat_map(|devices| devices.children("graphics"));
    all.filter(move |graphics| graphics.attribute("type") == Some(kind))
}

fn port(graphics: &Element, name: &str) -> Option<i64> {
    let port: i64 = graphics.attribute(name)?.parse().ok()?;
    (port > 0).then_some(port)
}

/// Where a display listens, by its own words or its listen element's.
fn listen_address(graphics: &Element) -> Option<&str> {
    let own = graphics.attribute("listen");
    own.or_else(|| graphics.child_attribute("listen", "address"))
}

fn vncdisplay(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    if !connection.domains().is_active(&domain)? {
        bail!("Domain is not running");
    }
    let tree = device_tree::tree(&*connection, &domain, 0)?;
    let Some(display) = graphics(&tree, "vnc").next() else {
        bail!("Failed to get VNC port. Is this domain using VNC?");
    };
    let Some(port) = port(display, "port") else {
        bail!("Failed to get VNC port. Is this domain using VNC?");
    };
    let address = match listen_address(display) {
        None | Some("0.0.0.0") => String::new(),
        Some(address) if address.contains(':') => format!("[{address}]"),
        Some(address) => address.to_string(),
    };
    session.value("display", format!("{address}:{}", port - VNC_BASE))
}

/// The kinds of displays, the preferred ones first.
const KINDS: &[&str] = &["vnc", "spice", "rdp", "dbus"];

fn domdisplay(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "type")?;
    let wanted = args.text("type")?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    if !connection.domains().is_active(&domain)? {
        bail!("Domain is not running");
    }
    let secret = args.has("include-password");
    let tree = device_tree::tree(&*connection, &domain, if secret { DOMAIN_XML_SECURE } else { 0 })
        .context("Failed to get domain description xml")?;
    let all = args.has("all");
    let mut found = Vec::new();
    for kind in KINDS.iter().filter(|kind| wanted.is_none_or(|wanted| wanted == **kind)) {
        let of_kind = graphics(&tree, kind);
        found.extend(of_kind.filter_map(|display| uri(kind, display, secret)).take(if all {
            usize::MAX
        } else {
            1
        }));
    }
    if !all {
        found.truncate(1);
    }
    if found.is_empty() {
        match wanted {
            Some(kind) => bail!("No graphical display with type '{kind}' found"),
            None => bail!("No graphical display found"),
        }
    }
    session.show(&json!(found), |session| {
        session.print(found.join("\n"));
        if all {
            session.print("\n");
        }
    })
}

/// The URI a viewer opens; `None` if the display has no place yet.
fn uri(kind: &str, display: &Element, secret: bool) -> Option<String> {
    let listen = display.child("listen");
    let socket = display
        .attribute("socket")
        .or_else(|| listen.filter(|l| l.attribute("type") == Some("socket"))?.attribute("socket"));
    let password = display.attribute("passwd").filter(|_| secret);
    if let Some(socket) = socket {
        let scheme = if kind == "vnc" { "vnc" } else { kind };
        return Some(format!("{scheme}+unix://{socket}"));
    }
    if kind == "dbus" {
        return display.attribute("address").map(|address| format!("dbus://{address}"));
    }
    let plain = port(display, "port");
    let tls = port(display, "tlsPort");
    if plain.is_none() && tls.is_none() {
        return None;
    }
    let address = match listen_address(display) {
        None | Some("0.0.0.0" | "::") => "localhost".to_string(),
        Some(address) if address.contains(':') => format!("[{address}]"),
        Some(address) => address.to_string(),
    };
    let mut uri = format!("{kind}://");
    if let (Some(password), "vnc") = (password, kind) {
        uri.push_str(&format!(":{password}@"));
    }
    uri.push_str(&address);
    if let Some(port) = plain {
        let shown = if kind == "vnc" { port - VNC_BASE } else { port };
        uri.push_str(&format!(":{shown}"));
    }
    let mut query = Vec::new();
    if let Some(tls) = tls {
        query.push(format!("tls-port={tls}"));
    }
    if let (Some(password), "spice") = (password, kind) {
        query.push(format!("password={password}"));
    }
    if !query.is_empty() {
        uri.push_str(&format!("?{}", query.join("&")));
    }
    Some(uri)
}
