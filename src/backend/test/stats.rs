//! Counters of domains, their disks, interfaces, memory and CPUs, made up from the clock.

use super::state::Guest;
use super::*;
use super::{definition, iothreads, lookup};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::xml::Element;

/// How an I/O thread polls until someone changes it: longest nanoseconds, growth, shrinkage.
pub(super) const POLLING: [u64; 3] = [32768, 0, 0];
/// The statistics that can be asked for.
const STATS: u32 = DOMAIN_STATS_STATE | DOMAIN_STATS_IOTHREAD;
/// When the balloon last reported, in seconds since 1970; guests think it is still then.
pub(super) const LONG_AGO: i64 = 627_319_920;
/// Sizes of every disk in bytes: what the guest sees, and what the host gives.
const DISK_SIZES: (u64, u64) = (1_099_506_450_432, 1_099_511_627_776);
/// Nanoseconds of CPU time that every domain has used.
const CPU_TIME: u64 = 48_772_617_035;
/// How many of them, a CPU, the hypervisor spent.
const OVERHEAD: u64 = 1_234_567_890;

/// The place a disk's data lies at.
pub(super) fn source_of(disk: &Element) -> Option<&str> {
    let source = disk.child("source")?;
    ["file", "dev", "dir", "name", "volume"].iter().find_map(|name| source.attribute(name))
}

/// The disk that a target or a source names.
pub(super) fn find_disk<'a>(tree: &'a Element, path: &str) -> Option<&'a Element> {
    let target = |disk: &&Element| disk.child_attribute("target", "dev") == Some(path);
    let source = |disk: &&Element| source_of(disk) == Some(path);
    let mut disks = definition::devices(tree, "disk");
    disks.find(target).or_else(|| definition::devices(tree, "disk").find(source))
}

/// The network interface that a target or a MAC address names.
pub(super) fn find_interface<'a>(tree: &'a Element, device: &str) -> Option<&'a Element> {
    definition::devices(tree, "interface").find(|interface| is_interface(interface, device))
}

/// Whether a target or a MAC address names this network interface.
pub(super) fn is_interface(interface: &Element, device: &str) -> bool {
    let mac = interface.child_attribute("mac", "address");
    interface.child_attribute("target", "dev") == Some(device)
        || mac.is_some_and(|mac| mac.eq_ignore_ascii_case(device))
}

/// The refusal of an interface that a domain does not have.
pub(super) fn unknown_interface(device: &str) -> Error {
    Error::invalid_argument(format!("'{device}' is not a known interface"))
}

/// Microseconds and seconds since 1970, as the signed numbers that counters are.
fn ticks() -> (i64, i64) {
    let (seconds, micros) = now();
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    (signed(seconds * 1_000_000 + micros), signed(seconds))
}

impl DomainStats for TestConnection {
    fn block_stats(&self, domain: &DomainRef, path: &str) -> Result<BlockStats> {
        if path.is_empty() {
            let detail = "summary statistics are not supported yet";
            return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail));
        }
        let state = self.state();
        if find_disk(&state.active(domain)?.current, path).is_none() {
            return Err(Error::invalid_argument(format!("invalid path: {path}")));
        }
        let (micros, seconds) = ticks();
        Ok(BlockStats {
            read_requests: micros / 10,
            read_bytes: micros / 20,
            write_requests: micros / 30,
            write_bytes: micros / 40,
            errors: seconds / 2,
        })
    }

    fn interface_stats(&self, domain: &DomainRef, device: &str) -> Result<InterfaceStats> {
        let state = self.state();
        if find_interface(&state.active(domain)?.current, device).is_none() {
            return Err(unknown_interface(device));
        }
        let (micros, seconds) = ticks();
        Ok(InterfaceStats {
            rx_bytes: micros / 10,
            rx_packets: micros / 100,
            rx_errors: seconds,
            rx_drops: seconds / 2,
            tx_bytes: micros / 20,
            tx_packets: micros / 110,
            tx_errors: seconds / 3,
            tx_drops: seconds / 4,
        })
    }

    fn memory_stats(&self, domain: &DomainRef, flags: u32) -> Result<Vec<MemoryStat>> {
        only_flags(flags, 0, "testDomainMemoryStats")?;
        let state = self.state();
        let guest = state.active(domain)?;
        let balloon = definition::devices(&guest.current, "memballoon").next();
        if balloon.is_none_or(|balloon| balloon.attribute("model") == Some("none")) {
            return Ok(Vec::new());
        }
        let memory = definition::memory(&guest.current);
        let figures = [
            (DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, memory),
            (DOMAIN_MEMORY_STAT_SWAP_IN, 0),
            (DOMAIN_MEMORY_STAT_SWAP_OUT, 0),
            (DOMAIN_MEMORY_STAT_MAJOR_FAULT, 0),
            (DOMAIN_MEMORY_STAT_MINOR_FAULT, 0),
            (DOMAIN_MEMORY_STAT_UNUSED, memory / 2),
            (DOMAIN_MEMORY_STAT_AVAILABLE, memory),
            (DOMAIN_MEMORY_STAT_USABLE, memory / 2),
            (DOMAIN_MEMORY_STAT_LAST_UPDATE, LONG_AGO.unsigned_abs()),
            (DOMAIN_MEMORY_STAT_DISK_CACHES, memory / 8),
            (DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, 0),
            (DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, 0),
            (DOMAIN_MEMORY_STAT_RSS, memory / 2),
        ];
        Ok(figures.map(|(tag, value)| MemoryStat { tag, value }).to_vec())
    }

    fn block_info(&self, domain: &DomainRef, path: &str, flags: u32) -> Result<BlockInfo> {
        only_flags(flags, 0, "testDomainGetBlockInfo")?;
        let state = self.state();
        let Some(disk) = find_disk(&state.guest(domain)?.current, path) else {
            return Err(Error::invalid_argument(format!("invalid path {path} not assigned to domain")));
        };
        if source_of(disk).is_none() && disk.attribute("type") != Some("network") {
            let detail = format!("disk '{path}' does not currently have a source assigned");
            return Err(Error::invalid_argument(detail));
        }
        let (capacity, physical) = DISK_SIZES;
        Ok(BlockInfo { allocation: physical, capacity, physical })
    }

    fn cpu_stats(
        &self,
        domain: &DomainRef,
        nparams: u32,
        start_cpu: i32,
        ncpus: u32,
        flags: u32,
    ) -> Result<(Vec<TypedParam>, i32)> {
        only_flags(flags, TYPED_PARAM_STRING_OKAY, "testDomainGetCPUStats")?;
        let state = self.state();
        let most = u64::from(definition::max_vcpus(&state.active(domain)?.current));
        let Ok(start) = u64::try_from(start_cpu) else {
            let figures =
                [("cpu_time", CPU_TIME), ("user_time", 5_540_000_000), ("system_time", 6_460_000_000)];
            let wanted = if nparams == 0 { 0 } else { figures.len() };
            let params = figures.iter().take(wanted);
            let params = params.map(|(name, value)| TypedParam::new(*name, *value));
            return Ok((params.collect(), figures.len() as i32));
        };
        if nparams == 0 && ncpus == 0 {
            return Ok((Vec::new(), i32::try_from(most).unwrap_or(i32::MAX)));
        }
        if start >= most {
            let detail = format!("start_cpu {start} larger than maximum of {}", most - 1);
            return Err(Error::invalid_argument(detail));
        }
        let end = if nparams == 0 { start } else { most.min(start + u64::from(ncpus)) };
        let params = (start..end).flat_map(|cpu| {
            let time = CPU_TIME / most + cpu;
            [TypedParam::new("cpu_time", time), TypedParam::new("vcpu_time", time - OVERHEAD)]
        });
        Ok((params.collect(), 2))
    }

    fn disk_errors(&self, domain: &DomainRef, flags: u32) -> Result<Vec<DiskError>> {
        only_flags(flags, 0, "testDomainGetDiskErrors")?;
        let state = self.state();
        let guest = state.active(domain)?;
        // Every disk has one, of the two kinds in turn.
        let disks = definition::devices(&guest.current, "disk").enumerate();
        let error = |(at, disk): (usize, &Element)| DiskError {
            disk: disk.child_attribute("target", "dev").unwrap_or_default().to_string(),
            error: [DOMAIN_DISK_ERROR_UNSPEC, DOMAIN_DISK_ERROR_NO_SPACE][at % 2],
        };
        Ok(disks.map(error).collect())
    }

    fn all_domain_stats(&self, doms: &[DomainRef], stats: u32, flags: u32) -> Result<Vec<DomainStatsRecord>> {
        let filters = 0xff;
        let allowed = filters
            | CONNECT_GET_ALL_DOMAINS_STATS_BACKING
            | CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
            | CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS;
        only_flags(flags, allowed, "testConnectGetAllDomainStats")?;
        let unknown = stats & !STATS;
        if unknown != 0 && flags & CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS != 0 {
            let detail = format!("Stats types bits 0x{unknown:x} are not supported by this daemon");
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail));
        }
        let wanted = if stats == 0 { STATS } else { stats };
        let state = self.state();
        let guests: Vec<&Guest> = match doms {
            [] => state.guests.iter().collect(),
            // A domain that has gone in the meantime has no statistics.
            doms => doms.iter().filter_map(|domain| state.guest(domain).ok()).collect(),
        };
        let listed = guests.into_iter().filter(|guest| lookup::is_listed(guest, flags & filters));
        let record =
            |guest: &Guest| DomainStatsRecord { domain: guest.reference(), params: stats_of(guest, wanted) };
        Ok(listed.map(record).collect())
    }
}

fn stats_of(guest: &Guest, wanted: u32) -> Vec<TypedParam> {
    let mut params = Vec::new();
    if wanted & DOMAIN_STATS_STATE != 0 {
        params.push(TypedParam::new("state.state", guest.state.state));
        params.push(TypedParam::new("state.reason", guest.state.reason));
    }
    if wanted & DOMAIN_STATS_IOTHREAD != 0 && guest.is_active() {
        let ids = iothreads::ids(&guest.current);
        if !ids.is_empty() {
            let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            params.push(TypedParam::new("iothread.count", count));
        }
        for id in ids {
            let [longest, growth, shrinkage] = guest.polling.get(&id).copied().unwrap_or(POLLING);
            let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            params.push(TypedParam::new(format!("iothread.{id}.poll-max-ns"), longest));
            params.push(TypedParam::new(format!("iothread.{id}.poll-grow"), narrow(growth)));
            params.push(TypedParam::new(format!("iothread.{id}.poll-shrink"), narrow(shrinkage)));
        }
    }
    params
}
