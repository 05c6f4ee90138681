//! `test:///`: a node in memory, for tests, demonstrations and learning. Strict: it refuses what a real driver would.
//!
//! A node is one `state::State` behind a mutex; every family of operations is a file that locks it, checks
//! everything it wants to check, and only then changes it, so that a failure changes nothing. `default_node`
//! makes the node of `test:///default`, `node_file` the one that a file describes. What a node never needs
//! (its networks, pools, devices) is made when first asked for.

mod bandwidth;
mod bits;
mod blkio;
mod capabilities;
mod cpu_models;
mod cpus;
mod default_node;
mod definition;
mod devices;
mod events;
mod guest;
mod host;
mod interfaces;
mod iothreads;
mod lifecycle;
mod lookup;
mod memory;
mod metadata;
mod moment_documents;
mod moments;
mod network_update;
mod networks;
mod node_devices;
mod node_file;
mod platform;
mod pool_source;
mod pools;
mod saving;
mod screenshot;
mod snapshots;
mod state;
mod stats;
mod storage;
mod throttle;
mod tuning;

use super::*;
use crate::backend::event_bus::{EventBus, EventQueue};
use crate::error::ErrorOrigin;
use crate::model::event;
use crate::uri::Uri;
use state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A node of the test driver; it lives as long as the connection.
pub struct TestConnection {
    uri: String,
    state: Mutex<State>,
    bus: EventBus,
    events: EventQueue,
}

impl TestConnection {
    /// Opens the default node, or the one that a file describes.
    pub fn open(uri: &Uri) -> Result<TestConnection> {
        let state = match uri.path.as_str() {
            "" | "/" => {
                let detail = "testOpen: supply a path or use test:///default";
                return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::TEST));
            }
            "/default" => default_node::state()?,
            path => node_file::state(path)?,
        };
        let bus = EventBus::default();
        let events = bus.watch();
        Ok(TestConnection { uri: uri.to_string(), state: Mutex::new(state), bus, events })
    }

    /// The node's state. No operation panics half way through a change, so a poisoned lock is still good.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection for TestConnection {
    serves!(
        host as Host,
        domains as Domains,
        snapshots as Snapshots,
        networks as Networks,
        interfaces as Interfaces,
        storage as Storage,
        node_devices as NodeDevices,
        secrets as Secrets,
        filters as Filters,
        events as Events
    );
    fn plain_device_impact(&self) -> u32 {
        crate::model::constants::DOMAIN_AFFECT_CURRENT
    }
}

/// The refusal of flags that an operation does not take; `function` is the name under which virsh users know it.
fn only_flags(flags: u32, allowed: u32, function: &str) -> Result<()> {
    match flags & !allowed {
        0 => Ok(()),
        unknown => Err(bare(format!("unsupported flags (0x{unknown:x}) in function {function}"))),
    }
}

/// An *invalid argument* whose message stands without the usual prefix.
fn bare(message: String) -> Error {
    Error { code: crate::error::ErrorCode::INVALID_ARGUMENT, origin: ErrorOrigin::TEST, message }
}

/// Seconds and microseconds since 1970, from which the counters of running things are made.
fn now() -> (u64, u64) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), u64::from(since.subsec_micros()))
}

// What these families have nothing of here.
impl DomainMonitor for TestConnection {}
impl DomainJobs for TestConnection {}

// There are no secrets and filters here; asking for all of them is refused by the name of the older operation
// that counts them, as it always was.
impl Secrets for TestConnection {
    fn list_all_secrets(&self, _flags: u32) -> Result<Vec<SecretRef>> {
        Err(Error::unsupported("virConnectNumOfSecrets"))
    }
}
impl Filters for TestConnection {
    fn list_all_filters(&self, _flags: u32) -> Result<Vec<FilterRef>> {
        Err(Error::unsupported("virConnectNumOfNWFilters"))
    }
}
