//! One domain: what it is defined as, and what it is while it runs.

use super::jobs::Jobs;
use super::process::Process;
use super::state::{Happening, Step, step};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, StateReason};
use crate::qemud::qmp::Monitor;
use crate::qemud::store::{GuestStatus, SaveProgress};
use crate::xml::Element;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// A domain, active or not. Shared by all who serve it.
pub struct Guest {
    /// What identifies it.
    pub uuid: Uuid,
    /// Who may change it, and when.
    pub jobs: Jobs,
    condition: Mutex<Condition>,
    changed: Condvar,
}

/// The changing part of a domain, held for moments only: never across a command to QEMU.
pub struct Condition {
    uuid: Uuid,
    /// Its name.
    pub name: String,
    /// The definition that outlives its shutdown; `None` for a transient domain.
    pub persistent: Option<Definition>,
    /// Whether it starts with the helper.
    pub autostart: bool,
    /// Whether there is a managed-save image.
    pub managed_save: bool,
    /// Its state and the reason.
    pub state: StateReason,
    /// What it is while it is active.
    pub active: Option<Active>,
    /// Whether it was taken off the table: nothing may be done with it any more.
    pub gone: bool,
}

/// A definition: its text, and what is asked often enough to be kept apart. The tree would take ten times the room.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The document.
    pub text: Arc<str>,
    /// Its figures.
    pub figures: Figures,
}

/// The figures of a definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The most memory it may have, in KiB.
    pub max_memory: u64,
    /// The memory it is to have, in KiB.
    pub memory: u64,
    /// The most virtual CPUs it may have.
    pub max_vcpus: u32,
    /// The virtual CPUs it is to have.
    pub vcpus: u32,
}

/// An active guest.
pub struct Active {
    /// Its id.
    pub id: u32,
    /// QEMU's process.
    pub process: Arc<Process>,
    /// QEMU's monitor.
    pub monitor: Arc<Monitor>,
    /// What it runs as, with everything only this run has: aliases, ptys, ports.
    pub definition: Definition,
    /// What it would be started from to be the same: no trace of this run, but with devices plugged since.
    pub base: Definition,
    /// Whether its start is complete: before that it belongs to whoever starts it.
    pub started: bool,
    /// Whether QEMU is gone already.
    pub ended: bool,
    /// Why the next stop of its CPUs comes (`virDomainPausedReason`).
    pub expected_stop: Option<i32>,
    /// Why the next resumption comes (`virDomainRunningReason`).
    pub expected_resume: Option<i32>,
    /// Why its end comes (`virDomainShutoffReason`).
    pub expected_end: Option<i32>,
    /// Whether the next power-off is to become a restart.
    pub reboot_pending: bool,
    /// Whether a power-off is being turned into a restart: until it runs again, that it stands still is no pause.
    pub restarting: bool,
    /// Whether it ends with the connection that started it.
    pub autodestroy: bool,
    /// A save under way.
    pub save: Option<SaveProgress>,
    /// The managed-save image it was restored from, until that is removed.
    pub spent_image: Option<PathBuf>,
    /// What QEMU last said of a migration (`MIGRATION`).
    pub migration: Option<String>,
    /// How QEMU's last dump ended (`DUMP_COMPLETED`).
    pub dump: Option<std::result::Result<(), String>>,
    /// Memory the balloon leaves it, in KiB.
    pub balloon: u64,
    /// Whether its agent has opened its channel.
    pub agent_connected: bool,
    /// How long its agent may take, in seconds or as one of the wire's special values.
    pub agent_patience: i32,
    /// Nodes of QEMU's that a mark was set on: the names to tell of it by, and the image's path.
    pub marked_disks: HashMap<String, Vec<(String, String)>>,
    /// Threads of its virtual CPUs, by index; 0 for one that is not there.
    pub vcpu_threads: Vec<i32>,
    /// Commands that undo what was prepared for it.
    pub clean_up: Vec<Vec<String>>,
}

impl Definition {
    /// A definition from its tree.
    pub fn new(tree: &Element) -> Definition {
        Definition { text: Arc::from(tree.to_string()), figures: Figures::of(tree) }
    }

    /// The tree again.
    pub fn tree(&self) -> Result<Element> {
        crate::xml::parse(&self.text, "domain_definition")
    }
}

impl Figures {
    /// Reads the figures of a completed definition.
    pub fn of(tree: &Element) -> Figures {
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
        let max_memory = number(tree.child_text("memory")).unwrap_or(0);
        let max_vcpus = number(tree.child_text("vcpu")).unwrap_or(1);
        let vcpus = number(tree.child_attribute("vcpu", "current").map(str::to_string));
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Figures {
            max_memory,
            memory: number(tree.child_text("currentMemory")).unwrap_or(max_memory),
            max_vcpus: small(max_vcpus),
            vcpus: small(vcpus.unwrap_or(max_vcpus)),
        }
    }
}

impl Guest {
    /// An inactive domain.
    pub fn new(uuid: Uuid, name: &str) -> Guest {
        Guest {
            uuid,
            jobs: Jobs::default(),
            condition: Mutex::new(Condition {
                uuid,
                name: name.to_string(),
                persistent: None,
                autostart: false,
                managed_save: false,
                state: StateReason { state: DOMAIN_SHUTOFF, reason: DOMAIN_SHUTOFF_UNKNOWN },
                active: None,
                gone: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// The condition. A panic elsewhere cannot leave it half changed, so a poisoned lock is still good.
    pub fn lock(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait for a change.
    pub fn announce(&self) {
        self.changed.notify_all();
    }

    /// Waits until `arrived` is content with the condition; `None` when `limit` is over.
    pub fn wait_until<T>(
        &self,
        limit: Duration,
        mut arrived: impl FnMut(&mut Condition) -> Option<T>,
    ) -> Option<T> {
        let deadline = std::time::Instant::now() + limit;
        let mut condition = self.lock();
        loop {
            if let Some(found) = arrived(&mut condition) {
                return Some(found);
            }
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return None;
            }
            let woken = self.changed.wait_timeout(condition, left);
            condition = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The monitor of a guest that runs, or the error that it does not.
    pub fn monitor(&self) -> Result<Arc<Monitor>> {
        let condition = self.lock();
        let active = condition.running()?;
        Ok(active.monitor.clone())
    }
}

impl Condition {
    /// Names the domain.
    pub fn reference(&self) -> DomainRef {
        DomainRef {
            name: self.name.clone(),
            uuid: self.uuid,
            id: self.active.as_ref().filter(|active| active.started).map(|active| active.id),
        }
    }

    /// Whether it is active: its start is complete and its end has not come.
    pub fn is_active(&self) -> bool {
        self.active.as_ref().is_some_and(|active| active.started)
    }

    /// The active guest, or the error that there is none.
    pub fn running(&self) -> Result<&Active> {
        self.active.as_ref().filter(|active| active.started).ok_or_else(not_running)
    }

    /// The active guest, to be changed.
    pub fn running_mut(&mut self) -> Result<&mut Active> {
        self.active.as_mut().filter(|active| active.started).ok_or_else(not_running)
    }

    /// The definition that describes it now: the active one if it is active.
    pub fn current(&self) -> Option<&Definition> {
        match &self.active {
            Some(active) if active.started => Some(&active.definition),
            _ => self.persistent.as_ref(),
        }
    }

    /// Follows an edge of the state machine, if there is one from here.
    pub fn follow(&mut self, happening: Happening) -> Option<Step> {
        let step = step(self.state, happening)?;
        self.state = step.to;
        Some(step)
    }

    /// What a new helper must know of the active guest.
    pub fn status(&self) -> Option<GuestStatus> {
        let active = self.active.as_ref()?;
        Some(GuestStatus {
            name: self.name.clone(),
            uuid: self.uuid,
            id: active.id,
            pid: Some(active.process.pid()),
            start_time: active.process.start_time(),
            state: self.state.state,
            reason: self.state.reason,
            reboot_pending: active.reboot_pending,
            autodestroy: active.autodestroy,
            save: active.save.clone(),
            spent_image: active.spent_image.clone(),
            clean_up: active.clean_up.clone(),
        })
    }
}

impl Active {
    /// A guest whose QEMU has just been started.
    pub fn new(
        id: u32,
        process: Arc<Process>,
        monitor: Arc<Monitor>,
        definition: Definition,
        base: Definition,
    ) -> Active {
        let balloon = definition.figures.max_memory;
        Active {
            id,
            process,
            monitor,
            definition,
            base,
            started: false,
            ended: false,
            expected_stop: None,
            expected_resume: None,
            expected_end: None,
            reboot_pending: false,
            restarting: false,
            autodestroy: false,
            save: None,
            spent_image: None,
            migration: None,
            dump: None,
            balloon,
            agent_connected: false,
            agent_patience: DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK,
            marked_disks: HashMap::new(),
            vcpu_threads: Vec::new(),
            clean_up: Vec::new(),
        }
    }

    /// A fact of the active definition, such as an action of its lifecycle (`on_reboot`).
    pub fn action(&self, element: &str) -> Option<String> {
        self.definition.tree().ok()?.child_text(element)
    }
}

/// The answer to what only makes sense while a guest runs.
pub fn not_running() -> Error {
    Error::invalid_operation("domain is not running").from_origin(ErrorOrigin::QEMU)
}
