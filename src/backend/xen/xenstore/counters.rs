//! What passed through a domain's disks and interfaces, as the other ends in this host's kernel count it.

use super::devices::{BackEnd, Disk, Interface};
use super::layer::{XenstoreLayer, invalid};
use crate::backend::DomainStats;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::{BlockStats, DomainRef, InterfaceStats, TypedParam};
use std::path::PathBuf;

/// The kernel counts a disk's data in these, whatever the disk's own are.
const SECTOR: i64 = 512;

impl XenstoreLayer {
    /// A folder of counters in the kernel's tree of devices.
    fn counters(&self, folder: &str) -> Option<PathBuf> {
        let path = self.root.join(folder).join("statistics");
        path.is_dir().then_some(path)
    }

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

    /// The counters of a disk. Only the kernel's own driver counts.
    fn disk_counters(&self, id: u32, end: &BackEnd) -> Result<PathBuf> {
        let found = self.counters(&format!("sys/bus/xen-backend/devices/{}-{id}-{}", end.kind, end.device));
        found.filter(|_| end.domain == 0).ok_or_else(|| {
            let what =
                format!("'{}' in domain {} drives this disk and keeps no counters", end.kind, end.domain);
            Error::new(ErrorCode::OPERATION_UNSUPPORTED, what).from_origin(ErrorOrigin::XEN)
        })
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

/// A counter; -1 where the kernel has none of this name.
fn counter(folder: &std::path::Path, name: &str) -> i64 {
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

impl XenstoreLayer {
    fn count(&self, domain: &DomainRef, path: &str, operation: &'static str) -> Result<Counted> {
        let (id, disks) = self.find_disks(domain, path, operation)?;
        let mut sum = Counted::default();
        for disk in disks {
            let folder = match self.disk_counters(id, &disk.back_end) {
                // One that nobody counts adds nothing to the sum of all.
                Err(_) if path.is_empty() => continue,
                found => found?,
            };
            let counter = |name| counter(&folder, name);
            let stats = &mut sum.stats;
            stats.read_requests += counter("rd_req");
            stats.read_bytes += sectors(counter("rd_sect"));
            stats.write_requests += counter("wr_req");
            stats.write_bytes += sectors(counter("wr_sect"));
            // Requests that found no room in the driver, which is the nearest to an error that is counted.
            stats.errors += counter("oo_req");
            sum.flushes += counter("f_req");
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
        let folder = self.counters(&format!("sys/class/net/{}", interface.device));
        let folder = folder.filter(|_| interface.back_end.domain == 0).ok_or_else(|| {
            let what = format!("this host has no interface '{}' to count at", interface.device);
            Error::new(ErrorCode::OPERATION_UNSUPPORTED, what).from_origin(ErrorOrigin::XEN)
        })?;
        let counter = |name| counter(&folder, name);
        // What the host sends the guest receives.
        Ok(InterfaceStats {
            rx_bytes: counter("tx_bytes"),
            rx_packets: counter("tx_packets"),
            rx_errors: counter("tx_errors"),
            rx_drops: counter("tx_dropped"),
            tx_bytes: counter("rx_bytes"),
            tx_packets: counter("rx_packets"),
            tx_errors: counter("rx_errors"),
            tx_drops: counter("rx_dropped"),
        })
    }
}
