//! The syntax that the configuration files of `xm` and `xl` share: `key = value`, one a line or parted by `;`.
//!
//! A value is a string in either kind of quotes, a whole number, or a list of values that may run over several
//! lines; `#` opens a comment. `xm` ran its files as programs. Here nothing is ever run: a statement of another
//! form is set aside with its line and the names it might give a value to, and whoever needs one of these names
//! says which line stands in the way.

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use reader::Reader;
use std::fmt;

mod reader;
#[cfg(test)]
mod tests;

/// Lists inside lists, at most.
const DEEPEST: usize = 8;

/// What a key is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A whole number; `True` and `False` are 1 and 0.
    Number(i64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Value>),
}

impl Value {
    /// The value as the other side's text: a number in digits, a list not at all.
    pub fn as_text(&self) -> Option<String> {
        match self {
            Value::Number(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::List(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_string())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Number(number)
    }
}

impl From<Vec<String>> for Value {
    fn from(items: Vec<String>) -> Value {
        Value::List(items.into_iter().map(Value::Text).collect())
    }
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// The line it stands on; 0 if it was not read.
    pub line: usize,
}

/// A statement of no form that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line it begins on.
    pub line: usize,
    /// How it begins.
    pub text: String,
    /// The names it might give a value to.
    pub names: Vec<String>,
}

/// A configuration file: the last value of each key in the order of the keys, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    entries: Vec<Entry>,
    unread: Vec<Unread>,
}

impl Config {
    /// Reads a file's text; never fails, see [`Config::unread`].
    pub fn parse(text: &str) -> Config {
        let mut reader = Reader { rest: text, line: 1 };
        let mut config = Config::default();
        while reader.skip_to_statement() {
            let (start, line) = (reader.rest, reader.line);
            match reader.assignment() {
                Some((name, appends, value)) => config.assign(&name, appends, value, line, start),
                None => {
                    (reader.rest, reader.line) = (start, line);
                    reader.skip_statement();
                    let statement = &start[..start.len() - reader.rest.len()];
                    config.set_aside(statement, line);
                }
            }
        }
        config
    }

    fn assign(&mut self, name: &str, appends: bool, value: Option<Value>, line: usize, statement: &str) {
        match (value, appends) {
            (None, _) => self.remove(name),
            (Some(value), false) => self.put(name, value, line),
            (Some(added), true) => match (self.get(name).cloned(), added) {
                (Some(Value::Text(old)), Value::Text(added)) => {
                    self.put(name, Value::Text(old + &added), line)
                }
                (Some(Value::List(mut old)), Value::List(added)) => {
                    old.extend(added);
                    self.put(name, Value::List(old), line);
                }
                (None, added) => self.put(name, added, line),
                _ => self.set_aside(statement.lines().next().unwrap_or_default(), line),
            },
        }
    }

    fn put(&mut self, name: &str, value: Value, line: usize) {
        match self.entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => (entry.value, entry.line) = (value, line),
            None => self.entries.push(Entry { name: name.to_string(), value, line }),
        }
    }

    fn set_aside(&mut self, statement: &str, line: usize) {
        let text = statement.lines().next().unwrap_or_default().trim();
        let text: String = text.chars().take(80).collect();
        self.unread.push(Unread { line, text, names: assigned_names(statement) });
    }

    /// All keys with their values.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The statements that could not be read.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| &entry.value)
    }

    /// The value of a key as a text; `None` as well when it is a list.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Value::as_text)
    }

    /// The value of a key as a number, also when it is written as a string.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::List(_) => None,
        }
    }

    /// The strings of a list; a plain string is a list of one.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.get(name) {
            Some(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
            Some(value) => value.as_text().into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Gives a key a value, in its place if it has one already.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.put(name, value.into(), 0);
    }

    /// Gives each key of another configuration that `wanted` names the value it has there.
    pub fn take_over(&mut self, other: &Config, wanted: impl Fn(&str) -> bool) {
        for entry in other.entries.iter().filter(|entry| wanted(&entry.name)) {
            self.set(&entry.name, entry.value.clone());
        }
    }

    /// Gives a key another name, in its place.
    pub fn rename(&mut self, name: &str, new: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.name == name) {
            entry.name = new.to_string();
        }
    }

    /// Puts keys in this order, and those that are not in it behind them.
    pub fn arrange(&mut self, order: &[&str]) {
        let place = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
        self.entries.sort_by_key(|entry| place(&entry.name));
    }

    /// Takes a key away.
    pub fn remove(&mut self, name: &str) {
        self.entries.retain(|entry| entry.name != name);
    }

    /// Fails when a statement that could not be read might have set one of the keys `needed` accepts.
    pub fn require_read(&self, file: &str, needed: impl Fn(&str) -> bool) -> Result<()> {
        let in_the_way = self.unread.iter().find(|unread| unread.names.iter().any(|name| needed(name)));
        match in_the_way {
            None => Ok(()),
            Some(unread) => Err(unread.error(file)),
        }
    }
}

impl Config {
    /// Fails when there is any statement that could not be read.
    pub fn require_all_read(&self, file: &str) -> Result<()> {
        self.unread.first().map_or(Ok(()), |unread| Err(unread.error(file)))
    }
}

impl Unread {
    /// Says where this stands and what would do instead.
    pub fn error(&self, file: &str) -> Error {
        let detail = format!(
            "{file}:{}: cannot read '{}': only numbers, strings and lists of them can stand after '='",
            self.line, self.text
        );
        Error::new(ErrorCode::CONFIG_SYNTAX, detail).from_origin(ErrorOrigin::XEN)
    }
}

impl fmt::Display for Config {
    /// The file's text, a key a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{} = {}", entry.name, entry.value)?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Text(text) => write_text(text, f),
            Value::List(items) => {
                f.write_str("[ ")?;
                for (place, item) in items.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    item.fmt(f)?;
                }
                f.write_str(if items.is_empty() { "]" } else { " ]" })
            }
        }
    }
}

fn write_text(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

/// Every name that stands before a `=` of assignment, wherever it is.
fn assigned_names(statement: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in statement.match_indices('=') {
        let (before, after) = (&statement[..at], &statement[at + 1..]);
        if after.starts_with('=') || before.ends_with(['=', '!', '<', '>']) {
            continue;
        }
        let before = before.trim_end_matches(['+', '-', '*', '/', '%', '|', '&']).trim_end();
        let start = before
            .rfind(|c: char| !is_word(c))
            .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !names.iter().any(|n| n == name)
        {
            names.push(name.to_string());
        }
    }
    names
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
