//! `xen:///`: a union of layers, each one way to reach a Xen host and each a partial driver.
//!
//! A `Layer` implements the families of operations it can serve and leaves the rest *unsupported*. The
//! union asks the layers one after the other, in an order that suits the operation; a layer that is not there
//! on this host is not asked, and why it is not there is kept for whoever wants to know.

mod definition;
mod definitions;
mod directory;
mod events;
pub mod hypervisor;
mod layer;
mod managed;
pub mod native;
mod parts;
pub mod proxy;
pub mod sxp;
mod union;
mod xend;
pub mod xenstore;
mod xl;

pub use events::{EventSource, XenEvents};
pub use parts::{Parts, open};
pub use union::XenConnection;
