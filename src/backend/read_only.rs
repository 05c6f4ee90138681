//! The guard of read-only connections: made from the table of operations, so that no write can be forgotten.
//!
//! A local driver opened with `-r` is wrapped in [`ReadOnly`], and so is every client of the helper's read-only
//! socket. Some operations are reads only while certain flags are unset; [`refuse_flags`] knows them.

use super::*;
use crate::error::{Error, ErrorCode};
use crate::model::constants::*;

/// A connection whose writes are refused by name.
pub struct ReadOnly {
    inner: Box<dyn Connection>,
}

impl ReadOnly {
    /// Guards `inner`.
    pub fn new(inner: Box<dyn Connection>) -> ReadOnly {
        ReadOnly { inner }
    }

    pub(super) fn inner(&self) -> &dyn Connection {
        &*self.inner
    }
}

impl Connection for ReadOnly {
    serves!(
        host as Host,
        domains as Domains,
        snapshots as Snapshots,
        networks as Networks,
        storage as Storage,
        interfaces as Interfaces,
        node_devices as NodeDevices,
        secrets as Secrets,
        filters as Filters,
        volume_streams as VolumeStreams
    );
    fn events(&self) -> &dyn Events {
        self.inner.events()
    }
    fn details(&self) -> Vec<(String, String)> {
        self.inner.details()
    }
    fn plain_device_impact(&self) -> u32 {
        self.inner().plain_device_impact()
    }
    fn is_alive(&self) -> bool {
        self.inner.is_alive()
    }
    fn is_secure(&self) -> bool {
        self.inner.is_secure()
    }
    fn is_encrypted(&self) -> bool {
        self.inner.is_encrypted()
    }
    fn set_keepalive(&self, interval: std::time::Duration, count: u32, also_idle: bool) -> Result<()> {
        self.inner.set_keepalive(interval, count, also_idle)
    }
}

impl DomainStreams for ReadOnly {
    fn open_console(&self, _: &DomainRef, _: Option<&str>, _: u32) -> Result<Box<dyn Stream>> {
        Err(Error::read_only("virDomainOpenConsole"))
    }
    fn open_channel(&self, _: &DomainRef, _: Option<&str>, _: u32) -> Result<Box<dyn Stream>> {
        Err(Error::read_only("virDomainOpenChannel"))
    }
    fn screenshot(&self, _: &DomainRef, _: u32, _: u32) -> Result<(Option<String>, Box<dyn Stream>)> {
        Err(Error::read_only("virDomainScreenshot"))
    }
}

impl VolumeStreams for ReadOnly {
    fn volume_download(&self, _: &VolumeRef, _: u64, _: u64, _: u32) -> Result<Box<dyn Stream>> {
        Err(Error::read_only("virStorageVolDownload"))
    }
    fn volume_upload(&self, _: &VolumeRef, _: u64, _: u64, _: u32) -> Result<Box<dyn Stream>> {
        Err(Error::read_only("virStorageVolUpload"))
    }
}

/// Lets the guard look at an argument if it is a plain number.
pub(super) trait Probe {
    /// The number, or zero for anything else.
    fn probe(&self) -> u32 {
        0
    }
}

impl Probe for u32 {
    fn probe(&self) -> u32 {
        *self
    }
}
impl Probe for i32 {}
impl Probe for u64 {}
impl Probe for i64 {}
impl Probe for bool {}
impl Probe for uuid::Uuid {}
impl<T: ?Sized> Probe for &T {}
impl<T> Probe for Option<T> {}

/// Refuses the flags that turn a read into a disclosure of secrets or a question to the guest's agent.
pub(super) fn refuse_flags(function: &str, arguments: &[u32]) -> Result<()> {
    let flags = arguments.last().copied().unwrap_or(0);
    let secure = match function {
        "virDomainGetXMLDesc" => DOMAIN_XML_SECURE | DOMAIN_XML_MIGRATABLE,
        "virDomainManagedSaveGetXMLDesc" => DOMAIN_SAVE_IMAGE_XML_SECURE,
        "virDomainSnapshotGetXMLDesc" => DOMAIN_SNAPSHOT_XML_SECURE,
        "virDomainCheckpointGetXMLDesc" => DOMAIN_CHECKPOINT_XML_SECURE,
        _ => 0,
    };
    if flags & secure != 0 {
        let detail = format!("{function} with secure flag");
        return Err(Error::new(ErrorCode::OPERATION_DENIED, detail));
    }
    let asks_guest = match function {
        "virDomainGetVcpusFlags" => flags & DOMAIN_VCPU_GUEST != 0,
        "virDomainInterfaceAddresses" => arguments.contains(&DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT),
        _ => false,
    };
    if asks_guest { Err(Error::read_only(function)) } else { Ok(()) }
}
