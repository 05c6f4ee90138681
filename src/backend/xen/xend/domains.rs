//! What xend says of its domains, and finding one among them.

use super::XendLayer;
use super::release::Release;
use super::request::Form;
use crate::backend::xen::definitions::Definition;
use crate::backend::xen::native::describe::{self, active_id};
use crate::backend::xen::sxp::{Sxp, read_answer};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainInfo, DomainRef, StateReason};
use uuid::Uuid;

/// What a description says of a domain that runs and no definition holds.
const OF_THE_MOMENT: &[&str] = &[
    "domid",
    "state",
    "status",
    "shutdown_reason",
    "start_time",
    "cpu_time",
    "up_time",
    "online_vcpus",
    "store_mfn",
    "console_mfn",
];

/// A domain as xend described it a moment ago.
#[derive(Clone, Debug)]
pub struct Described {
    /// `(domain …)`.
    pub sxp: Sxp,
    /// Who it is.
    pub reference: DomainRef,
    /// The file that says so of a domain that xend has not heard of.
    pub file: Option<Definition>,
}

impl Described {
    /// Reads the name, uuid and id off a description; `None` if it has none.
    fn of(sxp: Sxp) -> Option<Described> {
        let name = sxp.get("name")?;
        let uuid = Uuid::try_parse(&sxp.get("uuid")?).ok()?;
        let reference = DomainRef { name, uuid, id: active_id(&sxp) };
        Some(Described { sxp, reference, file: None })
    }

    /// Whether it runs, paused included.
    pub fn is_active(&self) -> bool {
        self.reference.id.is_some()
    }

    /// Whether it is the domain that runs the host.
    pub fn is_host(&self) -> bool {
        self.reference.id == Some(0)
    }

    /// What of it can be told to xend again.
    pub fn definition(&self) -> Sxp {
        let mut definition = self.sxp.clone();
        for gone in OF_THE_MOMENT.iter().filter(|_| self.is_active()) {
            definition.unset(gone);
        }
        definition.drop_repeated();
        definition
    }

    /// Its state. A status above four says that it crashed, in releases that have a number for it.
    pub fn state(&self, release: Release) -> StateReason {
        let status = self.sxp.number("status");
        let flags = self.sxp.get("state").unwrap_or_default();
        let (state, reason) = match status {
            _ if !self.is_active() && status == Some(3) => (DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_SAVED),
            _ if !self.is_active() => (DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_UNKNOWN),
            Some(5) if release.has_crashed_status() => (DOMAIN_CRASHED, DOMAIN_CRASHED_UNKNOWN),
            _ if flags.contains('c') => (DOMAIN_CRASHED, DOMAIN_CRASHED_UNKNOWN),
            _ if flags.contains('d') || flags.contains('s') => (DOMAIN_SHUTDOWN, DOMAIN_SHUTDOWN_UNKNOWN),
            _ if flags.contains('p') => (DOMAIN_PAUSED, DOMAIN_PAUSED_UNKNOWN),
            Some(1) if !flags.contains('r') && !flags.contains('b') => (DOMAIN_PAUSED, DOMAIN_PAUSED_UNKNOWN),
            _ if flags.contains('?') => (DOMAIN_NOSTATE, DOMAIN_NOSTATE_UNKNOWN),
            _ => (DOMAIN_RUNNING, DOMAIN_RUNNING_UNKNOWN),
        };
        StateReason { state, reason }
    }

    /// Its figures.
    pub fn info(&self, release: Release) -> DomainInfo {
        let kib = |mib: i64| u64::try_from(mib).unwrap_or(0).saturating_mul(1024);
        let (most, present) = describe::memory(&self.sxp);
        let has_no_limit = self.sxp.number("maxmem").is_some_and(|most| most >= describe::UNLIMITED);
        let (_, vcpus) = describe::vcpus(&self.sxp);
        DomainInfo {
            state: u8::try_from(self.state(release).state).unwrap_or(0),
            // The number that stands for "no limit".
            max_memory: if has_no_limit { u64::from(u32::MAX) } else { kib(most.max(present)) },
            memory: kib(present),
            vcpus: u16::try_from(vcpus).unwrap_or(u16::MAX),
            cpu_time: self.sxp.nanoseconds("cpu_time").unwrap_or(0),
        }
    }
}

fn unknown(detail: String) -> Error {
    Error::new(ErrorCode::NO_DOMAIN, detail).from_origin(ErrorOrigin::XEN)
}

impl XendLayer {
    /// All domains: those that run, however they are, and those that do not.
    pub(super) fn all(&self) -> Result<Vec<Described>> {
        // The older releases show all that run here, the others only those that are not paused or worse.
        let shown = self.requests.read("/xend/domain?detail=1")?;
        let shown = shown.map(|list| list.items().to_vec()).unwrap_or_default();
        let mut found: Vec<Described> = shown.into_iter().filter_map(Described::of).collect();
        if self.requests.release.manages_domains() {
            let names = self.requests.read("/xend/domain?state=all")?;
            let names: Vec<String> = names.iter().flat_map(Sxp::items).filter_map(Sxp::text).collect();
            for name in names.into_iter().filter(|name| !name.is_empty()) {
                if found.iter().any(|known| known.reference.name == name) {
                    continue;
                }
                // One that is gone by now is none.
                let described = self.requests.read_domain(&name, "?detail=1")?.and_then(Described::of);
                found.extend(
                    described.filter(|new| found.iter().all(|old| old.reference.uuid != new.reference.uuid)),
                );
            }
        }
        found.extend(self.resting(&found));
        Ok(found)
    }

    /// The domain with a name.
    pub(super) fn by_name(&self, name: &str) -> Result<Option<Described>> {
        let described = self.requests.read_domain(name, "?detail=1")?.and_then(Described::of);
        // A number is also taken for an id, and a uuid for one.
        match described.filter(|described| described.reference.name == name) {
            Some(described) => Ok(Some(described)),
            None if self.files.is_none() => Ok(None),
            None => Ok(self.all()?.into_iter().find(|known| known.reference.name == name)),
        }
    }

    /// The domain with a uuid.
    pub(super) fn by_uuid(&self, uuid: Uuid) -> Result<Option<Described>> {
        let described = match self.requests.release.manages_domains() {
            true => self.requests.read_domain(uuid, "?detail=1")?.and_then(Described::of),
            false => None,
        };
        match described.filter(|described| described.reference.uuid == uuid) {
            Some(described) => Ok(Some(described)),
            None if self.requests.release.manages_domains() => Ok(None),
            None => Ok(self.all()?.into_iter().find(|known| known.reference.uuid == uuid)),
        }
    }

    /// The running domain with an id.
    pub(super) fn by_id(&self, id: u32) -> Result<Option<Described>> {
        let described = self.requests.read_domain(id, "?detail=1")?.and_then(Described::of);
        match described.filter(|described| described.reference.id == Some(id)) {
            Some(described) => Ok(Some(described)),
            // A domain whose name is this number stands before it.
            None => Ok(self.all()?.into_iter().find(|known| known.reference.id == Some(id))),
        }
    }

    /// The domain of a reference, read anew.
    pub(super) fn find(&self, domain: &DomainRef) -> Result<Described> {
        // By its name first where only that leads to it in one step.
        let named = match self.requests.release.manages_domains() {
            true => None,
            false => self.by_name(&domain.name)?.filter(|named| named.reference.uuid == domain.uuid),
        };
        let found = match named {
            Some(named) => Some(named),
            None => self.by_uuid(domain.uuid)?,
        };
        let found = found.ok_or_else(|| {
            unknown(format!("no domain with matching uuid '{}' ({})", domain.uuid, domain.name))
        })?;
        found.must_be_read()?;
        Ok(found)
    }

    /// The domain of a reference, if it runs.
    pub(super) fn find_running(&self, domain: &DomainRef) -> Result<Described> {
        let described = self.find(domain)?;
        if described.is_active() { Ok(described) } else { Err(super::not_running()) }
    }

    /// What xend calls a domain so that no other can be meant.
    pub(super) fn key(&self, described: &Described) -> String {
        match self.requests.release.manages_domains() {
            true => described.reference.uuid.to_string(),
            false => described.reference.name.clone(),
        }
    }

    /// Asks for something of a domain that was just found.
    pub(super) fn ask(&self, described: &Described, form: &Form) -> Result<Option<Sxp>> {
        if described.file.is_some() {
            return Err(super::not_running());
        }
        self.requests.ask_domain(self.key(described), form)
    }

    /// Whether a domain's definition outlives its run. xend does not tell; its files do.
    pub(super) fn is_managed(&self, described: &Described) -> bool {
        let folder = self.managed.join(described.reference.uuid.to_string());
        let managed = self.requests.release.manages_domains() && folder.join("config.sxp").exists();
        managed || !described.is_active() || described.is_host() || self.file_of(described).is_some()
    }

    /// What a domain will be at its next start. Of one that runs, xend tells only what it is now; its file tells.
    pub(super) fn stored(&self, described: &Described) -> Described {
        let path = self.managed.join(described.reference.uuid.to_string()).join("config.sxp");
        let kept = || read_answer(&std::fs::read(path).ok()?).ok().flatten();
        let is_it = |kept: &Sxp| kept.get("name").is_some_and(|name| name == described.reference.name);
        match described.is_active().then(kept).flatten().filter(is_it) {
            Some(sxp) => {
                let reference = DomainRef { id: None, ..described.reference.clone() };
                Described { sxp, reference, file: None }
            }
            None => self.next_of_file(described).unwrap_or_else(|| described.clone()),
        }
    }

    /// Whether a domain is to start with xend, or with the host.
    pub(super) fn starts_by_itself(&self, described: &Described) -> bool {
        match self.file_of(described) {
            Some((files, definition)) => files.autostarts(&definition),
            None => described.sxp.get("on_xend_start").as_deref() == Some("start"),
        }
    }

    /// Changes the stored definition of a domain, as [`XendLayer::stored`] or a look at one that does not run tells it.
    pub(super) fn redefine(
        &self,
        described: &Described,
        change: impl FnOnce(&mut Sxp) -> Result<()>,
    ) -> Result<()> {
        let mut changed = described.definition();
        change(&mut changed)?;
        if let Some(definition) = &described.file {
            return self.rewrite_file(definition, &changed);
        }
        self.requests.ask(&Form::new("new").with_config(&changed)).map(|_| ())
    }

    /// The error for a name nobody has.
    pub(super) fn no_such_name(name: &str) -> Error {
        unknown(format!("no domain with matching name '{name}'"))
    }

    /// The error for a uuid nobody has.
    pub(super) fn no_such_uuid(uuid: Uuid) -> Error {
        unknown(format!("no domain with matching uuid '{uuid}'"))
    }

    /// The error for an id nobody has.
    pub(super) fn no_such_id(id: i32) -> Error {
        unknown(format!("no domain with matching id {id}"))
    }
}
