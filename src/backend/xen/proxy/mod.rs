//! The root proxy as a layer: what a plain user may know of a Xen host, asked over our own wire.
//!
//! The proxy listens at one socket. A service manager starts it when somebody connects; where there is none, its
//! program may be installed setuid root, and then the shell starts it. It answers questions only, so every change is
//! refused by it as by the guard of a read-only connection.

use super::layer::{Layer, LayerKind};
use crate::backend::helper::{beside_the_shell, is_program, start};
use crate::backend::remote::{RemoteConnection, has_hung_up, socket};
use crate::backend::{Connection, Domains, Events, Host};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The proxy's file name.
const PROGRAM: &str = "hvsh-xen-proxy";
/// What the proxy serves, as it knows it.
const SERVED: &str = "xen:///";
/// How often a proxy that is just leaving or just coming is tried again.
const TRIES: u32 = 8;
/// Marks a program that runs as its owner.
const SETUID: u32 = 0o4000;

/// The layer over a connection to the proxy.
pub struct ProxyLayer {
    remote: RemoteConnection,
}

impl ProxyLayer {
    /// Connects to the proxy, or starts it where that is ours to do. `uri` is the name the user knows Xen by.
    pub fn open(uri: &str) -> Result<ProxyLayer> {
        let path = socket::xen_proxy();
        let mut last = None;
        for attempt in 0..TRIES {
            let opened =
                connect(&path).and_then(|stream| RemoteConnection::open_helper(stream, uri, SERVED, true));
            match opened {
                Ok(remote) => return Ok(ProxyLayer { remote }),
                // It was about to leave when we came; the next one will stay.
                Err(error) if error.code == ErrorCode::RESOURCE_BUSY || has_hung_up(&error) => {
                    last = Some(error)
                }
                Err(error) => return Err(error),
            }
            std::thread::sleep(Duration::from_millis(5 << attempt));
        }
        Err(last.unwrap_or_else(|| Error::internal("the proxy hangs up on every client")))
    }

    /// The connection to the proxy.
    pub fn connection(&self) -> &dyn Connection {
        &self.remote
    }
}

/// A connected socket; starts the proxy if nobody listens and its program is made for that.
fn connect(path: &Path) -> Result<UnixStream> {
    let cause = match UnixStream::connect(path) {
        Ok(stream) => return Ok(stream),
        Err(cause) => cause,
    };
    let nobody = matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
    match setuid_program().filter(|_| nobody) {
        Some(program) => {
            start(Command::new(program))?;
            UnixStream::connect(path).map_err(|cause| cannot_reach(path, &cause))
        }
        None => Err(cannot_reach(path, &cause)),
    }
}

/// The proxy's program, if it runs as root whoever starts it.
fn setuid_program() -> Option<PathBuf> {
    let is_roots = |path: &PathBuf| {
        path.metadata().is_ok_and(|found| found.uid() == 0 && found.mode() & SETUID != 0) && is_program(path)
    };
    beside_the_shell(PROGRAM).into_iter().find(is_roots)
}

fn cannot_reach(path: &Path, cause: &std::io::Error) -> Error {
    let tried = format!("cannot reach the Xen proxy at '{}'", path.display());
    let mut error = Error::system(tried, cause).from_origin(ErrorOrigin::XEN);
    error.message.push_str(
        "; run as root, or let root start it with 'systemctl start hvsh-xen-proxy.socket' or install it setuid root",
    );
    error
}

impl Layer for ProxyLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::Proxy
    }
    fn host(&self) -> &dyn Host {
        self.remote.host()
    }
    fn domains(&self) -> &dyn Domains {
        self.remote.domains()
    }
    fn events(&self) -> &dyn Events {
        Connection::events(&self.remote)
    }
    fn is_alive(&self) -> bool {
        self.remote.is_alive()
    }
}
