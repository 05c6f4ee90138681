//! Commands about the host's network interfaces: a file a few related commands.

mod bridge;
mod lifecycle;
mod listing;
mod transaction;

use crate::backend::Connection;
use crate::model::InterfaceRef;
use crate::shell::args::Args;
use crate::shell::spec::{Command, Complete, Opt};
use crate::shell::suggestion::UnknownName;
use anyhow::{Context, Result, anyhow};

/// The rows of each file.
pub const COMMANDS: &[&[Command]] =
    &[bridge::COMMANDS, lifecycle::COMMANDS, listing::COMMANDS, transaction::COMMANDS];

/// The operand that most commands on interfaces begin with.
const INTERFACE: Opt = Opt::text("interface", "an interface by its name or MAC address")
    .required()
    .complete(Complete::HostInterface);

/// The interface that the option `interface` names: what looks like a MAC address is one.
fn interface(connection: &dyn Connection, args: &Args) -> Result<InterfaceRef> {
    let text = args.required("interface")?;
    if is_mac(text) { by_mac(connection, text) } else { by_name(connection, text) }
}

fn by_mac(connection: &dyn Connection, text: &str) -> Result<InterfaceRef> {
    if !is_mac(text) {
        return Err(anyhow!("failed to get interface '{text}'"));
    }
    let answer = connection.interfaces().lookup_by_mac_string(text);
    answer.with_context(|| format!("failed to get interface '{text}'"))
}

fn by_name(connection: &dyn Connection, text: &str) -> Result<InterfaceRef> {
    if is_mac(text) {
        return Err(anyhow!("failed to get interface '{text}'"));
    }
    let answer = connection.interfaces().lookup_by_name(text);
    let message = || format!("failed to get interface '{text}'");
    answer.with_context(|| UnknownName::new(message(), text, Complete::HostInterface))
}

/// Six pairs of hexadecimal digits between colons.
fn is_mac(text: &str) -> bool {
    let hexadecimal =
        |part: &str| (1..=2).contains(&part.len()) && part.chars().all(|digit| digit.is_ascii_hexdigit());
    text.split(':').count() == 6 && text.split(':').all(hexadecimal)
}
