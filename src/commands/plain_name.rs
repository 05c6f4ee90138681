//! The older names of functions: virsh calls the flagless function of a pair when no flags are asked, and its
//! name stands in the refusals that people and scripts read.

use crate::error::{Error, ErrorCode};

/// The same answer; a refusal of `function` speaks of `plain` instead when no flags were asked.
pub fn plain_name<T>(answer: Result<T, Error>, flags: u32, function: &str, plain: &str) -> Result<T, Error> {
    answer.map_err(|mut error| {
        let by_name = matches!(error.code, ErrorCode::NO_SUPPORT | ErrorCode::OPERATION_DENIED);
        if flags == 0 && by_name && error.message.ends_with(function) {
            let kept = error.message.len() - function.len();
            error.message.truncate(kept);
            error.message.push_str(plain);
        }
        error
    })
}

/// The same answer; a refusal by name speaks of `plain`, the older function that virsh tries in the end.
pub fn known_as<T>(answer: Result<T, Error>, plain: &'static str) -> Result<T, Error> {
    answer.map_err(|error| match error.code {
        ErrorCode::NO_SUPPORT => Error::unsupported(plain),
        ErrorCode::OPERATION_DENIED => Error::read_only(plain),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_without_flags_are_renamed() {
        let refused = || Err::<(), _>(Error::read_only("virDomainDestroyFlags"));
        let plain = plain_name(refused(), 0, "virDomainDestroyFlags", "virDomainDestroy");
        assert_eq!(
            plain.unwrap_err().to_string(),
            "operation forbidden: read only access prevents virDomainDestroy"
        );
        let flagged = plain_name(refused(), 1, "virDomainDestroyFlags", "virDomainDestroy");
        assert!(flagged.unwrap_err().to_string().ends_with("Flags"));
    }
}
