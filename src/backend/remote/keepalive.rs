//! Pings that tell a silent peer from a dead one.

use super::RemoteConnection;
use super::channel::Channel;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::rpc::frame::REMOTE_PROGRAM;
use crate::rpc::procedure::{CONNECT_SUPPORTS_FEATURE, FEATURE_KEEPALIVE, KEEPALIVE_PING};
use crate::rpc::xdr::{Writer, Xdr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The watcher needs little: it sleeps, pings and reads.
const STACK: usize = 128 * 1024;

impl RemoteConnection {
    /// Starts watching the peer; it ends with the connection.
    pub(super) fn start_keepalive(&self, interval: Duration, count: u32) -> Result<()> {
        if interval.is_zero() {
            return Ok(());
        }
        let mut feature = Writer::default();
        FEATURE_KEEPALIVE.encode(&mut feature);
        let supported: i32 = self.call(REMOTE_PROGRAM, CONNECT_SUPPORTS_FEATURE, feature)?;
        if supported == 0 {
            let what = "the daemon does not support keepalive";
            return Err(Error::operation_failed(what).from_origin(ErrorOrigin::RPC));
        }
        let channel = Arc::downgrade(&self.channel);
        std::thread::Builder::new()
            .name("keepalive".to_string())
            .stack_size(STACK)
            .spawn(move || watch(&channel, interval, count))
            .map_err(|cause| Error::system("Cannot start a thread", &cause))?;
        Ok(())
    }
}

/// Pings while nothing is heard. Between pings it reads, so that the peer's own pings are answered while the
/// user sits at the prompt.
fn watch(channel: &Weak<Channel>, interval: Duration, count: u32) {
    let mut unanswered = 0;
    loop {
        // Held for a second at most, so that a dropped connection closes soon.
        let Some(channel) = channel.upgrade() else { return };
        if channel.state().failure.is_some() {
            return;
        }
        let silent = channel.state().heard.elapsed();
        if silent < interval {
            unanswered = 0;
        } else if silent >= interval * (unanswered + 1) {
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
