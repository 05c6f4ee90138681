//! How commands call drivers: which side of a domain a change touches, and the name a failure speaks of.

use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::{DOMAIN_AFFECT_CONFIG, DOMAIN_AFFECT_CURRENT, DOMAIN_AFFECT_LIVE};
use crate::shell::args::Args;

/// Failures of calls that have more than one public name.
///
/// The table of operations has one row where the public interface grew several functions over time
/// (`virDomainSave`, `virDomainSaveFlags`). Scripts see the name in two messages, *unsupported* and *read-only*,
/// and it is that of the oldest function which can do what was asked.
pub trait KnownAs {
    /// The same answer; a failure that names a function names `function`.
    #[must_use]
    fn known_as(self, function: &'static str) -> Self;

    /// As [`KnownAs::known_as`], if `plain`: nothing was asked that the oldest function cannot do.
    #[must_use]
    fn known_if(self, plain: bool, function: &'static str) -> Self
    where
        Self: Sized,
    {
        if plain { self.known_as(function) } else { self }
    }
}

impl<T> KnownAs for Result<T> {
    fn known_as(self, function: &'static str) -> Self {
        self.map_err(|error| {
            let renamed = match error.code {
                ErrorCode::NO_SUPPORT => Error::unsupported(function),
                ErrorCode::OPERATION_DENIED => Error::read_only(function),
                _ => return error,
            };
            renamed.from_origin(error.origin)
        })
    }
}

/// The flags behind `--config`, `--live` and `--current`.
pub fn impact(args: &Args) -> anyhow::Result<u32> {
    args.exclusive("current", "live")?;
    args.exclusive("current", "config")?;
    let mut flags = DOMAIN_AFFECT_CURRENT;
    if args.has("config") {
        flags |= DOMAIN_AFFECT_CONFIG;
    }
    if args.has("live") {
        flags |= DOMAIN_AFFECT_LIVE;
    }
    Ok(flags)
}

/// Whether none of `--config`, `--live` and `--current` was given.
pub fn impact_left_open(args: &Args) -> bool {
    !(args.has("config") || args.has("live") || args.has("current"))
}

/// Adds up the flags whose options were given.
pub fn flags(args: &Args, table: &[(&str, u32)]) -> u32 {
    table
        .iter()
        .filter(|(option, _)| args.has(option))
        .fold(0, |sum, (_, flag)| sum | flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_name_a_function_are_renamed() {
        let unsupported: Result<()> = Err(Error::unsupported("virDomainSaveFlags"));
        assert_eq!(
            unsupported.known_as("virDomainSave").unwrap_err().message,
            "this function is not supported by the connection driver: virDomainSave"
        );
        let other: Result<()> = Err(Error::internal("virDomainSaveFlags"));
        assert_eq!(
            other.known_as("virDomainSave").unwrap_err().message,
            "internal error: virDomainSaveFlags"
        );
    }
}
