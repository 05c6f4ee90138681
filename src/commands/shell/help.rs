//! `help`: all commands, a group of them, or one.

use crate::shell::args::Args;
use crate::shell::help;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt, OptKind, Table};
use anyhow::{Result, bail};
use serde_json::{Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("help", Group::Shell, print_help)
    .answers(
        "[{name: text, group: text, summary: text}] | {name: text, group: text, \
             summary: text, description: text, synopsis: text, options: [{name: text, \
             value: text?, required: boolean, by_place: boolean, help: text}], answers: \
             text?}",
    )
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
    let (data, text) = match args.text("command")? {
        None => (listed(table, None), help::overview(table)),
        Some(name) => match table.find(name) {
            Some(row) => (described(row), help::command(row)),
            None => match help::GROUPS.iter().find(|group| group.keyword() == name) {
                Some(&group) => (listed(table, Some(group)), help::group(table, group)),
                None => bail!("command or command group '{name}' doesn't exist"),
            },
        },
    };
    session.show(&data, |session| session.print(text))
}

/// The commands of a group, or of all, as data.
fn listed(table: Table, group: Option<Group>) -> Value {
    let rows = table.rows().filter(|row| !row.hidden && group.is_none_or(|group| row.group == group));
    let row = |row: &Command| json!({"name": row.name, "group": row.group.keyword(), "summary": row.summary});
    rows.map(row).collect()
}

/// A command as data.
fn described(row: &Command) -> Value {
    let option = |option: &Opt| {
        let value = (option.kind != OptKind::Flag).then(|| option.kind.value_name());
        json!({
            "name": option.name, "value": value, "required": option.required, "by_place": option.by_place(),
            "help": option.help,
        })
    };
    json!({
        "name": row.name,
        "group": row.group.keyword(),
        "summary": row.summary,
        "description": row.description,
        "synopsis": help::synopsis(row),
        "options": row.listed_options().map(option).collect::<Vec<_>>(),
        "answers": row.answers,
    })
}
