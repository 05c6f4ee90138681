//! How many virtual CPUs domains have: those that run by the hypervisor, the others by their definitions.

use super::{Directory, Domain, check_flags, invalid};
use crate::backend::DomainTuning;
use crate::backend::xen::native::config::Config;
use crate::error::{Error, Result};
use crate::model::DomainRef;
use crate::model::constants::*;

impl DomainTuning for Directory {
    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        match self.find(domain)? {
            Domain::Running(running, _) => match running.figures {
                Some(figures) => Ok(i32::try_from(figures.vcpus).unwrap_or(i32::MAX)),
                None => Err(Error::unsupported("virDomainGetMaxVcpus")),
            },
            Domain::Defined(_) => Err(invalid("Domain is not running")),
        }
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        check_flags(
            flags,
            DOMAIN_VCPU_LIVE | DOMAIN_VCPU_CONFIG | DOMAIN_VCPU_MAXIMUM,
            "libxlDomainGetVcpusFlags",
        )?;
        let wants_most = flags & DOMAIN_VCPU_MAXIMUM != 0;
        let of_config = |config: &Config| {
            let current = config.number("vcpus").unwrap_or(1);
            let most = config.number("maxvcpus").unwrap_or(current);
            i32::try_from(if wants_most { most } else { current }).unwrap_or(1)
        };
        match self.find(domain)? {
            Domain::Defined(_) if flags & DOMAIN_VCPU_LIVE != 0 => Err(invalid("Domain is not running")),
            Domain::Defined(definition) => Ok(of_config(&definition.config)),
            Domain::Running(_, Some(definition)) if flags & DOMAIN_VCPU_CONFIG != 0 => {
                Ok(of_config(&definition.config))
            }
            Domain::Running(running, None) if flags & DOMAIN_VCPU_CONFIG != 0 && !running.is_control() => {
                Err(invalid("domain is transient"))
            }
            Domain::Running(running, _) => match running.figures {
                Some(figures) => {
                    let count = if wants_most { figures.vcpus } else { figures.online_vcpus };
                    Ok(i32::try_from(count).unwrap_or(i32::MAX))
                }
                None => Err(Error::unsupported("virDomainGetVcpusFlags")),
            },
        }
    }
}
