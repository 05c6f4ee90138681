//! Definitions of domains that need not run: files of `/etc/xen`, in the configuration of today's toolstack.
//!
//! `NAME.cfg` is what `hvsh` writes; any other file there that reads as a guest's configuration counts as well. A
//! link of the same name in `auto` lets the host's own service start the domain with the host.

use super::managed;
use super::native::config::Config;
use super::native::xl::{self, Use};
use super::native::xm;
use super::xend;
use crate::error::{Error, ErrorOrigin, Result};
use crate::host::durable::{remove_durably, sync_folder, write_durably};
use crate::xml::Element;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use uuid::Uuid;

/// A bigger file is no configuration of a guest.
const SIZE_MAX: u64 = 1024 * 1024;
/// How the names begin of what lies in the folder and is none either.
const OTHERS: &[&str] = &["xend-config", "xend-pci-", "cpupool", "xlexample", "xmexample"];
/// How the names end of such, and of what package tools and editors leave behind.
const OTHER_ENDS: &[&str] = &[
    "~",
    ".conf",
    ".rpmsave",
    ".rpmnew",
    ".rpmorig",
    ".dpkg-old",
    ".dpkg-new",
    ".dpkg-dist",
    ".dpkg-tmp",
    ".ucf-old",
    ".ucf-dist",
    ".swp",
    ".bak",
    ".orig",
];

/// The folders.
#[derive(Clone, Debug)]
pub struct Definitions {
    folder: PathBuf,
    saves: PathBuf,
    /// Where xend keeps its domains; they are shown and left alone.
    managed: PathBuf,
}

/// When a file was last written, and how long it is.
pub type Stamp = (SystemTime, u64);

/// A definition and its file.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The domain's name.
    pub name: String,
    /// What identifies it: the file's own word, or one made from the file's path.
    pub uuid: Uuid,
    /// Whether the file itself says the uuid.
    pub says_uuid: bool,
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub config: Config,
    /// Whether it belongs to xend, which is not there to be asked.
    pub of_xend: bool,
}

impl Definition {
    /// Refuses to touch what belongs to xend.
    pub fn must_not_be_xends(&self) -> Result<()> {
        match self.of_xend {
            false => Ok(()),
            true => Err(Error::invalid_operation(format!(
                "domain '{}' belongs to xend, which does not run; start xend to use it ({})",
                self.name,
                self.path.display()
            ))
            .from_origin(ErrorOrigin::XEN)),
        }
    }

    /// Refuses to write anew a file of which a part could not be read: it would be lost.
    fn must_be_ours(&self) -> Result<()> {
        self.must_not_be_xends()?;
        self.config.require_all_read(&self.path.display().to_string())
    }

    /// Refuses to take a file at its word where a statement that could not be read may say something else.
    pub fn must_be_read(&self) -> Result<()> {
        self.config.require_read(&self.path.display().to_string(), xm::is_known)
    }
}

impl Default for Definitions {
    fn default() -> Definitions {
        Definitions {
            folder: "/etc/xen".into(),
            saves: "/var/lib/hvsh/xen/save".into(),
            managed: xend::MANAGED_DOMAINS.into(),
        }
    }
}

impl Definitions {
    /// The files of a folder of xm's; xend, which runs, keeps none of its own.
    pub fn of_xm(folder: &Path) -> Definitions {
        Definitions { folder: folder.to_path_buf(), managed: PathBuf::new(), ..Definitions::default() }
    }

    /// All that can be read, by name. A file that cannot be read is no definition, and harms none.
    pub fn all(&self) -> Vec<Definition> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().filter_map(|entry| entry.ok());
        let mut found: Vec<Definition> = entries.filter_map(|entry| read(&entry.path())).collect();
        for managed in managed::all(&self.managed) {
            if found.iter().all(|known| known.uuid != managed.uuid) {
                found.push(managed);
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found.dedup_by(|a, b| a.name == b.name);
        found
    }

    /// The files that may hold definitions, with what changes when one is written.
    pub fn stamps(&self) -> BTreeMap<PathBuf, Stamp> {
        let entries =
            |folder: &Path| fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok());
        let own = entries(&self.folder).map(|entry| entry.path());
        let managed = entries(&self.managed).map(|entry| entry.path().join("config.sxp"));
        let stamp = |path: PathBuf| {
            let facts = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
            Some((path, (facts.modified().ok()?, facts.len())))
        };
        own.chain(managed).filter_map(stamp).collect()
    }

    /// The one of these that is the definition of a running domain.
    pub fn of_running(all: &[Definition], uuid: Uuid, name: &str) -> Option<Definition> {
        let is_its = |definition: &&Definition| match definition.says_uuid {
            true => definition.uuid == uuid,
            false => definition.name == name,
        };
        all.iter().find(is_its).cloned()
    }

    /// The definition of a domain.
    pub fn with_uuid(&self, uuid: Uuid) -> Option<Definition> {
        self.all().into_iter().find(|definition| definition.uuid == uuid)
    }

    /// Writes a definition as xl reads it, in place of the one of the same name and uuid if there is one. What the
    /// old file says and no definition can say stays.
    pub fn write(&self, tree: &Element) -> Result<Definition> {
        self.write_config(xl::config_from_domain(tree, Use::Kept)?, xl::keep_unknown)
    }

    /// Writes a definition, in place of the one of the same name and uuid if there is one; `keep` takes over from the
    /// old file what is to stay of it.
    pub fn write_config(
        &self,
        mut config: Config,
        keep: impl Fn(&Config, &mut Config),
    ) -> Result<Definition> {
        let name = config.text("name").unwrap_or_default();
        let uuid = Uuid::try_parse(&config.text("uuid").unwrap_or_default())
            .map_err(|_| Error::internal("malformed uuid element"))?;
        let all = self.all();
        self.check_identity(&all, &name, uuid)?;
        let old = all.into_iter().find(|definition| definition.name == name);
        if let Some(old) = &old {
            old.must_be_ours()?;
            keep(&old.config, &mut config);
        }
        let path = match old {
            Some(old) => old.path,
            None => self.folder.join(format!("{}.cfg", file_name(&name)?)),
        };
        write_durably(&path, config.to_string().as_bytes())?;
        Ok(Definition { name, uuid, says_uuid: true, path, config, of_xend: false })
    }

    /// Replaces what a definition says.
    pub fn rewrite(&self, definition: &Definition) -> Result<()> {
        definition.must_be_ours()?;
        write_durably(&definition.path, definition.config.to_string().as_bytes())
    }

    /// Refuses a name or uuid that another definition has.
    pub fn check_identity(&self, all: &[Definition], name: &str, uuid: Uuid) -> Result<()> {
        for known in all {
            if known.name == name && known.uuid != uuid {
                let detail = format!("domain '{name}' already exists with uuid {}", known.uuid);
                return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
            }
            if known.uuid == uuid && known.name != name {
                let detail = format!("domain '{}' is already defined with uuid {uuid}", known.name);
                return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
            }
        }
        Ok(())
    }

    /// Forgets a definition.
    pub fn remove(&self, definition: &Definition) -> Result<()> {
        definition.must_not_be_xends()?;
        remove_durably(&self.autostart_link(definition))?;
        remove_durably(&definition.path)
    }

    /// Gives a definition another name, in its file and as its file.
    pub fn rename(&self, definition: &Definition, name: &str) -> Result<()> {
        definition.must_be_ours()?;
        let mut renamed = definition.clone();
        renamed.config.set("name", name);
        renamed.config.set("uuid", definition.uuid.to_string());
        renamed.path = self.folder.join(format!("{}.cfg", file_name(name)?));
        let starts = self.autostarts(definition);
        self.rewrite(&renamed)?;
        if renamed.path != definition.path {
            self.remove(definition)?;
        }
        self.set_autostart(&renamed, starts)
    }

    fn autostart_link(&self, definition: &Definition) -> PathBuf {
        self.folder.join("auto").join(definition.path.file_name().unwrap_or_default())
    }

    /// Whether the domain starts with the host.
    pub fn autostarts(&self, definition: &Definition) -> bool {
        if definition.of_xend {
            return managed::starts_with_xend(definition);
        }
        self.autostart_link(definition).symlink_metadata().is_ok()
    }

    /// Makes the domain start with the host, or not.
    pub fn set_autostart(&self, definition: &Definition, starts: bool) -> Result<()> {
        definition.must_not_be_xends()?;
        let link = self.autostart_link(definition);
        if !starts {
            return remove_durably(&link);
        }
        let folder = self.folder.join("auto");
        fs::create_dir_all(&folder)
            .map_err(|e| Error::system(format!("cannot create folder '{}'", folder.display()), &e))?;
        match std::os::unix::fs::symlink(&definition.path, &link) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => {
                Err(Error::system(format!("cannot create link '{}'", link.display()), &e))
            }
            _ => sync_folder(&link),
        }
    }

    /// Where a domain's memory is kept until its next start.
    pub fn managed_save(&self, uuid: Uuid) -> PathBuf {
        self.saves.join(format!("{uuid}.save"))
    }

    /// Makes the folder of such images, for root's eyes only: they hold guests' memory.
    pub fn make_saves(&self) -> Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.saves);
        made.map_err(|e| Error::system(format!("cannot create folder '{}'", self.saves.display()), &e))
    }
}

/// The name under which a domain's file lies.
fn file_name(name: &str) -> Result<&str> {
    let fits = !name.is_empty() && !name.starts_with('.') && name.len() <= 200;
    match fits && !name.contains(|c: char| c == '/' || c.is_control()) {
        true => Ok(name),
        false => Err(Error::xml(format!("name {name:?} cannot be the name of a file in /etc/xen"))),
    }
}

fn read(path: &Path) -> Option<Definition> {
    let file = path.file_name()?.to_str()?;
    let is_other = file.starts_with('.')
        || OTHERS.iter().any(|other| file.starts_with(other))
        || OTHER_ENDS.iter().any(|end| file.ends_with(end));
    let facts = fs::metadata(path).ok()?;
    if is_other || !facts.is_file() || facts.len() > SIZE_MAX {
        return None;
    }
    let config = Config::parse(&fs::read_to_string(path).ok()?);
    let name = config.text("name").filter(|name| !name.is_empty())?;
    config.number("memory")?;
    let said = config.text("uuid").and_then(|text| Uuid::try_parse(&text).ok());
    let uuid = said.unwrap_or_else(|| uuid_of_path(path));
    Some(Definition {
        name,
        uuid,
        says_uuid: said.is_some(),
        path: path.to_path_buf(),
        config,
        of_xend: false,
    })
}

/// A uuid for a file that says none: the same for the same path, on every host (FNV-1a).
fn uuid_of_path(path: &Path) -> Uuid {
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in path.as_os_str().as_encoded_bytes() {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    uuid::Builder::from_custom_bytes(hash.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::xen::definition;

    fn node() -> (tempfile::TempDir, Definitions) {
        let folder = tempfile::tempdir().unwrap();
        let definitions = Definitions {
            folder: folder.path().join("etc"),
            saves: folder.path().join("save"),
            managed: folder.path().join("xend"),
        };
        fs::create_dir(&definitions.folder).unwrap();
        (folder, definitions)
    }

    fn tree(name: &str, uuid: u128) -> Element {
        let xml = format!(
            "<domain type='xen'><name>{name}</name><uuid>{}</uuid><memory unit='MiB'>64</memory><os>\
             <type>linux</type><kernel>/k</kernel></os></domain>",
            Uuid::from_u128(uuid)
        );
        definition::parse(&xml).unwrap()
    }

    #[test]
    fn definitions_are_files() {
        let (_keep, node) = node();
        let written = node.write(&tree("one", 1)).unwrap();
        fs::write(node.folder.join("old"), "name = 'old'\nmemory = 32\nunknown = 'stays'\n").unwrap();
        fs::write(node.folder.join("xl.conf"), "name = 'x'\nmemory = 1\n").unwrap();
        fs::write(node.folder.join("README"), "no configuration").unwrap();
        for other in ["old.rpmsave", "old~", ".old", "old.dpkg-old", "xmexample1", "xend-pci-quirks.sxp"] {
            fs::write(node.folder.join(other), "name = 'x'\nmemory = 1\n").unwrap();
        }
        let names: Vec<String> = node.all().into_iter().map(|definition| definition.name).collect();
        assert_eq!(names, ["old", "one"]);
        assert_eq!(node.with_uuid(Uuid::from_u128(1)).unwrap().path, written.path);
        assert!(!node.autostarts(&written));
        node.set_autostart(&written, true).unwrap();
        node.set_autostart(&written, true).unwrap();
        assert!(node.autostarts(&written));
        node.rename(&written, "two").unwrap();
        let renamed = node.with_uuid(Uuid::from_u128(1)).unwrap();
        assert_eq!(renamed.name, "two");
        assert!(node.autostarts(&renamed) && !written.path.exists());
        node.remove(&renamed).unwrap();
        assert!(node.with_uuid(Uuid::from_u128(1)).is_none());
    }

    #[test]
    fn a_rewritten_file_keeps_what_no_definition_can_say() {
        let (_keep, node) = node();
        let path = node.folder.join("old");
        fs::write(&path, "name = 'old'\nmemory = 32\ncpuid = 'host'\nextra = 'gone'\nkernel = '/k'\n")
            .unwrap();
        let old = node.all().remove(0);
        let uuid = old.uuid.as_u128();
        node.write(&tree("old", uuid)).unwrap();
        let config = Config::parse(&fs::read_to_string(path).unwrap());
        assert_eq!(config.text("cpuid").as_deref(), Some("host"));
        assert_eq!((config.number("memory"), config.text("extra")), (Some(64), None));
    }

    #[test]
    fn a_file_that_is_a_program_is_not_written_anew() {
        let (_keep, node) = node();
        let path = node.folder.join("program");
        let text = "import os\nname = 'old'\nmemory = 32\nif os.name:\n    kernel = '/k'\n";
        fs::write(&path, text).unwrap();
        let old = node.all().remove(0);
        let refused = |error: Error| assert!(error.to_string().contains("/program:"), "{error}");
        refused(old.must_be_read().unwrap_err());
        refused(node.write(&tree("old", old.uuid.as_u128())).unwrap_err());
        refused(node.rename(&old, "new").unwrap_err());
        assert_eq!(fs::read_to_string(path).unwrap(), text);
    }

    #[test]
    fn nobody_takes_anothers_name_or_uuid() {
        let (_keep, node) = node();
        node.write(&tree("one", 1)).unwrap();
        node.write(&tree("one", 1)).unwrap();
        let message = |tree: &Element| node.write(tree).unwrap_err().message;
        assert_eq!(
            message(&tree("one", 2)),
            "operation failed: domain 'one' already exists with uuid 00000000-0000-0000-0000-000000000001"
        );
        assert_eq!(
            message(&tree("two", 1)),
            "operation failed: domain 'one' is already defined with uuid 00000000-0000-0000-0000-000000000001"
        );
        assert!(message(&tree(".hidden", 3)).contains("cannot be the name of a file"));
    }
}
