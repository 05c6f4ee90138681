//! Commands about storage volumes: a file a few related commands.

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[];
