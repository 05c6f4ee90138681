//! managedsave and its like: the state of a domain kept by the driver until the next start.

use super::file::SAVE_FLAGS;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::domain::lookup;
use crate::commands::domain::progress::watched;
use crate::commands::editor::{Edited, edit};
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("managedsave", Group::Domain, managedsave)
.answers(shape::PROGRESS)
        .about("save a running domain until its next start", "Saves a running domain to a place of the driver's own and stops it; the next start continues there.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("bypass-cache", "keep the data out of the page cache"),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
            Opt::flag("verbose", "show how far it is"), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("managedsave-remove", Group::Domain, managedsave_remove)
        .about("throw a managed save away", "Removes the managed save of a domain, so that its next start boots afresh.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_MANAGEDSAVE)), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("managedsave-edit", Group::Domain, managedsave_edit)
        .about("edit the XML inside a managed save", "Opens the definition inside a domain's managed save in an editor and puts it back.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_MANAGEDSAVE)),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
        ])
        .writes(),
    Command::new("managedsave-dumpxml", Group::Domain, managedsave_dumpxml)
.answers(shape::XML)
        .about("show the XML inside a managed save", "Prints the definition inside a domain's managed save.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_MANAGEDSAVE)),
            Opt::flag("security-info", "include passwords and other secrets"),
            XPATH,
            WRAP,
        ]),
    Command::new("managedsave-define", Group::Domain, managedsave_define)
        .about("replace the XML inside a managed save", "Puts another definition into a domain's managed save. Only what the guest cannot notice may change.")
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_MANAGEDSAVE)),
            Opt::text("xml", "file with the new XML").required().complete(Complete::File),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
        ])
        .writes(),
];

fn managedsave(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(SAVE_FLAGS);
    let domain = lookup::domain(session.connection()?, args)?;
    let name = &domain.name;
    let answer = watched(session, &domain, "Managedsave", args.has("verbose"), |connection| {
        connection.domains().managed_save(&domain, flags)
    })?;
    answer.with_context(|| format!("Failed to save domain '{name}' state"))?;
    session.print_extra(format_args!("\nDomain '{name}' state saved by libvirt\n"));
    Ok(())
}

fn managedsave_remove(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let has_image = connection.domains().has_managed_save_image(&domain, 0);
    if !has_image.context("Failed to check for domain managed save image")? {
        session.print_extra(format_args!("Domain '{name}' has no manage save image; removal skipped"));
        return Ok(());
    }
    let removed = connection.domains().managed_save_remove(&domain, 0);
    removed.with_context(|| format!("Failed to remove managed save image for domain '{name}'"))?;
    session.print_extra(format_args!("Removed managedsave image for domain '{name}'"));
    Ok(())
}

fn managedsave_edit(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("running") && args.has("paused") {
        bail!("--running and --paused are mutually exclusive");
    }
    let flags = args.flags(SAVE_FLAGS);
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let (domains, name) = (connection.domains(), &domain.name);
    let fetch = || Ok(domains.managed_save_xml(&domain, DOMAIN_SAVE_IMAGE_XML_SECURE)?);
    let mut store = |xml: &str, _| Ok(domains.managed_save_define_xml(&domain, Some(xml), flags)?);
    match edit(session, &fetch, &mut store)? {
        Edited::Unchanged => session.print_extra(format_args!(
            "Managed save image of domain '{name}' XML configuration not changed.\n"
        )),
        Edited::Stored => session
            .print_extra(format_args!("Managed save image of Domain '{name}' XML configuration edited.\n")),
    }
    Ok(())
}

fn managedsave_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("security-info", DOMAIN_SAVE_IMAGE_XML_SECURE)]);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let xml = connection.domains().managed_save_xml(&domain, flags)?;
    document::show(session, args, &xml)
}

fn managedsave_define(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(SAVE_FLAGS);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let xml = files::read(args.required("xml")?)?;
    let answer = connection.domains().managed_save_define_xml(&domain, Some(&xml), flags);
    let name = &domain.name;
    answer.with_context(|| format!("Failed to update {name} XML configuration"))?;
    session.print_extra(format_args!("Managed save state file of domain '{name}' updated.\n"));
    Ok(())
}
