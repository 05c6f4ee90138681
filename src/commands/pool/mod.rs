//! Commands about storage pools: a file a few related commands.

pub mod create;
pub mod events;
pub mod lifecycle;
pub mod list;
mod options;
pub mod show;
pub mod sources;

use crate::backend::Connection;
use crate::model::PoolRef;
use crate::shell::args::Args;
use crate::shell::spec::Command;
use crate::shell::spec::Complete;
use crate::shell::suggestion::UnknownName;
use anyhow::{Context, Result};
use uuid::Uuid;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[
    create::COMMANDS,
    events::COMMANDS,
    lifecycle::COMMANDS,
    list::COMMANDS,
    show::COMMANDS,
    sources::COMMANDS,
];

/// The pool that the option `pool` names.
fn pool(connection: &dyn Connection, args: &Args) -> Result<PoolRef> {
    named(connection, args.required("pool")?)
}

/// The pool of this uuid or name.
pub(in crate::commands) fn named(connection: &dyn Connection, text: &str) -> Result<PoolRef> {
    let storage = connection.storage();
    if let Some(Ok(pool)) = uuid_in(text).map(|uuid| storage.pool_lookup_by_uuid(uuid)) {
        return Ok(pool);
    }
    by_name(connection, text)
}

/// The pool of this name.
fn by_name(connection: &dyn Connection, name: &str) -> Result<PoolRef> {
    let failed = || UnknownName::new(format!("failed to get pool '{name}'"), name, Complete::Pool);
    connection.storage().pool_lookup_by_name(name).with_context(failed)
}

/// A uuid in its full form, dashes included.
fn uuid_in(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
