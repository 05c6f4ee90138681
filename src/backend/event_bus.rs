//! Hands events from a driver to all who watch: every watcher has its own queue and its own subscriptions.

use super::{EventSink, Events};
use crate::error::{Error, Result};
use crate::model::event::{Event, EventFilter};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Events that a watcher may leave unread; beyond that the oldest go, so that a sleeper costs bounded memory.
const BACKLOG_MAX: usize = 16 * 1024;

/// Where a driver publishes. Clones publish to the same watchers.
#[derive(Clone, Default)]
pub struct EventBus {
    watchers: Arc<Mutex<Vec<Weak<Watcher>>>>,
}

/// One connection's view of the bus.
#[derive(Default)]
pub struct EventQueue {
    watcher: Arc<Watcher>,
}

#[derive(Default)]
struct Watcher {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    last_subscription: i32,
    subscriptions: Vec<(i32, EventFilter)>,
    waiting: VecDeque<(i32, Event)>,
    sink: Option<EventSink>,
}

/// A panic elsewhere cannot leave these lists half changed, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EventBus {
    /// Opens a queue that sees every event published from now on, once it has subscriptions.
    pub fn watch(&self) -> EventQueue {
        let queue = EventQueue::default();
        let mut watchers = lock(&self.watchers);
        watchers.retain(|watcher| watcher.strong_count() > 0);
        watchers.push(Arc::downgrade(&queue.watcher));
        queue
    }

    /// Tells every watcher whose subscriptions match.
    pub fn publish(&self, event: &Event) {
        for watcher in lock(&self.watchers).iter().filter_map(Weak::upgrade) {
            watcher.deliver(event);
        }
    }
}

impl Watcher {
    fn deliver(&self, event: &Event) {
        let mut state = lock(&self.state);
        let State { subscriptions, waiting, sink, .. } = &mut *state;
        let matching = subscriptions.iter().filter(|(_, filter)| filter.matches(event));
        if let Some(sink) = sink {
            matching.for_each(|(subscription, _)| sink(*subscription, event.clone()));
            return;
        }
        waiting.extend(matching.map(|(subscription, _)| (*subscription, event.clone())));
        let excess = waiting.len().saturating_sub(BACKLOG_MAX);
        waiting.drain(..excess);
        self.arrived.notify_all();
    }
}

impl Events for EventQueue {
    fn subscribe(&self, filter: &EventFilter) -> Result<i32> {
        let mut state = lock(&self.watcher.state);
        state.last_subscription += 1;
        let subscription = state.last_subscription;
        state.subscriptions.push((subscription, filter.clone()));
        Ok(subscription)
    }

    fn unsubscribe(&self, _filter: &EventFilter, subscription: i32) -> Result<()> {
        let mut state = lock(&self.watcher.state);
        let before = state.subscriptions.len();
        state.subscriptions.retain(|(known, _)| *known != subscription);
        if state.subscriptions.len() == before {
            return Err(Error::invalid_argument(format!("no event callback has the id {subscription}")));
        }
        state.waiting.retain(|(known, _)| *known != subscription);
        Ok(())
    }

    fn deliver_to(&self, sink: EventSink) -> Result<()> {
        let mut state = lock(&self.watcher.state);
        for (subscription, event) in state.waiting.drain(..) {
            sink(subscription, event);
        }
        state.sink = Some(sink);
        Ok(())
    }

    fn next(&self, wait: Option<Duration>) -> Result<Option<(i32, Event)>> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        let mut state = lock(&self.watcher.state);
        loop {
            if let Some(event) = state.waiting.pop_front() {
                return Ok(Some(event));
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            state = match left {
                Some(Duration::ZERO) => return Ok(None),
                Some(left) => {
                    self.watcher.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.watcher.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DomainRef;
    use crate::model::event::DomainEvent;

    fn event(name: &str) -> Event {
        let domain = DomainRef { name: name.to_string(), uuid: uuid::Uuid::nil(), id: None };
        Event::Domain(domain, DomainEvent::Reboot)
    }

    #[test]
    fn only_subscribers_see_what_they_asked_for() {
        let bus = EventBus::default();
        let queue = bus.watch();
        bus.publish(&event("before"));
        let filter = EventFilter::Domain { id: 1, domain: None };
        let subscription = queue.subscribe(&filter).unwrap();
        bus.publish(&event("after"));
        assert_eq!(queue.next(None).unwrap(), Some((subscription, event("after"))));
        queue.unsubscribe(&filter, subscription).unwrap();
        bus.publish(&event("late"));
        assert_eq!(queue.next(Some(Duration::ZERO)).unwrap(), None);
    }
}
