//! Statistics of running domains, by the names that scripts know.

use super::reads::vcpu_state;
use super::{HypervisorLayer, only_flags};
use crate::backend::DomainStats;
use crate::backend::xen::hypervisor::{Hypervisor, XenDomain};
use crate::error::{Error, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, DomainStatsRecord, TypedParam};

/// The groups of statistics that a hypervisor knows.
pub const GROUPS: u32 =
    DOMAIN_STATS_STATE | DOMAIN_STATS_CPU_TOTAL | DOMAIN_STATS_BALLOON | DOMAIN_STATS_VCPU;

/// What the hypervisor knows of the groups `groups` (`DOMAIN_STATS_…`; zero: of all) of a domain.
pub fn statistics(hypervisor: &Hypervisor, domain: &XenDomain, groups: u32) -> Result<Vec<TypedParam>> {
    let wanted = |group| groups == 0 || groups & group != 0;
    let mut params = Vec::new();
    if wanted(DOMAIN_STATS_STATE) {
        let state = domain.state();
        params.push(TypedParam::new("state.state", state.state));
        params.push(TypedParam::new("state.reason", state.reason));
    }
    if wanted(DOMAIN_STATS_CPU_TOTAL) {
        params.push(TypedParam::new("cpu.time", domain.cpu_time));
    }
    if wanted(DOMAIN_STATS_BALLOON) {
        params.push(TypedParam::new("balloon.current", domain.memory()));
        params.extend(domain.max_memory().map(|memory| TypedParam::new("balloon.maximum", memory)));
    }
    if wanted(DOMAIN_STATS_VCPU) {
        params.push(TypedParam::new("vcpu.current", domain.online_vcpus));
        params.push(TypedParam::new("vcpu.maximum", domain.vcpus));
        for vcpu in hypervisor.vcpus(domain)?.iter().filter(|vcpu| vcpu.online) {
            params.push(TypedParam::new(format!("vcpu.{}.state", vcpu.number), vcpu_state(vcpu)));
            params.push(TypedParam::new(format!("vcpu.{}.time", vcpu.number), vcpu.cpu_time));
        }
    }
    Ok(params)
}

impl DomainStats for HypervisorLayer {
    /// Of the domains that are named; which ones there are, and what they are called, others know.
    fn all_domain_stats(&self, doms: &[DomainRef], stats: u32, flags: u32) -> Result<Vec<DomainStatsRecord>> {
        const NAME: &str = "virConnectGetAllDomainStats";
        let enforced = flags & CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS != 0;
        if doms.is_empty() || (enforced && stats & !GROUPS != 0) {
            return Err(Error::unsupported(NAME));
        }
        let running = self.hypervisor.domains()?;
        let mut records = Vec::new();
        for domain in doms {
            let Some(found) = running.iter().find(|found| found.uuid == domain.uuid) else { continue };
            let params = statistics(&self.hypervisor, found, stats)?;
            records.push(DomainStatsRecord { domain: domain.clone(), params });
        }
        Ok(records)
    }

    /// The time of each virtual CPU in place of the host's: which of those it spent it on, the hypervisor does not keep.
    fn cpu_stats(
        &self,
        domain: &DomainRef,
        nparams: u32,
        start_cpu: i32,
        ncpus: u32,
        flags: u32,
    ) -> Result<(Vec<TypedParam>, i32)> {
        only_flags(flags, TYPED_PARAM_STRING_OKAY, "virDomainGetCPUStats")?;
        let found = self.to_read(domain, "virDomainGetCPUStats")?;
        let time = |time: u64| TypedParam::new("cpu_time", time);
        let Ok(start) = u32::try_from(start_cpu) else {
            let params = if nparams == 0 { Vec::new() } else { vec![time(found.cpu_time)] };
            return Ok((params, 1));
        };
        if nparams == 0 && ncpus == 0 {
            return Ok((Vec::new(), i32::try_from(found.vcpus).unwrap_or(i32::MAX)));
        }
        if start >= found.vcpus {
            let most = found.vcpus.saturating_sub(1);
            return Err(Error::invalid_argument(format!("start_cpu {start} larger than maximum of {most}")));
        }
        if nparams == 0 {
            return Ok((Vec::new(), 1));
        }
        let vcpus = self.hypervisor.vcpus(&found)?;
        let of = |number| vcpus.iter().find(|vcpu| vcpu.number == number).map_or(0, |vcpu| vcpu.cpu_time);
        let end = found.vcpus.min(start.saturating_add(ncpus));
        Ok(((start..end).map(|number| time(of(number))).collect(), 1))
    }
}
