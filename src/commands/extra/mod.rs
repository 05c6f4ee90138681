//! Commands that virsh does not have: clone, ip, rm, wait.

pub mod address;
pub mod clone;
pub mod remove;
pub mod wait;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[clone::COMMANDS, address::COMMANDS, remove::COMMANDS, wait::COMMANDS];
