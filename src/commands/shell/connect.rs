//! `connect`: another hypervisor, or the same one anew.

use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("connect", Group::Shell, connect)
    .local()
    .about(
        "connect to a hypervisor",
        "Drops the present connection and opens the one named, or the same one anew when none is named.",
    )
    .options(&[
        Opt::text("name", "the URI of the hypervisor, or an alias of it").positional().empty_ok(),
        Opt::flag("readonly", "without the right to change anything"),
    ])];

fn connect(session: &mut Session, args: &Args) -> Result<()> {
    let read_only = args.has("readonly");
    match args.text("name")? {
        Some(uri) => session.connect_to(Some(uri.to_string()), read_only),
        None => {
            let uri = session.settings.uri.clone();
            session.connect_to(uri, read_only || session.settings.read_only)
        }
    }
}
