//! Save images, managed save and core dumps.
//!
//! An image is the magic words, the length of the definition as four bytes, lowest first, and the definition.
//! There is no memory to keep: a guest that does not exist has nothing in mind.

use super::definition;
use super::*;
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::xml::Element;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What every image and core dump begins with.
const MAGIC: &[u8; 15] = b"TestGuestMagic\0";
/// No definition in an image is longer.
const LENGTH_MAX: u32 = 1 << 26;

/// The path as the messages spell it.
fn absolute(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// Writes a file whole or not at all; devices and the like, which cannot be replaced, are written in place.
fn write_file(path: &Path, parts: &[&[u8]]) -> std::io::Result<()> {
    let fill = |file: &mut dyn Write| parts.iter().try_for_each(|part| file.write_all(part));
    match path.metadata() {
        Ok(there) if there.is_dir() => Err(std::io::Error::from_raw_os_error(nix::libc::EISDIR)),
        Ok(there) if !there.is_file() => fill(&mut std::fs::OpenOptions::new().write(true).open(path)?),
        _ => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            let mut file = tempfile::Builder::new().tempfile_in(folder).map_err(plain)?;
            fill(file.as_file_mut())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            std::fs::File::open(folder)?.sync_all()
        }
    }
}

/// The system's error without the temporary name that tempfile puts around it.
fn plain(error: std::io::Error) -> std::io::Error {
    let kind = error.kind();
    match error.raw_os_error() {
        Some(code) => std::io::Error::from_raw_os_error(code),
        None => match kind {
            std::io::ErrorKind::NotFound => std::io::Error::from_raw_os_error(nix::libc::ENOENT),
            std::io::ErrorKind::PermissionDenied => std::io::Error::from_raw_os_error(nix::libc::EACCES),
            _ => error,
        },
    }
}

/// Writes an image.
fn write_image(path: &Path, definition: &str) -> std::io::Result<()> {
    let length = u32::try_from(definition.len()).unwrap_or(u32::MAX).to_le_bytes();
    write_file(path, &[MAGIC, &length, definition.as_bytes()])
}

/// Reads the definition of an image.
fn read_image(path: &str) -> Result<Element> {
    let path = absolute(path);
    let name = path.display();
    let read = |cause| Error::system(format!("cannot read domain image '{name}'"), &cause);
    let bytes = std::fs::read(&path).map_err(read)?;
    let rest = bytes.strip_prefix(MAGIC);
    let rest = rest.ok_or_else(|| Error::internal("mismatched header magic"))?;
    let Some((length, rest)) = rest.split_first_chunk::<4>() else {
        return Err(Error::internal("failed to read metadata length"));
    };
    let length = u32::from_le_bytes(*length);
    if !(1..=LENGTH_MAX).contains(&length) {
        return Err(Error::internal("length of metadata out of range"));
    }
    let xml = rest.get(..length as usize);
    let xml = xml.and_then(|xml| std::str::from_utf8(xml).ok());
    definition::read(xml.ok_or_else(|| Error::internal("failed to read metadata"))?)
}

fn refuse_new_definition(dxml: Option<&str>) -> Result<()> {
    match dxml {
        Some(_) => {
            let detail = "xml modification unsupported";
            Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail))
        }
        None => Ok(()),
    }
}

impl DomainSaving for TestConnection {
    fn save(&self, domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainSaveFlags")?;
        refuse_new_definition(dxml)?;
        let mut state = self.state();
        let guest = state.active(domain)?;
        let path = absolute(to);
        let image = definition::show(&guest.current, guest.id, true);
        write_image(&path, &image).map_err(|cause| {
            let tried = format!("saving domain '{}' to '{}': open failed", guest.name, path.display());
            Error::system(tried, &cause)
        })?;
        self.stop(&mut state, domain, (DOMAIN_SHUTOFF_SAVED, DOMAIN_EVENT_STOPPED_SAVED))
    }

    fn restore(&self, from: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainRestoreFlags")?;
        refuse_new_definition(dxml)?;
        let mut tree = read_image(from)?;
        tree.unset("id");
        let domain = self.state().start_as(tree, DOMAIN_RUNNING_RESTORED)?;
        self.tell_lifecycle(&domain, DOMAIN_EVENT_STARTED, DOMAIN_EVENT_STARTED_RESTORED);
        Ok(())
    }

    fn save_image_xml(&self, file: &str, flags: u32) -> Result<String> {
        only_flags(flags, DOMAIN_SAVE_IMAGE_XML_SECURE, "testDomainSaveImageGetXMLDesc")?;
        let mut tree = read_image(file)?;
        tree.unset("id");
        Ok(definition::show(&tree, None, flags & DOMAIN_SAVE_IMAGE_XML_SECURE != 0))
    }

    fn save_image_define_xml(&self, file: &str, dxml: &str, flags: u32) -> Result<()> {
        let allowed = DOMAIN_SAVE_RUNNING | DOMAIN_SAVE_PAUSED;
        only_flags(flags, allowed, "testDomainSaveImageDefineXML")?;
        read_image(file)?;
        let tree = definition::read(dxml)?;
        let path = absolute(file);
        write_image(&path, &definition::show(&tree, None, true))
            .map_err(|cause| Error::system(format!("cannot write domain image '{}'", path.display()), &cause))
    }

    fn managed_save(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        let both = DOMAIN_SAVE_RUNNING | DOMAIN_SAVE_PAUSED;
        only_flags(flags, both | DOMAIN_SAVE_BYPASS_CACHE, "testDomainManagedSave")?;
        if flags & both == both {
            let message =
                "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive";
            return Err(bare(message.to_string()));
        }
        let mut state = self.state();
        let guest = state.active_mut(domain)?;
        if !guest.persistent {
            return Err(Error::invalid_operation("cannot do managed save for transient domain"));
        }
        guest.managed_save = true;
        self.stop(&mut state, domain, (DOMAIN_SHUTOFF_SAVED, DOMAIN_EVENT_STOPPED_SAVED))
    }

    fn has_managed_save_image(&self, domain: &DomainRef, flags: u32) -> Result<bool> {
        only_flags(flags, 0, "testDomainHasManagedSaveImage")?;
        Ok(self.state().guest(domain)?.managed_save)
    }

    fn managed_save_remove(&self, domain: &DomainRef, flags: u32) -> Result<()> {
        only_flags(flags, 0, "testDomainManagedSaveRemove")?;
        self.state().guest_mut(domain)?.managed_save = false;
        Ok(())
    }

    fn core_dump_with_format(&self, domain: &DomainRef, to: &str, format: u32, flags: u32) -> Result<()> {
        if flags & DUMP_CRASH != 0 && flags & (DUMP_LIVE | DUMP_RESET) != 0 {
            let other = if flags & DUMP_LIVE != 0 { "VIR_DUMP_LIVE" } else { "VIR_DUMP_RESET" };
            return Err(bare(format!("Flags 'VIR_DUMP_CRASH' and '{other}' are mutually exclusive")));
        }
        only_flags(flags, DUMP_CRASH, "testDomainCoreDumpWithFormat")?;
        if format != DOMAIN_CORE_DUMP_FORMAT_RAW {
            let detail = "kdump-compressed format is not supported here";
            return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail));
        }
        let mut state = self.state();
        let guest = state.active(domain)?;
        let path = absolute(to);
        write_file(&path, &[MAGIC]).map_err(|cause| {
            let tried = format!("domain '{}' coredump: failed to open {}", guest.name, path.display());
            Error::system(tried, &cause)
        })?;
        match flags & DUMP_CRASH {
            0 => Ok(()),
            _ => self.stop(&mut state, domain, (DOMAIN_SHUTOFF_CRASHED, DOMAIN_EVENT_STOPPED_CRASHED)),
        }
    }
}
