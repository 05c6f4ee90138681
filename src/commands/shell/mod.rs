//! Commands about the shell itself.

mod complete;
mod connect;
mod directory;
mod echo;
mod help;
mod leave;
mod self_test;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[
    directory::COMMANDS,
    echo::COMMANDS,
    leave::COMMANDS,
    help::COMMANDS,
    connect::COMMANDS,
    complete::COMMANDS,
    self_test::COMMANDS,
];
