//! The consoles of guests: terminals of this host that the toolstack's own daemon keeps.

use super::XlLayer;
use crate::backend::xen::directory::{check_flags, invalid};
use crate::backend::{DomainStreams, Received, Stream};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{self, SetArg};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes handed on at once.
const CHUNK: usize = 16 * 1024;
/// How often a wait without end looks whether the console was closed.
const LOOK: Duration = Duration::from_millis(200);

/// A terminal, held by one client at a time.
struct Terminal {
    file: Flock<File>,
    closed: AtomicBool,
}

impl Terminal {
    fn open(path: &str) -> Result<Terminal> {
        let flags = nix::libc::O_NOCTTY | nix::libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
        let file = file.map_err(|e| Error::system(format!("cannot open the console '{path}'"), &e))?;
        let mut settings = termios::tcgetattr(&file)
            .map_err(|errno| Error::system(format!("'{path}' is no terminal"), &errno.into()))?;
        // What the guest writes passes as it is.
        termios::cfmakeraw(&mut settings);
        termios::tcsetattr(&file, SetArg::TCSANOW, &settings)
            .map_err(|errno| Error::system(format!("cannot set up the console '{path}'"), &errno.into()))?;
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
            let detail = "Active console session exists for this domain";
            Error::new(ErrorCode::OPERATION_FAILED, detail).from_origin(ErrorOrigin::XEN)
        })?;
        Ok(Terminal { file, closed: AtomicBool::new(false) })
    }

    /// Waits a moment until the terminal is ready.
    fn wait(&self, flags: PollFlags, limit: Duration) -> Result<()> {
        let timeout = PollTimeout::try_from(limit.min(LOOK)).unwrap_or(PollTimeout::ZERO);
        match poll(&mut [PollFd::new(self.file.as_fd(), flags)], timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(errno) => Err(Error::system("cannot wait for the console", &errno.into())),
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl Stream for Terminal {
    fn send(&self, bytes: &[u8]) -> Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_closed() {
            match (&*self.file).write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(PollFlags::POLLOUT, LOOK)?,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::system("cannot write to the console", &e)),
            }
        }
        Ok(())
    }

    fn receive(&self, wait: Option<Duration>) -> Result<Received> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        let mut chunk = vec![0; CHUNK];
        loop {
            if self.is_closed() {
                return Ok(Received::End);
            }
            match (&*self.file).read(&mut chunk) {
                Ok(0) => return Ok(Received::End),
                Ok(length) => {
                    chunk.truncate(length);
                    return Ok(Received::Data(chunk));
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // The far end is gone: the guest is.
                Err(_) => return Ok(Received::End),
            }
            let left = deadline.map_or(LOOK, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(Received::Nothing);
            }
            self.wait(PollFlags::POLLIN, left)?;
        }
    }

    fn finish(&self) -> Result<()> {
        self.closed.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn abort(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }
}

impl DomainStreams for XlLayer {
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        // Whoever holds the console keeps it: a second client cannot take it over.
        check_flags(flags, crate::model::constants::DOMAIN_CONSOLE_SAFE, "libxlDomainOpenConsole")?;
        let running = self.directory.must_run(domain)?;
        let Some(store) = self.directory.store() else {
            return Err(Error::unsupported("virDomainOpenConsole"));
        };
        let consoles = store.consoles(running.id)?;
        let path = match device {
            None => consoles.first().map(str::to_string),
            Some(name) => match name.strip_prefix("serial").and_then(|number| number.parse::<usize>().ok()) {
                Some(number) => consoles.serials.get(number).cloned().flatten(),
                None if matches!(name, "console0" | "console") => consoles.console.clone(),
                None => None,
            },
        };
        let path = path.ok_or_else(|| match device {
            Some(name) => invalid(format!("cannot find console device '{name}'")),
            None => invalid("cannot find default console device"),
        })?;
        Ok(Box::new(Terminal::open(&path)?))
    }
}
