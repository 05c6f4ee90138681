//! Taking over the guests of an earlier helper.
//!
//! Each status file is one guest. Its process is known again by pid and start time, its monitor is connected to
//! and asked how the machine is, and what was half done is finished or taken back:
//!
//! - a start that never let the guest run: taken back, a spent managed-save image returns to its place;
//! - a save whose image has its final name: finished, the guest ends;
//! - any other save: taken back, the guest runs on;
//! - a power-off that nobody collected: collected;
//! - a guest that died meanwhile: reported, with the reason its last state gives;
//! - a QEMU that does not answer: asked again and again beside everything else.

use super::guest::{Active, Definition, Guest};
use super::inventory::Inventory;
use super::launch::spawn_reader;
use super::process::Process;
use super::save::go_on;
use super::state::reason_of_unexpected_end;
use super::{socket, stop, wiring};
use crate::error::Result;
use crate::model::StateReason;
use crate::model::constants::*;
use crate::qemud::qmp::Monitor;
use crate::qemud::store::{GuestStatus, StoredGuest, rename_durably};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How many guests are taken over at once. They mostly wait for QEMU.
const HANDS: usize = 16;
/// How long one QEMU may take to answer before the others go on without it.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// How long a process whose monitor is closed may take to be gone.
const DYING: Duration = Duration::from_secs(10);
/// How long a QEMU that did not answer at first is waited for each time it is asked again.
const LATER_ANSWER: Duration = Duration::from_secs(30);

/// Takes over everything the status files tell of. Returns when all is settled.
pub fn adopt_all(inventory: &Arc<Inventory>) {
    let (found, unreadable) = inventory.store.load_guests();
    for complaint in unreadable {
        tracing::error!("UNREADABLE STATUS {complaint}; if a QEMU of it runs, it runs on unattended");
    }
    return_spent_images(inventory, &found);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..HANDS.min(found.len()) {
            scope.spawn(|| {
                while let Some(stored) = found.get(next.fetch_add(1, Ordering::Relaxed)) {
                    adopt(inventory, stored);
                }
            });
        }
    });
}

/// A managed-save image that was moved out of the way for a start that came no further returns to its place.
fn return_spent_images(inventory: &Inventory, found: &[StoredGuest]) {
    let listed = std::fs::read_dir(inventory.store.paths.state.join("save"));
    for path in listed.into_iter().flatten().flatten().map(|entry| entry.path()) {
        let known = found.iter().any(|guest| guest.status.spent_image.as_ref() == Some(&path));
        if path.extension().is_some_and(|extension| extension == "spent") && !known {
            let image = path.with_extension("");
            if let Err(error) = rename_durably(&path, &image) {
                tracing::error!("{error}");
            }
            let name = image.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(guest) = inventory.with_name(&name) {
                guest.lock().managed_save = true;
            }
        }
    }
}

/// Takes over one guest, or clears up after it.
fn adopt(inventory: &Arc<Inventory>, stored: &StoredGuest) {
    let status = &stored.status;
    inventory.reserve_id(status.id);
    let guest = inventory.with_uuid(status.uuid).unwrap_or_else(|| {
        let guest = Arc::new(Guest::new(status.uuid, &status.name));
        inventory.insert(guest.clone(), &status.name);
        guest
    });
    let process = status.pid.and_then(|pid| Process::find(pid, status.start_time));
    let Some(process) = process else {
        end_orphan(inventory, status);
        forget(inventory, &guest, status, None);
        return;
    };
    let process = Arc::new(process);
    if let Err(error) = take_over(inventory, &guest, stored, process.clone()) {
        // One that is being killed is there a little longer than its monitor.
        if guest.lock().active.is_none() && process.ends_within(DYING) {
            forget(inventory, &guest, status, None);
            return;
        }
        let name = &status.name;
        tracing::error!("domain '{name}' runs, but its monitor cannot be used: {error}");
    }
}

/// A start may have been cut short between the process and its entry in the status: whoever holds the monitor's
/// socket is told to leave.
fn end_orphan(inventory: &Inventory, status: &GuestStatus) {
    if status.pid.is_some() {
        return;
    }
    let path = inventory.store.paths.guest(status.uuid).join("monitor.sock");
    if let Ok(monitor) = socket::connect(&path).and_then(Monitor::new) {
        // It cannot be waited for; a process that is no QEMU yet reads this when it is one.
        let _ = monitor.post("qmp_capabilities", Value::Null);
        let _ = monitor.post("quit", Value::Null);
    }
}

/// The process is gone: tells how, and brings the books in order.
fn forget(inventory: &Inventory, guest: &Arc<Guest>, status: &GuestStatus, reason: Option<i32>) {
    let never_ran = status.state == DOMAIN_PAUSED && status.reason == DOMAIN_PAUSED_STARTING_UP;
    let finished = status.save.as_ref().is_some_and(|save| save.complete && !save.partial.exists());
    let reason = reason.unwrap_or_else(|| match () {
        () if never_ran => DOMAIN_SHUTOFF_FAILED,
        () if finished => DOMAIN_SHUTOFF_SAVED,
        () => reason_of_unexpected_end(status.state()),
    });
    if let Some(save) = status.save.as_ref().filter(|_| !finished) {
        // Half an image is of no use to anyone.
        let _ = std::fs::remove_file(&save.partial);
    }
    if let Some(spent) = &status.spent_image {
        settle_spent(inventory, status, spent, never_ran);
    }
    stop::clean_up(&status.clean_up);
    tracing::warn!("domain '{}' ended while no helper was there (reason {reason})", status.name);
    let mut condition = guest.lock();
    condition.state = status.state();
    condition.managed_save = inventory.store.paths.managed_save(&status.name).exists();
    stop::settle(inventory, guest, condition, reason);
}

/// A managed-save image that was being restored: back to its place if the guest never ran, gone if it did.
fn settle_spent(inventory: &Inventory, status: &GuestStatus, spent: &std::path::Path, never_ran: bool) {
    let settled = if never_ran {
        rename_durably(spent, &inventory.store.paths.managed_save(&status.name))
    } else {
        crate::qemud::store::remove_durably(spent)
    };
    if let Err(error) = settled {
        tracing::error!("domain '{}': {error}", status.name);
    }
}

fn take_over(
    inventory: &Arc<Inventory>,
    guest: &Arc<Guest>,
    stored: &StoredGuest,
    process: Arc<Process>,
) -> Result<()> {
    let status = &stored.status;
    let path = inventory.store.paths.guest(status.uuid).join("monitor.sock");
    let connected = socket::connect(&path).and_then(Monitor::new);
    let monitor = connected.map_err(|e| crate::error::Error::system(path.display(), &e))?;
    let monitor = Arc::new(monitor);
    let parse = |text: &str| crate::xml::parse(text, "domain_definition");
    let tree = parse(&stored.active).unwrap_or_default();
    let base = parse(&stored.base).unwrap_or_else(|_| tree.clone());
    {
        let mut condition = guest.lock();
        let mut active = Active::new(
            status.id,
            process.clone(),
            monitor.clone(),
            Definition::new(&tree),
            Definition::new(&base),
        );
        active.started = true;
        active.reboot_pending = status.reboot_pending;
        active.autodestroy = status.autodestroy;
        active.save = status.save.clone();
        active.spent_image = status.spent_image.clone();
        active.clean_up = status.clean_up.clone();
        condition.state = status.state();
        condition.active = Some(active);
    }
    spawn_reader(inventory, guest, &process, &monitor)?;
    monitor.post("qmp_capabilities", Value::Null)?;
    let adopted =
        Adopted { inventory: inventory.clone(), guest: guest.clone(), status: status.clone(), monitor, tree };
    match adopted.get_to_know(FIRST_ANSWER) {
        Err(error) if !adopted.monitor.is_closed() => {
            tracing::warn!("domain '{}' does not answer yet: {error}", status.name);
            adopted.keep_trying()
        }
        other => other,
    }
}

/// A guest whose process and monitor are held, and which has still to be asked how it is.
struct Adopted {
    inventory: Arc<Inventory>,
    guest: Arc<Guest>,
    status: GuestStatus,
    monitor: Arc<Monitor>,
    tree: crate::xml::Element,
}

impl Adopted {
    /// Asks QEMU how the machine is, and finishes or takes back what was half done.
    fn get_to_know(&self, limit: Duration) -> Result<()> {
        let mut tickets = Vec::new();
        for command in ["query-status", "query-cpus-fast", "query-chardev"] {
            tickets.push(self.monitor.send(command, Value::Null)?);
        }
        let mut answers = Vec::new();
        for ticket in tickets {
            answers.push(self.monitor.wait_for(ticket, limit)?);
        }
        let run_state = answers[0].get("status").and_then(Value::as_str).unwrap_or("").to_string();
        // A machine without a balloon has nothing to say.
        let balloon = self.monitor.query("query-balloon").ok();
        if let Some(active) = self.guest.lock().active.as_mut() {
            active.balloon = balloon.and_then(|told| wiring::balloon(&told)).unwrap_or(active.balloon);
            active.vcpu_threads = wiring::vcpu_threads(&answers[1]);
            active.agent_connected = agent_is_open(&self.tree, &answers[2]);
        }
        catch_up(&self.inventory, &self.guest, &self.status, &self.monitor, &run_state)
    }

    /// Tries again, beside everything else, until QEMU answers or is gone.
    fn keep_trying(self) -> Result<()> {
        let body = move || {
            while let Err(error) = self.get_to_know(LATER_ANSWER) {
                if self.monitor.is_closed() {
                    return;
                }
                tracing::warn!("domain '{}' still does not answer: {error}", self.status.name);
            }
            tracing::info!("domain '{}' answers again", self.status.name);
        };
        let spawned = std::thread::Builder::new().name("adoption".to_string()).spawn(body);
        spawned.map(|_| ()).map_err(|e| crate::error::Error::system("cannot start a thread", &e))
    }
}

/// Whether the agent's port is open, from `query-chardev`.
fn agent_is_open(tree: &crate::xml::Element, chardevs: &Value) -> bool {
    let channels = tree.child("devices").into_iter().flat_map(|devices| devices.children("channel"));
    let mut ours = channels.filter(|c| c.child_attribute("target", "name") == Some(super::agent::CHANNEL));
    let Some(alias) = ours.next().and_then(|channel| channel.child_attribute("alias", "name")) else {
        return false;
    };
    let label = format!("char{alias}");
    let mut known = chardevs.as_array().into_iter().flatten();
    known.any(|chardev| {
        chardev.get("label").and_then(Value::as_str) == Some(&label)
            && chardev.get("frontend-open").and_then(Value::as_bool) == Some(true)
    })
}

/// Brings state, process and half-done work together.
fn catch_up(
    inventory: &Arc<Inventory>,
    guest: &Arc<Guest>,
    status: &GuestStatus,
    monitor: &Monitor,
    run_state: &str,
) -> Result<()> {
    let starting = status.state == DOMAIN_PAUSED && status.reason == DOMAIN_PAUSED_STARTING_UP;
    if starting && matches!(run_state, "prelaunch" | "inmigrate" | "paused" | "") {
        tracing::warn!("domain '{}': its start was cut short and is taken back", status.name);
        if let Some(active) = guest.lock().active.as_mut() {
            active.expected_end = Some(DOMAIN_SHUTOFF_FAILED);
            active.spent_image = None;
        }
        stop::stop(guest, DOMAIN_SHUTOFF_FAILED, false)?;
        if let Some(spent) = &status.spent_image {
            settle_spent(inventory, status, spent, true);
            guest.lock().managed_save = inventory.store.paths.managed_save(&status.name).exists();
        }
        return Ok(());
    }
    if let Some(spent) = &status.spent_image {
        settle_spent(inventory, status, spent, false);
        let mut condition = guest.lock();
        condition.managed_save = false;
        if let Some(active) = condition.active.as_mut() {
            active.spent_image = None;
        }
    }
    if let Some(save) = &status.save {
        if save.complete && !save.partial.exists() {
            guest.lock().managed_save = inventory.store.paths.managed_save(&status.name).exists();
            return stop::stop(guest, DOMAIN_SHUTOFF_SAVED, false);
        }
        take_back_save(guest, monitor, save.was_running)?;
        // Half an image is of no use to anyone.
        let _ = std::fs::remove_file(&save.partial);
    } else {
        match_state(inventory, guest, status, run_state);
    }
    inventory.write_status(&guest.lock());
    Ok(())
}

/// A save was cut short: the guest goes on.
fn take_back_save(guest: &Guest, monitor: &Monitor, was_running: bool) -> Result<()> {
    // There may be no migration any more; then there is nothing to cancel.
    let _ = monitor.query("migrate_cancel");
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while std::time::Instant::now() < deadline {
        let answer = monitor.query("query-migrate")?;
        let running = ["setup", "active", "device", "cancelling", "pre-switchover"];
        match answer.get("status").and_then(Value::as_str) {
            Some(status) if running.contains(&status) => std::thread::sleep(Duration::from_millis(20)),
            _ => break,
        }
    }
    let off = |name: &str| serde_json::json!({ "capability": name, "state": false });
    let capabilities = [off("mapped-ram"), off("multifd")];
    // A QEMU that does not know them refuses, and needs it not.
    let _ = monitor.execute("migrate-set-capabilities", serde_json::json!({ "capabilities": capabilities }));
    if let Some(active) = guest.lock().active.as_mut() {
        active.save = None;
    }
    if was_running {
        guest.lock().state = StateReason { state: DOMAIN_PAUSED, reason: DOMAIN_PAUSED_SAVE };
        go_on(guest, monitor, DOMAIN_RUNNING_SAVE_CANCELED)?;
    }
    Ok(())
}

/// The machine may have gone on or stopped while nobody listened.
fn match_state(inventory: &Arc<Inventory>, guest: &Arc<Guest>, status: &GuestStatus, run_state: &str) {
    let mut condition = guest.lock();
    let now = |state, reason| Some(StateReason { state, reason });
    let seen = match run_state {
        "running" if status.state != DOMAIN_RUNNING => now(DOMAIN_RUNNING, DOMAIN_RUNNING_UNKNOWN),
        "shutdown" => now(DOMAIN_SHUTDOWN, DOMAIN_SHUTDOWN_UNKNOWN),
        "guest-panicked" => now(DOMAIN_CRASHED, DOMAIN_CRASHED_PANICKED),
        "suspended" => now(DOMAIN_PMSUSPENDED, DOMAIN_PMSUSPENDED_UNKNOWN),
        "io-error" => now(DOMAIN_PAUSED, DOMAIN_PAUSED_IOERROR),
        "watchdog" => now(DOMAIN_PAUSED, DOMAIN_PAUSED_WATCHDOG),
        "paused" | "prelaunch" | "postmigrate" if status.state == DOMAIN_RUNNING => {
            now(DOMAIN_PAUSED, DOMAIN_PAUSED_UNKNOWN)
        }
        _ => None,
    };
    if let Some(seen) = seen {
        condition.state = seen;
    }
    let Some(active) = condition.active.as_mut() else {
        return;
    };
    let (process, monitor) = (active.process.clone(), active.monitor.clone());
    match run_state {
        // The guest powered off while nobody was there to collect it.
        "shutdown" if status.reboot_pending || active.action("on_poweroff").as_deref() == Some("restart") => {
            active.reboot_pending = false;
            active.expected_resume = Some(DOMAIN_RUNNING_BOOTED);
            let _ = monitor.post("system_reset", Value::Null);
            let _ = monitor.post("cont", Value::Null);
        }
        "shutdown" if active.action("on_poweroff").as_deref() != Some("preserve") => process.terminate(),
        "guest-panicked" if active.action("on_crash").as_deref() != Some("preserve") => {
            active.expected_end = Some(DOMAIN_SHUTOFF_CRASHED);
            process.terminate();
        }
        _ => {}
    }
    inventory.write_status(&condition);
}
