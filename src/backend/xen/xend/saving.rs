//! Saving domains to files and bringing them back; core dumps.

use super::request::Form;
use super::{XendLayer, cannot, check_flags, invalid};
use crate::backend::DomainSaving;
use crate::backend::xen::native::describe;
use crate::backend::xen::sxp::{Sxp, read_answer};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use std::fs::File;
use std::io::Read;
use uuid::Uuid;

/// How a saved file begins; the length of its configuration follows, most significant byte first.
const SIGNATURE: &[u8; 16] = b"LinuxGuestRecord";
/// The longest configuration that is read.
const LONGEST: u32 = 1024 * 1024;

impl DomainSaving for XendLayer {
    fn save(&self, domain: &DomainRef, to: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_SAVE_BYPASS_CACHE | DOMAIN_SAVE_RUNNING, "virDomainSaveFlags")?;
        if dxml.is_some() {
            return Err(cannot("virDomainSaveFlags", "xend saves a domain's own definition only"));
        }
        let described = self.find_running(domain)?;
        if described.is_host() {
            return Err(invalid("Domain-0 cannot be saved: it runs the host"));
        }
        if described.state(self.requests.release).state == DOMAIN_PAUSED {
            // The guest takes part in being saved; up to 3.1 xend would wait for it without end.
            return Err(invalid("a paused domain cannot save itself; resume it first"));
        }
        self.ask(&described, &Form::new("save").with("file", to)).map(|_| ())
    }

    fn restore(&self, from: &str, dxml: Option<&str>, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_SAVE_BYPASS_CACHE | DOMAIN_SAVE_RUNNING, "virDomainRestoreFlags")?;
        if dxml.is_some() {
            return Err(cannot(
                "virDomainRestoreFlags",
                "xend restores a domain with its own definition only",
            ));
        }
        // Up to 3.1 a second copy of a running domain would come up under its uuid.
        // What cannot be read from here is left to xend, which may see other files.
        let config = if File::open(from).is_ok() { Some(read_configuration(from)?) } else { None };
        if let Some(uuid) =
            config.and_then(|config| config.get("uuid")).and_then(|uuid| Uuid::try_parse(&uuid).ok())
        {
            if let Some(running) = self.by_uuid(uuid)?.filter(|known| known.is_active()) {
                return Err(invalid(format!("domain '{}' is already running", running.reference.name)));
            }
        }
        let (_, name) = self.requests.ask_for_new(&Form::new("restore").with("file", from))?;
        tracing::debug!(name, "restored");
        Ok(())
    }

    fn has_managed_save_image(&self, domain: &DomainRef, flags: u32) -> Result<bool> {
        check_flags(flags, 0, "virDomainHasManagedSaveImage")?;
        let state = self.find(domain)?.state(self.requests.release);
        Ok((state.state, state.reason) == (DOMAIN_SHUTOFF, DOMAIN_SHUTOFF_SAVED))
    }

    fn save_image_xml(&self, file: &str, flags: u32) -> Result<String> {
        check_flags(flags, DOMAIN_SAVE_IMAGE_XML_SECURE, "virDomainSaveImageGetXMLDesc")?;
        let mut config = read_configuration(file)?;
        config.unset("domid");
        Ok(describe::describe(&config, flags & DOMAIN_SAVE_IMAGE_XML_SECURE != 0)?.to_string())
    }

    fn core_dump_with_format(&self, domain: &DomainRef, to: &str, dumpformat: u32, flags: u32) -> Result<()> {
        let known = DUMP_CRASH | DUMP_LIVE | DUMP_BYPASS_CACHE | DUMP_RESET | DUMP_MEMORY_ONLY;
        check_flags(flags, known, "virDomainCoreDumpWithFormat")?;
        if dumpformat != 0 {
            return Err(cannot("virDomainCoreDumpWithFormat", "xend has one format of dumps only"));
        }
        let described = self.find_running(domain)?;
        let flag = |flag: u32| u8::from(flags & flag != 0);
        let form = Form::new("dump")
            .with("file", to)
            .with("live", flag(DUMP_LIVE))
            .with("crash", flag(DUMP_CRASH))
            .with("reset", flag(DUMP_RESET));
        self.ask(&described, &form).map(|_| ())
    }
}

/// The configuration at the start of a saved file.
fn read_configuration(path: &str) -> Result<Sxp> {
    let failed = |cause: std::io::Error| Error::system(format!("cannot read saved domain '{path}'"), &cause);
    let no_image = || {
        let detail = format!("'{path}' holds no domain that xend saved");
        Error::new(ErrorCode::OPERATION_FAILED, detail).from_origin(ErrorOrigin::XEN)
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut head = [0; SIGNATURE.len() + 4];
    file.read_exact(&mut head).map_err(|_| no_image())?;
    let (signature, length) = head.split_at(SIGNATURE.len());
    let length = length.iter().fold(0, |length, byte| length << 8 | u32::from(*byte));
    if signature != SIGNATURE || length > LONGEST {
        return Err(no_image());
    }
    let mut text = Vec::new();
    file.take(u64::from(length)).read_to_end(&mut text).map_err(failed)?;
    read_answer(&text).ok().flatten().ok_or_else(no_image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_file_tells_whom_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("saved");
        let path = path.to_str().unwrap();
        let config = b"(domain (name demo) (memory 64))";
        let mut contents = SIGNATURE.to_vec();
        contents.extend((config.len() as u32).to_be_bytes());
        contents.extend(config);
        contents.extend(b"pages");
        std::fs::write(path, &contents).unwrap();
        assert_eq!(read_configuration(path).unwrap().get("name").as_deref(), Some("demo"));
        for broken in
            [&b"x"[..], &contents[..30], b"LinuxGuestRecord\xff\xff\xff\xffabc", b"something else altogether"]
        {
            std::fs::write(path, broken).unwrap();
            assert!(
                read_configuration(path).unwrap_err().to_string().contains("holds no domain"),
                "{broken:?}"
            );
        }
        assert!(read_configuration("/nonexistent/x").unwrap_err().to_string().contains("No such file"));
    }
}
