//! `net-event`: watching networks.

use super::network_named;
use crate::commands::event_loop::{self, EventLoop};
use crate::model::constants::*;
use crate::model::event::{Event, EventFilter, ObjectEvent};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;
use serde_json::{Value, json};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("net-event", Group::Network, event)
    .answers(
        "[text] | {event: text, network: text, uuid: text, what: text, timestamp: \
             text}...",
    )
    .about(
        "wait for events of networks",
        "Waits for an event of a network, or for all that come in a time, and prints a line for each.",
    )
    .options(&[
        Opt::text("network", "only this network").tolerated_by_place().complete(Complete::Network),
        Opt::text("event", "kind of event to wait for").tolerated_by_place().complete(Complete::Words(NAMES)),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("list", "name the kinds of events there are"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

/// By their numbers.
const NAMES: &[&str] = &["lifecycle", "metadata-change"];
/// By their numbers.
const LIFECYCLE: &[&str] = &["Defined", "Undefined", "Started", "Stopped"];

fn event(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("list") {
        return event_loop::list(session, NAMES);
    }
    let id = event_loop::chosen(args, NAMES)?;
    let connection = session.handle()?;
    let network = match args.text("network")? {
        // An unknown network is complained of, and all are watched then, as virsh does.
        Some(name) => network_named(&*connection, name).map_err(|error| session.report(&error)).ok(),
        None => None,
    };
    let text = |event: &Event| match event {
        Event::Network(network, what) => Some(line(&network.name, what)),
        _ => None,
    };
    let data = |event: &Event| match event {
        Event::Network(network, what) => json!({
            "event": NAMES.get(usize::try_from(what.id()).unwrap_or_default()),
            "network": network.name,
            "uuid": network.uuid.to_string(),
            "what": what_of(what),
        }),
        _ => Value::Null,
    };
    let filters = vec![EventFilter::Network { id, network }];
    EventLoop { filters, text: &text, data: &data }.run(session, args)
}

fn what_of(event: &ObjectEvent) -> &'static str {
    match event {
        ObjectEvent::Lifecycle { event, .. } => event_loop::word(LIFECYCLE, *event),
        ObjectEvent::MetadataChange { kind, .. } => match *kind {
            NETWORK_METADATA_DESCRIPTION => "description",
            NETWORK_METADATA_TITLE => "title",
            _ => "element",
        },
        _ => "unknown",
    }
}

fn line(network: &str, event: &ObjectEvent) -> String {
    let what = what_of(event);
    match event {
        ObjectEvent::MetadataChange { uri, .. } => {
            let uri = uri.as_deref().unwrap_or("<null>");
            format!("event 'metadata-change' for network {network}: type {what}, uri {uri}")
        }
        _ => format!("event 'lifecycle' for network {network}: {what}"),
    }
}
