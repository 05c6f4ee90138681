//! Ports of a network, one for each guest's interface on it: net-port-create, net-port-delete, net-port-dumpxml,
//! net-port-list.

use super::{NETWORK, network, uuid_in};
use crate::backend::Connection;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::files;
use crate::model::NetworkPortRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("net-port-create", Group::Network, create)
        .about("make a port from an XML file", "Adds the port that the file describes to a network.")
        .options(&[
            NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE)),
            Opt::text("file", "the XML file that describes the port").required().complete(Complete::File),
            Opt::flag("validate", "check the XML against the schema first"),
        ])
        .writes(),
    Command::new("net-port-delete", Group::Network, delete)
        .about("remove a port", "Removes a port from its network.")
        .options(&[NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE)), PORT])
        .writes(),
    Command::new("net-port-dumpxml", Group::Network, dump)
        .answers(shape::XML)
        .about("print a port's XML", "Prints the description of a port.")
        .options(&[NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE)), PORT, XPATH, WRAP]),
    Command::new("net-port-list", Group::Network, list)
        .answers("[{uuid: text}]")
        .about("list a network's ports", "Shows the uuids of the ports of a network.")
        .options(&[
            NETWORK.complete(Complete::NetworkWith(CONNECT_LIST_NETWORKS_ACTIVE)),
            Opt::flag("uuid", "show uuids instead of the table"),
            Opt::flag("table", "show the table, which is what happens anyway"),
        ]),
];

const PORT: Opt = Opt::text("port", "a port by its uuid").required();

fn port(connection: &dyn Connection, args: &Args) -> Result<NetworkPortRef> {
    // virsh forgets the causes on this way.
    let network = network(connection, args).map_err(|error| anyhow!(error.to_string()))?;
    let text = args.required("port")?;
    let answer = uuid_in(text).map(|uuid| connection.networks().network_port_lookup_by_uuid(&network, uuid));
    match answer {
        Some(Ok(port)) => Ok(port),
        _ => bail!("failed to get network port '{text}'"),
    }
}

fn create(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NETWORK_PORT_CREATE_VALIDATE } else { 0 };
    let answer = connection.networks().network_port_create_xml(&network, &xml, flags);
    // virsh speaks of the network here.
    let port = answer.with_context(|| format!("Failed to create network from {file}"))?;
    session.print_extra(format_args!("Network port {} created from {file}\n", port.uuid));
    Ok(())
}

fn delete(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let port = port(connection, args)?;
    let answer = connection.networks().network_port_delete(&port, 0);
    answer.with_context(|| format!("Failed to delete network port {}", port.uuid))?;
    session.print_extra(format_args!("Network port {} deleted\n", port.uuid));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let port = port(connection, args)?;
    let text = connection.networks().network_port_xml(&port, 0)?;
    document::show(session, args, &text)
}

fn list(session: &mut Session, args: &Args) -> Result<()> {
    if args.has("table") && args.has("uuid") {
        bail!("Only one argument from --table and --uuid may be specified.");
    }
    let connection = session.connection()?;
    let network = network(connection, args)?;
    let ports = connection.networks().list_all_ports(&network, 0)?;
    let mut uuids: Vec<_> = ports.iter().map(|port| port.uuid.to_string()).collect();
    uuids.sort_unstable();
    if args.has("uuid") {
        let text: String = uuids.iter().map(|uuid| format!("{uuid}\n")).collect();
        let data: Vec<_> = uuids.iter().map(|uuid| json!({ "uuid": uuid })).collect();
        return session.show(&data, |session| session.print(text));
    }
    let mut table = Table::new(["UUID"]);
    for uuid in uuids {
        table.row([uuid]);
    }
    session.table(&table)
}
