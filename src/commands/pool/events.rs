//! pool-event: watching storage pools.

use crate::commands::event_loop::{self, EventLoop};
use crate::model::event::{Event, EventFilter, ObjectEvent};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};
use serde_json::{Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("pool-event", Group::Pool, pool_event)
    .answers(
        "[text] | {event: text, pool: text, uuid: text, what: text?, timestamp: \
             text}...",
    )
    .about(
        "wait for events of pools",
        "Waits for an event of a pool, or for all that come in a time, and prints a line for each.",
    )
    .options(&[
        Opt::text("pool", "only this pool").tolerated_by_place().complete(Complete::Pool),
        Opt::text("event", "kind of event to wait for").tolerated_by_place().complete(Complete::Words(NAMES)),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("list", "name the kinds of events there are"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

/// By their numbers.
const NAMES: &[&str] = &["lifecycle", "refresh"];
/// By their numbers.
const LIFECYCLE: &[&str] = &["Defined", "Undefined", "Started", "Stopped", "Created", "Deleted"];

fn pool_event(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("list") {
        return event_loop::list(session, NAMES);
    }
    let Some(name) = args.text("event")? else {
        bail!("either --list or --event <type> is required");
    };
    let Some(id) = NAMES.iter().position(|known| *known == name) else {
        bail!("unknown event type {name}");
    };
    args.timeout("timeout")?;
    let connection = session.handle()?;
    let pool = match args.text("pool")? {
        // An unknown pool is complained of, and all are watched then, as virsh does.
        Some(name) => super::named(&*connection, name).map_err(|error| session.report(&error)).ok(),
        None => None,
    };
    let text = |event: &Event| match event {
        Event::Pool(pool, what) => Some(line(&pool.name, what)),
        _ => None,
    };
    let data = |event: &Event| match event {
        Event::Pool(pool, what) => json!({
            "event": NAMES.get(what.id() as usize),
            "pool": pool.name,
            "uuid": pool.uuid.to_string(),
            "what": lifecycle(what),
        }),
        _ => Value::Null,
    };
    let events =
        EventLoop { filters: vec![EventFilter::Pool { id: id as i32, pool }], text: &text, data: &data };
    events.run(session, args)
}

fn lifecycle(event: &ObjectEvent) -> Option<&'static str> {
    let ObjectEvent::Lifecycle { event, .. } = event else {
        return None;
    };
    let place = usize::try_from(*event).ok();
    Some(place.and_then(|place| LIFECYCLE.get(place).copied()).unwrap_or("unknown"))
}

fn line(pool: &str, event: &ObjectEvent) -> String {
    match lifecycle(event) {
        Some(what) => format!("event 'lifecycle' for storage pool {pool}: {what}"),
        None => format!("event 'refresh' for storage pool {pool}"),
    }
}
