//! Making domains and ending them.

use super::{LONG, XlLayer, as_argument, temporary};
use crate::backend::DomainLifecycle;
use crate::backend::DomainLookup;
use crate::backend::xen::definition;
use crate::backend::xen::directory::{Domain, check_flags, invalid};
use crate::backend::xen::native::config::Config;
use crate::backend::xen::native::xl::{self, Use};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::xml::Element;
use std::path::Path;

/// What a start may be asked for.
const START_FLAGS: u32 =
    DOMAIN_START_PAUSED | DOMAIN_START_BYPASS_CACHE | DOMAIN_START_FORCE_BOOT | DOMAIN_START_VALIDATE;

impl XlLayer {
    /// Runs `xl create`; on failure nothing of the domain is left, which is the toolstack's own care.
    fn start_file(&self, path: &Path, name: &str, flags: u32) -> Result<()> {
        let mut arguments = vec!["create"];
        if flags & DOMAIN_START_PAUSED != 0 {
            arguments.push("-p");
        }
        arguments.push(as_argument(path)?);
        self.toolstack.program.run(&arguments, LONG).map_err(|error| {
            let cause = error.message.trim_start_matches("internal error: ");
            let detail = format!("libxenlight failed to create new domain '{name}': {cause}");
            Error::internal(detail).from_origin(ErrorOrigin::XEN)
        })?;
        Ok(())
    }

    /// The domain that was just started.
    fn started(&self, name: &str) -> Result<DomainRef> {
        self.directory.lookup_by_name(name)
    }

    /// Refuses a name or uuid that a running domain has, or another definition.
    fn check_unused(&self, tree: &Element) -> Result<()> {
        let name = tree.child_text("name").unwrap_or_default();
        let uuid =
            tree.child_text("uuid").and_then(|text| uuid::Uuid::try_parse(&text).ok()).unwrap_or_default();
        for running in self.directory.running()? {
            if running.name == name || running.uuid == uuid {
                let detail = match running.uuid == uuid {
                    true => format!("domain is already active as '{}'", running.name),
                    false => format!("domain '{name}' already exists with uuid {}", running.uuid),
                };
                return Err(invalid(detail));
            }
        }
        self.directory.definitions().check_identity(&self.directory.definitions().all(), &name, uuid)
    }

    /// Brings the memory of a domain back, then forgets the image.
    fn restore_managed(&self, domain: &Domain, image: &Path, flags: u32) -> Result<()> {
        let mut arguments = vec!["restore"];
        if flags & DOMAIN_START_PAUSED != 0 {
            arguments.push("-p");
        }
        arguments.push(as_argument(image)?);
        self.toolstack.run_long(&arguments).map_err(|error| {
            let name = domain.reference().name;
            let detail =
                format!("{}; start '{name}' without its saved memory by --force-boot", error.message);
            Error { message: detail, ..error }
        })?;
        crate::host::durable::remove_durably(image)
    }
}

impl DomainLifecycle for XlLayer {
    fn create_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        check_flags(flags, START_FLAGS, "libxlDomainCreateXML")?;
        let tree = definition::parse(xml)?;
        self.check_unused(&tree)?;
        let config: Config = xl::config_from_domain(&tree, Use::Kept)?;
        let name = config.text("name").unwrap_or_default();
        let file = temporary(&config)?;
        self.start_file(file.path(), &name, flags)?;
        self.started(&name)
    }

    fn create(&self, domain: &DomainRef, flags: u32) -> Result<DomainRef> {
        check_flags(flags, START_FLAGS, "libxlDomainCreateWithFlags")?;
        let found = self.directory.find(domain)?;
        let Domain::Defined(definition) = &found else {
            return Err(invalid("domain is already running"));
        };
        definition.must_not_be_xends()?;
        let image = self.directory.definitions().managed_save(definition.uuid);
        if image.exists() && flags & DOMAIN_START_FORCE_BOOT == 0 {
            self.restore_managed(&found, &image, flags)?;
            return self.started(&definition.name);
        }
        self.start_file(&definition.path, &definition.name, flags)?;
        // It started anew, so the old memory is of no use any more.
        crate::host::durable::remove_durably(&image)?;
        self.started(&definition.name)
    }

    fn define_xml(&self, xml: &str, flags: u32) -> Result<DomainRef> {
        check_flags(flags, DOMAIN_DEFINE_VALIDATE, "libxlDomainDefineXMLFlags")?;
        let tree = definition::parse(xml)?;
        let written = self.directory.definitions().write(&tree)?;
        let running = self.directory.running_with(written.uuid, None)?;
        Ok(DomainRef { name: written.name, uuid: written.uuid, id: running.map(|running| running.id) })
    }

    fn undefine(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_UNDEFINE_MANAGED_SAVE, "libxlDomainUndefineFlags")?;
        let definition = match self.directory.find(domain)? {
            Domain::Running(running, _) if running.is_control() => {
                return Err(invalid("Domain-0 does not support requested operation"));
            }
            Domain::Running(_, None) => return Err(invalid("cannot undefine transient domain")),
            Domain::Running(_, Some(definition)) | Domain::Defined(definition) => definition,
        };
        let definitions = self.directory.definitions();
        let image = definitions.managed_save(definition.uuid);
        if image.exists() {
            if flags & DOMAIN_UNDEFINE_MANAGED_SAVE == 0 {
                return Err(invalid("Refusing to undefine while domain managed save image exists"));
            }
            crate::host::durable::remove_durably(&image)?;
        }
        definitions.remove(&definition)
    }

    fn destroy(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_DESTROY_GRACEFUL, "libxlDomainDestroyFlags")?;
        let id = self.id_of(domain)?;
        self.toolstack.run_long(&["destroy", &id]).map(|_| ())
    }

    fn shutdown(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(
            flags,
            DOMAIN_SHUTDOWN_ACPI_POWER_BTN | DOMAIN_SHUTDOWN_PARAVIRT,
            "libxlDomainShutdownFlags",
        )?;
        if flags == DOMAIN_SHUTDOWN_ACPI_POWER_BTN {
            return self.toolstack.run(&["trigger", &self.id_of(domain)?, "power"]).map(|_| ());
        }
        self.ask("shutdown", domain, flags & DOMAIN_SHUTDOWN_PARAVIRT != 0)
    }

    fn reboot(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_REBOOT_ACPI_POWER_BTN | DOMAIN_REBOOT_PARAVIRT, "libxlDomainReboot")?;
        self.ask("reboot", domain, flags & DOMAIN_REBOOT_PARAVIRT != 0)
    }
}

impl XlLayer {
    /// Asks a guest to go; by its power button where its own drivers do not hear, unless these alone are wanted.
    fn ask(&self, verb: &str, domain: &DomainRef, only_drivers: bool) -> Result<()> {
        let id = self.id_of(domain)?;
        let mut arguments = vec![verb];
        if !only_drivers {
            arguments.push("-F");
        }
        arguments.push(&id);
        self.toolstack.run(&arguments).map(|_| ())
    }
}
