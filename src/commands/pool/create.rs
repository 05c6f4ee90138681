//! pool-create, pool-create-as, pool-define, pool-define-as.

use super::lifecycle::{BUILD, NO_OVERWRITE, OVERWRITE, build_flags};
use super::list::TYPE_NAMES;
use super::options;
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};
use serde_json::json;

/// The options that describe a pool in place of a file, and those of one row besides.
macro_rules! described_by_options {
    ($($more:expr),*) => {
        &[
            Opt::text("name", "name of the pool").required(),
            Opt::text("type", "type of the pool, such as dir or logical").required().complete(Complete::Words(TYPE_NAMES)),
            Opt::flag("print-xml", "show the XML and do nothing"),
            Opt::text("source-host", "host that the pool lies on").tolerated_by_place(),
            Opt::text("source-path", "path at the source").tolerated_by_place(),
            Opt::text("source-dev", "device that the pool lies on").tolerated_by_place(),
            Opt::text("source-name", "name of the source, such as a volume group").tolerated_by_place(),
            Opt::text("target", "where the volumes appear").tolerated_by_place(),
            Opt::text("source-format", "format of the source").tolerated_by_place(),
            Opt::text("auth-type", "how to log in at the source: chap or ceph").tolerated_by_place(),
            Opt::text("auth-username", "user name to log in with").tolerated_by_place(),
            Opt::text("secret-usage", "usage of the secret to log in with").tolerated_by_place(),
            Opt::text("secret-uuid", "uuid of the secret to log in with").tolerated_by_place(),
            Opt::text("adapter-name", "name of the SCSI host adapter").tolerated_by_place(),
            Opt::text("adapter-wwnn", "node WWN of the virtual adapter").tolerated_by_place(),
            Opt::text("adapter-wwpn", "port WWN of the virtual adapter").tolerated_by_place(),
            Opt::text("adapter-parent", "scsi_host device that carries the virtual adapter")
                .tolerated_by_place(),
            Opt::text("adapter-parent-wwnn", "parent of the virtual adapter, by its node WWN")
                .tolerated_by_place(),
            Opt::text("adapter-parent-wwpn", "parent of the virtual adapter, by its port WWN")
                .tolerated_by_place(),
            Opt::text("adapter-parent-fabric-wwn", "parent of the virtual adapter, by its fabric WWN")
                .tolerated_by_place(),
            Opt::text("source-protocol-ver", "NFS version to mount with").tolerated_by_place(),
            Opt::text("source-initiator", "initiator IQN").tolerated_by_place(),
            $($more,)*
        ]
    };
}

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("pool-create", Group::Pool, pool_create)
        .about(
            "make and start a pool from XML",
            "Makes a transient pool as a file describes it and starts it.",
        )
        .options(&[
            Opt::text("file", "file with the XML of the pool").required().complete(Complete::File),
            BUILD,
            NO_OVERWRITE,
            OVERWRITE,
        ])
        .writes(),
    Command::new("pool-create-as", Group::Pool, pool_create_as)
        .answers(shape::PRINTED)
        .about("make and start a pool", "Makes a transient pool of the options and starts it.")
        .options(described_by_options!(BUILD, NO_OVERWRITE, OVERWRITE))
        .writes(),
    Command::new("pool-define", Group::Pool, pool_define)
        .about("define a pool from XML", "Defines a persistent pool as a file describes it, or changes one.")
        .options(&[
            Opt::text("file", "file with the XML of the pool").required().complete(Complete::File),
            Opt::flag("validate", "check the XML strictly"),
        ])
        .writes(),
    Command::new("pool-define-as", Group::Pool, pool_define_as)
        .answers(shape::PRINTED)
        .about("define a pool", "Defines a persistent pool of the options, or changes one.")
        .options(described_by_options!())
        .writes(),
];

fn pool_create(session: &mut Session, args: &Args) -> Result<()> {
    let flags = build_flags(args)?;
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let connection = session.connection()?;
    let made = connection.storage().pool_create_xml(&xml, flags);
    let pool = made.with_context(|| format!("Failed to create pool from {file}"))?;
    session.print_extra(format_args!("Pool {} created from {file}\n", pool.name));
    Ok(())
}

fn pool_create_as(session: &mut Session, args: &Args) -> Result<()> {
    let flags = build_flags(args)?;
    let Some((name, xml)) = described(session, args)? else {
        return Ok(());
    };
    let made = session.connection()?.storage().pool_create_xml(&xml, flags);
    let pool = made.with_context(|| format!("Failed to create pool {name}"))?;
    session.print_extra(format_args!("Pool {} created\n", pool.name));
    Ok(())
}

fn pool_define(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("validate", STORAGE_POOL_DEFINE_VALIDATE)]);
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let made = session.connection()?.storage().pool_define_xml(&xml, flags);
    let pool = made.with_context(|| format!("Failed to define pool from {file}"))?;
    session.print_extra(format_args!("Pool {} defined from {file}\n", pool.name));
    Ok(())
}

fn pool_define_as(session: &mut Session, args: &Args) -> Result<()> {
    let Some((name, xml)) = described(session, args)? else {
        return Ok(());
    };
    let made = session.connection()?.storage().pool_define_xml(&xml, 0);
    let pool = made.with_context(|| format!("Failed to define pool {name}"))?;
    session.print_extra(format_args!("Pool {} defined\n", pool.name));
    Ok(())
}

/// The name and the XML of the pool that the options describe; `None` when it was only to be shown, and was.
fn described<'a>(session: &mut Session, args: &'a Args) -> Result<Option<(&'a str, String)>> {
    let (name, xml) = (args.required("name")?, options::pool(args)?.to_string());
    if args.has("print-xml") {
        session.show(&json!({ "xml": xml }), |session| session.print(&xml))?;
        return Ok(None);
    }
    Ok(Some((name, xml)))
}
