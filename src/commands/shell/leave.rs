//! `quit`, `exit`: the end of the shell.

use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("exit", Group::Shell, leave)
        .local()
        .about("leave the shell", "Ends the shell with success, whatever failed before."),
    Command::new("quit", Group::Shell, leave)
        .local()
        .about("leave the shell", "Ends the shell with success, whatever failed before."),
];

fn leave(session: &mut Session, _: &Args) -> Result<()> {
    session.leave();
    Ok(())
}
