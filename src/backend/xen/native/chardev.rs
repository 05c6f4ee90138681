//! Serial and parallel ports in the notation of Xen's device model, `pty`, `tcp:host:port,server,nowait`.

use crate::error::{Error, Result};
use crate::xml::Element;

/// The element of a port; nothing for `none` and for what cannot be read.
pub fn read(kind: &str, target: &str) -> Option<Element> {
    let (how, rest) = target.split_once(':').unwrap_or((target, ""));
    let port = |how: &str| Element::new(kind).with("type", how);
    let source = || Element::new("source");
    let ported = match how {
        "none" | "" => return None,
        "null" | "vc" | "pty" | "stdio" => port(how),
        "file" | "pipe" => port(how).with_child(source().with("path", rest)),
        "tcp" | "telnet" => {
            let (place, options) = rest.split_once(',').unwrap_or((rest, ""));
            let (host, service) = place.rsplit_once(':')?;
            let mode = if options.split(',').any(|option| option == "server") { "bind" } else { "connect" };
            let protocol = if how == "telnet" { "telnet" } else { "raw" };
            let source = source().with("mode", mode).with("host", host).with("service", service);
            port("tcp").with_child(source).with_child(Element::new("protocol").with("type", protocol))
        }
        "udp" => {
            let (far, near) = rest.split_once('@').unwrap_or((rest, ""));
            let mut port = port("udp");
            for (mode, place) in [("bind", near), ("connect", far)] {
                if let Some((host, service)) = place.rsplit_once(':') {
                    port.push(source().with("mode", mode).with("host", host).with("service", service));
                }
            }
            port
        }
        "unix" => {
            let (path, options) = rest.split_once(',').unwrap_or((rest, ""));
            let mode = if options.split(',').any(|option| option == "server") { "bind" } else { "connect" };
            port("unix").with_child(source().with("mode", mode).with("path", path))
        }
        path if path.starts_with('/') => port("dev").with_child(source().with("path", target)),
        _ => return None,
    };
    Some(ported.with_child(Element::new("target").with("port", 0)))
}

/// The notation of a port's element.
pub fn write(port: &Element) -> Result<String> {
    let attribute = |source: Option<&Element>, name: &str| {
        source.and_then(|source| source.attribute(name)).unwrap_or_default().to_string()
    };
    let source = port.child("source");
    let server = if source.is_some_and(|source| source.attribute("mode") == Some("bind")) {
        ",server,nowait"
    } else {
        ""
    };
    let of_mode = |mode| port.children("source").find(|source| source.attribute("mode") == Some(mode));
    let place = |source| format!("{}:{}", attribute(source, "host"), attribute(source, "service"));
    Ok(match port.attribute("type").unwrap_or_default() {
        how @ ("null" | "vc" | "pty" | "stdio") => how.to_string(),
        how @ ("file" | "pipe") => format!("{how}:{}", attribute(source, "path")),
        "dev" => attribute(source, "path"),
        "unix" => format!("unix:{}{server}", attribute(source, "path")),
        "tcp" => {
            let telnet = port.child_attribute("protocol", "type") == Some("telnet");
            format!("{}:{}{server}", if telnet { "telnet" } else { "tcp" }, place(source))
        }
        "udp" => match of_mode("bind") {
            Some(near) => format!("udp:{}@{}", place(of_mode("connect")), place(Some(near))),
            None => format!("udp:{}", place(of_mode("connect"))),
        },
        other => {
            let detail = format!("Xen's device model has no <{}> of type '{other}'", port.name);
            return Err(Error::unsupported_configuration(detail));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_written() {
        for target in [
            "pty",
            "null",
            "vc",
            "stdio",
            "file:/tmp/log",
            "pipe:/tmp/p",
            "/dev/ttyS1",
            "tcp:localhost:444,server,nowait",
            "tcp:h:1",
            "telnet::23,server,nowait",
            "udp:h:1@l:2",
            "udp:h:1",
            "unix:/s,server,nowait",
        ] {
            assert_eq!(write(&read("serial", target).unwrap()).unwrap(), target);
        }
        for nothing in ["none", "", "tcp:x", "what:ever"] {
            assert_eq!(read("serial", nothing), None, "{nothing}");
        }
    }
}
