//! The driver traits, and the registry that opens a driver by its URI.
//!
//! A driver is a [`Connection`]: a handful of families of operations, each a trait whose rows stand in
//! [`operations`]. Every method has a default that answers with the typed *unsupported*, so a driver implements
//! what it can do and nothing else, and a caller never has to ask first.
//!
//! What all operations promise:
//! - A failure changes nothing, unless the operation's own words say otherwise.
//! - Object references are snapshots: a driver looks an object up by its uuid each time and answers with the
//!   "not found" error of its kind when it is gone. A stale id is never trusted.
//! - What was answered with success survives the death of the process that answered (`test:///` apart, which
//!   lives as long as its connection).
//! - Sizes are KiB for memory, bytes for storage, unless a row says otherwise; times are nanoseconds.
//! - Drivers never print and never ask.

pub mod event_bus;
pub mod helper;
pub mod migration;
pub mod operations;
mod read_only;
pub mod registry;

pub mod qemu;
pub mod remote;
pub mod test;
pub mod xen;

pub use operations::*;
pub use read_only::ReadOnly;

use crate::error::{Error, Result};
use crate::model::constants::DOMAIN_AFFECT_LIVE;
use crate::model::event::{Event, EventFilter};
use crate::model::*;
use std::time::Duration;

/// Families that a driver lacks unless it says otherwise.
macro_rules! lacks {
    ($($(#[$doc:meta])* $getter:ident as $family:ident;)*) => {
        $($(#[$doc])* fn $getter(&self) -> &dyn $family {
            &Absent
        })*
    };
}

/// In a [`Connection`]: the families that it serves itself.
macro_rules! serves {
    ($($getter:ident as $family:ident),* $(,)?) => {
        $(fn $getter(&self) -> &dyn $crate::backend::$family {
            self
        })*
    };
}
pub(crate) use serves;

/// An open connection to a driver.
///
/// All methods may be called from several threads at once.
pub trait Connection: Send + Sync {
    /// Facts about the connection and its node.
    fn host(&self) -> &dyn Host;
    /// Everything about domains.
    fn domains(&self) -> &dyn Domains;

    lacks! {
        /// Snapshots and checkpoints.
        snapshots as Snapshots;
        /// Virtual networks.
        networks as Networks;
        /// Storage pools and volumes.
        storage as Storage;
        /// The host's network interfaces.
        interfaces as Interfaces;
        /// The host's devices.
        node_devices as NodeDevices;
        /// Secrets.
        secrets as Secrets;
        /// Network filters.
        filters as Filters;
        /// Moving the contents of volumes.
        volume_streams as VolumeStreams;
        /// Events.
        events as Events;
    }

    /// What the connection is made of, for people: names and words about each, where there is more than one part.
    fn details(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// What the oldest device calls change, those without flags: running domains, where a driver does not say otherwise.
    fn plain_device_impact(&self) -> u32 {
        DOMAIN_AFFECT_LIVE
    }

    /// Whether the peer is still there; local drivers always are.
    fn is_alive(&self) -> bool {
        true
    }
    /// Whether the transport cannot be overheard (encrypted, or never leaves the machine).
    fn is_secure(&self) -> bool {
        true
    }
    /// Whether the transport is encrypted.
    fn is_encrypted(&self) -> bool {
        false
    }
    /// Watches the peer: after `count` unanswered pings, `interval` apart, the connection counts as broken.
    /// `also_idle`: even while nobody waits for it to answer. Only connections to another process can.
    fn set_keepalive(&self, interval: Duration, count: u32, also_idle: bool) -> Result<()> {
        let _ = (interval, count, also_idle);
        Err(Error::unsupported("virConnectSetKeepAlive"))
    }
}

/// A two-way run of bytes: a console, a screenshot, a volume's contents.
///
/// One thread may send while another receives.
pub trait Stream: Send + Sync {
    /// Sends all of `bytes`.
    fn send(&self, bytes: &[u8]) -> Result<()>;
    /// Sends a hole of so many zero bytes, where the far end can keep one.
    fn send_hole(&self, length: i64) -> Result<()> {
        let _ = length;
        Err(Error::unsupported("virStreamSendHole"))
    }
    /// Waits at most `wait` for bytes (`None`: without limit).
    fn receive(&self, wait: Option<Duration>) -> Result<Received>;
    /// Ends the stream in order; fails if the far end met an error.
    fn finish(&self) -> Result<()>;
    /// Gives the stream up.
    fn abort(&self);
}

/// What [`Stream::receive`] came back with.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// Some bytes, never none.
    Data(Vec<u8>),
    /// A hole of so many zero bytes in a sparse stream.
    Hole(i64),
    /// The far end has sent everything.
    End,
    /// Nothing came in time.
    Nothing,
}

/// Operations on domains that open a [`Stream`].
pub trait DomainStreams: Send + Sync {
    /// Connects to a console or serial device: by alias or target, or the first one (`virDomainOpenConsole`).
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        let _ = (domain, device, flags);
        Err(Error::unsupported("virDomainOpenConsole"))
    }
    /// Connects to a channel device by its target name (`virDomainOpenChannel`).
    fn open_channel(&self, domain: &DomainRef, name: Option<&str>, flags: u32) -> Result<Box<dyn Stream>> {
        let _ = (domain, name, flags);
        Err(Error::unsupported("virDomainOpenChannel"))
    }
    /// Takes a picture of a screen; answers with its MIME type and its bytes (`virDomainScreenshot`).
    fn screenshot(
        &self,
        domain: &DomainRef,
        screen: u32,
        flags: u32,
    ) -> Result<(Option<String>, Box<dyn Stream>)> {
        let _ = (domain, screen, flags);
        Err(Error::unsupported("virDomainScreenshot"))
    }
}

/// Operations on volumes that open a [`Stream`].
pub trait VolumeStreams: Send + Sync {
    /// Reads `length` bytes (zero: to the end) from `offset` (`virStorageVolDownload`).
    fn volume_download(
        &self,
        volume: &VolumeRef,
        offset: u64,
        length: u64,
        flags: u32,
    ) -> Result<Box<dyn Stream>> {
        let _ = (volume, offset, length, flags);
        Err(Error::unsupported("virStorageVolDownload"))
    }
    /// Overwrites `length` bytes (zero: as many as come) from `offset` (`virStorageVolUpload`).
    fn volume_upload(
        &self,
        volume: &VolumeRef,
        offset: u64,
        length: u64,
        flags: u32,
    ) -> Result<Box<dyn Stream>> {
        let _ = (volume, offset, length, flags);
        Err(Error::unsupported("virStorageVolUpload"))
    }
}

/// Watching what happens.
///
/// Events of one object arrive in the order they happened. Those that come before [`Events::subscribe`]
/// returned are not seen; none is lost between it and [`Events::unsubscribe`].
pub trait Events: Send + Sync {
    /// Starts watching; the answer names the subscription in [`Events::next`] and [`Events::unsubscribe`].
    fn subscribe(&self, filter: &EventFilter) -> Result<i32> {
        let _ = filter;
        Err(Error::unsupported("virConnectDomainEventRegisterAny"))
    }
    /// Stops watching.
    fn unsubscribe(&self, filter: &EventFilter, subscription: i32) -> Result<()> {
        let _ = (filter, subscription);
        Err(Error::unsupported("virConnectDomainEventDeregisterAny"))
    }
    /// The next event of any subscription, or `None` when `wait` is over (`None`: no limit).
    fn next(&self, wait: Option<Duration>) -> Result<Option<(i32, Event)>> {
        let _ = wait;
        Err(Error::unsupported("virConnectDomainEventRegisterAny"))
    }
    /// From now on hands every event of this connection's subscriptions to `sink`, and none to [`Events::next`].
    fn deliver_to(&self, sink: EventSink) -> Result<()> {
        let _ = sink;
        Err(Error::unsupported("virConnectDomainEventRegisterAny"))
    }
}

/// Where a driver delivers events by itself. It is called under the driver's locks, so it must neither wait nor call
/// the driver.
pub type EventSink = Box<dyn Fn(i32, Event) + Send + Sync>;

/// A family that a driver does not have: every operation is *unsupported*.
pub struct Absent;

impl DomainStreams for Absent {}
impl VolumeStreams for Absent {}
impl Events for Absent {}

/// Gives [`Absent`] every family.
macro_rules! leave_absent {
    ($(#[$doc:meta])* trait $family:ident in $($rest:tt)*) => {
        impl $family for Absent {}
    };
}
operations::for_each_family!(leave_absent);
