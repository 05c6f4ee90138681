//! What passed through a domain's disks and interfaces, as the other ends in this host's kernel count it.

use super::client::Xenstore;
use super::devices::{BackEnd, Disk, Interface};
use super::identity::home;
use super::layer::{XenstoreLayer, invalid};
use crate::backend::DomainStats;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::{
    DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, DOMAIN_MEMORY_STAT_AVAILABLE, DOMAIN_STATS_BLOCK,
    DOMAIN_STATS_INTERFACE,
};
use crate::model::{BlockStats, DomainRef, InterfaceStats, MemoryStat, TypedParam};
use std::path::{Path, PathBuf};

/// The kernel counts a disk's data in these, whatever the disk's own are.
const SECTOR: i64 = 512;

impl XenstoreLayer {
    /// The disk that a target or a source names, or all disks for an empty name; and whose they are.
    fn find_disks(
        &self,
        domain: &DomainRef,
        path: &str,
        operation: &'static str,
    ) -> Result<(u32, Vec<Disk>)> {
        let id = self.to_read(domain, operation)?;
        let mut disks = self.store.devices(id)?.disks;
        if path.is_empty() {
            return Ok((id, disks));
        }
        let named = |name: &Option<String>| name.as_deref() == Some(path);
        let place = disks.iter().position(|disk| named(&disk.target));
        let place = place.or_else(|| disks.iter().position(|disk| named(&disk.source)));
        let place = place.ok_or_else(|| invalid(&format!("invalid path: {path}")))?;
        Ok((id, vec![disks.swap_remove(place)]))
    }

    fn find_interface(&self, domain: &DomainRef, device: &str) -> Result<Interface> {
        let interfaces = self.store.devices(self.to_read(domain, "virDomainInterfaceStats")?)?.interfaces;
        let is_it = |interface: &Interface| {
            let mac = interface.mac.as_deref();
            interface.device == device || mac.is_some_and(|mac| mac.eq_ignore_ascii_case(device))
        };
        interfaces.into_iter().find(is_it).ok_or_else(|| {
            Error::invalid_argument(format!("'{device}' is not a known interface"))
                .from_origin(ErrorOrigin::XEN)
        })
    }
}

/// A folder of counters in the kernel's tree of devices.
fn counters(folder: &str) -> Option<PathBuf> {
    let path = Path::new("/sys").join(folder).join("statistics");
    path.is_dir().then_some(path)
}

/// Where a disk's driver counts. Only the kernel's own does.
fn disk_counters(id: u32, end: &BackEnd) -> Result<PathBuf> {
    let found = counters(&format!("bus/xen-backend/devices/{}-{id}-{}", end.kind, end.device));
    found.filter(|_| end.domain == 0).ok_or_else(|| {
        let what = format!("'{}' in domain {} drives this disk and keeps no counters", end.kind, end.domain);
        Error::new(ErrorCode::OPERATION_UNSUPPORTED, what).from_origin(ErrorOrigin::XEN)
    })
}

/// Where an interface counts.
fn interface_counters(interface: &Interface) -> Result<PathBuf> {
    let found = counters(&format!("class/net/{}", interface.device));
    found.filter(|_| interface.back_end.domain == 0).ok_or_else(|| {
        let what = format!("this host has no interface '{}' to count at", interface.device);
        Error::new(ErrorCode::OPERATION_UNSUPPORTED, what).from_origin(ErrorOrigin::XEN)
    })
}

/// A counter; -1 where the kernel has none of this name.
fn counter(folder: &Path, name: &str) -> i64 {
    let text = std::fs::read_to_string(folder.join(name));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(-1)
}

/// A number of sectors in bytes.
fn sectors(count: i64) -> i64 {
    if count < 0 { -1 } else { count.saturating_mul(SECTOR) }
}

/// What a disk's driver counted, or several together.
#[derive(Default)]
struct Counted {
    stats: BlockStats,
    flushes: i64,
}

impl Counted {
    /// Adds what is counted in a folder.
    fn add(&mut self, folder: &Path) {
        let counter = |name| counter(folder, name);
        let stats = &mut self.stats;
        stats.read_requests += counter("rd_req");
        stats.read_bytes += sectors(counter("rd_sect"));
        stats.write_requests += counter("wr_req");
        stats.write_bytes += sectors(counter("wr_sect"));
        // Requests that found no room in the driver, which is the nearest to an error that is counted.
        stats.errors += counter("oo_req");
        self.flushes += counter("f_req");
    }
}

/// What an interface counted. What the host sends the guest receives.
fn interface_stats(folder: &Path) -> InterfaceStats {
    let counter = |name| counter(folder, name);
    InterfaceStats {
        rx_bytes: counter("tx_bytes"),
        rx_packets: counter("tx_packets"),
        rx_errors: counter("tx_errors"),
        rx_drops: counter("tx_dropped"),
        tx_bytes: counter("rx_bytes"),
        tx_packets: counter("rx_packets"),
        tx_errors: counter("rx_errors"),
        tx_drops: counter("rx_dropped"),
    }
}

/// Statistics of a domain's devices in the groups `groups` (`DOMAIN_STATS_…`).
pub fn device_statistics(store: &Xenstore, id: u32, groups: u32) -> Result<Vec<TypedParam>> {
    let mut params = Vec::new();
    if groups & (DOMAIN_STATS_INTERFACE | DOMAIN_STATS_BLOCK) == 0 {
        return Ok(params);
    }
    let devices = store.devices(id)?;
    if groups & DOMAIN_STATS_INTERFACE != 0 {
        params.push(TypedParam::new("net.count", devices.interfaces.len() as u32));
        for (index, interface) in devices.interfaces.iter().enumerate() {
            tell_interface(index, interface, &mut params);
        }
    }
    if groups & DOMAIN_STATS_BLOCK != 0 {
        params.push(TypedParam::new("block.count", devices.disks.len() as u32));
        for (index, disk) in devices.disks.iter().enumerate() {
            tell_disk(id, index, disk, &mut params);
        }
    }
    Ok(params)
}

/// Puts figures that are known among the parameters.
fn tell(prefix: &str, figures: &[(&str, i64)], params: &mut Vec<TypedParam>) {
    for (name, value) in figures {
        if let Ok(value) = u64::try_from(*value) {
            params.push(TypedParam::new(format!("{prefix}.{name}"), value));
        }
    }
}

fn tell_interface(index: usize, interface: &Interface, params: &mut Vec<TypedParam>) {
    let prefix = format!("net.{index}");
    params.push(TypedParam::new(format!("{prefix}.name"), interface.device.as_str()));
    let Ok(folder) = interface_counters(interface) else { return };
    let stats = interface_stats(&folder);
    let figures = [
        ("rx.bytes", stats.rx_bytes),
        ("rx.pkts", stats.rx_packets),
        ("rx.errs", stats.rx_errors),
        ("rx.drop", stats.rx_drops),
        ("tx.bytes", stats.tx_bytes),
        ("tx.pkts", stats.tx_packets),
        ("tx.errs", stats.tx_errors),
        ("tx.drop", stats.tx_drops),
    ];
    tell(&prefix, &figures, params);
}

fn tell_disk(id: u32, index: usize, disk: &Disk, params: &mut Vec<TypedParam>) {
    let prefix = format!("block.{index}");
    params.push(TypedParam::new(format!("{prefix}.name"), disk.target.as_deref().unwrap_or("")));
    if let Some(source) = &disk.source {
        params.push(TypedParam::new(format!("{prefix}.path"), source.as_str()));
    }
    let Ok(folder) = disk_counters(id, &disk.back_end) else { return };
    let mut counted = Counted::default();
    counted.add(&folder);
    let stats = counted.stats;
    let figures = [
        ("rd.reqs", stats.read_requests),
        ("rd.bytes", stats.read_bytes),
        ("wr.reqs", stats.write_requests),
        ("wr.bytes", stats.write_bytes),
        ("fl.reqs", counted.flushes),
    ];
    tell(&prefix, &figures, params);
}

impl XenstoreLayer {
    fn count(&self, domain: &DomainRef, path: &str, operation: &'static str) -> Result<Counted> {
        let (id, disks) = self.find_disks(domain, path, operation)?;
        let mut sum = Counted::default();
        for disk in disks {
            match disk_counters(id, &disk.back_end) {
                Ok(folder) => sum.add(&folder),
                // One that nobody counts adds nothing to the sum of all.
                Err(_) if path.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sum)
    }
}

impl DomainStats for XenstoreLayer {
    fn block_stats(&self, domain: &DomainRef, path: &str) -> Result<BlockStats> {
        Ok(self.count(domain, path, "virDomainBlockStats")?.stats)
    }

    fn block_stats_params(&self, domain: &DomainRef, path: &str, flags: u32) -> Result<Vec<TypedParam>> {
        if flags != 0 {
            return Err(Error::unsupported("virDomainBlockStatsFlags"));
        }
        let Counted { stats, flushes } = self.count(domain, path, "virDomainBlockStatsFlags")?;
        let figures = [
            ("wr_bytes", stats.write_bytes),
            ("wr_operations", stats.write_requests),
            ("rd_bytes", stats.read_bytes),
            ("rd_operations", stats.read_requests),
            ("flush_operations", flushes),
            ("errs", stats.errors),
        ];
        let known = figures.into_iter().filter(|(_, value)| *value >= 0);
        Ok(known.map(|(name, value)| TypedParam::new(name, value)).collect())
    }

    fn interface_stats(&self, domain: &DomainRef, device: &str) -> Result<InterfaceStats> {
        let interface = self.find_interface(domain, device)?;
        Ok(interface_stats(&interface_counters(&interface)?))
    }

    /// What the balloon is told to be, and what the guest may have at most.
    fn memory_stats(&self, domain: &DomainRef, flags: u32) -> Result<Vec<MemoryStat>> {
        if flags != 0 {
            return Err(Error::unsupported("virDomainMemoryStats"));
        }
        let home = home(self.to_read(domain, "virDomainMemoryStats")?);
        let paths = ["target", "videoram", "static-max"].map(|node| format!("{home}/memory/{node}"));
        let values = self.store.read_many(&paths)?;
        let number = |place: usize| values.get(place)?.as_ref()?.number::<u64>();
        let target = number(0).map(|target| target.saturating_add(number(1).unwrap_or(0)));
        let figures =
            [(DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, target), (DOMAIN_MEMORY_STAT_AVAILABLE, number(2))];
        Ok(figures.into_iter().filter_map(|(tag, value)| Some(MemoryStat { tag, value: value? })).collect())
    }
}
