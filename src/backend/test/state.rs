//! What a node is: its domains, its facts, and the questions every family asks of them.

use super::definition;
use super::interfaces::InterfaceSet;
use super::moments::Moments;
use super::networks::NetworkSet;
use super::node_devices::DeviceSet;
use super::pools::PoolSet;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, NodeInfo, StateReason};
use crate::xml::Element;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Everything a node has.
pub(super) struct State {
    /// The node's hardware.
    pub node: NodeInfo,
    /// Its NUMA cells, which only the default node has.
    pub cells: &'static [Cell],
    /// The id that the next domain to start gets.
    pub next_id: u32,
    /// The domains in the order they came.
    pub guests: Vec<Guest>,
    /// The virtual networks.
    pub networks: NetworkSet,
    /// The network interfaces.
    pub interfaces: InterfaceSet,
    /// The storage pools.
    pub pools: PoolSet,
    /// The devices.
    pub devices: DeviceSet,
}

/// A NUMA cell: its memory and the sizes of pages it has, all in KiB.
pub(super) struct Cell {
    /// All memory.
    pub memory: u64,
    /// The sizes of its pages and how many of each there are.
    pub pages: &'static [(u32, u64)],
}

/// A domain.
pub(super) struct Guest {
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
    /// Its id while it is active.
    pub id: Option<u32>,
    /// Its state and why.
    pub state: StateReason,
    /// Whether it survives being stopped.
    pub persistent: bool,
    /// Whether it starts with the node.
    pub autostart: bool,
    /// Whether its memory is kept for its next start.
    pub managed_save: bool,
    /// What runs, or what is defined while nothing runs.
    pub current: Element,
    /// What a persistent active domain will be when it starts next.
    pub next: Option<Element>,
    /// Whether the guest's `/` and `/boot` are frozen.
    pub frozen: [bool; 2],
    /// The polling of I/O threads where it was changed: longest, growth, shrinkage.
    pub polling: BTreeMap<u32, [u64; 3]>,
    /// Its clock, which stands still: seconds since 1970 and nanoseconds.
    pub clock: (i64, u32),
    /// Its snapshots.
    pub snapshots: Moments,
    /// Its checkpoints.
    pub checkpoints: Moments,
}

impl Guest {
    /// A domain that is defined and off.
    pub fn defined(tree: Element) -> Guest {
        Guest {
            name: definition::name_of(&tree),
            uuid: definition::uuid_of(&tree).unwrap_or_default(),
            id: None,
            state: state(DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_UNKNOWN),
            persistent: true,
            autostart: false,
            managed_save: false,
            current: tree,
            next: None,
            frozen: [false; 2],
            polling: BTreeMap::new(),
            clock: super::guest::CLOCK,
            snapshots: Moments::default(),
            checkpoints: Moments::default(),
        }
    }

    /// How clients name it.
    pub fn reference(&self) -> DomainRef {
        DomainRef { name: self.name.clone(), uuid: self.uuid, id: self.id }
    }

    /// Whether it runs, is paused, or anything else but off.
    pub fn is_active(&self) -> bool {
        self.id.is_some()
    }

    /// Refuses a domain that is off.
    pub fn expect_active(&self) -> Result<()> {
        match self.is_active() {
            true => Ok(()),
            false => Err(Error::invalid_operation("domain is not running")),
        }
    }

    /// How many snapshots it has.
    pub fn snapshot_count(&self) -> usize {
        self.snapshots.count()
    }

    /// Whether it has snapshots.
    pub fn has_snapshots(&self) -> bool {
        self.snapshot_count() > 0
    }

    /// Whether it has checkpoints.
    pub fn has_checkpoints(&self) -> bool {
        self.checkpoints.count() > 0
    }

    /// What a stopped domain would start as.
    pub fn persistent_definition(&self) -> &Element {
        self.next.as_ref().unwrap_or(&self.current)
    }

    /// Which definition flags of `virDomainModificationImpact` mean, for reading: at most one.
    pub fn chosen(&self, flags: u32) -> Result<&Element> {
        exclusive_impact(flags)?;
        let (_, config) = self.impact(flags)?;
        Ok(if config { self.persistent_definition() } else { &self.current })
    }

    /// What flags of `virDomainModificationImpact` reach: the running domain, its definition, or both.
    pub fn impact(&self, flags: u32) -> Result<(bool, bool)> {
        let (mut live, mut config) = (flags & DOMAIN_AFFECT_LIVE != 0, flags & DOMAIN_AFFECT_CONFIG != 0);
        if !live && !config {
            (live, config) = (self.is_active(), !self.is_active());
        }
        if live {
            self.expect_active()?;
        }
        if config && !self.persistent {
            let detail = "transient domains do not have any persistent config";
            return Err(Error::invalid_operation(detail));
        }
        Ok((live, config))
    }

    /// The definitions that flags reach, to be changed.
    pub fn affected(&mut self, flags: u32) -> Result<Vec<&mut Element>> {
        let (live, config) = self.impact(flags)?;
        if !self.is_active() {
            return Ok(vec![&mut self.current]);
        }
        let Guest { current, next, .. } = self;
        let mut affected = Vec::with_capacity(2);
        if live {
            affected.push(current);
        }
        if config {
            affected.extend(next.as_mut());
        }
        Ok(affected)
    }

    /// Makes it active.
    pub fn start(&mut self, id: u32, reason: i32) {
        self.id = Some(id);
        self.state = state(DOMAIN_RUNNING, reason);
        if self.persistent && self.next.is_none() {
            self.next = Some(self.current.clone());
        }
    }

    /// Makes it inactive; what was changed only while it ran is forgotten.
    pub fn stop(&mut self, reason: i32) {
        self.id = None;
        self.state = state(DOMAIN_SHUTOFF, reason);
        if let Some(next) = self.next.take() {
            self.current = next;
        }
        self.frozen = [false; 2];
        self.polling.clear();
    }
}

/// Refuses to read two definitions at once.
pub(super) fn exclusive_impact(flags: u32) -> Result<()> {
    let both = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
    if flags & both != both {
        return Ok(());
    }
    let message = "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive";
    Err(super::bare(message.to_string()))
}

/// A state and its reason.
pub(super) fn state(state: i32, reason: i32) -> StateReason {
    StateReason { state, reason }
}

impl State {
    /// A node without domains.
    pub fn new(node: NodeInfo, cells: &'static [Cell]) -> State {
        State {
            node,
            cells,
            next_id: 1,
            guests: Vec::new(),
            networks: NetworkSet::default(),
            interfaces: InterfaceSet::default(),
            pools: PoolSet::default(),
            devices: DeviceSet::default(),
        }
    }

    fn position(&self, domain: &DomainRef) -> Result<usize> {
        let found = self.guests.iter().position(|guest| guest.uuid == domain.uuid);
        found.ok_or_else(|| {
            let detail = format!("no domain with matching uuid '{}' ({})", domain.uuid, domain.name);
            Error::new(ErrorCode::NO_DOMAIN, detail)
        })
    }

    /// The domain a reference names.
    pub fn guest(&self, domain: &DomainRef) -> Result<&Guest> {
        self.position(domain).map(|at| &self.guests[at])
    }

    /// The domain a reference names, to be changed.
    pub fn guest_mut(&mut self, domain: &DomainRef) -> Result<&mut Guest> {
        self.position(domain).map(|at| &mut self.guests[at])
    }

    /// The domain a reference names, which must be active.
    pub fn active(&self, domain: &DomainRef) -> Result<&Guest> {
        let guest = self.guest(domain)?;
        guest.expect_active()?;
        Ok(guest)
    }

    /// The same, to be changed.
    pub fn active_mut(&mut self, domain: &DomainRef) -> Result<&mut Guest> {
        let guest = self.guest_mut(domain)?;
        guest.expect_active()?;
        Ok(guest)
    }

    /// An id that no domain had before.
    pub fn take_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// Starts a domain as `tree` says: a new, transient one, or one that is defined, whose definition comes back
    /// when it stops.
    pub fn start_as(&mut self, tree: Element, reason: i32) -> Result<DomainRef> {
        let (name, uuid) = (definition::name_of(&tree), definition::uuid_of(&tree).unwrap_or_default());
        let replaced = self.check_identity(&name, uuid, true)?;
        let id = self.take_id();
        let guest = match replaced {
            Some(at) => {
                let guest = &mut self.guests[at];
                guest.next = Some(std::mem::replace(&mut guest.current, tree));
                guest
            }
            None => {
                let mut guest = Guest::defined(tree);
                guest.persistent = false;
                self.guests.push(guest);
                let last = self.guests.len() - 1;
                &mut self.guests[last]
            }
        };
        guest.start(id, reason);
        Ok(guest.reference())
    }

    /// Drops a domain that is neither active nor persistent.
    pub fn forget_if_gone(&mut self, uuid: Uuid) {
        self.guests.retain(|guest| guest.uuid != uuid || guest.persistent || guest.is_active());
    }

    /// Whether a new definition may take its name and uuid: they must be free, or both belong to one domain.
    /// Answers with the domain it would replace.
    pub fn check_identity(&self, name: &str, uuid: Uuid, refuse_active: bool) -> Result<Option<usize>> {
        if let Some(at) = self.guests.iter().position(|guest| guest.uuid == uuid) {
            let guest = &self.guests[at];
            if guest.name != name {
                let detail = format!("domain '{}' is already defined with uuid {uuid}", guest.name);
                return Err(Error::operation_failed(detail));
            }
            if refuse_active && guest.is_active() {
                let detail = format!("domain '{name}' is already active");
                return Err(Error::invalid_operation(detail));
            }
            return Ok(Some(at));
        }
        match self.guests.iter().find(|guest| guest.name == name) {
            Some(guest) => {
                let detail = format!("domain '{name}' already exists with uuid {}", guest.uuid);
                Err(Error::operation_failed(detail))
            }
            None => Ok(None),
        }
    }
}
