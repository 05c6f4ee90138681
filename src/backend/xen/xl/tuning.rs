//! Memory and virtual CPUs: of the domain that runs by the toolstack, of its definition by its file.

use super::XlLayer;
use crate::backend::DomainTuning;
use crate::backend::xen::directory::{Domain, check_flags, invalid, not_running};
use crate::backend::xen::native::config::Config;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};

impl XlLayer {
    /// What the flags mean for a domain: its id if the running one is meant, its definition if that is.
    pub(super) fn touched(
        &self,
        domain: &DomainRef,
        flags: u32,
    ) -> Result<(Option<u32>, Option<crate::backend::xen::definitions::Definition>)> {
        let (live, config) = (flags & DOMAIN_AFFECT_LIVE != 0, flags & DOMAIN_AFFECT_CONFIG != 0);
        match self.directory.find(domain)? {
            Domain::Defined(_) if live => Err(invalid("domain is not running")),
            Domain::Defined(definition) => Ok((None, Some(definition))),
            Domain::Running(_, None) if config => {
                Err(invalid("transient domains do not have any persistent config"))
            }
            Domain::Running(running, definition) => {
                let id = (live || !config).then_some(running.id);
                Ok((id, definition.filter(|_| config)))
            }
        }
    }

    fn change_file(
        &self,
        definition: Option<crate::backend::xen::definitions::Definition>,
        change: impl FnOnce(&mut Config) -> Result<()>,
    ) -> Result<()> {
        let Some(mut definition) = definition else { return Ok(()) };
        change(&mut definition.config)?;
        self.directory.definitions().rewrite(&definition)
    }
}

fn mebibytes(kib: u64) -> i64 {
    i64::try_from(kib.div_ceil(1024)).unwrap_or(i64::MAX)
}

fn refused(detail: String) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
}

impl DomainTuning for XlLayer {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        match self.directory.find(domain)? {
            Domain::Running(..) => Err(Error::unsupported("virDomainGetMaxMemory")),
            Domain::Defined(definition) => {
                let memory = definition.config.number("maxmem").or(definition.config.number("memory"));
                Ok(u64::try_from(memory.unwrap_or(0)).unwrap_or(0).saturating_mul(1024))
            }
        }
    }

    fn set_max_memory(&self, domain: &DomainRef, memory: u64) -> Result<()> {
        self.set_memory(domain, memory, DOMAIN_MEM_MAXIMUM)
    }

    fn set_memory(&self, domain: &DomainRef, memory: u64, flags: u32) -> Result<()> {
        let known = DOMAIN_MEM_LIVE | DOMAIN_MEM_CONFIG | DOMAIN_MEM_MAXIMUM;
        check_flags(flags, known, "libxlDomainSetMemoryFlags")?;
        if memory == 0 {
            return Err(refused("memory of 0 KiB is none".to_string()));
        }
        let (live, definition) = self.touched(domain, flags)?;
        let is_maximum = flags & DOMAIN_MEM_MAXIMUM != 0;
        if let Some(id) = live {
            if is_maximum {
                self.toolstack.run(&["mem-max", &id.to_string(), &format!("{memory}k")])?;
            } else {
                self.check_target(id, memory)?;
                self.toolstack.run_long(&["mem-set", &id.to_string(), &format!("{memory}k")])?;
            }
        }
        self.change_file(definition, |config| {
            let current = config.number("memory").unwrap_or(0);
            let most = config.number("maxmem").unwrap_or(current);
            let wanted = mebibytes(memory);
            if is_maximum {
                config.set("maxmem", wanted);
                config.set("memory", current.min(wanted));
            } else if wanted > most {
                return Err(refused("cannot set memory higher than max memory".to_string()));
            } else {
                config.set("maxmem", most);
                config.set("memory", wanted);
            }
            Ok(())
        })
    }

    /// The hypervisor tells of what runs; a definition has none of it.
    fn scheduler_type(&self, domain: &DomainRef) -> Result<(String, i32)> {
        match self.directory.find(domain)? {
            Domain::Running(..) => Err(Error::unsupported("virDomainGetSchedulerType")),
            Domain::Defined(_) => Err(not_running()),
        }
    }

    fn scheduler_parameters(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        let known = DOMAIN_AFFECT_LIVE | TYPED_PARAM_STRING_OKAY;
        check_flags(flags, known, "libxlDomainGetSchedulerParametersFlags")?;
        match self.directory.find(domain)? {
            Domain::Running(..) => Err(Error::unsupported("virDomainGetSchedulerParametersFlags")),
            Domain::Defined(_) => Err(not_running()),
        }
    }

    fn set_scheduler_parameters(&self, domain: &DomainRef, _params: &[TypedParam], flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_AFFECT_LIVE, "libxlDomainSetSchedulerParametersFlags")?;
        match self.directory.find(domain)? {
            Domain::Running(..) => Err(Error::unsupported("virDomainSetSchedulerParametersFlags")),
            Domain::Defined(_) => Err(not_running()),
        }
    }

    fn vcpu_pin_info(
        &self,
        domain: &DomainRef,
        ncpumaps: i32,
        maplen: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        self.defined_pins(domain, ncpumaps, maplen, flags)
    }

    fn pin_vcpu(&self, domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> Result<()> {
        self.pin_defined(domain, vcpu, cpumap, flags)
    }

    fn set_vcpus(&self, domain: &DomainRef, nvcpus: u32, flags: u32) -> Result<()> {
        check_flags(
            flags,
            DOMAIN_VCPU_LIVE | DOMAIN_VCPU_CONFIG | DOMAIN_VCPU_MAXIMUM,
            "libxlDomainSetVcpusFlags",
        )?;
        if nvcpus == 0 {
            return Err(refused("nvcpus is zero".to_string()));
        }
        let is_maximum = flags & DOMAIN_VCPU_MAXIMUM != 0;
        if is_maximum && flags & DOMAIN_VCPU_LIVE != 0 {
            return Err(refused("the maximum of virtual CPUs cannot change while a domain runs".to_string()));
        }
        let flags = if is_maximum { flags | DOMAIN_VCPU_CONFIG } else { flags };
        if flags & DOMAIN_VCPU_LIVE != 0 && matches!(self.directory.find(domain)?, Domain::Defined(_)) {
            return Err(invalid("cannot set vcpus on an inactive domain"));
        }
        let (live, definition) = self.touched(domain, flags)?;
        if live.is_some() {
            let most = self.directory.max_vcpus(domain)?;
            if i64::from(nvcpus) > i64::from(most) {
                let detail = format!(
                    "requested vcpus is greater than max allowable vcpus for the domain: {nvcpus} > {most}"
                );
                return Err(refused(detail));
            }
        }
        if let Some(id) = live {
            // More than the host has is the user's own choice, as with every other way to set them.
            self.toolstack.run(&["vcpu-set", "--ignore-host", &id.to_string(), &nvcpus.to_string()])?;
        }
        self.change_file(definition, |config| {
            let wanted = i64::from(nvcpus);
            let current = config.number("vcpus").unwrap_or(1);
            let most = config.number("maxvcpus").unwrap_or(current);
            if is_maximum {
                config.set("maxvcpus", wanted);
                config.set("vcpus", current.min(wanted));
            } else if wanted > most {
                return Err(refused(format!(
                    "requested vcpus is greater than max allowable vcpus for the domain: {wanted} > {most}"
                )));
            } else {
                config.set("maxvcpus", most);
                config.set("vcpus", wanted);
            }
            Ok(())
        })
    }
}

impl XlLayer {
    /// A guest's balloon cannot grow over what it was made with.
    fn check_target(&self, id: u32, memory: u64) -> Result<()> {
        let Some(store) = self.directory.store() else { return Ok(()) };
        let most = store.read(&format!("/local/domain/{id}/memory/static-max"))?;
        match most.and_then(|value| value.number::<u64>()) {
            Some(most) if memory > most => {
                Err(refused("cannot set memory higher than max memory".to_string()))
            }
            _ => Ok(()),
        }
    }
}
