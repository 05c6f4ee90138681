//! Which domains there are, and what they are called: what only all sources together can answer.
//!
//! Running ones come from the hypervisor (ids, uuids, states), their names from the store in one pipelined read; the
//! others from their files. Nothing is remembered between two questions: an id may be another domain's by then. A
//! domain that vanishes between two reads is left out of a listing, and *not found* where it was asked for.

mod document;
mod listing;
mod lookup;
mod statistics;
#[cfg(test)]
mod tests;
mod vcpus;

use super::definitions::{Definition, Definitions};
use super::hypervisor::{Hypervisor, XenDomain};
use super::layer::{Layer, LayerKind};
use super::xenstore::Xenstore;
use super::xl::Toolstack;
use crate::backend::*;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::{DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_SAVED, DOMAIN_SHUTOFF_UNKNOWN};
use crate::model::{DomainRef, StateReason};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What the control domain is called, whatever the store says.
const CONTROL_DOMAIN: &str = "Domain-0";

/// All sources of this host.
#[derive(Clone, Default)]
pub struct Sources {
    /// The hypervisor.
    pub hypervisor: Option<Arc<Hypervisor>>,
    /// The store.
    pub store: Option<Arc<Xenstore>>,
    /// Today's toolstack.
    pub toolstack: Option<Arc<Toolstack>>,
    /// The files of inactive domains.
    pub definitions: Definitions,
    /// What the connection was opened by.
    pub uri: String,
}

/// The layer that knows which domains there are.
pub struct Directory {
    sources: Sources,
}

/// A domain that runs.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its id.
    pub id: u32,
    /// What identifies it.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// What the hypervisor knows of it, if it was asked.
    pub figures: Option<XenDomain>,
}

/// A domain, running or not.
#[derive(Clone, Debug)]
pub enum Domain {
    /// It runs; its definition, if it has one.
    Running(Running, Option<Definition>),
    /// It does not.
    Defined(Definition),
}

impl Running {
    /// How others name it.
    pub fn reference(&self) -> DomainRef {
        DomainRef { name: self.name.clone(), uuid: self.uuid, id: Some(self.id) }
    }

    /// Whether it is the control domain.
    pub fn is_control(&self) -> bool {
        self.id == 0
    }
}

impl Domain {
    /// How others name it.
    pub fn reference(&self) -> DomainRef {
        match self {
            Domain::Running(running, _) => running.reference(),
            Domain::Defined(definition) => {
                DomainRef { name: definition.name.clone(), uuid: definition.uuid, id: None }
            }
        }
    }
}

/// Whether a guest may be called so: not as the control domain is.
fn is_guests(name: &String) -> bool {
    name != CONTROL_DOMAIN
}

/// The refusal of a domain that does not exist.
fn no_domain(detail: String) -> Error {
    Error::new(ErrorCode::NO_DOMAIN, detail).from_origin(ErrorOrigin::XEN)
}

/// `Requested operation is not valid: …`, from this driver.
pub(super) fn invalid(detail: impl std::fmt::Display) -> Error {
    Error::invalid_operation(detail).from_origin(ErrorOrigin::XEN)
}

/// The refusal of what needs a running domain.
pub(super) fn not_running() -> Error {
    invalid("domain is not running")
}

/// Refuses flags an operation does not know.
pub(super) fn check_flags(flags: u32, known: u32, function: &str) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => {
            let message = format!("unsupported flags (0x{unknown:x}) in function {function}");
            Err(Error { code: ErrorCode::INVALID_ARGUMENT, origin: ErrorOrigin::XEN, message })
        }
    }
}

impl Directory {
    /// The directory of these sources.
    pub fn new(sources: Sources) -> Directory {
        Directory { sources }
    }

    /// The files of inactive domains.
    pub fn definitions(&self) -> &Definitions {
        &self.sources.definitions
    }

    /// The store, where it serves.
    pub fn store(&self) -> Option<&Arc<Xenstore>> {
        self.sources.store.as_ref()
    }

    /// How many CPUs the host has, where the hypervisor can be asked.
    pub fn host_cpus(&self) -> Option<u32> {
        self.sources.hypervisor.as_ref()?.physical().ok().map(|physical| physical.cpus)
    }

    /// All domains that run, by ascending id.
    pub fn running(&self) -> Result<Vec<Running>> {
        if let Some(hypervisor) = &self.sources.hypervisor {
            return self.named(hypervisor.domains()?);
        }
        if let Some(store) = &self.sources.store {
            let (guests, unnamed) = (store.guests()?.into_iter(), self.unnamed());
            let running = |guest: super::xenstore::Identity| {
                let (id, uuid) = (guest.id, guest.uuid?);
                let name = match guest.name {
                    _ if id == 0 => CONTROL_DOMAIN.to_string(),
                    name => name.filter(is_guests).unwrap_or_else(|| unnamed(uuid, id)),
                };
                Some(Running { id, uuid, name, figures: None })
            };
            return Ok(guests.filter_map(running).collect());
        }
        match &self.sources.toolstack {
            Some(toolstack) => toolstack.running(),
            None => Err(Error::unsupported("virConnectListAllDomains")),
        }
    }

    /// All domains that run, for whoever knows them by uuid: where the hypervisor tells, they bear no names.
    fn anonymous(&self) -> Result<Vec<Running>> {
        let Some(hypervisor) = &self.sources.hypervisor else {
            return self.running();
        };
        let nameless = |domain: XenDomain| Running {
            id: domain.id,
            uuid: domain.uuid,
            name: String::new(),
            figures: Some(domain),
        };
        Ok(hypervisor.domains()?.into_iter().map(nameless).collect())
    }

    /// Gives domains their names, all in one round trip to the store.
    fn named(&self, domains: Vec<XenDomain>) -> Result<Vec<Running>> {
        // The control domain's name is known.
        let ids: Vec<u32> = domains.iter().map(|domain| domain.id).filter(|id| *id != 0).collect();
        // Without the store the hypervisor still knows which domains there are.
        let names = self.sources.store.as_ref().and_then(|store| store.names(&ids).ok()).unwrap_or_default();
        let names: HashMap<u32, String> =
            ids.into_iter().zip(names).filter_map(|(id, name)| Some((id, name?))).collect();
        let unnamed = self.unnamed();
        let mut running = Vec::with_capacity(domains.len());
        for domain in domains {
            let name = match (domain.id, names.get(&domain.id).cloned().filter(is_guests)) {
                (0, _) => CONTROL_DOMAIN.to_string(),
                (_, Some(name)) => name,
                // Just coming or just going, and nothing that can be named yet or any more.
                (_, None) if domain.dying => continue,
                (id, None) => unnamed(domain.uuid, id),
            };
            running.push(Running { id: domain.id, uuid: domain.uuid, name, figures: Some(domain) });
        }
        Ok(running)
    }

    /// What domains are called that the store does not name: as their definitions say, which are read once at most.
    fn unnamed(&self) -> impl Fn(Uuid, u32) -> String + '_ {
        let definitions = std::cell::OnceCell::new();
        move |uuid, id| {
            let all: &Vec<Definition> = definitions.get_or_init(|| self.sources.definitions.all());
            let own = all.iter().find(|definition| definition.uuid == uuid);
            own.map_or_else(|| format!("domain-{id}"), |definition| definition.name.clone())
        }
    }

    /// The running domain with this uuid; `hint` is an id it had once.
    pub fn running_with(&self, uuid: Uuid, hint: Option<u32>) -> Result<Option<Running>> {
        if let Some(hypervisor) = &self.sources.hypervisor {
            let found = hypervisor.domain_by_uuid(uuid, hint)?;
            return Ok(self.named(found.into_iter().collect())?.pop());
        }
        Ok(self.running()?.into_iter().rev().find(|running| running.uuid == uuid))
    }

    /// The running domain that a reference means, after a look that its id is still its own.
    pub fn must_run(&self, domain: &DomainRef) -> Result<Running> {
        match self.running_with(domain.uuid, domain.id)? {
            Some(running) => Ok(running),
            None if self.definition_of(domain).is_some() => Err(not_running()),
            None => {
                Err(no_domain(format!("no domain with matching uuid '{}' ({})", domain.uuid, domain.name)))
            }
        }
    }

    /// The most memory a running domain can have, in KiB: what it was made with, or the hypervisor's limit.
    fn most_memory(&self, running: &Running) -> Result<Option<u64>> {
        let made_with = match &self.sources.store {
            // Without an answer of the store the hypervisor's limit has to do.
            Some(store) => {
                store.read(&format!("/local/domain/{}/memory/static-max", running.id)).ok().flatten()
            }
            None => None,
        };
        let limit = || running.figures.as_ref().and_then(XenDomain::max_memory);
        Ok(made_with.and_then(|value| value.number()).or_else(limit))
    }

    /// The state of a domain that does not run; why it does not, only its saved memory can tell.
    fn state_at_rest(&self, definition: &Definition) -> StateReason {
        let is_saved = self.definitions().managed_save(definition.uuid).exists();
        let reason = if is_saved { DOMAIN_SHUTOFF_SAVED } else { DOMAIN_SHUTOFF_UNKNOWN };
        StateReason { state: DOMAIN_SHUTOFF, reason }
    }

    /// The definition of a domain.
    pub fn definition_of(&self, domain: &DomainRef) -> Option<Definition> {
        let all = self.sources.definitions.all();
        // A file without a uuid is known by its name: each start gives its domain a new one.
        let is_it = |definition: &Definition| match definition.says_uuid {
            true => definition.uuid == domain.uuid,
            false => definition.name == domain.name || definition.uuid == domain.uuid,
        };
        all.into_iter().find(is_it)
    }

    /// The domain that a reference means.
    pub fn find(&self, domain: &DomainRef) -> Result<Domain> {
        let definition = self.definition_of(domain);
        match (self.running_with(domain.uuid, domain.id)?, definition) {
            (Some(running), definition) => Ok(Domain::Running(running, definition)),
            (None, Some(definition)) => Ok(Domain::Defined(definition)),
            (None, None) => {
                Err(no_domain(format!("no domain with matching uuid '{}' ({})", domain.uuid, domain.name)))
            }
        }
    }
}

impl Layer for Directory {
    fn kind(&self) -> LayerKind {
        LayerKind::Directory
    }
    fn host(&self) -> &dyn Host {
        self
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
}

impl Host for Directory {
    fn driver_type(&self) -> Result<String> {
        Ok("Xen".to_string())
    }

    fn uri(&self) -> Result<String> {
        Ok(self.sources.uri.clone())
    }

    fn lib_version(&self) -> Result<u64> {
        Ok(crate::model::LIBRARY_VERSION)
    }

    /// A migration is the toolstack's own work: it goes to the other host by itself.
    fn supports_feature(&self, feature: i32) -> Result<bool> {
        use crate::backend::migration::feature::{DIRECT, PARAMETERS, PEER_TO_PEER};
        Ok(self.sources.toolstack.is_some() && [DIRECT, PARAMETERS, PEER_TO_PEER].contains(&feature))
    }

    fn hostname(&self) -> Result<String> {
        crate::host::Node::default().hostname()
    }
}

// What needs no overview is left to those who can do it.
impl DomainDevices for Directory {}
impl DomainJobs for Directory {}
impl DomainGuest for Directory {}
impl DomainMonitor for Directory {}
impl DomainStreams for Directory {}
