//! checkpoint-create, checkpoint-create-as, checkpoint-delete, checkpoint-edit.

use super::checkpoint;
use crate::backend::Connection;
use crate::commands::domain::lookup;
use crate::commands::editor::{Edited, edit};
use crate::commands::moment;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("checkpoint-create", Group::Checkpoint, checkpoint_create)
        .answers("{name: text}")
        .about(
            "make a checkpoint described by XML",
            "Makes a checkpoint of a domain's disks, from which later backups need only what changed.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("xmlfile", "file with the description").positional().complete(Complete::File),
            Opt::flag("redefine", "take the metadata of one that exists"),
            Opt::flag("redefine-validate", "check a redefined one against its disks"),
            Opt::flag("quiesce", "let the agent freeze the file systems meanwhile"),
        ])
        .writes(),
    Command::new("checkpoint-create-as", Group::Checkpoint, checkpoint_create_as)
        .answers("{name: text} | {xml: text}")
        .about("make a checkpoint", "Makes a checkpoint of a domain's disks made of the options.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("name", "name of the checkpoint").tolerated_by_place(),
            Opt::text("description", "what it is for").tolerated_by_place(),
            Opt::flag("print-xml", "show the XML and do nothing"),
            Opt::flag("quiesce", "let the agent freeze the file systems meanwhile"),
            Opt::rest("diskspec", "what to do with one disk, as NAME,key=value,…").tolerated_by_place(),
        ])
        .writes(),
    Command::new("checkpoint-delete", Group::Checkpoint, checkpoint_delete)
        .about("delete a checkpoint", "Deletes a checkpoint; what it tracked goes to its parent.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::text("checkpointname", "name of the checkpoint").required().complete(Complete::Checkpoint),
            Opt::flag("children", "with all its children"),
            Opt::flag("children-only", "only its children"),
            Opt::flag("metadata", "forget it, but leave its contents alone"),
        ])
        .writes(),
    Command::new("checkpoint-edit", Group::Checkpoint, checkpoint_edit)
        .about(
            "edit the XML of a checkpoint",
            "Opens the description of a checkpoint in an editor and puts it back.",
        )
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::text("checkpointname", "name of the checkpoint").required().complete(Complete::Checkpoint),
        ])
        .writes(),
];

const CREATE_FLAGS: &[(&str, u32)] = &[
    ("redefine", DOMAIN_CHECKPOINT_CREATE_REDEFINE),
    ("redefine-validate", DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE),
    ("quiesce", DOMAIN_CHECKPOINT_CREATE_QUIESCE),
];

fn checkpoint_create(session: &mut Session, args: &Args) -> Result<()> {
    args.requires("redefine-validate", "redefine")?;
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let xml = moment::described(args, "domaincheckpoint")?;
    let file = args.text("xmlfile")?;
    let from = file.map(|file| format!(" from '{file}'")).unwrap_or_default();
    create(session, &*connection, &domain, &xml, flags, &from)
}

fn checkpoint_create_as(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(CREATE_FLAGS);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let tree = moment::described_by_options(args, "domaincheckpoint", &disk)?;
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
    let made = connection.snapshots().checkpoint_create_xml(domain, xml, flags)?;
    let name = &made.name;
    session.show(&json!({ "name": name }), |session| {
        session.print_extra(format_args!("Domain checkpoint {name} created{from}"));
    })
}

/// `NAME[,checkpoint=TYPE][,bitmap=NAME]`
fn disk(spec: &str) -> Result<Element> {
    let wrong = || anyhow!("unable to parse diskspec: {spec}");
    let mut parts = moment::spec_parts(spec).into_iter();
    let name = parts.next().filter(|_| !spec.is_empty()).ok_or_else(wrong)?;
    let mut disk = Element::new("disk").with("name", name);
    let (mut kind, mut bitmap) = (None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("checkpoint", value)) => kind = Some(value.to_string()),
            Some(("bitmap", value)) => bitmap = Some(value.to_string()),
            _ => return Err(wrong()),
        }
    }
    for (attribute, value) in [("checkpoint", kind), ("bitmap", bitmap)] {
        if let Some(value) = value {
            disk.set(attribute, value);
        }
    }
    Ok(disk)
}

fn checkpoint_delete(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let checkpoint = checkpoint(&*connection, args)?;
    let flags = args.flags(&[
        ("children", DOMAIN_CHECKPOINT_DELETE_CHILDREN),
        ("children-only", DOMAIN_CHECKPOINT_DELETE_CHILDREN_ONLY),
        ("metadata", DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY),
    ]);
    let name = &checkpoint.name;
    let answer = connection.snapshots().checkpoint_delete(&checkpoint, flags);
    answer.with_context(|| format!("Failed to delete checkpoint {name}"))?;
    if args.has("children-only") {
        session.print_extra(format_args!("Domain checkpoint {name} children deleted\n"));
    } else {
        session.print_extra(format_args!("Domain checkpoint {name} deleted\n"));
    }
    Ok(())
}

fn checkpoint_edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let checkpoint = checkpoint(&*connection, args)?;
    let (driver, name) = (connection.snapshots(), &checkpoint.name);
    let fetch = || Ok(driver.checkpoint_xml(&checkpoint, DOMAIN_CHECKPOINT_XML_SECURE)?);
    let mut store = |xml: &str, _| {
        let named = crate::xml::parse(xml, "domaincheckpoint")?.child_text("name");
        if named.as_ref() != Some(name) {
            bail!("Cannot change checkpoint name to {}", named.unwrap_or_default());
        }
        driver.checkpoint_create_xml(&checkpoint.domain, xml, DOMAIN_CHECKPOINT_CREATE_REDEFINE)?;
        Ok(())
    };
    match edit(session, &fetch, &mut store)? {
        Edited::Unchanged => {
            session.print_extra(format_args!("Checkpoint {name} XML configuration not changed.\n"));
        }
        Edited::Stored => session.print_extra(format_args!("Checkpoint {name} edited.\n")),
    }
    Ok(())
}
