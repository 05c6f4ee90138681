//! The end of a guest: asked for, or found.

use super::guest::{Guest, not_running};
use super::inventory::Inventory;
use super::state::{Happening, reason_of_unexpected_end};
use crate::error::Result;
use crate::qemud::qmp::Monitor;
use std::sync::Arc;
use std::time::Duration;

/// Ends a guest for a reason (`virDomainShutoffReason`), and waits until it is off.
pub fn stop(guest: &Guest, reason: i32, graceful: bool) -> Result<()> {
    let process = {
        let mut condition = guest.lock();
        let active = condition.running_mut()?;
        active.expected_end.get_or_insert(reason);
        active.process.clone()
    };
    let ended = process.end(graceful);
    if let Err(error) = ended {
        if let Ok(active) = guest.lock().running_mut() {
            active.expected_end = None;
        }
        return Err(error);
    }
    let same = |process_now: i32| process_now == process.pid();
    let off = guest.wait_until(Duration::from_secs(10), |condition| match &condition.active {
        Some(active) if same(active.process.pid()) => None,
        _ => Some(()),
    });
    off.ok_or_else(not_running)
}

/// The process of a guest is gone: brings the books in order. Called on the guest's reader thread.
pub fn ended(inventory: &Inventory, guest: &Arc<Guest>, monitor: &Arc<Monitor>) {
    let mut condition = guest.lock();
    let name = condition.name.clone();
    let before = condition.state;
    let Some(active) = condition.active.as_mut().filter(|active| Arc::ptr_eq(&active.monitor, monitor))
    else {
        return;
    };
    let end = active.process.reap();
    active.ended = true;
    if !active.started {
        // Whoever starts it finds out by the closed monitor and cleans up.
        drop(condition);
        guest.announce();
        return;
    }
    let reason = active.expected_end.unwrap_or_else(|| reason_of_unexpected_end(before));
    if active.expected_end.is_none() {
        tracing::info!("domain '{name}': QEMU is gone ({end})");
    }
    settle(inventory, guest, condition, reason);
}

/// Turns an active domain into an inactive one, or into none.
pub fn settle(
    inventory: &Inventory,
    guest: &Guest,
    mut condition: std::sync::MutexGuard<'_, super::guest::Condition>,
    reason: i32,
) {
    let mut reference = condition.reference();
    let step = condition.follow(Happening::Ended(reason));
    let leftovers = condition.active.take().map(|active| active.clean_up);
    if let Err(error) = inventory.store.remove_guest(guest.uuid) {
        tracing::error!("domain '{}': {error}", condition.name);
    }
    reference.id = None;
    if let Some(step) = step {
        inventory.tell_lifecycle(reference, step.event);
    }
    if condition.persistent.is_none() {
        inventory.remove(&mut condition);
    }
    drop(condition);
    guest.announce();
    clean_up(&leftovers.unwrap_or_default());
}

/// Undoes what was prepared for a guest.
pub fn clean_up(commands: &[Vec<String>]) {
    for command in commands {
        let Some((program, arguments)) = command.split_first() else {
            continue;
        };
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(std::process::Stdio::null());
        // What cannot be undone may be gone already; the output says why if somebody looks.
        match command.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => tracing::info!("'{program}': {}", String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => tracing::info!("'{program}': {error}"),
        }
    }
}
