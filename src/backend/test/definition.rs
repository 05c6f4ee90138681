//! Domain definitions as the test driver sees them: reading a document, and small questions asked of the tree.

use super::platform::TestPlatform;
use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::{self, Element};
use uuid::Uuid;

/// Parses a document whose root must be `root`; `what` names the document in syntax errors.
pub(super) fn parse_root(text: &str, root: &str, what: &str) -> Result<Element> {
    let tree = xml::parse(text, what)?;
    expect_root(&tree, root)?;
    Ok(tree)
}

/// Refuses a tree whose root is not `root`.
pub(super) fn expect_root(tree: &Element, root: &str) -> Result<()> {
    if tree.name == root {
        return Ok(());
    }
    let message = format!("expecting root element of '{root}', not '{}'", tree.name);
    Err(Error::xml(message).from_origin(ErrorOrigin::TEST))
}

/// Reads a domain's definition and fills in what it leaves open.
pub(super) fn read(text: &str) -> Result<Element> {
    let mut tree = parse_root(text, "domain", "domain_definition")?;
    complete(&mut tree)?;
    Ok(tree)
}

/// Checks a definition and fills in what it leaves open.
pub(super) fn complete(tree: &mut Element) -> Result<()> {
    complete_without_names(tree)?;
    name_targets(tree);
    Ok(())
}

/// The same, but network interfaces without a target keep none.
pub(super) fn complete_without_names(tree: &mut Element) -> Result<()> {
    xml::domain::complete(tree, &TestPlatform)
}

/// Refuses a device that is wrong in itself, whatever domain it is meant for.
pub(super) fn check_device(device: &Element) -> Result<()> {
    match xml::domain::devices::DEVICES.child(&device.name) {
        Some(shape) => shape.conform(&mut device.clone(), &mut Vec::new()),
        None => Ok(()),
    }
}

/// Gives each network interface without a target device the first free `testnetN`.
fn name_targets(tree: &mut Element) {
    let Some(devices) = tree.child_mut("devices") else {
        return;
    };
    let taken: Vec<String> = devices
        .children("interface")
        .filter_map(|interface| interface.child_attribute("target", "dev"))
        .map(str::to_string)
        .collect();
    let mut free = (0u32..).map(|number| format!("testnet{number}")).filter(|name| !taken.contains(name));
    for interface in devices.elements_mut().filter(|device| device.name == "interface") {
        if interface.child_attribute("target", "dev").is_some() {
            continue;
        }
        let Some(name) = free.next() else { return };
        interface.child_or_new("target").set("dev", name);
        xml::domain::devices::interface::INTERFACE.arrange(interface);
    }
}

/// Puts `child` after the last of the children named in `after`, or first if there is none of them.
pub(super) fn insert_after(parent: &mut Element, child: Element, after: &[&str]) {
    let is_before =
        |node: &xml::Node| matches!(node, xml::Node::Element(e) if after.contains(&e.name.as_str()));
    let at = parent.nodes.iter().rposition(is_before).map_or(0, |at| at + 1);
    parent.nodes.insert(at, xml::Node::Element(child));
}

/// The child `name`, made in its place among its siblings if it is not there yet.
pub(super) fn part<'a>(tree: &'a mut Element, name: &str) -> &'a mut Element {
    if tree.child(name).is_none() {
        tree.push(Element::new(name));
        xml::domain::DOMAIN.arrange(tree);
    }
    tree.child_or_new(name)
}

/// Takes the child `name` away when nothing is left in it.
pub(super) fn drop_empty(tree: &mut Element, name: &str) {
    if tree.child(name).is_some_and(|part| part.elements().next().is_none()) {
        tree.remove(name);
    }
}

/// The definition's name.
pub(super) fn name_of(tree: &Element) -> String {
    tree.child_string("name").unwrap_or_default()
}

/// The definition's uuid, if it has a good one.
pub(super) fn uuid_of(tree: &Element) -> Option<Uuid> {
    tree.child_text("uuid").and_then(|text| Uuid::parse_str(&text).ok())
}

/// The number inside a child element.
pub(super) fn number(tree: &Element, path: &str) -> Option<u64> {
    tree.child_text(path).and_then(|text| text.parse().ok())
}

/// The most memory the domain may have, in KiB.
pub(super) fn max_memory(tree: &Element) -> u64 {
    number(tree, "memory").unwrap_or(0)
}

/// The memory the domain has, in KiB.
pub(super) fn memory(tree: &Element) -> u64 {
    number(tree, "currentMemory").unwrap_or_else(|| max_memory(tree))
}

/// The virtual CPUs the domain may have.
pub(super) fn max_vcpus(tree: &Element) -> u32 {
    number(tree, "vcpu").and_then(|count| count.try_into().ok()).unwrap_or(1)
}

/// The virtual CPUs the domain has.
pub(super) fn vcpus(tree: &Element) -> u32 {
    let current = tree.child_attribute("vcpu", "current");
    current.and_then(|count| count.parse().ok()).unwrap_or_else(|| max_vcpus(tree))
}

/// The text of a lifecycle action, such as that of `on_reboot`.
pub(super) fn action(tree: &Element, event: &str) -> String {
    tree.child_text(event).unwrap_or_default()
}

/// The devices of a kind.
pub(super) fn devices<'a>(tree: &'a Element, kind: &'a str) -> impl Iterator<Item = &'a Element> {
    tree.child("devices").into_iter().flat_map(move |devices| devices.children(kind))
}

/// The tree as a client sees it: with the id of a running domain, secrets only if asked for.
pub(super) fn show(tree: &Element, id: Option<u32>, secrets: bool) -> String {
    shown(tree, id, secrets, 0).to_string()
}

/// The same as a tree that will stand `level` levels deep in a document.
pub(super) fn shown(tree: &Element, id: Option<u32>, secrets: bool, level: usize) -> Element {
    let mut shown = tree.clone();
    if let Some(id) = id {
        let at = usize::from(shown.attributes.first().is_some_and(|(name, _)| name == "type"));
        shown.attributes.insert(at, ("id".to_string(), id.to_string()));
    }
    if let Some(devices) = shown.child_mut("devices") {
        for graphics in devices.elements_mut().filter(|device| device.name == "graphics") {
            if !secrets {
                graphics.unset("passwd");
            }
        }
        if devices.elements().next().is_none() {
            // Without devices both tags are written, each on its own line.
            devices.set_text(format!("\n{}", "  ".repeat(level + 1)));
        }
    }
    shown
}
