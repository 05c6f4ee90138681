//! Telling watchers what happened.

use super::TestConnection;
use crate::model::DomainRef;
use crate::model::event::{DomainEvent, Event};

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
