//! A guest's life in its corners, on real guests through the built binaries: saves that are watched, aborted and
//! fail; ends of every kind; firmware; what runs beside QEMU; an older QEMU; the helper of the system.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

#[path = "../common/mod.rs"]
mod common;

mod beside;
mod beyond;
mod compared;
mod devices;
mod ends;
mod firmware;
mod older;
mod plugging;
mod saving;
mod starting;
mod system;
