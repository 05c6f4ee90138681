//! A terminal in raw mode: every byte goes through as it is typed, until this is dropped.

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use std::io::{Read, Stdin};
use std::os::fd::AsFd;
use std::time::Duration;

/// Standard input in raw mode.
pub(super) struct RawTerminal {
    input: Stdin,
    before: Termios,
}

impl RawTerminal {
    /// Switches standard input, which must be a terminal.
    pub(super) fn enter() -> Result<RawTerminal> {
        let input = std::io::stdin();
        let before = tcgetattr(&input).context("unable to get tty attributes")?;
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(&input, SetArg::TCSAFLUSH, &raw).context("unable to set tty attributes")?;
        Ok(RawTerminal { input, before })
    }

    /// What was typed within `wait`; nothing if nothing was, `None` at the end of input.
    pub(super) fn read(&mut self, wait: Duration) -> Result<Option<Vec<u8>>> {
        let milliseconds = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
        let mut ready = [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
        match poll(&mut ready, PollTimeout::from(milliseconds)) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => return Ok(Some(Vec::new())),
            Ok(_) => {}
            Err(cause) => return Err(cause).context("unable to wait for input"),
        }
        let mut bytes = [0; 1024];
        let count = self.input.lock().read(&mut bytes).context("unable to read from terminal")?;
        Ok((count > 0).then(|| bytes[..count].to_vec()))
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // The terminal may be gone; then there is nothing to put back.
        let _ = tcsetattr(&self.input, SetArg::TCSAFLUSH, &self.before);
    }
}
