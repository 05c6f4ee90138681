//! What is read about a running domain.

use super::{HypervisorLayer, only_flags};
use crate::backend::DomainLookup;
use crate::backend::xen::hypervisor::{Parameters, XenDomain, XenVcpu};
use crate::error::Result;
use crate::model::constants::*;
use crate::model::{DomainInfo, DomainRef, StateReason, TypedParam, VcpuInfo};

impl DomainLookup for HypervisorLayer {
    fn info(&self, domain: &DomainRef) -> Result<DomainInfo> {
        let found = self.to_read(domain, "virDomainGetInfo")?;
        Ok(DomainInfo {
            state: u8::try_from(found.state().state).unwrap_or(0),
            max_memory: self.most_memory(&found)?,
            memory: found.memory(),
            vcpus: u16::try_from(found.online_vcpus).unwrap_or(u16::MAX),
            cpu_time: found.cpu_time,
        })
    }

    fn state(&self, domain: &DomainRef, flags: u32) -> Result<StateReason> {
        only_flags(flags, 0, "virDomainGetState")?;
        Ok(self.to_read(domain, "virDomainGetState")?.state())
    }
}

/// The state of a virtual CPU by its number (`virVcpuState`).
pub(super) fn vcpu_state(vcpu: &XenVcpu) -> i32 {
    match vcpu {
        XenVcpu { online: false, .. } => 0,
        XenVcpu { blocked: true, running: false, .. } => 2,
        _ => 1,
    }
}

impl HypervisorLayer {
    /// The most memory of a domain in KiB; that of the host where the domain has no limit.
    pub(super) fn most_memory(&self, domain: &XenDomain) -> Result<u64> {
        match domain.max_memory() {
            Some(memory) => Ok(memory),
            None => Ok(self.hypervisor.physical()?.total_pages.saturating_mul(4)),
        }
    }

    /// What [`DomainTuning::vcpu_info`](crate::backend::DomainTuning::vcpu_info) answers.
    pub(super) fn read_vcpus(
        &self,
        domain: &DomainRef,
        maxinfo: i32,
        maplen: i32,
    ) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        let found = self.to_read(domain, "virDomainGetVcpus")?;
        let wanted = usize::try_from(maxinfo).unwrap_or(0);
        let vcpus: Vec<XenVcpu> =
            self.hypervisor.vcpus(&found)?.into_iter().filter(|vcpu| vcpu.online).take(wanted).collect();
        let mut maps = Vec::new();
        for vcpu in vcpus.iter().filter(|_| maplen > 0) {
            maps.extend(self.map(&found, vcpu.number, maplen)?);
        }
        let info = |vcpu: &XenVcpu| VcpuInfo {
            number: vcpu.number,
            state: vcpu_state(vcpu),
            cpu_time: vcpu.cpu_time,
            cpu: i32::try_from(vcpu.cpu).unwrap_or(-1),
        };
        Ok((vcpus.iter().map(info).collect(), maps))
    }

    /// What [`DomainTuning::vcpu_pin_info`](crate::backend::DomainTuning::vcpu_pin_info) answers.
    pub(super) fn read_pins(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        only_flags(flags, DOMAIN_AFFECT_LIVE, "virDomainGetVcpuPinInfo")?;
        let found = self.to_read(domain, "virDomainGetVcpuPinInfo")?;
        let count = found.vcpus.min(u32::try_from(ncpumaps).unwrap_or(0));
        let mut maps = Vec::new();
        for vcpu in 0..count {
            maps.extend(self.map(&found, vcpu, maplen)?);
        }
        Ok((maps, i32::try_from(count).unwrap_or(0)))
    }

    /// The CPUs that a virtual CPU may use, in a map of `maplen` bytes.
    fn map(&self, domain: &XenDomain, vcpu: u32, maplen: i32) -> Result<Vec<u8>> {
        let length = usize::try_from(maplen).unwrap_or(0);
        let mut map = self.hypervisor.affinity(domain, vcpu, self.hypervisor.physical()?.cpus)?;
        map.resize(length, 0);
        Ok(map)
    }

    /// What [`DomainTuning::scheduler_parameters`](crate::backend::DomainTuning::scheduler_parameters) answers.
    pub(super) fn read_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        let known = DOMAIN_AFFECT_LIVE | TYPED_PARAM_STRING_OKAY;
        only_flags(flags, known, "virDomainGetSchedulerParametersFlags")?;
        let found = self.to_read(domain, "virDomainGetSchedulerParametersFlags")?;
        let scheduler = self.hypervisor.scheduler()?;
        Ok(match self.hypervisor.parameters(&found, scheduler)? {
            None => Vec::new(),
            Some(parameters) => named(&parameters),
        })
    }
}

/// The parameters by their names.
pub(super) fn named(parameters: &Parameters) -> Vec<TypedParam> {
    match *parameters {
        Parameters::Weighted { weight, cap } => {
            let weight = TypedParam::new("weight", u32::from(weight));
            let cap = cap.map(|cap| TypedParam::new("cap", u32::from(cap)));
            std::iter::once(weight).chain(cap).collect()
        }
        Parameters::RealTime { period, budget, extra } => vec![
            TypedParam::new("period", period),
            TypedParam::new("budget", budget),
            TypedParam::new("extratime", extra),
        ],
        Parameters::Deadline { period, slice, latency, extra, weight } => vec![
            TypedParam::new("period", period),
            TypedParam::new("slice", slice),
            TypedParam::new("latency", latency),
            TypedParam::new("extratime", extra),
            TypedParam::new("weight", weight),
        ],
    }
}
