//! `clone`: another domain like one that is off.
//!
//! 1. The definition is read, and what makes a domain one of its kind is taken out: uuid, MAC addresses,
//!    generation id, the paths of firmware variables. The driver chooses these anew.
//! 2. Each disk is copied under a name made from the new domain's: by the storage pool that has it, or, where this
//!    shell runs on the domain's own host, as a file, sharing blocks where the file system can and keeping holes.
//!    Drives with removable media and disks marked shareable or read-only keep their source.
//! 3. The new domain is defined. Nobody sees it before its disks are whole.
//!
//! Whatever fails, the copies made so far are removed again, and so nothing is left half made.

use crate::backend::Connection;
use crate::commands::domain::{lookup, undefine};
use crate::error::{Error, ErrorCode};
use crate::model::VolumeRef;
use crate::model::constants::*;
use crate::shell::address;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("clone", Group::Extra, clone)
.answers("{name: text, uuid: text, from: text, disks: [any]}")
    .about(
        "make another domain like one that is off",
        "Defines a domain with the same machine and copies of all its disks, but with a uuid and addresses of its \
         own. Disks in storage pools are copied by the pool, others as files if this is their host. What lies \
         inside the disks stays the same, host names and keys included.",
    )
    .options(&[
        Opt::domain(Complete::InactiveDomain),
        Opt::text("newname", "the name of the new domain").required(),
        Opt::text("skip", "leave out these disks, by their targets, parted by commas").complete(Complete::Disk),
    ])
    .writes()];

/// A copy that was made, to be taken back if the rest fails.
enum Made {
    Volume(VolumeRef),
    File(PathBuf),
}

fn clone(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let (name, new_name) = (args.required("domain")?, args.required("newname")?);
    if connection.domains().is_active(&domain)? {
        bail!("domain '{name}' is active: its disks change while they are copied; shut it down first");
    }
    match connection.domains().lookup_by_name(new_name) {
        Ok(_) => bail!("there is a domain '{new_name}' already; choose another name"),
        Err(error) if error.code == ErrorCode::NO_DOMAIN => {}
        Err(error) => return Err(error.into()),
    }
    let text = connection.domains().xml(&domain, DOMAIN_XML_INACTIVE | DOMAIN_XML_SECURE)?;
    let mut tree = xml::parse(&text, "domain definition")?;
    let skipped: Vec<&str> = args.text("skip")?.into_iter().flat_map(|list| list.split(',')).collect();
    leave_out(&mut tree, &skipped)?;
    make_anew(&mut tree, new_name);
    let here = is_own_host(session)?;
    let mut copies = Copies { connection: &*connection, here, new_name, made: Vec::new(), shown: Vec::new() };
    let answer = copies.of_disks(&mut tree).and_then(|()| {
        let defined = connection.domains().define_xml(&tree.to_string(), 0);
        defined.with_context(|| format!("Failed to define domain '{new_name}'"))
    });
    let defined = match answer {
        Ok(defined) => defined,
        Err(error) => {
            let left = copies.take_back();
            return Err(left.into_iter().fold(error, |error, left| error.context(left)));
        }
    };
    let data = json!({
        "name": defined.name, "uuid": defined.uuid.to_string(), "from": name, "disks": copies.shown,
    });
    session.show(&data, |session| {
        session.print_extra(format_args!("Domain '{new_name}' cloned from '{name}'\n"));
    })
}

/// Takes the disks out that are not to be in the new domain; a target that no disk has is refused.
fn leave_out(tree: &mut Element, skipped: &[&str]) -> Result<()> {
    let target = |disk: &Element| disk.child_attribute("target", "dev").unwrap_or_default().to_string();
    let devices = tree.child_or_new("devices");
    let known: Vec<String> = devices.children("disk").map(target).collect();
    if let Some(unknown) = skipped.iter().find(|name| !known.iter().any(|known| known == *name)) {
        bail!("no disk has the target '{unknown}'; the domain's disks are {}", known.join(", "));
    }
    devices.retain(|device| device.name != "disk" || !skipped.contains(&target(device).as_str()));
    Ok(())
}

/// Takes out what only one domain can have.
fn make_anew(tree: &mut Element, new_name: &str) {
    tree.child_or_new("name").set_text(new_name);
    tree.remove("uuid");
    if let Some(generation) = tree.child_mut("genid") {
        generation.set_text("");
    }
    if let Some(sysinfo) = tree.child_mut("sysinfo") {
        for system in sysinfo.elements_mut().filter(|element| element.name == "system") {
            // It must be the domain's own uuid, so it cannot stay.
            system.retain(|entry| entry.attribute("name") != Some("uuid"));
        }
    }
    if let Some(os) = tree.child_mut("os") {
        // The file belongs to the domain; the driver makes another from the template.
        os.remove("nvram");
    }
    if let Some(devices) = tree.child_mut("devices") {
        for interface in devices.elements_mut().filter(|device| device.name == "interface") {
            interface.remove("mac");
        }
    }
}

/// Whether files that a domain names are files of the host that this shell runs on.
fn is_own_host(session: &Session) -> Result<bool> {
    let uri = address::resolve(session.settings.uri.as_deref())?;
    Ok(uri.host.is_none() && uri.scheme != "test")
}

struct Copies<'a> {
    connection: &'a dyn Connection,
    here: bool,
    new_name: &'a str,
    made: Vec<Made>,
    /// What was copied, as data: target, and where the copy is.
    shown: Vec<serde_json::Value>,
}

impl Copies<'_> {
    /// Copies each disk that is the domain's own, and has the definition name the copy.
    fn of_disks(&mut self, tree: &mut Element) -> Result<()> {
        let Some(devices) = tree.child_mut("devices") else {
            return Ok(());
        };
        for disk in devices.elements_mut().filter(|device| device.name == "disk") {
            let own = matches!(disk.attribute("device"), None | Some("disk" | "lun"));
            let shared = disk.child("shareable").is_some() || disk.child("readonly").is_some();
            if !own || shared || disk.child("source").is_none() {
                continue;
            }
            let target = disk.child_attribute("target", "dev").unwrap_or_default().to_string();
            self.copy(disk, &target).with_context(|| format!("Failed to copy disk '{target}'"))?;
        }
        Ok(())
    }

    fn copy(&mut self, disk: &mut Element, target: &str) -> Result<()> {
        let kind = disk.attribute("type").unwrap_or_default().to_string();
        let source = disk.child_or_new("source");
        let attribute = match kind.as_str() {
            "file" => "file",
            "volume" => "volume",
            "block" => "dev",
            _ => bail!("a disk of type '{kind}' cannot be copied; leave it out with --skip {target}"),
        };
        let named = source.attribute(attribute).unwrap_or_default().to_string();
        let pool = source.attribute("pool").map(str::to_string);
        let new = match undefine::volume(self.connection, pool.as_deref(), &named) {
            Ok(volume) => self.copy_volume(&volume, target, kind == "volume")?,
            Err(error) if kind == "volume" => return Err(error.into()),
            Err(_) if kind == "file" && self.here => self.copy_file(Path::new(&named), target)?,
            Err(_) => {
                bail!(
                    "no storage pool has '{named}', and so it cannot be copied; leave it out with --skip {target}"
                )
            }
        };
        source.set(attribute, &new);
        // The chain below is the copy's own affair.
        disk.remove("backingStore");
        self.shown.push(json!({ "target": target, "source": new }));
        Ok(())
    }

    /// Has the pool copy a volume; answers with the copy's name or path.
    fn copy_volume(&mut self, volume: &VolumeRef, target: &str, by_name: bool) -> Result<String> {
        let storage = self.connection.storage();
        let pool = storage.pool_lookup_by_volume(volume)?;
        let name = new_file_name(&volume.name, self.new_name, target);
        let mut tree = xml::parse(&storage.volume_xml(volume, 0)?, "storage_volume_definition")?;
        tree.child_or_new("name").set_text(&name);
        tree.remove("key");
        if let Some(place) = tree.child_mut("target") {
            place.remove("path");
        }
        let made = storage.volume_create_xml_from(&pool, &tree.to_string(), volume, 0)?;
        self.made.push(Made::Volume(made.clone()));
        if by_name { Ok(made.name) } else { Ok(storage.volume_path(&made)?) }
    }

    /// Copies a file beside itself.
    fn copy_file(&mut self, source: &Path, target: &str) -> Result<String> {
        let file_name = source.file_name().and_then(|name| name.to_str());
        let file_name = file_name.ok_or_else(|| anyhow!("'{}' names no file", source.display()))?;
        let new = source.with_file_name(new_file_name(file_name, self.new_name, target));
        copy_beside(source, &new)?;
        self.made.push(Made::File(new.clone()));
        Ok(new.to_string_lossy().into_owned())
    }

    /// Removes the copies made so far; answers with what could not be removed.
    fn take_back(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for made in self.made.drain(..) {
            let (words, gone) = match &made {
                Made::Volume(volume) => (
                    format!("volume '{}'", volume.name),
                    self.connection.storage().volume_delete(volume, 0).is_ok(),
                ),
                Made::File(path) => {
                    (format!("file '{}'", path.display()), std::fs::remove_file(path).is_ok())
                }
            };
            if !gone {
                left.push(format!("the copy in {words} could not be removed again; remove it by hand"));
            }
        }
        left
    }
}

/// `vm-vda.qcow2` for the disk `vda` of the domain `vm`, after a file called `anything.qcow2`.
fn new_file_name(old: &str, domain: &str, target: &str) -> String {
    let domain = domain.replace('/', "_");
    match old.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 => {
            format!("{domain}-{target}.{ending}")
        }
        _ => format!("{domain}-{target}"),
    }
}

/// Copies a file without its holes, sharing blocks where that is possible. The copy appears under its name when it
/// is whole and on the disk; a file that has this name already is left alone.
fn copy_beside(source: &Path, new: &Path) -> Result<()> {
    let folder = new.parent().unwrap_or(Path::new("/"));
    let cannot = |what: &str, cause: &std::io::Error| Error::system(format!("cannot {what}"), cause);
    let partial = tempfile::Builder::new().prefix(".hvsh-clone-").tempfile_in(folder);
    let partial = partial.map_err(|cause| cannot(&format!("write in '{}'", folder.display()), &cause))?;
    let mut command = std::process::Command::new("cp");
    command.args(["--reflink=auto", "--sparse=always", "--preserve=mode,ownership", "--"]);
    let output = command.arg(source).arg(partial.path()).output();
    let output = output.map_err(|cause| cannot("run cp", &cause))?;
    if !output.status.success() {
        bail!("cp: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let shown = new.display();
    partial.as_file().sync_all().map_err(|cause| cannot(&format!("write '{shown}'"), &cause))?;
    let kept = partial.persist_noclobber(new);
    kept.map_err(|failure| cannot(&format!("make '{shown}'"), &failure.error))?;
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(synced.map_err(|cause| cannot(&format!("write '{}'", folder.display()), &cause))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_after_their_domain() {
        assert_eq!(new_file_name("old.disk.qcow2", "new", "vda"), "new-vda.qcow2");
        assert_eq!(new_file_name("noending", "a/b", "sda"), "a_b-sda");
    }

    #[test]
    fn a_file_is_copied_whole_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, b"contents").unwrap();
        copy_beside(&old, &new).unwrap();
        assert_eq!(std::fs::read(&new).unwrap(), b"contents");
        std::fs::write(&old, b"other").unwrap();
        let error = copy_beside(&old, &new).unwrap_err();
        assert!(error.to_string().ends_with("File exists"), "{error}");
        assert_eq!(std::fs::read(&new).unwrap(), b"contents");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_only_one_domain_can_have_is_taken_out() {
        let text = "<domain><name>a</name><uuid>u</uuid><genid>g</genid><os><nvram>/x</nvram></os>\
            <sysinfo type='smbios'><system><entry name='uuid'>u</entry><entry name='serial'>s</entry></system></sysinfo>\
            <devices><interface type='user'><mac address='52:54:00:00:00:01'/></interface></devices></domain>";
        let mut tree = xml::parse(text, "test").unwrap();
        make_anew(&mut tree, "b");
        assert_eq!(tree.child_text("name").as_deref(), Some("b"));
        assert!(tree.child("uuid").is_none() && tree.find("os/nvram").is_none());
        assert!(tree.find("devices/interface/mac").is_none());
        let entries = tree.find("sysinfo/system").unwrap().children("entry").count();
        assert_eq!((entries, tree.child_text("genid").unwrap_or_default().as_str()), (1, ""));
    }
}
