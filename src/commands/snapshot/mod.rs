//! Commands about snapshots: a file a few related commands.

pub mod change;
pub mod create;
pub mod list;
pub mod show;

use super::moment;
use crate::backend::Connection;
use crate::model::{DomainRef, SnapshotRef};
use crate::shell::args::Args;
use crate::shell::spec::Command;
use anyhow::Result;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[change::COMMANDS, create::COMMANDS, list::COMMANDS, show::COMMANDS];

/// The snapshot that `--snapshotname` or `--current` chooses.
fn chosen(connection: &dyn Connection, domain: &DomainRef, args: &Args) -> Result<SnapshotRef> {
    match moment::chosen(args, "snapshotname")? {
        Some(name) => Ok(connection.snapshots().snapshot_lookup_by_name(domain, name, 0)?),
        None => Ok(connection.snapshots().snapshot_current(domain, 0)?),
    }
}
