//! hvsh: virsh without libvirt. The modules are mapped in ARCHITECTURE.md.

pub mod backend;
pub mod commands;
pub mod error;
pub mod host;
pub mod model;
pub mod qemud;
pub mod rpc;
pub mod server;
pub mod shell;
pub mod uri;
pub mod xml;
