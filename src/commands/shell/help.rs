//! `help`: all commands, a group of them, or one.

use crate::shell::args::Args;
use crate::shell::help;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("help", Group::Shell, print_help)
    .local()
    .lenient()
    .about(
        "explain commands",
        "Lists all commands, the commands of a group, or explains one command with its options.",
    )
    .options(&[Opt::text("command", "the command or the group to explain")
        .positional()
        .complete(Complete::Command)])];

fn print_help(session: &mut Session, args: &Args) -> Result<()> {
    let table = session.commands;
    let text = match args.text("command")? {
        None => help::overview(table),
        Some(name) => match table.find(name) {
            Some(row) => help::command(row),
            None => match help::GROUPS.iter().find(|group| group.keyword() == name) {
                Some(&group) => help::group(table, group),
                None => bail!("command or command group '{name}' doesn't exist"),
            },
        },
    };
    session.print(text);
    Ok(())
}
