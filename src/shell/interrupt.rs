//! Ctrl-C as a question: while a command watches, an interrupt is noted; else it ends the process as always.

use anyhow::{Context, Result};
use nix::libc::SIGINT;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// While this lives, an interrupt does not end the process.
pub struct Interrupt {
    switches: Switches,
}

/// What the signal's handler sees.
#[derive(Clone)]
struct Switches {
    /// Whether an interrupt ends the process.
    deadly: Arc<AtomicBool>,
    /// Whether one came.
    came: Arc<AtomicBool>,
}

/// The handler is put in place at most once and never taken away: taking it away would leave the signal ignored.
static INSTALLED: Mutex<Option<Switches>> = Mutex::new(None);

impl Interrupt {
    /// Starts watching.
    pub fn watch() -> Result<Interrupt> {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let switches = match &*installed {
            Some(switches) => switches.clone(),
            None => installed.insert(install().context("cannot watch for interrupts")?).clone(),
        };
        switches.came.store(false, Ordering::SeqCst);
        switches.deadly.store(false, Ordering::SeqCst);
        Ok(Interrupt { switches })
    }

    /// Whether an interrupt came since this was last asked.
    pub fn came(&self) -> bool {
        self.switches.came.swap(false, Ordering::SeqCst)
    }
}

fn install() -> std::io::Result<Switches> {
    let switches =
        Switches { deadly: Arc::new(AtomicBool::new(false)), came: Arc::new(AtomicBool::new(false)) };
    signal_hook::flag::register_conditional_default(SIGINT, Arc::clone(&switches.deadly))?;
    signal_hook::flag::register(SIGINT, Arc::clone(&switches.came))?;
    Ok(switches)
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.switches.deadly.store(true, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_noted_once() {
        let interrupt = Interrupt::watch().unwrap();
        assert!(!interrupt.came());
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT).unwrap();
        assert!(interrupt.came());
        assert!(!interrupt.came());
    }
}
