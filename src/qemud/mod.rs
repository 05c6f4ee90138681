//! The helper: launches QEMU, controls it by its monitor, and serves the wire.

pub mod dispatch;
pub mod qmp;
pub mod store;
pub mod vm;
