//! Bringing a saved guest back: QEMU is started waiting for its memory and fed the image.

use super::image::Image;
use super::jobs::{LongJob, Turn};
use super::launch::{Manner, Starting};
use super::save::{prepare_migration, progress_of};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::qemud::qmp::MonitorError;
use serde_json::{Value, json};
use std::io::{Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// How often QEMU is asked how far it is.
const INTERVAL: Duration = Duration::from_millis(10);

/// Loads an image into a guest that was started waiting for it, and finishes its start.
pub fn restore(
    starting: Starting<'_>,
    turn: &Turn<'_>,
    image: &Image,
    path: &Path,
    bypass_cache: bool,
    manner: Manner,
) -> Result<()> {
    let job = turn.lengthen(DOMAIN_JOB_OPERATION_RESTORE);
    prepare_migration(&starting.monitor, image.header.mapped, bypass_cache && image.header.mapped)?;
    let uri = if image.header.mapped {
        format!("file:{},offset={:#x}", path.display(), image.header.state_offset)
    } else {
        let mut file = image.file();
        file.seek(SeekFrom::Start(image.header.state_offset))
            .map_err(|e| Error::system(format!("cannot read file '{}'", path.display()), &e))?;
        let handed = starting.monitor.send_with("getfd", json!({ "fdname": "restore" }), &[file.as_fd()])?;
        starting.monitor.wait(handed)?;
        "fd:restore".to_string()
    };
    let begun = starting.monitor.execute("migrate-incoming", json!({ "uri": uri }));
    begun.map_err(|error| explain(&starting, error))?;
    follow(&starting, &job)?;
    turn.complete();
    starting.finish(Manner { restored: true, ..manner })
}

fn explain(starting: &Starting<'_>, error: MonitorError) -> Error {
    match error.words() {
        Some(words) => failed(words),
        None => starting.explain(error),
    }
}

fn failed(words: &str) -> Error {
    Error::operation_failed(format!("domain restore job: unexpectedly failed: {words}"))
        .from_origin(ErrorOrigin::QEMU)
}

/// Asks QEMU how far it is. It answers nothing while it reads memory, which may take minutes; what it is told to do
/// meanwhile it would do too late, so a restore is aborted by ending it.
fn how_far(starting: &Starting<'_>, job: &LongJob) -> Result<Value> {
    let asked = starting.monitor.send("query-migrate", Value::Null);
    let ticket = asked.map_err(|error| explain(starting, error))?;
    while !starting.monitor.has_answered(&ticket, INTERVAL) {
        if job.is_aborted() {
            return Err(job.aborted_error());
        }
    }
    starting.monitor.wait(ticket).map_err(|error| explain(starting, error))
}

fn follow(starting: &Starting<'_>, job: &LongJob) -> Result<()> {
    loop {
        let answer = how_far(starting, job)?;
        job.publish(progress_of(&answer));
        match answer.get("status").and_then(Value::as_str).unwrap_or("none") {
            "completed" => return Ok(()),
            "failed" => {
                let words = answer.get("error-desc").and_then(Value::as_str);
                return Err(failed(words.unwrap_or("QEMU does not say why")));
            }
            _ if job.is_aborted() => return Err(job.aborted_error()),
            _ => starting.wait_for_migration(INTERVAL),
        }
    }
}
