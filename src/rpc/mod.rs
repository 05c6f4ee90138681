//! libvirt's RPC as both ends speak it: frames, the XDR codec, and the wire forms of the model's types.
//!
//! The operations themselves stand in `backend::operations`; their numbers are the procedures of this protocol.

pub mod events;
pub mod frame;
pub mod procedure;
pub mod socket;
mod types;
pub mod xdr;

pub use types::{Counted, Items, Listing, Reply, WireArgument, WireError};
