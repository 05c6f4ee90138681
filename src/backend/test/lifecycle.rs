//! Defining, starting, stopping and forgetting domains.

use super::state::{Guest, State, state};
use super::*;
use super::{definition, metadata};
use crate::model::constants::*;
use crate::model::event::DomainEvent;

/// How a stop came about: the reason of the state and the detail of the event.
const SHUT_DOWN: (i32, i32) = (DOMAIN_SHUTOFF_SHUTDOWN, DOMAIN_EVENT_STOPPED_SHUTDOWN);
const DESTROYED: (i32, i32) = (DOMAIN_SHUTOFF_DESTROYED, DOMAIN_EVENT_STOPPED_DESTROYED);

impl DomainLifecycle for TestConnection {
    fn define_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        only_flags(flags, DOMAIN_DEFINE_VALIDATE, "testDomainDefineXMLFlags")?;
        let tree = definition::read(xml)?;
        let mut state = self.state();
        let (name, uuid) = (definition::name_of(&tree), definition::uuid_of(&tree).unwrap_or_default());
        let replaced = state.check_identity(&name, uuid, false)?;
        let detail = match replaced {
            Some(at) if state.guests[at].persistent => DOMAIN_EVENT_DEFINED_UPDATED,
            _ => DOMAIN_EVENT_DEFINED_ADDED,
        };
        let domain = match replaced {
            Some(at) => {
                let guest = &mut state.guests[at];
                guest.persistent = true;
                match guest.is_active() {
                    true => guest.next = Some(tree),
                    false => guest.current = tree,
                }
                guest.reference()
            }
            None => {
                let guest = Guest::defined(tree);
                let domain = guest.reference();
                state.guests.push(guest);
                domain
            }
        };
        self.tell_lifecycle(&domain, DOMAIN_EVENT_DEFINED, detail);
        Ok(domain)
    }

    fn create_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        only_flags(flags, DOMAIN_START_VALIDATE, "testDomainCreateXML")?;
        let tree = definition::read(xml)?;
        let domain = self.state().start_as(tree, DOMAIN_RUNNING_BOOTED)?;
        self.tell_lifecycle(&domain, DOMAIN_EVENT_STARTED, DOMAIN_EVENT_STARTED_BOOTED);
        Ok(domain)
    }

    fn create(&self, domain: &DomainRef, flags: u32) -> Result<DomainRef> {
        only_flags(flags, DOMAIN_START_FORCE_BOOT, "testDomainCreateWithFlags")?;
        let mut state = self.state();
        if state.guest(domain)?.is_active() {
            return Err(Error::invalid_operation("Domain is already running"));
        }
        let id = state.take_id();
        let guest = state.guest_mut(domain)?;
        guest.start(id, DOMAIN_RUNNING_BOOTED);
        let restored = std::mem::take(&mut guest.managed_save) && flags & DOMAIN_START_FORCE_BOOT == 0;
        let domain = guest.reference();
        let detail = match restored {
            true => DOMAIN_EVENT_STARTED_RESTORED,
            false => DOMAIN_EVENT_STARTED_BOOTED,
        };
        self.tell_lifecycle(&domain, DOMAIN_EVENT_STARTED, detail);
        Ok(domain)
    }

    fn destroy(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, DOMAIN_DESTROY_GRACEFUL, "testDomainDestroyFlags")?;
        let mut state = self.state();
        state.active(domain)?;
        self.stop(&mut state, domain, DESTROYED)
    }

    fn shutdown(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainShutdownFlags")?;
        let mut state = self.state();
        let guest = state.guest(domain)?;
        if !guest.is_active() {
            return Err(Error::internal(format!("domain '{}' not running", guest.name)));
        }
        let action = definition::action(&guest.current, "on_poweroff");
        self.act(&mut state, domain, &action)
    }

    fn reboot(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        // The way a guest is asked to reboot makes no difference to a guest that does not exist.
        let any = DOMAIN_REBOOT_ACPI_POWER_BTN
            | DOMAIN_REBOOT_GUEST_AGENT
            | DOMAIN_REBOOT_INITCTL
            | DOMAIN_REBOOT_SIGNAL
            | DOMAIN_REBOOT_PARAVIRT;
        only_flags(flags, any, "testDomainReboot")?;
        let mut state = self.state();
        let action = definition::action(&state.active(domain)?.current, "on_reboot");
        self.act(&mut state, domain, &action)?;
        if state.guest(domain).is_ok_and(Guest::is_active) {
            self.tell(domain, DomainEvent::Reboot);
        }
        Ok(())
    }

    fn reset(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainReset")?;
        self.state().active(domain)?;
        self.tell(domain, DomainEvent::Reboot);
        Ok(())
    }

    fn suspend(&self, domain: &DomainRef) -> Result<()> {
        let mut nodes = self.state();
        let guest = nodes.guest_mut(domain)?;
        if !guest.is_active() || [DOMAIN_PAUSED, DOMAIN_SHUTDOWN].contains(&guest.state.state) {
            return Err(Error::internal(format!("domain '{}' not running", guest.name)));
        }
        guest.state = state(DOMAIN_PAUSED, DOMAIN_PAUSED_USER);
        self.tell_lifecycle(domain, DOMAIN_EVENT_SUSPENDED, DOMAIN_EVENT_SUSPENDED_PAUSED);
        Ok(())
    }

    fn resume(&self, domain: &DomainRef) -> Result<()> {
        let mut nodes = self.state();
        let guest = nodes.guest_mut(domain)?;
        if guest.state.state != DOMAIN_PAUSED {
            return Err(Error::internal(format!("domain '{}' not paused", guest.name)));
        }
        guest.state = state(DOMAIN_RUNNING, DOMAIN_RUNNING_UNPAUSED);
        self.tell_lifecycle(domain, DOMAIN_EVENT_RESUMED, DOMAIN_EVENT_RESUMED_UNPAUSED);
        Ok(())
    }

    fn set_autostart(&self, domain: &DomainRef, autostart: bool) -> Result<()> {
        self.state().guest_mut(domain)?.autostart = autostart;
        Ok(())
    }

    fn undefine(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        // What there is nothing of here may go or stay; firmware variables cannot be said to have gone.
        let mut allowed = DOMAIN_UNDEFINE_MANAGED_SAVE | DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
        if flags & DOMAIN_UNDEFINE_NVRAM == 0 {
            allowed |= DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
                | DOMAIN_UNDEFINE_KEEP_NVRAM
                | DOMAIN_UNDEFINE_TPM
                | DOMAIN_UNDEFINE_KEEP_TPM;
        }
        only_flags(flags, allowed, "testDomainUndefineFlags")?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        if guest.managed_save && flags & DOMAIN_UNDEFINE_MANAGED_SAVE == 0 {
            let detail = "Refusing to undefine while domain managed save image exists";
            return Err(Error::invalid_operation(detail));
        }
        let snapshots = guest.snapshot_count();
        if !guest.is_active() && snapshots > 0 && flags & DOMAIN_UNDEFINE_SNAPSHOTS_METADATA == 0 {
            let detail = format!("cannot delete inactive domain with {snapshots} snapshots");
            return Err(Error::invalid_operation(detail));
        }
        guest.managed_save = false;
        guest.persistent = false;
        guest.next = None;
        state.forget_if_gone(domain.uuid);
        self.tell_lifecycle(domain, DOMAIN_EVENT_UNDEFINED, DOMAIN_EVENT_UNDEFINED_REMOVED);
        Ok(())
    }

    fn rename(&self, domain: &DomainRef, new_name: Option<&str>, flags: u32) -> Result<i32> {
        only_flags(flags, 0, "testDomainRename")?;
        let new_name = new_name.unwrap_or_default();
        let mut state = self.state();
        state.check_rename(domain, new_name)?;
        let guest = state.guest_mut(domain)?;
        let old = guest.reference();
        guest.name = new_name.to_string();
        guest.current.child_or_new("name").set_text(new_name);
        let new = guest.reference();
        self.tell_lifecycle(&old, DOMAIN_EVENT_UNDEFINED, DOMAIN_EVENT_UNDEFINED_RENAMED);
        self.tell_lifecycle(&new, DOMAIN_EVENT_DEFINED, DOMAIN_EVENT_DEFINED_RENAMED);
        Ok(0)
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
        only_flags(flags, DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG, "testDomainSetMetadata")?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        for tree in guest.affected(flags)? {
            metadata::write(tree, kind, metadata, key, uri)?;
        }
        let uri = uri.map(str::to_string);
        self.tell(domain, DomainEvent::MetadataChange { kind, uri });
        Ok(())
    }

    fn set_lifecycle_action(&self, domain: &DomainRef, kind: u32, action: u32, flags: u32) -> Result<()> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
        only_flags(flags, allowed, "testDomainSetLifecycleAction")?;
        let element = match kind {
            DOMAIN_LIFECYCLE_POWEROFF => "on_poweroff",
            DOMAIN_LIFECYCLE_REBOOT => "on_reboot",
            DOMAIN_LIFECYCLE_CRASH => "on_crash",
            _ => return Err(Error::invalid_argument(format!("unknown lifecycle event {kind}"))),
        };
        let text = match action {
            DOMAIN_LIFECYCLE_ACTION_DESTROY => "destroy",
            DOMAIN_LIFECYCLE_ACTION_RESTART => "restart",
            DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME => "rename-restart",
            DOMAIN_LIFECYCLE_ACTION_PRESERVE => "preserve",
            DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY => "coredump-destroy",
            DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART => "coredump-restart",
            _ => {
                return Err(Error::invalid_argument(format!("unknown lifecycle action {action}")));
            }
        };
        if text.starts_with("coredump-") && kind != DOMAIN_LIFECYCLE_CRASH {
            let event = element.trim_start_matches("on_");
            let detail = format!("Lifecycle event '{event}' doesn't support '{text}' action");
            return Err(Error::unsupported_configuration(detail));
        }
        for tree in self.state().guest_mut(domain)?.affected(flags)? {
            tree.child_or_new(element).set_text(text);
        }
        Ok(())
    }
}

impl TestConnection {
    /// Makes a domain inactive, drops it if nothing defines it, and tells.
    pub(super) fn stop(&self, state: &mut State, domain: &DomainRef, how: (i32, i32)) -> Result<()> {
        let (reason, detail) = how;
        let guest = state.guest_mut(domain)?;
        guest.stop(reason);
        let stopped = guest.reference();
        state.forget_if_gone(domain.uuid);
        self.tell_lifecycle(&stopped, DOMAIN_EVENT_STOPPED, detail);
        Ok(())
    }

    /// Does what a definition wants done when its guest powers off or reboots.
    fn act(&self, nodes: &mut State, domain: &DomainRef, action: &str) -> Result<()> {
        let guest = nodes.guest_mut(domain)?;
        match action {
            "restart" | "rename-restart" | "coredump-restart" => {
                guest.state = state(DOMAIN_RUNNING, DOMAIN_RUNNING_BOOTED);
                Ok(())
            }
            // There is nothing to look at in a guest that does not exist, so `preserve` stops it too.
            _ => self.stop(nodes, domain, SHUT_DOWN),
        }
    }
}

impl State {
    /// Whether a domain may take another name.
    fn check_rename(&self, domain: &DomainRef, new_name: &str) -> Result<()> {
        let guest = self.guest(domain)?;
        if guest.is_active() {
            return Err(Error::invalid_operation("cannot rename active domain"));
        }
        if !guest.persistent {
            return Err(Error::invalid_operation("cannot rename a transient domain"));
        }
        if new_name.contains('/') {
            return Err(Error::xml(format!("name {new_name} cannot contain '/'")));
        }
        if guest.name == new_name {
            return Err(Error::invalid_operation("Can't rename domain to itself"));
        }
        if self.guests.iter().any(|other| other.name == new_name) {
            let detail = format!("domain with name '{new_name}' already exists");
            return Err(Error::invalid_operation(detail));
        }
        Ok(())
    }
}
