//! The statistics of all domains in one answer: the hypervisor's figures and the counters of devices.

use super::{Directory, Domain, Running, check_flags};
use crate::backend::DomainStats;
use crate::backend::xen::hypervisor::statistics;
use crate::backend::xen::xenstore::device_statistics;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, DomainStatsRecord, MemoryStat, StateReason, TypedParam};

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
            // That it runs is known, and no more; to ask once more for each would tell no more.
            _ if groups & DOMAIN_STATS_STATE != 0 => {
                vec![TypedParam::new("state.state", DOMAIN_NOSTATE), TypedParam::new("state.reason", 0)]
            }
            _ => Vec::new(),
        };
        if let Some(store) = &self.sources.store {
            params.extend(device_statistics(store, running.id, groups)?);
        }
        Ok(params)
    }

    /// What is told of one domain.
    fn record(&self, domain: DomainRef, found: &Domain, groups: u32) -> Result<Option<DomainStatsRecord>> {
        let params = match found {
            Domain::Running(running, _) => match self.statistics_of(running, groups) {
                // One that is gone meanwhile is left out.
                Err(_) if matches!(self.running_with(running.uuid, Some(running.id)), Ok(None)) => {
                    return Ok(None);
                }
                params => params?,
            },
            Domain::Defined(_) if groups & DOMAIN_STATS_STATE == 0 => Vec::new(),
            Domain::Defined(definition) => {
                let StateReason { state, reason } = self.state_at_rest(definition);
                vec![TypedParam::new("state.state", state), TypedParam::new("state.reason", reason)]
            }
        };
        Ok(Some(DomainStatsRecord { domain, params }))
    }
}

impl DomainStats for Directory {
    /// What a domain has, and the most it can have; without the hypervisor the store knows what was wished for.
    fn memory_stats(&self, domain: &DomainRef, flags: u32) -> Result<Vec<MemoryStat>> {
        check_flags(flags, 0, "libxlDomainMemoryStats")?;
        let running = self.must_run(domain)?;
        let Some(figures) = &running.figures else {
            return Err(Error::unsupported("virDomainMemoryStats"));
        };
        let most = self.most_memory(&running)?.unwrap_or_else(|| figures.memory());
        Ok(vec![
            MemoryStat { tag: DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, value: figures.memory() },
            MemoryStat { tag: DOMAIN_MEMORY_STAT_AVAILABLE, value: most },
        ])
    }

    fn all_domain_stats(&self, doms: &[DomainRef], stats: u32, flags: u32) -> Result<Vec<DomainStatsRecord>> {
        if flags & CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS != 0 && stats & !SUPPORTED != 0 {
            let unknown = stats & !SUPPORTED;
            let detail = format!("Stats types bits {unknown:#x} are not supported by this daemon");
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN));
        }
        let groups = if stats == 0 { SUPPORTED } else { stats };
        if doms.is_empty() {
            let chosen = self.chosen(flags & FILTERS)?;
            let record = |domain: &Domain| self.record(domain.reference(), domain, groups).transpose();
            return chosen.iter().filter_map(record).collect();
        }
        let running = self.anonymous()?;
        let mut records = Vec::new();
        for domain in doms {
            let found = match running.iter().find(|running| running.uuid == domain.uuid) {
                Some(running) => Domain::Running(running.clone(), None),
                None => match self.find(domain) {
                    Ok(found) => found,
                    Err(_) => continue,
                },
            };
            records.extend(self.record(domain.clone(), &found, groups)?);
        }
        Ok(records)
    }
}
