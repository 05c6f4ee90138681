//! The names of live things, for completion.

use crate::backend::Connection;
use crate::commands::cpu_list;
use crate::commands::domain::guest_access::keyboard::keys;
use crate::error::Result;
use crate::model::constants::{CONNECT_LIST_DOMAINS_ACTIVE, CONNECT_LIST_DOMAINS_INACTIVE};
use crate::model::{DomainRef, VolumeRef};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::Complete;
use crate::xml::{self, Element};

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
        Complete::DomainWith(flags) => domains(connection, flags)?,
        Complete::DomainUuid => {
            names(connection.domains().list_all_domains(0)?, |domain| domain.uuid.to_string())
        }
        Complete::Network => networks(connection, 0)?,
        Complete::NetworkWith(flags) => networks(connection, flags)?,
        Complete::NetworkUuid => {
            names(connection.networks().list_all_networks(0)?, |network| network.uuid.to_string())
        }
        Complete::Pool => names(connection.storage().list_all_pools(0)?, |pool| pool.name),
        Complete::PoolWith(flags) => names(connection.storage().list_all_pools(flags)?, |pool| pool.name),
        Complete::Volume => volumes(connection, args, |volume| Some(volume.name))?,
        Complete::VolumePath => {
            let storage = connection.storage();
            volumes(connection, args, |volume| storage.volume_path(&volume).ok())?
        }
        Complete::NodeDevice => {
            let devices = connection.node_devices().list_all_node_devices(0)?;
            names(devices, |device| device.name)
        }
        Complete::Secret => {
            let secrets = connection.secrets().list_all_secrets(0)?;
            names(secrets, |secret| secret.uuid.to_string())
        }
        Complete::Filter => names(connection.filters().list_all_filters(0)?, |filter| filter.name),
        _ => of_domain(connection, kind, args)?,
    })
}

/// What belongs to the domain on the line.
fn of_domain(connection: &dyn Connection, kind: Complete, args: &Args) -> Result<Vec<String>> {
    Ok(match kind {
        Complete::Disk | Complete::DiskList => devices(connection, args, "disk", &[("target", "dev")])?,
        Complete::Interface => interfaces(connection, args)?,
        Complete::InterfaceMac => devices(connection, args, "interface", &[("mac", "address")])?,
        Complete::Alias => aliases(connection, args)?,
        Complete::Mountpoint => {
            let mounted = connection.domains().fsinfo(&domain(connection, args)?, 0)?;
            names(mounted, |filesystem| filesystem.mountpoint)
        }
        Complete::Snapshot => {
            let snapshots = connection.snapshots().list_all_snapshots(&domain(connection, args)?, 0)?;
            names(snapshots, |snapshot| snapshot.name)
        }
        Complete::Checkpoint => {
            let checkpoints = connection.snapshots().list_all_checkpoints(&domain(connection, args)?, 0)?;
            names(checkpoints, |checkpoint| checkpoint.name)
        }
        Complete::Vcpu | Complete::VcpuList => {
            let count = connection.domains().info(&domain(connection, args)?)?.vcpus;
            (0..count).map(|vcpu| vcpu.to_string()).collect()
        }
        Complete::IoThread => {
            let threads = connection.domains().iothread_info(&domain(connection, args)?, 0)?;
            threads.into_iter().map(|thread| thread.id.to_string()).collect()
        }
        _ => of_host(connection, kind, args)?,
    })
}

/// What belongs to the host. The other kinds need no connection; the shell knows them by itself.
fn of_host(connection: &dyn Connection, kind: Complete, args: &Args) -> Result<Vec<String>> {
    Ok(match kind {
        Complete::HostCpu => {
            let map = connection.host().node_cpu_map(true, true, 0)?;
            let bit = |place: usize| map.map.get(place / 8).is_some_and(|byte| byte >> (place % 8) & 1 == 1);
            (0..map.map.len() * 8).filter(|place| bit(*place)).map(|cpu| cpu.to_string()).collect()
        }
        Complete::HostCpuList => (0..cpu_list::host_cpus(connection)?).map(|cpu| cpu.to_string()).collect(),
        Complete::PageSize => page_sizes(connection)?,
        Complete::Key => keys(args.get("codeset")).map(str::to_string).collect(),
        Complete::HostInterface => {
            let interfaces = connection.interfaces().list_all_interfaces(0)?;
            names(interfaces, |interface| interface.name)
        }
        Complete::HostInterfaceWith(flags) => {
            let interfaces = connection.interfaces().list_all_interfaces(flags)?;
            names(interfaces, |interface| interface.name)
        }
        Complete::HostInterfaceMac => {
            let interfaces = connection.interfaces().list_all_interfaces(0)?;
            names(interfaces, |interface| interface.mac)
        }
        _ => Vec::new(),
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

fn networks(connection: &dyn Connection, flags: u32) -> Result<Vec<String>> {
    Ok(names(connection.networks().list_all_networks(flags)?, |network| network.name))
}

/// The sizes of the host's pages, in the largest unit that fits.
fn page_sizes(connection: &dyn Connection) -> Result<Vec<String>> {
    let text = connection.host().capabilities()?;
    let tree = xml::parse(&text, "the capabilities")?;
    let cpu = tree.find("host/cpu").into_iter();
    let sizes = cpu.flat_map(|cpu| cpu.children("pages")).filter_map(|pages| pages.attribute("size"));
    let sizes = sizes.filter_map(|size| size.parse::<u64>().ok());
    let shown = |kibibytes: u64| match kibibytes {
        size if size % (1 << 20) == 0 => format!("{}GiB", size >> 20),
        size if size % (1 << 10) == 0 => format!("{}MiB", size >> 10),
        size => format!("{size}KiB"),
    };
    Ok(sizes.map(shown).collect())
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

/// The interfaces of the domain on the line: by the host's device, or else by MAC.
fn interfaces(connection: &dyn Connection, args: &Args) -> Result<Vec<String>> {
    let text = connection.domains().xml(&domain(connection, args)?, 0)?;
    let tree = xml::parse(&text, "the domain's definition")?;
    let found = tree.child("devices").into_iter().flat_map(|devices| devices.children("interface"));
    let name = |interface: &Element| {
        let device = interface.child_attribute("target", "dev");
        device.or_else(|| interface.child_attribute("mac", "address")).map(str::to_string)
    };
    Ok(found.filter_map(name).collect())
}

/// The aliases of all devices of the domain on the line.
fn aliases(connection: &dyn Connection, args: &Args) -> Result<Vec<String>> {
    let text = connection.domains().xml(&domain(connection, args)?, 0)?;
    let tree = xml::parse(&text, "the domain's definition")?;
    let found = tree.child("devices").into_iter().flat_map(Element::elements);
    Ok(found.filter_map(|device| device.child_attribute("alias", "name")).map(str::to_string).collect())
}

/// The volumes of the pool on the line, or of all pools, by this name of theirs.
fn volumes(
    connection: &dyn Connection,
    args: &Args,
    name: impl Fn(VolumeRef) -> Option<String>,
) -> Result<Vec<String>> {
    let storage = connection.storage();
    let wanted = args.get("pool");
    let mut found = Vec::new();
    for pool in storage.list_all_pools(0)? {
        if wanted.is_none_or(|wanted| wanted == pool.name) {
            // An inactive pool among others has no volumes to show.
            let volumes = storage.pool_list_all_volumes(&pool, 0);
            let volumes = volumes.unwrap_or_default();
            found.extend(names(volumes.into_iter().filter_map(&name).collect(), |name| name));
        }
    }
    Ok(found)
}
