//! `secret-event`: watching secrets.

use crate::commands::event_loop::{self, EventLoop};
use crate::model::event::{Event, EventFilter, ObjectEvent};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;
use serde_json::{Value, json};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("secret-event", Group::Secret, event)
    .answers("[text] | {event: text, secret: text, what: text?, timestamp: text}...")
    .about(
        "wait for events of secrets",
        "Waits for an event of a secret, or for all that come in a time, and prints a line for each.",
    )
    .options(&[
        Opt::text("secret", "only this secret").tolerated_by_place().complete(Complete::Secret),
        Opt::text("event", "kind of event to wait for").tolerated_by_place().complete(Complete::Words(NAMES)),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("list", "name the kinds of events there are"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

/// By their numbers.
const NAMES: &[&str] = &["lifecycle", "value-changed"];
/// By their numbers.
const LIFECYCLE: &[&str] = &["Defined", "Undefined"];

fn event(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("list") {
        return event_loop::list(session, NAMES);
    }
    let id = event_loop::chosen(args, NAMES)?;
    let connection = session.handle()?;
    let secret = match args.text("secret")? {
        // An unknown secret is complained of, and all are watched then, as virsh does.
        Some(_) => super::secret(&*connection, args).map_err(|error| session.report(&error)).ok(),
        None => None,
    };
    let text = |event: &Event| match event {
        Event::Secret(secret, what) => Some(match lifecycle(what) {
            Some(what) => format!("event 'lifecycle' for secret {}: {what}", secret.uuid),
            None => format!("event 'value-changed' for secret {}", secret.uuid),
        }),
        _ => None,
    };
    let data = |event: &Event| match event {
        Event::Secret(secret, what) => json!({
            "event": NAMES.get(usize::try_from(what.id()).unwrap_or_default()),
            "secret": secret.uuid.to_string(),
            "what": lifecycle(what),
        }),
        _ => Value::Null,
    };
    let filters = vec![EventFilter::Secret { id, secret }];
    EventLoop { filters, text: &text, data: &data }.run(session, args)
}

fn lifecycle(event: &ObjectEvent) -> Option<&'static str> {
    match event {
        ObjectEvent::Lifecycle { event, .. } => Some(event_loop::word(LIFECYCLE, *event)),
        _ => None,
    }
}
