//! Definitions on disk: written, read at start, set aside when they make no sense.

use super::{Paths, Store};
use crate::error::{Error, Result};
use crate::host::durable::{remove_durably, rename_durably, sync_folder, write_durably};
use crate::xml::Element;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use uuid::Uuid;

/// A definition found on disk.
#[derive(Clone, Debug)]
pub struct StoredDefinition {
    /// The domain's name, which is also its file's.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
    /// The whole document.
    pub tree: Element,
    /// Whether it starts with the helper.
    pub autostart: bool,
    /// Whether there is a managed-save image.
    pub managed_save: bool,
}

/// All that was found.
#[derive(Default, Debug)]
pub struct Stored {
    /// Definitions that make sense.
    pub definitions: Vec<StoredDefinition>,
    /// What was set aside and why, a sentence each.
    pub set_aside: Vec<String>,
}

/// The longest definition that is read.
const SIZE_MAX: u64 = 16 * 1024 * 1024;

impl Store {
    /// Reads all definitions.
    pub fn load(&self) -> Result<Stored> {
        let folder = &self.paths.configuration;
        let listed = fs::read_dir(folder);
        let listed =
            listed.map_err(|e| Error::system(format!("cannot read folder '{}'", folder.display()), &e))?;
        let mut stored = Stored::default();
        // All names first: files change theirs below.
        for entry in listed.flatten().collect::<Vec<_>>() {
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str().and_then(|name| name.strip_suffix(".xml")) else {
                continue;
            };
            if name.starts_with('.') || entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let finished = self.finish_rename(&entry.path(), name);
            let name = finished.as_deref().unwrap_or(name);
            let path = self.paths.definition(name);
            match read_definition(&path, name) {
                Ok((uuid, _)) if stored.definitions.iter().any(|known| known.uuid == uuid) => {
                    let cause = format!("its uuid {uuid} is also that of another definition");
                    stored.set_aside.push(set_aside(&path, &cause));
                }
                Ok((uuid, tree)) => stored.definitions.push(StoredDefinition {
                    autostart: is_there(&self.paths.autostart(name)),
                    managed_save: self.paths.managed_save(name).exists(),
                    name: name.to_string(),
                    uuid,
                    tree,
                }),
                Err(error) => stored.set_aside.push(set_aside(&path, &error.message)),
            }
        }
        self.drop_stale_marks();
        Ok(stored)
    }

    /// Writes a definition.
    pub fn save_definition(&self, name: &str, tree: &Element) -> Result<()> {
        write_durably(&self.paths.definition(name), tree.to_string().as_bytes())
    }

    /// Gives a definition another name. What is on disk in between, a file whose domain has another name than the
    /// file, can only mean this, and the next start finishes it.
    pub fn rename_definition(&self, from: &str, to: &str, tree: &Element, autostart: bool) -> Result<()> {
        if autostart {
            self.mark_autostart(to, true)?;
        }
        let (old, new) = (self.paths.definition(from), self.paths.definition(to));
        write_durably(&old, tree.to_string().as_bytes())?;
        rename_durably(&old, &new)?;
        remove_durably(&self.paths.autostart(from))
    }

    /// Finishes a change of name that was cut short; answers with the name that the file has now.
    fn finish_rename(&self, path: &Path, name: &str) -> Option<String> {
        let (inside, _, _) = read_any(path).ok()?;
        let new = self.paths.definition(&inside);
        if inside == name || Paths::check_name(&inside).is_err() || is_there(&new) {
            return None;
        }
        rename_durably(path, &new).ok()?;
        let old_mark = self.paths.autostart(name);
        if is_there(&old_mark) {
            // Both were marked before either was renamed; a mark that stays would be another domain's one day.
            remove_durably(&old_mark).ok()?;
            self.mark_autostart(&inside, true).ok()?;
        }
        Some(inside)
    }

    /// Takes away marks of domains that are not there, as a change of name leaves them that was cut short.
    fn drop_stale_marks(&self) {
        for mark in fs::read_dir(self.paths.configuration.join("autostart")).into_iter().flatten().flatten() {
            let file_name = mark.file_name();
            let Some(name) = file_name.to_str().and_then(|name| name.strip_suffix(".xml")) else { continue };
            let definition = self.paths.definition(name);
            if !is_there(&definition) && !is_there(&definition.with_extension("xml.unreadable")) {
                // It is harmless until a domain of this name is defined; the next start tries again.
                let _ = remove_durably(&mark.path());
            }
        }
    }

    /// Forgets a definition and its autostart mark.
    pub fn remove_definition(&self, name: &str) -> Result<()> {
        remove_durably(&self.paths.autostart(name))?;
        remove_durably(&self.paths.definition(name))
    }

    /// Sets or takes away the autostart mark.
    pub fn mark_autostart(&self, name: &str, autostart: bool) -> Result<()> {
        let mark = self.paths.autostart(name);
        if !autostart {
            return remove_durably(&mark);
        }
        if is_there(&mark) {
            return Ok(());
        }
        let target = self.paths.definition(name);
        symlink(&target, &mark).map_err(|e| {
            let tried = format!("Failed to create symlink '{}' to '{}'", mark.display(), target.display());
            Error::system(tried, &e)
        })?;
        sync_folder(&mark)
    }
}

impl Paths {
    /// Refuses names that would be another file, or none.
    pub fn check_name(name: &str) -> Result<()> {
        if name.trim().is_empty() {
            return Err(Error::xml("name must not be empty"));
        }
        if name.contains('/') {
            return Err(Error::xml(format!("name {name} cannot contain '/'")));
        }
        if name.contains('\n') {
            return Err(Error::xml("name must not contain a newline"));
        }
        if name.chars().any(char::is_control) || name == "." || name == ".." {
            return Err(Error::xml(format!("'{}' cannot be the name of a domain", name.escape_debug())));
        }
        // The longest name a file can have, less the endings that are put behind it.
        if name.len() > 240 {
            return Err(Error::xml(format!("the name has {} bytes, more than 240", name.len())));
        }
        Ok(())
    }
}

/// Whether something of this name is there, a link that leads nowhere included.
fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

fn read_definition(path: &Path, name: &str) -> Result<(Uuid, Element)> {
    let (inside, uuid, tree) = read_any(path)?;
    if inside != name {
        return Err(Error::xml(format!("the domain in it is not named '{name}'")));
    }
    Ok((uuid, tree))
}

/// Reads a definition of whatever name.
fn read_any(path: &Path) -> Result<(String, Uuid, Element)> {
    let cannot_read = |e: &std::io::Error| Error::system(format!("cannot read file '{}'", path.display()), e);
    let size = fs::metadata(path).map_err(|e| cannot_read(&e))?.len();
    if size > SIZE_MAX {
        return Err(Error::xml(format!("the file has {size} bytes, more than {SIZE_MAX}")));
    }
    let text = fs::read_to_string(path).map_err(|e| cannot_read(&e))?;
    let tree = crate::xml::parse(&text, "domain_definition")?;
    if tree.name != "domain" {
        return Err(Error::xml(format!("the root element is <{}>, not <domain>", tree.name)));
    }
    let name = tree.child_text("name").unwrap_or_default();
    let uuid = tree.child_text("uuid").unwrap_or_default();
    let uuid = Uuid::parse_str(&uuid).map_err(|_| Error::xml(format!("malformed uuid '{uuid}'")))?;
    Ok((name, uuid, tree))
}

/// Renames what makes no sense, so that the next start does not stumble again; says what was done.
fn set_aside(path: &Path, cause: &str) -> String {
    let aside = path.with_extension("xml.unreadable");
    match fs::rename(path, &aside) {
        Ok(()) => format!("{}: {cause}; set aside as {}", path.display(), aside.display()),
        Err(error) => format!("{}: {cause}; cannot set it aside: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &Path) -> Store {
        Store::open(Paths::below(folder)).unwrap()
    }

    fn domain(name: &str) -> Element {
        Element::new("domain")
            .with_child(Element::new("name").with_text(name))
            .with_child(Element::new("uuid").with_text(Uuid::new_v4()))
    }

    #[test]
    fn what_is_saved_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save_definition("a b", &domain("a b")).unwrap();
        store.mark_autostart("a b", true).unwrap();
        store.mark_autostart("a b", true).unwrap();
        let found = store.load().unwrap();
        assert_eq!(found.definitions.len(), 1);
        assert!(found.definitions[0].autostart && !found.definitions[0].managed_save);
        store.remove_definition("a b").unwrap();
        store.remove_definition("a b").unwrap();
        assert!(store.load().unwrap().definitions.is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_set_aside_and_harms_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        store.save_definition("good", &domain("good")).unwrap();
        fs::write(store.paths.definition("torn"), "<domain><name>torn</na").unwrap();
        store.save_definition("other", &domain("good")).unwrap();
        let found = store.load().unwrap();
        assert_eq!((found.definitions.len(), found.set_aside.len()), (1, 2));
        assert!(store.paths.configuration.join("torn.xml.unreadable").exists());
        assert!(store.load().unwrap().set_aside.is_empty());
    }

    #[test]
    fn a_change_of_name_that_was_cut_short_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let (before, mut after) = (domain("before"), domain("before"));
        after.child_mut("name").unwrap().set_text("after");
        store.save_definition("before", &before).unwrap();
        store.mark_autostart("before", true).unwrap();
        // Cut short after the mark, and after the contents.
        store.mark_autostart("after", true).unwrap();
        let found = store.load().unwrap();
        assert_eq!((found.definitions[0].name.as_str(), found.definitions[0].autostart), ("before", true));
        assert!(!is_there(&store.paths.autostart("after")));
        store.save_definition("before", &after).unwrap();
        let found = store.load().unwrap();
        assert_eq!((found.definitions.len(), found.set_aside.len()), (1, 0));
        assert_eq!((found.definitions[0].name.as_str(), found.definitions[0].autostart), ("after", true));
        assert!(!is_there(&store.paths.definition("before")) && !is_there(&store.paths.autostart("before")));
        store.rename_definition("after", "before", &before, true).unwrap();
        let found = store.load().unwrap();
        assert_eq!((found.definitions[0].name.as_str(), found.definitions[0].autostart), ("before", true));
    }

    #[test]
    fn names_that_are_no_file_names_are_refused() {
        for name in ["a/b", "a\nb", "", " ", "..", "a\u{7}"] {
            assert!(Paths::check_name(name).is_err(), "{name:?}");
        }
        Paths::check_name("a b.c-é").unwrap();
    }
}
