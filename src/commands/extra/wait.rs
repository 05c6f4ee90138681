//! `wait`: until a domain is off, runs, has its agent or an address.
//!
//! The driver's events tell when to look again; where they do not come, looking every second does as well.

use super::address;
use crate::backend::Connection;
use crate::commands::domain::lookup;
use crate::error::{ErrorCode, Result as CallResult};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::model::event::EventFilter;
use crate::shell::args::Args;
use crate::shell::interrupt::Interrupt;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::time::{Duration, Instant};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("wait", Group::Extra, wait)
.answers("{domain: text, state: text}")
    .about(
        "wait until a domain is off, runs, has its agent or an address",
        "Returns as soon as the domain is as --for says: off (or gone, if it was transient), running, agent (the \
         agent in the guest answers), ip (an address of the guest is known). Fails when --timeout is over.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::text("for", "off, running, agent or ip").required_by_name().complete(Complete::Words(GOALS)),
        Opt::number("timeout", "give up after so many seconds"),
        Opt::all_domains(),
    ])
    .several(&[])];

const GOALS: &[&str] = &["off", "running", "agent", "ip"];

/// The longest that nobody looks, whatever events say.
const PERIOD: Duration = Duration::from_secs(1);
/// How soon an interrupt is noticed.
const PATIENCE: Duration = Duration::from_millis(100);

fn wait(session: &mut Session, args: &Args) -> Result<()> {
    let goal = args.required("for")?;
    if !GOALS.contains(&goal) {
        bail!("Invalid value '{goal}' for option --for: it is one of {}", GOALS.join(", "));
    }
    let limit = args.timeout("timeout")?.map(Duration::from_millis);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = args.required("domain")?;
    let started = Instant::now();
    // One of several shares the connection's events with the others, and looks by itself.
    let mut events = Watch::begin(&*connection, &domain, !session.is_captured());
    let interrupt = if session.is_captured() { None } else { Some(Interrupt::watch()?) };
    loop {
        if reached(&*connection, &domain, goal)? {
            let data = json!({ "domain": name, "state": goal });
            return session.show(&data, |session| {
                session.print_extra(format_args!("Domain '{name}' is {}\n", words(goal)));
            });
        }
        let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
        if left == Some(Duration::ZERO) {
            bail!("Domain '{name}' is not {} after {} s", words(goal), started.elapsed().as_secs());
        }
        let wait = left.map_or(PERIOD, |left| left.min(PERIOD));
        if events.pause(wait, interrupt.as_ref()) {
            bail!("interrupted while domain '{name}' was not {} yet", words(goal));
        }
    }
}

fn words(goal: &str) -> &str {
    match goal {
        "agent" => "answering by its agent",
        "ip" => "reachable by an address",
        other => other,
    }
}

/// Whether the domain is as wanted just now.
fn reached(connection: &dyn Connection, domain: &DomainRef, goal: &str) -> Result<bool> {
    let state = match connection.domains().state(domain, 0) {
        Ok(state) => state.state,
        // A transient domain that ended is gone.
        Err(error) if error.code == ErrorCode::NO_DOMAIN && goal == "off" => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    let runs = matches!(state, DOMAIN_RUNNING | DOMAIN_BLOCKED);
    match goal {
        "off" => Ok(state == DOMAIN_SHUTOFF),
        "running" => Ok(runs),
        "agent" if runs => agent_answers(connection, domain),
        "ip" if runs => {
            // A guest that starts again has another id, which the driver looks up by itself.
            let found = address::find(connection, domain);
            if found.supported { Ok(!found.addresses.is_empty()) } else { Err(found.failure(&domain.name)) }
        }
        _ => Ok(false),
    }
}

fn agent_answers(connection: &dyn Connection, domain: &DomainRef) -> Result<bool> {
    const SECONDS: i32 = 2;
    let answer = connection.domains().agent_command(domain, "{\"execute\":\"guest-ping\"}", SECONDS, 0);
    match answer {
        Ok(_) => Ok(true),
        Err(error) if is_silence(error.code) => Ok(false),
        Err(error) => Err(error).context("the agent in the guest cannot be asked"),
    }
}

/// Whether the agent may still come.
fn is_silence(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::AGENT_UNRESPONSIVE
            | ErrorCode::AGENT_COMMAND_TIMEOUT
            | ErrorCode::OPERATION_INVALID
            | ErrorCode::OPERATION_TIMEOUT
    )
}

/// Pauses that an event of the domain cuts short.
struct Watch<'a> {
    connection: &'a dyn Connection,
    subscriptions: Vec<(EventFilter, i32)>,
}

impl<'a> Watch<'a> {
    fn begin(connection: &'a dyn Connection, domain: &DomainRef, wanted: bool) -> Watch<'a> {
        let kinds = [DOMAIN_EVENT_ID_LIFECYCLE, DOMAIN_EVENT_ID_AGENT_LIFECYCLE];
        let filters = kinds.map(|id| EventFilter::Domain { id, domain: Some(domain.clone()) });
        let subscribe = |filter: EventFilter| -> CallResult<(EventFilter, i32)> {
            connection.events().subscribe(&filter).map(|subscription| (filter, subscription))
        };
        // A driver without events is looked at now and then.
        let subscriptions = match wanted {
            true => filters.into_iter().filter_map(|filter| subscribe(filter).ok()).collect(),
            false => Vec::new(),
        };
        Watch { connection, subscriptions }
    }

    /// Waits for an event, but no longer than `limit`; answers whether an interrupt came.
    fn pause(&mut self, limit: Duration, interrupt: Option<&Interrupt>) -> bool {
        let started = Instant::now();
        loop {
            if interrupt.is_some_and(Interrupt::came) {
                return true;
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return false;
            }
            let slice = left.min(PATIENCE);
            if self.subscriptions.is_empty() {
                std::thread::sleep(slice);
            } else {
                match self.connection.events().next(Some(slice)) {
                    Ok(Some(_)) => return false,
                    Ok(None) => {}
                    // The state is asked for next, and tells what is wrong.
                    Err(_) => return false,
                }
            }
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        for (filter, subscription) in &self.subscriptions {
            // A connection that broke has no subscriptions left to end.
            let _ = self.connection.events().unsubscribe(filter, *subscription);
        }
    }
}
