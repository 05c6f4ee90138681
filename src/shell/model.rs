//! The shell's options and commands as clap's own model: what generators of completions and other tools read.
//!
//! The shell itself does not parse by it, because virsh's grammar and messages are its own; so it is built only
//! when somebody asks for it, and costs nothing otherwise.

use super::help::GROUPS;
use super::options::{OPTIONS, ProcessOption};
use super::several;
use super::spec::{Command, Complete, Opt, OptKind, Table};
use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ValueHint};
use clap_complete::Shell;

/// What stands behind an option's name in the model's name for the same option given by place.
pub const BY_PLACE: &str = " by place";

/// The shells for which completion is written from the model; the others have scripts of their own that ask the
/// running shell for names.
pub const SHELLS: &[(&str, Shell)] = &[("elvish", Shell::Elvish), ("powershell", Shell::PowerShell)];

/// The whole model: the process's options, and each row of the table as a subcommand.
pub fn command(table: Table) -> clap::Command {
    clap::Command::new("hvsh")
        .about("run virtual machines on QEMU and Xen with the commands of virsh")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args(listed_options().map(process_option))
        .subcommands(table.rows().map(|row| subcommand(table, row)))
}

/// The completion script for one of [`SHELLS`].
pub fn completion(table: Table, shell: &str) -> Result<String> {
    let Some((_, generator)) = SHELLS.iter().find(|(name, _)| *name == shell) else {
        let known: Vec<&str> = SHELLS.iter().map(|(name, _)| *name).collect();
        bail!(
            "no completion is written for '{shell}', only for {}; bash, fish and zsh have scripts of their own",
            known.join(" and ")
        );
    };
    let mut script = Vec::new();
    clap_complete::generate(*generator, &mut command(table), "hvsh", &mut script);
    Ok(String::from_utf8(script)?)
}

/// The options that help lists; the rest are for packagers, or a second spelling.
pub fn listed_options() -> impl Iterator<Item = &'static ProcessOption> {
    OPTIONS.iter().filter(|option| !option.help.is_empty())
}

fn process_option(option: &ProcessOption) -> Arg {
    let mut arg = Arg::new(option.long).long(option.long).help(option.help);
    if let Some(short) = option.short {
        arg = arg.short(short);
    }
    if option.value.is_empty() {
        return arg.action(ArgAction::SetTrue);
    }
    arg = arg.action(ArgAction::Set).value_name(option.value);
    if option.optional_value {
        arg = arg.num_args(0..=1).require_equals(true);
    }
    match option.long {
        "connect" => arg.value_hint(ValueHint::Url),
        _ => completed(arg, option.complete),
    }
}

fn subcommand(table: Table, row: &'static Command) -> clap::Command {
    let mut command = clap::Command::new(row.name)
        .about(row.summary)
        .long_about(row.description)
        .aliases(row.aliases)
        .hide(row.hidden)
        .args_override_self(true);
    for option in row.listed_options() {
        let named = named(row, option);
        command = command.arg(completed_in(table, named, option.complete));
    }
    for option in row.options.iter().filter(|option| option.by_place()) {
        let by_place = by_place(row, option);
        command = command.arg(completed_in(table, by_place, option.complete));
    }
    let fixed = row.options.iter().filter_map(alias_with_value);
    command = command.args(fixed);
    if row.option("help").is_some() {
        return command;
    }
    command.arg(Arg::new("help").long("help").action(ArgAction::Help).help("explain the command"))
}

/// An option as it is given by its name.
fn named(row: &Command, option: &'static Opt) -> Arg {
    let aliases =
        row.options.iter().filter(|other| other.kind == OptKind::Alias(option.name)).map(|other| other.name);
    let arg = Arg::new(option.name).long(option.name).help(option.help).aliases(aliases);
    let arg = match option.kind {
        OptKind::Flag => return arg.action(ArgAction::SetTrue),
        OptKind::Rest => arg.action(ArgAction::Append),
        _ => arg.action(ArgAction::Set),
    };
    let arg = arg.value_name(option.kind.value_name()).allow_hyphen_values(true);
    match (option.required, option.by_place()) {
        (true, true) => {
            let all = row
                .option(several::ALL)
                .filter(|_| option.name == several::DOMAIN)
                .map(|_| several::ALL.to_string());
            let instead = std::iter::once(format!("{}{BY_PLACE}", option.name)).chain(all);
            arg.required_unless_present_any(instead)
        }
        (true, false) => arg.required(true),
        (false, _) => arg,
    }
}

/// The same option as a word that stands in its place.
fn by_place(row: &Command, option: &'static Opt) -> Arg {
    let arg = Arg::new(format!("{}{BY_PLACE}", option.name)).value_name(option.name).help(option.help);
    match option.kind {
        OptKind::Rest => arg.action(ArgAction::Append).num_args(0..),
        // Clap knows one open-ended place only, the last one.
        _ if row.several.is_some() && row.options.iter().filter(|other| other.by_place()).count() == 1 => {
            arg.action(ArgAction::Append).num_args(1..)
        }
        _ => arg.action(ArgAction::Set),
    }
}

/// A spelling that stands for an option together with its value; other aliases belong to their options.
fn alias_with_value(option: &'static Opt) -> Option<Arg> {
    match option.kind {
        OptKind::Alias(target) if target.contains('=') => {
            Some(Arg::new(option.name).long(option.name).hide(true).action(ArgAction::SetTrue))
        }
        _ => None,
    }
}

fn completed_in(table: Table, arg: Arg, complete: Complete) -> Arg {
    match complete {
        Complete::Command => {
            let rows = table.rows().filter(|row| !row.hidden).map(|row| row.name);
            let groups = GROUPS.iter().map(|group| group.keyword());
            arg.value_parser(PossibleValuesParser::new(rows.chain(groups)))
        }
        _ => completed(arg, complete),
    }
}

/// What is known about a value beforehand; the names of live things are not.
fn completed(arg: Arg, complete: Complete) -> Arg {
    match complete {
        Complete::File => arg.value_hint(ValueHint::FilePath),
        Complete::Words(words) => arg.value_parser(PossibleValuesParser::new(words)),
        Complete::WordList(words) => arg.value_delimiter(',').value_parser(PossibleValuesParser::new(words)),
        _ => arg,
    }
}
