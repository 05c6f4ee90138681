//! The names of live things, for completion.

use crate::backend::Connection;
use crate::error::Result;
use crate::model::DomainRef;
use crate::model::constants::{CONNECT_LIST_DOMAINS_ACTIVE, CONNECT_LIST_DOMAINS_INACTIVE};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::Complete;
use crate::xml;

/// What an option of this kind may be given; nothing when that cannot be found out.
pub fn values(session: &mut Session, kind: Complete, args: &Args) -> Vec<String> {
    let Ok(connection) = session.connection() else {
        return Vec::new();
    };
    find(connection, kind, args).unwrap_or_default()
}

fn find(connection: &dyn Connection, kind: Complete, args: &Args) -> Result<Vec<String>> {
    Ok(match kind {
        Complete::Domain => domains(connection, 0)?,
        Complete::ActiveDomain => domains(connection, CONNECT_LIST_DOMAINS_ACTIVE)?,
        Complete::InactiveDomain => domains(connection, CONNECT_LIST_DOMAINS_INACTIVE)?,
        Complete::Disk => devices(connection, args, "disk", &[("target", "dev")])?,
        Complete::Interface => {
            let keys = [("mac", "address"), ("target", "dev")];
            devices(connection, args, "interface", &keys)?
        }
        Complete::Network => names(connection.networks().list_all_networks(0)?, |network| network.name),
        Complete::Pool => names(connection.storage().list_all_pools(0)?, |pool| pool.name),
        Complete::Volume => volumes(connection, args)?,
        Complete::Snapshot => {
            let snapshots = connection.snapshots().list_all_snapshots(&domain(connection, args)?, 0)?;
            names(snapshots, |snapshot| snapshot.name)
        }
        Complete::Checkpoint => {
            let checkpoints = connection.snapshots().list_all_checkpoints(&domain(connection, args)?, 0)?;
            names(checkpoints, |checkpoint| checkpoint.name)
        }
        Complete::NodeDevice => {
            let devices = connection.node_devices().list_all_node_devices(0)?;
            names(devices, |device| device.name)
        }
        Complete::HostInterface => {
            let interfaces = connection.interfaces().list_all_interfaces(0)?;
            names(interfaces, |interface| interface.name)
        }
        Complete::Secret => {
            let secrets = connection.secrets().list_all_secrets(0)?;
            names(secrets, |secret| secret.uuid.to_string())
        }
        Complete::Filter => names(connection.filters().list_all_filters(0)?, |filter| filter.name),
        // These need no connection; the shell knows them by itself.
        Complete::Nothing
        | Complete::File
        | Complete::Command
        | Complete::Words(_)
        | Complete::WordList(_)
        | Complete::NumberList => Vec::new(),
    })
}

fn names<T>(items: Vec<T>, name: impl Fn(T) -> String) -> Vec<String> {
    let mut names: Vec<String> = items.into_iter().map(name).collect();
    names.sort();
    names
}

fn domains(connection: &dyn Connection, flags: u32) -> Result<Vec<String>> {
    let domains = connection.domains().list_all_domains(flags)?;
    Ok(names(domains, |domain| domain.name))
}

/// The domain that the line names so far.
fn domain(connection: &dyn Connection, args: &Args) -> Result<DomainRef> {
    connection.domains().lookup_by_name(args.get("domain").unwrap_or_default())
}

/// What names the devices of the domain on the line: these attributes of these children.
fn devices(
    connection: &dyn Connection,
    args: &Args,
    kind: &str,
    keys: &[(&str, &str)],
) -> Result<Vec<String>> {
    let text = connection.domains().xml(&domain(connection, args)?, 0)?;
    let tree = xml::parse(&text, "the domain's definition")?;
    let found = tree.child("devices").into_iter().flat_map(|devices| devices.children(kind));
    let found =
        found.flat_map(|device| keys.iter().filter_map(|(child, name)| device.child_attribute(child, name)));
    Ok(found.map(str::to_string).collect())
}

/// The volumes of the pool on the line, or of all pools.
fn volumes(connection: &dyn Connection, args: &Args) -> Result<Vec<String>> {
    let storage = connection.storage();
    let wanted = args.get("pool");
    let mut found = Vec::new();
    for pool in storage.list_all_pools(0)? {
        if wanted.is_none_or(|wanted| wanted == pool.name) {
            // An inactive pool among others has no volumes to show.
            let volumes = storage.pool_list_all_volumes(&pool, 0);
            found.extend(names(volumes.unwrap_or_default(), |volume| volume.name));
        }
    }
    Ok(found)
}
