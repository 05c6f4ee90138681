//! The arguments of one command, parsed against its row, and the readings that virsh gives their values.

use anyhow::{Result, bail};
use std::str::FromStr;

/// What was given, by the options' names.
#[derive(Clone, Debug, Default)]
pub struct Args {
    values: Vec<(&'static str, String)>,
    flags: Vec<&'static str>,
}

impl Args {
    /// Notes a flag.
    pub(super) fn set_flag(&mut self, name: &'static str) {
        self.flags.push(name);
    }

    /// Notes a value; an option of kind `Rest` has several.
    pub(super) fn add(&mut self, name: &'static str, value: String) {
        self.values.push((name, value));
    }

    /// Whether a flag or a value was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.contains(&name) || self.get(name).is_some()
    }

    /// The value of an option.
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The value of an option that the parser has made sure of.
    pub fn required(&self, name: &str) -> Result<&str> {
        match self.get(name) {
            Some(value) => Ok(value),
            None => bail!("Mandatory option <{name}> missing"),
        }
    }

    /// All values of an option.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values
            .iter()
            .filter(move |(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A number; what is no number of this type is refused in virsh's words.
    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match parse_number(text) {
            Some(number) => Ok(Some(number)),
            None => bail!("Numeric value '{text}' for <{name}> option is malformed or out of range"),
        }
    }

    /// A size with an optional suffix, in bytes. Without a suffix the number counts in units of `scale` bytes.
    pub fn size(&self, name: &str, scale: u64, most: u64) -> Result<Option<u64>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        match super::units::parse_size(text, scale).filter(|&size| size <= most) {
            Some(size) => Ok(Some(size)),
            None => bail!("Scaled numeric value '{text}' for <--{name}> option is malformed or out of range"),
        }
    }

    /// Refuses two options together, in virsh's words.
    pub fn exclusive(&self, one: &str, other: &str) -> Result<()> {
        if self.has(one) && self.has(other) {
            bail!("Options --{one} and --{other} are mutually exclusive");
        }
        Ok(())
    }

    /// Refuses `option` without `needed`, in virsh's words.
    pub fn requires(&self, option: &str, needed: &str) -> Result<()> {
        if self.has(option) && !self.has(needed) {
            bail!("Option --{needed} is required by option --{option}");
        }
        Ok(())
    }
}

/// Reads a number as C's strtol does with base 0: leading blanks, `0x`, and a leading zero for octal.
fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let decimal = match lower.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?.to_string(),
        None if lower.len() > 1 && lower.starts_with('0') => {
            u64::from_str_radix(&lower[1..], 8).ok()?.to_string()
        }
        None if lower.starts_with(|c: char| c.is_ascii_digit()) => lower,
        None => return None,
    };
    format!("{sign}{decimal}").parse().ok()
}
