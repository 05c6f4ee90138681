//! A piece of an answer: what a person reads and what a program gets.

use serde_json::Value;
use std::borrow::Cow;

/// Text for the table and a value for JSON and YAML.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// What is shown.
    pub text: Cow<'static, str>,
    /// What a program gets.
    pub value: Value,
}

impl Cell {
    /// A cell whose value differs from its text: `Cell::with("1048576 KiB", 1048576)`, `Cell::with("-", ())`.
    pub fn with(text: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Cell {
        Cell { text: text.into(), value: value.into() }
    }

    /// What may be missing, shown as `-` then.
    pub fn or_dash(value: Option<impl Into<Cell>>) -> Cell {
        value.map_or_else(|| Cell::with("-", Value::Null), Into::into)
    }

    /// A yes or no, in these words.
    pub fn choice(value: bool, yes: &'static str, no: &'static str) -> Cell {
        Cell::with(if value { yes } else { no }, value)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::from(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { value: Value::String(text.clone()), text: Cow::Owned(text) }
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Cell {
        Cell::from(text.clone())
    }
}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl From<$number> for Cell {
            fn from(number: $number) -> Cell {
                Cell::with(number.to_string(), number)
            }
        })*
    };
}
numbers!(u8 u16 u32 u64 usize i32 i64);

/// The name of a field in JSON and YAML that is shown under `label`: lower case, words joined by `_`.
pub fn field_name(label: &str) -> String {
    let plain = label.replace("(s)", "s").to_lowercase();
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_are_plain_words() {
        assert_eq!(field_name("CPU(s)"), "cpus");
        assert_eq!(field_name("MAC Address"), "mac_address");
        assert_eq!(field_name("Security DOI:"), "security_doi");
    }
}
