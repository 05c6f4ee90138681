//! The statistics of all domains in one answer: the hypervisor's figures and the counters of devices.

use super::{Directory, Domain, Running};
use crate::backend::DomainStats;
use crate::backend::xen::hypervisor::statistics;
use crate::backend::xen::xenstore::device_statistics;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, DomainStatsRecord, TypedParam};

/// What can be asked for.
const SUPPORTED: u32 = DOMAIN_STATS_STATE
    | DOMAIN_STATS_CPU_TOTAL
    | DOMAIN_STATS_BALLOON
    | DOMAIN_STATS_VCPU
    | DOMAIN_STATS_INTERFACE
    | DOMAIN_STATS_BLOCK;
/// The flags that choose domains, as those of a listing; the others say how to answer.
const FILTERS: u32 = 0xff;

impl Directory {
    fn statistics_of(&self, running: &Running, groups: u32) -> Result<Vec<TypedParam>> {
        let mut params = match (&self.sources.hypervisor, &running.figures) {
            (Some(hypervisor), Some(figures)) => statistics(hypervisor, figures, groups)?,
            _ => Vec::new(),
        };
        if let Some(store) = &self.sources.store {
            params.extend(device_statistics(store, running.id, groups)?);
        }
        Ok(params)
    }
}

impl DomainStats for Directory {
    fn all_domain_stats(&self, doms: &[DomainRef], stats: u32, flags: u32) -> Result<Vec<DomainStatsRecord>> {
        if flags & CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS != 0 && stats & !SUPPORTED != 0 {
            let unknown = stats & !SUPPORTED;
            let detail = format!("Stats types bits {unknown:#x} are not supported by this daemon");
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN));
        }
        let groups = if stats == 0 { SUPPORTED } else { stats };
        let listed = if doms.is_empty() { self.listed(flags & FILTERS)? } else { doms.to_vec() };
        let running = self.running()?;
        let mut records = Vec::new();
        for domain in listed {
            let params = match running.iter().find(|running| running.uuid == domain.uuid) {
                Some(running) => self.statistics_of(running, groups)?,
                // One that is gone meanwhile is left out.
                None if !matches!(self.find(&domain), Ok(Domain::Defined(_))) => continue,
                None if groups & DOMAIN_STATS_STATE == 0 => Vec::new(),
                None => {
                    let (state, reason) = (DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_UNKNOWN);
                    vec![TypedParam::new("state.state", state), TypedParam::new("state.reason", reason)]
                }
            };
            records.push(DomainStatsRecord { domain, params });
        }
        Ok(records)
    }
}
