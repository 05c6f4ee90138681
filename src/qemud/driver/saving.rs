//! Saving domains to files and bringing them back; core dumps.

use super::starting::Boot;
use super::{QemuConnection, check_flags, invalid, lookup};
use crate::backend::DomainSaving;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::qemud::store::remove_durably;
use crate::qemud::vm::dump;
use crate::qemud::vm::guest::{Definition, Guest};
use crate::qemud::vm::image::Image;
use crate::qemud::vm::launch::Manner;
use crate::qemud::vm::save::{self, Order};
use crate::qemud::vm::stop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SAVE_FLAGS: u32 = DOMAIN_SAVE_BYPASS_CACHE | DOMAIN_SAVE_RUNNING | DOMAIN_SAVE_PAUSED;

/// Whether the flags say that the guest is to run or to stand still later.
fn run_later(flags: u32) -> Result<Option<bool>> {
    match flags & (DOMAIN_SAVE_RUNNING | DOMAIN_SAVE_PAUSED) {
        0 => Ok(None),
        DOMAIN_SAVE_RUNNING => Ok(Some(true)),
        DOMAIN_SAVE_PAUSED => Ok(Some(false)),
        _ => Err(Error::invalid_argument("running and paused flags are mutually exclusive")),
    }
}

impl DomainSaving for QemuConnection {
    fn managed_save(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, SAVE_FLAGS, "virDomainManagedSave")?;
        let guest = self.find(domain)?;
        let turn = guest.jobs.take_turn("virDomainManagedSave")?;
        let path = {
            let condition = guest.lock();
            condition.running()?;
            if condition.persistent.is_none() {
                return Err(invalid("cannot do managed save for transient domain"));
            }
            self.inventory().store.paths.managed_save(&condition.name)
        };
        let order = Order {
            to: &path,
            xml: None,
            bypass_cache: flags & DOMAIN_SAVE_BYPASS_CACHE != 0,
            run_later: run_later(flags)?,
        };
        save::save(self.inventory(), &guest, &turn, &order)?;
        guest.lock().managed_save = true;
        Ok(())
    }

    fn has_managed_save_image(&self, domain: &DomainRef, flags: u32) -> Result<bool> {
        check_flags(flags, 0, "virDomainHasManagedSaveImage")?;
        Ok(self.find(domain)?.lock().managed_save)
    }

    fn managed_save_remove(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        check_flags(flags, 0, "virDomainManagedSaveRemove")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainManagedSaveRemove")?;
        let name = guest.lock().name.clone();
        remove_durably(&self.inventory().store.paths.managed_save(&name))?;
        guest.lock().managed_save = false;
        Ok(())
    }

    fn save(&self, domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, SAVE_FLAGS, "virDomainSaveFlags")?;
        let guest = self.find(domain)?;
        let turn = guest.jobs.take_turn("virDomainSave")?;
        let xml = dxml.map(|xml| self.replacement(&guest, xml)).transpose()?;
        let to = absolute(to)?;
        let order = Order {
            to: &to,
            xml: xml.as_deref(),
            bypass_cache: flags & DOMAIN_SAVE_BYPASS_CACHE != 0,
            run_later: run_later(flags)?,
        };
        guest.lock().running()?;
        save::save(self.inventory(), &guest, &turn, &order)
    }

    fn restore(&self, from: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, SAVE_FLAGS | DOMAIN_SAVE_RESET_NVRAM, "virDomainRestoreFlags")?;
        let path = absolute(from)?;
        let mut image = Image::open(&path, false)?;
        if let Some(xml) = dxml {
            image.xml = self.compatible(&image.xml, xml)?;
        }
        let tree = crate::xml::parse(&image.xml, "domain_definition")?;
        let running = run_later(flags)?.unwrap_or(image.header.running);
        let boot = Boot {
            manner: Manner { paused: !running, ..Manner::default() },
            bypass_cache: flags & DOMAIN_SAVE_BYPASS_CACHE != 0,
            ..Boot::default()
        };
        let started = self
            .create_transient(&tree, |guest, turn| self.boot_from_image(guest, turn, &image, &path, &boot));
        started.map(|_| ())
    }

    fn save_image_xml(&self, file: &str, flags: u32) -> Result<String> {
        check_flags(flags, DOMAIN_SAVE_IMAGE_XML_SECURE, "virDomainSaveImageGetXMLDesc")?;
        shown(&Image::open(&absolute(file)?, false)?, flags)
    }

    fn save_image_define_xml(&self, file: &str, dxml: &str, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_SAVE_RUNNING | DOMAIN_SAVE_PAUSED, "virDomainSaveImageDefineXML")?;
        self.edit_image(&absolute(file)?, dxml, flags)
    }

    fn core_dump_with_format(&self, domain: &DomainRef, to: &str, format: u32, flags: u32) -> Result<()> {
        let known = DUMP_CRASH | DUMP_LIVE | DUMP_BYPASS_CACHE | DUMP_RESET | DUMP_MEMORY_ONLY;
        check_flags(flags, known, "virDomainCoreDumpWithFormat")?;
        let guest = self.find(domain)?;
        let turn = guest.jobs.take_turn("virDomainCoreDump")?;
        let monitor = guest.monitor()?;
        let format = match format {
            DOMAIN_CORE_DUMP_FORMAT_RAW => "elf",
            DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB => "kdump-zlib",
            DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO => "kdump-lzo",
            DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY => "kdump-snappy",
            DOMAIN_CORE_DUMP_FORMAT_WIN_DMP => "win-dmp",
            other => return Err(Error::invalid_argument(format!("unknown dump format {other}"))),
        };
        dump::dump(&guest, &turn, &absolute(to)?, format, flags & DUMP_LIVE != 0)?;
        if flags & DUMP_CRASH != 0 {
            return stop::stop(&guest, DOMAIN_SHUTOFF_CRASHED, false);
        }
        if flags & DUMP_RESET != 0 {
            monitor.query("system_reset")?;
        }
        Ok(())
    }

    fn managed_save_xml(&self, domain: &DomainRef, flags: u32) -> Result<String> {
        let guest = self.find(domain)?;
        shown(&Image::open(&self.managed_image(&guest)?, false)?, flags)
    }

    fn managed_save_define_xml(&self, domain: &DomainRef, dxml: Option<&str>, flags: u32) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainManagedSaveDefineXML")?;
        let path = self.managed_image(&guest)?;
        match dxml {
            Some(xml) => self.edit_image(&path, xml, flags),
            None => {
                let mut image = Image::open(&path, true)?;
                let (xml, running) = (image.xml.clone(), image.header.running);
                image.edit(&xml, run_later(flags)?.unwrap_or(running))
            }
        }
    }

    fn save_params(&self, domain: &DomainRef, params: &[TypedParam], flags: u32) -> Result<()> {
        let (file, xml) = file_and_xml(params)?;
        let file = file.ok_or_else(|| Error::invalid_argument("a save needs a file"))?;
        self.save(domain, &file, xml.as_deref(), flags)
    }

    fn restore_params(&self, params: &[TypedParam], flags: u32) -> Result<()> {
        let (file, xml) = file_and_xml(params)?;
        let file = file.ok_or_else(|| Error::invalid_argument("a restore needs a file"))?;
        self.restore(&file, xml.as_deref(), flags)
    }
}

/// The parameters of a save or a restore that this driver knows; another is refused by name.
fn file_and_xml(params: &[TypedParam]) -> Result<(Option<String>, Option<String>)> {
    let (mut file, mut xml) = (None, None);
    for param in params {
        let value = param.value.as_str().map(str::to_string);
        match param.name.as_str() {
            "file" => file = value,
            "dxml" => xml = value,
            other => {
                let detail = format!("parameter '{other}' not supported");
                return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
            }
        }
    }
    Ok((file, xml))
}

/// The helper's folder is not the client's, so a relative path means nothing here.
fn absolute(path: &str) -> Result<PathBuf> {
    if Path::new(path).is_absolute() {
        return Ok(PathBuf::from(path));
    }
    Err(Error::invalid_argument(format!("'{path}' is not an absolute path")).from_origin(ErrorOrigin::QEMU))
}

fn shown(image: &Image, flags: u32) -> Result<String> {
    let tree = crate::xml::parse(&image.xml, "domain_definition")?;
    let definition = Definition::new(&tree);
    if flags & DOMAIN_SAVE_IMAGE_XML_SECURE != 0 {
        return Ok(definition.text.to_string());
    }
    lookup::without_secrets(&definition)
}

impl QemuConnection {
    fn managed_image(&self, guest: &Arc<Guest>) -> Result<PathBuf> {
        let name = guest.lock().name.clone();
        let path = self.inventory().store.paths.managed_save(&name);
        if path.exists() {
            return Ok(path);
        }
        Err(invalid("domain does not have managed save image"))
    }

    fn edit_image(&self, path: &Path, xml: &str, flags: u32) -> Result<()> {
        let mut image = Image::open(path, true)?;
        let xml = self.compatible(&image.xml, xml)?;
        let running = run_later(flags)?.unwrap_or(image.header.running);
        image.edit(&xml, running)
    }

    /// A definition to be saved in place of the guest's own.
    fn replacement(&self, guest: &Guest, xml: &str) -> Result<String> {
        let base = guest.lock().running()?.base.clone();
        self.compatible(&base.text, xml)
    }

    /// Completes a definition that replaces another one under a guest's feet, and refuses it where the guest would
    /// see the difference.
    fn compatible(&self, old: &str, new: &str) -> Result<String> {
        let old = crate::xml::parse(old, "domain_definition")?;
        let new = self.complete(new)?;
        crate::xml::domain::stability::check(&old, &new)
            .map_err(|error| error.from_origin(ErrorOrigin::QEMU))?;
        Ok(new.to_string())
    }
}
