//! What of Xen this host has: opened once, lent to every connection.

use super::definitions::Definitions;
use super::directory::{Directory, Sources};
use super::events::EventSource;
use super::hypervisor::{Hypervisor, HypervisorLayer};
use super::layer::{Layer, LayerKind, Missing};
use super::proxy::ProxyLayer;
use super::union::XenConnection;
use super::xend::{self, XendLayer};
use super::xenstore::{Xenstore, XenstoreLayer};
use super::xl::{Toolstack, XlLayer};
use crate::backend::{Connection, ReadOnly};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::uri::Uri;
use nix::unistd::Uid;
use std::path::Path;
use std::sync::Arc;

/// The URI's parameter that leaves out all layers but those it names: `layers=xenstore,xl`.
const LAYERS_PARAMETER: &str = "layers";
/// The layers that can be named.
const NAMED: [LayerKind; 5] =
    [LayerKind::Hypervisor, LayerKind::Xenstore, LayerKind::Xend, LayerKind::Xl, LayerKind::Proxy];

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
    let wanted = wanted_layers(uri)?;
    if Uid::effective().is_root() && wanted != [LayerKind::Proxy] {
        return Ok(guarded(open_as_root(uri, &wanted)?, read_only));
    }
    must_be_xen_host()?;
    let proxy = ProxyLayer::open(&uri.to_string())?;
    Ok(guarded(XenConnection::of(vec![Box::new(proxy)], Vec::new(), None)?, true))
}

/// The layers that the URI names, or all.
fn wanted_layers(uri: &Uri) -> Result<Vec<LayerKind>> {
    let Some(names) = uri.parameter(LAYERS_PARAMETER) else {
        return Ok(NAMED.to_vec());
    };
    let named = |name: &str| {
        NAMED.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = NAMED.map(LayerKind::name).join(", ");
            let detail = format!("no layer is called '{name}'; there are {names}");
            Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
        })
    };
    names.split(',').map(named).collect()
}

fn guarded(connection: XenConnection, read_only: bool) -> Box<dyn Connection> {
    let connection: Box<dyn Connection> = Box::new(connection);
    if read_only { Box::new(ReadOnly::new(connection)) } else { connection }
}

/// Opens one of the layers, if it is wanted; else keeps why it is not there.
fn attempt<T>(
    wanted: &[LayerKind],
    kind: LayerKind,
    missing: &mut Vec<(LayerKind, Error)>,
    open: impl FnOnce() -> Result<T>,
) -> Option<T> {
    let opened = match wanted.contains(&kind) {
        true => open(),
        false => Err(Error::operation_failed("the connection's URI leaves it out")),
    };
    opened.map_err(|reason| missing.push((kind, reason))).ok()
}

/// All layers that this host has.
fn open_as_root(uri: &Uri, wanted: &[LayerKind]) -> Result<XenConnection> {
    let mut missing = Vec::new();
    let xend = attempt(wanted, LayerKind::Xend, &mut missing, || XendLayer::open(uri));
    let mut parts = Parts::open_wanted(false, wanted);
    if xend.is_none() && parts.hypervisor.is_none() && parts.store.is_none() {
        must_be_xen_host()?;
    }
    if !uri.query.is_empty() {
        parts.uri = uri.to_string();
    }
    let mut layers = parts.layers();
    match xend {
        // The toolstack of its time: it knows which domains there are, and the newer one would get in its way.
        Some(xend) => layers.push(Box::new(xend)),
        None => {
            let toolstack = attempt(wanted, LayerKind::Xl, &mut missing, Toolstack::find);
            layers.extend(parts.today(toolstack.map(Arc::new)));
        }
    }
    parts.missing.extend(missing);
    XenConnection::of(layers, parts.missing(), Some(parts.events.open()))
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
    /// What leads here again.
    uri: String,
}

impl Parts {
    /// Opens what there is; `only_reads` by ways that take no changes, where the host has such.
    pub fn open(only_reads: bool) -> Parts {
        Parts::open_wanted(only_reads, &NAMED)
    }

    /// Opens those that are there of the ones that are wanted.
    fn open_wanted(only_reads: bool, wanted: &[LayerKind]) -> Parts {
        let mut missing = Vec::new();
        let hypervisor = attempt(wanted, LayerKind::Hypervisor, &mut missing, Hypervisor::open).map(Arc::new);
        let open = if only_reads { Xenstore::open_read_only } else { Xenstore::open };
        let store = attempt(wanted, LayerKind::Xenstore, &mut missing, open).map(Arc::new);
        // Who gives up its rights cannot read them any more.
        let definitions = (!only_reads).then(Definitions::default);
        let events = EventSource::new(store.clone(), hypervisor.clone(), definitions);
        Parts { hypervisor, store, missing, events, uri: "xen:///system".to_string() }
    }

    /// The directory of domains and, where it is, the layer of today's toolstack.
    fn today(&self, toolstack: Option<Arc<Toolstack>>) -> Vec<Box<dyn Layer>> {
        let directory = Arc::new(Directory::new(Sources {
            hypervisor: self.hypervisor.clone(),
            store: self.store.clone(),
            toolstack: toolstack.clone(),
            definitions: Definitions::default(),
            uri: self.uri.clone(),
        }));
        let mut layers: Vec<Box<dyn Layer>> = vec![Box::new(Arc::clone(&directory))];
        layers.extend(
            toolstack.map(|toolstack| -> Box<dyn Layer> { Box::new(XlLayer::new(toolstack, directory)) }),
        );
        layers
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

    /// A connection over these parts, which starts no other program; fails when there is none.
    pub fn connect(&self) -> Result<XenConnection> {
        let mut layers = self.layers();
        layers.extend(self.today(None));
        XenConnection::of(layers, self.missing(), Some(self.events.open()))
    }
}
