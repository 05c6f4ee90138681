//! The table as clap's model: nothing of the one is missing in the other, and what is written from it is whole.

use crate::stage::Stage;
use clap::Command;
use hvsh::commands::TABLE;
use hvsh::shell::model::{self, BY_PLACE};
use hvsh::shell::spec::{Complete, OptKind};

fn parsed(words: &[&str]) -> Result<clap::ArgMatches, clap::Error> {
    model::command(TABLE).try_get_matches_from(std::iter::once(&"hvsh").chain(words))
}

/// What the model takes by name, each spelling, sorted; `--help` is the same everywhere.
fn spellings(command: &Command) -> Vec<String> {
    let named = command.get_arguments().filter(|arg| arg.get_long() != Some("help"));
    let mut spellings: Vec<String> = named
        .flat_map(|arg| arg.get_long().into_iter().chain(arg.get_all_aliases().unwrap_or_default()))
        .map(str::to_string)
        .collect();
    spellings.sort();
    spellings
}

#[test]
fn clap_finds_no_fault_in_the_model() {
    model::command(TABLE).debug_assert();
}

#[test]
fn the_model_holds_each_row_and_option_and_no_more() {
    let model = model::command(TABLE);
    let rows: Vec<&str> = TABLE.rows().map(|row| row.name).collect();
    let held: Vec<&str> = model.get_subcommands().map(Command::get_name).collect();
    assert_eq!(held, rows);
    for row in TABLE.rows() {
        let command = model.find_subcommand(row.name).unwrap();
        assert_eq!(command.get_about().unwrap().to_string(), row.summary);
        assert_eq!(command.is_hide_set(), row.hidden, "{}", row.name);
        for alias in row.aliases {
            assert!(command.get_all_aliases().any(|known| known == *alias), "{alias}");
        }
        let options = row.options.iter().map(|option| option.name);
        let mut options: Vec<&str> = options.filter(|name| *name != "help").collect();
        options.sort_unstable();
        assert_eq!(spellings(command), options, "{}", row.name);
        let places = row.options.iter().filter(|option| option.by_place());
        let places: Vec<String> = places.map(|option| format!("{}{BY_PLACE}", option.name)).collect();
        let held: Vec<&str> = command.get_positionals().map(|arg| arg.get_id().as_str()).collect();
        assert_eq!(held, places, "{}", row.name);
        for option in row.listed_options() {
            let arg = command.get_arguments().find(|arg| arg.get_id() == option.name).unwrap();
            assert_eq!(arg.get_action().takes_values(), option.kind != OptKind::Flag);
            if let Complete::Words(words) | Complete::WordList(words) = option.complete {
                let values = arg.get_possible_values();
                let values: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
                assert_eq!(values, words, "{} --{}", row.name, option.name);
            }
        }
    }
    assert_eq!(model.get_arguments().count(), model::listed_options().count());
    for option in model::listed_options() {
        let arg = model.get_arguments().find(|arg| arg.get_id() == option.long).unwrap();
        assert_eq!((arg.get_short(), arg.get_long()), (option.short, Some(option.long)));
        assert_eq!(arg.get_action().takes_values(), !option.value.is_empty(), "--{}", option.long);
    }
}

#[test]
fn the_model_takes_what_the_shell_takes() {
    let given = parsed(&["-qc", "test:///default", "domstate", "test", "--reason"]).unwrap();
    let (name, domstate) = given.subcommand().unwrap();
    assert_eq!(name, "domstate");
    assert!(given.get_flag("quiet") && domstate.get_flag("reason"));
    let place = format!("domain{BY_PLACE}");
    assert_eq!(domstate.get_one::<String>(&place).unwrap(), "test");
    assert!(parsed(&["domstate", "--domain", "test"]).is_ok());
    assert!(parsed(&["domstate"]).is_err());
    assert!(parsed(&["domstate", "test", "--frobnicate"]).is_err());
    assert!(parsed(&["--format", "ini", "list"]).is_err());
}

#[test]
fn completion_scripts_name_all_there_is() {
    let stage = Stage::new();
    for (shell, _) in model::SHELLS {
        let answer = stage.run(&["--print-completion", shell], "");
        assert_eq!((answer.err.as_str(), answer.status), ("", 0));
        let script = answer.out;
        for row in TABLE.rows().filter(|row| !row.hidden) {
            let section = format!("'hvsh;{}'", row.name);
            let start = script.find(&section).unwrap_or_else(|| panic!("{shell}: no {section}"));
            let rest = &script[start + section.len()..];
            let section = rest.split("'hvsh;").next().unwrap();
            for option in row.listed_options() {
                assert!(
                    section.contains(&format!("--{}", option.name)),
                    "{shell}: {} lacks --{}",
                    row.name,
                    option.name
                );
            }
        }
    }
    let option = model::listed_options().find(|option| option.long == "print-completion");
    let shells: Vec<&str> = model::SHELLS.iter().map(|(name, _)| *name).collect();
    assert_eq!(option.unwrap().complete, Complete::Words(&shells.leak()[..]));
    let refusal = stage.run(&["--print-completion", "tcsh"], "");
    assert_eq!((refusal.out.as_str(), refusal.status), ("", 1));
    assert_eq!(refusal.err.lines().count(), 1, "{}", refusal.err);
}
