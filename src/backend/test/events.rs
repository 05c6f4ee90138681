//! Telling watchers what happened.

use super::TestConnection;
use crate::backend::{EventSink, Events};
use crate::error::{Error, Result};
use crate::model::DomainRef;
use crate::model::event::{DomainEvent, Event, EventFilter};
use std::time::Duration;

impl TestConnection {
    /// Tells that a domain's life took a turn: a `virDomainEventType` and its detail.
    pub(super) fn tell_lifecycle(&self, domain: &DomainRef, event: i32, detail: i32) {
        self.tell(domain, DomainEvent::Lifecycle { event, detail });
    }

    /// Tells what happened to a domain.
    pub(super) fn tell(&self, domain: &DomainRef, event: DomainEvent) {
        self.bus.publish(&Event::Domain(domain.clone(), event));
    }
}

/// The queue of the bus, less what this driver has nothing to tell of.
impl Events for TestConnection {
    fn subscribe(&self, filter: &EventFilter) -> Result<i32> {
        match filter {
            EventFilter::Secret { .. } => Err(Error::unsupported("virConnectSecretEventRegisterAny")),
            EventFilter::Monitor { .. } => {
                Err(Error::unsupported("virConnectDomainQemuMonitorEventRegister"))
            }
            _ => self.events.subscribe(filter),
        }
    }

    fn unsubscribe(&self, filter: &EventFilter, subscription: i32) -> Result<()> {
        self.events.unsubscribe(filter, subscription)
    }

    fn next(&self, wait: Option<Duration>) -> Result<Option<(i32, Event)>> {
        self.events.next(wait)
    }

    fn deliver_to(&self, sink: EventSink) -> Result<()> {
        self.events.deliver_to(sink)
    }
}
