//! Defining, starting, stopping and forgetting domains.

use super::domains::Described;
use super::request::Form;
use super::{XendLayer, cannot, check_flags, invalid};
use crate::backend::DomainLifecycle;
use crate::backend::xen::definition;
use crate::backend::xen::native::request;
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::xml::Element;
use std::time::Duration;
use uuid::Uuid;

/// How often, and how many times, a domain is looked for that was destroyed.
const LOOKS: (Duration, u32) = (Duration::from_millis(50), 100);

/// Settings that no definition holds but that stay when it changes.
const KEPT: &[&str] = &["on_xend_start", "on_xend_stop", "cpu_weight", "cpu_cap"];

impl DomainLifecycle for XendLayer {
    fn create_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        check_flags(flags, DOMAIN_START_PAUSED | DOMAIN_START_VALIDATE, "virDomainCreateXML")?;
        let tree = definition::parse(xml)?;
        if let Some(known) = self.known(&tree)? {
            let name = &known.reference.name;
            if known.is_active() {
                return Err(invalid(format!("domain is already active as '{name}'")));
            }
        }
        let config = request::configuration(&tree, self.abilities())?;
        if self.requests.release.garbles_images() {
            config.child("image").map_or(Ok(()), refuse_garbled)?;
        }
        self.run(&config, flags & DOMAIN_START_PAUSED != 0)
    }

    fn define_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        if !self.requests.release.manages_domains() && self.files.is_none() {
            return Err(cannot("virDomainDefineXMLFlags", "this xend keeps no domains that do not run"));
        }
        check_flags(flags, DOMAIN_DEFINE_VALIDATE, "virDomainDefineXMLFlags")?;
        let tree = definition::parse(xml)?;
        let known = self.known(&tree)?;
        let name = tree.child_text("name").unwrap_or_default();
        if let Some(other) = known.iter().map(|known| &known.reference).find(|known| known.name != name) {
            // xend would give it the new name.
            let detail = format!("domain '{}' is already defined with uuid {}", other.name, other.uuid);
            return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
        }
        let mut config = request::configuration(&tree, self.abilities())?;
        if let Some(files) = &self.files {
            return self.write_file(files, &config, uuid_of(&tree)?);
        }
        refuse_garbled(&config)?;
        for field in known.iter().flat_map(|known| KEPT.iter().filter_map(|field| known.sxp.child(field))) {
            config.push(field.clone());
        }
        self.requests.ask(&Form::new("new").with_config(&config))?;
        let uuid = uuid_of(&tree)?;
        let defined = self.by_uuid(uuid)?;
        defined.map(|defined| defined.reference).ok_or_else(|| XendLayer::no_such_uuid(uuid))
    }

    fn undefine(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        let harmless = DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | DOMAIN_UNDEFINE_NVRAM
            | DOMAIN_UNDEFINE_KEEP_NVRAM;
        check_flags(flags, harmless | DOMAIN_UNDEFINE_MANAGED_SAVE, "virDomainUndefineFlags")?;
        let described = self.find(domain)?;
        if described.is_active() && !self.is_managed(&described) {
            return Err(invalid("cannot undefine transient domain"));
        }
        if let Some((files, definition)) = self.file_of(&described) {
            return files.remove(&definition);
        }
        if described.is_active() {
            return Err(invalid("xend cannot forget a domain that runs; shut it down first"));
        }
        self.ask(&described, &Form::new("delete")).map(|_| ())
    }

    fn create(&self, domain: &DomainRef, flags: u32) -> Result<DomainRef> {
        let known = DOMAIN_START_PAUSED | DOMAIN_START_BYPASS_CACHE | DOMAIN_START_VALIDATE;
        check_flags(flags, known, "virDomainCreateWithFlags")?;
        let described = self.find(domain)?;
        if described.is_active() {
            return Err(invalid("domain is already running"));
        }
        if flags & DOMAIN_START_PAUSED != 0 || described.file.is_some() {
            // xend has a word for it but does not heed it; a domain made of the same definition does stay paused.
            return self.run(&described.definition(), flags & DOMAIN_START_PAUSED != 0);
        }
        self.check_memory(&described.sxp)?;
        self.ask(&described, &Form::new("start"))?;
        Ok(self.find(domain)?.reference)
    }

    fn shutdown(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        if flags & !DOMAIN_SHUTDOWN_PARAVIRT != 0 {
            return Err(Error::unsupported("virDomainShutdownFlags"));
        }
        self.ask_guest(domain, "poweroff")
    }

    fn reboot(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        if flags & !DOMAIN_REBOOT_PARAVIRT != 0 {
            return Err(Error::unsupported("virDomainReboot"));
        }
        self.ask_guest(domain, "reboot")
    }

    fn destroy(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_DESTROY_GRACEFUL | DOMAIN_DESTROY_REMOVE_LOGS, "virDomainDestroyFlags")?;
        let described = self.find_running(domain)?;
        if described.is_host() {
            return Err(invalid("Domain-0 cannot be destroyed: it runs the host"));
        }
        self.ask(&described, &Form::new("destroy"))?;
        self.wait_for_end(domain, described.reference.id)
    }

    fn suspend(&self, domain: &DomainRef) -> Result<()> {
        self.ask_running(domain, "pause")
    }

    fn resume(&self, domain: &DomainRef) -> Result<()> {
        self.ask_running(domain, "unpause")
    }

    fn reset(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainReset")?;
        let described = self.find_running(domain)?;
        if described.is_host() {
            return Err(invalid("Domain-0 cannot be reset: it runs the host"));
        }
        self.ask(&described, &Form::new("reset")).map(|_| ())
    }

    fn set_autostart(&self, domain: &DomainRef, autostart: bool) -> Result<()> {
        let described = self.find(domain)?;
        if let Some((files, definition)) = self.file_of(&described) {
            return files.set_autostart(&definition, autostart);
        }
        if !self.requests.release.manages_domains() && self.files.is_none() {
            return Err(cannot("virDomainSetAutostart", "this xend starts no domains by itself"));
        }
        if !self.is_managed(&described) || described.is_host() {
            return Err(invalid("cannot set autostart for transient domain"));
        }
        let stored = self.stored(&described);
        self.redefine(&stored, |sxp| {
            sxp.set("on_xend_start", if autostart { "start" } else { "ignore" });
            Ok(())
        })
    }

    fn rename(&self, domain: &DomainRef, new_name: Option<&str>, flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainRename")?;
        let new_name = new_name.unwrap_or_default();
        request::check_name(new_name, self.abilities())?;
        let described = self.find(domain)?;
        if described.is_active() {
            return Err(invalid("cannot rename active domain"));
        }
        if let Some(other) = self.by_name(new_name)? {
            return Err(taken(&other));
        }
        if let Some((files, definition)) = self.file_of(&described) {
            return files.rename(&definition, new_name).map(|()| 0);
        }
        self.ask(&described, &Form::new("rename").with("name", new_name))?;
        Ok(0)
    }

    fn set_lifecycle_action(&self, domain: &DomainRef, kind: u32, action: u32, flags: u32) -> Result<()> {
        let events = ["on_poweroff", "on_reboot", "on_crash"];
        let actions =
            ["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"];
        let (event, action) = match (events.get(kind as usize), actions.get(action as usize)) {
            (Some(event), Some(action)) if kind == 2 || action_is_plain(action) => (*event, *action),
            _ => return Err(Error::invalid_argument("unknown lifecycle event or action")),
        };
        let described = self.find(domain)?;
        if super::is_for_running(described.is_active(), flags)? {
            return Err(cannot(
                "virDomainSetLifecycleAction",
                "xend changes it only while the domain is shut off",
            ));
        }
        self.redefine(&described, |sxp| {
            sxp.set(event, action);
            Ok(())
        })
    }
}

/// Refuses what xend garbles when it reads its own files again: all but the plain characters of ASCII.
fn refuse_garbled(config: &Sxp) -> Result<()> {
    let is_plain = |byte: &u8| matches!(byte, 0x20..=0x7e | b'\n' | b'\t' | b'\r');
    match config {
        Sxp::List(items) => items.iter().try_for_each(refuse_garbled),
        Sxp::Atom(text) if text.iter().all(is_plain) => Ok(()),
        atom => {
            let text = atom.text().unwrap_or_default();
            let detail = format!("xend would not keep '{text}' as it is: it keeps plain ASCII only");
            Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::XEN))
        }
    }
}

/// Whether an action is one of those for every event.
fn action_is_plain(action: &str) -> bool {
    !action.starts_with("coredump")
}

fn uuid_of(tree: &Element) -> Result<Uuid> {
    let text = tree.child_text("uuid").unwrap_or_default();
    Uuid::try_parse(&text).map_err(|_| Error::internal("malformed uuid element"))
}

fn taken(other: &Described) -> Error {
    let detail =
        format!("domain '{}' already exists with uuid {}", other.reference.name, other.reference.uuid);
    Error::operation_failed(detail).from_origin(ErrorOrigin::XEN)
}

impl XendLayer {
    /// The domain that has a definition's uuid; fails if another one has its name. Up to 3.1 a xend given a second
    /// domain of one uuid would mix up the two.
    fn known(&self, tree: &Element) -> Result<Option<Described>> {
        let uuid = uuid_of(tree)?;
        let named = self.by_name(&tree.child_text("name").unwrap_or_default())?;
        match named {
            Some(named) if named.reference.uuid == uuid => Ok(Some(named)),
            Some(other) => Err(taken(&other)),
            None => self.by_uuid(uuid),
        }
    }

    /// Makes a domain run that no longer exists once it stops, unless xend knows its uuid already.
    fn run(&self, config: &Sxp, paused: bool) -> Result<DomainRef> {
        self.check_memory(config)?;
        let made = self.requests.ask(&Form::new("create").with_config(config))?;
        let uuid = made.as_ref().and_then(|made| made.get("uuid")).or_else(|| config.get("uuid"));
        let uuid = uuid.and_then(|uuid| Uuid::try_parse(&uuid).ok());
        let described = match uuid {
            Some(uuid) => self.by_uuid(uuid)?.ok_or_else(|| XendLayer::no_such_uuid(uuid))?,
            None => return Err(super::request::no_answer("create")),
        };
        let started = self.ask(&described, &Form::new("wait_for_devices")).and_then(|_| match paused {
            true => Ok(None),
            false => self.ask(&described, &Form::new("unpause")),
        });
        match started {
            Ok(_) => Ok(described.reference),
            Err(error) => {
                // The first error is the one to tell; a domain that is gone by itself is as good.
                let _ = self.ask(&described, &Form::new("destroy"));
                Err(error)
            }
        }
    }

    /// Refuses a start for which some releases would look for memory for minutes, during which they answer nobody.
    fn check_memory(&self, config: &Sxp) -> Result<()> {
        if !self.requests.release.hangs_without_memory() {
            return Ok(());
        }
        let wanted = config.number("memory").unwrap_or(0);
        match self.requests.read_node()?.number("free_memory") {
            Some(free) if wanted > free => {
                let detail = format!(
                    "the domain needs {wanted} MiB and {free} MiB are free; xend {} would hang until there is more",
                    self.requests.release
                );
                Err(Error::new(ErrorCode::NO_MEMORY, detail).from_origin(ErrorOrigin::XEN))
            }
            _ => Ok(()),
        }
    }

    /// Asks a running guest to stop.
    fn ask_guest(&self, domain: &DomainRef, reason: &str) -> Result<()> {
        let described = self.find_running(domain)?;
        if described.is_host() {
            // Up to 3.0.2 xend would do it.
            return Err(invalid("Domain-0 cannot be shut down over xend: it runs the host"));
        }
        self.ask(&described, &Form::new("shutdown").with("reason", reason)).map(|_| ())
    }

    /// Asks for something of a running domain that needs no more words.
    fn ask_running(&self, domain: &DomainRef, op: &'static str) -> Result<()> {
        let described = self.find_running(domain)?;
        if described.is_host() {
            return Err(invalid(format!("Domain-0 takes no '{op}': it runs the host")));
        }
        self.ask(&described, &Form::new(op)).map(|_| ())
    }

    /// Waits until a destroyed domain has gone; xend may answer before.
    fn wait_for_end(&self, domain: &DomainRef, id: Option<u32>) -> Result<()> {
        for _ in 0..LOOKS.1 {
            match self.by_uuid(domain.uuid)? {
                Some(found) if found.reference.id == id => std::thread::sleep(LOOKS.0),
                _ => return Ok(()),
            }
        }
        // It is dying, and that may take as long as its devices take.
        Ok(())
    }
}
