//! event: watching domains.

use super::domain_text;
use crate::commands::domain::lookup::{self, By};
use crate::commands::event_loop::{self, EventLoop};
use crate::model::event::{Event, EventFilter};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("event", Group::Events, event)
    .answers(
        "[text] | {event: text, domain: text, uuid: text, what?: text, detail?: text, \
             params?: {*: any}, offset?: integer, actual_kib?: integer, timestamp: text}...",
    )
    .about(
        "wait for events of domains",
        "Waits for an event, or for all that come in a time, and prints a line for each. Ctrl-C ends it.",
    )
    .options(&[
        Opt::text("domain", "only this domain").tolerated_by_place().complete(Complete::Domain),
        Opt::text("event", "kind of event to wait for")
            .tolerated_by_place()
            .complete(Complete::Words(domain_text::NAMES)),
        Opt::flag("all", "wait for every kind"),
        Opt::flag("loop", "go on after the first event"),
        Opt::number("timeout", "seconds to wait").tolerated_by_place(),
        Opt::flag("list", "name the kinds of events there are"),
        Opt::flag("timestamp", "show when each event came"),
    ])];

fn event(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("all", "event")?;
    args.exclusive("list", "all")?;
    args.exclusive("list", "event")?;
    if args.has("list") {
        return event_loop::list(session, domain_text::NAMES);
    }
    let chosen = args.text("event")?;
    let ids: Vec<usize> = match chosen {
        Some(name) => match domain_text::NAMES.iter().position(|known| *known == name) {
            Some(id) => vec![id],
            None => bail!("unknown event type {name}"),
        },
        None if args.has("all") => (0..domain_text::NAMES.len()).collect(),
        None => bail!("one of --list, --all, or --event <type> is required"),
    };
    args.timeout("timeout")?;
    let connection = session.handle()?;
    let domain = match args.text("domain")? {
        Some(name) => Some(lookup::named(&*connection, name, By::Any)?),
        None => None,
    };
    let filter = |id: usize| EventFilter::Domain { id: id as i32, domain: domain.clone() };
    let text = |event: &Event| match event {
        Event::Domain(domain, what) => Some(domain_text::text(domain, what)),
        _ => None,
    };
    let data = |event: &Event| match event {
        Event::Domain(domain, what) => domain_text::data(domain, what),
        _ => serde_json::Value::Null,
    };
    let events = EventLoop { filters: ids.into_iter().map(filter).collect(), text: &text, data: &data };
    events.run(session, args)
}
