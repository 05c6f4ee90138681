//! `clone`: another domain like one that is off.
//!
//! 1. The definition is read, and what makes a domain one of its kind is taken out: uuid, MAC addresses,
//!    generation id, names of host devices, fixed ports of displays. The driver chooses these anew.
//! 2. Each disk is copied under a name made from the new domain's: by the storage pool that has it, or, where this
//!    shell runs on the domain's own host, as a file, sharing blocks where the file system can and keeping holes.
//!    Drives with removable media and disks marked shareable or read-only keep their source.
//!    The firmware's variables, which know how to boot from these disks, are copied likewise.
//! 3. If the old domain is still off, the new one is defined. Nobody sees it before its disks are whole.
//!
//! Whatever fails, or is interrupted, the copies made so far are removed again, and so nothing is left half made.

use super::file_copy::{Stop, copy_beside, new_file_name};
use super::is_own_host;
use crate::backend::Connection;
use crate::commands::domain::{lookup, undefine};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::{DomainRef, VolumeRef};
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
        Opt::text("skip", "leave out these disks, by their targets, parted by commas").complete(Complete::DiskList),
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
    must_be_at_rest(&*connection, &domain, name)?;
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
    let mut copies = Copies {
        connection: &*connection,
        here,
        new_name,
        stop: Stop::watch()?,
        made: Vec::new(),
        shown: Vec::new(),
    };
    let answer = copies.of_all(&mut tree).and_then(|()| {
        // Somebody may have started it meanwhile, and then what was copied is not of one moment.
        must_be_at_rest(&*connection, &domain, name)?;
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

/// Refuses a domain whose disks change, or wait for a memory that is of the same moment.
fn must_be_at_rest(connection: &dyn Connection, domain: &DomainRef, name: &str) -> Result<()> {
    if connection.domains().is_active(domain)? {
        bail!("domain '{name}' is active: its disks change while they are copied; shut it down first");
    }
    match connection.domains().has_managed_save_image(domain, 0) {
        Ok(true) => bail!(
            "domain '{name}' has a managed save, and its disks are as a running guest left them; \
             start it and shut it down first"
        ),
        Err(error) if !error.is_unsupported() => Err(error.into()),
        _ => Ok(()),
    }
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
    let Some(devices) = tree.child_mut("devices") else {
        return;
    };
    for device in devices.elements_mut() {
        match device.name.as_str() {
            "interface" => {
                device.remove("mac");
                device.remove("target");
            }
            // A port that both would listen on; the driver finds a free one.
            "graphics" if device.attribute("autoport") == Some("no") => {
                device.set("autoport", "yes");
                for port in ["port", "tlsPort", "websocket"] {
                    device.unset(port);
                }
            }
            // The socket of an agent has its place among the domain's own files.
            "channel" if device.attribute("type") == Some("unix") => {
                device.remove("source");
            }
            _ => {}
        }
    }
}

struct Copies<'a> {
    connection: &'a dyn Connection,
    here: bool,
    new_name: &'a str,
    stop: Stop,
    made: Vec<Made>,
    /// What was copied, as data: target, and where the copy is.
    shown: Vec<serde_json::Value>,
}

impl Copies<'_> {
    /// Copies all that is the domain's own, and has the definition name the copies.
    fn of_all(&mut self, tree: &mut Element) -> Result<()> {
        self.of_disks(tree)?;
        self.of_firmware(tree).context("Failed to copy the firmware's variables")
    }

    /// Copies the firmware's variables if there are some yet; else the driver makes them from their template.
    fn of_firmware(&mut self, tree: &mut Element) -> Result<()> {
        let Some(os) = tree.child_mut("os") else {
            return Ok(());
        };
        let Some(variables) = os.child_mut("nvram") else {
            return Ok(());
        };
        let old = PathBuf::from(variables.text().trim());
        let is_file = old.is_absolute() && variables.child("source").is_none();
        variables.nodes.clear();
        if self.here && is_file && old.exists() {
            let new = old.with_file_name(format!("{}_VARS.fd", self.new_name.replace('/', "_")));
            copy_beside(&old, &new, &self.stop)?;
            variables.set_text(new.to_string_lossy());
            self.made.push(Made::File(new));
        } else if variables.attributes.is_empty() {
            os.remove("nvram");
        }
        Ok(())
    }

    /// Copies each disk that is the domain's own.
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
        self.stop.check()?;
        let made = storage.volume_create_xml_from(&pool, &tree.to_string(), volume, 0)?;
        self.made.push(Made::Volume(made.clone()));
        self.stop.check()?;
        if by_name { Ok(made.name) } else { Ok(storage.volume_path(&made)?) }
    }

    /// Copies a file beside itself.
    fn copy_file(&mut self, source: &Path, target: &str) -> Result<String> {
        let file_name = source.file_name().and_then(|name| name.to_str());
        let file_name = file_name.ok_or_else(|| anyhow!("'{}' names no file", source.display()))?;
        let new = source.with_file_name(new_file_name(file_name, self.new_name, target));
        copy_beside(source, &new, &self.stop)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_one_domain_can_have_is_taken_out() {
        let text = "<domain><name>a</name><uuid>u</uuid><genid>g</genid><os/>\
            <sysinfo type='smbios'><system><entry name='uuid'>u</entry><entry name='serial'>s</entry></system></sysinfo>\
            <devices><interface type='user'><mac address='52:54:00:00:00:01'/><target dev='tap'/></interface>\
            <graphics type='vnc' port='5901' autoport='no'/></devices></domain>";
        let mut tree = xml::parse(text, "test").unwrap();
        make_anew(&mut tree, "b");
        assert_eq!(tree.child_text("name").as_deref(), Some("b"));
        assert!(tree.child("uuid").is_none());
        assert!(tree.find("devices/interface").unwrap().nodes.is_empty());
        assert_eq!(tree.find("devices/graphics").unwrap().attribute("autoport"), Some("yes"));
        assert_eq!(tree.find("devices/graphics").unwrap().attribute("port"), None);
        let entries = tree.find("sysinfo/system").unwrap().children("entry").count();
        assert_eq!((entries, tree.child_text("genid").unwrap_or_default().as_str()), (1, ""));
    }
}
