//! Virtual CPUs: how many, how they fare, and where they may run.

use super::domains::Described;
use super::request::{Form, no_answer};
use super::{XendLayer, cannot, check_flags, is_for_running};
use crate::backend::xen::native::{describe, request};
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, VcpuInfo};
use std::collections::BTreeSet;

/// The most virtual CPUs xend gives a domain; the hypervisors of its time had no more.
pub(super) const MOST: i32 = 32;

impl XendLayer {
    /// The most virtual CPUs a running domain may have; for one that does not run, what xend can give.
    pub(super) fn most_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        let described = self.find(domain)?;
        let (most, _) = describe::vcpus(&described.sxp);
        Ok(if described.is_active() { i32::try_from(most).unwrap_or(MOST) } else { MOST })
    }

    /// How many virtual CPUs a domain has or may have.
    pub(super) fn count_vcpus(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        let known = DOMAIN_VCPU_LIVE | DOMAIN_VCPU_CONFIG | DOMAIN_VCPU_MAXIMUM;
        check_flags(flags, known, "virDomainGetVcpusFlags")?;
        let mut described = self.find(domain)?;
        if flags & DOMAIN_VCPU_LIVE != 0 && !described.is_active() {
            return Err(super::not_running());
        }
        if flags & DOMAIN_VCPU_CONFIG != 0 {
            if !self.is_managed(&described) {
                return Err(super::invalid("cannot change persistent config of a transient domain"));
            }
            described = self.stored(&described);
            described.sxp.unset("domid");
        }
        let (most, online) = describe::vcpus(&described.sxp);
        Ok(i32::try_from(if flags & DOMAIN_VCPU_MAXIMUM != 0 { most } else { online }).unwrap_or(MOST))
    }

    /// Changes how many virtual CPUs a domain has or may have.
    pub(super) fn change_vcpus(&self, domain: &DomainRef, count: u32, flags: u32) -> Result<()> {
        let known = DOMAIN_VCPU_LIVE | DOMAIN_VCPU_CONFIG | DOMAIN_VCPU_MAXIMUM;
        check_flags(flags, known, "virDomainSetVcpusFlags")?;
        let described = self.find(domain)?;
        let running = is_for_running(described.is_active(), flags)?;
        let maximum = flags & DOMAIN_VCPU_MAXIMUM != 0;
        if count == 0 {
            return Err(Error::invalid_argument("a domain cannot do without a virtual CPU")
                .from_origin(ErrorOrigin::XEN));
        }
        let (most, _) = describe::vcpus(&described.sxp);
        let too_many = |most: u32, of: &str| {
            let detail =
                format!("requested vcpus is greater than max allowable vcpus for the {of}: {count} > {most}");
            Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN))
        };
        match (running, maximum) {
            (true, true) => Err(super::invalid("the maximum of a running domain cannot be changed")),
            // Up to 3.3 xend says yes to more and does nothing.
            (true, false) if count > most => too_many(most, "live domain"),
            (true, false) => self.ask(&described, &Form::new("set_vcpus").with("vcpus", count)).map(|_| ()),
            (false, true) if i64::from(count) > i64::from(MOST) => too_many(MOST as u32, "domain"),
            // Asked for it by name, 3.1 changes the mask of those in use and leaves the maximum.
            (false, true) => self.redefine(&described, |sxp| {
                let online = describe::vcpus(sxp).1;
                sxp.set("vcpus", count);
                resize_pins(sxp, count);
                sxp.set("vcpu_avail", mask_of(if online < most { online.min(count) } else { count }));
                Ok(())
            }),
            (false, false) if count > most => too_many(most, "persistent domain"),
            (false, false) => self.redefine(&described, |sxp| {
                sxp.set("vcpu_avail", mask_of(count));
                Ok(())
            }),
        }
    }

    /// What xend says of a domain's virtual CPUs: `(domain … (vcpu (number 0) …) …)`.
    fn read_vcpus(&self, described: &Described) -> Result<Sxp> {
        let info = self.requests.read_domain(self.key(described), "?op=vcpuinfo")?;
        info.ok_or_else(|| no_answer("vcpuinfo"))
    }

    /// How each virtual CPU of a running domain fares, and where it may run.
    pub(super) fn describe_vcpus(
        &self,
        domain: &DomainRef,
        most: i32,
        length: i32,
    ) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        let described = self.find_running(domain)?;
        let info = self.read_vcpus(&described)?;
        let (mut vcpus, mut maps) = (Vec::new(), Vec::new());
        for vcpu in info.all("vcpu").take(usize::try_from(most).unwrap_or(0)) {
            let is = |name| vcpu.number(name) == Some(1);
            let online = is("online");
            let state = match (online, is("running"), is("blocked")) {
                (false, ..) => VCPU_OFFLINE,
                (true, false, true) => VCPU_BLOCKED,
                _ => VCPU_RUNNING,
            };
            let cpu =
                vcpu.number("cpu").and_then(|cpu| i32::try_from(cpu).ok()).filter(|cpu| online && *cpu >= 0);
            vcpus.push(VcpuInfo {
                number: vcpu.number("number").and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
                state,
                cpu_time: vcpu.nanoseconds("cpu_time").unwrap_or(0),
                cpu: cpu.unwrap_or(VCPU_INFO_CPU_OFFLINE),
            });
            maps.extend(cpu_map(&cpus_of(vcpu), length));
        }
        Ok((vcpus, maps))
    }

    /// Where each virtual CPU may run, running or not.
    pub(super) fn pins(
        &self,
        domain: &DomainRef,
        count: i32,
        length: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        check_flags(flags, DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG, "virDomainGetVcpuPinInfo")?;
        let described = self.find(domain)?;
        if flags & DOMAIN_AFFECT_LIVE != 0 && !described.is_active() {
            return Err(super::not_running());
        }
        let count = usize::try_from(count).unwrap_or(0);
        let sets: Vec<BTreeSet<u32>> = if described.is_active() {
            self.read_vcpus(&described)?.all("vcpu").take(count).map(cpus_of).collect()
        } else {
            let (most, _) = describe::vcpus(&described.sxp);
            let everywhere: BTreeSet<u32> = (0..self.host_cpus()).collect();
            let pins = pins_of(&described.sxp);
            let pin = |number: usize| {
                let pin = pins.get(number).or(pins.last().filter(|_| pins.len() == 1)).cloned();
                pin.filter(|pin| !pin.is_empty()).unwrap_or_else(|| everywhere.clone())
            };
            (0..count.min(most as usize)).map(pin).collect()
        };
        let maps = sets.iter().flat_map(|set| cpu_map(set, length)).collect();
        Ok((maps, i32::try_from(sets.len()).unwrap_or(0)))
    }

    /// Ties a virtual CPU to host CPUs.
    pub(super) fn pin(&self, domain: &DomainRef, vcpu: u32, map: &[u8], flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG, "virDomainPinVcpuFlags")?;
        let described = self.find(domain)?;
        is_for_running(described.is_active(), flags)?;
        let release = self.requests.release;
        if !release.pins() {
            let why = format!(
                "xend {release} takes every list of CPUs that comes over HTTP for all of them, and would unpin the CPU"
            );
            return Err(cannot("virDomainPinVcpuFlags", why));
        }
        let (most, _) = describe::vcpus(&described.sxp);
        if vcpu >= most {
            let detail = format!("vcpu {vcpu} is out of range of the domain's {most}");
            return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN));
        }
        let cpus: BTreeSet<u32> = bits(map).filter(|cpu| *cpu < self.host_cpus()).collect();
        if cpus.is_empty() {
            let detail = "no CPU of this host is in the list";
            return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN));
        }
        let form = Form::new("pincpu").with("vcpu", vcpu).with("cpumap", request::cpu_list(&cpus));
        self.ask(&described, &form).map(|_| ())
    }

    /// How many CPUs the host has.
    fn host_cpus(&self) -> u32 {
        self.requests.node.number("nr_cpus").and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
    }
}

/// The mask that says that the first `count` virtual CPUs are in use.
fn mask_of(count: u32) -> u128 {
    (1_u128 << count.min(127)) - 1
}

/// Makes the list of host CPUs, one for each virtual CPU in later releases, fit another number of these.
fn resize_pins(sxp: &mut Sxp, count: u32) {
    let Some(Sxp::List(pins)) = sxp.child("cpus").and_then(Sxp::value).cloned() else {
        return;
    };
    if pins.iter().all(|pin| matches!(pin, Sxp::List(_))) {
        let mut pins = pins;
        pins.resize(count as usize, Sxp::List(Vec::new()));
        sxp.unset("cpus");
        sxp.push(Sxp::list("cpus", [Sxp::List(pins)]));
    }
}

/// The host CPUs in `(cpumap (0 1))`.
fn cpus_of(vcpu: &Sxp) -> BTreeSet<u32> {
    vcpu.child("cpumap").and_then(Sxp::value).map(numbers).unwrap_or_default()
}

fn numbers(list: &Sxp) -> BTreeSet<u32> {
    list.items().iter().filter_map(Sxp::text).filter_map(|text| text.parse().ok()).collect()
}

/// The host CPUs in a definition's `(cpus …)`, one set for all or one for each.
fn pins_of(domain: &Sxp) -> Vec<BTreeSet<u32>> {
    match domain.child("cpus").and_then(Sxp::value) {
        Some(Sxp::List(items)) if items.iter().all(|item| matches!(item, Sxp::List(_))) => {
            items.iter().map(numbers).collect()
        }
        Some(list @ Sxp::List(_)) => vec![numbers(list)],
        _ => Vec::new(),
    }
}

/// A map of `length` bytes, one bit a CPU.
fn cpu_map(cpus: &BTreeSet<u32>, length: i32) -> Vec<u8> {
    let mut map = vec![0; usize::try_from(length).unwrap_or(0)];
    for cpu in cpus {
        if let Some(byte) = map.get_mut(*cpu as usize / 8) {
            *byte |= 1 << (cpu % 8);
        }
    }
    map
}

/// The CPUs of a map.
fn bits(map: &[u8]) -> impl Iterator<Item = u32> {
    let set = |(place, byte): (usize, &u8)| {
        let byte = *byte;
        (0..8_u32).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| place as u32 * 8 + bit)
    };
    map.iter().enumerate().flat_map(set)
}
