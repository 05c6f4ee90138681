//! change-media: the medium in a CD or floppy drive.

use super::fragment;
use crate::commands::domain::{device_tree, lookup};
use crate::commands::impact::{self, impact};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("change-media", Group::Domain, change_media)
    .answers(shape::PRINTED)
    .about("change the medium in a drive", "Ejects, inserts or changes the medium of a CD or floppy drive.")
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::text("path", "the drive, by its target or source").required().complete(Complete::Disk),
        Opt::text("source", "the new medium").positional().complete(Complete::File),
        Opt::flag("eject", "take the medium out"),
        Opt::flag("insert", "put a medium into the empty drive"),
        Opt::flag("update", "change the medium, whatever is in"),
        impact::CURRENT,
        impact::LIVE,
        impact::CONFIG,
        Opt::flag("force", "even if the guest has locked the tray"),
        Opt::flag("print-xml", "show the XML and do nothing"),
        Opt::flag("block", "the source is a block device"),
    ])
    .writes()];

/// What is to be done with the drive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Eject,
    Insert,
    Update,
}

impl Action {
    fn of(args: &Args) -> Result<Action> {
        args.exclusive("eject", "insert")?;
        args.exclusive("eject", "update")?;
        args.exclusive("insert", "update")?;
        args.exclusive("eject", "block")?;
        Ok(if args.has("eject") {
            Action::Eject
        } else if args.has("insert") {
            Action::Insert
        } else {
            Action::Update
        })
    }

    /// The word for it, and the word once it is done.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Action::Eject => ("eject", "ejected"),
            Action::Insert => ("insert", "inserted"),
            Action::Update => ("update", "updated"),
        }
    }
}

fn change_media(session: &mut Session, args: &Args) -> Result<()> {
    let action = Action::of(args)?;
    let path = args.required("path")?;
    let source = args.text("source")?.filter(|_| action != Action::Eject);
    let mut flags = impact(args)?;
    if args.has("force") {
        flags |= DOMAIN_DEVICE_MODIFY_FORCE;
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let description = if args.has("config") { DOMAIN_XML_INACTIVE } else { 0 };
    let tree = device_tree::tree(&*connection, &domain, description)?;
    let devices = tree.child("devices");
    let mut drives = devices.into_iter().flat_map(|devices| devices.children("disk"));
    let drive = drives.find(|disk| is_called(disk, path) && is_drive(disk));
    let Some(drive) = drive else {
        bail!("No disk found whose source path or target is {path}");
    };
    if action != Action::Eject && source.is_none() {
        bail!("New disk media source was not specified");
    }
    let changed = changed(drive, action, path, source, args.has("block"))?;
    let xml = fragment(&changed);
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let (word, done) = action.words();
    let answer = connection.domains().update_device(&domain, &xml, flags);
    answer.with_context(|| format!("Failed to complete action {word} on media"))?;
    session.print_extra(format_args!("Successfully {done} media."));
    Ok(())
}

fn is_drive(disk: &Element) -> bool {
    matches!(disk.attribute("device"), Some("cdrom" | "floppy"))
}

/// Whether a disk's target or source has this name.
pub(super) fn is_called(disk: &Element, name: &str) -> bool {
    let source = disk.child("source");
    let sources = ["file", "dev", "dir", "name"];
    let mut names = sources.iter().filter_map(|attribute| source?.attribute(attribute));
    disk.child_attribute("target", "dev") == Some(name) || names.any(|known| known == name)
}

/// The drive with its new medium, or with none.
fn changed(
    drive: &Element,
    action: Action,
    path: &str,
    source: Option<&str>,
    block: bool,
) -> Result<Element> {
    let attributes = drive.child("source").map(|source| source.attributes.len());
    let loaded = attributes.is_some_and(|count| count > 0);
    match action {
        Action::Eject if !loaded => bail!("The disk device '{path}' doesn't have media"),
        Action::Insert if loaded => bail!("The disk device '{path}' already has media"),
        _ => {}
    }
    let mut drive = drive.clone();
    drive.remove("source");
    if let Some(source) = source {
        let (kind, attribute) = if block { ("block", "dev") } else { ("file", "file") };
        drive.set("type", kind);
        drive.push(Element::new("source").with(attribute, source));
    }
    Ok(drive)
}
