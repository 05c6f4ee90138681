//! Devices made, changed and removed: nodedev-autostart, nodedev-create, nodedev-define, nodedev-destroy,
//! nodedev-start, nodedev-undefine, nodedev-update.

use super::{DEVICE, device, device_by_name};
use crate::commands::files;
use crate::commands::impact::{self, impact};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nodedev-autostart", Group::NodeDevice, autostart)
        .about(
            "start a device with the host, or no longer",
            "Marks a defined device, or takes the mark away.",
        )
        .options(&[DEVICE, Opt::flag("disable", "take the mark away")])
        .writes(),
    Command::new("nodedev-create", Group::NodeDevice, create)
        .about(
            "make a device from an XML file",
            "Makes the device that the file describes on the host at once.",
        )
        .options(&[FILE, VALIDATE])
        .writes(),
    Command::new("nodedev-define", Group::NodeDevice, define)
        .about(
            "keep a device's definition from an XML file",
            "Stores the definition of a device for later starts.",
        )
        .options(&[FILE, VALIDATE])
        .writes(),
    Command::new("nodedev-destroy", Group::NodeDevice, destroy)
        .about("remove a device", "Removes a device that was made from the host at once.")
        .options(&[DEVICE])
        .writes(),
    Command::new("nodedev-start", Group::NodeDevice, start)
        .about("start a defined device", "Makes a defined device on the host.")
        .options(&[DEVICE])
        .writes(),
    Command::new("nodedev-undefine", Group::NodeDevice, undefine)
        .about("forget a device's definition", "Removes the stored definition of a device.")
        .options(&[DEVICE])
        .writes(),
    Command::new("nodedev-update", Group::NodeDevice, update)
        .about(
            "change a device",
            "Changes a device, its stored definition, or both, to what the file describes.",
        )
        .options(&[DEVICE, FILE, impact::CONFIG, impact::LIVE, impact::CURRENT])
        .writes(),
];

const FILE: Opt =
    Opt::text("file", "the XML file that describes the device").required().complete(Complete::File);
const VALIDATE: Opt = Opt::flag("validate", "check the XML against the schema first");

fn autostart(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let device = device(connection, args)?;
    let name = args.required("device")?;
    let enable = !args.has("disable");
    let mark = if enable { "mark" } else { "unmark" };
    let answer = connection.node_devices().set_autostart(&device.name, enable);
    answer.with_context(|| format!("failed to {mark} device {name} as autostarted"))?;
    session.print_extra(format_args!("Device {name} {mark}ed as autostarted\n"));
    Ok(())
}

fn create(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NODE_DEVICE_CREATE_XML_VALIDATE } else { 0 };
    let answer = session.connection()?.node_devices().create_xml(&xml, flags);
    let device = answer.with_context(|| format!("Failed to create node device from {file}"))?;
    session.print_extra(format_args!("Node device {} created from {file}\n", device.name));
    Ok(())
}

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NODE_DEVICE_DEFINE_XML_VALIDATE } else { 0 };
    let answer = session.connection()?.node_devices().define_xml(&xml, flags);
    let device = answer.with_context(|| format!("Failed to define node device from '{file}'"))?;
    session.print_extra(format_args!("Node device '{}' defined from '{file}'\n", device.name));
    Ok(())
}

fn destroy(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let device = device(connection, args)?;
    let name = args.required("device")?;
    let answer = connection.node_devices().destroy(&device.name);
    answer.with_context(|| format!("Failed to destroy node device '{name}'"))?;
    session.print_extra(format_args!("Destroyed node device '{name}'\n"));
    Ok(())
}

fn start(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let device = device_by_name(connection, args)?;
    let name = args.required("device")?;
    let answer = connection.node_devices().create(&device.name, 0);
    answer.with_context(|| format!("Failed to start device {name}"))?;
    session.print_extra(format_args!("Device {name} started\n"));
    Ok(())
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let device = device(connection, args)?;
    let name = args.required("device")?;
    let answer = connection.node_devices().undefine(&device.name, 0);
    answer.with_context(|| format!("Failed to undefine node device '{name}'"))?;
    session.print_extra(format_args!("Undefined node device '{name}'\n"));
    Ok(())
}

fn update(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let devices = connection.node_devices();
    let device = device(&*connection, args)?;
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let name = &device.name;
    let answer = devices.update(name, &xml, flags);
    answer.with_context(|| format!("Failed to update node device {name} from '{file}'"))?;
    let config = flags & NODE_DEVICE_UPDATE_AFFECT_CONFIG != 0;
    let live =
        flags & NODE_DEVICE_UPDATE_AFFECT_LIVE != 0 || !config && devices.is_active(name).unwrap_or_default();
    let what = match (config, live) {
        (true, true) => "persistent config and live state",
        (_, false) => "persistent config",
        (false, true) => "live state",
    };
    session.print_extra(format_args!("Updated node device {name} {what}\n"));
    Ok(())
}
