//! The store of the toolstack and the guests: our own client of its daemon, and the layer made of it.
//!
//! [`Xenstore`] asks many things in one round trip, and every wait has an end: a daemon that is dead or hangs is an
//! error. When the daemon was started anew, what only reads is asked again; what changes is not.

mod client;
mod consoles;
mod counters;
mod devices;
mod frame;
mod identity;
mod layer;
mod lifecycle;
mod link;
#[cfg(test)]
pub(super) mod tests;
mod transaction;
mod tuning;
mod value;
mod watcher;

pub use client::Xenstore;
pub use consoles::{Consoles, Display};
pub use counters::device_statistics;
pub use devices::{BackEnd, Devices, Disk, Interface};
pub use frame::{Message, PAYLOAD_MAX, WatchEvent};
pub use identity::Identity;
pub use layer::XenstoreLayer;
pub use transaction::Transaction;
pub use value::Value;
pub use watcher::Watcher;
