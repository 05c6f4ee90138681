//! Defining, starting, stopping and forgetting domains.

use super::change::{edit_config, edit_live, impact};
use super::starting::Boot;
use super::{QemuConnection, check_flags, invalid};
use crate::backend::DomainLifecycle;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::qemud::define::check_actions;
use crate::qemud::store::{Paths, remove_durably};
use crate::qemud::vm::agent;
use crate::qemud::vm::guest::{Definition, Guest};
use crate::qemud::vm::save::{go_on, halt};
use crate::qemud::vm::stop;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

impl DomainLifecycle for QemuConnection {
    fn define_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        check_flags(flags, DOMAIN_DEFINE_VALIDATE, "virDomainDefineXMLFlags")?;
        let tree = self.complete(xml)?;
        let (name, uuid) = identity(&tree)?;
        let inventory = self.inventory();
        let _naming = inventory.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.claim(&name, uuid)?;
        inventory.store.save_definition(&name, &tree)?;
        let definition = Some(Definition::new(&tree));
        let (reference, detail) = match known {
            Some(guest) => {
                let mut condition = guest.lock();
                let existed = condition.persistent.is_some();
                condition.persistent = definition;
                let detail = if existed { DOMAIN_EVENT_DEFINED_UPDATED } else { DOMAIN_EVENT_DEFINED_ADDED };
                (condition.reference(), detail)
            }
            None => {
                let guest = Arc::new(Guest::new(uuid, &name));
                guest.lock().persistent = definition;
                let reference = guest.lock().reference();
                inventory.insert(guest, &name);
                (reference, DOMAIN_EVENT_DEFINED_ADDED)
            }
        };
        inventory.tell_lifecycle(reference.clone(), (DOMAIN_EVENT_DEFINED, detail));
        Ok(reference)
    }

    fn create_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        let known =
            DOMAIN_START_PAUSED | DOMAIN_START_AUTODESTROY | DOMAIN_START_VALIDATE | DOMAIN_START_RESET_NVRAM;
        check_flags(flags, known, "virDomainCreateXML")?;
        let tree = self.complete(xml)?;
        let boot = Boot::from_flags(flags);
        self.create_transient(&tree, |guest, turn| self.boot(guest, turn, &Definition::new(&tree), &boot))
    }

    fn create(&self, domain: &DomainRef, flags: u32) -> Result<DomainRef> {
        let known = DOMAIN_START_PAUSED
            | DOMAIN_START_AUTODESTROY
            | DOMAIN_START_BYPASS_CACHE
            | DOMAIN_START_FORCE_BOOT
            | DOMAIN_START_RESET_NVRAM;
        check_flags(flags, known, "virDomainCreateWithFlags")?;
        let guest = self.find(domain)?;
        self.start(&guest, flags)?;
        Ok(guest.lock().reference())
    }

    fn undefine(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        let known = DOMAIN_UNDEFINE_MANAGED_SAVE
            | DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | DOMAIN_UNDEFINE_NVRAM
            | DOMAIN_UNDEFINE_KEEP_NVRAM
            | DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | DOMAIN_UNDEFINE_TPM
            | DOMAIN_UNDEFINE_KEEP_TPM;
        check_flags(flags, known, "virDomainUndefineFlags")?;
        let guest = self.find(domain)?;
        self.forget(&guest, flags)
    }

    fn destroy(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_DESTROY_GRACEFUL | DOMAIN_DESTROY_REMOVE_LOGS, "virDomainDestroyFlags")?;
        let guest = self.find(domain)?;
        let name = guest.lock().name.clone();
        stop::stop(&guest, DOMAIN_SHUTOFF_DESTROYED, flags & DOMAIN_DESTROY_GRACEFUL != 0)?;
        if flags & DOMAIN_DESTROY_REMOVE_LOGS != 0 {
            remove_durably(&self.inventory().store.paths.log(&name))?;
        }
        Ok(())
    }

    fn shutdown(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        let known = DOMAIN_SHUTDOWN_ACPI_POWER_BTN | DOMAIN_SHUTDOWN_GUEST_AGENT;
        check_flags(flags, known, "virDomainShutdownFlags")?;
        let guest = self.find(domain)?;
        self.power_down(&guest, flags & DOMAIN_SHUTDOWN_GUEST_AGENT != 0, flags == 0, false)
    }

    fn reboot(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        let known = DOMAIN_REBOOT_ACPI_POWER_BTN | DOMAIN_REBOOT_GUEST_AGENT;
        check_flags(flags, known, "virDomainReboot")?;
        let guest = self.find(domain)?;
        self.power_down(&guest, flags & DOMAIN_REBOOT_GUEST_AGENT != 0, flags == 0, true)
    }

    fn reset(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainReset")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainReset")?;
        guest.monitor()?.query("system_reset")?;
        Ok(())
    }

    fn suspend(&self, domain: &DomainRef) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSuspend")?;
        let monitor = guest.monitor()?;
        let state = guest.lock().state.state;
        match state {
            DOMAIN_PMSUSPENDED => Err(invalid("domain is pmsuspended")),
            DOMAIN_PAUSED => Ok(()),
            _ => halt(&guest, &monitor, DOMAIN_PAUSED_USER),
        }
    }

    fn resume(&self, domain: &DomainRef) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainResume")?;
        let monitor = guest.monitor()?;
        let state = guest.lock().state.state;
        match state {
            DOMAIN_RUNNING => Err(invalid("domain is already running")),
            DOMAIN_PMSUSPENDED => Err(invalid("domain is pmsuspended")),
            _ => go_on(&guest, &monitor, DOMAIN_RUNNING_UNPAUSED),
        }
    }

    fn set_autostart(&self, domain: &DomainRef, autostart: bool) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetAutostart")?;
        let name = {
            let condition = guest.lock();
            if condition.persistent.is_none() {
                return Err(invalid("cannot set autostart for transient domain"));
            }
            condition.name.clone()
        };
        self.inventory().store.mark_autostart(&name, autostart)?;
        guest.lock().autostart = autostart;
        Ok(())
    }

    fn set_metadata(
        &self,
        domain: &DomainRef,
        kind: i32,
        metadata: Option<&str>,
        key: Option<&str>,
        uri: Option<&str>,
        flags: u32,
    ) -> Result<()> {
        self.change_metadata(domain, kind, metadata, key, uri, flags)
    }

    fn rename(&self, domain: &DomainRef, new_name: Option<&str>, flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainRename")?;
        let guest = self.find(domain)?;
        let new_name = new_name.ok_or_else(|| Error::invalid_argument("a domain needs a new name"))?;
        self.give_name(&guest, new_name)?;
        Ok(0)
    }

    fn pm_wakeup(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainPMWakeup")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainPMWakeup")?;
        guest.monitor()?.query("system_wakeup")?;
        Ok(())
    }

    fn pm_suspend_for_duration(
        &self,
        domain: &DomainRef,
        target: u32,
        duration: u64,
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, 0, "virDomainPMSuspendForDuration")?;
        if duration > 0 {
            let detail = "Duration not supported. Use 0 for now";
            return Err(Error::new(crate::error::ErrorCode::ARGUMENT_UNSUPPORTED, detail));
        }
        let guest = self.find(domain)?;
        let command = match target {
            0 => "guest-suspend-ram",
            1 => "guest-suspend-disk",
            2 => "guest-suspend-hybrid",
            _ => {
                let detail = format!("Unknown suspend target: {target}");
                return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
            }
        };
        let _turn = guest.jobs.take_turn("virDomainPMSuspendForDuration")?;
        agent::order(&guest, command, json!({}))
    }

    fn set_lifecycle_action(&self, domain: &DomainRef, kind: u32, action: u32, flags: u32) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetLifecycleAction")?;
        let element = ["on_poweroff", "on_reboot", "on_crash"].get(kind as usize);
        let names =
            ["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"];
        let (Some(element), Some(name)) = (element, names.get(action as usize)) else {
            return Err(Error::invalid_argument("unknown lifecycle event or action"));
        };
        let impact = impact(&guest.lock(), flags)?;
        let change = |tree: &mut crate::xml::Element| {
            tree.child_or_new(element).set_text(name);
            check_actions(tree)
        };
        if impact.live {
            change(&mut guest.lock().running()?.definition.tree()?)?;
            if *element == "on_reboot" {
                let reboot = if *name == "restart" { "reset" } else { "shutdown" };
                guest.monitor()?.execute("set-action", json!({ "reboot": reboot }))?;
            }
            edit_live(self.inventory(), &guest, change)?;
        }
        if impact.config {
            edit_config(self.inventory(), &guest, change)?;
        }
        Ok(())
    }
}

/// The name and the uuid of a completed definition.
pub fn identity(tree: &crate::xml::Element) -> Result<(String, Uuid)> {
    let name = tree.child_text("name").unwrap_or_default();
    Paths::check_name(&name)?;
    let uuid = tree.child_text("uuid").unwrap_or_default();
    let uuid = Uuid::parse_str(&uuid).map_err(|_| Error::internal("malformed uuid element"))?;
    Ok((name, uuid))
}

impl QemuConnection {
    /// The domain that already has this name and uuid, if there is one; an error if another has one of them.
    /// The caller holds the naming lock.
    pub(super) fn claim(&self, name: &str, uuid: Uuid) -> Result<Option<Arc<Guest>>> {
        let taken = |detail: String| Err(Error::operation_failed(detail).from_origin(ErrorOrigin::QEMU));
        if let Some(known) = self.inventory().with_uuid(uuid) {
            let known_name = known.lock().name.clone();
            if known_name != name {
                return taken(format!("domain '{known_name}' is already defined with uuid {uuid}"));
            }
            return Ok(Some(known));
        }
        match self.inventory().with_name(name) {
            Some(known) => taken(format!("domain '{name}' already exists with uuid {}", known.uuid)),
            None => Ok(None),
        }
    }

    fn forget(&self, guest: &Arc<Guest>, flags: u32) -> Result<()> {
        let inventory = self.inventory();
        let _naming = inventory.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = guest.jobs.take_turn("virDomainUndefine")?;
        let (name, definition) = {
            let condition = guest.lock();
            let definition = condition.persistent.clone();
            (condition.name.clone(), definition.ok_or_else(|| invalid("cannot undefine transient domain"))?)
        };
        let image = inventory.store.paths.managed_save(&name);
        if image.exists() && flags & DOMAIN_UNDEFINE_MANAGED_SAVE == 0 {
            return Err(invalid("Refusing to undefine while domain managed save image exists"));
        }
        let nvram = definition.tree()?.child_text("os/nvram").filter(|path| !path.is_empty());
        let nvram = nvram.filter(|path| std::path::Path::new(path).exists());
        if nvram.is_some() && flags & (DOMAIN_UNDEFINE_NVRAM | DOMAIN_UNDEFINE_KEEP_NVRAM) == 0 {
            return Err(invalid("cannot undefine domain with nvram"));
        }
        // The definition goes first: what is left when this is cut short belongs to no domain and harms none.
        inventory.store.remove_definition(&name)?;
        remove_durably(&image)?;
        if let Some(nvram) = nvram.filter(|_| flags & DOMAIN_UNDEFINE_NVRAM != 0) {
            remove_durably(std::path::Path::new(&nvram))?;
        }
        let mut condition = guest.lock();
        condition.persistent = None;
        condition.autostart = false;
        condition.managed_save = false;
        let reference = condition.reference();
        if condition.active.is_none() {
            inventory.remove(&mut condition);
        }
        drop(condition);
        inventory.tell_lifecycle(reference, (DOMAIN_EVENT_UNDEFINED, DOMAIN_EVENT_UNDEFINED_REMOVED));
        Ok(())
    }

    /// Asks a guest to go down, by its agent or its power button, to stay down or to come back.
    fn power_down(&self, guest: &Arc<Guest>, by_agent: bool, either: bool, back: bool) -> Result<()> {
        let _turn = guest.jobs.take_turn(if back { "virDomainReboot" } else { "virDomainShutdown" })?;
        let monitor = guest.monitor()?;
        let agent_there = guest.lock().running()?.agent_connected;
        if by_agent || either && agent_there {
            let mode = if back { "reboot" } else { "powerdown" };
            self.expect_reboot(guest, false)?;
            let ordered = agent::order(guest, "guest-shutdown", json!({ "mode": mode }));
            if by_agent || ordered.is_ok() {
                return ordered;
            }
        }
        self.expect_reboot(guest, back)?;
        monitor.execute("system_powerdown", Value::Null)?;
        Ok(())
    }

    /// Remembers that the next power-off is to become a restart, or is not.
    fn expect_reboot(&self, guest: &Guest, back: bool) -> Result<()> {
        let mut condition = guest.lock();
        condition.running_mut()?.reboot_pending = back;
        self.inventory().write_status(&condition);
        Ok(())
    }

    fn give_name(&self, guest: &Arc<Guest>, new_name: &str) -> Result<()> {
        let inventory = self.inventory();
        let _naming = inventory.naming.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = guest.jobs.take_turn("virDomainRename")?;
        let (old_name, definition, autostart, managed_save) = {
            let condition = guest.lock();
            if condition.is_active() {
                return Err(invalid("cannot rename active domain"));
            }
            let definition = condition.persistent.clone();
            let definition = definition.ok_or_else(|| invalid("cannot rename a transient domain"))?;
            (condition.name.clone(), definition, condition.autostart, condition.managed_save)
        };
        Paths::check_name(new_name)?;
        if old_name == new_name {
            return Err(invalid("Can't rename domain to itself"));
        }
        if inventory.with_name(new_name).is_some() {
            return Err(invalid(format!("domain with name '{new_name}' already exists")));
        }
        if managed_save {
            return Err(invalid("domain with a managed saved state can't be renamed"));
        }
        let mut tree = definition.tree()?;
        tree.child_or_new("name").set_text(new_name);
        inventory.store.rename_definition(&old_name, new_name, &tree, autostart)?;
        let old_reference = guest.lock().reference();
        let reference = {
            let mut condition = guest.lock();
            condition.name = new_name.to_string();
            condition.persistent = Some(Definition::new(&tree));
            condition.reference()
        };
        inventory.rename(guest, &old_name, new_name);
        inventory.tell_lifecycle(old_reference, (DOMAIN_EVENT_UNDEFINED, DOMAIN_EVENT_UNDEFINED_RENAMED));
        inventory.tell_lifecycle(reference, (DOMAIN_EVENT_DEFINED, DOMAIN_EVENT_DEFINED_RENAMED));
        Ok(())
    }
}
