//! Every driver by name: how a URI becomes a connection.

use super::{Connection, ReadOnly, qemu, remote, test, xen};
use crate::error::{Error, ErrorCode, Result};
use crate::uri::Uri;

/// Opens drivers for URIs of certain schemes.
struct Driver {
    /// What it is called where drivers are listed.
    name: &'static str,
    /// Whether this driver is meant by the URI.
    claims: fn(&Uri) -> bool,
    /// Opens it; `read_only` is what the user asked for.
    open: fn(&Uri, read_only: bool) -> Result<Box<dyn Connection>>,
}

/// Asked from the first to the last.
const DRIVERS: &[Driver] = &[
    Driver { name: "qemu", claims: is_local_qemu, open: qemu::open },
    Driver {
        name: "remote",
        claims: Uri::is_remote,
        open: |uri, read_only| Ok(Box::new(remote::RemoteConnection::open(uri, read_only)?)),
    },
    Driver { name: "test", claims: |uri| uri.scheme == "test", open: open_test },
    Driver { name: "xen", claims: |uri| uri.scheme == "xen", open: xen::open },
];

/// Our own helper on this machine, also when the transport is spelled out but no socket is.
fn is_local_qemu(uri: &Uri) -> bool {
    let plain = match uri.transport.as_deref() {
        None => true,
        Some(transport) => transport == "unix" && uri.parameter("socket").is_none(),
    };
    uri.scheme == "qemu" && uri.host.is_none() && plain
}

fn open_test(uri: &Uri, read_only: bool) -> Result<Box<dyn Connection>> {
    let connection: Box<dyn Connection> = Box::new(test::TestConnection::open(uri)?);
    Ok(if read_only { Box::new(ReadOnly::new(connection)) } else { connection })
}

/// Opens the driver that `uri` names.
pub fn open(uri: &Uri, read_only: bool) -> Result<Box<dyn Connection>> {
    match DRIVERS.iter().find(|driver| (driver.claims)(uri)) {
        Some(driver) => (driver.open)(uri, read_only),
        None => Err(Error::new(ErrorCode::NO_CONNECT, uri)),
    }
}

/// Where the helper of `qemu:///session` or `qemu:///system` listens.
pub fn helper_socket(session: bool) -> Option<std::path::PathBuf> {
    remote::socket::default_socket(session, false).ok()
}

/// The drivers there are.
pub fn names() -> Vec<&'static str> {
    DRIVERS.iter().map(|driver| driver.name).collect()
}
