//! The processes that run beside a QEMU: swtpm for its TPM, passt for a network card.
//!
//! Each leaves by itself when QEMU closes its end. Until QEMU has opened it, it is ours to end; one that dies under a
//! running guest is told of in the log, as the guest has lost a device by it.

use super::guest::Guest;
use super::process::Process;
use crate::error::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

/// A watcher waits and writes one line.
const WATCHER_STACK: usize = 128 * 1024;
/// How long after QEMU's end what ran beside it may stay.
const AFTER_ITS_END: Duration = Duration::from_secs(5);

/// Processes that a start brought up; dropped, they are ended.
#[derive(Default)]
pub struct Beside {
    processes: Vec<(String, Process)>,
}

impl Beside {
    /// Takes care of one more.
    pub fn add(&mut self, name: &str, process: Process) {
        self.processes.push((name.to_string(), process));
    }

    /// QEMU has them now: from here on they are only watched.
    pub fn leave_to(mut self, guest: &Arc<Guest>, qemu: &Arc<Process>) -> Result<()> {
        while let Some((name, process)) = self.processes.pop() {
            let (guest, qemu) = (guest.clone(), qemu.clone());
            let thread = std::thread::Builder::new().name("beside".to_string()).stack_size(WATCHER_STACK);
            let watched = thread.spawn(move || watch(&guest, &qemu, &name, &process));
            watched.map_err(|e| Error::system("cannot start a thread", &e))?;
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        for (_, process) in &self.processes {
            process.kill();
            process.ends_within(AFTER_ITS_END);
            process.reap();
        }
    }
}

/// Waits for the end of a process beside QEMU and collects it.
fn watch(guest: &Guest, qemu: &Process, name: &str, process: &Process) {
    process.ends_or(qemu);
    if process.has_ended() && !qemu.ends_within(Duration::from_millis(200)) {
        let domain = guest.lock().name.clone();
        let end = process.reap();
        tracing::error!(
            "domain '{domain}': {name} is gone ({end}); the guest runs on without what it served"
        );
        return;
    }
    if !process.ends_within(AFTER_ITS_END) {
        process.kill();
        process.ends_within(AFTER_ITS_END);
    }
    process.reap();
}
