//! What is changed in a running domain, and the rest of what tuning asks.

use super::{HypervisorLayer, invalid, only_flags};
use crate::backend::xen::hypervisor::Scheduler;
use crate::backend::{DomainLifecycle, DomainTuning};
use crate::error::{Error, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, ParamValue, TypedParam, VcpuInfo};

impl DomainLifecycle for HypervisorLayer {
    fn suspend(&self, domain: &DomainRef) -> Result<()> {
        self.hypervisor.pause(&self.to_stop(domain)?)
    }

    fn resume(&self, domain: &DomainRef) -> Result<()> {
        self.hypervisor.unpause(&self.to_stop(domain)?)
    }

    /// The toolstack's traces of the domain, its devices' other ends above all, are not swept up here.
    fn destroy(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "virDomainDestroyFlags")?;
        self.hypervisor.destroy(&self.to_stop(domain)?)
    }
}

/// The weight or cap that a parameter asks for.
fn half(param: &TypedParam, least: u64) -> Result<u16> {
    let value =
        param.value.as_u64().filter(|value| *value >= least).and_then(|value| u16::try_from(value).ok());
    value.ok_or_else(|| {
        let detail = format!("{} '{}' is not between {least} and {}", param.name, param.value, u16::MAX);
        Error::invalid_argument(detail)
    })
}

impl DomainTuning for HypervisorLayer {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        self.most_memory(&self.to_read(domain, "virDomainGetMaxMemory")?)
    }

    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        let found = self.to_read(domain, "virDomainGetMaxVcpus")?;
        Ok(i32::try_from(found.vcpus).unwrap_or(i32::MAX))
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        only_flags(flags, DOMAIN_VCPU_LIVE | DOMAIN_VCPU_MAXIMUM, "virDomainGetVcpusFlags")?;
        let found = self.to_read(domain, "virDomainGetVcpusFlags")?;
        let count = if flags & DOMAIN_VCPU_MAXIMUM != 0 { found.vcpus } else { found.online_vcpus };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    fn vcpu_info(&self, domain: &DomainRef, maxinfo: i32, maplen: i32) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        self.read_vcpus(domain, maxinfo, maplen)
    }

    fn vcpu_pin_info(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        self.read_pins(domain, ncpumaps, maplen, flags)
    }

    fn pin_vcpu(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        only_flags(flags, DOMAIN_AFFECT_LIVE, "virDomainPinVcpuFlags")?;
        let found = self.to_change(domain)?;
        if vcpu >= found.vcpus {
            return Err(Error::invalid_argument(format!("vcpu '{vcpu}' is not active")));
        }
        self.hypervisor.set_affinity(&found, vcpu, cpumap)
    }

    fn set_max_memory(&self, domain: &DomainRef, memory: u64) -> Result<()> {
        self.hypervisor.set_max_memory(&self.to_change(domain)?, memory)
    }

    fn scheduler_type(&self, domain: &DomainRef) -> Result<(String, i32)> {
        let found = self.to_read(domain, "virDomainGetSchedulerType")?;
        let scheduler = self.hypervisor.scheduler()?;
        let parameters = self.hypervisor.parameters(&found, scheduler)?;
        let count = parameters.map_or(0, |parameters| super::reads::named(&parameters).len());
        Ok((scheduler.name().to_string(), i32::try_from(count).unwrap_or(0)))
    }

    fn scheduler_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        self.read_parameters(domain, flags)
    }

    fn set_scheduler_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, DOMAIN_AFFECT_LIVE, "virDomainSetSchedulerParametersFlags")?;
        let found = self.to_change(domain)?;
        let scheduler = self.hypervisor.scheduler()?;
        if !matches!(scheduler, Scheduler::Credit | Scheduler::Credit2) {
            return Err(invalid(&format!("parameters of the scheduler {} cannot be set", scheduler.name())));
        }
        let (mut weight, mut cap) = (None, None);
        for param in params {
            match (param.name.as_str(), &param.value) {
                (_, ParamValue::String(_)) => {
                    return Err(Error::invalid_argument(format!("parameter '{}' is no number", param.name)));
                }
                ("weight", _) => weight = Some(half(param, 1)?),
                ("cap", _) => cap = Some(half(param, 0)?),
                (other, _) => {
                    return Err(Error::invalid_argument(format!("parameter '{other}' not supported")));
                }
            }
        }
        self.hypervisor.set_weight(&found, weight, cap)
    }
}
