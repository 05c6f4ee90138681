//! qemu-monitor-event: what QEMU's monitors tell, as it comes.

use super::json;
use crate::commands::domain::lookup::{self, By};
use crate::commands::event_loop::EventLoop;
use crate::model::constants::*;
use crate::model::event::{Event, EventFilter};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;
use serde_json::Value;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("qemu-monitor-event", Group::Domain, qemu_monitor_event)
    .answers(
        "{event: text, domain: text, seconds: integer, microseconds: integer, details: \
             any, timestamp: text}...",
    )
    .about(
        "wait for QEMU's monitor events",
        "Waits for events of QEMU's monitors as they come, and prints a line for each. Ctrl-C ends it.",
    )
    .options(&[
        Opt::text("domain", "only this domain").tolerated_by_place().complete(Complete::Domain),
        Opt::text("event", "only events of this name").tolerated_by_place(),
        Opt::flag("pretty", "lay the data out over several lines"),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("regex", "the event is a regular expression"),
        Opt::flag("no-case", "letters match in either case"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

fn qemu_monitor_event(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = match args.text("domain")? {
        Some(name) => Some(lookup::named(&*connection, name, By::Any)?),
        None => None,
    };
    let flags = args.flags(&[
        ("regex", CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_REGEX),
        ("no-case", CONNECT_DOMAIN_QEMU_MONITOR_EVENT_REGISTER_NOCASE),
    ]);
    let filter = EventFilter::Monitor { domain, event: args.text("event")?.map(str::to_string), flags };
    let (stamped, pretty) = (args.has("timestamp"), args.has("pretty"));
    let text = |event: &Event| {
        let Event::Monitor(domain, what) = event else {
            return None;
        };
        // The time the monitor gave, unless each line is stamped anyway.
        let at = if stamped { String::new() } else { format!(" at {}.{:06}", what.seconds, what.micros) };
        let details = match what.details.as_deref() {
            None => "<null>".to_string(),
            Some(details) if pretty => {
                json::parse(details).map_or(details.to_string(), |value| json::pretty(&value))
            }
            Some(details) => details.to_string(),
        };
        Some(format!("event {}{at} for domain '{}': {details}", what.name, domain.name))
    };
    let data = |event: &Event| match event {
        Event::Monitor(domain, what) => serde_json::json!({
            "event": what.name,
            "domain": domain.name,
            "seconds": what.seconds,
            "microseconds": what.micros,
            "details": what.details.as_deref().and_then(|details| json::parse(details).ok()),
        }),
        _ => Value::Null,
    };
    let events = EventLoop { filters: vec![filter], text: &text, data: &data };
    events.run(session, args)
}
