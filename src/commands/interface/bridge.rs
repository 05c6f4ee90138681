//! Putting an interface under a bridge and taking it out again: iface-bridge, iface-unbridge.

use super::by_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element, Node};
use anyhow::{Context, Result, anyhow, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("iface-bridge", Group::Interface, bridge)
        .about(
            "put an interface under a new bridge",
            "Makes a bridge that takes over the addresses of the interface, and attaches the interface to it.",
        )
        .options(&[
            Opt::text("interface", "the interface by its name").required().complete(Complete::HostInterface),
            Opt::text("bridge", "the name of the new bridge").required(),
            Opt::flag("no-stp", "do not use the spanning tree protocol"),
            Opt::number("delay", "seconds before a new port forwards traffic").tolerated_by_place(),
            Opt::flag("no-start", "do not bring the bridge up yet"),
        ])
        .writes(),
    Command::new("iface-unbridge", Group::Interface, unbridge)
        .about(
            "take an interface out of its bridge",
            "Removes a bridge with one interface under it, and gives the bridge's addresses to the interface.",
        )
        .options(&[
            Opt::text("bridge", "the bridge by its name").required().complete(Complete::HostInterface),
            Opt::flag("no-start", "do not bring the interface up again"),
        ])
        .writes(),
];

/// What belongs to the device itself rather than to its place in the network.
fn is_of_device(element: &Element) -> bool {
    matches!(element.name.as_str(), "mac" | "bond" | "vlan")
}

fn bridge(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let interfaces = connection.interfaces();
    let (name, bridge_name) = (args.required("interface")?, args.required("bridge")?);
    let interface = by_name(&*connection, name)?;
    let Err(taken) = interfaces.lookup_by_name(bridge_name) else {
        bail!("Network device {bridge_name} already exists");
    };
    let delay = match args.number::<u32>("delay") {
        Ok(delay) => delay.unwrap_or(0),
        Err(error) => {
            // The name was free so far, and virsh says that, too.
            session.report(&error);
            return Err(taken.into());
        }
    };
    let text = interfaces.xml(&interface, INTERFACE_XML_INACTIVE)?;
    let new = bridged(
        &xml::parse(&text, "(interface definition)")?,
        name,
        bridge_name,
        !args.has("no-stp"),
        delay,
    )?;
    let answer = interfaces.define_xml(&new.to_string(), 0);
    let new = answer.with_context(|| format!("Failed to define new bridge interface {bridge_name}"))?;
    session.print_extra(format_args!("Created bridge {bridge_name} with attached device {name}\n"));
    if !args.has("no-start") {
        let answer = interfaces.create(&new, 0);
        answer.with_context(|| format!("Failed to start bridge interface {bridge_name}"))?;
        session.print_extra(format_args!("Bridge interface {bridge_name} started\n"));
    }
    Ok(())
}

/// The description of a bridge with the interface under it.
fn bridged(old: &Element, name: &str, bridge_name: &str, stp: bool, delay: u32) -> Result<Element> {
    let kind = old.attribute("type").ok_or_else(|| anyhow!("Existing device {name} has no type"))?;
    if kind == "bridge" {
        bail!("Existing device {name} is already a bridge");
    }
    match old.attribute("name") {
        Some(known) if known == name => {}
        known => bail!(
            "Interface name from config {} doesn't match given supplied name {name}",
            known.unwrap_or_default()
        ),
    }
    let mut slave = Element::new("interface").with("type", kind).with("name", name);
    slave.nodes = old.elements().filter(|part| is_of_device(part)).cloned().map(Node::Element).collect();
    let mut bridge = Element::new("bridge").with("stp", if stp { "on" } else { "off" });
    if stp {
        bridge.set("delay", delay);
    }
    bridge.push(slave);
    let mut new = old.clone();
    new.retain(|part| !is_of_device(part));
    new.set("type", "bridge");
    new.set("name", bridge_name);
    new.push(bridge);
    Ok(new)
}

fn unbridge(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let interfaces = connection.interfaces();
    let bridge_name = args.required("bridge")?;
    let bridge = by_name(&*connection, bridge_name)?;
    let text = interfaces.xml(&bridge, INTERFACE_XML_INACTIVE)?;
    let (name, new) = unbridged(&xml::parse(&text, "(bridge interface definition)")?, bridge_name)?;
    if interfaces.is_active(&bridge).unwrap_or_default() {
        let answer = interfaces.destroy(&bridge, 0);
        answer.with_context(|| format!("Failed to destroy bridge interface {bridge_name}"))?;
    }
    let answer = interfaces.undefine(&bridge);
    answer.with_context(|| format!("Failed to undefine bridge interface {bridge_name}"))?;
    let answer = interfaces.define_xml(&new.to_string(), 0);
    let interface = answer.with_context(|| format!("Failed to define new interface {name}"))?;
    session.print_extra(format_args!("Device {name} un-attached from bridge {bridge_name}\n"));
    if !args.has("no-start") {
        let answer = interfaces.create(&interface, 0);
        answer.with_context(|| format!("Failed to start interface {name}"))?;
        session.print_extra(format_args!("Interface {name} started\n"));
    }
    Ok(())
}

/// The name and the description of the one interface under a bridge, with the bridge's addresses.
fn unbridged(old: &Element, bridge_name: &str) -> Result<(String, Element)> {
    if old.attribute("type") != Some("bridge") {
        bail!("Device {bridge_name} is not a bridge");
    }
    match old.attribute("name") {
        Some(known) if known == bridge_name => {}
        known => bail!(
            "Interface name from config {} doesn't match given supplied name {bridge_name}",
            known.unwrap_or_default()
        ),
    }
    let bridge = old.child("bridge").ok_or_else(|| anyhow!("No bridge node in xml document"))?;
    let mut attached = bridge.children("interface");
    let slave = attached.next().ok_or_else(|| anyhow!("No interface attached to bridge"))?;
    if attached.next().is_some() {
        bail!("Multiple interfaces attached to bridge");
    }
    let name = slave
        .attribute("name")
        .ok_or_else(|| anyhow!("Device attached to bridge {bridge_name} has no name"))?;
    let kind = slave.attribute("type").ok_or_else(|| anyhow!("Attached device {name} has no type"))?;
    let mut new = old.clone();
    new.remove("bridge");
    new.set("type", kind);
    new.set("name", name);
    for part in slave.elements() {
        new.push(part.clone());
    }
    Ok((name.to_string(), new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_takes_the_addresses_and_gives_them_back() {
        let text = "<interface type='ethernet' name='eth1'><start mode='onboot'/><mac address='aa:bb:cc:dd:ee:ff'/>\
                    <protocol family='ipv4'><dhcp/></protocol></interface>";
        let old = xml::parse(text, "test").unwrap();
        let new = bridged(&old, "eth1", "br0", true, 5).unwrap();
        assert_eq!(new.find("bridge/interface/mac").unwrap().attribute("address"), Some("aa:bb:cc:dd:ee:ff"));
        assert_eq!((new.child("mac"), new.child_attribute("bridge", "delay")), (None, Some("5")));
        let (name, back) = unbridged(&new, "br0").unwrap();
        assert_eq!((name.as_str(), back.attribute("type")), ("eth1", Some("ethernet")));
        assert!(back.child("protocol").is_some() && back.child("mac").is_some());
        assert!(bridged(&new, "br0", "br1", true, 0).is_err());
    }
}
