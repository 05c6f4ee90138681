//! Making domains known and running: define, create, start.

use super::guest_access::console;
use super::lookup::{self, By};
use crate::backend::Connection;
use crate::commands::descriptors::descriptors;
use crate::commands::files;
use crate::commands::plain_name::plain_name;
use crate::error::{Error, ErrorCode};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("create", Group::Domain, create)
        .about(
            "start a domain straight from an XML file",
            "Starts the domain that the file describes without keeping its definition: when it ends it is gone, \
             unless a definition of that name was there before.",
        )
        .options(&[
            FILE,
            Opt::flag("console", "connect to the console once the domain runs"),
            PAUSED,
            AUTODESTROY,
            PASS_FDS.tolerated_by_place(),
            VALIDATE,
            RESET_NVRAM,
        ])
        .writes(),
    Command::new("define", Group::Domain, define)
        .about(
            "keep a domain's definition from an XML file",
            "Stores the definition in the file for later starts, or replaces the one of the same name and uuid. \
             A running domain is not touched until its next boot.",
        )
        .options(&[FILE, VALIDATE])
        .writes(),
    Command::new("start", Group::Domain, start)
        .about(
            "start a defined domain",
            "Boots a domain that is off; if a managed save image is there, the guest goes on from it instead.",
        )
        .options(&[
            Opt::text("domain", "a domain that is off, by its name or uuid")
                .required()
                .complete(Complete::InactiveDomain),
            Opt::flag("console", "connect to the console once the domain runs"),
            PAUSED,
            AUTODESTROY,
            Opt::flag("bypass-cache", "read a managed save image past the host's file cache"),
            Opt::flag("force-boot", "throw a managed save image away and boot afresh"),
            PASS_FDS.tolerated_by_place(),
            RESET_NVRAM, Opt::all_domains()])
        .several(&["console", "pass-fds"])
        .writes(),
];

const FILE: Opt =
    Opt::text("file", "the XML file that describes the domain").required().complete(Complete::File);
const PAUSED: Opt = Opt::flag("paused", "do not let the guest run yet");
const AUTODESTROY: Opt = Opt::flag("autodestroy", "switch the domain off when this connection ends");
const PASS_FDS: Opt = Opt::text("pass-fds", "hand these open file descriptors, N,M,..., to the guest")
    .complete(Complete::NumberList);
const VALIDATE: Opt = Opt::flag("validate", "check the XML against the schema first");
const RESET_NVRAM: Opt = Opt::flag("reset-nvram", "make the firmware's variables anew from their template");

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { DOMAIN_DEFINE_VALIDATE } else { 0 };
    let answer = session.connection()?.domains().define_xml(&xml, flags);
    let domain = plain_name(answer, flags, "virDomainDefineXMLFlags", "virDomainDefineXML")
        .with_context(|| format!("Failed to define domain from {file}"))?;
    session.print_extra(format_args!("Domain '{}' defined from {file}\n", domain.name));
    Ok(())
}

fn create(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    refuse_descriptors(args)?;
    let mut flags = start_flags(args);
    if args.has("validate") {
        flags |= DOMAIN_START_VALIDATE;
    }
    let answer = session.connection()?.domains().create_xml(&xml, flags);
    let domain = answer.with_context(|| format!("Failed to create domain from {file}"))?;
    session.print_extra(format_args!("Domain '{}' created from {file}\n", domain.name));
    attach_console(session, args, &domain)
}

fn start(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain_by(connection, args, By::UuidOrName)?;
    if domain.id.is_some() {
        bail!("Domain is already active");
    }
    refuse_descriptors(args)?;
    let mut flags = start_flags(args);
    if args.has("bypass-cache") {
        flags |= DOMAIN_START_BYPASS_CACHE;
    }
    if args.has("force-boot") {
        flags |= DOMAIN_START_FORCE_BOOT;
    }
    let name = domain.name.clone();
    let started =
        boot(connection, &domain, flags).with_context(|| format!("Failed to start domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' started\n"));
    attach_console(session, args, &started)
}

/// Boots a domain; a driver that does not know about forcing a fresh boot has its saved image removed first.
fn boot(connection: &dyn Connection, domain: &DomainRef, flags: u32) -> Result<DomainRef, Error> {
    let domains = connection.domains();
    let start = |flags| {
        let answer = domains.create(domain, flags);
        plain_name(answer, flags, "virDomainCreateWithFlags", "virDomainCreate")
    };
    let answer = start(flags);
    let forced = flags & DOMAIN_START_FORCE_BOOT != 0;
    match answer {
        Err(error) if forced && matches!(error.code, ErrorCode::NO_SUPPORT | ErrorCode::INVALID_ARGUMENT) => {
            if domains.has_managed_save_image(domain, 0)? {
                domains.managed_save_remove(domain, 0)?;
            }
            start(flags & !DOMAIN_START_FORCE_BOOT)
        }
        answer => answer,
    }
}

/// The flags that `create` and `start` share.
fn start_flags(args: &Args) -> u32 {
    let pairs = [
        ("paused", DOMAIN_START_PAUSED),
        ("autodestroy", DOMAIN_START_AUTODESTROY),
        ("reset-nvram", DOMAIN_START_RESET_NVRAM),
    ];
    let chosen = pairs.iter().filter(|(option, _)| args.has(option));
    chosen.fold(0, |flags, (_, flag)| flags | flag)
}

/// Open files cannot be handed over yet: that is said before anything is started.
fn refuse_descriptors(args: &Args) -> Result<()> {
    match descriptors(args)?.is_empty() {
        true => Ok(()),
        false => Err(Error::unsupported("virDomainCreateWithFiles").into()),
    }
}

/// Connects to the console if that was asked for.
fn attach_console(session: &mut Session, args: &Args, domain: &DomainRef) -> Result<()> {
    if args.has("console") {
        console::attach(session, domain, None, 0, false)?;
    }
    Ok(())
}
