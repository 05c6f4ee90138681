//! Which networks there are: net-info, net-list, net-name, net-uuid.

use super::{NETWORK, network, uuid_in};
use crate::backend::Networks;
use crate::error::Error;
use crate::model::NetworkRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::collections::HashSet;
use uuid::Uuid;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("net-info", Group::Network, info)
        .answers(
            "{name: text, uuid: text, active?: boolean, persistent: boolean?, autostart: \
             boolean?, bridge?: text}",
        )
        .about("show the basic facts of a network", "Shows who the network is, its state and its bridge.")
        .options(&[NETWORK]),
    Command::new("net-list", Group::Network, list)
        .answers(
            "[{name?: text, state?: text, autostart?: boolean?, persistent?: boolean, \
             title?: text?, uuid?: text}]",
        )
        .about("list networks", "Shows the active networks, or with --all the inactive ones too.")
        .options(&[
            Opt::flag("inactive", "only networks that are off"),
            Opt::flag("all", "active and inactive networks"),
            Opt::flag("persistent", "only networks with a stored definition"),
            Opt::flag("transient", "only networks without one"),
            Opt::flag("autostart", "only networks that start with the host"),
            Opt::flag("no-autostart", "only networks that do not"),
            Opt::flag("uuid", "show uuids instead of the table"),
            Opt::flag("name", "show names instead of the table"),
            Opt::flag("table", "show the table, which is what happens anyway"),
            Opt::flag("title", "show titles"),
        ]),
    Command::new("net-name", Group::Network, name)
        .answers("{name: text}")
        .about("print a network's name", "Prints the name of a network given by its uuid.")
        .options(&[Opt::text("network", "a network by its uuid").required().complete(Complete::NetworkUuid)]),
    Command::new("net-uuid", Group::Network, uuid)
        .answers("{uuid: text}")
        .about("print a network's uuid", "Prints the uuid of a network given by its name.")
        .options(&[Opt::text("network", "a network by its name").required().complete(Complete::Network)]),
];

fn info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let networks = connection.networks();
    let network = network(connection, args)?;
    let mut fields = Fields::new(15);
    fields.add("Name", &network.name);
    fields.named("UUID", "uuid", network.uuid.to_string());
    if let Ok(active) = networks.is_active(&network) {
        fields.add("Active", Cell::choice(active, "yes", "no"));
    }
    fields.add(
        "Persistent",
        match networks.is_persistent(&network) {
            Ok(persistent) => Cell::choice(persistent, "yes", "no"),
            Err(_) => Cell::with("unknown", ()),
        },
    );
    fields.add(
        "Autostart",
        match networks.autostart(&network) {
            Ok(autostart) => Cell::choice(autostart, "yes", "no"),
            Err(_) => Cell::with("no autostart", ()),
        },
    );
    if let Ok(bridge) = networks.bridge_name(&network) {
        fields.add("Bridge", bridge);
    }
    session.fields(&fields)
}

const FILTERS: &[(&str, u32)] = &[
    ("persistent", CONNECT_LIST_NETWORKS_PERSISTENT),
    ("transient", CONNECT_LIST_NETWORKS_TRANSIENT),
    ("autostart", CONNECT_LIST_NETWORKS_AUTOSTART),
    ("no-autostart", CONNECT_LIST_NETWORKS_NO_AUTOSTART),
];

fn list(session: &mut Session, args: &Args) -> Result<()> {
    let forms = ["table", "name", "uuid"].iter().filter(|form| args.has(form));
    if forms.count() > 1 {
        bail!("Only one argument from --table, --name and --uuid may be specified.");
    }
    let connection = session.handle()?;
    let networks = connection.networks();
    let mut listed = networks.list_all_networks(filters(args)).context("Failed to list networks")?;
    listed.sort_by_cached_key(|network| (network.name.to_ascii_lowercase(), network.name.clone()));
    if args.has("name") || args.has("uuid") {
        let shown: Vec<_> = listed
            .iter()
            .map(|network| match args.has("name") {
                true => ("name", network.name.clone()),
                false => ("uuid", network.uuid.to_string()),
            })
            .collect();
        let text: String = shown.iter().map(|(_, value)| format!("{value}\n")).collect();
        let data: Vec<_> = shown.iter().map(|(name, value)| json!({ *name: value })).collect();
        return session.show(&data, |session| session.print(text));
    }
    let table = table_of(networks, &listed, args.has("title"), session.settings.format)?;
    session.table(&table)
}

fn filters(args: &Args) -> u32 {
    let which = if args.has("all") {
        CONNECT_LIST_NETWORKS_ACTIVE | CONNECT_LIST_NETWORKS_INACTIVE
    } else if args.has("inactive") {
        CONNECT_LIST_NETWORKS_INACTIVE
    } else {
        CONNECT_LIST_NETWORKS_ACTIVE
    };
    let chosen = FILTERS.iter().filter(|(option, _)| args.has(option));
    chosen.fold(which, |flags, (_, flag)| flags | flag)
}

/// Asks three times which networks are active, persistent and autostarted, however many there are.
fn table_of(networks: &dyn Networks, listed: &[NetworkRef], title: bool, format: Format) -> Result<Table> {
    let those = |flag| -> Result<HashSet<Uuid>, Error> {
        Ok(networks.list_all_networks(flag)?.into_iter().map(|network| network.uuid).collect())
    };
    let (mut active, mut autostarted, mut persistent) = Default::default();
    if !listed.is_empty() {
        active = those(CONNECT_LIST_NETWORKS_ACTIVE)?;
        autostarted = those(CONNECT_LIST_NETWORKS_AUTOSTART)?;
        persistent = those(CONNECT_LIST_NETWORKS_PERSISTENT)?;
    }
    let uuid = format != Format::Table;
    let mut head = vec!["Name", "State", "Autostart", "Persistent"];
    head.extend(title.then_some("Title"));
    head.extend(uuid.then_some("UUID"));
    let mut table = Table::new(head);
    for network in listed {
        let is_in = |set: &HashSet<Uuid>| set.contains(&network.uuid);
        let mut cells = vec![
            Cell::from(&network.name),
            Cell::from(if is_in(&active) { "active" } else { "inactive" }),
            Cell::choice(is_in(&autostarted), "yes", "no"),
            Cell::choice(is_in(&persistent), "yes", "no"),
        ];
        if title {
            // A network without a title, or a driver without titles, shows an empty one.
            let title = networks.metadata(network, NETWORK_METADATA_TITLE, None, 0).unwrap_or_default();
            cells.push(Cell::from(title));
        }
        if uuid {
            cells.push(Cell::from(network.uuid.to_string()));
        }
        table.row(cells);
    }
    Ok(table)
}

fn name(session: &mut Session, args: &Args) -> Result<()> {
    let text = args.required("network")?;
    let Some(uuid) = uuid_in(text) else {
        bail!("failed to get network '{text}'");
    };
    let answer = session.connection()?.networks().lookup_by_uuid(uuid);
    let network = answer.with_context(|| format!("failed to get network '{text}'"))?;
    session.value("name", network.name)
}

fn uuid(session: &mut Session, args: &Args) -> Result<()> {
    let text = args.required("network")?;
    let answer = session.connection()?.networks().lookup_by_name(text);
    let network = answer.with_context(|| format!("failed to get network '{text}'"))?;
    session.value("uuid", network.uuid.to_string())
}
