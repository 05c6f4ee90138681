//! find-storage-pool-sources, find-storage-pool-sources-as, pool-capabilities.

use super::list::TYPE_NAMES;
use crate::commands::files;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("find-storage-pool-sources-as", Group::Pool, find_storage_pool_sources_as)
        .answers(shape::XML)
        .about(
            "look for places to make pools of",
            "Looks for sources of a type of pool and prints them as XML.",
        )
        .options(&[
            Opt::text("type", "type of pool to look for").required().complete(Complete::Words(TYPE_NAMES)),
            Opt::text("host", "host to ask").tolerated_by_place(),
            Opt::text("port", "port to ask at").tolerated_by_place(),
            Opt::text("initiator", "initiator IQN to ask with").tolerated_by_place(),
        ]),
    Command::new("find-storage-pool-sources", Group::Pool, find_storage_pool_sources)
        .answers(shape::XML)
        .about(
            "look for places to make pools of, by XML",
            "Looks for sources of a type of pool where a file says and prints them as XML.",
        )
        .options(&[
            Opt::text("type", "type of pool to look for").required().complete(Complete::Words(TYPE_NAMES)),
            Opt::text("srcSpec", "file with XML that says where to look")
                .tolerated_by_place()
                .complete(Complete::File),
        ]),
    Command::new("pool-capabilities", Group::Pool, pool_capabilities)
        .answers(shape::XML)
        .about(
            "show what pools there can be",
            "Prints the pool types and formats that the driver knows, as XML.",
        )
        .options(&[]),
];

fn find_storage_pool_sources_as(session: &mut Session, args: &Args) -> Result<()> {
    let mut source = Element::new("source");
    args.text("initiator")?;
    if let Some(name) = args.text("host")? {
        let mut host = Element::new("host").with("name", name);
        if let Some(port) = args.text("port")? {
            host.set("port", port);
        }
        source.push(host);
        if let Some(iqn) = args.text("initiator")? {
            source.push(Element::new("initiator").with_child(Element::new("iqn").with("name", iqn)));
        }
    }
    let described = (!source.nodes.is_empty()).then(|| source.to_string());
    find(session, args, described.as_deref())
}

fn find_storage_pool_sources(session: &mut Session, args: &Args) -> Result<()> {
    let described = args.text("srcSpec")?.map(files::read).transpose()?;
    find(session, args, described.as_deref())
}

fn find(session: &mut Session, args: &Args, described: Option<&str>) -> Result<()> {
    let kind = args.required("type")?;
    let connection = session.handle()?;
    let found = connection.storage().find_pool_sources(kind, described, 0);
    let xml = found.with_context(|| format!("Failed to find any {kind} pool sources"))?;
    session.show(&json!({ "xml": xml }), |session| session.print(&xml))
}

fn pool_capabilities(session: &mut Session, _args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let answer = connection.storage().pool_capabilities(0);
    let xml = answer.context("failed to get storage pool capabilities")?;
    session.show(&json!({ "xml": xml }), |session| session.print(format_args!("{xml}\n")))
}
