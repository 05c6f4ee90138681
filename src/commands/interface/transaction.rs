//! Changes that can be taken back: iface-begin, iface-commit, iface-rollback.

use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("iface-begin", Group::Interface, begin)
        .about(
            "note the interfaces' configuration, to return to it",
            "Makes a restore point: later changes are kept by iface-commit and undone by iface-rollback or, if \
             neither is given, by the next boot of the host.",
        )
        .writes(),
    Command::new("iface-commit", Group::Interface, commit)
        .about("keep the changes since iface-begin", "Gives up the restore point.")
        .writes(),
    Command::new("iface-rollback", Group::Interface, rollback)
        .about("undo the changes since iface-begin", "Returns to the restore point.")
        .writes(),
];

fn begin(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.interfaces().change_begin(0);
    answer.context("Failed to begin network config change transaction")?;
    session.print_extra("Network config change transaction started\n");
    Ok(())
}

fn commit(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.interfaces().change_commit(0);
    answer.context("Failed to commit network config change transaction")?;
    session.print_extra("Network config change transaction committed\n");
    Ok(())
}

fn rollback(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.interfaces().change_rollback(0);
    answer.context("Failed to rollback network config change transaction")?;
    session.print_extra("Network config change transaction rolled back\n");
    Ok(())
}
