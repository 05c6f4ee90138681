//! Pins of virtual CPUs in definitions.

use super::XlLayer;
use crate::backend::xen::directory::{Domain, check_flags, not_running};
use crate::backend::xen::native::config::{Config, Value};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::xml::domain::cpuset;
use std::collections::BTreeSet;

/// How many virtual CPUs a definition has at most.
fn most_vcpus(config: &Config) -> usize {
    let most = config.number("maxvcpus").or(config.number("vcpus")).unwrap_or(1);
    usize::try_from(most).unwrap_or(1).clamp(1, 4096)
}

/// The words for each virtual CPU's place.
fn places(config: &Config) -> Vec<String> {
    let count = most_vcpus(config);
    let mut places = match config.get("cpus") {
        Some(Value::List(_)) => config.list("cpus"),
        Some(value) => vec![value.as_text().unwrap_or_default(); count],
        None => Vec::new(),
    };
    places.resize(count, "all".to_string());
    places
}

/// The host CPUs of a word such as `0-3,^2`; every CPU for what is no set.
fn cpus(place: &str, host: u32) -> BTreeSet<u32> {
    let all = || (0..host).collect();
    match place {
        "" | "all" => all(),
        set => cpuset::parse(set).unwrap_or_else(|_| all()),
    }
}

/// One bit a host CPU.
fn as_map(cpus: &BTreeSet<u32>, length: usize) -> Vec<u8> {
    let mut map = vec![0; length];
    for cpu in cpus {
        if let Some(byte) = map.get_mut(*cpu as usize / 8) {
            *byte |= 1 << (cpu % 8);
        }
    }
    map
}

impl XlLayer {
    /// The pins of a definition; what runs is left to the hypervisor.
    pub(super) fn defined_pins(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        check_flags(flags, DOMAIN_VCPU_LIVE | DOMAIN_VCPU_CONFIG, "libxlDomainGetVcpuPinInfo")?;
        let definition = match self.directory.find(domain)? {
            Domain::Defined(_) if flags & DOMAIN_VCPU_LIVE != 0 => {
                return Err(Error::invalid_operation("cannot get vcpupin for offline domain"));
            }
            Domain::Defined(definition) => definition,
            Domain::Running(_, Some(definition)) if flags & DOMAIN_VCPU_CONFIG != 0 => definition,
            Domain::Running(..) => return Err(Error::unsupported("virDomainGetVcpuPinInfo")),
        };
        let length = usize::try_from(maplen).unwrap_or(0).min(1024);
        let wanted = usize::try_from(ncpumaps).unwrap_or(0);
        let host = self.directory.host_cpus().unwrap_or(u32::try_from(length * 8).unwrap_or(8));
        let places = places(&definition.config);
        let maps: Vec<Vec<u8>> =
            places.iter().take(wanted).map(|place| as_map(&cpus(place, host), length)).collect();
        let count = i32::try_from(maps.len()).unwrap_or(i32::MAX);
        Ok((maps.concat(), count))
    }

    /// Writes a pin into a definition, and pins what runs if that is meant too.
    pub(super) fn pin_defined(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG, "libxlDomainPinVcpuFlags")?;
        let (live, definition) = self.touched(domain, flags)?;
        if live.is_none() && flags & DOMAIN_AFFECT_CONFIG == 0 {
            return Err(not_running());
        }
        let Some(mut definition) = definition else {
            return Err(Error::unsupported("virDomainPinVcpuFlags"));
        };
        let set: BTreeSet<u32> = (0u32..)
            .zip(cpumap.iter())
            .flat_map(|(at, byte)| {
                (0..8).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at * 8 + bit)
            })
            .collect();
        let mut places = places(&definition.config);
        let place = places.get_mut(vcpu as usize).filter(|_| !set.is_empty());
        let place = place.ok_or_else(|| {
            Error::invalid_argument(format!("vcpu '{vcpu}' is out of range, or has no CPU to run on"))
                .from_origin(ErrorOrigin::XEN)
        })?;
        *place = cpuset::format(&set);
        if let Some(id) = live {
            let (id, vcpu) = (id.to_string(), vcpu.to_string());
            self.toolstack.run(&["vcpu-pin", &id, &vcpu, &cpuset::format(&set)])?;
        }
        definition.config.set("cpus", places);
        self.directory.definitions().rewrite(&definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_virtual_cpu_has_a_place() {
        let config = Config::parse("vcpus = 1\nmaxvcpus = 3\ncpus = ['0', '1-2']\n");
        assert_eq!(places(&config), ["0", "1-2", "all"]);
        assert_eq!(as_map(&cpus("1-2", 4), 1), [0b110]);
        assert_eq!(as_map(&cpus("all", 10), 2), [0xff, 0b11]);
        assert_eq!(places(&Config::parse("vcpus = 2\ncpus = '0-3'\n")), ["0-3", "0-3"]);
    }
}
