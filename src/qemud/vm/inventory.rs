//! All domains of one helper: found by uuid, name or id, with the store behind them and the bus for their events.

use super::guest::{Condition, Definition, Guest};
use super::state::Happening;
use crate::backend::event_bus::EventBus;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::event::{DomainEvent, Event};
use crate::qemud::store::Store;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use uuid::Uuid;

/// The domains of one helper.
pub struct Inventory {
    /// Their files.
    pub store: Store,
    /// Where their events go.
    pub bus: EventBus,
    /// Held while a domain is defined, created or renamed, so that no two get one name or uuid.
    pub naming: Mutex<()>,
    table: RwLock<Table>,
    last_id: AtomicU32,
    released: AtomicBool,
}

#[derive(Default)]
struct Table {
    by_uuid: HashMap<Uuid, Arc<Guest>>,
    by_name: HashMap<String, Arc<Guest>>,
}

impl Inventory {
    /// An inventory of everything the store knows that is not active; what cannot be read is logged.
    pub fn open(store: Store, bus: EventBus) -> Result<Inventory> {
        let stored = store.load()?;
        for complaint in &stored.set_aside {
            tracing::error!("UNREADABLE DEFINITION {complaint}");
        }
        let inventory = Inventory {
            store,
            bus,
            naming: Mutex::new(()),
            table: RwLock::default(),
            last_id: AtomicU32::new(0),
            released: AtomicBool::new(false),
        };
        for definition in stored.definitions {
            let guest = Guest::new(definition.uuid, &definition.name);
            {
                let mut condition = guest.lock();
                condition.persistent = Some(Definition::new(&definition.tree));
                condition.autostart = definition.autostart;
                condition.managed_save = definition.managed_save;
            }
            inventory.insert(Arc::new(guest), &definition.name);
        }
        Ok(inventory)
    }

    /// Puts a domain on the table.
    pub fn insert(&self, guest: Arc<Guest>, name: &str) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_name.insert(name.to_string(), guest.clone());
        table.by_uuid.insert(guest.uuid, guest);
    }

    /// Takes a domain off the table.
    pub fn remove(&self, condition: &mut Condition) {
        condition.gone = true;
        let uuid = condition.reference().uuid;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_name.retain(|_, guest| guest.uuid != uuid);
        table.by_uuid.remove(&uuid);
    }

    /// Gives a domain another name on the table.
    pub fn rename(&self, guest: &Arc<Guest>, from: &str, to: &str) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.by_name.remove(from);
        table.by_name.insert(to.to_string(), guest.clone());
    }

    /// All domains, in no order.
    pub fn all(&self) -> Vec<Arc<Guest>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_uuid.values().cloned().collect()
    }

    /// The domain with this uuid.
    pub fn with_uuid(&self, uuid: Uuid) -> Option<Arc<Guest>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_uuid.get(&uuid).cloned()
    }

    /// The domain with this name.
    pub fn with_name(&self, name: &str) -> Option<Arc<Guest>> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.by_name.get(name).cloned()
    }

    /// The active domain with this id.
    pub fn with_id(&self, id: u32) -> Option<Arc<Guest>> {
        self.all().into_iter().find(|guest| guest.lock().reference().id == Some(id))
    }

    /// The domain a client means; a stale name or id in the reference does not matter.
    pub fn find(&self, domain: &DomainRef) -> Result<Arc<Guest>> {
        self.with_uuid(domain.uuid).ok_or_else(|| {
            let detail = format!("no domain with matching uuid '{}' ({})", domain.uuid, domain.name);
            Error::new(ErrorCode::NO_DOMAIN, detail).from_origin(ErrorOrigin::QEMU)
        })
    }

    /// An id no active guest has had under this helper.
    pub fn next_id(&self) -> u32 {
        self.last_id.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Makes sure that no id up to this one is given again.
    pub fn reserve_id(&self, id: u32) {
        self.last_id.fetch_max(id, Ordering::SeqCst);
    }

    /// Tells watchers something about a domain.
    pub fn tell(&self, domain: DomainRef, event: DomainEvent) {
        self.bus.publish(&Event::Domain(domain, event));
    }

    /// Tells watchers of a step in a domain's life.
    pub fn tell_lifecycle(&self, domain: DomainRef, (event, detail): (i32, i32)) {
        self.tell(domain, DomainEvent::Lifecycle { event, detail });
    }

    /// Follows an edge of the state machine, writes the status and tells watchers.
    pub fn follow(&self, condition: &mut Condition, happening: Happening) {
        let reference = condition.reference();
        if let Some(step) = condition.follow(happening) {
            self.write_status(condition);
            if condition.is_active() {
                self.tell_lifecycle(reference, step.event);
            }
        }
    }

    /// Writes what a new helper must know of an active guest. A failure is logged: the guest itself is unharmed.
    pub fn write_status(&self, condition: &Condition) {
        if let Some(status) = condition.status()
            && let Err(error) = self.store.save_status(&status)
        {
            tracing::error!("the status of domain '{}' cannot be written: {error}", status.name);
        }
    }

    /// Lets go of all guests without touching them, as the death of the helper would.
    pub fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        for guest in self.all() {
            if let Some(active) = &guest.lock().active {
                active.monitor.close();
            }
        }
    }

    /// Whether the guests were let go of.
    pub fn is_released(&self) -> bool {
        self.released.load(Ordering::SeqCst)
    }
}
