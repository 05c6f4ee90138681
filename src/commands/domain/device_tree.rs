//! The devices of a domain as its XML tells them: disks with their sources, network interfaces.

use crate::backend::Connection;
use crate::model::DomainRef;
use crate::xml::{self, Element};
use anyhow::Result;

/// A disk.
pub struct Disk {
    /// `file`, `block`, `network` and so on.
    pub kind: String,
    /// `disk`, `cdrom`, `floppy` or `lun`.
    pub device: String,
    /// The name in the guest's view, such as `vda`.
    pub target: String,
    /// Where its contents are, if it has any and they have a name.
    pub source: Option<String>,
    /// The storage pool of a disk that is given as a volume.
    pub pool: Option<String>,
    /// Whether there is a source at all: an empty drive has none.
    pub has_source: bool,
}

/// A network interface.
pub struct Interface {
    /// The device on the host.
    pub target: Option<String>,
    /// `network`, `bridge`, `user` and so on.
    pub kind: String,
    /// What it is connected to.
    pub source: Option<String>,
    /// The card's model.
    pub model: Option<String>,
    /// The card's address.
    pub mac: Option<String>,
    /// Whether its cable is plugged in.
    pub link: String,
}

/// A domain's definition as a tree.
pub fn tree(connection: &dyn Connection, domain: &DomainRef, flags: u32) -> Result<Element> {
    let text = connection.domains().xml(domain, flags)?;
    Ok(xml::parse(&text, "domain definition")?)
}

fn devices<'a>(tree: &'a Element, name: &'a str) -> impl Iterator<Item = &'a Element> {
    tree.child("devices").into_iter().flat_map(move |devices| devices.children(name))
}

/// The first of these attributes that the element has.
fn first_of(element: Option<&Element>, names: &[&str]) -> Option<String> {
    let element = element?;
    let value = names.iter().find_map(|name| element.attribute(name))?;
    Some(value.to_string())
}

fn owned(value: Option<&str>) -> String {
    value.unwrap_or_default().to_string()
}

/// The disks in the order of the definition.
pub fn disks(tree: &Element) -> Vec<Disk> {
    let disk = |element: &Element| {
        let source = element.child("source");
        let kind = owned(element.attribute("type"));
        let name = match kind.as_str() {
            "nvme" => source.and_then(nvme_name),
            _ => first_of(source, &["file", "dev", "dir", "name", "volume", "path"]),
        };
        Disk {
            device: element.attribute("device").unwrap_or("disk").to_string(),
            target: owned(element.child_attribute("target", "dev")),
            source: name,
            pool: first_of(source.filter(|_| kind == "volume"), &["pool"]),
            has_source: source.is_some(),
            kind,
        }
    };
    devices(tree, "disk").map(disk).collect()
}

/// An NVMe disk is named by its controller's PCI address and its namespace.
fn nvme_name(source: &Element) -> Option<String> {
    let address = source.child("address")?;
    let part = |name| {
        let text = address.attribute(name)?;
        u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    let namespace = source.attribute("namespace")?;
    let (domain, bus, slot) = (part("domain")?, part("bus")?, part("slot")?);
    Some(format!("nvme://{domain:04x}:{bus:02x}:{slot:02x}.{}/{namespace}", part("function")?))
}

/// The network interfaces in the order of the definition.
pub fn interfaces(tree: &Element) -> Vec<Interface> {
    let interface = |element: &Element| {
        let attribute = |path, name| element.child_attribute(path, name).map(str::to_string);
        Interface {
            target: attribute("target", "dev"),
            kind: owned(element.attribute("type")),
            source: first_of(element.child("source"), &["dev", "network", "bridge", "name", "path"]),
            model: attribute("model", "type"),
            mac: attribute("mac", "address"),
            link: element.child_attribute("link", "state").unwrap_or("up").to_string(),
        }
    };
    devices(tree, "interface").map(interface).collect()
}
