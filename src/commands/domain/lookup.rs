//! Which domain a person means: by id, by uuid, by name, in this order, as far as the command takes them.

use crate::backend::Connection;
use crate::error::{Error, ErrorCode};
use crate::model::DomainRef;
use crate::shell::args::Args;
use crate::shell::spec::Complete;
use crate::shell::suggestion::UnknownName;
use anyhow::Result;
use uuid::Uuid;

/// The ways in which a command lets a domain be named.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// By id, uuid or name: nearly every command.
    Any,
    /// By uuid or name: commands on domains that are not active.
    UuidOrName,
    /// By id or name.
    IdOrName,
    /// By id or uuid.
    IdOrUuid,
}

impl By {
    fn takes_id(self) -> bool {
        self != By::UuidOrName
    }
    fn takes_uuid(self) -> bool {
        self != By::IdOrName
    }
    fn takes_name(self) -> bool {
        self != By::IdOrUuid
    }
}

/// The domain that the option `domain` names in any way.
pub fn domain(connection: &dyn Connection, args: &Args) -> Result<DomainRef> {
    named(connection, args.required("domain")?, By::Any)
}

/// The domain that the option `domain` names in one of the ways `by`.
pub fn domain_by(connection: &dyn Connection, args: &Args, by: By) -> Result<DomainRef> {
    named(connection, args.required("domain")?, by)
}

/// The domain that `text` names.
///
/// When there is none, virsh says only so and leaves out the driver's own words; a failure of another kind,
/// such as a lost connection, is told as the cause.
pub fn named(connection: &dyn Connection, text: &str, by: By) -> Result<DomainRef> {
    let domains = connection.domains();
    let mut cause = None;
    let mut found = |answer: crate::error::Result<DomainRef>| match answer {
        Ok(domain) => Some(domain),
        Err(error) => {
            if !is_absence(&error) {
                cause.get_or_insert(error);
            }
            None
        }
    };
    let id = by.takes_id().then(|| id_in(text)).flatten();
    let uuid = by.takes_uuid().then(|| uuid_in(text)).flatten();
    let domain = id
        .and_then(|id| found(domains.lookup_by_id(id)))
        .or_else(|| uuid.and_then(|uuid| found(domains.lookup_by_uuid(uuid))))
        .or_else(|| by.takes_name().then(|| found(domains.lookup_by_name(text))).flatten());
    let failure = UnknownName {
        message: format!("failed to get domain '{text}'"),
        typed: text.to_string(),
        kind: Complete::Domain,
    };
    match (domain, cause) {
        (Some(domain), _) => Ok(domain),
        (None, Some(cause)) => Err(anyhow::Error::from(cause).context(failure)),
        (None, None) => Err(failure.into()),
    }
}

/// Whether the driver's answer means no more than that it has no such domain.
fn is_absence(error: &Error) -> bool {
    matches!(error.code, ErrorCode::NO_DOMAIN | ErrorCode::INVALID_ARGUMENT)
}

/// An id as C reads a decimal number: leading blanks and a plus sign are passed over.
fn id_in(text: &str) -> Option<i32> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    digits.parse().ok().filter(|&id| id >= 0)
}

/// A uuid in its full form, dashes included.
fn uuid_in(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_c_reads_them() {
        assert_eq!((id_in("7"), id_in(" +07"), id_in("0x7")), (Some(7), Some(7), None));
        assert_eq!((id_in("-1"), id_in("7a"), id_in("99999999999")), (None, None, None));
    }

    #[test]
    fn uuids_need_their_dashes() {
        assert!(uuid_in("6695eb01-f6a4-8304-79aa-97f2502e193f").is_some());
        assert!(uuid_in("6695eb01f6a4830479aa97f2502e193f").is_none());
    }
}
