//! Events of a Xen host: nobody sends them, so whoever watches compares what there was with what there is.
//!
//! The store says at once that a domain came or went; whether one was paused only the hypervisor knows, and it is
//! asked once a second as long as somebody watches, as are the times of the files of definitions.

mod compare;
mod shelf;

use super::definitions::Definitions;
use super::hypervisor::Hypervisor;
use super::xenstore::{Watcher, Xenstore};
use crate::backend::EventSink;
use crate::backend::Events;
use crate::backend::event_bus::{EventBus, EventQueue};
use crate::error::{Error, Result};
use crate::model::event::{Event, EventFilter};
use compare::{Census, Resident};
use shelf::Shelf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How often the hypervisor is asked without being told to.
const TICK: Duration = Duration::from_secs(1);
/// The special nodes that change when a domain comes or goes.
const SIGNALS: [&str; 2] = ["@introduceDomain", "@releaseDomain"];
/// Signals taken in together; a storm of them must not keep us from comparing.
const SIGNALS_MAX: usize = 1024;

/// Watches a host for all its connections in this process.
#[derive(Clone)]
pub struct EventSource {
    inner: Arc<Inner>,
}

struct Inner {
    store: Option<Arc<Xenstore>>,
    hypervisor: Option<Arc<Hypervisor>>,
    /// The files of definitions, if we may read them.
    definitions: Option<Definitions>,
    bus: EventBus,
    state: Mutex<State>,
}

/// What is needed to begin.
enum State {
    /// Nobody has watched yet; the connection to the store may be open already.
    Waiting(Option<Watcher>),
    Watching,
}

/// One connection's view of the events.
pub struct XenEvents {
    source: EventSource,
    queue: EventQueue,
}

impl EventSource {
    /// A source that begins when somebody subscribes. It needs one of the two; both tell most.
    pub fn new(
        store: Option<Arc<Xenstore>>,
        hypervisor: Option<Arc<Hypervisor>>,
        definitions: Option<Definitions>,
    ) -> EventSource {
        let state = Mutex::new(State::Waiting(None));
        let bus = EventBus::default();
        EventSource { inner: Arc::new(Inner { store, hypervisor, definitions, bus, state }) }
    }

    /// Opens what watching will need, for a process that gives up the right to open it later.
    pub fn prepare(&self) -> Result<()> {
        let watcher = self.inner.store.as_ref().map(|store| store.watcher()).transpose()?;
        *self.inner.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Waiting(watcher);
        Ok(())
    }

    /// A view for one connection.
    pub fn open(&self) -> XenEvents {
        XenEvents { source: self.clone(), queue: self.inner.bus.watch() }
    }

    /// Begins to watch if nobody has yet: what happens from now on is seen.
    fn begin(&self) -> Result<()> {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Waiting(prepared) = &mut *state else {
            return Ok(());
        };
        if self.inner.store.is_none() && self.inner.hypervisor.is_none() {
            return Err(Error::unsupported("virConnectDomainEventRegisterAny"));
        }
        let watcher = match prepared.take() {
            Some(watcher) => Some(watcher),
            None => self.inner.store.as_ref().and_then(|store| store.watcher().ok()),
        };
        let watcher = watcher.and_then(with_signals);
        let mut census = Census::default();
        census.compare(self.inner.residents()?, Instant::now(), |ids| self.inner.names(ids));
        let shelf = self.inner.definitions.clone().map(Shelf::new);
        let inner = Arc::downgrade(&self.inner);
        let thread = std::thread::Builder::new().name("events".to_string()).stack_size(256 * 1024);
        thread
            .spawn(move || watch(&inner, watcher, census, shelf))
            .map_err(|cause| Error::system("cannot start a thread", &cause))?;
        *state = State::Watching;
        Ok(())
    }
}

/// Sets the watches; `None` when the store does not let us.
fn with_signals(mut watcher: Watcher) -> Option<Watcher> {
    let set = SIGNALS.iter().try_for_each(|signal| watcher.watch(signal, signal));
    set.ok().map(|()| watcher)
}

/// Compares and publishes until nobody holds the source any more.
fn watch(inner: &Weak<Inner>, mut watcher: Option<Watcher>, mut census: Census, mut shelf: Option<Shelf>) {
    loop {
        let lost = match &mut watcher {
            Some(watcher) => wait(watcher).is_err(),
            None => {
                std::thread::sleep(TICK);
                false
            }
        };
        let Some(inner) = inner.upgrade() else { return };
        if lost || watcher.is_none() {
            // The daemon may be started anew; until then the hypervisor alone tells.
            watcher = inner.store.as_ref().and_then(|store| store.watcher().ok()).and_then(with_signals);
        }
        // A look that fails tells nothing; the next one will.
        if let Ok(residents) = inner.residents() {
            for event in census.compare(residents, Instant::now(), |ids| inner.names(ids)) {
                inner.bus.publish(&event);
            }
        }
        for event in shelf.iter_mut().flat_map(Shelf::look) {
            inner.bus.publish(&event);
        }
    }
}

/// Waits for a signal or a tick, and takes in what signals came with it.
fn wait(watcher: &mut Watcher) -> Result<()> {
    if watcher.next(Some(TICK))?.is_some() {
        for _ in 0..SIGNALS_MAX {
            if watcher.next(Some(Duration::ZERO))?.is_none() {
                break;
            }
        }
    }
    Ok(())
}

impl Inner {
    /// Who is there now.
    fn residents(&self) -> Result<Vec<Resident>> {
        if let Some(hypervisor) = &self.hypervisor {
            return Ok(hypervisor.domains()?.into_iter().map(Resident::from).collect());
        }
        let Some(store) = &self.store else {
            return Ok(Vec::new());
        };
        let guests = store.guests()?.into_iter();
        Ok(guests.filter_map(|guest| Some(Resident::new(guest.id, guest.uuid?))).collect())
    }

    /// What domains are called; without the store nobody knows.
    fn names(&self, ids: &[u32]) -> Vec<Option<String>> {
        let named = self.store.as_ref().and_then(|store| store.names(ids).ok());
        named.unwrap_or_else(|| vec![None; ids.len()])
    }
}

impl Events for XenEvents {
    fn subscribe(&self, filter: &EventFilter) -> Result<i32> {
        if !matches!(filter, EventFilter::Domain { .. }) {
            return Err(Error::unsupported("virConnectDomainEventRegisterAny"));
        }
        self.source.begin()?;
        self.queue.subscribe(filter)
    }
    fn unsubscribe(&self, filter: &EventFilter, subscription: i32) -> Result<()> {
        self.queue.unsubscribe(filter, subscription)
    }
    fn next(&self, wait: Option<Duration>) -> Result<Option<(i32, Event)>> {
        self.queue.next(wait)
    }
    fn deliver_to(&self, sink: EventSink) -> Result<()> {
        self.queue.deliver_to(sink)
    }
}
