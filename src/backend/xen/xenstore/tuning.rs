//! Memory and virtual CPUs as the store has them: what the toolstack wants, and what guests follow.

use super::identity::home;
use super::layer::{XenstoreLayer, not_running};
use super::transaction::Transaction;
use super::value::Value;
use crate::backend::DomainTuning;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::{DOMAIN_MEM_LIVE, DOMAIN_VCPU_LIVE, DOMAIN_VCPU_MAXIMUM};

/// Virtual CPUs that are believed.
const VCPUS_MAX: u32 = 8192;

fn too_much(detail: String) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
}

/// A number among the nodes of a domain.
fn number(transaction: &mut Transaction<'_>, path: &str) -> Result<Option<u64>> {
    Ok(transaction.read(path)?.and_then(|value| value.number()))
}

impl XenstoreLayer {
    /// The numbers of a domain's virtual CPUs and whether each is to be used.
    pub(super) fn vcpus(&self, domain: &DomainRef, operation: &'static str) -> Result<Vec<bool>> {
        let folder = format!("{}/cpu", home(self.to_read(domain, operation)?));
        let names = self.store.directory(&folder)?.ok_or_else(|| Error::unsupported(operation))?;
        let count = vcpu_count(&names);
        let paths: Vec<String> = (0..count).map(|vcpu| format!("{folder}/{vcpu}/availability")).collect();
        let values = self.store.read_many(&paths)?;
        let online =
            |value: Option<Value>| value.and_then(|value| value.text()).is_some_and(|word| word == "online");
        Ok(values.into_iter().map(online).collect())
    }
}

/// How many virtual CPUs a folder names: they are numbered without a gap.
fn vcpu_count(names: &[String]) -> u32 {
    let named = |number: &u32| names.contains(&number.to_string());
    let last = u32::try_from(names.len()).unwrap_or(VCPUS_MAX).min(VCPUS_MAX);
    (0..last).take_while(named).count() as u32
}

impl DomainTuning for XenstoreLayer {
    fn max_memory(&self, domain: &DomainRef) -> Result<u64> {
        let id = self.to_read(domain, "virDomainGetMaxMemory")?;
        let limit = self.store.read(&format!("{}/memory/static-max", home(id)))?;
        limit.and_then(|limit| limit.number()).ok_or_else(|| Error::unsupported("virDomainGetMaxMemory"))
    }

    fn max_vcpus(&self, domain: &DomainRef) -> Result<i32> {
        Ok(i32::try_from(self.vcpus(domain, "virDomainGetMaxVcpus")?.len()).unwrap_or(i32::MAX))
    }

    fn vcpu_count(&self, domain: &DomainRef, flags: u32) -> Result<i32> {
        if flags & !(DOMAIN_VCPU_LIVE | DOMAIN_VCPU_MAXIMUM) != 0 {
            return Err(Error::unsupported("virDomainGetVcpusFlags"));
        }
        let vcpus = self.vcpus(domain, "virDomainGetVcpusFlags")?;
        let all = flags & DOMAIN_VCPU_MAXIMUM != 0;
        let count = vcpus.into_iter().filter(|online| all || *online).count();
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Tells the guest's balloon; the hypervisor's limit stays, so a guest can always shrink and grow back.
    fn set_memory(&self, domain: &DomainRef, memory: u64, flags: u32) -> Result<()> {
        if flags & !DOMAIN_MEM_LIVE != 0 {
            return Err(Error::unsupported("virDomainSetMemoryFlags"));
        }
        self.change(domain, |transaction, id| {
            let home = home(id);
            let limit = number(transaction, &format!("{home}/memory/static-max"))?;
            if limit.is_some_and(|limit| memory > limit) {
                return Err(too_much("cannot set memory higher than max memory".to_string()));
            }
            // The screen's memory is part of what the user counts, and not of what the balloon does.
            let screen = number(transaction, &format!("{home}/memory/videoram"))?.unwrap_or(0);
            let target = memory.saturating_sub(screen);
            transaction.write(&format!("{home}/memory/target"), target.to_string().as_bytes())
        })
    }

    fn set_vcpus(&self, domain: &DomainRef, count: u32, flags: u32) -> Result<()> {
        if flags & !DOMAIN_VCPU_LIVE != 0 {
            return Err(Error::unsupported("virDomainSetVcpusFlags"));
        }
        self.change(domain, |transaction, id| {
            let home = home(id);
            let names = transaction.directory(&format!("{home}/cpu"))?.ok_or_else(not_running)?;
            let most = vcpu_count(&names);
            if count == 0 || count > most {
                let what = format!(
                    "requested vcpus is greater than max allowable vcpus for the domain: {count} > {most}"
                );
                return Err(too_much(what));
            }
            (0..most).try_for_each(|vcpu| {
                let word: &[u8] = if vcpu < count { b"online" } else { b"offline" };
                transaction.write(&format!("{home}/cpu/{vcpu}/availability"), word)
            })
        })
    }
}
