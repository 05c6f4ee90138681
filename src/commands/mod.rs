//! The command table: a folder a group, a file a few related commands, a row and a function each.

pub mod domain;
mod files;
mod impact;
mod plain_name;

use crate::shell::spec::Command;

/// All rows: a slice a file. `help` sorts them into their groups.
pub const TABLE: &[&[Command]] = &[
    domain::definition::COMMANDS,
    domain::power::COMMANDS,
    domain::settings::COMMANDS,
];
