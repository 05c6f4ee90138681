//! What a network's definition may not say, beyond the form of each of its elements.

use super::Element;
use crate::error::{Error, ErrorCode, Result};
use std::net::IpAddr;

/// Refuses a definition of the network `name` that contradicts itself.
pub(super) fn check(tree: &Element, name: &str) -> Result<()> {
    check_domain(tree, name)?;
    check_bridge(tree, name)?;
    check_vlans(tree)?;
    check_dns(tree, name)?;
    check_virtual_port(tree)?;
    if tree.children("portgroup").any(|group| group.attribute("name").is_none()) {
        return Err(Error::xml("Missing required name attribute in portgroup"));
    }
    tree.children("ip").try_for_each(|ip| check_address(ip, name))?;
    for route in tree.children("route") {
        check_route(route, name)?;
        check_gateway(tree, route, name)?;
    }
    tree.child("forward").map_or(Ok(()), |forward| check_forward(forward, name))
}

fn check_domain(tree: &Element, name: &str) -> Result<()> {
    let Some(domain) = tree.child("domain") else {
        return Ok(());
    };
    if domain.attribute("register") == Some("yes") && domain.attribute("localOnly") != Some("yes") {
        return Err(Error::unsupported_configuration(format!(
            "attribute 'register=yes' in <domain> element requires 'localOnly=yes' in network {name}"
        )));
    }
    Ok(())
}

fn check_bridge(tree: &Element, name: &str) -> Result<()> {
    if let Some(size) = tree.child_attribute("mtu", "size").filter(|size| size.parse::<u32>().is_err()) {
        return Err(Error::xml(format!("Invalid mtu size '{size}' in network '{name}'")));
    }
    let Some(bridge) = tree.child("bridge") else {
        return Ok(());
    };
    if bridge.attribute("delay").is_some_and(|delay| delay.parse::<u32>().is_err()) {
        return Err(Error::xml(format!("Invalid delay value in network '{name}'")));
    }
    let manager = bridge.attribute("macTableManager");
    if let Some(manager) = manager.filter(|manager| !["kernel", "libvirt"].contains(manager)) {
        return Err(Error::xml(format!("Invalid macTableManager setting '{manager}' in network '{name}'")));
    }
    let mode = tree.child_attribute("forward", "mode").unwrap_or("none");
    let own = ["none", "nat", "route", "open"].contains(&mode);
    let of_own = ["delay", "stp", "zone"].iter().any(|option| bridge.attribute(option).is_some());
    if !own && of_own {
        return Err(Error::xml(format!(
            "bridge delay/stp/zone options only allowed in open, route, nat, and isolated mode, not in {mode} \
             (network '{name}')"
        )));
    }
    Ok(())
}

fn check_vlans(tree: &Element) -> Result<()> {
    let groups = tree.children("portgroup").filter_map(|group| group.child("vlan"));
    match tree.child("vlan").into_iter().chain(groups).any(|vlan| vlan.child("tag").is_none()) {
        true => {
            Err(Error::xml("missing tag id - each <vlan> must have at least one <tag id='n'/> subelement"))
        }
        false => Ok(()),
    }
}

fn check_virtual_port(tree: &Element) -> Result<()> {
    const TYPES: &[&str] = &["none", "802.1Qbg", "802.1Qbh", "openvswitch", "midonet"];
    match tree.child("virtualport").map(|port| port.attribute("type")) {
        Some(None) => Err(Error::xml("missing required virtualport type")),
        Some(Some(kind)) if !TYPES.contains(&kind) => {
            Err(Error::unsupported_configuration(format!("unknown virtualport type {kind}")))
        }
        _ => Ok(()),
    }
}

fn check_dns(tree: &Element, name: &str) -> Result<()> {
    let Some(dns) = tree.child("dns") else {
        return Ok(());
    };
    if dns.attribute("enable") == Some("no") && dns.elements().next().is_some() {
        return Err(Error::xml(format!("Extra data in disabled network '{name}'")));
    }
    for forwarder in dns.children("forwarder") {
        match forwarder.attribute("addr") {
            None if forwarder.attribute("domain").is_none() => {
                let detail = "Invalid forwarder element, must contain at least one of addr or domain";
                return Err(Error::xml(detail));
            }
            Some(address) if address.parse::<IpAddr>().is_err() => {
                let detail = format!("Invalid forwarder IP address '{address}' in network '{name}'");
                return Err(Error::xml(detail));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses an `<ip>` whose parts do not fit each other.
fn check_address(ip: &Element, name: &str) -> Result<()> {
    let Some(text) = ip.attribute("address") else {
        return Err(Error::xml(format!("Missing required address attribute in network '{name}'")));
    };
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err(Error::xml(format!("Invalid address '{text}' in network '{name}'")));
    };
    let family = ip.attribute("family");
    match family {
        Some("ipv6") if address.is_ipv4() => {
            return Err(Error::unsupported_configuration(format!(
                "Family 'ipv6' specified for non-IPv6 address '{text}' in network '{name}'"
            )));
        }
        Some("ipv4") | None if address.is_ipv6() => {
            let said = if family.is_some() { "Family 'ipv4'" } else { "no family" };
            return Err(Error::unsupported_configuration(format!(
                "{said} specified for non-IPv4 address '{text}' in network '{name}'"
            )));
        }
        Some("ipv4" | "ipv6") | None => {}
        Some(family) => {
            return Err(Error::xml(format!("Unrecognized family '{family}' in network '{name}'")));
        }
    }
    let (most, version) = if address.is_ipv4() { (32, "IPv4") } else { (128, "IPv6") };
    if let Some(mask) = ip.attribute("netmask") {
        let wrong = if address.is_ipv6() {
            Some(format!("netmask not allowed for IPv6 address '{text}' in network '{name}'"))
        } else if ip.attribute("prefix").is_some() {
            Some(format!("Network '{name}' IP address cannot have both a prefix and a netmask"))
        } else if mask.parse::<IpAddr>().is_err() {
            return Err(Error::xml(format!("Invalid netmask '{mask}' in network '{name}'")));
        } else {
            None
        };
        return wrong.map_or(Ok(()), |detail| Err(Error::unsupported_configuration(detail)));
    }
    match ip.attribute("prefix").and_then(|prefix| prefix.parse::<u32>().ok()) {
        Some(prefix) if prefix > most => Err(Error::unsupported_configuration(format!(
            "Invalid {version} prefix '{prefix}' in network '{name}'"
        ))),
        _ => Ok(()),
    }
}

/// Refuses a `<route>` that leads nowhere.
fn check_route(route: &Element, name: &str) -> Result<()> {
    let refused = |detail: String| Err(Error::xml(format!("{name}: {detail} in route definition")));
    let Some(text) = route.attribute("address") else {
        return refused("Missing required address attribute".to_string());
    };
    let Some(gateway_text) = route.attribute("gateway") else {
        return refused("Missing required gateway attribute".to_string());
    };
    let (Ok(address), Ok(gateway)) = (text.parse::<IpAddr>(), gateway_text.parse::<IpAddr>()) else {
        return match text.parse::<IpAddr>() {
            Err(_) => refused(format!("Bad network address '{text}'")),
            Ok(_) => refused(format!("Bad gateway address '{gateway_text}'")),
        };
    };
    let six = match route.attribute("family") {
        None | Some("ipv4") => false,
        Some("ipv6") => true,
        Some(family) => return refused(format!("Unrecognized family '{family}'")),
    };
    let (said, wanted) = match (route.attribute("family"), six) {
        (None, _) => ("No family", "non-IPv4"),
        (_, true) => ("ipv6 family", "non-IPv6"),
        (_, false) => ("ipv4 family", "non-IPv4"),
    };
    for (what, found) in [("address", address), ("gateway", gateway)] {
        if found.is_ipv6() != six {
            // The address is what is named, whichever of both it is.
            return refused(format!("{said} specified for {wanted} {what} '{text}'"));
        }
    }
    let prefix = match (route.attribute("netmask"), route.attribute("prefix")) {
        (Some(_), Some(_)) => {
            let detail = format!("{name}: Route definition cannot have both a prefix and a netmask");
            return Err(Error::xml(detail));
        }
        (Some(mask), None) => match mask.parse::<IpAddr>() {
            Ok(IpAddr::V4(mask)) => u32::from(mask).leading_ones(),
            _ => return refused(format!("Bad netmask address '{mask}'")),
        },
        (None, Some(prefix)) => prefix.parse().unwrap_or(0),
        (None, None) if super::network::as_number(address) == 0 => 0,
        (None, None) => width(address),
    };
    if prefix > width(address) {
        let most = width(address);
        return Err(Error::xml(format!(
            "{name}: Invalid prefix {prefix} specified in route definition, must be 0 - {most}"
        )));
    }
    let bare = route.attribute("netmask").is_none() && route.attribute("prefix").is_none();
    let host = width(address) - prefix;
    let rest = super::network::as_number(address) & !(u128::MAX.checked_shl(host).unwrap_or(0));
    if rest != 0 || bare && super::network::as_number(address) != 0 {
        return Err(Error::xml(format!(
            "{name}: Address '{text}' in route definition is not a network address"
        )));
    }
    Ok(())
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A gateway must lie in one of the network's own ranges.
fn check_gateway(tree: &Element, route: &Element, name: &str) -> Result<()> {
    let text = route.attribute("gateway").unwrap_or_default();
    let Ok(gateway) = text.parse::<IpAddr>() else {
        return Ok(());
    };
    let reaches = |ip: &Element| {
        super::network::address_of(ip).is_some_and(|(own, prefix)| {
            let host = width(own).saturating_sub(prefix);
            let net = |address| super::network::as_number(address).checked_shr(host).unwrap_or(0);
            own.is_ipv4() == gateway.is_ipv4() && net(own) == net(gateway)
        })
    };
    match tree.children("ip").any(reaches) {
        true => Ok(()),
        false => Err(Error::unsupported_configuration(format!(
            "unreachable static route gateway '{text}' specified for network '{name}'"
        ))),
    }
}

fn check_forward(forward: &Element, name: &str) -> Result<()> {
    let mode = forward.attribute("mode").unwrap_or("nat");
    let device = forward.attribute("dev");
    if mode == "open" && device.is_some() {
        let detail = format!("forward dev not allowed for network '{name}' with forward mode='open'");
        return Err(Error::xml(detail));
    }
    for (place, interface) in forward.children("interface").enumerate() {
        let Some(own) = interface.attribute("dev") else {
            return Err(Error::xml(format!(
                "Missing required dev attribute in <forward> <interface> element of network {name}"
            )));
        };
        if let Some(device) = device.filter(|device| place == 0 && *device != own) {
            return Err(Error::xml(format!(
                "<forward dev='{device}'> must match first <interface dev='{own}'/> in network {name}"
            )));
        }
    }
    let driver = forward.child_attribute("driver", "name");
    if let Some(driver) = driver.filter(|driver| !["kvm", "vfio", "xen"].contains(driver)) {
        return Err(super::shape::invalid_attribute("driver", "name", driver));
    }
    let Some(nat) = forward.child("nat") else {
        return Ok(());
    };
    if mode != "nat" {
        return Err(Error::xml(format!(
            "The <nat> element can only be used when <forward> 'mode' is 'nat' in network {name}"
        )));
    }
    let place = format!("in <nat> in <forward> in network {name}");
    for end in ["start", "end"] {
        if nat.child("address").is_some_and(|address| address.attribute(end).is_none()) {
            return Err(Error::xml(format!("missing '{end}' attribute in <address> element {place}")));
        }
    }
    for end in ["start", "end"] {
        let port = nat.child("port").map(|port| port.attribute(end).map(str::parse::<u16>));
        if port.is_some_and(|number| !matches!(number, Some(Ok(_)))) {
            let message = format!("Missing or invalid '{end}' attribute in <port> {place}");
            return Err(Error::new(ErrorCode::XML_DETAIL, message));
        }
    }
    Ok(())
}
