//! What a person may have meant who mistyped a command or an option.
//!
//! Only a person at a terminal is told: programs compare what stands on standard error.

use super::parser::{UnknownCommand, UnknownOption};
use super::spec::Table;

/// A sentence that goes with `error`, if something similar exists.
pub fn suggestion(table: Table, error: &anyhow::Error) -> Option<String> {
    if let Some(UnknownCommand(typed)) = error.downcast_ref() {
        let names = table.rows().filter(|row| !row.hidden).map(|row| row.name);
        let name = nearest(typed, names)?;
        return Some(format!("did you mean '{name}'? 'help' lists all commands"));
    }
    if let Some(UnknownOption { command, option }) = error.downcast_ref() {
        let names = table.find(command)?.listed_options().map(|option| option.name);
        let name = nearest(option, names)?;
        return Some(format!(
            "did you mean '--{name}'? 'help {command}' lists its options"
        ));
    }
    None
}

/// The most similar of `names`, if it is similar at all: a third of the letters may differ.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (typed.chars().count() / 3).max(1);
    let scored = names.map(|name| (strsim::osa_distance(typed, name), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= most).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_similar_is_suggested() {
        let names = ["list", "dominfo", "shutdown"];
        assert_eq!(nearest("lsit", names.into_iter()), Some("list"));
        assert_eq!(nearest("shutdwon", names.into_iter()), Some("shutdown"));
        assert_eq!(nearest("frobnicate", names.into_iter()), None);
    }
}
