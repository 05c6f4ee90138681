//! Watching over the wire: subscriptions are the peer's, the queue of what arrived is the connection's.

use super::RemoteConnection;
use crate::backend::Events;
use crate::error::Result;
use crate::model::event::{Event, EventFilter};
use crate::rpc::events::{decode, deregistration, registration};
use crate::rpc::xdr::from_bytes;
use std::time::{Duration, Instant};

impl Events for RemoteConnection {
    fn subscribe(&self, filter: &EventFilter) -> Result<i32> {
        let mut answers = self.call_many(vec![registration(filter)])?;
        match answers.pop() {
            Some(answer) => from_bytes(&answer?),
            None => Err(crate::error::Error::internal("a call has no answer")),
        }
    }

    fn unsubscribe(&self, filter: &EventFilter, subscription: i32) -> Result<()> {
        let answers = self.call_many(vec![deregistration(filter, subscription)])?;
        answers.into_iter().try_for_each(|answer| answer.map(|_| ()))
    }

    fn next(&self, wait: Option<Duration>) -> Result<Option<(i32, Event)>> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        loop {
            let Some(frame) = self.channel.wait(deadline, |state| state.messages.pop_front())? else {
                return Ok(None);
            };
            // Messages of kinds that this release does not know are no reason to stop watching.
            if let Some(event) = decode(&frame)? {
                return Ok(Some(event));
            }
        }
    }
}
