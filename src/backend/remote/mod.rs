//! The client end of the wire: drives our helper and any libvirtd.

mod operations;

use crate::error::{Error, Result};
use crate::rpc::xdr::{Writer, Xdr};

/// A connection to a daemon that speaks the RPC protocol.
pub struct RemoteConnection;

impl RemoteConnection {
    /// Sends a call and waits for its answer.
    fn call<T: Xdr>(&self, _program: u32, _procedure: i32, _arguments: Writer) -> Result<T> {
        Err(Error::internal("not connected"))
    }
}
