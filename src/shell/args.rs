//! The arguments of one command, parsed against its row, and the readings that virsh gives their values.

use super::spec::Command;
use super::units;
use anyhow::{Context, Result, anyhow, bail};
use std::str::FromStr;

/// What was given, by the options' names.
#[derive(Clone, Default)]
pub struct Args {
    command: Option<&'static Command>,
    values: Vec<(&'static str, String)>,
    flags: Vec<&'static str>,
}

impl Args {
    /// Nothing given yet to `command`.
    pub fn new(command: &'static Command) -> Args {
        Args { command: Some(command), ..Args::default() }
    }

    /// Notes a flag.
    pub(super) fn set_flag(&mut self, name: &'static str) {
        self.flags.push(name);
    }

    /// Notes a value; an option of kind `Rest` has several.
    pub(super) fn add(&mut self, name: &'static str, value: String) {
        self.values.push((name, value));
    }

    /// The same arguments, but with this value alone for the option.
    #[must_use]
    pub fn with(&self, name: &'static str, value: &str) -> Args {
        let mut args = self.clone();
        args.values.retain(|(known, _)| *known != name);
        args.values.push((name, value.to_string()));
        args
    }

    /// Whether a flag or a value was given.
    pub fn has(&self, name: &str) -> bool {
        self.flags.contains(&name) || self.get(name).is_some()
    }

    /// The value of an option as it was given, be it empty.
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// The value of an option; the empty string is refused unless the row allows it.
    pub fn text(&self, name: &str) -> Result<Option<&str>> {
        let value = self.get(name);
        let option = self.command.and_then(|command| command.option(name));
        if value == Some("") && !option.is_some_and(|option| option.empty_ok) {
            bail!("Failed to get option '{name}': Option argument is empty");
        }
        Ok(value)
    }

    /// The value of an option that the parser has made sure of; never empty unless the row allows it.
    pub fn required(&self, name: &str) -> Result<&str> {
        let missing = || anyhow!("Failed to get option '{name}': Option argument is missing");
        self.text(name)?.ok_or_else(missing)
    }

    /// All values of an option.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value.as_str())
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

    /// A number of 64 bits where virsh lets a minus sign count down from zero.
    pub fn wrapping(&self, name: &str) -> Result<Option<u64>> {
        match self.get(name) {
            Some(text) => match wrapping_number(text) {
                Some(number) => Ok(Some(number)),
                None => bail!("Numeric value '{text}' for <{name}> option is malformed or out of range"),
            },
            None => Ok(None),
        }
    }

    /// Seconds to wait, as milliseconds: positive, and small enough for the system's timers.
    pub fn timeout(&self, name: &str) -> Result<Option<u64>> {
        match self.number::<u64>(name) {
            Ok(Some(seconds)) if seconds == 0 || seconds > i32::MAX as u64 / 1000 => {
                let text = self.get(name).unwrap_or_default();
                bail!("Numeric value '{text}' for <{name}> option is malformed or out of range")
            }
            seconds => Ok(seconds?.map(|seconds| seconds * 1000)),
        }
    }

    /// A size with an optional suffix, in bytes. Without a suffix the number counts in units of `scale` bytes.
    pub fn size(&self, name: &str, scale: u64, most: u64) -> Result<Option<u64>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let refusal =
            || format!("Scaled numeric value '{text}' for <{name}> option is malformed or out of range");
        match units::read_size(text, scale, most) {
            Ok(size) => Ok(Some(size)),
            Err(Some(cause)) => Err(cause).with_context(refusal),
            Err(None) => bail!(refusal()),
        }
    }

    /// The sum of the flags whose options were given.
    pub fn flags(&self, table: &[(&str, u32)]) -> u32 {
        let given = table.iter().filter(|(option, _)| self.has(option));
        given.fold(0, |sum, (_, flag)| sum | flag)
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

impl std::fmt::Display for Args {
    /// As it is told to a person who follows what the shell does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for name in &self.flags {
            write!(f, "--{name} ")?;
        }
        for (name, value) in &self.values {
            write!(f, "--{name}={value} ")?;
        }
        Ok(())
    }
}

/// Reads a decimal number of 64 bits; a minus sign counts down from zero, as C's own reading does.
pub fn wrapping_number(text: &str) -> Option<u64> {
    let trimmed = text.trim_start();
    match trimmed.strip_prefix('-') {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
            digits.parse::<u64>().ok().map(u64::wrapping_neg)
        }
        _ => parse_number(trimmed),
    }
}

/// Reads a decimal number with leading blanks and an optional sign.
fn parse_number<T: FromStr>(text: &str) -> Option<T> {
    let text = text.trim_start();
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.starts_with('+') {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(value: &str) -> Args {
        let mut args = Args::default();
        args.add("size", value.to_string());
        args
    }

    #[test]
    fn numbers_are_decimal() {
        for good in ["1", "+1", " 1", "001"] {
            assert_eq!(with(good).number::<u32>("size").unwrap(), Some(1), "{good}");
        }
        for bad in ["", "1x", "-1", "0x1", "1.0", "1 ", "one", "++1", "4294967296"] {
            let error = with(bad).number::<u32>("size").unwrap_err().to_string();
            assert_eq!(
                error,
                format!("Numeric value '{bad}' for <size> option is malformed or out of range")
            );
        }
    }

    #[test]
    fn a_refused_size_tells_the_cause() {
        let chain = |text: &str| -> Vec<String> {
            let error = with(text).size("size", 1024, u64::MAX).unwrap_err();
            error.chain().map(|cause| cause.to_string()).collect()
        };
        assert_eq!(
            chain("1GG"),
            [
                "Scaled numeric value '1GG' for <size> option is malformed or out of range",
                "invalid argument: unknown suffix 'GG'"
            ]
        );
        assert_eq!(chain("-1").len(), 1);
        assert_eq!(chain("16E")[1], "numerical overflow: value too large: 16E");
    }

    #[test]
    fn empty_values_are_refused() {
        let error = with("").required("size").unwrap_err().to_string();
        assert_eq!(error, "Failed to get option 'size': Option argument is empty");
    }
}
