//! Core dumps of a guest's memory.

use super::guest::Guest;
use super::inventory::Inventory;
use super::jobs::{LongJob, Progress, Turn};
use super::save::{go_on, halt};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::qemud::qmp::Monitor;
use crate::qemud::store::rename_durably;
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often QEMU is asked how far it is.
const INTERVAL: Duration = Duration::from_millis(200);

/// Writes a guest's memory to a file; the guest stands still meanwhile unless `live`.
pub fn dump(guest: &Guest, turn: &Turn<'_>, to: &Path, format: &str, live: bool) -> Result<()> {
    let job = turn.lengthen(DOMAIN_JOB_OPERATION_DUMP);
    let (monitor, was_running) = {
        let mut condition = guest.lock();
        let was_running = condition.state.state == DOMAIN_RUNNING;
        let active = condition.running_mut()?;
        active.dump = None;
        (active.monitor.clone(), was_running)
    };
    let halts = was_running && !live;
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let partial = to.with_file_name(format!(".{name}.partial"));
    let dumped = write_dump(guest, &monitor, &job, to, &partial, format, halts);
    if dumped.is_err() {
        // It may not even have been made.
        let _ = std::fs::remove_file(&partial);
    }
    if halts && guest.lock().state.state == DOMAIN_PAUSED {
        go_on(guest, &monitor, DOMAIN_RUNNING_UNPAUSED)?;
    }
    dumped?;
    turn.complete();
    Ok(())
}

fn write_dump(
    guest: &Guest,
    monitor: &Monitor,
    job: &LongJob,
    to: &Path,
    partial: &Path,
    format: &str,
    halts: bool,
) -> Result<()> {
    let cannot = |verb: &str, e: &std::io::Error| {
        Error::system(format!("Failed to {verb} file '{}'", to.display()), e).from_origin(ErrorOrigin::QEMU)
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(partial).map_err(|e| cannot("create", &e))?;
    if halts {
        halt(guest, monitor, DOMAIN_PAUSED_DUMP)?;
    }
    let handed = monitor.send_with("getfd", json!({ "fdname": "dump" }), &[file.as_fd()])?;
    monitor.wait(handed)?;
    let arguments = json!({ "paging": false, "protocol": "fd:dump", "detach": true, "format": format });
    monitor.execute("dump-guest-memory", arguments)?;
    loop {
        let answer = monitor.query("query-dump")?;
        let number = |field: &str| answer.get(field).and_then(Value::as_u64).unwrap_or(0);
        let (total, processed) = (number("total"), number("completed"));
        job.publish(Progress {
            total,
            processed,
            remaining: total.saturating_sub(processed),
            ..Progress::default()
        });
        let ended = guest.wait_until(INTERVAL, |condition| condition.active.as_mut()?.dump.take());
        match ended {
            Some(Ok(())) => break,
            Some(Err(words)) => return Err(failed(&words)),
            None if answer.get("status").and_then(Value::as_str) == Some("failed") => {
                return Err(failed("QEMU does not say why"));
            }
            None => {}
        }
    }
    file.sync_all().map_err(|e| cannot("write", &e))?;
    rename_durably(partial, to)
}

fn failed(words: &str) -> Error {
    Error::operation_failed(format!("domain core dump job: unexpectedly failed: {words}"))
        .from_origin(ErrorOrigin::QEMU)
}

/// Dumps a guest that panicked, in a thread of its own, and then ends or restarts it.
pub fn dump_crashed(inventory: &Arc<Inventory>, guest: &Arc<Guest>, name: &str, restart: bool) {
    let (inventory, guest) = (inventory.clone(), guest.clone());
    let to = inventory.store.paths.state.join("dump").join(format!("{name}-{}.core", seconds_now()));
    let body = move || {
        let dumped =
            guest.jobs.take_turn("virDomainCoreDump").and_then(|turn| dump(&guest, &turn, &to, "elf", false));
        if let Err(error) = dumped {
            tracing::error!("the crashed guest could not be dumped to '{}': {error}", to.display());
        }
        let ended = if restart {
            guest.monitor().and_then(|monitor| {
                monitor.query("system_reset")?;
                go_on(&guest, &monitor, DOMAIN_RUNNING_CRASHED)
            })
        } else {
            super::stop::stop(&guest, DOMAIN_SHUTOFF_CRASHED, false)
        };
        if let Err(error) = ended {
            tracing::error!("the crashed guest could not be brought on: {error}");
        }
    };
    if let Err(error) = std::thread::Builder::new().name("dump".to_string()).spawn(body) {
        tracing::error!("no thread for the dump of a crashed guest: {error}");
    }
}

fn seconds_now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
