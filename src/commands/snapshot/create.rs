//! snapshot-create, snapshot-create-as.

use crate::backend::Connection;
use crate::commands::domain::lookup;
use crate::commands::moment;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element};
use anyhow::{Result, anyhow, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("snapshot-create", Group::Snapshot, snapshot_create)
        .answers("{name: text}")
        .about(
            "take a snapshot described by XML",
            "Takes a snapshot of a domain as a file describes it, or with the driver's defaults.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("xmlfile", "file with the description").positional().complete(Complete::File),
            Opt::flag("redefine", "take the metadata of one that exists"),
            Opt::flag("current", "with --redefine: make it the current one"),
            Opt::flag("no-metadata", "without metadata"),
            Opt::flag("halt", "stop the domain once it is taken"),
            Opt::flag("disk-only", "disks alone, without memory"),
            Opt::flag("reuse-external", "the destination files are there already; use them"),
            Opt::flag("quiesce", "let the agent freeze the file systems meanwhile"),
            Opt::flag("atomic", "all disks or none"),
            Opt::flag("live", "the guest runs on meanwhile"),
            Opt::flag("validate", "check the XML strictly"),
        ])
        .writes(),
    Command::new("snapshot-create-as", Group::Snapshot, snapshot_create_as)
        .answers("{name: text} | {xml: text}")
        .about("take a snapshot", "Takes a snapshot of a domain made of the options.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("name", "name of the snapshot").tolerated_by_place(),
            Opt::text("description", "what it is for").tolerated_by_place(),
            Opt::flag("print-xml", "show the XML and do nothing"),
            Opt::flag("no-metadata", "without metadata"),
            Opt::flag("halt", "stop the domain once it is taken"),
            Opt::flag("disk-only", "disks alone, without memory"),
            Opt::flag("reuse-external", "the destination files are there already; use them"),
            Opt::flag("quiesce", "let the agent freeze the file systems meanwhile"),
            Opt::flag("atomic", "all disks or none"),
            Opt::flag("live", "the guest runs on meanwhile"),
            Opt::flag("validate", "check the XML strictly"),
            Opt::text("memspec", "where memory goes, as [file=]NAME[,snapshot=TYPE]"),
            Opt::rest("diskspec", "what to do with one disk, as NAME,key=value,…").tolerated_by_place(),
        ])
        .writes(),
];

const CREATE_FLAGS: &[(&str, u32)] = &[
    ("redefine", DOMAIN_SNAPSHOT_CREATE_REDEFINE),
    ("current", DOMAIN_SNAPSHOT_CREATE_CURRENT),
    ("no-metadata", DOMAIN_SNAPSHOT_CREATE_NO_METADATA),
    ("halt", DOMAIN_SNAPSHOT_CREATE_HALT),
    ("disk-only", DOMAIN_SNAPSHOT_CREATE_DISK_ONLY),
    ("reuse-external", DOMAIN_SNAPSHOT_CREATE_REUSE_EXT),
    ("quiesce", DOMAIN_SNAPSHOT_CREATE_QUIESCE),
    ("atomic", DOMAIN_SNAPSHOT_CREATE_ATOMIC),
    ("live", DOMAIN_SNAPSHOT_CREATE_LIVE),
    ("validate", DOMAIN_SNAPSHOT_CREATE_VALIDATE),
];

fn snapshot_create(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let file = args.text("xmlfile")?;
    let xml = moment::described(args, "domainsnapshot")?;
    let from = file.map(|file| format!(" from '{file}'")).unwrap_or_default();
    create(session, &*connection, &domain, &xml, flags, &from)
}

fn snapshot_create_as(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let mut tree = moment::described_by_options(args, "domainsnapshot", &disk)?;
    if let Some(spec) = args.text("memspec")? {
        let place = tree.elements().take_while(|child| child.name != "disks").count();
        tree.nodes.insert(place, xml::Node::Element(memory(spec)?));
    }
    if args.has("print-xml") {
        return moment::print(session, &tree);
    }
    create(session, &*connection, &domain, &tree.to_string(), flags, "")
}

fn create(
    session: &mut Session,
    connection: &dyn Connection,
    domain: &DomainRef,
    xml: &str,
    flags: u32,
    from: &str,
) -> Result<()> {
    let snapshot = connection.snapshots().snapshot_create_xml(domain, xml, flags)?;
    let name = &snapshot.name;
    session.show(&json!({ "name": name }), |session| {
        session.print_extra(format_args!("Domain snapshot {name} created{from}"));
    })
}

/// `[file=]NAME[,snapshot=TYPE]`
fn memory(spec: &str) -> Result<Element> {
    let mut element = Element::new("memory");
    let (mut file, mut snapshot) = (None, None);
    for (place, part) in moment::spec_parts(spec).into_iter().enumerate() {
        if let Some(kind) = part.strip_prefix("snapshot=") {
            snapshot = Some(kind.to_string());
        } else if let Some(name) = part.strip_prefix("file=") {
            file = Some(name.to_string());
        } else if place == 0 && part.starts_with('/') {
            file = Some(part);
        } else {
            bail!("unable to parse memspec: {spec}");
        }
    }
    if let Some(kind) = snapshot {
        element.set("snapshot", kind);
    }
    if let Some(file) = file {
        element.set("file", file);
    }
    Ok(element)
}

/// `NAME[,snapshot=TYPE][,driver=TYPE][,stype=TYPE][,file=NAME]`
fn disk(spec: &str) -> Result<Element> {
    let wrong = || anyhow!("unable to parse diskspec: {spec}");
    let mut parts = moment::spec_parts(spec).into_iter();
    let name = parts.next().filter(|_| !spec.is_empty()).ok_or_else(wrong)?;
    let mut disk = Element::new("disk").with("name", name);
    let (mut driver, mut file, mut kind) = (None, None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("snapshot", value)) => disk.set("snapshot", value),
            Some(("driver", value)) => driver = Some(value.to_string()),
            Some(("stype", value)) => kind = Some(value.to_string()),
            Some(("file", value)) => file = Some(value.to_string()),
            _ => return Err(wrong()),
        }
    }
    let attribute = match kind.as_deref() {
        None | Some("file") => "file",
        Some("block") => "dev",
        // Both sentences are printed.
        Some(other) => return Err(wrong().context(format!("Unknown storage type: '{other}'"))),
    };
    if let Some(kind) = kind {
        disk.set("type", kind);
    }
    if let Some(driver) = driver {
        disk.push(Element::new("driver").with("type", driver));
    }
    if let Some(file) = file {
        disk.push(Element::new("source").with(attribute, file));
    }
    Ok(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_become_elements() {
        assert_eq!(
            disk("vda,stype=block,driver=a,file=/d").unwrap().to_string(),
            "<disk name='vda' type='block'>\n  <driver type='a'/>\n  <source dev='/d'/>\n</disk>\n"
        );
        assert!(disk("vda,what=x").is_err());
        assert_eq!(
            memory("/m,snapshot=external").unwrap().to_string(),
            "<memory snapshot='external' file='/m'/>\n"
        );
        assert!(memory("what=x").is_err());
    }
}
