//! The XML of the host's network interfaces in libvirt's canonical form.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, invalid_attribute, is_empty, many, one, shape, text};

/// `<interface>` in libvirt's order.
pub static INTERFACE: Shape = shape("interface")
    .attributes(&[text("type"), text("name")])
    .children(&[
        one(&START),
        one(&MTU),
        many(&PROTOCOL),
        one(&LINK),
        one(&MAC),
        one(&BRIDGE),
        one(&BOND),
        one(&VLAN),
    ])
    .after(two_tags);
static START: Shape = shape("start").attributes(&[text("mode")]);
static MTU: Shape = shape("mtu").attributes(&[text("size")]);
static LINK: Shape = shape("link").attributes(&[text("speed"), text("state")]).unless_empty();
static MAC: Shape = shape("mac").attributes(&[text("address")]).unless_empty();
static PROTOCOL: Shape = shape("protocol")
    .attributes(&[text("family")])
    .children(&[one(&AUTOCONF), one(&DHCP), many(&IP), one(&ROUTE)])
    .before(drop_nameless)
    .after(two_tags);
static AUTOCONF: Shape = shape("autoconf");
static DHCP: Shape = shape("dhcp").attributes(&[text("peerdns")]);
static IP: Shape = shape("ip").attributes(&[text("address"), text("prefix")]).unless_empty();
static ROUTE: Shape = shape("route").attributes(&[text("gateway")]).unless_empty();
static BRIDGE: Shape = shape("bridge")
    .attributes(&[text("stp"), text("delay")])
    .children(&[many(&INTERFACE)])
    .before(drop_unknown_stp)
    .after(two_tags);
static BOND: Shape = shape("bond")
    .attributes(&[text("mode")])
    .children(&[one(&MIIMON), one(&ARPMON), many(&INTERFACE)])
    .after(two_tags);
static MIIMON: Shape =
    shape("miimon").attributes(&[text("freq"), text("downdelay"), text("updelay"), text("carrier")]);
static ARPMON: Shape = shape("arpmon").attributes(&[text("interval"), text("target"), text("validate")]);
static VLAN: Shape = shape("vlan").attributes(&[text("tag")]).children(&[one(&VLAN_INTERFACE)]);
static VLAN_INTERFACE: Shape = shape("interface").attributes(&[text("name")]);

/// What libvirt never closes at once.
fn two_tags(element: &mut Element) -> Result<()> {
    if element.elements().next().is_none() {
        element.set_text("\n");
    }
    Ok(())
}

/// A word that is neither says nothing.
fn drop_unknown_stp(bridge: &mut Element) -> Result<()> {
    if !matches!(bridge.attribute("stp"), Some("on" | "off")) {
        bridge.unset("stp");
    }
    Ok(())
}

/// What has no address is no address.
fn drop_nameless(protocol: &mut Element) -> Result<()> {
    protocol.retain(|part| part.name != "ip" || part.attribute("address").is_some());
    Ok(())
}

/// How interfaces may start.
const START_MODES: &[&str] = &["onboot", "hotplug", "none"];
/// How bonds may share their load.
const BOND_MODES: &[&str] =
    &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];

/// Turns an interface's definition into its canonical form, or says why it cannot be one.
pub fn complete(tree: &mut Element) -> Result<()> {
    if tree.name != "interface" {
        let found = &tree.name;
        return Err(Error::xml(format!("expecting root element of 'interface', not '{found}'")));
    }
    check(tree)?;
    INTERFACE.conform(tree, &mut Vec::new())
}

fn check(tree: &Element) -> Result<()> {
    let kind = match tree.attribute("type") {
        Some(kind @ ("ethernet" | "bridge" | "bond" | "vlan")) => kind,
        Some(kind) => {
            let detail = format!("Invalid value for attribute 'type' in element 'interface': '{kind}'.");
            return Err(Error::xml(detail));
        }
        None => {
            return Err(Error::xml("Missing required attribute 'type' in element 'interface'"));
        }
    };
    if tree.attribute("name").is_none_or(str::is_empty) {
        return Err(Error::xml("interface has no name"));
    }
    if tree.child_attribute("mtu", "size").is_some_and(|size| size.parse::<u32>().is_err()) {
        // libvirt has no words for this one.
        let message = "An error occurred, but the cause is unknown".to_string();
        return Err(Error { message, ..Error::internal("") });
    }
    if let Some(mode) = tree.child_attribute("start", "mode") {
        if !START_MODES.contains(&mode) {
            return Err(Error::xml(format!("unknown interface startmode {mode}")));
        }
    }
    for protocol in tree.children("protocol") {
        match protocol.attribute("family") {
            Some("ipv4" | "ipv6") => check_addresses(protocol)?,
            Some(family) => return Err(Error::xml(format!("unsupported protocol family '{family}'"))),
            None => return Err(Error::xml("protocol misses the family attribute")),
        }
    }
    match kind {
        "bridge" => check_bridge(tree),
        "bond" => check_bond(tree),
        "vlan" => check_vlan(tree),
        _ => Ok(()),
    }
}

fn check_addresses(protocol: &Element) -> Result<()> {
    if let Some(word) =
        protocol.child_attribute("dhcp", "peerdns").filter(|word| !["yes", "no"].contains(word))
    {
        return Err(invalid_attribute("dhcp", "peerdns", word));
    }
    let mut prefixes = protocol.children("ip").filter_map(|ip| ip.attribute("prefix"));
    match prefixes.find(|prefix| prefix.parse::<i32>().is_err()) {
        Some(prefix) => {
            let refused = invalid_attribute("ip", "prefix", prefix);
            let message = format!("{} Expected integer value", refused.message);
            Err(Error { message, ..refused })
        }
        None => Ok(()),
    }
}

fn part<'a>(tree: &'a Element, kind: &str) -> Result<&'a Element> {
    let part = tree.child(kind);
    part.ok_or_else(|| Error::xml(format!("{kind} interface misses the {kind} element")))
}

fn check_bridge(tree: &Element) -> Result<()> {
    part(tree, "bridge")?.children("interface").try_for_each(check)
}

fn check_bond(tree: &Element) -> Result<()> {
    let bond = part(tree, "bond")?;
    if let Some(mode) = bond.attribute("mode") {
        if !BOND_MODES.contains(&mode) {
            return Err(Error::xml(format!("unknown bonding mode {mode}")));
        }
    }
    let is_number = |element: &Element, name: &str| {
        element.attribute(name).is_some_and(|text| text.parse::<u32>().is_ok())
    };
    if bond.child("miimon").is_some_and(|monitor| !is_number(monitor, "freq")) {
        return Err(Error::xml("bond interface miimon freq missing or invalid"));
    }
    if let Some(monitor) = bond.child("arpmon") {
        if !is_number(monitor, "interval") {
            return Err(Error::xml("bond interface arpmon interval missing or invalid"));
        }
        if monitor.attribute("target").is_none() {
            return Err(Error::xml("bond interface arpmon target missing"));
        }
    }
    bond.children("interface").try_for_each(check)
}

fn check_vlan(tree: &Element) -> Result<()> {
    let vlan = part(tree, "vlan")?;
    if vlan.attribute("tag").is_none() {
        return Err(Error::xml("vlan interface misses the tag attribute"));
    }
    match vlan.child("interface") {
        Some(interface) if !is_empty(interface) => Ok(()),
        _ => Err(Error::xml("vlan interface misses name attribute")),
    }
}
