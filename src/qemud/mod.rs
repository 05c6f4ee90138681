//! The helper: launches QEMU, and controls it by its monitor.

pub mod argv;
pub mod capabilities;
pub mod daemon;
pub mod define;
pub mod driver;
pub mod qmp;
pub mod store;
pub mod vm;
