//! Which devices there are: nodedev-dumpxml, nodedev-info, nodedev-list.

use super::tree;
use super::{DEVICE, device};
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::plain_name::known_as;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nodedev-dumpxml", Group::NodeDevice, dump)
        .answers(shape::XML)
        .about("print a device's XML", "Prints the description of a device of the host.")
        .options(&[DEVICE, Opt::flag("inactive", "as defined for the next start"), XPATH, WRAP]),
    Command::new("nodedev-info", Group::NodeDevice, info)
        .answers(
            "{name: text, parent: text?, active?: boolean, persistent?: boolean, autostart: \
             boolean?}",
        )
        .about("show the basic facts of a device", "Shows the parent and the state of a device of the host.")
        .options(&[DEVICE]),
    Command::new("nodedev-list", Group::NodeDevice, list)
        .answers("[{name: text, parent?: text?}]")
        .about("list the host's devices", "Shows the names of the devices, or how they hang together.")
        .options(&[
            Opt::flag("tree", "as a tree, each device under its parent"),
            Opt::text("cap", "only devices with these capabilities, parted by commas")
                .tolerated_by_place()
                .empty_ok()
                .complete(Complete::WordList(CAPABILITY_NAMES)),
            Opt::flag("inactive", "only devices that are off"),
            Opt::flag("all", "active and inactive devices"),
            Opt::flag("persistent", "only devices with a stored definition"),
            Opt::flag("transient", "only devices without one"),
        ]),
];

/// In the order of their bits.
const CAPABILITY_NAMES: &[&str] = &[
    "system",
    "pci",
    "usb_device",
    "usb",
    "net",
    "scsi_host",
    "scsi_target",
    "scsi",
    "storage",
    "fc_host",
    "vports",
    "scsi_generic",
    "drm",
    "mdev_types",
    "mdev",
    "ccw",
    "css",
    "vdpa",
    "ap_card",
    "ap_queue",
    "ap_matrix",
    "vpd",
    "ccwgroup",
    "ccwgroup_member",
];

fn capability(name: &str) -> Result<u32> {
    match CAPABILITY_NAMES.iter().position(|known| *known == name) {
        Some(bit) => Ok(1 << bit),
        None => bail!("Invalid capability type"),
    }
}

fn list(session: &mut Session, args: &Args) -> Result<()> {
    let flags = flags(args)?;
    let connection = session.handle()?;
    let devices = connection.node_devices();
    let answer = devices.list_all_node_devices(flags);
    let failed = match &answer {
        Err(error) if error.is_unsupported() => "Failed to count node devices",
        _ => "Failed to list node devices",
    };
    let listed = known_as(answer, "virNodeNumOfDevices").context(failed)?;
    let mut names: Vec<_> = listed.into_iter().map(|device| device.name).collect();
    names.sort_by_cached_key(|name| (name.to_ascii_lowercase(), name.clone()));
    if !args.has("tree") {
        let text: String = names.iter().map(|name| format!("{name}\n")).collect();
        let data: Vec<_> = names.iter().map(|name| json!({ "name": name })).collect();
        return session.show(&data, |session| session.print(text));
    }
    // The root of the tree has itself as parent in some drivers.
    let parent = |name: &str| {
        let parent = devices.parent(name).ok().flatten();
        parent.filter(|parent| name != "computer" && parent != name)
    };
    let parents: Vec<_> = names.iter().map(|name| parent(name)).collect();
    let text = tree::draw(&names, &parents);
    let pairs = names.iter().zip(&parents);
    let data: Vec<_> = pairs.map(|(name, parent)| json!({"name": name, "parent": parent})).collect();
    session.show(&data, |session| session.print(text))
}

fn flags(args: &Args) -> Result<u32> {
    let (inactive, all) = (args.has("inactive"), args.has("all"));
    let (persistent, transient) = (args.has("persistent"), args.has("transient"));
    if all && inactive {
        bail!("Option --all is incompatible with --inactive");
    }
    if transient && (persistent || inactive) {
        bail!("Option --transient is incompatible with --persistent and --inactive");
    }
    let capabilities = args.get("cap").filter(|given| !given.is_empty());
    if args.has("tree") && (capabilities.is_some() || inactive || persistent || transient) {
        bail!("Option --tree is incompatible with --cap, --inactive, --persistent and --transient");
    }
    let mut flags = 0;
    for name in capabilities.into_iter().flat_map(|given| given.split(',')) {
        flags |= capability(name)?;
    }
    if inactive || all {
        flags |= CONNECT_LIST_NODE_DEVICES_INACTIVE;
    }
    if !inactive {
        flags |= CONNECT_LIST_NODE_DEVICES_ACTIVE;
    }
    if persistent {
        flags |= CONNECT_LIST_NODE_DEVICES_PERSISTENT;
    }
    if transient {
        flags |= CONNECT_LIST_NODE_DEVICES_TRANSIENT;
    }
    Ok(flags)
}

fn info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let devices = connection.node_devices();
    let device = device(connection, args)?;
    let parent = devices.parent(&device.name).ok().flatten();
    let mut fields = Fields::new(15);
    fields.add("Name", &device.name);
    fields.add(
        "Parent",
        match parent {
            Some(parent) => Cell::from(parent),
            None => Cell::with("", ()),
        },
    );
    if let Ok(active) = devices.is_active(&device.name) {
        fields.add("Active", Cell::choice(active, "yes", "no"));
    }
    if let Ok(persistent) = devices.is_persistent(&device.name) {
        fields.add("Persistent", Cell::choice(persistent, "yes", "no"));
    }
    fields.add(
        "Autostart",
        match devices.autostart(&device.name) {
            Ok(autostart) => Cell::choice(autostart, "yes", "no"),
            Err(_) => Cell::with("no autostart", ()),
        },
    );
    session.fields(&fields)
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let device = device(connection, args)?;
    let flags = if args.has("inactive") { NODE_DEVICE_XML_INACTIVE } else { 0 };
    let text = connection.node_devices().xml(&device.name, flags)?;
    document::show(session, args, &text)
}
