//! Network cards: `mac=00:16:3e:…,bridge=xenbr0,model=e1000`.

use super::{Kind, Use, fields, fits_in_specification};
use crate::backend::xen::native::rate;
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::Interface;

/// An `<interface>` from a specification.
pub(super) fn element(specification: &str, kind: Kind) -> Result<Element> {
    let fields = fields(specification);
    let field = |wanted: &str| {
        let found = fields.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    };
    let bridge = field("bridge");
    let is_routed = field("script").is_some_and(|script| script.ends_with("vif-route"));
    let is_bridge = bridge.is_some()
        || (field("script").is_none_or(|script| script.ends_with("vif-bridge")) && !is_routed);
    let mut element = Element::new("interface").with("type", if is_bridge { "bridge" } else { "ethernet" });
    if let Some(mac) = field("mac") {
        element.push(Element::new("mac").with("address", mac.to_lowercase()));
    }
    if is_bridge {
        element.push(Element::new("source").with("bridge", bridge.unwrap_or("xenbr0")));
    }
    for address in field("ip").unwrap_or_default().split_whitespace() {
        let (address, prefix) = address.split_once('/').map_or((address, None), |(a, p)| (a, Some(p)));
        let mut ip = Element::new("ip").with("address", address);
        ip.set("family", if address.contains(':') { "ipv6" } else { "ipv4" });
        if let Some(prefix) = prefix {
            ip.set("prefix", prefix);
        }
        element.push(ip);
    }
    if let Some(script) = field("script") {
        element.push(Element::new("script").with("path", script));
    }
    if let Some(backend) = field("backend").filter(|backend| *backend != "0" && *backend != "Domain-0") {
        element.push(Element::new("backenddomain").with("name", backend));
    }
    if let Some(limit) = field("rate").map(rate::read).transpose()?.flatten() {
        element.push(limit);
    }
    if let Some(name) = field("vifname") {
        element.push(Element::new("target").with("dev", name));
    }
    let is_emulated = fields.iter().any(|(name, value)| *name == "type" && *value == "ioemu");
    match (field("type"), field("model")) {
        (Some("vif" | "netfront"), _) if kind == Kind::Hvm => {
            element.push(Element::new("model").with("type", "netfront"));
        }
        (_, Some(model)) => element.push(Element::new("model").with("type", model)),
        _ if is_emulated => {}
        _ => {}
    }
    if let Some(mtu) = field("mtu") {
        element.push(Element::new("mtu").with("size", mtu));
    }
    Ok(element)
}

/// The specification of an `<interface>`.
pub fn specification(element: &Element, kind: Kind) -> Result<String> {
    specification_for(element, kind, Use::Kept)
}

/// The specification of an `<interface>`, with the usual script where others expect it.
pub(super) fn specification_for(element: &Element, kind: Kind, purpose: Use) -> Result<String> {
    let card = Interface::parse(element);
    let refuse = |what: String| {
        Err(Error::unsupported_configuration(format!(
            "interface '{}': {what} cannot be had with xl",
            card.mac
        )))
    };
    let mut parts = vec![format!("mac={}", card.mac)];
    match card.kind.as_str() {
        "bridge" => parts.extend(card.bridge.as_ref().map(|bridge| format!("bridge={bridge}"))),
        "ethernet" => {}
        kind => return refuse(format!("the type '{kind}'")),
    }
    let usual = (purpose != Use::Kept && card.kind == "bridge").then_some("vif-bridge");
    let script = card.script.as_deref().or(usual);
    parts.extend(script.map(|script| format!("script={script}")));
    let addresses: Vec<String> = card
        .addresses
        .iter()
        .map(|(address, prefix, _)| {
            prefix.map_or_else(|| address.clone(), |prefix| format!("{address}/{prefix}"))
        })
        .collect();
    if !addresses.is_empty() {
        parts.push(format!("ip={}", addresses.join(" ")));
    }
    parts.extend(card.target.as_ref().map(|name| format!("vifname={name}")));
    match card.model.as_deref() {
        Some("netfront") if kind == Kind::Hvm && purpose == Use::Xm => {
            parts.push("type=netfront".to_string());
        }
        Some("netfront") if kind == Kind::Hvm => parts.push("type=vif".to_string()),
        Some("netfront") | None => {}
        Some(model) if kind == Kind::Hvm => parts.push(format!("model={model}")),
        Some(model) => return refuse(format!("the model '{model}' of a guest without a device model")),
    }
    if let Some(backend) = element.child_attribute("backenddomain", "name") {
        parts.push(format!("backend={backend}"));
    }
    match rate::write(element) {
        Ok(rate) => parts.extend(rate.map(|rate| format!("rate={rate}"))),
        Err(more) => return refuse(more.to_string()),
    }
    parts.extend(card.mtu.map(|mtu| format!("mtu={mtu}")));
    if card.link_down || element.child("vlan").is_some() || element.child("filterref").is_some() {
        return refuse("<link state='down'>, <vlan> or <filterref>".to_string());
    }
    match parts.iter().find(|part| !fits_in_specification(part)) {
        Some(part) => refuse(format!("'{part}'")),
        None => Ok(parts.join(",")),
    }
}
