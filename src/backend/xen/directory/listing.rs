//! Which domains a listing shows.

use super::{Directory, Domain};
use crate::backend::xen::definitions::Definitions;
use crate::error::Result;
use crate::model::DomainRef;
use crate::model::constants::*;
use std::collections::HashSet;

/// The flags that choose by state.
const STATES: u32 = CONNECT_LIST_DOMAINS_RUNNING
    | CONNECT_LIST_DOMAINS_PAUSED
    | CONNECT_LIST_DOMAINS_SHUTOFF
    | CONNECT_LIST_DOMAINS_OTHER;

impl Directory {
    /// All domains that the flags leave, as others name them.
    pub(super) fn listed(&self, flags: u32) -> Result<Vec<DomainRef>> {
        Ok(self.chosen(flags)?.iter().map(Domain::reference).collect())
    }

    /// All domains that the flags leave: those that run by their ids, then the others by name.
    pub(super) fn chosen(&self, flags: u32) -> Result<Vec<Domain>> {
        // What runs is known without a look at the files.
        let only_runs = flags & !STATES == CONNECT_LIST_DOMAINS_ACTIVE;
        let definitions = if only_runs { Vec::new() } else { self.definitions().all() };
        let mut domains = Vec::new();
        let mut active = HashSet::new();
        for running in self.running()? {
            let own = Definitions::of_running(&definitions, running.uuid, &running.name);
            active.extend(own.as_ref().map(|definition| definition.uuid));
            active.insert(running.uuid);
            domains.push(Domain::Running(running, own));
        }
        let resting = definitions.into_iter().filter(|definition| !active.contains(&definition.uuid));
        domains.extend(resting.map(Domain::Defined));
        domains.retain(|domain| self.is_listed(domain, flags));
        Ok(domains)
    }

    /// Whether the flags leave a domain: within each group of flags that is used, one must hold.
    fn is_listed(&self, domain: &Domain, flags: u32) -> bool {
        let (state, is_active, definition, is_control) = match domain {
            Domain::Running(running, definition) => {
                let state = running.figures.as_ref().map_or(DOMAIN_RUNNING, |figures| figures.state().state);
                (state, true, definition.as_ref(), running.is_control())
            }
            Domain::Defined(definition) => (DOMAIN_SHUTOFF, false, Some(definition), false),
        };
        let is_persistent = definition.is_some() || is_control;
        let passes = |yes: u32, no: u32, holds: &dyn Fn() -> bool| {
            let group = flags & (yes | no);
            // Asked only when it matters: some of it means a look at the disk.
            group == 0 || group == (yes | no) || (group == yes) == holds()
        };
        let own_state = match state {
            DOMAIN_RUNNING => CONNECT_LIST_DOMAINS_RUNNING,
            DOMAIN_PAUSED => CONNECT_LIST_DOMAINS_PAUSED,
            DOMAIN_SHUTOFF => CONNECT_LIST_DOMAINS_SHUTOFF,
            _ => CONNECT_LIST_DOMAINS_OTHER,
        };
        let saved =
            || definition.is_some_and(|definition| self.definitions().managed_save(definition.uuid).exists());
        let starts = || definition.is_some_and(|definition| self.definitions().autostarts(definition));
        passes(CONNECT_LIST_DOMAINS_ACTIVE, CONNECT_LIST_DOMAINS_INACTIVE, &|| is_active)
            && passes(CONNECT_LIST_DOMAINS_PERSISTENT, CONNECT_LIST_DOMAINS_TRANSIENT, &|| is_persistent)
            && (flags & STATES == 0 || flags & own_state != 0)
            && passes(CONNECT_LIST_DOMAINS_MANAGEDSAVE, CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, &saved)
            && passes(CONNECT_LIST_DOMAINS_AUTOSTART, CONNECT_LIST_DOMAINS_NO_AUTOSTART, &starts)
            && passes(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, CONNECT_LIST_DOMAINS_NO_SNAPSHOT, &|| false)
            && passes(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, CONNECT_LIST_DOMAINS_NO_CHECKPOINT, &|| false)
    }
}
