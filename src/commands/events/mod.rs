//! Commands about watching what happens: a file a few related commands.

pub mod domain;
mod domain_text;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[domain::COMMANDS];
