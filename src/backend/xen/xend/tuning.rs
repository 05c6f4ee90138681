//! Memory, and the families of tunables that other files serve.

use super::request::Form;
use super::{XendLayer, cannot, check_flags, invalid, is_for_running};
use crate::backend::DomainTuning;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;

/// What memory is counted in.
const KIB_PER_MIB: u64 = 1024;

impl DomainTuning for XendLayer {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        Ok(self.find(domain)?.info(self.requests.release).max_memory)
    }

    fn set_max_memory(&self, domain: &DomainRef, memory: u64) -> Result<()> {
        self.set_memory(domain, memory, DOMAIN_MEM_MAXIMUM)
    }

    fn set_memory(&self, domain: &DomainRef, memory: u64, flags: u32) -> Result<()> {
        check_flags(
            flags,
            DOMAIN_MEM_LIVE | DOMAIN_MEM_CONFIG | DOMAIN_MEM_MAXIMUM,
            "virDomainSetMemoryFlags",
        )?;
        let described = self.find(domain)?;
        is_for_running(described.is_active(), flags)?;
        let release = self.requests.release;
        let info = described.info(release);
        let size = memory.div_ceil(KIB_PER_MIB);
        if size == 0 {
            return Err(
                Error::invalid_argument("a domain cannot do without memory").from_origin(ErrorOrigin::XEN)
            );
        }
        let (form, field) = if flags & DOMAIN_MEM_MAXIMUM != 0 {
            if size.saturating_mul(KIB_PER_MIB) < info.memory {
                // 3.1 would take it and then fail on every domain; the others take it or say the same in other words.
                return Err(invalid(format!(
                    "maximum memory of {memory} KiB is below the domain's present {} KiB; lower that first",
                    info.memory
                )));
            }
            (Form::new("maxmem_set").with("memory", size), "maxmem")
        } else {
            if size.saturating_mul(KIB_PER_MIB) > info.max_memory && info.max_memory != u64::from(u32::MAX) {
                return Err(Error::invalid_argument(format!(
                    "cannot set memory higher than max memory: {memory} KiB > {} KiB",
                    info.max_memory
                ))
                .from_origin(ErrorOrigin::XEN));
            }
            (Form::new("mem_target_set").with("target", size), "memory")
        };
        if described.file.is_some() {
            return self.redefine(&described, |sxp| {
                sxp.set(field, size);
                Ok(())
            });
        }
        self.ask(&described, &form).map(|_| ())
    }

    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        self.most_vcpus(domain)
    }

    fn set_vcpus(&self, domain: &DomainRef, nvcpus: u32, flags: u32) -> Result<()> {
        self.change_vcpus(domain, nvcpus, flags)
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        self.count_vcpus(domain, flags)
    }

    fn vcpu_info(&self, domain: &DomainRef, maxinfo: i32, maplen: i32) -> Result<(Vec<VcpuInfo>, Vec<u8>)> {
        self.describe_vcpus(domain, maxinfo, maplen)
    }

    fn pin_vcpu(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        self.pin(domain, vcpu, cpumap, flags)
    }

    fn vcpu_pin_info(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        self.pins(domain, ncpumaps, maplen, flags)
    }

    fn scheduler_type(&self, domain: &DomainRef) -> Result<(String, i32)> {
        self.find(domain)?;
        let scheduler = self.scheduler();
        let count = match scheduler.as_str() {
            "credit" => 2,
            "sedf" => 5,
            other => {
                return Err(cannot(
                    "virDomainGetSchedulerType",
                    format!("xend knows nothing of scheduler '{other}'"),
                ));
            }
        };
        Ok((scheduler, count))
    }

    fn scheduler_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        self.read_scheduler(domain, flags)
    }

    fn set_scheduler_parameters(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        self.change_scheduler(domain, params, flags)
    }
}
