//! Finding domains and reading what they are.

use super::{Directory, Domain, Running, check_flags, invalid, no_domain};
use crate::backend::xen::definition;
use crate::backend::xen::hypervisor::Kind as Virtualisation;
use crate::backend::xen::native;
use crate::backend::xen::native::xl::{self, Kind, Use};
use crate::backend::{DomainLifecycle, DomainLookup, DomainSaving};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::xml::domain::Domain as View;
use uuid::Uuid;

impl DomainLookup for Directory {
    fn list_all_domains(&self, flags: u32) -> Result<Vec<DomainRef>> {
        self.listed(flags)
    }

    fn lookup_by_id(&self, id: i32) -> Result<DomainRef> {
        let wanted = u32::try_from(id).ok();
        let found = self.running()?.into_iter().find(|running| Some(running.id) == wanted);
        let found = found.map(|running| running.reference());
        found.ok_or_else(|| no_domain(format!("no domain with matching id '{id}'")))
    }

    fn lookup_by_name(&self, name: &str) -> Result<DomainRef> {
        let defined = self.definitions().all().into_iter().find(|definition| definition.name == name);
        let named: Vec<Running> =
            self.running()?.into_iter().filter(|running| running.name == name).collect();
        // Old toolstacks let guests write what they are called. The one that is defined by the name has it, else who
        // had it first; of two that are the same, one is being restored or moved, and the newer one lives on.
        let its =
            defined.as_ref().filter(|definition| definition.says_uuid).map(|definition| definition.uuid);
        let its = its.filter(|uuid| named.iter().any(|running| running.uuid == *uuid));
        if let Some(uuid) = its.or(named.first().map(|running| running.uuid)) {
            let found = named.into_iter().rev().find(|running| running.uuid == uuid);
            return found.map(|running| running.reference()).ok_or_else(|| no_domain(name.to_string()));
        }
        let defined = defined.map(|definition| Domain::Defined(definition).reference());
        defined.ok_or_else(|| no_domain(format!("no domain with matching name '{name}'")))
    }

    fn lookup_by_uuid(&self, uuid: Uuid) -> Result<DomainRef> {
        if let Some(running) = self.running_with(uuid, None)? {
            return Ok(running.reference());
        }
        let defined =
            self.definitions().with_uuid(uuid).map(|definition| Domain::Defined(definition).reference());
        defined.ok_or_else(|| no_domain(format!("no domain with matching uuid '{uuid}'")))
    }

    fn xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let known = DOMAIN_XML_SECURE | DOMAIN_XML_INACTIVE | DOMAIN_XML_UPDATE_CPU | DOMAIN_XML_MIGRATABLE;
        check_flags(flags, known, "libxlDomainGetXMLDesc")?;
        self.document(&self.find(domain)?, flags)
    }

    fn autostart(&self, domain: &DomainRef) -> Result<bool> {
        let found = self.find(domain)?;
        let definition = match &found {
            Domain::Running(_, definition) => definition.as_ref(),
            Domain::Defined(definition) => Some(definition),
        };
        Ok(definition.is_some_and(|definition| self.definitions().autostarts(definition)))
    }

    fn info(&self, domain: &DomainRef) -> Result<DomainInfo> {
        match self.find(domain)? {
            Domain::Running(running, _) => {
                let figures =
                    running.figures.as_ref().ok_or_else(|| Error::unsupported("virDomainGetInfo"))?;
                let most = self.most_memory(&running)?;
                Ok(DomainInfo {
                    state: u8::try_from(figures.state().state).unwrap_or(0),
                    max_memory: most.unwrap_or_else(|| figures.memory()),
                    memory: figures.memory(),
                    vcpus: u16::try_from(figures.online_vcpus).unwrap_or(u16::MAX),
                    cpu_time: figures.cpu_time,
                })
            }
            Domain::Defined(defined) => {
                defined.must_be_read()?;
                let tree = definition::complete(xl::domain_from_config(&defined.config, Use::Kept)?)?;
                let view = View::parse(&tree)?;
                Ok(DomainInfo {
                    state: DOMAIN_SHUTOFF as u8,
                    max_memory: view.memory.maximum,
                    memory: view.memory.current,
                    vcpus: u16::try_from(view.vcpus.current).unwrap_or(u16::MAX),
                    cpu_time: 0,
                })
            }
        }
    }

    fn os_type(&self, domain: &DomainRef) -> Result<String> {
        let kind = match self.find(domain)? {
            Domain::Running(running, definition) => match (running.figures, definition) {
                (Some(figures), _) => match figures.kind {
                    Virtualisation::Pv => Kind::Pv,
                    Virtualisation::Pvh => Kind::Pvh,
                    Virtualisation::Hvm => Kind::Hvm,
                },
                (None, Some(definition)) => Kind::of_config(&definition.config),
                (None, None) => return Err(Error::unsupported("virDomainGetOSType")),
            },
            Domain::Defined(definition) => Kind::of_config(&definition.config),
        };
        // Not the word that the definition has for it.
        Ok(if kind == Kind::Pv { "xen" } else { kind.os_type() }.to_string())
    }

    fn is_active(&self, domain: &DomainRef) -> Result<bool> {
        Ok(matches!(self.find(domain)?, Domain::Running(..)))
    }

    fn is_persistent(&self, domain: &DomainRef) -> Result<bool> {
        Ok(match self.find(domain)? {
            Domain::Running(running, definition) => running.is_control() || definition.is_some(),
            Domain::Defined(_) => true,
        })
    }

    fn is_updated(&self, domain: &DomainRef) -> Result<bool> {
        self.find(domain).map(|_| false)
    }

    fn state(&self, domain: &DomainRef, flags: u32) -> Result<StateReason> {
        check_flags(flags, 0, "libxlDomainGetState")?;
        match self.find(domain)? {
            Domain::Running(running, _) => match running.figures {
                Some(figures) => Ok(figures.state()),
                None => Err(Error::unsupported("virDomainGetState")),
            },
            Domain::Defined(definition) => Ok(self.state_at_rest(&definition)),
        }
    }

    fn metadata(&self, domain: &DomainRef, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        let shown = self.find(domain)?;
        let only_config = flags & DOMAIN_AFFECT_CONFIG != 0;
        if flags & DOMAIN_AFFECT_LIVE != 0 && !matches!(shown, Domain::Running(..)) {
            return Err(invalid("domain is not running"));
        }
        let text = self.document(&shown, if only_config { DOMAIN_XML_INACTIVE } else { 0 })?;
        let tree = crate::xml::parse(&text, "domain_definition")?;
        let missing = |what: &str| Error {
            code: ErrorCode::NO_DOMAIN_METADATA,
            origin: ErrorOrigin::XEN,
            message: what.to_string(),
        };
        match kind {
            DOMAIN_METADATA_DESCRIPTION => tree
                .child("description")
                .map(|child| child.text())
                .ok_or_else(|| missing("metadata not found: Requested metadata element is not present")),
            DOMAIN_METADATA_TITLE => tree
                .child("title")
                .map(|child| child.text())
                .ok_or_else(|| missing("metadata not found: Requested metadata element is not present")),
            _ => {
                let wanted = uri.unwrap_or_default();
                let all = tree.child("metadata");
                let is_it = |child: &&crate::xml::Element| {
                    let prefix = child
                        .name
                        .split_once(':')
                        .map_or("xmlns".to_string(), |(prefix, _)| format!("xmlns:{prefix}"));
                    child.attribute(&prefix) == Some(wanted)
                };
                let found = all.and_then(|all| all.elements().find(is_it)).map(ToString::to_string);
                found.ok_or_else(|| missing("metadata not found: Requested metadata element is not present"))
            }
        }
    }

    fn xml_from_native(&self, native_format: &str, native_config: &str, flags: u32) -> Result<String> {
        check_flags(flags, 0, "libxlConnectDomainXMLFromNative")?;
        native::to_xml(native_format, native_config)
    }

    fn xml_to_native(&self, native_format: &str, domain_xml: &str, flags: u32) -> Result<String> {
        check_flags(flags, 0, "libxlConnectDomainXMLToNative")?;
        native::from_xml(native_format, domain_xml)
    }
}

impl DomainLifecycle for Directory {
    fn set_autostart(&self, domain: &DomainRef, autostart: bool) -> Result<()> {
        match self.find(domain)? {
            Domain::Running(running, None) if running.is_control() => {
                Err(invalid("cannot set autostart for the control domain"))
            }
            Domain::Running(_, None) => Err(invalid("cannot set autostart for transient domain")),
            Domain::Running(_, Some(definition)) | Domain::Defined(definition) => {
                self.definitions().set_autostart(&definition, autostart)
            }
        }
    }

    fn rename(&self, domain: &DomainRef, new_name: Option<&str>, flags: u32) -> Result<i32> {
        check_flags(flags, 0, "virDomainRename")?;
        let name = new_name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::invalid_argument("a domain cannot be without a name"))?;
        let definition = match self.find(domain)? {
            Domain::Defined(definition) => definition,
            Domain::Running(..) => return Err(invalid("cannot rename active domain")),
        };
        if self.definitions().managed_save(definition.uuid).exists() {
            return Err(invalid("domain with a managed saved state can't be renamed"));
        }
        if self.lookup_by_name(name).is_ok() {
            let detail = format!("domain with name '{name}' already exists");
            return Err(Error::new(ErrorCode::OPERATION_FAILED, detail).from_origin(ErrorOrigin::XEN));
        }
        self.definitions().rename(&definition, name)?;
        Ok(0)
    }
}

impl DomainSaving for Directory {
    fn has_managed_save_image(&self, domain: &DomainRef, flags: u32) -> Result<bool> {
        check_flags(flags, 0, "libxlDomainHasManagedSaveImage")?;
        let found = self.find(domain)?.reference();
        Ok(self.definitions().managed_save(found.uuid).exists())
    }

    fn managed_save_remove(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "libxlDomainManagedSaveRemove")?;
        let found = self.find(domain)?.reference();
        crate::host::durable::remove_durably(&self.definitions().managed_save(found.uuid))
    }
}
