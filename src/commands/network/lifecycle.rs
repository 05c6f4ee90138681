//! Networks defined, started, stopped and forgotten: net-autostart, net-create, net-define, net-destroy, net-dumpxml,
//! net-edit, net-start, net-undefine.

use super::{NETWORK, network};
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::editor::{self, Edited};
use crate::commands::files;
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("net-autostart", Group::Network, autostart)
        .about("start a network with the host, or no longer", "Marks a network, or takes the mark away.")
        .options(&[NETWORK, Opt::flag("disable", "take the mark away")])
        .writes(),
    Command::new("net-create", Group::Network, create)
        .about(
            "start a network straight from an XML file",
            "Starts the network that the file describes without keeping its definition.",
        )
        .options(&[FILE, VALIDATE])
        .writes(),
    Command::new("net-define", Group::Network, define)
        .about("keep a network's definition from an XML file", "Stores the definition for later starts.")
        .options(&[FILE, VALIDATE])
        .writes(),
    Command::new("net-destroy", Group::Network, destroy)
        .about("stop a network", "Stops the network at once; guests on it lose their connection.")
        .options(&[NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE))])
        .writes(),
    Command::new("net-dumpxml", Group::Network, dump)
        .answers(shape::XML)
        .about("print a network's XML", "Prints the description of a network.")
        .options(&[NETWORK, Opt::flag("inactive", "as defined for the next start"), XPATH, WRAP]),
    Command::new("net-edit", Group::Network, edit)
        .about(
            "change a network's XML in an editor",
            "Opens the stored definition in an editor and stores what becomes of it.",
        )
        .options(&[NETWORK])
        .writes(),
    Command::new("net-start", Group::Network, start)
        .about("start a defined network", "Starts a network that is off.")
        .options(&[NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_INACTIVE))])
        .writes(),
    Command::new("net-undefine", Group::Network, undefine)
        .about("forget a network's definition", "Removes the stored definition of a network.")
        .options(&[NETWORK])
        .writes(),
];

const FILE: Opt =
    Opt::text("file", "the XML file that describes the network").required().complete(Complete::File);
const VALIDATE: Opt = Opt::flag("validate", "check the XML against the schema first");

fn autostart(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let name = args.required("network")?;
    let enable = !args.has("disable");
    let mark = if enable { "mark" } else { "unmark" };
    let answer = connection.networks().set_autostart(&network, enable);
    answer.with_context(|| format!("failed to {mark} network {name} as autostarted"))?;
    session.print_extra(format_args!("Network {name} {mark}ed as autostarted\n"));
    Ok(())
}

fn create(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NETWORK_CREATE_VALIDATE } else { 0 };
    let answer = session.connection()?.networks().create_xml(&xml, flags);
    let network = plain_name(answer, flags, "virNetworkCreateXMLFlags", "virNetworkCreateXML")
        .with_context(|| format!("Failed to create network from {file}"))?;
    session.print_extra(format_args!("Network {} created from {file}\n", network.name));
    Ok(())
}

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NETWORK_DEFINE_VALIDATE } else { 0 };
    let answer = session.connection()?.networks().define_xml(&xml, flags);
    let network = plain_name(answer, flags, "virNetworkDefineXMLFlags", "virNetworkDefineXML")
        .with_context(|| format!("Failed to define network from {file}"))?;
    session.print_extra(format_args!("Network {} defined from {file}\n", network.name));
    Ok(())
}

fn destroy(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let name = args.required("network")?;
    let answer = connection.networks().destroy(&network);
    answer.with_context(|| format!("Failed to destroy network {name}"))?;
    session.print_extra(format_args!("Network {name} destroyed\n"));
    Ok(())
}

fn start(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let name = args.required("network")?;
    let answer = connection.networks().create(&network);
    answer.with_context(|| format!("Failed to start network {name}"))?;
    session.print_extra(format_args!("Network {name} started\n"));
    Ok(())
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let name = args.required("network")?;
    let answer = connection.networks().undefine(&network);
    answer.with_context(|| format!("Failed to undefine network {name}"))?;
    session.print_extra(format_args!("Network {name} has been undefined\n"));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let flags = if args.has("inactive") { NETWORK_XML_INACTIVE } else { 0 };
    let text = connection.networks().xml(&network, flags)?;
    document::show(session, args, &text)
}

fn edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let networks = connection.networks();
    let network = network(&*connection, args)?;
    // Not every driver tells the stored definition from the running one.
    let fetch = || match networks.xml(&network, NETWORK_XML_INACTIVE) {
        Ok(text) => Ok(text),
        Err(_) => Ok(networks.xml(&network, 0)?),
    };
    let mut name = network.name.clone();
    let mut store = |text: &str, _: bool| {
        name = networks.define_xml(text, 0)?.name;
        Ok(())
    };
    let edited = editor::edit(session, &fetch, &mut store)?;
    session.print_extra(match edited {
        Edited::Unchanged => format!("Network {name} XML configuration not changed.\n"),
        Edited::Stored => format!("Network {name} XML configuration edited.\n"),
    });
    Ok(())
}
