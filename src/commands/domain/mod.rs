//! Commands on domains: finding, showing, defining, starting and stopping them.

pub mod definition;
pub mod lookup;
pub mod power;
pub mod saving;
pub mod settings;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[
    definition::COMMANDS,
    power::COMMANDS,
    saving::dump::COMMANDS,
    saving::file::COMMANDS,
    saving::image::COMMANDS,
    saving::job::COMMANDS,
    saving::managed::COMMANDS,
    settings::COMMANDS,
];
