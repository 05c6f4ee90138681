//! The client end of the wire: drives our helper and any libvirtd.

mod channel;
mod events;
mod handshake;
mod keepalive;
mod operations;
mod stream;
mod transport;

pub use crate::rpc::socket;
pub use stream::RemoteStream;

use crate::backend::*;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::rpc::frame::REMOTE_PROGRAM;
use crate::rpc::procedure;
use crate::rpc::xdr::{self, Writer, Xdr};
use crate::uri::Uri;
use channel::Channel;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use transport::Transport;

/// A connection to a daemon that speaks the RPC protocol.
///
/// Calls from several threads share the socket and do not wait for each other. Dropping it says goodbye.
pub struct RemoteConnection {
    channel: Arc<Channel>,
    /// The URI by which the user knows this connection; a daemon knows only its own part of it.
    uri: String,
    encrypted: bool,
    /// Whether the peer wants to be told that the connection ends; else it is content to see it.
    says_goodbye: bool,
}

impl RemoteConnection {
    /// Opens a URI that names a transport or a host.
    pub fn open(uri: &Uri, read_only: bool) -> Result<RemoteConnection> {
        let driver_uri = handshake::driver_uri(uri);
        let transport = match uri.transport.as_deref() {
            Some("unix") => Transport::unix(&unix_socket(uri, read_only)?)?,
            Some("ssh" | "libssh" | "libssh2") => Transport::ssh(uri, &driver_uri, read_only)?,
            Some(other @ ("tcp" | "tls" | "ext")) => return Err(unsupported_transport(other)),
            None => return Err(unsupported_transport("tls")),
            Some(_) => {
                let what = "remote_open: transport in URL not recognised (should be tls|unix|ssh|ext|tcp|libssh2|libssh)";
                return Err(Error::invalid_argument(what).from_origin(ErrorOrigin::REMOTE));
            }
        };
        let encrypted = transport.is_encrypted();
        Self::over(transport, uri.to_string(), &driver_uri, read_only, encrypted)
    }

    /// Opens `driver_uri` at the daemon that listens on `socket`; `uri` is the name the user knows it by.
    pub fn open_socket(
        socket: &Path,
        uri: &str,
        driver_uri: &str,
        read_only: bool,
    ) -> Result<RemoteConnection> {
        let transport = Transport::unix(socket)?;
        Self::over(transport, uri.to_string(), driver_uri, read_only, false)
    }

    /// Opens `driver_uri` at our own helper at the other end of a connected socket.
    pub fn open_helper(
        socket: UnixStream,
        uri: &str,
        driver_uri: &str,
        read_only: bool,
    ) -> Result<RemoteConnection> {
        let transport = Transport::over(socket);
        let mut connection = Self::over(transport, uri.to_string(), driver_uri, read_only, false)?;
        connection.says_goodbye = false;
        Ok(connection)
    }

    fn over(
        transport: Transport,
        uri: String,
        driver_uri: &str,
        read_only: bool,
        encrypted: bool,
    ) -> Result<RemoteConnection> {
        let connection =
            RemoteConnection { channel: Channel::new(transport), uri, encrypted, says_goodbye: true };
        connection.shake_hands(driver_uri, read_only)?;
        Ok(connection)
    }

    /// Sends a call and waits for its answer.
    fn call<T: Xdr>(&self, program: u32, procedure: i32, arguments: Writer) -> Result<T> {
        if program == REMOTE_PROGRAM && procedure == procedure::CONNECT_GET_URI {
            return xdr::from_bytes(&xdr::to_bytes(&self.uri));
        }
        let mut answers = self.call_many(vec![(program, procedure, arguments.into_bytes())])?;
        let answer = answers.pop().unwrap_or_else(|| Err(Error::internal("a call has no answer")))?;
        xdr::from_bytes(&answer)
    }

    /// Sends several calls at once and waits for all answers: one round trip however many they are.
    ///
    /// A call is its program, its procedure and its encoded arguments; the answers come in the calls' order, each
    /// an encoded reply or the error the peer gave. The outer error means that the connection broke.
    pub fn call_many(&self, calls: Vec<(u32, i32, Vec<u8>)>) -> Result<Vec<Result<Vec<u8>>>> {
        self.channel.call_all(calls)
    }
}

impl Drop for RemoteConnection {
    fn drop(&mut self) {
        if self.says_goodbye {
            self.say_goodbye();
        }
        // Ends the keepalive's wait, if there is one.
        self.channel.fail(Error::internal("the connection is closed"));
    }
}

/// Whether the peer ended the connection without a word.
pub fn has_hung_up(error: &Error) -> bool {
    error.code == ErrorCode::SYSTEM && error.origin == ErrorOrigin::RPC
}

fn unsupported_transport(name: &str) -> Error {
    let what = format!(
        "remote transport '{name}' is not supported; use qemu+ssh://host/system, or qemu+unix:///system?socket=PATH for a socket"
    );
    Error::invalid_argument(what).from_origin(ErrorOrigin::REMOTE)
}

/// The socket a `+unix` URI means: the one it names, or our helper's.
fn unix_socket(uri: &Uri, read_only: bool) -> Result<std::path::PathBuf> {
    if let Some(host) = &uri.host {
        let what = format!("using unix socket and remote server '{host}' is not supported.");
        return Err(Error::invalid_argument(what).from_origin(ErrorOrigin::REMOTE));
    }
    match uri.parameter("socket") {
        Some(path) => Ok(path.into()),
        None => socket::default_socket(uri.path == "/session", read_only),
    }
}

impl Connection for RemoteConnection {
    serves!(
        host as Host,
        domains as Domains,
        snapshots as Snapshots,
        networks as Networks,
        storage as Storage,
        interfaces as Interfaces,
        node_devices as NodeDevices,
        secrets as Secrets,
        filters as Filters,
        volume_streams as VolumeStreams,
        events as Events
    );
    fn is_alive(&self) -> bool {
        self.channel.is_alive()
    }
    fn is_encrypted(&self) -> bool {
        self.encrypted
    }
    fn set_keepalive(&self, interval: Duration, count: u32, also_idle: bool) -> Result<()> {
        self.start_keepalive(interval, count, also_idle)
    }
}
