//! Commands about checkpoints: a file a few related commands.

pub mod change;
pub mod show;

use crate::backend::Connection;
use crate::commands::domain::lookup;
use crate::model::CheckpointRef;
use crate::shell::args::Args;
use crate::shell::spec::Command;
use anyhow::Result;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[change::COMMANDS, show::COMMANDS];

/// The checkpoint that the options `domain` and `checkpointname` name.
fn checkpoint(connection: &dyn Connection, args: &Args) -> Result<CheckpointRef> {
    let domain = lookup::domain(connection, args)?;
    let name = args.required("checkpointname")?;
    Ok(connection.snapshots().checkpoint_lookup_by_name(&domain, name, 0)?)
}
