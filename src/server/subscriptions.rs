//! A client's subscriptions: who asked for which events, and in which form they are to be told.

use super::session::{Answer, Then};
use super::{Client, lock};
use crate::backend::Connection;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::event::{Event, EventFilter};
use crate::rpc::events::{encode, encode_unnumbered, is_deregistration, parse_registration};
use crate::rpc::frame::{QEMU_PROGRAM, REMOTE_PROGRAM};
use crate::rpc::procedure::*;
use crate::rpc::xdr::{from_bytes, to_bytes};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Events kept for a subscription whose number the client has not been told yet.
const EARLY_MAX: usize = 1024;
/// The highest number of each kind's events that this protocol has a message for.
const LAST_DOMAIN_EVENT: i32 = 27;
const LAST_OBJECT_EVENT: i32 = 1;

/// The subscriptions of one client.
#[derive(Default)]
pub(super) struct Subscriptions {
    /// Whether the driver knows where this client's events go.
    attached: Mutex<bool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<i32, Subscription>,
    /// What came before its subscription was awake.
    early: VecDeque<(i32, Event)>,
}

struct Subscription {
    filter: EventFilter,
    /// Whether messages carry the subscription's number; older clients know none.
    numbered: bool,
    /// Whether the client has been told the number.
    awake: bool,
}

impl Subscriptions {
    /// Answers calls about events; `None` for all others.
    pub(super) fn answer(
        &self,
        driver: &dyn Connection,
        client: &Arc<Client>,
        program: u32,
        procedure: i32,
        payload: &[u8],
    ) -> Option<Answer> {
        if let Some(filter) = parse_registration(program, procedure, payload) {
            let subscribed = filter.and_then(|filter| {
                refuse_unknown(&filter)?;
                self.subscribe(driver, client, filter, true)
            });
            return Some(tell(subscribed, |subscription| to_bytes(&subscription)));
        }
        if is_deregistration(program, procedure) {
            let kind = object_name(program, procedure);
            let result = from_bytes(payload).and_then(|subscription: i32| {
                let missing = || internal(format!("{kind} event callback {subscription} not registered"));
                self.unsubscribe(driver, |number, _| number == subscription, missing)
            });
            return Some(result.map(|()| Vec::new()).into());
        }
        if program != REMOTE_PROGRAM {
            return None;
        }
        match procedure {
            CONNECT_DOMAIN_EVENT_REGISTER => {
                Some(tell(self.subscribe_older(driver, client, 0), |_| to_bytes(&0i32)))
            }
            CONNECT_DOMAIN_EVENT_REGISTER_ANY => {
                let subscribed = from_bytes(payload).and_then(|id| self.subscribe_older(driver, client, id));
                Some(tell(subscribed, |_| Vec::new()))
            }
            CONNECT_DOMAIN_EVENT_DEREGISTER => {
                Some(self.unsubscribe_older(driver, 0).map(|()| to_bytes(&0i32)).into())
            }
            CONNECT_DOMAIN_EVENT_DEREGISTER_ANY => {
                let result = from_bytes(payload).and_then(|id| self.unsubscribe_older(driver, id));
                Some(result.map(|()| Vec::new()).into())
            }
            _ => None,
        }
    }

    fn subscribe(
        &self,
        driver: &dyn Connection,
        client: &Arc<Client>,
        filter: EventFilter,
        numbered: bool,
    ) -> Result<i32> {
        self.attach(driver, client)?;
        let subscription = driver.events().subscribe(&filter)?;
        let known = Subscription { filter, numbered, awake: false };
        lock(&self.state).known.insert(subscription, known);
        Ok(subscription)
    }

    /// Tells the driver, once, where this client's events go.
    fn attach(&self, driver: &dyn Connection, client: &Arc<Client>) -> Result<()> {
        let mut attached = lock(&self.attached);
        if !*attached {
            let client = Arc::downgrade(client);
            driver.events().deliver_to(Box::new(move |subscription, event| {
                if let Some(client) = client.upgrade() {
                    client.session.events.pass_on(&client, subscription, event);
                }
            }))?;
            *attached = true;
        }
        Ok(())
    }

    fn subscribe_older(&self, driver: &dyn Connection, client: &Arc<Client>, id: i32) -> Result<i32> {
        let filter = EventFilter::Domain { id, domain: None };
        refuse_unknown(&filter)?;
        let twice = |known: &Subscription| !known.numbered && known.filter == filter;
        if lock(&self.state).known.values().any(twice) {
            return Err(Error::invalid_argument("event callback already tracked"));
        }
        self.subscribe(driver, client, filter, false)
    }

    fn unsubscribe_older(&self, driver: &dyn Connection, id: i32) -> Result<()> {
        let filter = EventFilter::Domain { id, domain: None };
        let missing = || internal(format!("domain event {id} not registered"));
        self.unsubscribe(driver, |_, known| !known.numbered && known.filter == filter, missing)
    }

    fn unsubscribe(
        &self,
        driver: &dyn Connection,
        meant: impl Fn(i32, &Subscription) -> bool,
        missing: impl Fn() -> Error,
    ) -> Result<()> {
        let found = {
            let state = lock(&self.state);
            let found = state.known.iter().find(|(number, known)| meant(**number, known));
            found.map(|(number, known)| (*number, known.filter.clone()))
        };
        let (subscription, filter) = found.ok_or_else(missing)?;
        // Not under the lock: the driver may be telling us of an event while we ask it.
        driver.events().unsubscribe(&filter, subscription)?;
        let mut state = lock(&self.state);
        state.known.remove(&subscription);
        state.early.retain(|(number, _)| *number != subscription);
        Ok(())
    }

    /// Lets events flow: the client has the answer that names its subscription.
    pub(super) fn activate(&self, client: &Client, subscription: i32) {
        let mut state = lock(&self.state);
        let State { known, early } = &mut *state;
        let Some(known) = known.get_mut(&subscription) else {
            return;
        };
        known.awake = true;
        early.retain(|(number, event)| {
            let ours = *number == subscription;
            if ours {
                send(client, known, subscription, event);
            }
            !ours
        });
    }

    /// Sends an event that the driver delivers. Runs under the driver's locks, so it never waits.
    fn pass_on(&self, client: &Client, subscription: i32, event: Event) {
        let mut state = lock(&self.state);
        match state.known.get(&subscription) {
            Some(known) if known.awake => send(client, known, subscription, &event),
            _ if state.early.len() < EARLY_MAX => state.early.push_back((subscription, event)),
            _ => {}
        }
    }
}

fn send(client: &Client, known: &Subscription, subscription: i32, event: &Event) {
    let message = if known.numbered { Some(encode(subscription, event)) } else { encode_unnumbered(event) };
    if let Some((program, procedure, payload)) = message {
        client.send_message(program, procedure, payload);
    }
}

/// The answer to a registration, after which events flow.
fn tell(subscribed: Result<i32>, encode: impl FnOnce(i32) -> Vec<u8>) -> Answer {
    match subscribed {
        Ok(subscription) => Answer { result: Ok(encode(subscription)), then: Then::WakeEvents(subscription) },
        Err(error) => Err(error).into(),
    }
}

fn internal(what: String) -> Error {
    Error::internal(what).from_origin(ErrorOrigin::RPC)
}

/// Refuses numbers of events that have no message.
fn refuse_unknown(filter: &EventFilter) -> Result<()> {
    let (id, kind, last) = match filter {
        EventFilter::Domain { id, .. } => (*id, "", LAST_DOMAIN_EVENT),
        EventFilter::Network { id, .. } => (*id, "network ", LAST_OBJECT_EVENT),
        EventFilter::Pool { id, .. } => (*id, "storage pool ", LAST_OBJECT_EVENT),
        EventFilter::NodeDevice { id, .. } => (*id, "node device ", LAST_OBJECT_EVENT),
        EventFilter::Secret { id, .. } => (*id, "secret ", LAST_OBJECT_EVENT),
        EventFilter::Monitor { .. } => return Ok(()),
    };
    if (0..=last).contains(&id) { Ok(()) } else { Err(internal(format!("unsupported {kind}event ID {id}"))) }
}

/// What kind of object a deregistration is about.
fn object_name(program: u32, procedure: i32) -> &'static str {
    match (program, procedure) {
        (QEMU_PROGRAM, _) => "qemu monitor",
        (_, CONNECT_NETWORK_EVENT_DEREGISTER_ANY) => "network",
        (_, CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY) => "storage pool",
        (_, CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY) => "node device",
        (_, CONNECT_SECRET_EVENT_DEREGISTER_ANY) => "secret",
        _ => "domain",
    }
}
