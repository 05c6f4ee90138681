//! What the guest's agent is asked for: file systems, passwords, and how long it may think.

use crate::commands::domain::lookup;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domfsfreeze", Group::Domain, domfsfreeze)
        .about("freeze the guest's file systems", "Lets the guest's agent flush and freeze its file systems.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::rest("mountpoint", "only these mount points").complete(Complete::Mountpoint),
        ])
        .writes(),
    Command::new("domfsthaw", Group::Domain, domfsthaw)
        .about("thaw the guest's file systems", "Lets the guest's agent thaw what was frozen.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::rest("mountpoint", "only these mount points").complete(Complete::Mountpoint),
        ])
        .writes(),
    Command::new("domfsinfo", Group::Domain, domfsinfo)
        .answers("[{mountpoint: text, name: text, type: text, target: [text]}]")
        .about("show the guest's file systems", "Shows what is mounted in the guest, and on which disks.")
        .options(&[Opt::domain(Complete::ActiveDomain)]),
    Command::new("domfstrim", Group::Domain, domfstrim)
        .about(
            "give unused blocks back",
            "Lets the guest's agent discard the unused blocks of its file systems.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("minimum", "free ranges shorter than this many bytes may stay").tolerated_by_place(),
            Opt::text("mountpoint", "only this mount point")
                .tolerated_by_place()
                .complete(Complete::Mountpoint),
        ])
        .writes(),
    Command::new("set-user-password", Group::Domain, set_user_password)
        .about("set a password in the guest", "Lets the guest's agent set the password of a user.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("user", "the user").required(),
            Opt::text("password", "the new password").required(),
            Opt::flag("encrypted", "the password given is a hash already"),
        ])
        .writes(),
    Command::new("guest-agent-timeout", Group::Domain, guest_agent_timeout)
        .about(
            "set how long to wait for the agent",
            "Sets how long the driver waits for answers of the guest's agent.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("timeout", "seconds; -2 without limit, -1 the default, 0 at once"),
        ])
        .writes(),
];

fn domfsfreeze(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let points: Vec<String> = args.all("mountpoint").map(str::to_string).collect();
    let answer = connection.domains().fsfreeze(&domain, &points, 0);
    let count = answer.context("Unable to freeze filesystems")?;
    session.print_extra(format_args!("Froze {count} filesystem(s)\n"));
    Ok(())
}

fn domfsthaw(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let points: Vec<String> = args.all("mountpoint").map(str::to_string).collect();
    let answer = connection.domains().fsthaw(&domain, &points, 0);
    let count = answer.context("Unable to thaw filesystems")?;
    session.print_extra(format_args!("Thawed {count} filesystem(s)\n"));
    Ok(())
}

fn domfsinfo(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let answer = connection.domains().fsinfo(&domain, 0);
    let mounted = answer.context("Unable to get filesystem information")?;
    if mounted.is_empty() {
        return session.show(&json!([]), |session| {
            session.print_extra("No filesystems are mounted in the domain\n");
        });
    }
    let mut table = Table::new(["Mountpoint", "Name", "Type", "Target"]);
    for system in mounted {
        let targets: Vec<Value> = system.devices.iter().map(|device| json!(device)).collect();
        table.row([
            Cell::from(system.mountpoint),
            Cell::from(system.name),
            Cell::from(system.kind),
            Cell::with(system.devices.join(","), targets),
        ]);
    }
    session.table(&table)
}

fn domfstrim(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let minimum = args.number::<u64>("minimum")?.unwrap_or_default();
    let point = args.text("mountpoint")?;
    let answer = connection.domains().fstrim(&domain, point, minimum, 0);
    answer.context("Unable to invoke fstrim")
}

fn set_user_password(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let (user, password) = (args.required("user")?, args.required("password")?);
    let flags = args.flags(&[("encrypted", DOMAIN_PASSWORD_ENCRYPTED)]);
    connection.domains().set_user_password(&domain, Some(user), Some(password), flags)?;
    session.print_extra(format_args!("Password set successfully for {user} in {}", args.required("domain")?));
    Ok(())
}

fn guest_agent_timeout(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let timeout = args.number::<i32>("timeout")?;
    let timeout = timeout.unwrap_or(DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
    connection.domains().agent_set_response_timeout(&domain, timeout, 0)?;
    Ok(())
}
