//! The QEMU driver: the driver traits over the guests of one helper, a file a family.
//!
//! [`QemuDriver`] is the helper's one shared state; each client gets a [`QemuConnection`] of its own.

mod block;
mod blueprint;
mod change;
mod devices;
mod guest_agent;
mod guest_facts;
mod host;
mod hotplug;
mod interface_addresses;
mod iothreads;
mod jobs;
mod keys;
mod lifecycle;
mod lookup;
mod metadata;
mod monitor;
mod native;
mod pinning;
mod platform;
mod pluggable;
mod saving;
mod starting;
mod stats;
mod stats_all;
mod streams;
mod tuning;

use crate::backend::event_bus::{EventBus, EventQueue};
use crate::backend::{Connection, Events, serves};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::qemud::store::{Paths, Store};
use crate::qemud::vm::adopt;
use crate::qemud::vm::guest::Guest;
use crate::qemud::vm::inventory::Inventory;
use crate::server::ConnectionFactory;
use crate::server::access::Peer;
use crate::uri::Uri;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// The guests of one helper, and all who serve them.
#[derive(Clone)]
pub struct QemuDriver {
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    inventory: Arc<Inventory>,
    /// Whether this is the system's driver rather than a user's.
    system: bool,
    consoles: streams::Consoles,
}

/// One client's view of the driver.
pub struct QemuConnection {
    shared: Arc<Shared>,
    uri: String,
    events: EventQueue,
    /// Guests that end with this connection.
    autodestroy: Mutex<Vec<Uuid>>,
}

impl QemuDriver {
    /// Reads the store, takes over what runs, and answers when all is settled.
    pub fn open(paths: Paths, system: bool) -> Result<QemuDriver> {
        let inventory = Arc::new(Inventory::open(Store::open(paths)?, EventBus::default())?);
        adopt::adopt_all(&inventory);
        let consoles = streams::Consoles::default();
        let shared = Arc::new(Shared { inventory, system, consoles });
        Ok(QemuDriver { shared })
    }

    /// Starts the domains that are marked so, once while the host is up. Returns at once.
    pub fn autostart(&self) {
        let mark = self.shared.inventory.store.paths.runtime.join("autostarted");
        if mark.exists() {
            return;
        }
        if let Err(error) = std::fs::write(&mark, "") {
            tracing::error!("cannot create '{}': {error}", mark.display());
        }
        let connection = self.connect(self.default_uri());
        let body = move || connection.start_marked();
        if let Err(error) = std::thread::Builder::new().name("autostart".to_string()).spawn(body) {
            tracing::error!("no thread to start domains in: {error}");
        }
    }

    /// A connection for a client.
    pub fn connect(&self, uri: &str) -> QemuConnection {
        QemuConnection {
            shared: self.shared.clone(),
            uri: uri.to_string(),
            events: self.shared.inventory.bus.watch(),
            autodestroy: Mutex::default(),
        }
    }

    /// Lets go of all guests, which run on.
    pub fn release(&self) {
        self.shared.inventory.release();
    }

    /// The URI of this driver.
    fn default_uri(&self) -> &'static str {
        if self.shared.system { "qemu:///system" } else { "qemu:///session" }
    }
}

impl ConnectionFactory for QemuDriver {
    fn open(&self, uri: &Uri, _read_only: bool, _peer: &Peer) -> Result<Box<dyn Connection>> {
        let ours = self.default_uri();
        if uri.scheme != "qemu" {
            return Err(Error::new(crate::error::ErrorCode::NO_CONNECT, uri.to_string()));
        }
        let wanted = if self.shared.system { "/system" } else { "/session" };
        if !uri.path.is_empty() && uri.path != wanted {
            return Err(uri.unexpected_path(ours).from_origin(ErrorOrigin::QEMU));
        }
        Ok(Box::new(self.connect(ours)))
    }

    fn is_idle(&self) -> bool {
        let guests = self.shared.inventory.all();
        guests.iter().all(|guest| guest.lock().active.is_none())
    }
}

impl QemuConnection {
    fn inventory(&self) -> &Arc<Inventory> {
        &self.shared.inventory
    }

    fn find(&self, domain: &DomainRef) -> Result<Arc<Guest>> {
        self.inventory().find(domain)
    }

    /// Ends the guests that were to end with this connection.
    fn end_autodestroyed(&self) {
        let doomed = std::mem::take(&mut *self.autodestroy.lock().unwrap_or_else(PoisonError::into_inner));
        for guest in doomed.iter().filter_map(|uuid| self.inventory().with_uuid(*uuid)) {
            let marked = guest.lock().active.as_ref().is_some_and(|active| active.autodestroy);
            if marked
                && let Err(error) = crate::qemud::vm::stop::stop(
                    &guest,
                    crate::model::constants::DOMAIN_SHUTOFF_DESTROYED,
                    false,
                )
            {
                tracing::error!("a guest that was to end with its connection did not: {error}");
            }
        }
    }
}

impl Drop for QemuConnection {
    fn drop(&mut self) {
        self.end_autodestroyed();
    }
}

impl Connection for QemuConnection {
    serves!(host as Host, domains as Domains);
    fn events(&self) -> &dyn Events {
        &self.events
    }
}

/// Refuses flags an operation does not know, as libvirt words it.
fn check_flags(flags: u32, known: u32, function: &str) -> Result<()> {
    let unknown = flags & !known;
    if unknown == 0 {
        return Ok(());
    }
    // The driver's own function is the one that refuses.
    let function = function.replacen("vir", "qemu", 1);
    let detail = format!("unsupported flags ({unknown:#x}) in function {function}");
    let error = Error::invalid_argument(&detail).from_origin(ErrorOrigin::QEMU);
    Err(Error { message: detail, ..error })
}

/// `Requested operation is not valid: …`, from this driver.
fn invalid(detail: impl std::fmt::Display) -> Error {
    Error::invalid_operation(detail).from_origin(ErrorOrigin::QEMU)
}
