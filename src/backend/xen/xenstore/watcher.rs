//! Watching nodes: a connection of its own, so that waiting for an event holds up nobody's questions.

use super::client::{Xenstore, refused};
use super::frame::{Answer, Kind, WatchEvent, check_path};
use super::link::{Link, Request};
use crate::error::{Error, ErrorOrigin, Result};
use nix::errno::Errno;
use std::time::{Duration, Instant};

/// How long the daemon may take to set a watch.
const LIMIT: Duration = Duration::from_secs(10);

/// Watches that are set, and what they saw. Dropping it takes them off.
pub struct Watcher {
    link: Link,
}

impl Xenstore {
    /// Opens a watcher that watches nothing yet.
    pub fn watcher(&self) -> Result<Watcher> {
        Ok(Watcher { link: self.connect_again()? })
    }
}

impl Watcher {
    /// Sets a watch on a node and all below it, or on `@introduceDomain` or `@releaseDomain`. It fires once at once.
    pub fn watch(&mut self, path: &str, token: &str) -> Result<()> {
        self.change(Kind::WATCH, path, token)?.map_err(|errno| refused("watch", path, errno))?;
        Ok(())
    }

    /// Takes a watch off; one that is not set is no error. Events that are on their way may still come.
    pub fn unwatch(&mut self, path: &str, token: &str) -> Result<()> {
        match self.change(Kind::UNWATCH, path, token)? {
            Ok(_) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(refused("stop watching", path, errno)),
        }
    }

    /// The next event, or `None` when `wait` is over (`None`: no limit). It may be spurious: what it tells is that
    /// something may have changed.
    pub fn next(&mut self, wait: Option<Duration>) -> Result<Option<WatchEvent>> {
        self.link.next_event(wait.map(|wait| Instant::now() + wait))
    }

    fn change(&mut self, kind: Kind, path: &str, token: &str) -> Result<Answer> {
        check_path(path)?;
        if token.contains('\0') {
            return Err(Error::internal("a watch's token holds a NUL").from_origin(ErrorOrigin::XEN));
        }
        let answers = self.link.ask_all(0, &[Request::new(kind, &[path, token])], LIMIT)?;
        Ok(answers.into_iter().next().unwrap_or(Err(Errno::EIO)))
    }
}
