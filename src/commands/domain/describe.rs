//! What people and programs note about a domain: desc, metadata.

use super::lookup;
use crate::backend::Domains;
use crate::commands::editor;
use crate::commands::impact::{CURRENT, impact};
use crate::error::ErrorCode;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("desc", Group::Domain, desc)
        .about(
            "show or set a domain's description or title",
            "Prints the description, or the title, of a domain; with words it sets it, and with an empty word it \
             removes it.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("title", "the title rather than the description"),
            Opt::flag("edit", "change it in an editor"),
            Opt::rest("new-desc", "the new words"),
        ])
        .writes(),
    Command::new("metadata", Group::Domain, metadata)
        .about(
            "show or set an application's XML in a domain",
            "Prints the element that an application keeps with the domain under its namespace, or sets, edits or \
             removes it.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("uri", "the application's namespace").required(),
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("edit", "change it in an editor"),
            Opt::text("key", "the prefix that stands for the namespace").tolerated_by_place(),
            Opt::text("set", "the new element").tolerated_by_place(),
            Opt::flag("remove", "remove the element"),
        ])
        .writes(),
];

const LIVE: Opt = Opt::flag("live", "of the running domain");
const CONFIG: Opt = Opt::flag("config", "of the stored definition");

/// A part of the metadata, empty if there is none.
fn part(
    domains: &dyn Domains,
    domain: &DomainRef,
    kind: i32,
    uri: Option<&str>,
    flags: u32,
) -> Result<String> {
    match domains.metadata(domain, kind, uri, flags) {
        Err(error) if error.code == ErrorCode::NO_DOMAIN_METADATA => Ok(String::new()),
        answer => Ok(answer?),
    }
}

fn desc(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domains = connection.domains();
    let domain = lookup::domain(&*connection, args)?;
    let (kind, noun) = match args.has("title") {
        true => (DOMAIN_METADATA_TITLE, "title"),
        false => (DOMAIN_METADATA_DESCRIPTION, "description"),
    };
    let given: Vec<_> = args.all("new-desc").collect();
    let mut new = (!given.is_empty()).then(|| given.join(" "));
    if args.has("edit") {
        let old = part(domains, &domain, kind, None, flags)?;
        let edited = editor::edit_text(session, new.as_deref().unwrap_or(&old))?;
        let edited = edited.trim_end_matches('\n');
        if edited == old {
            session.print_extra(format_args!("Domain {noun} not changed\n"));
            return Ok(());
        }
        new = Some(edited.to_string());
    }
    let Some(new) = new else {
        let text = part(domains, &domain, kind, None, flags)?;
        return show_desc(session, &domain, noun, &text);
    };
    // Nothing at all, rather than something empty, removes it.
    let new = Some(new.as_str()).filter(|new| !new.is_empty());
    let answer = domains.set_metadata(&domain, kind, new, None, None, flags);
    answer.with_context(|| format!("Failed to set new domain {noun}"))?;
    session.print_extra(format_args!("Domain {noun} updated successfully"));
    Ok(())
}

/// The lines have no end of their own, as in virsh.
fn show_desc(session: &mut Session, domain: &DomainRef, noun: &str, text: &str) -> Result<()> {
    let known = (!text.is_empty()).then_some(text);
    session.show(&json!({ noun: known }), |session| match known {
        Some(text) => session.print(text),
        None => session.print_extra(format_args!("No {noun} for domain: {}", domain.name)),
    })
}

fn metadata(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("edit", "set")?;
    args.exclusive("remove", "set")?;
    args.exclusive("remove", "edit")?;
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domains = connection.domains();
    let domain = lookup::domain(&*connection, args)?;
    let uri = args.required("uri")?;
    let (key, set) = (args.text("key")?, args.text("set")?);
    if (set.is_some() || args.has("edit")) && key.is_none() {
        bail!("namespace key is required when modifying metadata");
    }
    let store = |text: Option<&str>| {
        domains.set_metadata(&domain, DOMAIN_METADATA_ELEMENT, text, key, Some(uri), flags)
    };
    let current = || part(domains, &domain, DOMAIN_METADATA_ELEMENT, Some(uri), flags);
    if set.is_some() {
        store(set)?;
        session.print_extra("Metadata modified\n");
    } else if args.has("remove") {
        store(None)?;
        session.print_extra("Metadata removed\n");
    } else if args.has("edit") {
        let old = current()?;
        let edited = editor::edit_text(session, &old)?;
        if edited.trim_end_matches('\n') == old.trim_end_matches('\n') {
            session.print_extra("Metadata not changed");
            return Ok(());
        }
        store(Some(&edited))?;
        session.print_extra("Metadata modified\n");
    } else {
        let text = current()?;
        let known = (!text.is_empty()).then_some(&text);
        session.show(&json!({ "xml": known }), |session| {
            session.print(format_args!("{text}\n"))
        })?;
    }
    Ok(())
}
