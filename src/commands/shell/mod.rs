//! Commands about the shell itself.

mod directory;
mod echo;
mod leave;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[directory::COMMANDS, echo::COMMANDS, leave::COMMANDS];
