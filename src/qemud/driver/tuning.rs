//! Memory, virtual CPUs and pinning.

use super::change::{asked_definition, edit_config, edit_live, impact};
use super::pinning::{Tied, map_of, thread_cpus};
use super::{QemuConnection, check_flags};
use crate::backend::DomainTuning;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::vm::agent;
use crate::qemud::vm::guest::Guest;
use crate::qemud::vm::process::thread_times;
use crate::xml::{Element, Node};
use serde_json::{Value, json};
use std::sync::Arc;

const IMPACT: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;

fn bad(detail: impl std::fmt::Display) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU)
}

impl DomainTuning for QemuConnection {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        let guest = self.find(domain)?;
        let condition = guest.lock();
        Ok(condition.current().map_or(0, |definition| definition.figures.max_memory))
    }

    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        self.vcpu_count(domain, DOMAIN_VCPU_LIVE | DOMAIN_VCPU_MAXIMUM)
    }

    fn vcpu_info(&self, domain: &DomainRef, maxinfo: i32, maplen: i32) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        let guest = self.find(domain)?;
        let (pid, threads) = {
            let condition = guest.lock();
            let active = condition
                .running()
                .map_err(|_| super::invalid("cannot retrieve vcpu information for inactive domain"))?;
            (active.process.pid(), active.vcpu_threads.clone())
        };
        let (mut infos, mut maps) = (Vec::new(), Vec::new());
        let count = usize::try_from(maxinfo).unwrap_or(0);
        let present = threads.iter().enumerate().filter(|(_, thread)| **thread != 0);
        for (number, thread) in present.take(count) {
            let times = thread_times(pid, *thread).unwrap_or_default();
            infos.push(VcpuInfo {
                number: u32::try_from(number).unwrap_or(0),
                state: VCPU_RUNNING,
                cpu_time: times.cpu_time,
                cpu: times.cpu,
            });
            let cpus = thread_cpus(*thread).unwrap_or_default();
            maps.extend(map_of(&cpus, usize::try_from(maplen).unwrap_or(0)));
        }
        Ok((infos, maps))
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        check_flags(flags, IMPACT | DOMAIN_VCPU_MAXIMUM | DOMAIN_VCPU_GUEST, "virDomainGetVcpusFlags")?;
        let guest = self.find(domain)?;
        if flags & DOMAIN_VCPU_GUEST != 0 {
            if !guest.lock().is_active() {
                let detail = "vCPU count provided by the guest agent can only be requested for live domains";
                return Err(bad(detail));
            }
            let cpus = agent::execute(&guest, "guest-get-vcpus", Value::Null, None)?;
            let cpus = cpus.as_array().map_or(&[] as &[Value], Vec::as_slice);
            let online = |cpu: &&Value| cpu.get("online").and_then(Value::as_bool) == Some(true);
            let all = flags & DOMAIN_VCPU_MAXIMUM != 0;
            let count = if all { cpus.len() } else { cpus.iter().filter(online).count() };
            return Ok(i32::try_from(count).unwrap_or(i32::MAX));
        }
        let figures = asked_definition(&guest.lock(), flags)?.figures;
        let count = if flags & DOMAIN_VCPU_MAXIMUM != 0 { figures.max_vcpus } else { figures.vcpus };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    fn set_max_memory(&self, domain: &DomainRef, memory: u64) -> Result<()> {
        self.set_memory(domain, memory, DOMAIN_MEM_MAXIMUM)
    }

    fn set_memory(&self, domain: &DomainRef, memory: u64, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT | DOMAIN_MEM_MAXIMUM, "virDomainSetMemoryFlags")?;
        if memory == 0 {
            let detail = "memory in virDomainSetMemoryFlags must not be zero";
            return Err(Error { message: detail.to_string(), ..bad(detail) });
        }
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetMemory")?;
        let impact = impact(&guest.lock(), flags)?;
        if flags & DOMAIN_MEM_MAXIMUM != 0 {
            if impact.live {
                return Err(super::invalid("cannot resize the maximum memory on an active domain"));
            }
            return edit_config(self.inventory(), &guest, |tree| {
                set_size(tree, "memory", memory);
                let current = tree.child_text("currentMemory").and_then(|text| text.parse::<u64>().ok());
                if current.is_some_and(|current| current > memory) {
                    set_size(tree, "currentMemory", memory);
                }
                Ok(())
            });
        }
        let above = |limit: u64| memory > limit;
        let too_much = || bad("cannot set memory higher than max memory");
        if impact.live && above(guest.lock().running()?.definition.figures.max_memory) {
            return Err(too_much());
        }
        if impact.config {
            let limit =
                guest.lock().persistent.as_ref().map_or(0, |definition| definition.figures.max_memory);
            if above(limit) {
                return Err(too_much());
            }
        }
        if impact.live {
            let monitor = guest.monitor()?;
            let inflated = monitor.execute("balloon", json!({ "value": memory.saturating_mul(1024) }));
            inflated.map_err(|error| match error.words() {
                Some(words) if words.contains("No balloon device") => {
                    super::invalid("Unable to change memory of active domain without the balloon device and guest OS balloon driver")
                }
                _ => error.into(),
            })?;
            edit_live(self.inventory(), &guest, |tree| {
                set_size(tree, "currentMemory", memory);
                Ok(())
            })?;
        }
        if impact.config {
            edit_config(self.inventory(), &guest, |tree| {
                set_size(tree, "currentMemory", memory);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn set_vcpus(&self, domain: &DomainRef, nvcpus: u32, flags: u32) -> Result<()> {
        let known = IMPACT | DOMAIN_VCPU_MAXIMUM | DOMAIN_VCPU_GUEST | DOMAIN_VCPU_HOTPLUGGABLE;
        check_flags(flags, known, "virDomainSetVcpusFlags")?;
        if nvcpus == 0 {
            return Err(bad("setting zero vcpus is not possible"));
        }
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetVcpus")?;
        if flags & DOMAIN_VCPU_GUEST != 0 {
            return set_guest_vcpus(&guest, nvcpus);
        }
        let impact = impact(&guest.lock(), flags)?;
        if flags & DOMAIN_VCPU_MAXIMUM != 0 {
            if impact.live {
                return Err(super::invalid("maximum vcpu count of a live domain can't be modified"));
            }
            return edit_config(self.inventory(), &guest, |tree| set_max_vcpus(tree, nvcpus));
        }
        let check = |limit: u32, which: &str| {
            if nvcpus <= limit {
                return Ok(());
            }
            let words = "requested vcpus is greater than max allowable vcpus for the";
            Err(bad(format!("{words} {which} domain: {nvcpus} > {limit}")))
        };
        if impact.live {
            check(guest.lock().running()?.definition.figures.max_vcpus, "live")?;
        }
        if impact.config {
            let limit = guest.lock().persistent.as_ref().map_or(0, |definition| definition.figures.max_vcpus);
            check(limit, "persistent")?;
        }
        if impact.live {
            self.plug_vcpus(&guest, nvcpus)?;
        }
        if impact.config {
            edit_config(self.inventory(), &guest, |tree| {
                set_current_vcpus(tree, nvcpus);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn pin_vcpu(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainPinVcpuFlags")?;
        self.tie(domain, Tied::Vcpu(vcpu), cpumap, flags)
    }

    fn vcpu_pin_info(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        check_flags(flags, IMPACT, "virDomainGetVcpuPinInfo")?;
        self.tied(domain, false, ncpumaps, maplen, flags)
    }

    fn pin_emulator(&self, domain: &DomainRef, cpumap: &[u8], flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainPinEmulator")?;
        self.tie(domain, Tied::Emulator, cpumap, flags)
    }

    fn emulator_pin_info(&self, domain: &DomainRef, maplen: i32, flags: u32) -> Result<(Vec<u8>, i32)> {
        check_flags(flags, IMPACT, "virDomainGetEmulatorPinInfo")?;
        self.tied(domain, true, 1, maplen, flags)
    }

    fn set_memory_stats_period(&self, domain: &DomainRef, period: i32, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainSetMemoryStatsPeriod")?;
        let period = u32::try_from(period).map_err(|_| bad("the period must not be negative"))?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetMemoryStatsPeriod")?;
        let impact = impact(&guest.lock(), flags)?;
        let change = |tree: &mut Element| set_stats_period(tree, period);
        if impact.live {
            let (monitor, definition) = {
                let condition = guest.lock();
                let active = condition.running()?;
                (active.monitor.clone(), active.definition.clone())
            };
            let tree = definition.tree()?;
            let alias = tree.find("devices/memballoon/alias").and_then(|alias| alias.attribute("name"));
            let alias = alias.ok_or_else(|| {
                super::invalid("Memory balloon model must be virtio to set the collection period")
            })?;
            let path = format!("/machine/peripheral/{alias}");
            let arguments =
                json!({ "path": path, "property": "guest-stats-polling-interval", "value": period });
            monitor.execute("qom-set", arguments)?;
            edit_live(self.inventory(), &guest, change)?;
        }
        if impact.config {
            edit_config(self.inventory(), &guest, change)?;
        }
        Ok(())
    }

    fn iothread_info(&self, domain: &DomainRef, flags: u32) -> Result<Vec<IoThreadInfo>> {
        check_flags(flags, IMPACT, "virDomainGetIOThreadInfo")?;
        let guest = self.find(domain)?;
        let live = impact(&guest.lock(), flags)?.live;
        let length = (super::pinning::host_cpus() as usize).div_ceil(8);
        if live {
            let answer = guest.monitor()?.query("query-iothreads")?;
            let threads = answer.as_array().into_iter().flatten().filter_map(|thread| {
                let id = thread.get("id")?.as_str()?.strip_prefix("iothread")?.parse().ok()?;
                let number = i32::try_from(thread.get("thread-id")?.as_i64()?).ok()?;
                let cpumap = map_of(&thread_cpus(number).unwrap_or_default(), length);
                Some(IoThreadInfo { id, cpumap })
            });
            return Ok(threads.collect());
        }
        let tree = asked_definition(&guest.lock(), flags)?.tree()?;
        let all: Vec<u32> = (0..super::pinning::host_cpus()).collect();
        let info = |id| IoThreadInfo { id, cpumap: map_of(&all, length) };
        Ok(crate::qemud::argv::iothreads(&tree).into_iter().map(info).collect())
    }

    fn add_iothread(&self, domain: &DomainRef, iothread_id: u32, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainAddIOThread")?;
        self.add_thread(domain, iothread_id, flags)
    }

    fn del_iothread(&self, domain: &DomainRef, iothread_id: u32, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainDelIOThread")?;
        self.remove_thread(domain, iothread_id, flags)
    }

    fn set_iothread_params(
        &self,
        domain: &DomainRef,
        iothread_id: u32,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainSetIOThreadParams")?;
        self.tune_thread(domain, iothread_id, params, flags)
    }

    fn set_guest_vcpus(&self, domain: &DomainRef, cpumap: &str, state: i32, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainSetGuestVcpus")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetGuestVcpus")?;
        guest.lock().running()?;
        let wanted = super::pinning::cpus_in(cpumap);
        let cpus = agent::execute(&guest, "guest-get-vcpus", Value::Null, None)?;
        let known = |id: u32| {
            let id_of = |cpu: &Value| cpu.get("logical-id").and_then(Value::as_u64);
            cpus.as_array().into_iter().flatten().any(|cpu| id_of(cpu) == Some(u64::from(id)))
        };
        if let Some(unknown) = wanted.iter().find(|id| !known(**id)) {
            return Err(bad(format!("vcpu '{unknown}' is not present in the guest")));
        }
        let set = wanted.iter().map(|id| json!({ "logical-id": id, "online": state != 0 }));
        let arguments = json!({ "vcpus": set.collect::<Vec<_>>() });
        agent::execute(&guest, "guest-set-vcpus", arguments, None)?;
        Ok(())
    }

    fn guest_vcpus(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, 0, "virDomainGetGuestVcpus")?;
        let guest = self.find(domain)?;
        guest.lock().running()?;
        let cpus = agent::execute(&guest, "guest-get-vcpus", Value::Null, None)?;
        let list = |wanted: &dyn Fn(&Value) -> bool| {
            let cpus = cpus.as_array().into_iter().flatten().filter(|cpu| wanted(cpu));
            let ids = cpus.filter_map(|cpu| cpu.get("logical-id").and_then(Value::as_u64));
            let mut ids: Vec<u32> = ids.filter_map(|id| u32::try_from(id).ok()).collect();
            ids.sort_unstable();
            super::pinning::list_of(&ids)
        };
        let is = |cpu: &Value, field: &str| cpu.get(field).and_then(Value::as_bool) == Some(true);
        Ok(vec![
            TypedParam::new("vcpus", list(&|_| true)),
            TypedParam::new("online", list(&|cpu| is(cpu, "online"))),
            TypedParam::new("offlinable", list(&|cpu| is(cpu, "can-offline"))),
        ])
    }
}

/// Sets a size in KiB.
fn set_size(tree: &mut Element, name: &str, kib: u64) {
    if tree.child(name).is_none() {
        let behind = |node: &Node| matches!(node, Node::Element(e) if e.name == "memory");
        let at = tree.nodes.iter().position(behind).map_or(tree.nodes.len(), |at| at + 1);
        tree.nodes.insert(at, Node::Element(Element::new(name)));
    }
    if let Some(element) = tree.child_mut(name) {
        element.set("unit", "KiB");
        element.set_text(kib);
    }
}

fn set_current_vcpus(tree: &mut Element, count: u32) {
    let vcpu = tree.child_or_new("vcpu");
    if vcpu.text().trim() == count.to_string() {
        vcpu.unset("current");
    } else {
        vcpu.set("current", count);
    }
}

fn set_max_vcpus(tree: &mut Element, count: u32) -> Result<()> {
    if let Some(topology) = tree.find("cpu/topology") {
        let number = |name: &str| topology.attribute(name).and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
        let product = ["sockets", "dies", "clusters", "cores", "threads"]
            .iter()
            .map(|name| number(name))
            .product::<u32>();
        if product != count {
            return Err(bad("CPU topology doesn't match the desired vcpu count"));
        }
    }
    let vcpu = tree.child_or_new("vcpu");
    let current = vcpu.attribute("current").map_or_else(|| vcpu.text(), str::to_string);
    let current = current.trim().parse::<u32>().unwrap_or(count).min(count);
    vcpu.set_text(count);
    set_current_vcpus(tree, current);
    Ok(())
}

fn set_stats_period(tree: &mut Element, period: u32) -> Result<()> {
    let balloon = tree.child_mut("devices").and_then(|devices| devices.child_mut("memballoon"));
    let balloon = balloon.ok_or_else(|| super::invalid("this domain has no memory balloon"))?;
    balloon.remove("stats");
    if period > 0 {
        balloon.nodes.insert(0, Node::Element(Element::new("stats").with("period", period)));
    }
    Ok(())
}

/// Turns CPUs on or off from within the guest.
fn set_guest_vcpus(guest: &Guest, count: u32) -> Result<()> {
    let cpus = agent::execute(guest, "guest-get-vcpus", Value::Null, None)?;
    let mut left = count;
    let mut wanted = Vec::new();
    let is_fixed = |cpu: &Value| cpu.get("can-offline").and_then(Value::as_bool) != Some(true);
    let mut cpus: Vec<&Value> = cpus.as_array().into_iter().flatten().collect();
    // Those that cannot be turned off count first.
    cpus.sort_by_key(|cpu| (!is_fixed(cpu), cpu.get("logical-id").and_then(Value::as_u64)));
    for cpu in cpus {
        let fixed = is_fixed(cpu);
        let on = fixed || left > 0;
        left = left.saturating_sub(u32::from(on));
        wanted.push(json!({ "logical-id": cpu.get("logical-id"), "online": on }));
    }
    agent::execute(guest, "guest-set-vcpus", json!({ "vcpus": wanted }), None)?;
    Ok(())
}

impl QemuConnection {
    /// Plugs virtual CPUs in or out until there are so many.
    fn plug_vcpus(&self, guest: &Arc<Guest>, count: u32) -> Result<()> {
        let monitor = guest.monitor()?;
        let slots = monitor.query("query-hotpluggable-cpus")?;
        let mut slots: Vec<Value> = slots.as_array().cloned().unwrap_or_default();
        // QEMU lists the last slot first.
        slots.reverse();
        let is_there = |slot: &Value| slot.get("qom-path").is_some();
        let there = slots.iter().filter(|slot| is_there(slot)).count();
        let wanted = count as usize;
        let mut plugged: Vec<(usize, &Value)> = slots.iter().enumerate().collect();
        if wanted > there {
            plugged.retain(|(_, slot)| !is_there(slot));
            for (index, slot) in plugged.into_iter().take(wanted - there) {
                let mut arguments = json!({ "driver": slot.get("type"), "id": format!("vcpu{index}") });
                for (name, value) in slot.get("props").and_then(Value::as_object).into_iter().flatten() {
                    arguments[name] = value.clone();
                }
                monitor.execute("device_add", arguments)?;
            }
        } else {
            plugged.retain(|(_, slot)| is_there(slot));
            for (_, slot) in plugged.iter().rev().take(there - wanted) {
                let path = slot.get("qom-path").and_then(Value::as_str).unwrap_or("");
                let Some(id) = path.strip_prefix("/machine/peripheral/") else {
                    let detail = "failed to find appropriate hotpluggable vcpus to reach the desired target vcpu count";
                    return Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::QEMU));
                };
                monitor.execute("device_del", json!({ "id": id }))?;
                self.wait_for_removal(guest, id, "vcpu")?;
            }
        }
        let cpus = monitor.query("query-cpus-fast")?;
        let threads = crate::qemud::vm::vcpu_threads(&cpus);
        guest.lock().running_mut()?.vcpu_threads = threads;
        edit_live(self.inventory(), guest, |tree| {
            set_current_vcpus(tree, count);
            Ok(())
        })
    }

    /// Waits until the guest has let go of a device.
    pub(super) fn wait_for_removal(&self, guest: &Guest, id: &str, what: &str) -> Result<()> {
        let monitor = guest.monitor()?;
        let gone = || -> Result<bool> {
            let listed = monitor.execute("qom-list", json!({ "path": "/machine/peripheral" }))?;
            let mut listed = listed.as_array().into_iter().flatten();
            Ok(!listed.any(|entry| entry.get("name").and_then(Value::as_str) == Some(id)))
        };
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while std::time::Instant::now() < deadline {
            if gone()? {
                return Ok(());
            }
            // An event of any kind ends the wait early.
            guest.wait_until(std::time::Duration::from_millis(50), |_| None::<()>);
        }
        let detail = format!(
            "{what} unplug request timed out. Unplug result must be manually inspected in the domain"
        );
        let code = if what == "vcpu" { ErrorCode::OPERATION_TIMEOUT } else { ErrorCode::OPERATION_FAILED };
        Err(Error::new(code, detail).from_origin(ErrorOrigin::QEMU))
    }
}
