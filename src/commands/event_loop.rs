//! Waiting for events: one or many, for so long or for ever, until Ctrl-C.

use crate::backend::Connection;
use crate::model::event::{Event, EventFilter};
use crate::shell::args::Args;
use crate::shell::interrupt::Interrupt;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::time::{Duration, Instant};

/// How soon an interrupt is noticed.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is waited for, and how events are told.
pub struct EventLoop<'a> {
    /// Which events; one subscription each.
    pub filters: Vec<EventFilter>,
    /// The line or lines of an event, without a stamp; `None` passes over it.
    pub text: &'a dyn Fn(&Event) -> Option<String>,
    /// The event as data.
    pub data: &'a dyn Fn(&Event) -> Value,
}

impl EventLoop<'_> {
    /// Waits as `--loop`, `--timeout` and `--timestamp` say.
    pub fn run(&self, session: &mut Session, args: &Args) -> Result<()> {
        let limit = args.timeout("timeout")?.map(Duration::from_millis);
        let connection = session.handle()?;
        let events = connection.events();
        let mut subscriptions = Vec::new();
        let mut answer = Ok(());
        for filter in &self.filters {
            match events.subscribe(filter) {
                Ok(subscription) => subscriptions.push((filter, subscription)),
                // Who wants all events takes those that an older daemon knows.
                Err(_) if !subscriptions.is_empty() => {}
                Err(error) => {
                    answer = Err(error.into());
                    break;
                }
            }
        }
        if answer.is_ok() {
            answer = self.wait(session, args, &*connection, limit);
        }
        for (filter, subscription) in subscriptions {
            // A connection that broke has no subscriptions left to end.
            let _ = events.unsubscribe(filter, subscription);
        }
        answer
    }

    fn wait(
        &self,
        session: &mut Session,
        args: &Args,
        connection: &dyn Connection,
        limit: Option<Duration>,
    ) -> Result<()> {
        let interrupt = Interrupt::watch()?;
        let started = Instant::now();
        let (endless, stamped) = (args.has("loop"), args.has("timestamp"));
        let mut count = 0u32;
        let ended = loop {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            if interrupt.came() {
                break Some("event loop interrupted\n");
            }
            if left == Some(Duration::ZERO) {
                break Some("event loop timed out\n");
            }
            let patience = left.map_or(PATIENCE, |left| left.min(PATIENCE));
            let next = connection.events().next(Some(patience));
            let Some((_, event)) = next.context("the connection to the events broke")? else {
                continue;
            };
            let Some(text) = (self.text)(&event) else {
                continue;
            };
            // Without --loop one event is all; others of the same kind may have come along already.
            count += 1;
            self.tell(session, &event, &text, stamped)?;
            if !endless {
                break None;
            }
        };
        if let Some(ended) = ended {
            session.print_extra(ended);
        }
        session.print_extra(format_args!("events received: {count}\n"));
        if count == 0 { Err(Silent.into()) } else { Ok(()) }
    }

    fn tell(&self, session: &mut Session, event: &Event, text: &str, stamped: bool) -> Result<()> {
        let stamp = super::clock::stamp();
        let mut data = (self.data)(event);
        data["timestamp"] = Value::from(stamp.as_str());
        session.stream(&data, |session| match stamped {
            true => session.print(format_args!("{stamp}: {text}\n")),
            false => session.print(format_args!("{text}\n")),
        })
    }
}

/// Prints the kinds of events there are.
pub fn list(session: &mut Session, names: &[&str]) -> Result<()> {
    session.show(&names, |session| {
        for name in names {
            session.print(format_args!("{name}\n"));
        }
    })
}

/// The number of the kind of event that `--event` names; the options are checked before anything is asked.
pub fn chosen(args: &Args, names: &[&str]) -> Result<i32> {
    let Some(name) = args.text("event")? else {
        bail!("either --list or --event <type> is required");
    };
    args.timeout("timeout")?;
    let place = names.iter().position(|known| *known == name);
    match place.and_then(|place| i32::try_from(place).ok()) {
        Some(id) => Ok(id),
        None => bail!("unknown event type {name}"),
    }
}

/// The word at a number, if there is one.
pub fn word(words: &[&'static str], number: i32) -> &'static str {
    let place = usize::try_from(number).ok();
    place.and_then(|place| words.get(place)).copied().unwrap_or("unknown")
}
