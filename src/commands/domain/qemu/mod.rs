//! Talking to QEMU itself: its monitor, its events, the agent inside its guest.

pub mod command;
pub mod events;
mod json;
