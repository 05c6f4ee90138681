//! The domains that xend keeps in its own files, for when it does not run: shown, and never touched.

use super::definitions::Definition;
use super::native::xm;
use super::sxp::{Sxp, read_answer};
use std::fs;
use std::path::Path;
use uuid::Uuid;

/// A bigger file is no configuration of a domain.
const SIZE_MAX: u64 = 1024 * 1024;
/// Under which key a definition says whether xend starts it; xm had none for it.
const STARTS_KEY: &str = "on_xend_start";

/// All domains of `folder/UUID/config.sxp` that can be read. A file whose uuid is not that of its folder is passed
/// over, as xend does.
pub fn all(folder: &Path) -> Vec<Definition> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
    entries.filter_map(|entry| read(&entry.path())).collect()
}

/// Whether xend starts the domain when it starts itself.
pub fn starts_with_xend(definition: &Definition) -> bool {
    definition.config.text(STARTS_KEY).as_deref() == Some("start")
}

fn read(folder: &Path) -> Option<Definition> {
    let uuid = Uuid::try_parse(folder.file_name()?.to_str()?).ok()?;
    let path = folder.join("config.sxp");
    let facts = fs::metadata(&path).ok()?;
    if !facts.is_file() || facts.len() > SIZE_MAX {
        return None;
    }
    let domain: Sxp = read_answer(&fs::read(&path).ok()?).ok()??;
    let says = Uuid::try_parse(&domain.get("uuid")?).ok()?;
    let name = domain.get("name")?;
    if says != uuid {
        return None;
    }
    let mut config = xm::from_sxp(&domain);
    if let Some(starts) = domain.get(STARTS_KEY) {
        config.set(STARTS_KEY, starts);
    }
    Some(Definition { name, uuid, says_uuid: true, path, config, of_xend: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xends_domains_are_shown() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("config.sxp"), text).unwrap();
        };
        let uuid = |number: u128| Uuid::from_u128(number).to_string();
        let whole = format!(
            "(domain\n (uuid {0})\n (name_label mgd)\n (memory_static_max 536870912)\n (name mgd)\n (memory 256)\n \
             (maxmem 512)\n (vcpus 2)\n (on_xend_start start)\n (uuid {0})\n (image (linux (kernel /k) (args 'a b')))\n \
             (device (vbd (uname file:/x) (dev xvda) (mode w))))",
            uuid(1)
        );
        put(&uuid(1), &whole);
        put(&uuid(2), &whole);
        put(&uuid(3), "(domain (name");
        put("no-uuid", &whole);
        fs::create_dir(folder.path().join(uuid(4))).unwrap();
        let found = all(folder.path());
        assert_eq!(found.len(), 1);
        let definition = &found[0];
        assert_eq!((definition.name.as_str(), definition.uuid), ("mgd", Uuid::from_u128(1)));
        assert!(definition.of_xend && starts_with_xend(definition));
        assert_eq!(definition.config.text("extra").as_deref(), Some("a b"));
        assert_eq!(definition.config.list("disk"), ["file:/x,xvda,w"]);
        assert!(definition.must_not_be_xends().unwrap_err().to_string().contains("start xend to use it"));
        assert!(all(Path::new("/nonexistent")).is_empty());
    }
}
