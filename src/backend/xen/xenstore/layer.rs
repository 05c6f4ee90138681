//! The store as a layer of the union: whose nodes are asked and changed, and for which domain.

use super::client::Xenstore;
use super::identity::{home, uuid_of_vm};
use super::transaction::Transaction;
use crate::backend::xen::hypervisor::Hypervisor;
use crate::backend::xen::layer::{Layer, LayerKind};
use crate::backend::{DomainGuest, DomainJobs, DomainMonitor, DomainSaving, DomainStreams, Domains};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use std::sync::Arc;
use uuid::Uuid;

/// The layer.
pub struct XenstoreLayer {
    pub(super) store: Arc<Xenstore>,
    /// Knows better than the store which domain an id stands for.
    hypervisor: Option<Arc<Hypervisor>>,
}

impl XenstoreLayer {
    /// The layer over a store. With a hypervisor it does not have to believe the store which domain is which.
    pub fn new(store: Arc<Xenstore>, hypervisor: Option<Arc<Hypervisor>>) -> XenstoreLayer {
        XenstoreLayer { store, hypervisor }
    }

    /// The store, for whoever wants to know more than operations tell.
    pub fn store(&self) -> &Arc<Xenstore> {
        &self.store
    }

    /// The id of a running domain. What the caller remembers of it is a hint and no more.
    fn id_of(&self, domain: &DomainRef) -> Result<Option<u32>> {
        match &self.hypervisor {
            Some(hypervisor) => {
                let found = hypervisor.domain_by_uuid(domain.uuid, domain.id)?;
                Ok(found.map(|found| found.id))
            }
            None => self.store.id_of(domain.uuid, domain.id),
        }
    }

    /// The id of a domain to be read, or *unsupported* by the operation's public name if it does not run.
    pub(super) fn to_read(&self, domain: &DomainRef, operation: &'static str) -> Result<u32> {
        self.id_of(domain)?.ok_or_else(|| Error::unsupported(operation))
    }

    /// Changes nodes of a running domain, all or none, after a look in the same transaction that it is this one.
    pub(super) fn change<T>(
        &self,
        domain: &DomainRef,
        mut steps: impl FnMut(&mut Transaction<'_>, u32) -> Result<T>,
    ) -> Result<T> {
        let id = self.id_of(domain)?.ok_or_else(not_running)?;
        let home = home(id);
        self.store.transaction(|transaction| {
            let is_there = match &self.hypervisor {
                // Its word on the uuid is newer than the transaction is old; what is left to see is the folder.
                Some(_) => transaction.read(&home)?.is_some(),
                None => {
                    let vm = transaction.read(&format!("{home}/vm"))?;
                    let uuid = vm.as_ref().and_then(uuid_of_vm).or((id == 0).then(Uuid::nil));
                    uuid == Some(domain.uuid)
                }
            };
            if is_there { steps(transaction, id) } else { Err(not_running()) }
        })
    }
}

/// The error for a domain that does not run (any more).
pub(super) fn not_running() -> Error {
    invalid("domain is not running")
}

/// The error for what does not fit the domain's state.
pub(super) fn invalid(what: &str) -> Error {
    Error::invalid_operation(what).from_origin(ErrorOrigin::XEN)
}

impl Layer for XenstoreLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::Xenstore
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
}

impl DomainGuest for XenstoreLayer {}
impl DomainJobs for XenstoreLayer {}
impl DomainMonitor for XenstoreLayer {}
impl DomainSaving for XenstoreLayer {}
impl DomainStreams for XenstoreLayer {}
impl crate::backend::DomainDevices for XenstoreLayer {}
impl crate::backend::DomainLookup for XenstoreLayer {}
