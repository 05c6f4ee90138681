//! Messages of the store: a header of four words in the machine's own order, then at most 4096 bytes.

use crate::error::{Error, ErrorOrigin, Result};
use nix::errno::Errno;

/// The length of a header.
pub(super) const HEADER_LENGTH: usize = 16;
/// The longest payload; the daemon ends a connection that sends more.
pub const PAYLOAD_MAX: usize = 4096;
/// The longest absolute path.
pub(super) const PATH_MAX: usize = 3072;

/// What a message asks for or is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(pub(super) u32);

#[allow(missing_docs)] // the names are the protocol's own
impl Kind {
    pub(super) const DIRECTORY: Kind = Kind(1);
    pub(super) const READ: Kind = Kind(2);
    pub(super) const WATCH: Kind = Kind(4);
    pub(super) const UNWATCH: Kind = Kind(5);
    pub(super) const TRANSACTION_START: Kind = Kind(6);
    pub(super) const TRANSACTION_END: Kind = Kind(7);
    pub(super) const GET_DOMAIN_PATH: Kind = Kind(10);
    pub(super) const WRITE: Kind = Kind(11);
    pub(super) const MKDIR: Kind = Kind(12);
    pub(super) const RM: Kind = Kind(13);
    pub(super) const WATCH_EVENT: Kind = Kind(15);
    pub(super) const ERROR: Kind = Kind(16);
    pub(super) const DIRECTORY_PART: Kind = Kind(22);
}

/// A message as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub(super) kind: Kind,
    /// The request it answers; 0 for events.
    pub(super) request: u32,
    /// The transaction it belongs to; 0 for none.
    pub(super) transaction: u32,
    /// Its payload.
    pub(super) payload: Vec<u8>,
}

fn hostile(what: impl std::fmt::Display) -> Error {
    Error::internal(format!("the xenstore daemon sent {what}")).from_origin(ErrorOrigin::XEN)
}

impl Message {
    /// Takes the first whole message off the front of `buffer`; `None` when it has not arrived whole.
    pub fn take_from(buffer: &mut Vec<u8>) -> Result<Option<Message>> {
        let word = |index: usize| -> Option<u32> {
            let bytes = buffer.get(index * 4..index * 4 + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        let (Some(kind), Some(request), Some(transaction), Some(length)) =
            (word(0), word(1), word(2), word(3))
        else {
            return Ok(None);
        };
        let length = length as usize;
        if length > PAYLOAD_MAX {
            return Err(hostile(format!("a message of {length} bytes, more than {PAYLOAD_MAX}")));
        }
        let end = HEADER_LENGTH + length;
        if buffer.len() < end {
            return Ok(None);
        }
        let payload = buffer[HEADER_LENGTH..end].to_vec();
        buffer.drain(..end);
        Ok(Some(Message { kind: Kind(kind), request, transaction, payload }))
    }

    /// The bytes to send; fails when they are more than the daemon takes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let length = self.payload.len();
        if length > PAYLOAD_MAX {
            let what = format!("a xenstore message holds {PAYLOAD_MAX} bytes at most, not {length}");
            return Err(Error::invalid_argument(what).from_origin(ErrorOrigin::XEN));
        }
        let mut bytes = Vec::with_capacity(HEADER_LENGTH + length);
        for word in [self.kind.0, self.request, self.transaction, length as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(&self.payload);
        Ok(bytes)
    }

    /// The answer that this message is to a request of `asked`: its payload, or the daemon's refusal.
    pub(super) fn into_answer(self, asked: Kind) -> Result<Answer> {
        if self.kind == Kind::ERROR {
            return Ok(Err(errno_named(&self.payload)));
        }
        if self.kind != asked {
            return Err(hostile(format!(
                "an answer of kind {} to a request of kind {}",
                self.kind.0, asked.0
            )));
        }
        Ok(Ok(self.payload))
    }

    /// The path and the token of an event.
    pub(super) fn into_event(self) -> Result<WatchEvent> {
        let mut parts = strings(&self.payload).into_iter();
        match (parts.next(), parts.next()) {
            (Some(path), Some(token)) => Ok(WatchEvent { path, token }),
            _ => Err(hostile("an event without path or token")),
        }
    }
}

/// What the daemon answered: a payload, or why not.
pub(super) type Answer = std::result::Result<Vec<u8>, Errno>;

/// A change below a watched node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent {
    /// The node that changed, or the special path that was watched.
    pub path: String,
    /// What the watch was given to be known by.
    pub token: String,
}

/// Splits a payload of strings, each ended by a NUL (the last one's may be missing).
pub(super) fn strings(payload: &[u8]) -> Vec<String> {
    let payload = payload.strip_suffix(b"\0").unwrap_or(payload);
    if payload.is_empty() {
        return Vec::new();
    }
    payload.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect()
}

/// The error that the daemon names; one that nobody knows counts as *invalid*.
fn errno_named(payload: &[u8]) -> Errno {
    let name = payload.split(|byte| *byte == 0).next().unwrap_or_default();
    let known = ERRORS.iter().find(|(known, _)| known.as_bytes() == name);
    known.map_or(Errno::EINVAL, |(_, errno)| *errno)
}

/// Every error that a daemon of any release names.
const ERRORS: &[(&str, Errno)] = &[
    ("EINVAL", Errno::EINVAL),
    ("EACCES", Errno::EACCES),
    ("EEXIST", Errno::EEXIST),
    ("EISDIR", Errno::EISDIR),
    ("ENOENT", Errno::ENOENT),
    ("ENOMEM", Errno::ENOMEM),
    ("ENOSPC", Errno::ENOSPC),
    ("EIO", Errno::EIO),
    ("ENOTEMPTY", Errno::ENOTEMPTY),
    ("ENOSYS", Errno::ENOSYS),
    ("EROFS", Errno::EROFS),
    ("EBUSY", Errno::EBUSY),
    ("EAGAIN", Errno::EAGAIN),
    ("EISCONN", Errno::EISCONN),
    ("E2BIG", Errno::E2BIG),
    ("EPERM", Errno::EPERM),
];

/// Refuses what the store does not know as an absolute path or as one of its special names.
///
/// Parts of a path may come from a guest, and a NUL or a blank in one would make another request of it.
pub(super) fn check_path(path: &str) -> Result<()> {
    let special = path.starts_with('@') && !path.contains('/');
    let absolute = path == "/" || path.starts_with('/') && !path.ends_with('/') && !path.contains("//");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-/_@".contains(&byte);
    if (special || absolute) && path.len() <= PATH_MAX && path.bytes().all(allowed) {
        return Ok(());
    }
    let shown: String = path.chars().take(80).flat_map(char::escape_default).collect();
    Err(Error::invalid_argument(format!("'{shown}' is no path in the xenstore"))
        .from_origin(ErrorOrigin::XEN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind, payload: &[u8]) -> Message {
        Message { kind, request: 7, transaction: 3, payload: payload.to_vec() }
    }

    #[test]
    fn messages_arrive_in_pieces_and_together() {
        let first = message(Kind::READ, b"value");
        let second = message(Kind::WATCH_EVENT, b"/a\0t\0");
        let bytes = [first.to_bytes().unwrap(), second.to_bytes().unwrap()].concat();
        let mut buffer = Vec::new();
        let mut seen = Vec::new();
        for byte in bytes {
            buffer.push(byte);
            seen.extend(Message::take_from(&mut buffer).unwrap());
        }
        assert_eq!(seen, [first, second]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn nothing_longer_than_the_limit_goes_either_way() {
        assert!(message(Kind::WRITE, &[0; PAYLOAD_MAX]).to_bytes().is_ok());
        assert!(message(Kind::WRITE, &[0; PAYLOAD_MAX + 1]).to_bytes().is_err());
        let mut hostile = [2u32, 1, 0, 4097].iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert!(Message::take_from(&mut hostile).is_err());
    }

    #[test]
    fn refusals_are_known_by_name() {
        for (name, errno) in ERRORS {
            let answer =
                message(Kind::ERROR, format!("{name}\0").as_bytes()).into_answer(Kind::READ).unwrap();
            assert_eq!(answer, Err(*errno));
        }
        let odd = message(Kind::ERROR, b"EWHATEVER\0").into_answer(Kind::READ).unwrap();
        assert_eq!(odd, Err(Errno::EINVAL));
        assert!(message(Kind::WRITE, b"OK\0").into_answer(Kind::READ).is_err());
    }

    #[test]
    fn paths_are_what_the_store_knows() {
        for good in ["/", "/local/domain/0/name", "@introduceDomain", "/a-b_c@1"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        let long = format!("/{}", "a".repeat(PATH_MAX));
        for bad in ["", "a", "/a/", "/a//b", "/a b", "/a\0b", "/a.b", "@a/b", "/é", &long] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn strings_end_with_nul() {
        assert_eq!(strings(b"a\0b\0"), ["a", "b"]);
        assert_eq!(strings(b"a\0\0"), ["a", ""]);
        assert_eq!(strings(b""), [""; 0]);
    }
}
