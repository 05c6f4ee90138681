//! Saving a guest: its memory streams into a file through QEMU's migration, and then it is off.
//!
//! The image grows under a temporary name. Only when it is whole, headed and on the disk is it renamed, and only
//! then does the guest end; whatever fails before lets the guest go on and removes the temporary file.

use super::guest::{Definition, Guest};
use super::image::{self, Header};
use super::inventory::Inventory;
use super::jobs::{LongJob, Progress, Turn};
use super::stop;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::event::DomainEvent;
use crate::qemud::qmp::Monitor;
use crate::qemud::store::{SaveProgress, rename_durably};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often QEMU is asked how far it is.
const INTERVAL: Duration = Duration::from_millis(100);

/// What to save, and how.
pub struct Order<'a> {
    /// The image.
    pub to: &'a Path,
    /// The definition that goes into it, if not the guest's own.
    pub xml: Option<&'a str>,
    /// Go past the host's page cache.
    pub bypass_cache: bool,
    /// Whether the guest is to run after its restore; `None`: as it does now.
    pub run_later: Option<bool>,
}

/// Saves a guest and ends it.
pub fn save(inventory: &Inventory, guest: &Guest, turn: &Turn<'_>, order: &Order<'_>) -> Result<()> {
    let job = turn.lengthen(DOMAIN_JOB_OPERATION_SAVE);
    refuse_special_file(order.to)?;
    let partial = partial_name(order.to);
    let (monitor, definition, was_running) = {
        let mut condition = guest.lock();
        let was_running = condition.state.state == DOMAIN_RUNNING;
        let active = condition.running_mut()?;
        let parts = (active.monitor.clone(), active.definition.clone(), was_running);
        active.save = Some(SaveProgress { partial: partial.clone(), complete: false, was_running });
        active.migration = None;
        inventory.write_status(&condition);
        parts
    };
    let saved = write_image(guest, &monitor, &definition, &job, order, &partial, was_running)
        .and_then(|()| commit(inventory, guest, &partial, order.to));
    if let Err(error) = saved {
        take_back(inventory, guest, &monitor, &partial, was_running);
        return Err(error);
    }
    let params = turn.complete();
    inventory.tell(guest.lock().reference(), DomainEvent::JobCompleted { params });
    // The image is there under its name: the guest must not run on, however its end comes.
    stop::stop(guest, DOMAIN_SHUTOFF_SAVED, false)
}

/// Only a regular file can be replaced in one go.
fn refuse_special_file(path: &Path) -> Result<()> {
    let Ok(known) = std::fs::metadata(path) else {
        return Ok(());
    };
    let kind = known.file_type();
    if kind.is_dir() || kind.is_char_device() || kind.is_block_device() || kind.is_fifo() || kind.is_socket()
    {
        let detail = format!("cannot save to '{}': it is not a regular file", path.display());
        return Err(Error::new(crate::error::ErrorCode::OPERATION_UNSUPPORTED, detail));
    }
    Ok(())
}

fn partial_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    path.with_file_name(format!(".{name}.partial"))
}

fn write_image(
    guest: &Guest,
    monitor: &Monitor,
    definition: &Definition,
    job: &LongJob,
    order: &Order<'_>,
    partial: &Path,
    was_running: bool,
) -> Result<()> {
    let cannot = |verb: &str, e: &std::io::Error| {
        Error::system(format!("Failed to {verb} file '{}'", order.to.display()), e)
            .from_origin(ErrorOrigin::QEMU)
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(partial)
        .map_err(|e| cannot("create", &e))?;
    let mapped = can_map(monitor)?;
    let xml = order.xml.unwrap_or(&definition.text);
    let header = Header::plan(xml, order.run_later.unwrap_or(was_running), mapped);
    image::begin(&file, &header, xml).map_err(|e| cannot("write", &e))?;

    if was_running {
        halt(guest, monitor, DOMAIN_PAUSED_SAVE)?;
    }
    prepare_migration(monitor, mapped, order.bypass_cache)?;
    let started = if mapped {
        let uri = format!("file:{},offset={:#x}", partial.display(), header.state_offset);
        monitor.execute("migrate", json!({ "uri": uri })).map(|_| ())
    } else {
        file.seek(SeekFrom::Start(header.state_offset)).map_err(|e| cannot("write", &e))?;
        migrate_to(monitor, &file)
    };
    started.map_err(|error| failed(error.words().unwrap_or("QEMU is gone")))?;
    follow(guest, monitor, job)?;
    image::complete(&file, header).map_err(|e| cannot("write", &e))
}

/// Stops the CPUs of a running guest for a reason (`virDomainPausedReason`).
pub fn halt(guest: &Guest, monitor: &Monitor, reason: i32) -> Result<()> {
    guest.lock().running_mut()?.expected_stop = Some(reason);
    monitor.query("stop")?;
    Ok(())
}

/// Lets a guest run again for a reason (`virDomainRunningReason`).
pub fn go_on(guest: &Guest, monitor: &Monitor, reason: i32) -> Result<()> {
    guest.lock().running_mut()?.expected_resume = Some(reason);
    monitor.query("cont")?;
    Ok(())
}

/// Whether QEMU knows the layout in which each page has its place in the file (9.0 and newer).
fn can_map(monitor: &Monitor) -> Result<bool> {
    let known = monitor.query("query-migrate-capabilities")?;
    let mut known = known.as_array().into_iter().flatten();
    Ok(known.any(|c| c.get("capability").and_then(Value::as_str) == Some("mapped-ram")))
}

/// Sets what a migration to or from a file needs: events, no speed limit, the layout.
pub fn prepare_migration(monitor: &Monitor, mapped: bool, bypass_cache: bool) -> Result<()> {
    let switch = |name: &str, state: bool| json!({ "capability": name, "state": state });
    let mut capabilities = vec![switch("events", true)];
    let mut parameters = json!({ "max-bandwidth": 1u64 << 60 });
    if mapped {
        capabilities.push(switch("mapped-ram", true));
        capabilities.push(switch("multifd", bypass_cache));
        parameters["direct-io"] = json!(bypass_cache);
    }
    let first = monitor.send("migrate-set-capabilities", json!({ "capabilities": capabilities }))?;
    let second = monitor.send("migrate-set-parameters", parameters.clone())?;
    monitor.wait(first)?;
    match monitor.wait(second) {
        // 9.0 has the layout but not yet the parameter.
        Err(error) if mapped && !bypass_cache && error.words().is_some_and(|w| w.contains("direct-io")) => {
            let plain = json!({ "max-bandwidth": parameters["max-bandwidth"] });
            monitor.execute("migrate-set-parameters", plain)?;
            Ok(())
        }
        other => Ok(other.map(|_| ())?),
    }
}

/// Puts everything back as it was before a save that failed: a later migration must not inherit the layout.
fn reset_migration(monitor: &Monitor) {
    let off = |name: &str| json!({ "capability": name, "state": false });
    // A QEMU that does not know the layout refuses this, and needs it not.
    let _ = monitor
        .execute("migrate-set-capabilities", json!({ "capabilities": [off("mapped-ram"), off("multifd")] }));
}

/// Starts a plain stream into an open file (QEMU before 9.0).
fn migrate_to(monitor: &Monitor, file: &File) -> std::result::Result<(), crate::qemud::qmp::MonitorError> {
    let handed = monitor.send_with("getfd", json!({ "fdname": "save" }), &[file.as_fd()])?;
    monitor.wait(handed)?;
    monitor.execute("migrate", json!({ "uri": "fd:save" }))?;
    Ok(())
}

fn failed(words: &str) -> Error {
    Error::operation_failed(format!("domain save job: unexpectedly failed: {words}"))
        .from_origin(ErrorOrigin::QEMU)
}

/// Follows a migration to its end, publishing how far it is.
fn follow(guest: &Guest, monitor: &Monitor, job: &LongJob) -> Result<()> {
    let mut cancelled = false;
    loop {
        let asked = Instant::now();
        let answer = monitor.query("query-migrate")?;
        job.publish(progress_of(&answer));
        match answer.get("status").and_then(Value::as_str).unwrap_or("none") {
            "completed" => return Ok(()),
            "failed" => {
                let words = answer.get("error-desc").and_then(Value::as_str);
                return Err(failed(words.unwrap_or("QEMU does not say why")));
            }
            "cancelled" => return Err(job.aborted_error()),
            _ => {}
        }
        if job.is_aborted() && !cancelled {
            cancelled = true;
            monitor.query("migrate_cancel")?;
        }
        // An event of its end comes sooner than the next question.
        let wait = INTERVAL.saturating_sub(asked.elapsed());
        guest.wait_until(wait, |condition| {
            let active = condition.active.as_ref()?;
            let status = active.migration.as_deref()?;
            let ended = matches!(status, "completed" | "failed" | "cancelled");
            let abort_now = job.is_aborted() && !cancelled;
            (ended || abort_now || active.ended).then_some(())
        });
    }
}

/// The figures of `query-migrate`.
pub fn progress_of(answer: &Value) -> Progress {
    let number = |path: &str| answer.pointer(path).and_then(Value::as_f64).unwrap_or(0.0) as u64;
    let page_size = number("/ram/page-size");
    let (total, remaining) = (number("/ram/total"), number("/ram/remaining"));
    Progress {
        total,
        remaining,
        processed: number("/ram/transferred"),
        speed: number("/ram/pages-per-second") * page_size,
        constant: number("/ram/duplicate"),
        normal: number("/ram/normal"),
        normal_bytes: number("/ram/normal-bytes"),
        dirty_rate: number("/ram/dirty-pages-rate"),
        iteration: number("/ram/dirty-sync-count"),
        page_size,
        downtime: number("/downtime"),
        setup_time: number("/setup-time"),
    }
}

/// The image is whole: gives it its name. From here on a new helper would end the guest, not wake it.
fn commit(inventory: &Inventory, guest: &Guest, partial: &Path, to: &Path) -> Result<()> {
    {
        let mut condition = guest.lock();
        let active = condition.running_mut()?;
        active.expected_end = Some(DOMAIN_SHUTOFF_SAVED);
        if let Some(save) = active.save.as_mut() {
            save.complete = true;
        }
        inventory.write_status(&condition);
    }
    rename_durably(partial, to)
}

/// A save failed: no image stays, and the guest goes on as before.
fn take_back(inventory: &Inventory, guest: &Guest, monitor: &Monitor, partial: &Path, was_running: bool) {
    // It may not even have been made.
    let _ = std::fs::remove_file(partial);
    {
        let mut condition = guest.lock();
        let Ok(active) = condition.running_mut() else {
            return;
        };
        active.save = None;
        active.expected_end = None;
        inventory.write_status(&condition);
    }
    reset_migration(monitor);
    let halted = guest.lock().state.state == DOMAIN_PAUSED;
    if was_running
        && halted
        && let Err(error) = go_on(guest, monitor, DOMAIN_RUNNING_SAVE_CANCELED)
    {
        let name = guest.lock().name.clone();
        tracing::error!("domain '{name}' stays paused after a failed save: {error}");
    }
}
