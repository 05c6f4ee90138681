//! attach-device, detach-device, detach-device-alias, update-device: devices described by files or named by aliases.

use super::{Impact, PERSISTENT, check_impact};
use crate::commands::domain::lookup;
use crate::commands::files;
use crate::commands::impact::{self, impact};
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// A domain, a file that describes a device, and when the change takes effect.
const DEVICE_OF_FILE: &[Opt] = &[
    Opt::domain(Complete::Domain),
    Opt::text("file", "file with the XML of the device").required().complete(Complete::File),
    PERSISTENT,
    impact::CONFIG,
    impact::LIVE,
    impact::CURRENT,
];

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("attach-device", Group::Domain, attach_device)
        .about("attach a device from XML", "Attaches the device that a file describes.")
        .options(DEVICE_OF_FILE)
        .writes(),
    Command::new("detach-device", Group::Domain, detach_device)
        .about("detach a device from XML", "Detaches the device that a file describes.")
        .options(DEVICE_OF_FILE)
        .writes(),
    Command::new("detach-device-alias", Group::Domain, detach_device_alias)
        .about("detach a device by its alias", "Detaches the device that has an alias.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("alias", "alias of the device").required().complete(Complete::Alias),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("update-device", Group::Domain, update_device)
        .about("change a device from XML", "Changes the settings of a device to those that a file describes.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("file", "file with the XML of the device").required().complete(Complete::File),
            PERSISTENT,
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::flag("force", "even against the guest's will"),
        ])
        .writes(),
];

fn attach_device(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let file = args.required("file")?;
    let impact = Impact::of(args, connection, &domain)?;
    let xml = files::read(file)?;
    let answer = connection.domains().attach_device(&domain, &xml, impact.or_plain(connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainAttachDeviceFlags", "virDomainAttachDevice")
        .with_context(|| format!("Failed to attach device from {file}"))?;
    session.print_extra("Device attached successfully\n");
    Ok(())
}

fn detach_device(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let file = args.required("file")?;
    let impact = Impact::of(args, connection, &domain)?;
    let xml = files::read(file)?;
    let answer = connection.domains().detach_device(&domain, &xml, impact.or_plain(connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainDetachDeviceFlags", "virDomainDetachDevice")
        .with_context(|| format!("Failed to detach device from {file}"))?;
    session.print_extra("Device detached successfully\n");
    Ok(())
}

fn detach_device_alias(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let alias = args.required("alias")?;
    let answer = connection.domains().detach_device_alias(&domain, alias, flags);
    answer.with_context(|| format!("Failed to detach device with alias {alias}"))?;
    session.print_extra("Device detach request sent successfully\n");
    Ok(())
}

fn update_device(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags =
        Impact::of(args, connection, &domain)?.flags | args.flags(&[("force", DOMAIN_DEVICE_MODIFY_FORCE)]);
    let answer = connection.domains().update_device(&domain, &xml, flags);
    answer.with_context(|| format!("Failed to update device from {file}"))?;
    session.print_extra("Device updated successfully\n");
    Ok(())
}
