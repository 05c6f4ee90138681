//! The command table: a folder a group, a file a few related commands, a row and a function each.

pub mod backup;
pub mod checkpoint;
mod clock;
mod cpu_list;
mod description;
mod descriptors;
mod document;
pub mod domain;
mod editor;
mod event_loop;
pub mod events;
pub mod extra;
mod files;
pub mod filter;
pub mod host;
mod impact;
pub mod interface;
mod moment;
pub mod monitor;
pub mod network;
pub mod node_device;
mod parameters;
mod plain_name;
pub mod pool;
pub mod secret;
pub mod shell;
pub mod snapshot;
mod values;
mod vocabulary;
pub mod volume;

use crate::shell::spec::Table;

/// All rows: a list a group, in it a slice a file; and what completes the names of live things.
pub const TABLE: Table = Table {
    values: values::values,
    groups: &[
        domain::COMMANDS,
        monitor::COMMANDS,
        events::COMMANDS,
        host::COMMANDS,
        checkpoint::COMMANDS,
        interface::COMMANDS,
        filter::COMMANDS,
        network::COMMANDS,
        node_device::COMMANDS,
        secret::COMMANDS,
        snapshot::COMMANDS,
        backup::COMMANDS,
        pool::COMMANDS,
        volume::COMMANDS,
        shell::COMMANDS,
        extra::COMMANDS,
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::soundness;

    #[test]
    fn the_table_is_sound() {
        let faults = soundness::faults(TABLE);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
