//! The store as a layer of the union: whose nodes are asked and changed, and for which domain.

use super::client::Xenstore;
use super::identity::{home, uuid_of_vm};
use super::transaction::Transaction;
use crate::backend::xen::layer::{Layer, LayerKind};
use crate::backend::{DomainGuest, DomainJobs, DomainMonitor, DomainSaving, DomainStreams, Domains};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// The layer.
pub struct XenstoreLayer {
    pub(super) store: Arc<Xenstore>,
    /// Below it are `sys` and `proc`, where the other ends of devices count.
    pub(super) root: PathBuf,
}

impl XenstoreLayer {
    /// The layer over a store.
    pub fn new(store: Arc<Xenstore>) -> XenstoreLayer {
        XenstoreLayer { store, root: Path::new("/").to_path_buf() }
    }

    /// The store, for whoever wants to know more than operations tell.
    pub fn store(&self) -> &Arc<Xenstore> {
        &self.store
    }

    /// The id of a running domain. What the caller remembers of it is a hint and no more.
    pub(super) fn running(&self, domain: &DomainRef) -> Result<u32> {
        let id = self.store.id_of(domain.uuid, domain.id)?;
        id.ok_or_else(not_running)
    }

    /// Changes nodes of a running domain, all or none, after a look in the same transaction that it is this one.
    pub(super) fn change<T>(
        &self,
        domain: &DomainRef,
        mut steps: impl FnMut(&mut Transaction<'_>, &str) -> Result<T>,
    ) -> Result<T> {
        let id = self.running(domain)?;
        let home = home(id);
        self.store.transaction(|transaction| {
            let vm = transaction.read(&format!("{home}/vm"))?;
            let uuid = vm.as_ref().and_then(uuid_of_vm).or((id == 0).then(Uuid::nil));
            if uuid != Some(domain.uuid) {
                return Err(not_running());
            }
            steps(transaction, &home)
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
