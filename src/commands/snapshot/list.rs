//! snapshot-list.

use crate::backend::{Connection, Snapshots};
use crate::commands::domain::lookup;
use crate::commands::moment::{self, Moment};
use crate::model::constants::*;
use crate::model::{DomainRef, SnapshotRef};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("snapshot-list", Group::Snapshot, snapshot_list)
    .answers("[{name: text, creation_time: integer?, state: text?, parent: text?}]")
    .about("list snapshots", "Lists the snapshots of a domain.")
    .options(&[
        Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
        Opt::flag("parent", "add a column with the parent"),
        Opt::flag("roots", "only those without parents"),
        Opt::flag("leaves", "only those without children"),
        Opt::flag("no-leaves", "only those that have children"),
        Opt::flag("metadata", "only those whose metadata would keep the domain from being undefined"),
        Opt::flag("no-metadata", "only those without metadata"),
        Opt::flag("inactive", "only those of a domain that was off"),
        Opt::flag("active", "only those of a running domain"),
        Opt::flag("disk-only", "only those of disks alone"),
        Opt::flag("internal", "only internal ones"),
        Opt::flag("external", "only external ones"),
        Opt::flag("tree", "draw the tree"),
        Opt::text("from", "begin the list beneath this one")
            .tolerated_by_place()
            .complete(Complete::Snapshot),
        Opt::flag("current", "begin the list beneath the current one"),
        Opt::flag("descendants", "the whole subtree, not only direct children"),
        Opt::flag("name", "only names"),
        Opt::flag("topological", "parents before children instead of by name"),
    ])];

const LIST_FLAGS: &[(&str, u32)] = &[
    ("leaves", DOMAIN_SNAPSHOT_LIST_LEAVES),
    ("no-leaves", DOMAIN_SNAPSHOT_LIST_NO_LEAVES),
    ("metadata", DOMAIN_SNAPSHOT_LIST_METADATA),
    ("no-metadata", DOMAIN_SNAPSHOT_LIST_NO_METADATA),
    ("inactive", DOMAIN_SNAPSHOT_LIST_INACTIVE),
    ("active", DOMAIN_SNAPSHOT_LIST_ACTIVE),
    ("disk-only", DOMAIN_SNAPSHOT_LIST_DISK_ONLY),
    ("internal", DOMAIN_SNAPSHOT_LIST_INTERNAL),
    ("external", DOMAIN_SNAPSHOT_LIST_EXTERNAL),
    ("topological", DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL),
];

fn snapshot_list(session: &mut Session, args: &Args) -> Result<()> {
    for (one, other) in [
        ("tree", "name"),
        ("parent", "roots"),
        ("parent", "tree"),
        ("roots", "tree"),
        ("roots", "from"),
        ("roots", "current"),
    ] {
        args.exclusive(one, other)?;
    }
    if args.has("from") && args.has("current") {
        bail!("--from and --current are mutually exclusive");
    }
    if args.has("descendants") && !args.has("from") && !args.has("current") {
        bail!("--descendants requires either --from or --current");
    }
    moment::refuse_filters_of_a_tree(
        args,
        &["leaves", "no-leaves", "inactive", "active", "disk-only", "internal", "external"],
    )?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let snapshots = choose(&*connection, &domain, args)?;
    let moment = |snapshot: &SnapshotRef| {
        let xml = connection.snapshots().snapshot_xml(snapshot, 0)?;
        Moment::of(&snapshot.name, &xml)
    };
    let moments = snapshots.iter().map(moment).collect::<Result<Vec<_>>>()?;
    moment::list(session, args, &moments, true)
}

fn choose(connection: &dyn Connection, domain: &DomainRef, args: &Args) -> Result<Vec<SnapshotRef>> {
    let driver: &dyn Snapshots = connection.snapshots();
    let start = match args.text("from")? {
        Some(name) => Some(driver.snapshot_lookup_by_name(domain, name, 0)?),
        None if args.has("current") => Some(driver.snapshot_current(domain, 0)?),
        None => None,
    };
    // Nothing is a leaf and not one.
    if args.has("leaves") && args.has("no-leaves") {
        return Ok(Vec::new());
    }
    let mut flags = args.flags(LIST_FLAGS);
    let mut found = match &start {
        None => {
            flags |= args.flags(&[("roots", DOMAIN_SNAPSHOT_LIST_ROOTS)]);
            driver.list_all_snapshots(domain, flags)?
        }
        Some(start) => {
            if args.has("descendants") || args.has("tree") {
                flags |= DOMAIN_SNAPSHOT_LIST_DESCENDANTS;
            }
            driver.snapshot_list_all_children(start, flags)?
        }
    };
    if !args.has("topological") {
        found.sort_by(|one, other| one.name.cmp(&other.name));
    }
    if let Some(start) = start.filter(|_| args.has("tree")) {
        found.insert(0, start);
    }
    Ok(found)
}
