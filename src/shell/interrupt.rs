//! Signals as questions: while a command watches, an interrupt or a request to end is noted; else it ends the
//! process as always.

use anyhow::{Context, Result};
use nix::libc::{SIGHUP, SIGINT, SIGTERM};
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
            None => installed.insert(install(&[SIGINT]).context("cannot watch for interrupts")?).clone(),
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

/// While this lives, a request to end the process is noted, so that what must be put back is; when this is dropped
/// the request is granted.
pub struct Ending {
    switches: Switches,
}

/// As for [`INSTALLED`].
static ENDING_INSTALLED: Mutex<Option<Switches>> = Mutex::new(None);

impl Ending {
    /// Starts watching.
    pub fn watch() -> Result<Ending> {
        let mut installed = ENDING_INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let switches = match &*installed {
            Some(switches) => switches.clone(),
            None => {
                let switches = install(&[SIGTERM, SIGHUP]).context("cannot watch for signals")?;
                installed.insert(switches).clone()
            }
        };
        switches.deadly.store(false, Ordering::SeqCst);
        Ok(Ending { switches })
    }

    /// Whether the process is asked to end.
    pub fn came(&self) -> bool {
        self.switches.came.load(Ordering::SeqCst)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.switches.deadly.store(true, Ordering::SeqCst);
        if self.came() {
            // Raising it cannot fail for a signal that exists.
            let _ = signal_hook::low_level::raise(SIGTERM);
        }
    }
}

fn install(signals: &[i32]) -> std::io::Result<Switches> {
    let switches =
        Switches { deadly: Arc::new(AtomicBool::new(false)), came: Arc::new(AtomicBool::new(false)) };
    for &signal in signals {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&switches.deadly))?;
        signal_hook::flag::register(signal, Arc::clone(&switches.came))?;
    }
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
    fn a_request_to_end_waits() {
        let ending = Ending::watch().unwrap();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGHUP).unwrap();
        assert!(ending.came());
        // Else the test itself would end here.
        ending.switches.came.store(false, Ordering::SeqCst);
    }

    #[test]
    fn an_interrupt_is_noted_once() {
        let interrupt = Interrupt::watch().unwrap();
        assert!(!interrupt.came());
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGINT).unwrap();
        assert!(interrupt.came());
        assert!(!interrupt.came());
    }
}
