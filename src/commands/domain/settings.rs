//! Small settings of a domain: autostart, domrename, set-lifecycle-action.

use super::lookup;
use crate::commands::impact::{self, impact};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("autostart", Group::Domain, autostart)
        .about(
            "start a domain with the host, or no longer",
            "Marks a domain to be started when the host comes up, or takes the mark away.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("disable", "take the mark away"),
            Opt::flag("once", "only for the next boot of the host"),
            Opt::all_domains(),
        ])
        .several(&[])
        .writes(),
    Command::new("domrename", Group::Domain, rename)
        .about("give a domain another name", "Changes the name of a domain that is off; all else stays.")
        .options(&[
            Opt::domain(Complete::InactiveDomain),
            Opt::text("new-name", "the name it is to have").required(),
        ])
        .writes(),
    Command::new("set-lifecycle-action", Group::Domain, set_lifecycle_action)
        .about(
            "choose what follows a poweroff, reboot or crash",
            "Sets what happens to the domain when the guest powers off, reboots or crashes.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("type", "poweroff, reboot or crash")
                .required()
                .complete(Complete::Words(LIFECYCLE_TYPES)),
            Opt::text(
                "action",
                "destroy, restart, rename-restart, preserve, coredump-destroy or coredump-restart",
            )
            .required()
            .complete(Complete::Words(LIFECYCLE_ACTIONS)),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
];

/// In the order of their numbers.
const LIFECYCLE_TYPES: &[&str] = &["poweroff", "reboot", "crash"];
/// In the order of their numbers.
const LIFECYCLE_ACTIONS: &[&str] =
    &["destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"];

fn autostart(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let (enable, once) = (!args.has("disable"), args.has("once"));
    let answer = if once {
        connection.domains().set_autostart_once(&domain, enable)
    } else {
        connection.domains().set_autostart(&domain, enable)
    };
    let mark = if enable { "mark" } else { "unmark" };
    let when = if once { " on next boot" } else { "" };
    answer.with_context(|| format!("Failed to {mark} domain '{name}' as autostarted{when}"))?;
    session.print_extra(format_args!("Domain '{name}' {mark}ed as autostarted{when}\n"));
    Ok(())
}

fn rename(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let new_name = args.required("new-name")?;
    connection.domains().rename(&domain, Some(new_name), 0)?;
    session.print_extra("Domain successfully renamed\n");
    Ok(())
}

fn set_lifecycle_action(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let (kind, action) = (args.required("type")?, args.required("action")?);
    let Some(kind) = number_of(LIFECYCLE_TYPES, kind) else {
        bail!("Invalid lifecycle type '{kind}'.");
    };
    let Some(action) = number_of(LIFECYCLE_ACTIONS, action) else {
        bail!("Invalid lifecycle action '{action}'.");
    };
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().set_lifecycle_action(&domain, kind, action, flags);
    answer.context("Unable to change lifecycle action.")?;
    Ok(())
}

fn number_of(words: &[&str], word: &str) -> Option<u32> {
    let place = words.iter().position(|known| *known == word)?;
    u32::try_from(place).ok()
}
