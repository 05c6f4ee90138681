//! Pings that tell a silent peer from a dead one.

use super::RemoteConnection;
use super::channel::Channel;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::rpc::frame::REMOTE_PROGRAM;
use crate::rpc::procedure::{CONNECT_SUPPORTS_FEATURE, FEATURE_KEEPALIVE, KEEPALIVE_PING};
use crate::rpc::xdr::{from_bytes, to_bytes};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The watcher needs little: it sleeps, pings and reads.
const STACK: usize = 128 * 1024;

/// A watch over the peer that is yet to begin.
///
/// A connection that is shorter than the first interval pays nothing for it: the peer is asked to take part only
/// then, and from then on it pings too, so somebody must always read.
pub(super) struct Watch {
    /// When it begins.
    pub(super) begins: Instant,
    interval: Duration,
    count: u32,
}

impl Watch {
    /// Watches from a thread of its own until the connection ends.
    pub(super) fn start(self, channel: Arc<Channel>) -> Result<()> {
        let body = move || {
            let pause = self.begins.saturating_duration_since(Instant::now());
            if channel.lives_on(pause) && takes_part(&channel) {
                watch(&channel, self.interval, self.count);
            }
        };
        let thread = std::thread::Builder::new().name("keepalive".to_string()).stack_size(STACK);
        let started = thread.spawn(body);
        started.map_err(|cause| Error::system("Cannot start a thread", &cause)).map(|_| ())
    }
}

impl RemoteConnection {
    /// Watches the peer. Unless `also_idle`, it costs not even a thread before a call has taken that long.
    pub(super) fn start_keepalive(&self, interval: Duration, count: u32, also_idle: bool) -> Result<()> {
        if interval.is_zero() {
            return Ok(());
        }
        let watch = Watch { begins: Instant::now() + interval, interval, count };
        if also_idle {
            return watch.start(Arc::clone(&self.channel));
        }
        self.channel.state().later_watch = Some(watch);
        Ok(())
    }
}

/// Asks the peer whether it answers pings.
fn takes_part(channel: &Channel) -> bool {
    let question = (REMOTE_PROGRAM, CONNECT_SUPPORTS_FEATURE, to_bytes(&FEATURE_KEEPALIVE));
    let answers = channel.call_all(vec![question]);
    let answer = answers.ok().and_then(|mut answers| answers.pop()?.ok());
    answer.is_some_and(|answer| from_bytes::<bool>(&answer).unwrap_or(false))
}

/// Pings while nothing is heard. Between pings it reads, so that the peer's own pings are answered while the
/// user sits at the prompt.
fn watch(channel: &Channel, interval: Duration, count: u32) {
    let mut unanswered = 0;
    let mut last_heard = Instant::now();
    loop {
        let heard = {
            let state = channel.state();
            if state.failure.is_some() {
                return;
            }
            state.heard
        };
        if heard != last_heard {
            (unanswered, last_heard) = (0, heard);
        }
        if heard.elapsed() >= interval * (unanswered + 1) {
            if unanswered >= count {
                channel.fail(timed_out());
                return;
            }
            unanswered += 1;
            if channel.send_keepalive(KEEPALIVE_PING).is_err() {
                return;
            }
        }
        let next = Instant::now() + interval.min(Duration::from_secs(1));
        let _ = channel.wait(Some(next), |_| None::<()>);
    }
}

fn timed_out() -> Error {
    Error::new(ErrorCode::INTERNAL, "connection closed due to keepalive timeout")
        .from_origin(ErrorOrigin::RPC)
}
