//! snapshot-current, snapshot-dumpxml, snapshot-info, snapshot-parent.

use super::chosen;
use crate::backend::Snapshots;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::domain::lookup;
use crate::error::Error;
use crate::model::SnapshotRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element};
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("snapshot-current", Group::Snapshot, snapshot_current)
        .answers("{name: text} | {xml: text}")
        .about(
            "show or set the current snapshot",
            "Shows the snapshot that the domain goes on from, or makes another one that.",
        )
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::flag("name", "only the name"),
            Opt::flag("security-info", "include passwords and other secrets"),
            Opt::text("snapshotname", "make this one current").positional().complete(Complete::Snapshot),
        ])
        .writes(),
    Command::new("snapshot-dumpxml", Group::Snapshot, snapshot_dumpxml)
        .answers(shape::XML)
        .about("show the XML of a snapshot", "Prints what is known of a snapshot.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").required().complete(Complete::Snapshot),
            Opt::flag("security-info", "include passwords and other secrets"),
            XPATH,
            WRAP,
        ]),
    Command::new("snapshot-info", Group::Snapshot, snapshot_info)
        .answers(
            "{name: text, domain: text, current: boolean, state: text, location: text, \
             parent: text?, children: integer, descendants: integer, metadata: boolean}",
        )
        .about("show a snapshot", "Shows name, state, place and relatives of a snapshot.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").positional().complete(Complete::Snapshot),
            Opt::flag("current", "the current one"),
        ]),
    Command::new("snapshot-parent", Group::Snapshot, snapshot_parent)
        .answers("{parent: text}")
        .about("name a snapshot's parent", "Prints the name of the snapshot that another one was taken on.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").positional().complete(Complete::Snapshot),
            Opt::flag("current", "the current one"),
        ]),
];

fn snapshot_current(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("name", "snapshotname")?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let driver = connection.snapshots();
    if let Some(name) = args.text("snapshotname")? {
        let snapshot = driver.snapshot_lookup_by_name(&domain, name, 0)?;
        let xml = driver.snapshot_xml(&snapshot, DOMAIN_SNAPSHOT_XML_SECURE)?;
        let flags = DOMAIN_SNAPSHOT_CREATE_REDEFINE | DOMAIN_SNAPSHOT_CREATE_CURRENT;
        driver.snapshot_create_xml(&domain, &xml, flags)?;
        session.print_extra(format_args!("Snapshot {name} set as current"));
        return Ok(());
    }
    if !driver.has_current_snapshot(&domain, 0)? {
        bail!("domain '{}' has no current snapshot", args.required("domain")?);
    }
    let snapshot = driver.snapshot_current(&domain, 0)?;
    if args.has("name") {
        return session.show(&json!({ "name": snapshot.name }), |session| session.print(&snapshot.name));
    }
    let flags = args.flags(&[("security-info", DOMAIN_SNAPSHOT_XML_SECURE)]);
    let xml = driver.snapshot_xml(&snapshot, flags)?;
    session.show(&json!({ "xml": xml }), |session| session.print(&xml))
}

fn snapshot_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("security-info", DOMAIN_SNAPSHOT_XML_SECURE)]);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let name = args.required("snapshotname")?;
    let snapshot = connection.snapshots().snapshot_lookup_by_name(&domain, name, 0)?;
    let xml = connection.snapshots().snapshot_xml(&snapshot, flags)?;
    document::show(session, args, &xml)
}

fn parent(driver: &dyn Snapshots, snapshot: &SnapshotRef) -> Result<Option<String>, Error> {
    match driver.snapshot_parent(snapshot, 0) {
        Ok(parent) => Ok(Some(parent.name)),
        Err(error) if error.code == crate::error::ErrorCode::NO_SNAPSHOT => Ok(None),
        Err(error) => Err(error),
    }
}

fn snapshot_info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let driver = connection.snapshots();
    let snapshot = chosen(&*connection, &domain, args)?;
    let current = driver.snapshot_is_current(&snapshot, 0)?;
    let tree = xml::parse(&driver.snapshot_xml(&snapshot, 0)?, "snapshot")?;
    let state = tree.child_text("state").unwrap_or_default();
    let children = driver.snapshot_list_all_children(&snapshot, 0)?.len();
    let descendants = driver.snapshot_list_all_children(&snapshot, DOMAIN_SNAPSHOT_LIST_DESCENDANTS)?;
    let mut fields = Fields::new(15);
    fields.add("Name", &snapshot.name).add("Domain", &domain.name);
    fields.add("Current", Cell::choice(current, "yes", "no"));
    fields.add("State", &state);
    fields.add("Location", if is_external(&tree, &state) { "external" } else { "internal" });
    fields.add("Parent", Cell::or_dash(parent(driver, &snapshot)?));
    fields.add("Children", children);
    fields.add("Descendants", descendants.len());
    let metadata = driver.snapshot_has_metadata(&snapshot, 0)?;
    fields.add("Metadata", Cell::choice(metadata, "yes", "no"));
    session.fields(&fields)
}

/// Whether any part of a snapshot lies in files of its own.
fn is_external(tree: &Element, state: &str) -> bool {
    let memory = tree.child_attribute("memory", "snapshot");
    let disks = tree.child("disks").into_iter().flat_map(|disks| disks.children("disk"));
    let mut places = disks.map(|disk| disk.attribute("snapshot"));
    if memory == Some("external") || places.any(|place| place == Some("external")) {
        return true;
    }
    // Older descriptions say nothing of places: disks alone are then kept outside.
    tree.child("disks").is_none() && memory.is_none() && state == "disk-snapshot"
}

fn snapshot_parent(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let snapshot = chosen(&*connection, &domain, args)?;
    match parent(connection.snapshots(), &snapshot)? {
        Some(parent) => session.show(&json!({ "parent": parent }), |session| session.print(&parent)),
        None => bail!("snapshot '{}' has no parent", snapshot.name),
    }
}
