//! Saving domains to files and bringing them back; core dumps.

use super::{XlLayer, as_argument, image, temporary};
use crate::backend::DomainSaving;
use crate::backend::xen::definition;
use crate::backend::xen::directory::{check_flags, invalid};
use crate::backend::xen::native::xl::{self, Use};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use std::path::{Path, PathBuf};

impl XlLayer {
    /// Saves into a new file beside the wanted one, so that a failure leaves no half image, and an older one whole.
    fn save_to(&self, id: &str, path: &Path, configuration: Option<&Path>) -> Result<()> {
        let new = unfinished(path);
        let mut arguments = vec!["save", id, as_argument(&new)?];
        if let Some(configuration) = configuration {
            arguments.push(as_argument(configuration)?);
        }
        let saved = self.toolstack.run_long(&arguments);
        let placed = saved.and_then(|_| {
            let file = std::fs::File::open(&new).and_then(|file| file.sync_all());
            file.map_err(|e| Error::system(format!("cannot sync '{}'", new.display()), &e))?;
            crate::host::durable::rename_durably(&new, path)
        });
        if placed.is_err() {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(&new);
        }
        placed
    }
}

/// Where a file is written until it is whole: beside it, under a name that nobody gives a file of his own.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".hvsh-unfinished");
    PathBuf::from(name)
}

/// A path that another program is to open: it has its own working folder.
fn absolute(path: &str) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Error::system(format!("cannot find '{path}'"), &e))
}

impl DomainSaving for XlLayer {
    fn save(&self, domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, 0, "libxlDomainSaveFlags")?;
        let id = self.id_of(domain)?;
        let path = absolute(to)?;
        let configuration = match dxml {
            Some(xml) => Some(temporary(&xl::config_from_domain(&definition::parse(xml)?, Use::Kept)?)?),
            None => None,
        };
        self.save_to(&id, &path, configuration.as_ref().map(|file| file.path()))
    }

    fn restore(&self, from: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_SAVE_PAUSED | DOMAIN_SAVE_RUNNING, "libxlDomainRestoreFlags")?;
        let path = absolute(from)?;
        // What is no image is told by us, in words that name it.
        image::read(&path)?;
        let configuration = match dxml {
            Some(xml) => Some(temporary(&xl::config_from_domain(&definition::parse(xml)?, Use::Kept)?)?),
            None => None,
        };
        let mut arguments = vec!["restore"];
        if flags & DOMAIN_SAVE_PAUSED != 0 {
            arguments.push("-p");
        }
        if let Some(file) = &configuration {
            arguments.push(as_argument(file.path())?);
        }
        arguments.push(as_argument(&path)?);
        self.toolstack.run_long(&arguments).map(|_| ())
    }

    fn save_image_xml(&self, file: &str, flags: u32) -> Result<String> {
        check_flags(flags, DOMAIN_SAVE_IMAGE_XML_SECURE, "libxlDomainSaveImageGetXMLDesc")?;
        let config = image::read(&absolute(file)?)?;
        let tree = definition::complete(xl::domain_from_config(&config, Use::Kept)?)?;
        let secrets = flags & DOMAIN_SAVE_IMAGE_XML_SECURE != 0;
        Ok(crate::xml::domain::variants::shown(&tree, None, secrets).to_string())
    }

    fn managed_save(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "libxlDomainManagedSave")?;
        let id = self.id_of(domain)?;
        let definition = self.directory.definition_of(domain);
        let definition = definition.ok_or_else(|| invalid("cannot do managed save for transient domain"))?;
        let definitions = self.directory.definitions();
        definitions.make_saves()?;
        self.save_to(&id, &definitions.managed_save(definition.uuid), None)
    }

    fn managed_save_xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let path = self.directory.definitions().managed_save(domain.uuid);
        if !path.exists() {
            return Err(invalid("domain does not have managed save image"));
        }
        self.save_image_xml(as_argument(&path)?, flags)
    }

    fn core_dump_with_format(&self, domain: &DomainRef, to: &str, dumpformat: u32, flags: u32) -> Result<()> {
        check_flags(flags, DUMP_LIVE | DUMP_CRASH, "libxlDomainCoreDump")?;
        if dumpformat != 0 {
            let detail = "the hypervisor dumps in its own format only";
            return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN));
        }
        let id = self.id_of(domain)?;
        let path = absolute(to)?;
        let new = unfinished(&path);
        let dumped = self.toolstack.run_long(&["dump-core", &id, as_argument(&new)?]);
        let placed = dumped.and_then(|_| crate::host::durable::rename_durably(&new, &path));
        if placed.is_err() {
            // The first error is the one to tell.
            let _ = std::fs::remove_file(&new);
        }
        placed?;
        match flags & DUMP_CRASH {
            0 => Ok(()),
            _ => self.toolstack.run_long(&["destroy", &id]).map(|_| ()),
        }
    }
}
