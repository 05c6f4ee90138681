//! Commands about virtual networks: a file a few related commands.

mod describe;
mod events;
mod leases;
mod lifecycle;
mod listing;
mod port;
mod update;

use crate::backend::Connection;
use crate::model::NetworkRef;
use crate::shell::args::Args;
use crate::shell::spec::{Command, Complete, Opt};
use crate::shell::suggestion::UnknownName;
use anyhow::{Context, Result};
use uuid::Uuid;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[
    describe::COMMANDS,
    events::COMMANDS,
    leases::COMMANDS,
    lifecycle::COMMANDS,
    listing::COMMANDS,
    port::COMMANDS,
    update::COMMANDS,
];

/// The operand that most commands on networks begin with.
const NETWORK: Opt =
    Opt::text("network", "a network by its name or uuid").required().complete(Complete::Network);

/// The network that the option `network` names by its uuid or its name.
fn network(connection: &dyn Connection, args: &Args) -> Result<NetworkRef> {
    network_named(connection, args.required("network")?)
}

/// The network that `text` names by its uuid or its name.
fn network_named(connection: &dyn Connection, text: &str) -> Result<NetworkRef> {
    let networks = connection.networks();
    if let Some(Ok(network)) = uuid_in(text).map(|uuid| networks.lookup_by_uuid(uuid)) {
        return Ok(network);
    }
    let failed = || UnknownName::new(format!("failed to get network '{text}'"), text, Complete::Network);
    networks.lookup_by_name(text).with_context(failed)
}

/// A uuid in its full form, dashes included.
fn uuid_in(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
