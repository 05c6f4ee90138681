//! What a person may have meant who mistyped a command, an option or a name, and what to do without a connection.
//!
//! Only a person at a terminal is told: programs compare what stands on standard error.

use super::args::Args;
use super::connection_hint;
use super::parser::{UnknownCommand, UnknownOption};
use super::session::Session;
use super::spec::Complete;

/// There is no object of that name. Its type says what the name was meant for, so that a similar one can be
/// found among those that exist; commands return it as their error, or as the context of one.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct UnknownName {
    /// virsh's words for it.
    pub message: String,
    /// What was typed.
    pub typed: String,
    /// What it should have named.
    pub kind: Complete,
}

impl UnknownName {
    /// Nothing of this kind has the name that was typed.
    pub fn new(message: impl Into<String>, typed: &str, kind: Complete) -> UnknownName {
        UnknownName { message: message.into(), typed: typed.to_string(), kind }
    }
}

/// The connection did not come about; commands see it as the context of the driver's error.
#[derive(Debug, thiserror::Error)]
#[error("failed to connect to the hypervisor")]
pub struct NotConnected {
    /// The URI that was asked for; `None` for the default.
    pub uri: Option<String>,
}

/// The lines of advice that go with `error`.
pub fn hints(session: &mut Session, error: &anyhow::Error) -> Vec<String> {
    match error.downcast_ref::<NotConnected>() {
        Some(failure) => connection_hint::lines(failure.uri.as_deref()),
        None => suggestion(session, error).into_iter().collect(),
    }
}

/// A sentence that goes with `error`, if something similar exists.
pub fn suggestion(session: &mut Session, error: &anyhow::Error) -> Option<String> {
    let table = session.commands;
    if let Some(UnknownCommand(typed)) = error.downcast_ref() {
        let names = table.rows().filter(|row| !row.hidden).map(|row| row.name);
        let name = nearest(typed, names)?;
        return Some(format!("did you mean '{name}'? 'help' lists all commands"));
    }
    if let Some(UnknownOption { command, option }) = error.downcast_ref() {
        let names = table.find(command)?.listed_options().map(|option| option.name);
        let name = nearest(option, names)?;
        return Some(format!("did you mean '--{name}'? 'help {command}' lists its options"));
    }
    if let Some(UnknownName { typed, kind, .. }) = error.downcast_ref() {
        let names = (table.values)(session, *kind, &Args::default());
        let name = nearest(typed, names.iter().map(String::as_str))?;
        return Some(format!("did you mean '{name}'?"));
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
