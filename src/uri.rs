//! Connection URIs: `driver[+transport]://[user@][host][:port]/path[?name=value&…]`.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::fmt;

/// A parsed connection URI. `Display` gives back what was parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uri {
    text: String,
    /// The driver: `test`, `qemu`, `xen`.
    pub scheme: String,
    /// How to reach it, if said: `unix`, `ssh`, `tcp`, `tls`, `ext`, `libssh2`.
    pub transport: Option<String>,
    /// The user to become on the far side.
    pub user: Option<String>,
    /// The host; `None` when the URI has none or an empty one.
    pub host: Option<String>,
    /// The port, if said.
    pub port: Option<u16>,
    /// The path with its leading slash, decoded; empty if there is none.
    pub path: String,
    /// The parameters in their order, decoded.
    pub query: Vec<(String, String)>,
}

fn invalid(text: &str) -> Error {
    Error::internal(format!("Unable to parse URI {text}")).from_origin(ErrorOrigin::URI)
}

impl Uri {
    /// Parses `text`; anything that is not a URI with a scheme is refused by name.
    pub fn parse(text: &str) -> Result<Uri> {
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if !scheme.contains('/') => (scheme, rest),
            _ => {
                let detail = format!("URI '{text}' does not include a driver name");
                return Err(Error::new(ErrorCode::NO_CONNECT, detail).from_origin(ErrorOrigin::URI));
            }
        };
        let well_formed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.is_empty() || !scheme.chars().all(well_formed) {
            return Err(invalid(text));
        }
        let (driver, transport) = match scheme.split_once('+') {
            Some((driver, transport)) => (driver, Some(transport.to_string())),
            None => (scheme, None),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(decode(user)), place),
            None => (None, authority),
        };
        let (host, port) = split_port(place).ok_or_else(|| invalid(text))?;
        let query = query.split(['&', ';']).filter(|pair| !pair.is_empty());
        let query = query.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Ok(Uri {
            text: text.to_string(),
            scheme: driver.to_string(),
            transport,
            user,
            host: (!host.is_empty()).then(|| host.trim_matches(['[', ']']).to_string()),
            port,
            path: decode(path),
            query: query.map(|(name, value)| (decode(name), decode(value))).collect(),
        })
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the connection goes to another process by a transport rather than to a driver of our own.
    pub fn is_remote(&self) -> bool {
        self.transport.is_some() || self.host.is_some()
    }

    /// The error for a URI whose driver exists but whose path it does not know.
    pub fn unexpected_path(&self, hint: &str) -> Error {
        Error::new(
            ErrorCode::INTERNAL,
            format!("unexpected {} URI path '{}', try {hint}", self.scheme, self.path),
        )
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Splits `host:port`; `None` when the port is no number. IPv6 hosts stand in brackets.
fn split_port(place: &str) -> Option<(&str, Option<u16>)> {
    match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') && !port.is_empty() => {
            Some((host, Some(port.parse().ok()?)))
        }
        Some((host, "")) => Some((host, None)),
        _ => Some((place, None)),
    }
}

/// Undoes percent encoding; what is not valid encoding stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_found() {
        let uri = Uri::parse("qemu+ssh://root@[::1]:2222/system?socket=/a%20b&mode=direct").unwrap();
        assert_eq!((uri.scheme.as_str(), uri.transport.as_deref()), ("qemu", Some("ssh")));
        assert_eq!(
            (uri.user.as_deref(), uri.host.as_deref(), uri.port),
            (Some("root"), Some("::1"), Some(2222))
        );
        assert_eq!((uri.path.as_str(), uri.parameter("socket")), ("/system", Some("/a b")));
    }

    #[test]
    fn a_local_uri_has_no_host() {
        let uri = Uri::parse("test:///default").unwrap();
        assert_eq!((uri.host.as_deref(), uri.path.as_str(), uri.is_remote()), (None, "/default", false));
        assert!(Uri::parse("no-scheme").is_err());
        assert!(Uri::parse("qemu://host:port/system").is_err());
    }
}
