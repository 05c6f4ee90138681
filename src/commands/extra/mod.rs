//! Commands that virsh does not have: clone, ip, rm, wait.

pub mod address;
pub mod clone;
mod file_copy;
pub mod remove;
pub mod wait;

use crate::shell::address::resolve;
use crate::shell::session::Session;
use crate::shell::spec::Command;
use anyhow::Result;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[clone::COMMANDS, address::COMMANDS, remove::COMMANDS, wait::COMMANDS];

/// Whether files that a domain names are files of the host that this shell runs on.
fn is_own_host(session: &Session) -> Result<bool> {
    let uri = resolve(session.settings.uri.as_deref())?;
    Ok(uri.host.is_none() && uri.scheme != "test")
}
