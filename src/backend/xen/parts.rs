//! What of Xen this host has: opened once, lent to every connection.

use super::events::EventSource;
use super::hypervisor::{Hypervisor, HypervisorLayer};
use super::layer::{Layer, LayerKind, Missing};
use super::proxy::ProxyLayer;
use super::union::XenConnection;
use super::xend::{self, XendLayer};
use super::xenstore::{Xenstore, XenstoreLayer};
use crate::backend::{Connection, ReadOnly};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::uri::Uri;
use nix::unistd::Uid;
use std::path::Path;
use std::sync::Arc;

/// Opens this host's Xen: root by itself, everybody else through the proxy.
pub fn open(uri: &Uri, read_only: bool) -> Result<Box<dyn Connection>> {
    if !matches!(uri.path.as_str(), "" | "/" | "/system") {
        return Err(uri.unexpected_path("xen:///system").from_origin(ErrorOrigin::XEN));
    }
    if uri.parameter(xend::ADDRESS_PARAMETER).is_some() {
        // A xend that is named is meant alone: it may be another host's.
        let xend = XendLayer::open(uri)?;
        return Ok(guarded(XenConnection::of(vec![Box::new(xend)], Vec::new(), None)?, read_only));
    }
    if Uid::effective().is_root() {
        return Ok(guarded(open_as_root(uri)?, read_only));
    }
    must_be_xen_host()?;
    let proxy = ProxyLayer::open(&uri.to_string())?;
    Ok(guarded(XenConnection::of(vec![Box::new(proxy)], Vec::new(), None)?, true))
}

fn guarded(connection: XenConnection, read_only: bool) -> Box<dyn Connection> {
    let connection: Box<dyn Connection> = Box::new(connection);
    if read_only { Box::new(ReadOnly::new(connection)) } else { connection }
}

/// All layers that this host has.
fn open_as_root(uri: &Uri) -> Result<XenConnection> {
    let xend = XendLayer::open(uri);
    if xend.is_err() {
        must_be_xen_host()?;
    }
    let parts = Parts::open(false);
    let (mut layers, mut missing) = (parts.layers(), parts.missing());
    match xend {
        Ok(layer) => layers.push(Box::new(layer)),
        Err(reason) => missing.push(Missing { kind: LayerKind::Xend, reason }),
    }
    XenConnection::of(layers, missing, Some(parts.events.open()))
}

/// Says at once and plainly what most failures would come down to.
fn must_be_xen_host() -> Result<()> {
    let doors = ["/dev/xen/privcmd", "/proc/xen/privcmd", "/proc/xen/capabilities"];
    if doors.iter().any(|door| Path::new(door).exists()) {
        return Ok(());
    }
    let what = "/dev/xen/privcmd: no such file: not a Xen host?";
    Err(Error::new(ErrorCode::NO_XEN, what).from_origin(ErrorOrigin::XEN))
}

/// What was opened, and what could not be.
pub struct Parts {
    hypervisor: Option<Arc<Hypervisor>>,
    store: Option<Arc<Xenstore>>,
    missing: Vec<(LayerKind, Error)>,
    events: EventSource,
}

impl Parts {
    /// Opens what there is; `only_reads` by ways that take no changes, where the host has such.
    pub fn open(only_reads: bool) -> Parts {
        let mut missing = Vec::new();
        let hypervisor = Hypervisor::open().map_err(|error| missing.push((LayerKind::Hypervisor, error)));
        let store = if only_reads { Xenstore::open_read_only() } else { Xenstore::open() };
        let store = store.map_err(|error| missing.push((LayerKind::Xenstore, error)));
        let (hypervisor, store) = (hypervisor.ok().map(Arc::new), store.ok().map(Arc::new));
        let events = EventSource::new(store.clone(), hypervisor.clone());
        Parts { hypervisor, store, missing, events }
    }

    /// Opens what events will need, for a process that gives up the right to open it later.
    pub fn prepare_events(&self) -> Result<()> {
        self.events.prepare()
    }

    /// Whether what was opened still answers.
    pub fn is_alive(&self) -> bool {
        self.store.as_ref().is_none_or(|store| store.is_alive())
    }

    /// The layers over these parts.
    fn layers(&self) -> Vec<Box<dyn Layer>> {
        let mut layers: Vec<Box<dyn Layer>> = Vec::new();
        if let Some(hypervisor) = &self.hypervisor {
            layers.push(Box::new(HypervisorLayer::new(Arc::clone(hypervisor))));
        }
        if let Some(store) = &self.store {
            layers.push(Box::new(XenstoreLayer::new(Arc::clone(store), self.hypervisor.clone())));
        }
        layers
    }

    /// What could not be opened.
    fn missing(&self) -> Vec<Missing> {
        let missing = self.missing.iter();
        missing.map(|(kind, reason)| Missing { kind: *kind, reason: reason.clone() }).collect()
    }

    /// A connection over these parts; fails when there is none.
    pub fn connect(&self) -> Result<XenConnection> {
        XenConnection::of(self.layers(), self.missing(), Some(self.events.open()))
    }
}
