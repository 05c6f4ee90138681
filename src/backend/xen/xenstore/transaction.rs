//! Changes that happen together or not at all.

use super::client::{Ask, Xenstore, found, refused};
use super::frame::{Answer, Kind, check_path, strings};
use super::link::Request;
use super::value::Value;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use nix::errno::Errno;
use std::time::Duration;

/// How often a transaction that others disturbed is done again.
const ATTEMPTS_MAX: u32 = 64;

/// A transaction under way: sees the store as it was when it began, and its own changes.
pub struct Transaction<'a> {
    id: u32,
    ask: &'a mut Ask<'a>,
}

impl Xenstore {
    /// Does `steps` in one transaction. They are done again from the first when somebody else changed what they
    /// read, so they must have no effect but on the transaction.
    pub fn transaction<T>(&self, mut steps: impl FnMut(&mut Transaction<'_>) -> Result<T>) -> Result<T> {
        for attempt in 0..ATTEMPTS_MAX {
            let outcome = self.converse(|ask| {
                let id = begin(ask)?;
                match steps(&mut Transaction { id, ask }) {
                    Ok(value) => Ok(end(ask, id, true)?.then_some(value)),
                    Err(error) => {
                        // The steps' own error is the one to tell.
                        let _ = end(ask, id, false);
                        Err(error)
                    }
                }
            })?;
            if let Some(value) = outcome {
                return Ok(value);
            }
            std::thread::sleep(Duration::from_millis(u64::from(attempt.min(20))));
        }
        let what = "others change the same nodes of the xenstore all the time; try again";
        Err(Error::new(ErrorCode::RESOURCE_BUSY, what).from_origin(ErrorOrigin::XEN))
    }
}

fn begin(ask: &mut Ask<'_>) -> Result<u32> {
    let answer = only(ask(0, &[Request::new(Kind::TRANSACTION_START, &[""])])?);
    let payload = answer.map_err(|errno| refused("begin a transaction at", "/", errno))?;
    let id = strings(&payload).first().and_then(|id| id.parse().ok()).filter(|id| *id != 0);
    id.ok_or_else(|| {
        Error::internal("the xenstore daemon named no transaction").from_origin(ErrorOrigin::XEN)
    })
}

/// Commits or gives up; `false` when it must be done again.
fn end(ask: &mut Ask<'_>, id: u32, commit: bool) -> Result<bool> {
    let word = if commit { "T" } else { "F" };
    match only(ask(id, &[Request::new(Kind::TRANSACTION_END, &[word])])?) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN) => Ok(false),
        Err(errno) => Err(refused("end a transaction at", "/", errno)),
    }
}

fn only(mut answers: Vec<Answer>) -> Answer {
    answers.pop().unwrap_or(Err(Errno::EIO))
}

impl Transaction<'_> {
    /// The value of a node; `None` when there is no such node.
    pub fn read(&mut self, path: &str) -> Result<Option<Value>> {
        Ok(found(self.ask_about(Kind::READ, path, &[])?, "read", path)?.map(Value))
    }

    /// The names below a node; `None` when there is no such node.
    pub fn directory(&mut self, path: &str) -> Result<Option<Vec<String>>> {
        Ok(found(self.ask_about(Kind::DIRECTORY, path, &[])?, "list", path)?.map(|names| strings(&names)))
    }

    /// Writes a value; makes the node and those above it if they are missing.
    pub fn write(&mut self, path: &str, value: &[u8]) -> Result<()> {
        self.ask_about(Kind::WRITE, path, value)?.map(|_| ()).map_err(|errno| refused("write", path, errno))
    }

    /// Makes an empty node; it may be there already.
    pub fn make(&mut self, path: &str) -> Result<()> {
        self.ask_about(Kind::MKDIR, path, &[])?.map(|_| ()).map_err(|errno| refused("make", path, errno))
    }

    /// Removes a node and everything below it; it may be missing already.
    pub fn remove(&mut self, path: &str) -> Result<()> {
        match self.ask_about(Kind::RM, path, &[])? {
            Ok(_) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(refused("remove", path, errno)),
        }
    }

    fn ask_about(&mut self, kind: Kind, path: &str, value: &[u8]) -> Result<Answer> {
        check_path(path)?;
        let mut request = Request::new(kind, &[path]);
        request.payload.extend(value);
        Ok(only((self.ask)(self.id, &[request])?))
    }
}
