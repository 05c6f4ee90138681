//! Finding domains and reading what they are.

use super::change::impact;
use super::{QemuConnection, check_flags, invalid, native};
use crate::backend::DomainLookup;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::vm::guest::{Condition, Definition, not_running};
use crate::xml::Element;
use uuid::Uuid;

fn no_domain(detail: String) -> Error {
    Error::new(ErrorCode::NO_DOMAIN, detail).from_origin(ErrorOrigin::QEMU)
}

impl DomainLookup for QemuConnection {
    fn xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let known = DOMAIN_XML_SECURE | DOMAIN_XML_INACTIVE | DOMAIN_XML_UPDATE_CPU | DOMAIN_XML_MIGRATABLE;
        check_flags(flags, known, "virDomainGetXMLDesc")?;
        let guest = self.find(domain)?;
        let definition = shown_definition(&guest.lock(), flags)?;
        if flags & DOMAIN_XML_MIGRATABLE != 0 {
            let mut tree = definition.tree()?;
            leave_out_implied(&mut tree);
            return Ok(tree.to_string());
        }
        if flags & DOMAIN_XML_SECURE != 0 {
            return Ok(definition.text.to_string());
        }
        without_secrets(&definition)
    }

    fn xml_to_native(&self, native_format: &str, domain_xml: &str, flags: u32) -> Result<String> {
        check_flags(flags, 0, "virConnectDomainXMLToNative")?;
        if native_format != "qemu-argv" {
            let detail = format!("unsupported config type {native_format}");
            return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
        }
        let tree = self.complete(domain_xml)?;
        let (_, uuid) = super::lifecycle::identity(&tree)?;
        native::command_line(&tree, &self.inventory().store.paths.guest(uuid))
    }

    fn launch_security_info(&self, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, 0, "virDomainGetLaunchSecurityInfo")?;
        // Nothing of the kind can be defined here, so there is nothing to tell.
        self.find(domain).map(|_| Vec::new())
    }

    fn autostart(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.find(domain)?.lock().autostart)
    }

    fn autostart_once(&self, domain: &DomainRef) -> Result<bool> {
        // There is no way to set it here, so it is never set.
        self.find(domain).map(|_| false)
    }

    fn info(&self, domain: &DomainRef) -> Result<DomainInfo> {
        let guest = self.find(domain)?;
        let condition = guest.lock();
        let figures = condition.current().map(|definition| definition.figures).unwrap_or_default();
        let active = condition.active.as_ref().filter(|_| condition.is_active());
        let times = active.and_then(|active| active.process.cpu_times());
        Ok(DomainInfo {
            state: u8::try_from(condition.state.state).unwrap_or(0),
            max_memory: figures.max_memory,
            memory: active.map_or(figures.memory, |active| active.balloon),
            vcpus: u16::try_from(figures.vcpus).unwrap_or(u16::MAX),
            cpu_time: times.map_or(0, |(user, system)| user + system),
        })
    }

    fn os_type(&self, domain: &DomainRef) -> Result<String> {
        let guest = self.find(domain)?;
        let definition = guest.lock().current().cloned();
        let tree = definition.ok_or_else(not_running)?.tree()?;
        Ok(tree.child_text("os/type").unwrap_or_default())
    }

    fn lookup_by_id(&self, id: i32) -> Result<DomainRef> {
        let guest = u32::try_from(id).ok().and_then(|id| self.inventory().with_id(id));
        let guest = guest.ok_or_else(|| no_domain(format!("no domain with matching id {id}")))?;
        Ok(guest.lock().reference())
    }

    fn lookup_by_name(&self, name: &str) -> Result<DomainRef> {
        let guest = self.inventory().with_name(name);
        let guest = guest.ok_or_else(|| no_domain(format!("no domain with matching name '{name}'")))?;
        Ok(guest.lock().reference())
    }

    fn lookup_by_uuid(&self, uuid: Uuid) -> Result<DomainRef> {
        let guest = self.inventory().with_uuid(uuid);
        let guest = guest.ok_or_else(|| no_domain(format!("no domain with matching uuid '{uuid}'")))?;
        Ok(guest.lock().reference())
    }

    fn security_label(&self, domain: &DomainRef) -> Result<SecurityLabel> {
        self.find(domain).map(|_| SecurityLabel::default())
    }

    fn security_label_list(&self, domain: &DomainRef) -> Result<Vec<SecurityLabel>> {
        self.find(domain).map(|_| Vec::new())
    }

    fn is_active(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.find(domain)?.lock().is_active())
    }

    fn is_persistent(&self, domain: &DomainRef) -> Result<bool> {
        Ok(self.find(domain)?.lock().persistent.is_some())
    }

    fn is_updated(&self, domain: &DomainRef) -> Result<bool> {
        self.find(domain).map(|_| false)
    }

    fn state(&self, domain: &DomainRef, flags: u32) -> Result<StateReason> {
        check_flags(flags, 0, "virDomainGetState")?;
        Ok(self.find(domain)?.lock().state)
    }

    fn control_info(&self, domain: &DomainRef, _flags: u32) -> Result<ControlInfo> {
        let guest = self.find(domain)?;
        let broken = guest.lock().running()?.monitor.is_closed();
        let long = guest.jobs.long();
        let state = match () {
            () if broken => DOMAIN_CONTROL_ERROR,
            () if long.is_some() => DOMAIN_CONTROL_JOB,
            () => DOMAIN_CONTROL_OK,
        };
        let details = if broken { DOMAIN_CONTROL_ERROR_REASON_MONITOR } else { 0 };
        Ok(ControlInfo {
            state: state as u32,
            details: details as u32,
            state_time: long.map_or(0, |job| job.info().time_elapsed),
        })
    }

    fn metadata(&self, domain: &DomainRef, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        let guest = self.find(domain)?;
        let tree = {
            let condition = guest.lock();
            let impact = impact(&condition, flags)?;
            let definition = if impact.config { condition.persistent.as_ref() } else { condition.current() };
            definition.cloned().ok_or_else(not_running)?.tree()?
        };
        super::metadata::read(&tree, kind, uri)
    }

    fn list_all_domains(&self, flags: u32) -> Result<Vec<DomainRef>> {
        let mut found: Vec<DomainRef> = Vec::new();
        for guest in self.inventory().all() {
            let condition = guest.lock();
            if is_listed(&condition, flags) {
                found.push(condition.reference());
            }
        }
        // Active ones by id, the others by name: an order a person can follow.
        found.sort_by(|a, b| (a.id.is_none(), a.id, &a.name).cmp(&(b.id.is_none(), b.id, &b.name)));
        Ok(found)
    }

    fn messages(&self, domain: &DomainRef, _flags: u32) -> Result<Vec<String>> {
        self.find(domain).map(|_| Vec::new())
    }
}

/// Whether a listing with these flags shows a domain: each group of flags says what it lets through.
pub fn is_listed(condition: &Condition, flags: u32) -> bool {
    let passes = |yes: u32, no: u32, is: bool| {
        let group = flags & (yes | no);
        group == 0 || group & (if is { yes } else { no }) != 0
    };
    let state = condition.state.state;
    let states = CONNECT_LIST_DOMAINS_RUNNING
        | CONNECT_LIST_DOMAINS_PAUSED
        | CONNECT_LIST_DOMAINS_SHUTOFF
        | CONNECT_LIST_DOMAINS_OTHER;
    let own_state = match state {
        DOMAIN_RUNNING => CONNECT_LIST_DOMAINS_RUNNING,
        DOMAIN_PAUSED => CONNECT_LIST_DOMAINS_PAUSED,
        DOMAIN_SHUTOFF => CONNECT_LIST_DOMAINS_SHUTOFF,
        _ => CONNECT_LIST_DOMAINS_OTHER,
    };
    // A start that is not complete yet is nothing to be seen.
    (condition.is_active() || condition.persistent.is_some())
        && passes(CONNECT_LIST_DOMAINS_ACTIVE, CONNECT_LIST_DOMAINS_INACTIVE, condition.is_active())
        && passes(
            CONNECT_LIST_DOMAINS_PERSISTENT,
            CONNECT_LIST_DOMAINS_TRANSIENT,
            condition.persistent.is_some(),
        )
        && (flags & states == 0 || flags & own_state != 0)
        && passes(
            CONNECT_LIST_DOMAINS_MANAGEDSAVE,
            CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
            condition.managed_save,
        )
        && passes(CONNECT_LIST_DOMAINS_AUTOSTART, CONNECT_LIST_DOMAINS_NO_AUTOSTART, condition.autostart)
        && passes(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, CONNECT_LIST_DOMAINS_NO_SNAPSHOT, false)
        && passes(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, CONNECT_LIST_DOMAINS_NO_CHECKPOINT, false)
}

/// The definition the flags of `virDomainGetXMLDesc` ask for.
fn shown_definition(condition: &Condition, flags: u32) -> Result<Definition> {
    let active = condition.active.as_ref().filter(|_| condition.is_active());
    let for_next_start = flags & (DOMAIN_XML_INACTIVE | DOMAIN_XML_MIGRATABLE) != 0;
    let shown = match active {
        Some(active) if flags & DOMAIN_XML_MIGRATABLE != 0 => Some(&active.base),
        Some(active) if for_next_start => condition.persistent.as_ref().or(Some(&active.base)),
        Some(active) => return Ok(with_balloon(&active.definition, active.balloon)),
        None => condition.persistent.as_ref(),
    };
    shown.cloned().ok_or_else(|| invalid("domain is not running"))
}

/// The active definition with the memory that the guest has now, which is not always what it was asked to have.
fn with_balloon(definition: &Definition, balloon: u64) -> Definition {
    let mut shown = definition.clone();
    if definition.figures.memory != balloon {
        let element = |size: u64| format!("<currentMemory unit='KiB'>{size}</currentMemory>");
        shown.text = shown.text.replacen(&element(definition.figures.memory), &element(balloon), 1).into();
    }
    shown
}

/// Takes out what every machine of its kind has and an older peer would not understand.
fn leave_out_implied(tree: &mut Element) {
    let is_old = tree.child_attribute("os/type", "machine").is_some_and(|machine| machine.contains("i440fx"));
    let Some(devices) = tree.child_mut("devices") else {
        return;
    };
    devices.retain(|device| {
        let is = |name: &str, value: &str| device.attribute(name) == Some(value);
        !match device.name.as_str() {
            "input" => is("type", "keyboard") && is("bus", "ps2"),
            "audio" => is("type", "none"),
            "watchdog" => is("model", "itco") && is("action", "reset"),
            "controller" if is_old && is("index", "0") => {
                is("model", "pci-root") || is("type", "usb") && is("model", "piix3-uhci")
            }
            _ => false,
        }
    });
}

/// The document without its passwords.
pub fn without_secrets(definition: &Definition) -> Result<String> {
    if !definition.text.contains("passwd=") {
        return Ok(definition.text.to_string());
    }
    let mut tree = definition.tree()?;
    hide_secrets(&mut tree);
    Ok(tree.to_string())
}

fn hide_secrets(tree: &mut Element) {
    if let Some(devices) = tree.child_mut("devices") {
        for graphics in devices.elements_mut().filter(|device| device.name == "graphics") {
            graphics.unset("passwd");
        }
    }
}
