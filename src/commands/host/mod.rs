//! Commands about the node and its hypervisor: a file a few related commands.

mod cpu;
mod facts;
mod memory;
mod node;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[cpu::COMMANDS, facts::COMMANDS, memory::COMMANDS, node::COMMANDS];
