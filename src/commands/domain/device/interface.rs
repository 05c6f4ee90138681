//! attach-interface, detach-interface, domif-setlink.

use super::bandwidth::Rate;
use super::{Impact, PERSISTENT, check_impact, fragment, with_new_child};
use crate::commands::domain::{device_tree, lookup};
use crate::commands::impact;
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::Element;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("attach-interface", Group::Domain, attach_interface)
        .answers(shape::PRINTED)
        .about("attach a network interface", "Attaches a network interface made of the options.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("type", "network, bridge, direct, hostdev or vhostuser")
                .required()
                .complete(Complete::Words(&["network", "bridge", "direct", "hostdev"])),
            Opt::text("source", "network, bridge, device or PCI address behind it").required(),
            Opt::text("target", "name of the interface on the host").tolerated_by_place(),
            Opt::text("mac", "MAC address").tolerated_by_place(),
            Opt::text("script", "script that sets the interface up").tolerated_by_place(),
            Opt::text("model", "model of the card, such as virtio")
                .tolerated_by_place()
                .complete(Complete::Words(&["virtio", "e1000", "e1000e", "rtl8139"])),
            Opt::text("alias", "name for the device that you choose yourself (ua-…)").tolerated_by_place(),
            Opt::text("inbound", "limits for what the guest receives: average[,peak[,burst[,floor]]]")
                .tolerated_by_place(),
            Opt::text("outbound", "limits for what the guest sends: average[,peak[,burst]]")
                .tolerated_by_place(),
            PERSISTENT,
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::flag("print-xml", "show the XML and do nothing"),
            Opt::flag("managed", "let the driver detach the host device and give it back"),
            Opt::text("source-mode", "mode of a vhostuser socket: client or server")
                .tolerated_by_place()
                .complete(Complete::Words(&["server", "client"])),
        ])
        .writes(),
    Command::new("detach-interface", Group::Domain, detach_interface)
        .answers(shape::PRINTED)
        .about(
            "detach a network interface",
            "Detaches a network interface; --mac says which if there are several.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("type", "type of the interface")
                .required()
                .complete(Complete::Words(&["network", "bridge", "direct", "user", "hostdev"])),
            Opt::text("mac", "MAC address").tolerated_by_place().complete(Complete::InterfaceMac),
            PERSISTENT,
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::flag("print-xml", "show the XML and do nothing"),
        ])
        .writes(),
    Command::new("domif-setlink", Group::Domain, domif_setlink)
        .answers(shape::PRINTED)
        .about("plug an interface's cable in or out", "Sets the link of a network interface up or down.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("interface", "the interface, by its MAC address or its target")
                .required()
                .complete(Complete::Interface),
            Opt::text("state", "up or down").required().complete(Complete::Words(&["up", "down"])),
            Opt::flag("config", "of the next boot"),
            Opt::flag("print-xml", "show the XML and do nothing"),
        ])
        .writes(),
];

fn attach_interface(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let xml = described(args)?.to_string();
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let impact = Impact::of(args, connection, &domain)?;
    let answer = connection.domains().attach_device(&domain, &xml, impact.or_plain(connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainAttachDeviceFlags", "virDomainAttachDevice")
        .context("Failed to attach interface")?;
    session.print_extra("Interface attached successfully\n");
    Ok(())
}

/// The element `interface` that the options describe, in virsh's order.
fn described(args: &Args) -> Result<Element> {
    let (kind, source) = (args.required("type")?, args.required("source")?);
    let source_mode = source_mode(args)?;
    let inbound = args.text("inbound")?.map(Rate::parse).transpose()?;
    if let Some(rate) = &inbound {
        rate.check_inbound(false)?;
    }
    let outbound = args.text("outbound")?.map(Rate::parse).transpose()?;
    if let Some(rate) = &outbound {
        rate.check_outbound(false)?;
    }
    let mut interface = Element::new("interface").with("type", kind);
    if args.has("managed") {
        interface.set("managed", "yes");
    }
    interface.push(source_element(kind, source, source_mode)?);
    for (option, element, attribute) in [
        ("target", "target", "dev"),
        ("mac", "mac", "address"),
        ("script", "script", "path"),
        ("model", "model", "type"),
        ("alias", "alias", "name"),
    ] {
        if let Some(value) = args.text(option)? {
            interface.push(Element::new(element).with(attribute, value));
        }
    }
    if inbound.is_some() || outbound.is_some() {
        let mut bandwidth = Element::new("bandwidth");
        for (name, rate) in [("inbound", inbound), ("outbound", outbound)] {
            if let Some(rate) = rate {
                let mut limits = Element::new(name);
                rate.fields().for_each(|(field, value)| limits.set(field, value));
                bandwidth.push(limits);
            }
        }
        interface.push(bandwidth);
    }
    Ok(interface)
}

fn source_mode(args: &Args) -> Result<Option<&str>> {
    match args.text("source-mode")? {
        Some(mode) if !matches!(mode, "server" | "client") => bail!("Invalid source mode: {mode}"),
        mode => Ok(mode),
    }
}

fn source_element(kind: &str, source: &str, mode: Option<&str>) -> Result<Element> {
    let element = Element::new("source");
    Ok(match kind {
        "network" => element.with("network", source),
        "bridge" => element.with("bridge", source),
        "direct" => element.with("dev", source),
        "vhostuser" => match mode {
            Some(mode) => element.with("type", "unix").with("path", source).with("mode", mode),
            None => bail!("source-mode is mandatory"),
        },
        "hostdev" => match pci_address(source) {
            Some(address) => element.with_child(address),
            None => bail!("cannot parse pci address '{source}' for network interface"),
        },
        _ => bail!("No support for {kind} in command 'attach-interface'"),
    })
}

/// `0000:03:0a.2`, all numbers in base sixteen.
fn pci_address(text: &str) -> Option<Element> {
    let (bus_parts, function) = text.split_once('.')?;
    let parts: Vec<&str> = bus_parts.split(':').collect();
    let [domain, bus, slot] = parts.as_slice() else {
        return None;
    };
    let number = |text: &str| u32::from_str_radix(text, 16).ok();
    Some(
        Element::new("address")
            .with("type", "pci")
            .with("domain", format!("0x{:04x}", number(domain)?))
            .with("bus", format!("0x{:02x}", number(bus)?))
            .with("slot", format!("0x{:02x}", number(slot)?))
            .with("function", format!("0x{:x}", number(function)?)),
    )
}

fn detach_interface(session: &mut Session, args: &Args) -> Result<()> {
    check_impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let impact = Impact::of(args, &*connection, &domain)?;
    let tree = device_tree::tree(&*connection, &domain, impact.description())?;
    let failed = "Failed to detach interface";
    let chosen = || choose(&tree, args.required("type")?, args.text("mac")?);
    let interface = match chosen() {
        Ok(interface) => interface,
        Err(error) if args.has("print-xml") => return Err(error),
        Err(error) => {
            // What was looked for comes first, what failed for lack of it after.
            session.error(error);
            bail!(failed);
        }
    };
    let xml = fragment(interface);
    if args.has("print-xml") {
        // Each of the two definitions has its own.
        let both = DOMAIN_AFFECT_CONFIG | DOMAIN_AFFECT_LIVE;
        let times = if impact.flags & both == both { 2 } else { 1 };
        return session.show(&json!({ "xml": xml }), |session| session.print(xml.repeat(times)));
    }
    let answer = connection.domains().detach_device(&domain, &xml, impact.or_plain(&*connection));
    let chosen = u32::from(impact.chosen);
    plain_name(answer, chosen, "virDomainDetachDeviceFlags", "virDomainDetachDevice").context(failed)?;
    session.print_extra("Interface detached successfully\n");
    Ok(())
}

fn interfaces(tree: &Element) -> impl Iterator<Item = &Element> {
    let devices = tree.child("devices").into_iter();
    devices.flat_map(|devices| devices.children("interface"))
}

fn choose<'a>(tree: &'a Element, kind: &str, mac: Option<&str>) -> Result<&'a Element> {
    let of_kind: Vec<&Element> =
        interfaces(tree).filter(|interface| interface.attribute("type") == Some(kind)).collect();
    match (of_kind.as_slice(), mac) {
        ([], _) => bail!("No interface found whose type is {kind}"),
        ([interface], None) => Ok(interface),
        (_, None) => bail!(
            "Domain has multiple interfaces of type {kind}; use the '--mac' option to specify which one"
        ),
        (found, Some(mac)) => {
            let mut matching = found.iter().filter(|interface| has_mac(interface, mac));
            match (matching.next(), matching.next()) {
                (None, _) => bail!("No interface with MAC address {mac} was found"),
                (Some(interface), None) => Ok(interface),
                (Some(_), Some(_)) => bail!(
                    "Domain has multiple interfaces matching MAC address {mac}. You must use detach-device \
                     and specify the device pci address to remove it."
                ),
            }
        }
    }
}

/// Whether an interface has this address, however its digits are written.
fn has_mac(interface: &Element, mac: &str) -> bool {
    let known = interface.child_attribute("mac", "address").and_then(mac_bytes);
    known.is_some() && known == mac_bytes(mac)
}

fn mac_bytes(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    bytes.filter(|bytes| bytes.len() == 6)
}

fn domif_setlink(session: &mut Session, args: &Args) -> Result<()> {
    let (name, state) = (args.required("interface")?, args.required("state")?);
    if !matches!(state, "up" | "down") {
        bail!("invalid link state '{state}'");
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let config = args.has("config") || !connection.domains().is_active(&domain)?;
    let description = if args.has("config") { DOMAIN_XML_INACTIVE } else { 0 };
    let tree = device_tree::tree(&*connection, &domain, description)?;
    if interfaces(&tree).next().is_none() {
        bail!("Failed to extract interface information or no interfaces found");
    }
    let called = |interface: &&Element| match mac_bytes(name) {
        Some(_) => has_mac(interface, name),
        None => interface.child_attribute("target", "dev") == Some(name),
    };
    let Some(interface) = interfaces(&tree).find(called) else {
        bail!("interface '{name}' not found");
    };
    let mut changed = interface.clone();
    let added = changed.child("link").is_none();
    changed.child_or_new("link").set("state", state);
    let xml = if added { with_new_child(&changed) } else { fragment(&changed) };
    if args.has("print-xml") {
        return session.show(&json!({ "xml": xml }), |session| session.print(&xml));
    }
    let flags = if config { DOMAIN_AFFECT_CONFIG } else { DOMAIN_AFFECT_LIVE };
    let answer = connection.domains().update_device(&domain, &xml, flags);
    answer.context("Failed to update interface link state")?;
    session.print_extra("Device updated successfully\n");
    Ok(())
}
