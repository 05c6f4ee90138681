//! Memory, CPUs and their limits.

use super::bits::{map_of, numbers_of, parse_ranges};
use super::memory::{Kind, NUMA_MODES, known_parameters};
use super::state::exclusive_impact;
use super::*;
use super::{blkio, cpus, definition, iothreads, memory};
use crate::error::ErrorCode;
use crate::model::constants::*;

/// Both bits of `virDomainModificationImpact`.
const IMPACT: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
/// What a reader of typed parameters may ask for.
const READING: u32 = IMPACT | TYPED_PARAM_STRING_OKAY;

/// As many KiB as this, or more, cannot be counted in bytes.
const MEMORY_END: u64 = i64::MAX as u64 / 1024;

/// The word for a mode's number.
fn numa_mode(mode: &ParamValue) -> Result<&'static str> {
    let known = mode.to_string().parse().ok().and_then(|mode: usize| NUMA_MODES.get(mode).copied());
    known.ok_or_else(|| Error::invalid_argument(format!("unsupported numatune mode: '{mode}'")))
}

/// A list of nodes in its plainest form; no node at all is none.
fn numa_nodes(text: &str) -> Result<String> {
    let nodes = parse_ranges(text)?;
    match nodes.is_empty() {
        true => Err(Error::invalid_operation(format!("Invalid nodeset of 'numatune': {text}"))),
        false => Ok(ranges(&nodes)),
    }
}

impl DomainTuning for TestConnection {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        Ok(definition::max_memory(&self.state().guest(domain)?.current))
    }

    fn set_max_memory(&self, domain: &DomainRef, memory: u64) -> Result<()> {
        self.set_memory(domain, memory, DOMAIN_MEM_MAXIMUM)
    }

    fn set_memory(&self, domain: &DomainRef, memory: u64, flags: u32) -> Result<()> {
        only_flags(flags, IMPACT | DOMAIN_MEM_MAXIMUM, "testDomainSetMemoryFlags")?;
        if memory == 0 {
            return Err(bare("memory in virDomainSetMemoryFlags must not be zero".to_string()));
        }
        exclusive_impact(flags)?;
        if memory >= MEMORY_END {
            return Err(Error::new(ErrorCode::OVERFLOW, format!("input too large: {memory}")));
        }
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let (live, _) = guest.impact(flags)?;
        if flags & DOMAIN_MEM_MAXIMUM != 0 {
            if live {
                let detail = "cannot resize the maximum memory on an active domain";
                return Err(Error::invalid_operation(detail));
            }
            for tree in guest.affected(flags)? {
                memory::set_max(tree, memory);
            }
            return Ok(());
        }
        for tree in guest.affected(flags)? {
            if memory > definition::max_memory(tree) {
                return Err(Error::invalid_argument("cannot set memory higher than max memory"));
            }
            memory::set_current(tree, memory);
        }
        if live {
            self.tell(domain, event::DomainEvent::BalloonChange { actual: memory });
        }
        Ok(())
    }

    fn set_memory_stats_period(&self, domain: &DomainRef, period: i32, flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainSetMemoryStatsPeriod")?;
        let mut state = self.state();
        let affected = state.guest_mut(domain)?.affected(flags)?;
        for tree in affected {
            memory::set_period(tree, period)?;
        }
        Ok(())
    }

    fn memory_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags, READING, "testDomainGetMemoryParameters")?;
        Ok(memory::limits(self.state().guest(domain)?.chosen(flags)?))
    }

    fn set_memory_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainSetMemoryParameters")?;
        let mut state = self.state();
        let mut affected = state.guest_mut(domain)?.affected(flags)?;
        for tree in &affected {
            memory::check_limits(tree, params)?;
        }
        for tree in &mut affected {
            memory::set_limits(tree, params);
        }
        Ok(())
    }

    fn blkio_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags, READING, "testDomainGetBlkioParameters")?;
        Ok(blkio::parameters(self.state().guest(domain)?.chosen(flags)?))
    }

    fn set_blkio_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainSetBlkioParameters")?;
        let changes = blkio::changes(params)?;
        for tree in self.state().guest_mut(domain)?.affected(flags)? {
            blkio::apply(tree, &changes);
        }
        Ok(())
    }

    fn numa_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags, READING, "testDomainGetNumaParameters")?;
        Ok(memory::numa(self.state().guest(domain)?.chosen(flags)?))
    }

    fn set_numa_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainSetNumaParameters")?;
        known_parameters(params, &[("numa_mode", Kind::Int), ("numa_nodeset", Kind::Text)])?;
        exclusive_impact(flags)?;
        let mode = TypedParam::find(params, "numa_mode").map(numa_mode).transpose()?;
        let nodes = TypedParam::find(params, "numa_nodeset").and_then(ParamValue::as_str);
        let nodes = nodes.map(numa_nodes).transpose()?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let (live, _) = guest.impact(flags)?;
        // A mode can be chosen once; without one it is `strict`, which counts as none.
        let present = guest.current.child_attribute("numatune/memory", "mode");
        if live && mode.is_some() && present.is_some_and(|present| mode != Some(present)) {
            let detail = "can't change numatune mode for running domain";
            return Err(Error::invalid_operation(detail));
        }
        for tree in guest.affected(flags)? {
            memory::set_numa(tree, mode, nodes.as_deref())?;
        }
        Ok(())
    }

    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        self.vcpu_count(domain, DOMAIN_AFFECT_LIVE | DOMAIN_VCPU_MAXIMUM)
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        only_flags(flags, IMPACT | DOMAIN_VCPU_MAXIMUM, "testDomainGetVcpusFlags")?;
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        let count = match flags & DOMAIN_VCPU_MAXIMUM {
            0 => definition::vcpus(tree),
            _ => definition::max_vcpus(tree),
        };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    fn set_vcpus(&self, domain: &DomainRef, count: u32, flags: u32) -> Result<()> {
        only_flags(flags, IMPACT | DOMAIN_VCPU_MAXIMUM, "testDomainSetVcpusFlags")?;
        if count > host::VCPUS_MAX {
            let most = host::VCPUS_MAX;
            // The number is shown as C prints it.
            let count = count as i32;
            let detail = format!("requested cpu amount exceeds maximum supported amount ({count} > {most})");
            return Err(Error::invalid_argument(detail));
        }
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let maximum = flags & DOMAIN_VCPU_MAXIMUM != 0;
        let mut affected = guest.affected(flags)?;
        let most = affected.iter().map(|tree| definition::max_vcpus(tree)).min().unwrap_or(0);
        if !maximum && count > most {
            let detail = format!("requested cpu amount exceeds maximum ({count} > {most})");
            return Err(Error::invalid_argument(detail));
        }
        for tree in &mut affected {
            match maximum {
                true => cpus::set_most(tree, count),
                false => cpus::set_count(tree, count),
            }
        }
        Ok(())
    }

    fn vcpu_info(&self, domain: &DomainRef, maxinfo: i32, maplen: i32) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        let state = self.state();
        let guest = state.guest(domain)?;
        if !guest.is_active() {
            return Err(Error::invalid_operation("cannot list vcpus for an inactive domain"));
        }
        let host_cpus = cpus::host_cpus(&state.node);
        let count = definition::vcpus(&guest.current).min(u32::try_from(maxinfo).unwrap_or(0));
        let (seconds, micros) = now();
        let info = |number| {
            let affinity = cpus::vcpu_affinity(&guest.current, number, host_cpus);
            let highest = affinity.iter().rev().find(|cpu| **cpu < host_cpus);
            VcpuInfo {
                number,
                state: VCPU_RUNNING,
                cpu_time: (seconds * 1_000_000 + micros) / 10,
                cpu: highest.and_then(|cpu| i32::try_from(*cpu).ok()).unwrap_or(VCPU_INFO_CPU_OFFLINE),
            }
        };
        let length = usize::try_from(maplen).unwrap_or(0);
        let maps = cpus::affinity_maps(&guest.current, count, host_cpus, length);
        Ok(((0..count).map(info).collect(), maps))
    }

    fn pin_vcpu(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainPinVcpuFlags")?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        if !guest.is_active() {
            return Err(Error::invalid_operation("cannot pin vcpus on an inactive domain"));
        }
        if vcpu >= definition::vcpus(&guest.current) {
            let detail = format!("requested vcpu '{vcpu}' is not present in the domain");
            return Err(Error::invalid_argument(detail));
        }
        cpus::pin(&mut guest.current, "vcpupin", Some(("vcpu", vcpu)), cpumap);
        Ok(())
    }

    fn vcpu_pin_info(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        only_flags(flags, IMPACT, "testDomainGetVcpuPinInfo")?;
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        let count = definition::max_vcpus(tree).min(u32::try_from(ncpumaps).unwrap_or(0));
        let length = usize::try_from(maplen).unwrap_or(0);
        let maps = cpus::affinity_maps(tree, count, cpus::host_cpus(&state.node), length);
        Ok((maps, i32::try_from(count).unwrap_or(i32::MAX)))
    }

    fn pin_emulator(&self, domain: &DomainRef, cpumap: &[u8], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainPinEmulator")?;
        exclusive_impact(flags)?;
        for tree in self.state().guest_mut(domain)?.affected(flags)? {
            cpus::pin(tree, "emulatorpin", None, cpumap);
        }
        Ok(())
    }

    fn emulator_pin_info(&self, domain: &DomainRef, maplen: i32, flags: u32) -> Result<(Vec<u8>, i32)> {
        only_flags(flags, IMPACT, "testDomainGetEmulatorPinInfo")?;
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        let affinity = cpus::emulator_affinity(tree, cpus::host_cpus(&state.node));
        Ok((map_of(&affinity, usize::try_from(maplen).unwrap_or(0)), 1))
    }

    fn scheduler_type(&self, domain: &DomainRef) -> Result<(String, i32)> {
        self.state().guest(domain).map(|_| ("fair".to_string(), 1))
    }

    fn scheduler_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags, 0, "testDomainGetSchedulerParametersFlags")?;
        self.state().guest(domain).map(|_| vec![TypedParam::new("weight", 50u32)])
    }

    fn set_scheduler_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainSetSchedulerParametersFlags")?;
        known_parameters(params, &[("weight", Kind::UInt)])?;
        // A guest that does not exist is scheduled the same with any weight.
        self.state().guest(domain).map(|_| ())
    }

    fn iothread_info(&self, domain: &DomainRef, flags: u32) -> Result<Vec<IoThreadInfo>> {
        only_flags(flags, IMPACT, "testDomainGetIOThreadInfo")?;
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        let length = cpus::host_cpus(&state.node).div_ceil(8);
        let info = |id| IoThreadInfo { id, cpumap: map_of(&cpus::iothread_affinity(tree, id), length) };
        Ok(iothreads::ids(tree).into_iter().map(info).collect())
    }

    fn pin_iothread(&self, domain: &DomainRef, id: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainPinIOThread")?;
        exclusive_impact(flags)?;
        let mut state = self.state();
        let mut affected = state.guest_mut(domain)?.affected(flags)?;
        if numbers_of(cpumap).is_empty() {
            return Err(Error::invalid_argument("no CPUs in the map to pin the IOThread to"));
        }
        if affected.iter().any(|tree| !iothreads::ids(tree).contains(&id)) {
            return Err(Error::invalid_argument(format!("iothreadid {} not found", id as i32)));
        }
        for tree in &mut affected {
            iothreads::pin(tree, id, cpumap);
        }
        Ok(())
    }

    fn add_iothread(&self, domain: &DomainRef, id: u32, flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainAddIOThread")?;
        exclusive_impact(flags)?;
        let mut state = self.state();
        let mut affected = state.guest_mut(domain)?.affected(flags)?;
        affected.iter().try_for_each(|tree| iothreads::expect_free(tree, id))?;
        affected.iter_mut().for_each(|tree| iothreads::add(tree, id));
        Ok(())
    }

    fn del_iothread(&self, domain: &DomainRef, id: u32, flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainDelIOThread")?;
        exclusive_impact(flags)?;
        let mut state = self.state();
        let mut affected = state.guest_mut(domain)?.affected(flags)?;
        affected.iter().try_for_each(|tree| iothreads::expect_known(tree, id))?;
        affected.iter_mut().for_each(|tree| iothreads::remove(tree, id));
        Ok(())
    }

    fn set_iothread_params(
        &self,
        domain: &DomainRef,
        id: u32,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        only_flags(flags, DOMAIN_AFFECT_LIVE, "testDomainSetIOThreadParams")?;
        let names = ["poll_max_ns", "poll_grow", "poll_shrink"];
        let kinds = [Kind::ULLong, Kind::UInt, Kind::UInt];
        let known: Vec<_> = names.into_iter().zip(kinds).collect();
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let (live, _) = guest.impact(flags)?;
        let exists = guest.affected(flags)?.iter().all(|tree| iothreads::ids(tree).contains(&id));
        if !exists {
            return Err(Error::invalid_argument(format!("cannot find IOThread '{id}' in iothreadids")));
        }
        known_parameters(params, &known)?;
        if live {
            let polling = guest.polling.entry(id).or_insert(stats::POLLING);
            for (place, name) in names.iter().enumerate() {
                if let Some(value) = TypedParam::find(params, name).and_then(ParamValue::as_u64) {
                    polling[place] = value;
                }
            }
        }
        Ok(())
    }

    fn perf_events(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        only_flags(flags, READING, "testDomainGetPerfEvents")?;
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        let perf = tree.child("perf");
        let is_on = |name: &str| {
            let mut events = perf.into_iter().flat_map(|perf| perf.children("event"));
            let event = events.find(|event| event.attribute("name") == Some(name));
            event.and_then(|event| event.attribute("enabled")) == Some("yes")
        };
        Ok(PERF_EVENTS.iter().map(|name| TypedParam::new(*name, is_on(name))).collect())
    }

    fn set_perf_events(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        only_flags(flags, IMPACT, "testDomainSetPerfEvents")?;
        known_parameters(params, &PERF_EVENTS.map(|name| (name, Kind::Boolean)))?;
        for tree in self.state().guest_mut(domain)?.affected(flags)? {
            let perf = definition::part(tree, "perf");
            for param in params {
                let name = param.name.as_str();
                perf.retain(|event| event.attribute("name") != Some(name));
                let event = crate::xml::Element::new("event");
                perf.push(event.with("name", name).with("enabled", &param.value));
            }
            let place = |event: &crate::xml::Node| match event {
                crate::xml::Node::Element(event) => {
                    let name = event.attribute("name").unwrap_or_default();
                    PERF_EVENTS.iter().position(|known| *known == name)
                }
                crate::xml::Node::Text(_) => None,
            };
            perf.nodes.sort_by_key(place);
        }
        Ok(())
    }

    fn guest_vcpus(&self, _domain: &DomainRef, _flags: u32) -> Result<Vec<TypedParam>> {
        Err(Error::new(ErrorCode::NO_SUPPORT, "virDomainGetGuestVcpus"))
    }
}
