//! The helper: launches QEMU, controls it by its monitor, and serves the wire.

pub mod access;
pub mod argv;
pub mod capabilities;
pub mod daemon;
pub mod define;
pub mod dispatch;
pub mod driver;
mod legacy;
pub mod qmp;
pub mod server;
mod session;
pub mod store;
mod streams;
mod subscriptions;
pub mod vm;

pub use session::LIBRARY_VERSION;
