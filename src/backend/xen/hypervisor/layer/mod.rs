//! The hypervisor as a layer of the union: the operations that hypercalls can serve.
//!
//! A domain is found by its uuid each time. What runs not is none of the hypervisor's business: a question about
//! it is *unsupported*, so that another layer is asked, and a change is not valid.

mod capabilities;
mod changes;
mod domain_capabilities;
mod host;
mod reads;
mod stats;

pub use stats::statistics;

use super::{Hypervisor, XenDomain};
use crate::backend::xen::layer::{Layer, LayerKind};
use crate::backend::{
    DomainDevices, DomainGuest, DomainJobs, DomainMonitor, DomainSaving, DomainStreams, Domains, Host,
};
use crate::error::{Error, ErrorOrigin, Result};
use crate::host::Node;
use crate::model::DomainRef;
use std::sync::Arc;

/// The layer over an open hypervisor.
pub struct HypervisorLayer {
    hypervisor: Arc<Hypervisor>,
    /// The control domain's own host: its name, its firmware files.
    node: Node,
}

impl HypervisorLayer {
    /// The layer over `hypervisor`.
    pub fn new(hypervisor: Arc<Hypervisor>) -> HypervisorLayer {
        HypervisorLayer { hypervisor, node: Node::default() }
    }

    /// The hypervisor, for whoever wants to know more than operations tell.
    pub fn hypervisor(&self) -> &Arc<Hypervisor> {
        &self.hypervisor
    }

    /// The domain as it is now, or *unsupported* by the operation's public name if it does not run.
    fn to_read(&self, domain: &DomainRef, operation: &'static str) -> Result<XenDomain> {
        let found = self.hypervisor.domain_by_uuid(domain.uuid, domain.id)?;
        found.ok_or_else(|| Error::unsupported(operation))
    }

    /// The domain as it is now, if it runs.
    fn to_change(&self, domain: &DomainRef) -> Result<XenDomain> {
        let found = self.hypervisor.domain_by_uuid(domain.uuid, domain.id)?;
        found.ok_or_else(|| invalid("domain is not running"))
    }

    /// The domain as it is now, if it runs and is not the one that we run in.
    fn to_stop(&self, domain: &DomainRef) -> Result<XenDomain> {
        let found = self.to_change(domain)?;
        if found.id == 0 {
            return Err(invalid(&format!("{} does not support requested operation", domain.name)));
        }
        Ok(found)
    }
}

/// The error for what does not fit the domain's state.
fn invalid(what: &str) -> Error {
    Error::invalid_operation(what).from_origin(ErrorOrigin::XEN)
}

/// Refuses flags that an operation does not know here; another layer may.
fn only_flags(flags: u32, known: u32, operation: &'static str) -> Result<()> {
    if flags & !known == 0 { Ok(()) } else { Err(Error::unsupported(operation)) }
}

impl Layer for HypervisorLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::Hypervisor
    }
    fn host(&self) -> &dyn Host {
        self
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
}

impl DomainDevices for HypervisorLayer {}
impl DomainGuest for HypervisorLayer {}
impl DomainJobs for HypervisorLayer {}
impl DomainMonitor for HypervisorLayer {}
impl DomainSaving for HypervisorLayer {}
impl DomainStreams for HypervisorLayer {}
