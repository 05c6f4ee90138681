//! Where xend listens.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::host::listener;
use nix::unistd::Uid;
use std::fmt;
use std::path::{Path, PathBuf};

/// The socket of a xend with `(xend-unix-server yes)`.
const UNIX_SOCKET: &str = "/var/lib/xend/xend-socket";
/// The port of a xend with `(xend-http-server yes)`.
const PORT: u16 = 8000;

/// A socket xend may listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host and a port.
    Tcp(String, u16),
}

/// A host without this file is not known to have a xend.
const CONFIGURATION: &str = "/etc/xen/xend-config.sxp";

impl Address {
    /// Where a xend listens that nobody told to listen elsewhere: the socket first, for it asks who connects. Its
    /// port is any user's to take, so only one that root or we ourselves took is asked.
    pub fn usual() -> Vec<Address> {
        let mut places = vec![Address::Unix(UNIX_SOCKET.into())];
        let owners = listener::owners(PORT);
        let is_trusted = |owner: &u32| *owner == 0 || *owner == Uid::effective().as_raw();
        let is_taken = !owners.is_empty() && owners.iter().all(is_trusted);
        // Where it is to be but is not, the error that this gives says what is missing.
        let is_missed = owners.is_empty() && Path::new(CONFIGURATION).exists();
        if is_taken || is_missed {
            places.push(Address::Tcp("localhost".to_string(), PORT));
        }
        places
    }

    /// Fails for a socket that is not there, as most are: then nothing has to be made ready to ask.
    pub fn must_exist(&self) -> Result<()> {
        match self {
            Address::Tcp(..) => Ok(()),
            Address::Unix(path) => path.metadata().map(|_| ()).map_err(|cause| {
                Error::system(format!("xend at {self}"), &cause).from_origin(ErrorOrigin::XEN)
            }),
        }
    }

    /// Reads `unix:PATH`, `tcp:HOST:PORT` or `tcp:HOST`.
    pub fn parse(text: &str) -> Result<Address> {
        let invalid = || {
            let detail = format!("address of xend '{text}' is neither unix:PATH nor tcp:HOST:PORT");
            Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
        };
        match text.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Address::Unix(path.into())),
            Some(("tcp", place)) if !place.is_empty() => match place.rsplit_once(':') {
                None => Ok(Address::Tcp(place.to_string(), PORT)),
                Some((host, port)) if !host.is_empty() => {
                    let host = host.trim_matches(['[', ']']).to_string();
                    Ok(Address::Tcp(host, port.parse().map_err(|_| invalid())?))
                }
                Some(_) => Err(invalid()),
            },
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(host, port) => write!(f, "tcp:{host}:{port}"),
        }
    }
}

/// No usual address answers: what each said, and what has to be in the configuration for one to.
pub fn nobody_listens(tried: &[(Address, Error)]) -> Error {
    let said: Vec<String> = tried.iter().map(|(_, error)| error.to_string()).collect();
    let detail = format!(
        "{}; is xend running, with (xend-unix-server yes) or (xend-http-server yes) in /etc/xen/xend-config.sxp?",
        said.join("; ")
    );
    Error::new(ErrorCode::NO_XEN, detail).from_origin(ErrorOrigin::XEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for text in ["unix:/run/x", "tcp:localhost:8000", "tcp:127.0.0.1:81"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Address::parse("tcp:host").unwrap(), Address::Tcp("host".to_string(), 8000));
        assert_eq!(Address::parse("tcp:[::1]:9").unwrap(), Address::Tcp("::1".to_string(), 9));
        for wrong in ["", "unix:", "unix:x", "tcp:", "tcp::1", "tcp:a:b", "tcp:a:70000", "http://x"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
