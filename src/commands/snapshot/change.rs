//! snapshot-delete, snapshot-edit, snapshot-revert.

use super::chosen;
use crate::commands::domain::lookup;
use crate::commands::editor::{Edited, edit};
use crate::commands::moment;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("snapshot-delete", Group::Snapshot, snapshot_delete)
        .about("delete a snapshot", "Deletes a snapshot; its children are kept unless asked otherwise.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").positional().complete(Complete::Snapshot),
            Opt::flag("current", "the current one"),
            Opt::flag("children", "with all its children"),
            Opt::flag("children-only", "only its children"),
            Opt::flag("metadata", "forget it, but leave its contents alone"),
        ])
        .writes(),
    Command::new("snapshot-edit", Group::Snapshot, snapshot_edit)
        .about(
            "edit the XML of a snapshot",
            "Opens the description of a snapshot in an editor and puts it back.",
        )
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").positional().complete(Complete::Snapshot),
            Opt::flag("current", "the edited one becomes the current one"),
            Opt::flag("rename", "a changed name renames the snapshot"),
            Opt::flag("clone", "a changed name makes a second snapshot"),
        ])
        .writes(),
    Command::new("snapshot-revert", Group::Snapshot, snapshot_revert)
        .about(
            "go back to a snapshot",
            "Puts a domain back into the state of a snapshot. What it did since is lost.",
        )
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_SNAPSHOT)),
            Opt::text("snapshotname", "name of the snapshot").positional().complete(Complete::Snapshot),
            Opt::flag("current", "the current one"),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
            Opt::flag("force", "even if it is risky"),
            Opt::flag("reset-nvram", "start again with fresh firmware variables"),
        ])
        .writes(),
];

fn snapshot_delete(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let snapshot = chosen(&*connection, &domain, args)?;
    let flags = args.flags(&[
        ("children", DOMAIN_SNAPSHOT_DELETE_CHILDREN),
        ("children-only", DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY),
        ("metadata", DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY),
    ]);
    let name = &snapshot.name;
    let answer = connection.snapshots().snapshot_delete(&snapshot, flags);
    answer.with_context(|| format!("Failed to delete snapshot {name}"))?;
    if args.has("children-only") {
        session.print_extra(format_args!("Domain snapshot {name} children deleted\n"));
    } else {
        session.print_extra(format_args!("Domain snapshot {name} deleted\n"));
    }
    Ok(())
}

fn snapshot_revert(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[
        ("running", DOMAIN_SNAPSHOT_REVERT_RUNNING),
        ("paused", DOMAIN_SNAPSHOT_REVERT_PAUSED),
        ("reset-nvram", DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM),
        ("force", DOMAIN_SNAPSHOT_REVERT_FORCE),
    ]);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let snapshot = chosen(&*connection, &domain, args)?;
    let name = &snapshot.name;
    let answer = connection.snapshots().revert_to_snapshot(&snapshot, flags);
    answer.with_context(|| format!("Failed to revert snapshot {name}"))?;
    session.print_extra(format_args!("Domain snapshot {name} reverted\n"));
    Ok(())
}

fn snapshot_edit(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("rename", "clone")?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let driver = connection.snapshots();
    // Here --current also means that the edited one becomes the current one.
    let snapshot = match args.text("snapshotname")? {
        Some(name) => driver.snapshot_lookup_by_name(&domain, name, 0)?,
        None => {
            moment::chosen(args, "snapshotname")?;
            driver.snapshot_current(&domain, 0)?
        }
    };
    let mut flags = DOMAIN_SNAPSHOT_CREATE_REDEFINE;
    let both = args.has("current") && args.has("snapshotname");
    if both || driver.snapshot_is_current(&snapshot, 0).unwrap_or(false) {
        flags |= DOMAIN_SNAPSHOT_CREATE_CURRENT;
    }
    let (rename, clone) = (args.has("rename"), args.has("clone"));
    let before = snapshot.name.clone();
    let mut after = before.clone();
    let fetch = || Ok(driver.snapshot_xml(&snapshot, DOMAIN_SNAPSHOT_XML_SECURE)?);
    let mut store = |xml: &str, _| {
        let tree = crate::xml::parse(xml, "domainsnapshot")?;
        let named = tree.child_text("name").unwrap_or_default();
        if named != before && !rename && !clone {
            bail!("Must use --rename or --clone to change {before} to {named}");
        }
        after = driver.snapshot_create_xml(&domain, xml, flags)?.name;
        if rename && after != before {
            driver
                .snapshot_delete(&snapshot, DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY)
                .with_context(|| format!("Failed to clean up {before}"))?;
        }
        Ok(())
    };
    // Making it current is a change of its own.
    let unchanged = edit(session, &fetch, &mut store)? == Edited::Unchanged;
    if unchanged && both {
        let xml = fetch()?;
        driver.snapshot_create_xml(&domain, &xml, flags)?;
    } else if unchanged {
        session.print_extra(format_args!("Snapshot {before} XML configuration not changed.\n"));
        return Ok(());
    }
    if after == before {
        session.print_extra(format_args!("Snapshot {before} edited.\n"));
    } else {
        let how = if rename { "renamed" } else { "cloned" };
        session.print_extra(format_args!("Snapshot {before} {how} to {after}.\n"));
    }
    Ok(())
}
