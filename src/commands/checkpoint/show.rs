//! checkpoint-dumpxml, checkpoint-info, checkpoint-list, checkpoint-parent.

use super::checkpoint;
use crate::backend::Snapshots;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::domain::lookup;
use crate::commands::moment::{self, Moment};
use crate::error::{Error, ErrorCode};
use crate::model::CheckpointRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("checkpoint-dumpxml", Group::Checkpoint, checkpoint_dumpxml)
        .answers(shape::XML)
        .about("show the XML of a checkpoint", "Prints what is known of a checkpoint.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::text("checkpointname", "name of the checkpoint").required().complete(Complete::Checkpoint),
            Opt::flag("security-info", "include passwords and other secrets"),
            Opt::flag("no-domain", "leave the domain out"),
            Opt::flag("size", "with an estimate of how much changed since"),
            XPATH,
            WRAP,
        ]),
    Command::new("checkpoint-info", Group::Checkpoint, checkpoint_info)
        .answers(
            "{name: text, domain: text, parent: text?, children: integer, descendants: \
             integer}",
        )
        .about("show a checkpoint", "Shows name and relatives of a checkpoint.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::text("checkpointname", "name of the checkpoint").required().complete(Complete::Checkpoint),
        ]),
    Command::new("checkpoint-list", Group::Checkpoint, checkpoint_list)
        .answers("[{name: text, creation_time: integer?, parent: text?}]")
        .about("list checkpoints", "Lists the checkpoints of a domain.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::flag("parent", "add a column with the parent"),
            Opt::flag("roots", "only those without parents"),
            Opt::flag("leaves", "only those without children"),
            Opt::flag("no-leaves", "only those that have children"),
            Opt::flag("tree", "draw the tree"),
            Opt::text("from", "begin the list beneath this one")
                .tolerated_by_place()
                .complete(Complete::Checkpoint),
            Opt::flag("descendants", "the whole subtree, not only direct children"),
            Opt::flag("name", "only names"),
            Opt::flag("topological", "parents before children instead of by name"),
        ]),
    Command::new("checkpoint-parent", Group::Checkpoint, checkpoint_parent)
        .answers("{parent: text}")
        .about("name a checkpoint's parent", "Prints the name of the checkpoint before another one.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_HAS_CHECKPOINT)),
            Opt::text("checkpointname", "name of the checkpoint").required().complete(Complete::Checkpoint),
        ]),
];

fn checkpoint_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[
        ("security-info", DOMAIN_CHECKPOINT_XML_SECURE),
        ("no-domain", DOMAIN_CHECKPOINT_XML_NO_DOMAIN),
        ("size", DOMAIN_CHECKPOINT_XML_SIZE),
    ]);
    let connection = session.handle()?;
    let checkpoint = checkpoint(&*connection, args)?;
    let xml = connection.snapshots().checkpoint_xml(&checkpoint, flags)?;
    document::show(session, args, &xml)
}

fn parent(driver: &dyn Snapshots, checkpoint: &CheckpointRef) -> Result<Option<String>, Error> {
    match driver.checkpoint_parent(checkpoint, 0) {
        Ok(parent) => Ok(Some(parent.name)),
        Err(error) if error.code == ErrorCode::NO_CHECKPOINT => Ok(None),
        Err(error) => Err(error),
    }
}

fn checkpoint_info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let checkpoint = checkpoint(&*connection, args)?;
    let driver = connection.snapshots();
    let children = driver.checkpoint_list_all_children(&checkpoint, 0)?.len();
    let all = driver.checkpoint_list_all_children(&checkpoint, DOMAIN_CHECKPOINT_LIST_DESCENDANTS)?;
    let mut fields = Fields::new(15);
    fields.add("Name", &checkpoint.name).add("Domain", &checkpoint.domain.name);
    fields.add("Parent", Cell::or_dash(parent(driver, &checkpoint)?));
    fields.add("Children", children).add("Descendants", all.len());
    session.fields(&fields)
}

fn checkpoint_parent(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let checkpoint = checkpoint(&*connection, args)?;
    match parent(connection.snapshots(), &checkpoint)? {
        Some(parent) => session.show(&json!({ "parent": parent }), |session| session.print(&parent)),
        None => bail!("checkpoint '{}' has no parent", checkpoint.name),
    }
}

fn checkpoint_list(session: &mut Session, args: &Args) -> Result<()> {
    for (one, other) in
        [("tree", "name"), ("parent", "roots"), ("parent", "tree"), ("roots", "tree"), ("roots", "from")]
    {
        args.exclusive(one, other)?;
    }
    if args.has("descendants") && !args.has("from") {
        bail!("--descendants requires --from");
    }
    moment::refuse_filters_of_a_tree(args, &["leaves", "no-leaves"])?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let driver = connection.snapshots();
    let start = match args.text("from")? {
        Some(name) => Some(driver.checkpoint_lookup_by_name(&domain, name, 0)?),
        None => None,
    };
    let mut flags = args.flags(&[
        ("leaves", DOMAIN_CHECKPOINT_LIST_LEAVES),
        ("no-leaves", DOMAIN_CHECKPOINT_LIST_NO_LEAVES),
        ("topological", DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL),
    ]);
    let mut found = match &start {
        // Nothing is a leaf and not one.
        _ if args.has("leaves") && args.has("no-leaves") => Vec::new(),
        None => {
            flags |= args.flags(&[("roots", DOMAIN_CHECKPOINT_LIST_ROOTS)]);
            driver.list_all_checkpoints(&domain, flags)?
        }
        Some(start) => {
            if args.has("descendants") || args.has("tree") {
                flags |= DOMAIN_CHECKPOINT_LIST_DESCENDANTS;
            }
            driver.checkpoint_list_all_children(start, flags)?
        }
    };
    if !args.has("topological") {
        found.sort_by(|one, other| one.name.cmp(&other.name));
    }
    if let Some(start) = start.filter(|_| args.has("tree")) {
        found.insert(0, start);
    }
    let moment = |checkpoint: &CheckpointRef| {
        let xml = driver.checkpoint_xml(checkpoint, DOMAIN_CHECKPOINT_XML_NO_DOMAIN)?;
        Moment::of(&checkpoint.name, &xml)
    };
    let moments = found.iter().map(moment).collect::<Result<Vec<_>>>()?;
    moment::list(session, args, &moments, false)
}
