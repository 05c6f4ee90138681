//! Whether two storage pools would use one source, so that they would be in each other's way.

use crate::xml::Element;

/// Whether both definitions have the same source, as far as their types can tell.
pub(super) fn same(one: &Element, other: &Element) -> bool {
    let kinds = (kind(one), kind(other));
    let alike = |paths: &[(&str, Option<&str>)]| {
        paths.iter().all(|(path, attribute)| found(one, path, *attribute) == found(other, path, *attribute))
    };
    let host = ("source/host", Some("name"));
    let name = ("source/name", None);
    let directory = ("source/dir", Some("path"));
    match kinds {
        ("dir", "dir") => alike(&[("target/path", None)]),
        ("netfs", "netfs") => alike(&[host, directory]),
        ("gluster", "gluster") => alike(&[host, name, directory]),
        ("iscsi", "iscsi") | ("iscsi-direct", "iscsi-direct") => {
            alike(&[host, ("source/device", Some("path")), ("source/initiator/iqn", Some("name"))])
        }
        ("sheepdog", "sheepdog") => alike(&[host]),
        ("vstorage", "vstorage") => alike(&[name]),
        ("mpath", "mpath") => true,
        ("scsi", "scsi") => adapter(one).is_some() && adapter(one) == adapter(other),
        ("fs" | "logical" | "disk", "fs" | "logical" | "disk") => {
            devices(one).any(|device| devices(other).any(|known| known == device))
        }
        _ => false,
    }
}

fn kind(pool: &Element) -> &str {
    pool.attribute("type").unwrap_or_default()
}

fn found(pool: &Element, path: &str, attribute: Option<&str>) -> Option<String> {
    match attribute {
        Some(attribute) => pool.find(path)?.attribute(attribute).map(str::to_string),
        None => pool.child_string(path),
    }
}

fn devices(pool: &Element) -> impl Iterator<Item = &str> {
    let sources = pool.children("source").flat_map(|source| source.children("device"));
    sources.filter_map(|device| device.attribute("path"))
}

/// A host adapter by its number, a virtual one by its two names.
fn adapter(pool: &Element) -> Option<String> {
    let adapter = pool.find("source/adapter")?;
    match (adapter.attribute("wwnn"), adapter.attribute("wwpn")) {
        (Some(node), Some(port)) => Some(format!("{node},{port}")),
        _ => {
            let name = adapter.attribute("name")?;
            Some(name.trim_start_matches("scsi_").trim_start_matches("host").to_string())
        }
    }
}
