//! `nodedev-event`: watching the host's devices.

use crate::commands::event_loop::{self, EventLoop};
use crate::model::event::{Event, EventFilter, ObjectEvent};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;
use serde_json::{Value, json};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("nodedev-event", Group::NodeDevice, event)
    .answers("[text] | {event: text, device: text, what: text?, timestamp: text}...")
    .about(
        "wait for events of the host's devices",
        "Waits for an event of a device, or for all that come in a time, and prints a line for each.",
    )
    .options(&[
        Opt::text("device", "only this device").tolerated_by_place().complete(Complete::NodeDevice),
        Opt::text("event", "kind of event to wait for").tolerated_by_place().complete(Complete::Words(NAMES)),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("list", "name the kinds of events there are"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

/// By their numbers.
const NAMES: &[&str] = &["lifecycle", "update"];
/// By their numbers.
const LIFECYCLE: &[&str] = &["Created", "Deleted", "Defined", "Undefined"];

fn event(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("list") {
        return event_loop::list(session, NAMES);
    }
    let id = event_loop::chosen(args, NAMES)?;
    let connection = session.handle()?;
    let device = match args.text("device")? {
        Some(_) => Some(super::device(&*connection, args)?),
        None => None,
    };
    let text = |event: &Event| match event {
        Event::NodeDevice(device, what) => Some(match lifecycle(what) {
            Some(what) => format!("event 'lifecycle' for node device {}: {what}", device.name),
            None => format!("event 'update' for node device {}", device.name),
        }),
        _ => None,
    };
    let data = |event: &Event| match event {
        Event::NodeDevice(device, what) => json!({
            "event": NAMES.get(usize::try_from(what.id()).unwrap_or_default()),
            "device": device.name,
            "what": lifecycle(what),
        }),
        _ => Value::Null,
    };
    let filters = vec![EventFilter::NodeDevice { id, device }];
    EventLoop { filters, text: &text, data: &data }.run(session, args)
}

fn lifecycle(event: &ObjectEvent) -> Option<&'static str> {
    match event {
        ObjectEvent::Lifecycle { event, .. } => Some(event_loop::word(LIFECYCLE, *event)),
        _ => None,
    }
}
