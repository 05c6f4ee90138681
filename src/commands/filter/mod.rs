//! Commands about network filters and their bindings.

mod binding;
mod definition;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[binding::COMMANDS, definition::COMMANDS];
