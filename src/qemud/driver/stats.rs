//! Counters of a running domain and its devices, one question each.

use super::{QemuConnection, check_flags, stats_all};
use crate::backend::DomainStats;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::vm::guest::Guest;
use crate::xml::Element;
use serde_json::{Value, json};

impl DomainStats for QemuConnection {
    fn block_stats(&self, domain: &DomainRef, path: &str) -> Result<BlockStats> {
        let guest = self.find(domain)?;
        let stats = disk_stats(&guest, path)?;
        let number = |name: &str| stats.get(name).and_then(Value::as_i64).unwrap_or(-1);
        Ok(BlockStats {
            read_requests: number("rd_operations"),
            read_bytes: number("rd_bytes"),
            write_requests: number("wr_operations"),
            write_bytes: number("wr_bytes"),
            errors: -1,
        })
    }

    fn block_stats_params(&self, domain: &DomainRef, path: &str, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, TYPED_PARAM_STRING_OKAY, "virDomainBlockStatsFlags")?;
        let guest = self.find(domain)?;
        let stats = disk_stats(&guest, path)?;
        let names = [
            ("wr_bytes", "wr_bytes"),
            ("wr_operations", "wr_operations"),
            ("rd_bytes", "rd_bytes"),
            ("rd_operations", "rd_operations"),
            ("flush_operations", "flush_operations"),
            ("wr_total_times", "wr_total_time_ns"),
            ("rd_total_times", "rd_total_time_ns"),
            ("flush_total_times", "flush_total_time_ns"),
        ];
        let params = names.iter().filter_map(|(name, field)| {
            let value = stats.get(*field).and_then(Value::as_i64)?;
            Some(TypedParam::new(*name, value))
        });
        Ok(params.collect())
    }

    fn block_info(&self, domain: &DomainRef, path: &str, flags: u32) -> Result<BlockInfo> {
        check_flags(flags, 0, "virDomainGetBlockInfo")?;
        let guest = self.find(domain)?;
        let (definition, monitor) = {
            let condition = guest.lock();
            let monitor = condition.running().ok().map(|active| active.monitor.clone());
            (condition.current().cloned(), monitor)
        };
        let tree = definition.map(|definition| definition.tree()).transpose()?.unwrap_or_default();
        let disk = find_disk(&tree, path)
            .ok_or_else(|| bad_path(format!("invalid path {path} not assigned to domain")))?;
        let source = ["file", "dev"].iter().find_map(|name| disk.child_attribute("source", name));
        let source = source
            .ok_or_else(|| bad_path(format!("disk '{path}' does not currently have a source assigned")))?;
        let facts = stats_all::file_facts(source);
        let facts = facts.map_err(|e| Error::system(format!("cannot stat file '{source}'"), &e))?;
        let named = monitor.and_then(|monitor| monitor.query("query-blockstats").ok());
        let live = named.as_ref().and_then(|all| stats_of(all, disk));
        let highest = live.and_then(|live| live.pointer("/parent/stats/wr_highest_offset")?.as_u64());
        let capacity = stats_all::capacity_of(disk, source).unwrap_or(facts.length);
        // An image in a block device takes what was written to it; one in a file, what the file takes.
        let in_device = disk.child_attribute("source", "dev").is_some()
            && disk.child_attribute("driver", "type").is_some_and(|format| format != "raw");
        Ok(BlockInfo {
            allocation: highest.filter(|_| in_device).unwrap_or(facts.allocated),
            capacity,
            physical: facts.length,
        })
    }

    fn interface_stats(&self, domain: &DomainRef, device: &str) -> Result<InterfaceStats> {
        let guest = self.find(domain)?;
        let tree = guest.lock().running()?.definition.clone().tree()?;
        let interface = find_interface(&tree, device)
            .ok_or_else(|| bad_path(format!("'{device}' is not a known interface")))?;
        let host_device = interface.child_attribute("target", "dev").unwrap_or(device);
        stats_all::interface_counters(host_device).ok_or_else(|| {
            // User networking has no device on the host to count at.
            Error::internal("Interface name not provided").from_origin(ErrorOrigin::QEMU)
        })
    }

    fn start_dirty_rate_calc(&self, domain: &DomainRef, seconds: i32, flags: u32) -> Result<()> {
        let known = DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP | DOMAIN_DIRTYRATE_MODE_DIRTY_RING;
        check_flags(flags, known, "virDomainStartDirtyRateCalc")?;
        if !(1..=60).contains(&seconds) {
            let detail = format!("seconds={seconds} is invalid, please choose value within [1, 60].");
            return Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::QEMU));
        }
        let guest = self.find(domain)?;
        let monitor = guest.monitor()?;
        let mode = match flags {
            DOMAIN_DIRTYRATE_MODE_DIRTY_RING => {
                let detail = "dirty-ring calculation mode requires dirty-ring feature enabled.";
                let code = crate::error::ErrorCode::OPERATION_UNSUPPORTED;
                return Err(Error::new(code, detail).from_origin(ErrorOrigin::QEMU));
            }
            DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP => "dirty-bitmap",
            _ => "page-sampling",
        };
        monitor.execute("calc-dirty-rate", json!({ "calc-time": seconds, "mode": mode }))?;
        Ok(())
    }

    fn memory_stats(&self, domain: &DomainRef, flags: u32) -> Result<Vec<MemoryStat>> {
        check_flags(flags, 0, "virDomainMemoryStats")?;
        let guest = self.find(domain)?;
        stats_all::memory_stats(&guest)
    }

    fn block_peek(
        &self,
        domain: &DomainRef,
        path: &str,
        offset: u64,
        size: u32,
        flags: u32,
    ) -> Result<Vec<u8>> {
        use std::os::unix::fs::FileExt;
        check_flags(flags, 0, "virDomainBlockPeek")?;
        let guest = self.find(domain)?;
        let definition = guest.lock().current().cloned();
        let tree = definition.map(|definition| definition.tree()).transpose()?.unwrap_or_default();
        let disk =
            find_disk(&tree, path).ok_or_else(|| bad_path(format!("invalid disk or path '{path}'")))?;
        let source = ["file", "dev"].iter().find_map(|name| disk.child_attribute("source", name));
        let source = source
            .ok_or_else(|| bad_path(format!("disk '{path}' does not currently have a source assigned")))?;
        if disk.child_attribute("driver", "type").unwrap_or("raw") != "raw" {
            let detail = format!("peeking is only supported for disk with 'raw' format, not '{path}'");
            return Err(Error::new(crate::error::ErrorCode::OPERATION_UNSUPPORTED, detail));
        }
        let mut bytes = vec![0u8; size.min(16 * 1024 * 1024) as usize];
        let read = std::fs::File::open(source).and_then(|file| file.read_exact_at(&mut bytes, offset));
        read.map_err(|e| Error::system(format!("{source}: cannot seek and read"), &e))?;
        Ok(bytes)
    }

    fn memory_peek(&self, domain: &DomainRef, offset: u64, size: u32, flags: u32) -> Result<Vec<u8>> {
        check_flags(flags, MEMORY_VIRTUAL | MEMORY_PHYSICAL, "virDomainMemoryPeek")?;
        let command = match flags {
            MEMORY_VIRTUAL => "memsave",
            MEMORY_PHYSICAL => "pmemsave",
            _ => {
                return Err(Error::invalid_argument(
                    "flags parameter must be VIR_MEMORY_VIRTUAL or VIR_MEMORY_PHYSICAL",
                ));
            }
        };
        let guest = self.find(domain)?;
        let monitor = guest.monitor()?;
        let folder = self.inventory().store.paths.guest(guest.uuid);
        let file = tempfile::NamedTempFile::new_in(&folder)
            .map_err(|e| Error::system("cannot create a temporary file", &e))?;
        let arguments = json!({ "val": offset, "size": size, "filename": file.path().display().to_string() });
        monitor.execute(command, arguments)?;
        std::fs::read(file.path()).map_err(|e| Error::system("cannot read the guest's memory", &e))
    }

    fn cpu_stats(
        &self,
        domain: &DomainRef,
        nparams: u32,
        start_cpu: i32,
        _ncpus: u32,
        flags: u32,
    ) -> Result<(Vec<TypedParam>, i32)> {
        check_flags(flags, TYPED_PARAM_STRING_OKAY, "virDomainGetCPUStats")?;
        let guest = self.find(domain)?;
        let times = guest.lock().running()?.process.cpu_times();
        if start_cpu != -1 {
            // Without a control group of its own nobody counts a guest's time for each CPU.
            return Err(super::invalid("cgroup CPUACCT controller is not mounted"));
        }
        if nparams == 0 {
            return Ok((Vec::new(), 3));
        }
        let (user, system) = times.unwrap_or((0, 0));
        let mut params = vec![
            TypedParam::new("cpu_time", user + system),
            TypedParam::new("user_time", user),
            TypedParam::new("system_time", system),
        ];
        params.truncate(nparams as usize);
        Ok((params, 3))
    }

    fn disk_errors(&self, domain: &DomainRef, flags: u32) -> Result<Vec<DiskError>> {
        check_flags(flags, 0, "virDomainGetDiskErrors")?;
        let guest = self.find(domain)?;
        let monitor = guest.monitor()?;
        let tree = guest.lock().running()?.definition.clone().tree()?;
        let blocks = monitor.query("query-block")?;
        let mut errors = Vec::new();
        for disk in disks(&tree) {
            let Some(block) = stats_of(&blocks, disk) else {
                continue;
            };
            let error = match block.get("io-status").and_then(Value::as_str) {
                Some("failed") => DOMAIN_DISK_ERROR_UNSPEC,
                Some("nospace") => DOMAIN_DISK_ERROR_NO_SPACE,
                _ => continue,
            };
            let disk = disk.child_attribute("target", "dev").unwrap_or("").to_string();
            errors.push(DiskError { disk, error });
        }
        Ok(errors)
    }

    fn all_domain_stats(&self, doms: &[DomainRef], stats: u32, flags: u32) -> Result<Vec<DomainStatsRecord>> {
        self.stats_of_all(doms, stats, flags)
    }
}

fn bad_path(detail: String) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU)
}

/// The disks of a definition.
pub fn disks(tree: &Element) -> impl Iterator<Item = &Element> {
    tree.child("devices").into_iter().flat_map(|devices| devices.children("disk"))
}

/// A disk by its target or its source.
pub fn find_disk<'a>(tree: &'a Element, path: &str) -> Option<&'a Element> {
    disks(tree).find(|disk| {
        let is = |element: &str, name: &str| disk.child_attribute(element, name) == Some(path);
        is("target", "dev") || is("source", "file") || is("source", "dev")
    })
}

/// An interface by its device on the host or its MAC address.
pub fn find_interface<'a>(tree: &'a Element, device: &str) -> Option<&'a Element> {
    let interfaces = tree.child("devices").into_iter().flat_map(|devices| devices.children("interface"));
    let mut ours = interfaces.filter(|interface| {
        let is = |element: &str, name: &str| interface.child_attribute(element, name);
        is("target", "dev") == Some(device)
            || is("alias", "name") == Some(device)
            || is("mac", "address").is_some_and(|mac| mac.eq_ignore_ascii_case(device))
    });
    ours.next()
}

/// The entry of `query-block` or `query-blockstats` that belongs to a disk.
pub fn stats_of<'a>(answer: &'a Value, disk: &Element) -> Option<&'a Value> {
    let alias = disk.child_attribute("alias", "name")?;
    let entries = answer.as_array()?;
    entries.iter().find(|entry| {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or("");
        let qdev = text("qdev");
        let path = qdev.strip_prefix("/machine/peripheral/").unwrap_or(qdev);
        path == alias
            || path.split('/').next() == Some(alias)
            || text("device") == alias
            || text("device").strip_prefix("drive-") == Some(alias)
    })
}

/// The counters of one disk.
fn disk_stats(guest: &Guest, path: &str) -> Result<Value> {
    let monitor = guest.monitor()?;
    let tree = guest.lock().running()?.definition.clone().tree()?;
    let answer = if path.is_empty() {
        // No disk named: the sum of all.
        let answer = monitor.query("query-blockstats")?;
        let mut sum = serde_json::Map::new();
        for stats in answer.as_array().into_iter().flatten().filter_map(|entry| entry.get("stats")) {
            for (name, value) in stats.as_object().into_iter().flatten() {
                if let Some(number) = value.as_i64() {
                    let so_far = sum.get(name).and_then(Value::as_i64).unwrap_or(0);
                    sum.insert(name.clone(), json!(so_far + number));
                }
            }
        }
        Value::Object(sum)
    } else {
        let disk = find_disk(&tree, path).ok_or_else(|| bad_path(format!("invalid path: {path}")))?;
        let answer = monitor.query("query-blockstats")?;
        let entry = stats_of(&answer, disk).and_then(|entry| entry.get("stats")).cloned();
        entry.ok_or_else(|| Error::internal(format!("cannot find statistics for device '{path}'")))?
    };
    Ok(answer)
}
