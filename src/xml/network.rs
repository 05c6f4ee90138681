//! Virtual networks' XML in libvirt's canonical form.

use super::network_rules;
use crate::error::{Error, ErrorCode, Result};
use crate::xml::Element;
use crate::xml::domain::devices::interface::{BANDWIDTH, VIRTUAL_PORT, VLAN};
use crate::xml::shape::{
    Shape, hexadecimal, many, one, one_of, positive, shape, text, text_shape, unsigned, yes_no,
};
use std::net::IpAddr;
use uuid::Uuid;

/// `<network>` in libvirt's order.
pub static NETWORK: Shape =
    shape("network").attributes(&[yes_no("ipv6"), yes_no("trustGuestRxFilters")]).children(&[
        one(&NAME),
        one(&ID),
        one(&TITLE),
        one(&DESCRIPTION),
        one(&METADATA),
        one(&FORWARD),
        one(&BRIDGE),
        one(&MTU),
        one(&MAC),
        one(&DOMAIN),
        one(&DNS),
        one(&VLAN),
        one(&BANDWIDTH),
        one(&PORT),
        many(&IP),
        many(&ROUTE),
        one(&VIRTUAL_PORT),
        many(&PORTGROUP),
    ]);

static NAME: Shape = shape("name").with_text();
static ID: Shape = shape("uuid").with_text();
static TITLE: Shape = text_shape("title");
static DESCRIPTION: Shape = text_shape("description");
static METADATA: Shape = shape("metadata").verbatim();
/// `<forward>` of a network.
pub static FORWARD: Shape =
    shape("forward").attributes(&[text("dev"), text("mode"), yes_no("managed")]).children(&[
        one(&FORWARD_DRIVER),
        one(&NAT),
        one(&FORWARD_PF),
        many(&FORWARD_INTERFACE),
        many(&FORWARD_ADDRESS),
    ]);
static FORWARD_DRIVER: Shape = shape("driver").attributes(&[text("name"), text("model")]);
static NAT: Shape =
    shape("nat").attributes(&[yes_no("ipv6")]).children(&[one(&NAT_ADDRESS), one(&NAT_PORT)]).unless_empty();
static NAT_ADDRESS: Shape = shape("address").attributes(&[text("start"), text("end")]);
static NAT_PORT: Shape = shape("port").attributes(&[unsigned("start"), unsigned("end")]);
static FORWARD_PF: Shape = shape("pf").attributes(&[text("dev")]);
/// `<interface>` of a network's forwarding.
pub static FORWARD_INTERFACE: Shape = shape("interface").attributes(&[text("dev").required()]);
static FORWARD_ADDRESS: Shape = shape("address").attributes(&[
    text("type"),
    hexadecimal("domain", 4),
    hexadecimal("bus", 2),
    hexadecimal("slot", 2),
    hexadecimal("function", 1),
]);
static BRIDGE: Shape = shape("bridge").attributes(&[
    text("name"),
    text("zone"),
    text("stp"),
    text("delay"),
    one_of("macTableManager", &["kernel", "libvirt"]),
]);
static MTU: Shape = shape("mtu").attributes(&[unsigned("size").required()]);
static MAC: Shape = shape("mac").attributes(&[text("address")]);
static DOMAIN: Shape =
    shape("domain").attributes(&[text("name"), yes_no("localOnly"), yes_no("register")]).unless_empty();
/// `<dns>` of a network.
pub static DNS: Shape = shape("dns")
    .attributes(&[yes_no("enable"), yes_no("forwardPlainNames")])
    .children(&[many(&FORWARDER), many(&DNS_TEXT), many(&DNS_SERVICE), many(&DNS_HOST)])
    .unless_empty();
static FORWARDER: Shape = shape("forwarder").attributes(&[text("domain"), text("addr")]);
/// `<txt>` of a network's DNS.
pub static DNS_TEXT: Shape = shape("txt").attributes(&[text("name"), text("value")]);
/// `<srv>` of a network's DNS.
pub static DNS_SERVICE: Shape = shape("srv").attributes(&[
    text("service"),
    text("protocol"),
    text("domain"),
    text("target"),
    unsigned("port"),
    unsigned("priority"),
    unsigned("weight"),
]);
/// `<host>` of a network's DNS.
pub static DNS_HOST: Shape = shape("host").attributes(&[text("ip")]).children(&[many(&HOSTNAME)]);
static HOSTNAME: Shape = text_shape("hostname");
static PORT: Shape = shape("port").attributes(&[yes_no("isolated")]).unless_empty();
/// `<ip>` of a network.
pub static IP: Shape = shape("ip")
    .attributes(&[text("family"), text("address"), text("netmask"), unsigned("prefix"), yes_no("localPtr")])
    .children(&[one(&TFTP), one(&DHCP)])
    .after(two_tags);
static TFTP: Shape = shape("tftp").attributes(&[text("root")]);
/// `<dhcp>` of an address of a network.
pub static DHCP: Shape =
    shape("dhcp").children(&[many(&RANGE), many(&DHCP_HOST), one(&BOOTP)]).unless_empty();
/// `<range>` of a DHCP server.
pub static RANGE: Shape = shape("range").attributes(&[text("start"), text("end")]).children(&[one(&LEASE)]);
/// `<host>` of a DHCP server.
pub static DHCP_HOST: Shape =
    shape("host").attributes(&[text("id"), text("mac"), text("name"), text("ip")]).children(&[one(&LEASE)]);
static LEASE: Shape = shape("lease").attributes(&[unsigned("expiry"), text("unit")]);
static BOOTP: Shape = shape("bootp").attributes(&[text("file"), text("server")]);
static ROUTE: Shape = shape("route").attributes(&[
    text("family"),
    text("address"),
    text("netmask"),
    unsigned("prefix"),
    text("gateway"),
    positive("metric"),
]);
/// `<portgroup>` of a network.
pub static PORTGROUP: Shape = shape("portgroup")
    .attributes(&[text("name"), yes_no("default"), yes_no("trustGuestRxFilters")])
    .children(&[one(&VLAN), one(&VIRTUAL_PORT), one(&BANDWIDTH)])
    .after(two_tags);

/// What libvirt never closes at once.
fn two_tags(element: &mut Element) -> Result<()> {
    if element.elements().next().is_none() {
        element.set_text("\n");
    }
    Ok(())
}

/// The ways a network may be forwarded.
const MODES: &[&str] = &["nat", "route", "open", "bridge", "private", "vepa", "passthrough", "hostdev"];

/// Turns a network's definition into its canonical form, or says why it cannot be one.
pub fn complete(tree: &mut Element) -> Result<()> {
    if tree.name != "network" {
        let found = &tree.name;
        return Err(Error::xml(format!("expecting root element of 'network', not '{found}'")));
    }
    let name = tree.child_text("name").unwrap_or_default();
    if name.is_empty() {
        let mut error = Error::new(ErrorCode::NO_NAME, "");
        error.message = ErrorCode::NO_NAME.prefix().to_string();
        return Err(error);
    }
    if name.contains('/') {
        return Err(detail("invalid char in name: /".to_string()));
    }
    settle_id(tree)?;
    network_rules::check(tree, &name)?;
    settle_forward(tree)?;
    settle_bridge(tree);
    settle_mac(tree, &name)?;
    check_dns(tree, &name)?;
    for ip in tree.elements_mut().filter(|child| child.name == "ip") {
        check_ip(ip, &name)?;
    }
    tree.retain(|child| child.name != "domain" || child.attribute("name").is_some());
    NETWORK.conform(tree, &mut Vec::new())?;
    NETWORK.arrange(tree);
    Ok(())
}

fn settle_id(tree: &mut Element) -> Result<()> {
    let uuid = match tree.child_text("uuid") {
        None => Uuid::new_v4(),
        Some(text) => Uuid::try_parse(&text).map_err(|_| Error::internal("malformed uuid element"))?,
    };
    tree.child_or_new("uuid").set_text(uuid);
    Ok(())
}

fn settle_forward(tree: &mut Element) -> Result<()> {
    let name = tree.child_text("name").unwrap_or_default();
    let addressed = tree.child("ip").is_some();
    let Some(forward) = tree.child_mut("forward") else {
        return Ok(());
    };
    let mode = forward.attribute("mode").unwrap_or("nat").to_string();
    if !MODES.contains(&mode.as_str()) {
        return Err(Error::unsupported_configuration(format!("unknown forwarding type '{mode}'")));
    }
    if ["nat", "route"].contains(&mode.as_str()) && !addressed {
        let detail = format!("{mode} forwarding requested, but no IP address provided for network '{name}'");
        return Err(Error::xml(detail));
    }
    forward.set("mode", &mode);
    if mode == "hostdev" && forward.attribute("managed").is_none() {
        forward.set("managed", "no");
    }
    match (forward.attribute("dev").map(str::to_string), forward.child("interface")) {
        (Some(dev), None) => forward.push(Element::new("interface").with("dev", dev)),
        (_, Some(first)) => {
            let dev = first.attribute("dev").unwrap_or_default().to_string();
            forward.set("dev", dev);
        }
        (None, None) => {}
    }
    Ok(())
}

/// Networks of their own have a bridge, made by libvirt; of others' it only knows the name.
fn settle_bridge(tree: &mut Element) {
    let mode = tree.child_attribute("forward", "mode");
    let own = mode.is_none_or(|mode| ["nat", "route", "open"].contains(&mode));
    if own {
        let bridge = tree.child_or_new("bridge");
        let spanning = if bridge.attribute("stp") == Some("off") { "off" } else { "on" };
        bridge.set("stp", spanning);
        let delay = bridge.attribute("delay").and_then(|delay| delay.parse::<u32>().ok());
        bridge.set("delay", delay.unwrap_or(0));
    } else if let Some(bridge) = tree.child_mut("bridge") {
        bridge.unset("stp");
        bridge.unset("delay");
        if bridge.attributes.is_empty() {
            tree.remove("bridge");
        }
    }
}

/// A MAC address in small letters, if it is one.
pub fn mac_address(text: &str) -> Option<String> {
    let octets = text.split(':').map(|octet| {
        let short = !octet.is_empty() && octet.len() <= 2;
        u8::from_str_radix(octet, 16).ok().filter(|_| short)
    });
    let octets = octets.collect::<Option<Vec<u8>>>()?;
    let octets: [u8; 6] = octets.try_into().ok()?;
    Some(octets.map(|octet| format!("{octet:02x}")).join(":"))
}

fn settle_mac(tree: &mut Element, name: &str) -> Result<()> {
    let Some(mac) = tree.child_mut("mac") else {
        return Ok(());
    };
    let address = mac.attribute("address").unwrap_or_default().to_string();
    let Some(canonical) = mac_address(&address) else {
        let detail = format!("Invalid bridge mac address '{address}' in network '{name}'");
        return Err(Error::xml(detail));
    };
    // The lowest bit of the first octet tells groups from cards.
    if u8::from_str_radix(&canonical[..2], 16).is_ok_and(|octet| octet & 1 != 0) {
        let detail = format!("Invalid multicast bridge mac address '{address}' in network '{name}'");
        return Err(Error::xml(detail));
    }
    mac.set("address", canonical);
    Ok(())
}

fn detail(message: String) -> Error {
    Error::new(ErrorCode::XML_DETAIL, message)
}

fn check_dns(tree: &Element, network: &str) -> Result<()> {
    let Some(dns) = tree.child("dns") else {
        return Ok(());
    };
    dns.elements().try_for_each(|record| check_dns_record(record, network))
}

/// Refuses a record of a network's DNS that lacks what it must have.
pub fn check_dns_record(record: &Element, network: &str) -> Result<()> {
    match record.name.as_str() {
        "txt" => match (record.attribute("name"), record.attribute("value")) {
            (None, _) => {
                Err(detail(format!("missing required name attribute in DNS TXT record of network {network}")))
            }
            (Some(name), None) => Err(detail(format!(
                "missing required value attribute in DNS TXT record named '{name}' of network {network}"
            ))),
            _ => Ok(()),
        },
        "host" => {
            let named = record.children("hostname").any(|name| !name.text().trim().is_empty());
            if !named {
                return Err(detail(format!("Missing hostname in network '{network}' DNS HOST record")));
            }
            match record.attribute("ip") {
                None => Err(detail(format!("Missing IP address in network '{network}' DNS HOST record"))),
                Some(address) if address.parse::<IpAddr>().is_err() => {
                    Err(detail(format!("Invalid IP address in network '{network}' DNS HOST record")))
                }
                Some(_) => Ok(()),
            }
        }
        "srv" => match (record.attribute("service"), record.attribute("protocol")) {
            (None, _) => Err(detail(format!(
                "missing required service attribute in DNS SRV record of network '{network}'"
            ))),
            (Some(service), None) => Err(detail(format!(
                "missing required protocol attribute in DNS SRV record '{service}' of network '{network}'"
            ))),
            (Some(service), _)
                if record.attribute("port").is_some_and(|port| port.parse::<u16>().is_err()) =>
            {
                Err(detail(format!(
                    "invalid DNS SRV port attribute for service '{service}' in network '{network}'"
                )))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The address of an `<ip>` and the length of its prefix, if it says both.
pub fn address_of(ip: &Element) -> Option<(IpAddr, u32)> {
    let address: IpAddr = ip.attribute("address")?.parse().ok()?;
    let prefix = match (ip.attribute("prefix"), ip.attribute("netmask")) {
        (Some(prefix), _) => prefix.parse().ok()?,
        (None, Some(mask)) => match mask.parse().ok()? {
            IpAddr::V4(mask) => u32::from(mask).leading_ones(),
            IpAddr::V6(_) => return None,
        },
        (None, None) => return None,
    };
    Some((address, prefix))
}

fn check_ip(ip: &Element, network: &str) -> Result<()> {
    let Some(dhcp) = ip.child("dhcp") else {
        return Ok(());
    };
    dhcp.children("range").try_for_each(|range| check_range(ip, range, network))?;
    dhcp.children("host").try_for_each(|host| check_host(ip, host, network, false))
}

/// An address as a number wide enough for both families.
pub fn as_number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Refuses a range of addresses that is not one, or does not lie in its network.
pub fn check_range(ip: &Element, range: &Element, network: &str) -> Result<()> {
    let end = |name: &str| {
        let text = range.attribute(name);
        text.ok_or_else(|| {
            Error::xml(format!("Missing '{name}' attribute in dhcp range for network '{network}'"))
        })
    };
    let (start, end) = (end("start")?, end("end")?);
    let address = |text: &str| {
        text.parse::<IpAddr>().map_err(|_| {
            let message = format!("Cannot parse socket address '{text}': Name or service not known");
            Error::new(ErrorCode::SYSTEM, message)
        })
    };
    let (first, last) = (address(start)?, address(end)?);
    if first.is_ipv4() != last.is_ipv4() {
        return Err(Error::internal(format!("mismatch of address family in range {start} - {end}")));
    }
    if let Some((address, prefix)) = address_of(ip) {
        let width: u32 = if address.is_ipv4() { 32 } else { 128 };
        let shift = width.saturating_sub(prefix);
        let net = |address: IpAddr| as_number(address).checked_shr(shift).unwrap_or(0);
        let family = address.is_ipv4() == first.is_ipv4();
        if !family || net(first) != net(address) || net(last) != net(address) {
            let detail = format!("range {start} - {end} is not entirely within network {address}/{prefix}");
            return Err(Error::internal(detail));
        }
        let whole = if address.is_ipv4() { u128::from(u32::MAX) } else { u128::MAX };
        let host = whole & !u128::MAX.checked_shl(shift).unwrap_or(0);
        let place = format!("of range {start} - {end} in network {address}/{prefix}");
        if address.is_ipv4() && host != 0 && as_number(first) & host == 0 {
            return Err(Error::internal(format!("start {place} is the network address")));
        }
        if address.is_ipv4() && host != 0 && as_number(last) & host == host {
            return Err(Error::internal(format!("end {place} is the broadcast address")));
        }
    }
    if as_number(first) > as_number(last) {
        return Err(Error::internal(format!("range {start} - {end} is reversed ")));
    }
    Ok(())
}

/// Refuses a host of a DHCP server that cannot be told from others; `partial` if it only has to name one.
pub fn check_host(ip: &Element, host: &Element, network: &str, partial: bool) -> Result<()> {
    if let Some(mac) = host.attribute("mac") {
        if mac_address(mac).is_none() {
            let detail = format!("Cannot parse MAC address '{mac}' in network '{network}'");
            return Err(Error::xml(detail));
        }
    }
    if let Some(address) = host.attribute("ip") {
        if address.parse::<IpAddr>().is_err() {
            let detail = format!("Invalid IP address in static host definition for network '{network}'");
            return Err(Error::xml(detail));
        }
    }
    let has = |name: &str| host.attribute(name).is_some();
    if partial {
        return match has("mac") || has("name") || has("ip") || has("id") {
            true => Ok(()),
            false => Err(Error::xml(format!(
                "At least one of name, mac, or ip attribute must be specified for static host definition \
                 in network '{network}' "
            ))),
        };
    }
    let six = ip.attribute("family") == Some("ipv6");
    match (six, has("mac") || has("name") || (six && has("id")), has("ip")) {
        (_, false, _) => Err(Error::xml(format!(
            "Static host definition in IPv4 network '{network}' must have mac or name attribute"
        ))),
        (_, _, false) => {
            Err(Error::xml(format!("Missing IP address in static host definition for network '{network}'")))
        }
        _ => Ok(()),
    }
}
