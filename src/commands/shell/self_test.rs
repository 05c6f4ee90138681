//! The hidden command `self-test`: whether the command table is sound.

use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group, Opt};
use crate::shell::{help, soundness};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("self-test", Group::Shell, self_test)
    .local()
    .hidden()
    .about("check the command table", "Walks the table of commands and reports what is wrong with it.")
    .options(&[
        Opt::flag("completers-missing", "list the options whose values nothing completes"),
        Opt::flag("dump-help", "print the help of each command"),
    ])];

fn self_test(session: &mut Session, args: &Args) -> Result<()> {
    let table = session.commands;
    if args.has("completers-missing") {
        for row in table.rows() {
            let missing: Vec<&str> = soundness::without_completion(row).collect();
            if !missing.is_empty() {
                session.print(format_args!("{}: {}\n", row.name, missing.join(", ")));
            }
        }
    }
    if args.has("dump-help") {
        for row in table.rows() {
            session.print(help::command(row));
        }
    }
    let faults = soundness::faults(table);
    for fault in &faults {
        session.error(fault);
    }
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Silent.into()),
    }
}
