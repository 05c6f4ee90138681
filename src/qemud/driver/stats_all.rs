//! The statistics of many domains in one answer.
//!
//! What needs no question to QEMU asks none: state, CPU time and balloon of a thousand domains cost a thousand
//! glances. The rest travels to QEMU in one batch a guest.

use super::stats::{disks, stats_of};
use super::{QemuConnection, lookup};
use crate::error::Result;
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::qmp::{Monitor, Ticket};
use crate::qemud::vm::guest::{Definition, Guest};
use crate::qemud::vm::process::{Process, thread_times};
use crate::xml::Element;
use serde_json::{Value, json};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// What one reading of a domain's condition gives.
struct Glance {
    reference: DomainRef,
    state: StateReason,
    definition: Option<Definition>,
    running: Option<Running>,
}

/// What one reading of an active guest gives.
struct Running {
    process: Arc<Process>,
    monitor: Arc<Monitor>,
    balloon: u64,
    vcpu_threads: Vec<i32>,
}

const SUPPORTED: u32 = DOMAIN_STATS_STATE
    | DOMAIN_STATS_CPU_TOTAL
    | DOMAIN_STATS_BALLOON
    | DOMAIN_STATS_VCPU
    | DOMAIN_STATS_INTERFACE
    | DOMAIN_STATS_BLOCK
    | DOMAIN_STATS_IOTHREAD
    | DOMAIN_STATS_DIRTYRATE;

impl QemuConnection {
    /// Answers `virConnectGetAllDomainStats`.
    pub(super) fn stats_of_all(
        &self,
        doms: &[DomainRef],
        stats: u32,
        flags: u32,
    ) -> Result<Vec<DomainStatsRecord>> {
        if flags & CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS != 0 && stats & !SUPPORTED != 0 {
            let detail =
                format!("Stats types bits {:#x} are not supported by this daemon", stats & !SUPPORTED);
            return Err(crate::error::Error::new(crate::error::ErrorCode::ARGUMENT_UNSUPPORTED, detail));
        }
        let stats = if stats == 0 { SUPPORTED } else { stats };
        let guests = if doms.is_empty() {
            let listed = self.inventory().all();
            // The list filters of both interfaces have the same numbers, ours below bit 8.
            let mut listed: Vec<_> =
                listed.into_iter().filter(|guest| lookup::is_listed(&guest.lock(), flags & 0xff)).collect();
            listed.sort_by_cached_key(|guest| {
                let reference = guest.lock().reference();
                (reference.id.is_none(), reference.id, reference.name)
            });
            listed
        } else {
            // A domain that is gone meanwhile is left out.
            doms.iter().filter_map(|domain| self.find(domain).ok()).collect()
        };
        Ok(guests.iter().map(|guest| record(guest, stats)).collect())
    }
}

fn glance(guest: &Guest) -> Glance {
    let condition = guest.lock();
    let running = condition.running().ok().map(|active| Running {
        process: active.process.clone(),
        monitor: active.monitor.clone(),
        balloon: active.balloon,
        vcpu_threads: active.vcpu_threads.clone(),
    });
    Glance {
        reference: condition.reference(),
        state: condition.state,
        definition: condition.current().cloned(),
        running,
    }
}

fn record(guest: &Guest, stats: u32) -> DomainStatsRecord {
    let glance = glance(guest);
    let mut params = Vec::new();
    if stats & DOMAIN_STATS_STATE != 0 {
        params.push(TypedParam::new("state.state", glance.state.state));
        params.push(TypedParam::new("state.reason", glance.state.reason));
    }
    if stats & DOMAIN_STATS_CPU_TOTAL != 0 {
        cpu(&glance, &mut params);
    }
    if stats & DOMAIN_STATS_BALLOON != 0 {
        balloon(guest, &glance, &mut params);
    }
    if stats & DOMAIN_STATS_VCPU != 0 {
        vcpu(&glance, &mut params);
    }
    let devices = stats
        & (DOMAIN_STATS_INTERFACE | DOMAIN_STATS_BLOCK | DOMAIN_STATS_IOTHREAD | DOMAIN_STATS_DIRTYRATE);
    if devices != 0 {
        let tree = glance.definition.as_ref().and_then(|definition| definition.tree().ok());
        of_devices(&glance, &tree.unwrap_or_default(), devices, &mut params);
    }
    DomainStatsRecord { domain: glance.reference, params }
}

fn cpu(glance: &Glance, params: &mut Vec<TypedParam>) {
    let Some(Running { process, .. }) = &glance.running else {
        return;
    };
    let Some((user, system)) = process.cpu_times() else {
        return;
    };
    params.push(TypedParam::new("cpu.time", user + system));
    params.push(TypedParam::new("cpu.user", user));
    params.push(TypedParam::new("cpu.system", system));
    // Neither cache monitors nor a polling KVM.
    params.push(TypedParam::new("cpu.cache.monitor.count", 0u32));
    params.push(TypedParam::new("cpu.haltpoll.success.time", 0u64));
    params.push(TypedParam::new("cpu.haltpoll.fail.time", 0u64));
}

fn balloon(guest: &Guest, glance: &Glance, params: &mut Vec<TypedParam>) {
    let figures = glance.definition.as_ref().map(|definition| definition.figures).unwrap_or_default();
    let now = glance.running.as_ref().map_or(figures.memory, |running| running.balloon);
    params.push(TypedParam::new("balloon.current", now));
    params.push(TypedParam::new("balloon.maximum", figures.max_memory));
    if glance.running.is_none() {
        return;
    }
    for stat in memory_stats(guest).unwrap_or_default() {
        let name = match stat.tag {
            DOMAIN_MEMORY_STAT_SWAP_IN => "swap_in",
            DOMAIN_MEMORY_STAT_SWAP_OUT => "swap_out",
            DOMAIN_MEMORY_STAT_MAJOR_FAULT => "major_fault",
            DOMAIN_MEMORY_STAT_MINOR_FAULT => "minor_fault",
            DOMAIN_MEMORY_STAT_UNUSED => "unused",
            DOMAIN_MEMORY_STAT_AVAILABLE => "available",
            DOMAIN_MEMORY_STAT_RSS => "rss",
            DOMAIN_MEMORY_STAT_USABLE => "usable",
            DOMAIN_MEMORY_STAT_LAST_UPDATE => "last-update",
            DOMAIN_MEMORY_STAT_DISK_CACHES => "disk_caches",
            DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC => "hugetlb_pgalloc",
            DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL => "hugetlb_pgfail",
            _ => continue,
        };
        params.push(TypedParam::new(format!("balloon.{name}"), stat.value));
    }
}

fn vcpu(glance: &Glance, params: &mut Vec<TypedParam>) {
    let figures = glance.definition.as_ref().map(|definition| definition.figures).unwrap_or_default();
    params.push(TypedParam::new("vcpu.current", figures.vcpus));
    params.push(TypedParam::new("vcpu.maximum", figures.max_vcpus));
    let Some(Running { process, vcpu_threads: threads, .. }) = &glance.running else {
        return;
    };
    for (index, thread) in threads.iter().enumerate().filter(|(_, thread)| **thread != 0) {
        let times = thread_times(process.pid(), *thread).unwrap_or_default();
        params.push(TypedParam::new(format!("vcpu.{index}.state"), VCPU_RUNNING));
        params.push(TypedParam::new(format!("vcpu.{index}.time"), times.cpu_time));
        params.push(TypedParam::new(format!("vcpu.{index}.wait"), 0u64));
        params.push(TypedParam::new(format!("vcpu.{index}.delay"), times.delay));
    }
}

/// Statistics that need the definition, and of those that need QEMU, one batch of questions.
fn of_devices(glance: &Glance, tree: &Element, stats: u32, params: &mut Vec<TypedParam>) {
    let ask = |wanted: u32, command: &str| -> Option<(Arc<Monitor>, Ticket)> {
        let Running { monitor, .. } = glance.running.as_ref().filter(|_| stats & wanted != 0)?;
        Some((monitor.clone(), monitor.send(command, Value::Null).ok()?))
    };
    let receive =
        |asked: Option<(Arc<Monitor>, Ticket)>| asked.and_then(|(monitor, ticket)| monitor.wait(ticket).ok());
    let blocks = ask(DOMAIN_STATS_BLOCK, "query-blockstats");
    let threads = ask(DOMAIN_STATS_IOTHREAD, "query-iothreads");
    let dirty = ask(DOMAIN_STATS_DIRTYRATE, "query-dirty-rate");
    if stats & DOMAIN_STATS_INTERFACE != 0 && glance.running.is_some() {
        interfaces(tree, params);
    }
    let blocks = receive(blocks);
    if stats & DOMAIN_STATS_BLOCK != 0 {
        block(tree, blocks.as_ref(), params);
    }
    if let Some(threads) = receive(threads) {
        iothreads(&threads, params);
    }
    if let Some(dirty) = receive(dirty) {
        dirty_rate(&dirty, params);
    }
}

fn interfaces(tree: &Element, params: &mut Vec<TypedParam>) {
    let devices = tree.child("devices").into_iter();
    let interfaces: Vec<&Element> = devices.flat_map(|devices| devices.children("interface")).collect();
    params.push(TypedParam::new("net.count", interfaces.len() as u32));
    for (index, interface) in interfaces.iter().enumerate() {
        let Some(device) = interface.child_attribute("target", "dev") else {
            continue;
        };
        params.push(TypedParam::new(format!("net.{index}.name"), device));
        let Some(counters) = interface_counters(device) else {
            continue;
        };
        for (name, value) in [
            ("rx.bytes", counters.rx_bytes),
            ("rx.pkts", counters.rx_packets),
            ("rx.errs", counters.rx_errors),
            ("rx.drop", counters.rx_drops),
            ("tx.bytes", counters.tx_bytes),
            ("tx.pkts", counters.tx_packets),
            ("tx.errs", counters.tx_errors),
            ("tx.drop", counters.tx_drops),
        ] {
            if let Ok(value) = u64::try_from(value) {
                params.push(TypedParam::new(format!("net.{index}.{name}"), value));
            }
        }
    }
}

fn block(tree: &Element, stats: Option<&Value>, params: &mut Vec<TypedParam>) {
    params.push(TypedParam::new("block.count", disks(tree).count() as u32));
    for (index, disk) in disks(tree).enumerate() {
        let name = |field: &str| format!("block.{index}.{field}");
        let target = disk.child_attribute("target", "dev").unwrap_or("");
        params.push(TypedParam::new(name("name"), target));
        let source = ["file", "dev"].iter().find_map(|name| disk.child_attribute("source", name));
        if let Some(source) = source {
            params.push(TypedParam::new(name("path"), source));
        }
        let number = |text: &str| text.parse::<u32>().ok();
        if let Some(image) = disk.child_attribute("source", "index").and_then(number) {
            params.push(TypedParam::new(name("backingIndex"), image));
        }
        let entry = stats.and_then(|stats| stats_of(stats, disk));
        if let Some(stats) = entry.and_then(|entry| entry.get("stats")) {
            for (shown, field) in [
                ("rd.reqs", "rd_operations"),
                ("rd.bytes", "rd_bytes"),
                ("rd.times", "rd_total_time_ns"),
                ("wr.reqs", "wr_operations"),
                ("wr.bytes", "wr_bytes"),
                ("wr.times", "wr_total_time_ns"),
                ("fl.reqs", "flush_operations"),
                ("fl.times", "flush_total_time_ns"),
            ] {
                if let Some(value) = stats.get(field).and_then(Value::as_u64) {
                    params.push(TypedParam::new(name(shown), value));
                }
            }
        }
        let Some(facts) = source.and_then(|source| file_facts(source).ok()) else {
            continue;
        };
        let highest = entry.and_then(|entry| entry.pointer("/parent/stats/wr_highest_offset")?.as_u64());
        let capacity = source.and_then(|source| capacity_of(disk, source)).unwrap_or(facts.length);
        // While a guest runs, what it wrote counts, and then what the file takes; else what the file says of itself.
        let (allocation, physical) = match highest {
            Some(highest) => (highest, facts.allocated),
            None => (facts.allocated, facts.length),
        };
        params.push(TypedParam::new(name("allocation"), allocation));
        params.push(TypedParam::new(name("capacity"), capacity));
        params.push(TypedParam::new(name("physical"), physical));
    }
}

/// The last measurement of how fast the guest writes its memory.
fn dirty_rate(answer: &Value, params: &mut Vec<TypedParam>) {
    let text = |field: &str| answer.get(field).and_then(Value::as_str).unwrap_or("");
    let number = |field: &str| answer.get(field).and_then(Value::as_i64);
    let status = match text("status") {
        "measuring" => DOMAIN_DIRTYRATE_MEASURING,
        "measured" => DOMAIN_DIRTYRATE_MEASURED,
        _ => DOMAIN_DIRTYRATE_UNSTARTED,
    };
    params.push(TypedParam::new("dirtyrate.calc_status", status));
    params.push(TypedParam::new("dirtyrate.calc_start_time", number("start-time").unwrap_or(0)));
    let period = i32::try_from(number("calc-time").unwrap_or(0)).unwrap_or(i32::MAX);
    params.push(TypedParam::new("dirtyrate.calc_period", period));
    params.push(TypedParam::new("dirtyrate.calc_mode", text("mode")));
    if let Some(rate) = number("dirty-rate").filter(|_| status == DOMAIN_DIRTYRATE_MEASURED) {
        params.push(TypedParam::new("dirtyrate.megabytes_per_second", rate));
    }
    let vcpus = answer.get("vcpu-dirty-rate").and_then(Value::as_array).into_iter().flatten();
    for (index, vcpu) in vcpus.enumerate() {
        if let Some(rate) = vcpu.get("dirty-rate").and_then(Value::as_i64) {
            params.push(TypedParam::new(format!("dirtyrate.vcpu.{index}.megabytes_per_second"), rate));
        }
    }
}

fn iothreads(answer: &Value, params: &mut Vec<TypedParam>) {
    let threads: Vec<&Value> = answer.as_array().into_iter().flatten().collect();
    if threads.is_empty() {
        return;
    }
    params.push(TypedParam::new("iothread.count", threads.len() as u32));
    for thread in threads {
        let id = thread.get("id").and_then(Value::as_str).and_then(|id| id.strip_prefix("iothread"));
        let Some(id) = id else { continue };
        for (name, field) in
            [("poll-max-ns", "poll-max-ns"), ("poll-grow", "poll-grow"), ("poll-shrink", "poll-shrink")]
        {
            if let Some(value) = thread.get(field).and_then(Value::as_u64) {
                params.push(TypedParam::new(format!("iothread.{id}.{name}"), value));
            }
        }
    }
}

/// Sizes of a file or a block device.
pub struct FileFacts {
    /// Its length.
    pub length: u64,
    /// What it takes on the disk.
    pub allocated: u64,
}

/// Reads the sizes of a file or a block device.
pub fn file_facts(path: &str) -> io::Result<FileFacts> {
    use std::io::{Seek, SeekFrom};
    use std::os::unix::fs::FileTypeExt;
    let known = std::fs::metadata(path)?;
    if known.file_type().is_block_device() {
        let length = std::fs::File::open(path)?.seek(SeekFrom::End(0))?;
        return Ok(FileFacts { length, allocated: length });
    }
    Ok(FileFacts { length: known.len(), allocated: known.blocks() * 512 })
}

/// What the guest sees of a disk: for qcow2 the size its header tells.
pub fn capacity_of(disk: &Element, source: &str) -> Option<u64> {
    use std::os::unix::fs::FileExt;
    if disk.child_attribute("driver", "type") != Some("qcow2") {
        return None;
    }
    let mut header = [0u8; 32];
    std::fs::File::open(source).ok()?.read_exact_at(&mut header, 0).ok()?;
    if &header[..4] != b"QFI\xfb" {
        return None;
    }
    Some(u64::from_be_bytes(header[24..32].try_into().ok()?))
}

/// The counters of a device on the host, as its guest sees them: what the host sends the guest receives.
pub fn interface_counters(device: &str) -> Option<InterfaceStats> {
    if device.contains('/') {
        return None;
    }
    let read = |name: &str| -> Option<i64> {
        let text = std::fs::read_to_string(format!("/sys/class/net/{device}/statistics/{name}")).ok()?;
        text.trim().parse().ok()
    };
    Some(InterfaceStats {
        rx_bytes: read("tx_bytes")?,
        rx_packets: read("tx_packets")?,
        rx_errors: read("tx_errors")?,
        rx_drops: read("tx_dropped")?,
        tx_bytes: read("rx_bytes")?,
        tx_packets: read("rx_packets")?,
        tx_errors: read("rx_errors")?,
        tx_drops: read("rx_dropped")?,
    })
}

/// A guest's memory, by its balloon driver as far as it reports, and by the host.
pub fn memory_stats(guest: &Guest) -> Result<Vec<MemoryStat>> {
    let (monitor, process, balloon, definition) = {
        let condition = guest.lock();
        let active = condition.running()?;
        let parts = (active.monitor.clone(), active.process.clone());
        (parts.0, parts.1, active.balloon, active.definition.clone())
    };
    let mut stats = vec![MemoryStat { tag: DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, value: balloon }];
    let tree = definition.tree()?;
    if let Some(alias) = tree.find("devices/memballoon/alias").and_then(|alias| alias.attribute("name")) {
        let path = format!("/machine/peripheral/{alias}");
        let answer = monitor.execute("qom-get", json!({ "path": path, "property": "guest-stats" }));
        stats.extend(answer.map(|answer| reported(&answer)).unwrap_or_default());
    }
    if let Some(resident) = process.resident() {
        stats.push(MemoryStat { tag: DOMAIN_MEMORY_STAT_RSS, value: resident });
    }
    Ok(stats)
}

/// What the balloon driver reported; it says "unknown" with all bits set.
fn reported(answer: &Value) -> Vec<MemoryStat> {
    let known = [
        (DOMAIN_MEMORY_STAT_SWAP_IN, "stat-swap-in", 1024),
        (DOMAIN_MEMORY_STAT_SWAP_OUT, "stat-swap-out", 1024),
        (DOMAIN_MEMORY_STAT_MAJOR_FAULT, "stat-major-faults", 1),
        (DOMAIN_MEMORY_STAT_MINOR_FAULT, "stat-minor-faults", 1),
        (DOMAIN_MEMORY_STAT_UNUSED, "stat-free-memory", 1024),
        (DOMAIN_MEMORY_STAT_AVAILABLE, "stat-total-memory", 1024),
        (DOMAIN_MEMORY_STAT_USABLE, "stat-available-memory", 1024),
        (DOMAIN_MEMORY_STAT_DISK_CACHES, "stat-disk-caches", 1024),
        (DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "stat-htlb-pgalloc", 1),
        (DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "stat-htlb-pgfail", 1),
    ];
    let mut stats = Vec::new();
    for (tag, name, unit) in known {
        let value = answer.pointer(&format!("/stats/{name}")).and_then(Value::as_u64);
        if let Some(value) = value.filter(|value| *value != u64::MAX) {
            stats.push(MemoryStat { tag, value: value / unit });
        }
    }
    let last = answer.get("last-update").and_then(Value::as_u64).unwrap_or(0);
    let behind = [
        DOMAIN_MEMORY_STAT_DISK_CACHES,
        DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC,
        DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL,
    ];
    let at = stats.iter().position(|stat| behind.contains(&stat.tag)).unwrap_or(stats.len());
    stats.insert(at, MemoryStat { tag: DOMAIN_MEMORY_STAT_LAST_UPDATE, value: last });
    stats
}
