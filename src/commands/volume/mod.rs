//! Commands about storage volumes: a file a few related commands.

pub mod change;
pub mod create;
pub mod lookup;
pub mod show;
pub mod transfer;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[change::COMMANDS, create::COMMANDS, show::COMMANDS, transfer::COMMANDS];
