//! Changing a part of a network: one record added, modified or deleted.

use super::definition::insert_after;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::xml::network::{self, DHCP, DNS, FORWARD, NETWORK};
use crate::xml::shape::Shape;
use crate::xml::{self, Element, Node};

/// The sections by number (`virNetworkUpdateSection`).
const SECTIONS: [&str; 13] = [
    "none",
    "bridge",
    "domain",
    "ip",
    "ip-dhcp-host",
    "ip-dhcp-range",
    "forward",
    "forward interface",
    "forward pf",
    "portgroup",
    "dns-host",
    "dns-txt",
    "dns-srv",
];

fn invalid(detail: String) -> Error {
    Error::invalid_operation(detail)
}

fn unsupported(detail: String) -> Error {
    Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail)
}

/// What is asked for, and of what network.
struct Request<'a> {
    network: String,
    command: u32,
    record: Element,
    parent_index: i32,
    shape: &'a Shape,
}

/// Changes `tree`; it stays canonical.
pub(super) fn apply(
    tree: &mut Element,
    command: u32,
    section: u32,
    parent_index: i32,
    text: &str,
) -> Result<()> {
    let network = tree.child_text("name").unwrap_or_default();
    let shape = match section {
        NETWORK_SECTION_IP_DHCP_HOST => &network::DHCP_HOST,
        NETWORK_SECTION_IP_DHCP_RANGE => &network::RANGE,
        NETWORK_SECTION_FORWARD_INTERFACE => &network::FORWARD_INTERFACE,
        NETWORK_SECTION_PORTGROUP => &network::PORTGROUP,
        NETWORK_SECTION_DNS_HOST => &network::DNS_HOST,
        NETWORK_SECTION_DNS_TXT => &network::DNS_TEXT,
        NETWORK_SECTION_DNS_SRV => &network::DNS_SERVICE,
        _ => {
            let name = SECTIONS.get(section as usize).copied().unwrap_or("unknown");
            return Err(unsupported(format!("can't update '{name}' section of network '{network}'")));
        }
    };
    let record = xml::parse(text, "network_update_xml")?;
    if record.name != shape.name {
        return Err(Error::xml(format!(
            "unexpected element <{}>, expecting <{}>, while updating network '{network}'",
            record.name, shape.name
        )));
    }
    let request = Request { network, command, record, parent_index, shape };
    match section {
        NETWORK_SECTION_IP_DHCP_HOST => request.host(tree)?,
        NETWORK_SECTION_IP_DHCP_RANGE => request.range(tree)?,
        NETWORK_SECTION_FORWARD_INTERFACE => request.forward_interface(tree)?,
        NETWORK_SECTION_PORTGROUP => request.portgroup(tree)?,
        NETWORK_SECTION_DNS_HOST => request.dns(tree, "HOST", same_host)?,
        NETWORK_SECTION_DNS_TXT => request.dns(tree, "TXT", same_text)?,
        _ => request.dns(tree, "SRV", same_service)?,
    }
    NETWORK.arrange(tree);
    Ok(())
}

/// Whether the attributes that `wanted` has of these are those of `known`, and it has any.
fn same(known: &Element, wanted: &Element, names: &[&str]) -> bool {
    let mut named = names.iter().filter(|name| wanted.attribute(name).is_some()).peekable();
    named.peek().is_some() && named.all(|name| known.attribute(name) == wanted.attribute(name))
}

fn shares(known: &Element, wanted: &Element, names: &[&str]) -> bool {
    names.iter().any(|name| {
        let equal = |one: &str, other: &str| match *name {
            "mac" => one.eq_ignore_ascii_case(other),
            _ => one == other,
        };
        matches!((known.attribute(name), wanted.attribute(name)), (Some(a), Some(b)) if equal(a, b))
    })
}

/// DNS hosts are the same when they have the same address or share a name.
fn same_host(known: &Element, wanted: &Element) -> bool {
    let names = |host: &Element| -> Vec<String> {
        host.children("hostname").map(|name| name.text().trim().to_string()).collect()
    };
    let (mine, theirs) = (names(known), names(wanted));
    known.attribute("ip").is_some() && known.attribute("ip") == wanted.attribute("ip")
        || mine.iter().any(|name| theirs.contains(name))
}

fn same_text(known: &Element, wanted: &Element) -> bool {
    known.attribute("name") == wanted.attribute("name")
}

fn same_service(known: &Element, wanted: &Element) -> bool {
    same(known, wanted, &["service", "protocol", "domain", "target", "port", "priority", "weight"])
}

impl Request<'_> {
    fn is_add(&self) -> bool {
        matches!(self.command, NETWORK_UPDATE_COMMAND_ADD_FIRST | NETWORK_UPDATE_COMMAND_ADD_LAST)
    }

    fn unknown_command<T>(&self) -> Result<T> {
        let detail = format!("unrecognized network update command code {}", self.command);
        Err(unsupported(detail))
    }

    /// The record in its canonical form.
    fn canonical(&self) -> Result<Element> {
        let mut record = self.record.clone();
        self.shape.conform(&mut record, &mut Vec::new())?;
        Ok(record)
    }

    /// Adds the record before or after its like.
    fn add(&self, parent: &mut Element) -> Result<()> {
        let record = self.canonical()?;
        match self.command {
            NETWORK_UPDATE_COMMAND_ADD_FIRST => parent.nodes.insert(0, Node::Element(record)),
            _ => insert_after(parent, record, &[self.shape.name]),
        }
        Ok(())
    }

    /// The address of the network that the record belongs to: the one of the parent's index, or the only one
    /// that has a DHCP server, or the first of a kind that can have one.
    fn ip<'a>(&self, tree: &'a mut Element) -> Result<&'a mut Element> {
        let what = if self.shape.name == "range" { "dhcp range" } else { "dhcp host" };
        let network = &self.network;
        let position = match usize::try_from(self.parent_index) {
            Ok(index) => Some(index),
            Err(_) => {
                let address = self.record.attribute("ip").or_else(|| self.record.attribute("start"));
                let six = address.is_some_and(|address| address.contains(':'));
                let fits = |ip: &Element| (ip.attribute("family") == Some("ipv6")) == six;
                let served = tree.children("ip").position(|ip| fits(ip) && ip.child("dhcp").is_some());
                served.or_else(|| tree.children("ip").position(fits))
            }
        };
        let found = position.and_then(|at| tree.elements_mut().filter(|child| child.name == "ip").nth(at));
        found.ok_or_else(|| match usize::try_from(self.parent_index) {
            Ok(index) => invalid(format!(
                "couldn't update {what} entry - no <ip> element found at index {index} in network '{network}'"
            )),
            Err(_) => invalid(format!(
                "couldn't update {what} entry - no matching <ip> element found in network '{network}'"
            )),
        })
    }

    fn host(&self, tree: &mut Element) -> Result<()> {
        let network = &self.network;
        let ip = self.ip(tree)?;
        let partial = self.command == NETWORK_UPDATE_COMMAND_DELETE;
        network::check_host(ip, &self.record, network, partial)?;
        let dhcp = ip.child_or_new("dhcp");
        let word = |name: &str| self.record.attribute(name).unwrap_or("(null)").to_string();
        if self.is_add() {
            let taken =
                dhcp.children("host").any(|known| shares(known, &self.record, &["mac", "ip", "name"]));
            if taken {
                return Err(invalid(format!(
                    "there is an existing dhcp host entry in network '{network}' that matches \"<host \
                     mac='{}' name='{}' ip='{}'/>\"",
                    word("mac"),
                    word("name"),
                    word("ip")
                )));
            }
            self.add(dhcp)?;
        } else if self.command == NETWORK_UPDATE_COMMAND_MODIFY {
            let is_it =
                |known: &Element| known.name == "host" && shares(known, &self.record, &["mac", "name"]);
            let found = dhcp.elements_mut().find(|known| is_it(known));
            let Some(found) = found else {
                return Err(invalid(format!(
                    "couldn't locate an existing dhcp host entry with \"mac='{}'\" \"name='{}'\" \
                     \"ip='{}'\" in network '{network}'",
                    word("mac"),
                    word("name"),
                    word("ip")
                )));
            };
            *found = self.canonical()?;
        } else if partial {
            let known =
                |known: &Element| known.name == "host" && same(known, &self.record, &["mac", "name", "ip"]);
            if !remove_first(dhcp, known) {
                let detail = format!("couldn't locate a matching dhcp host entry in network '{network}'");
                return Err(invalid(detail));
            }
        } else {
            return self.unknown_command();
        }
        tidy_dhcp(ip);
        Ok(())
    }

    fn range(&self, tree: &mut Element) -> Result<()> {
        let network = &self.network;
        if self.command == NETWORK_UPDATE_COMMAND_MODIFY {
            let detail = "dhcp ranges cannot be modified, only added or deleted";
            return Err(unsupported(detail.to_string()));
        }
        let ip = self.ip(tree)?;
        network::check_range(ip, &self.record, network)?;
        let dhcp = ip.child_or_new("dhcp");
        let is_it = |known: &Element| known.name == "range" && same(known, &self.record, &["start", "end"]);
        if self.is_add() {
            if dhcp.children("range").any(is_it) {
                let word = |name: &str| self.record.attribute(name).unwrap_or_default().to_string();
                return Err(invalid(format!(
                    "there is an existing dhcp range entry in network '{network}' that matches \"<range \
                     start='{}' end='{}'/>\"",
                    word("start"),
                    word("end")
                )));
            }
            self.add(dhcp)?;
        } else if self.command == NETWORK_UPDATE_COMMAND_DELETE {
            if !remove_first(dhcp, is_it) {
                let detail = format!("couldn't locate a matching dhcp range entry in network '{network}'");
                return Err(invalid(detail));
            }
        } else {
            return self.unknown_command();
        }
        tidy_dhcp(ip);
        Ok(())
    }

    fn forward_interface(&self, tree: &mut Element) -> Result<()> {
        let network = &self.network;
        if self.command == NETWORK_UPDATE_COMMAND_MODIFY {
            let detail = "forward interface entries cannot be modified, only added or deleted";
            return Err(unsupported(detail.to_string()));
        }
        let record = self.canonical()?;
        let dev = record.attribute("dev").unwrap_or_default().to_string();
        let mut forward = tree.child("forward").cloned().unwrap_or_else(|| Element::new("forward"));
        let is_it =
            |known: &Element| known.name == "interface" && known.attribute("dev") == Some(dev.as_str());
        if self.is_add() {
            if forward.elements().any(is_it) {
                return Err(invalid(format!(
                    "there is an existing interface entry in network '{network}' that matches \"<interface \
                     dev='{dev}'>\""
                )));
            }
            self.add(&mut forward)?;
        } else if self.command == NETWORK_UPDATE_COMMAND_DELETE {
            if !remove_first(&mut forward, is_it) {
                return Err(invalid(format!(
                    "couldn't find an interface entry in network '{network}' matching <interface dev='{dev}'>"
                )));
            }
        } else {
            return self.unknown_command();
        }
        let first = forward.child_attribute("interface", "dev").map(str::to_string);
        match first {
            Some(first) => forward.set("dev", first),
            None => forward.unset("dev"),
        }
        FORWARD.arrange(&mut forward);
        tree.remove("forward");
        tree.push(forward);
        Ok(())
    }

    fn portgroup(&self, tree: &mut Element) -> Result<()> {
        let network = &self.network;
        let record = self.canonical()?;
        let name = record.attribute("name").unwrap_or_default().to_string();
        let is_it =
            |known: &Element| known.name == "portgroup" && known.attribute("name") == Some(name.as_str());
        let there = tree.elements().any(is_it);
        if !there && !self.is_add() {
            return Err(invalid(format!(
                "couldn't find a portgroup entry in network '{network}' matching <portgroup name='{name}'>"
            )));
        }
        if there && self.is_add() {
            return Err(invalid(format!(
                "there is an existing portgroup entry in network '{network}' that matches \"<portgroup \
                 name='{name}'>\""
            )));
        }
        let is_default = |known: &Element| known.attribute("default") == Some("yes");
        let other = tree.children("portgroup").any(|known| !is_it(known) && is_default(known));
        if other && is_default(&record) && self.command != NETWORK_UPDATE_COMMAND_DELETE {
            return Err(invalid(format!(
                "a different portgroup entry in network '{network}' is already set as the default. Only one \
                 default is allowed."
            )));
        }
        match self.command {
            NETWORK_UPDATE_COMMAND_MODIFY => {
                if let Some(known) = tree.elements_mut().find(|known| is_it(known)) {
                    *known = record;
                }
            }
            NETWORK_UPDATE_COMMAND_DELETE => tree.retain(|known| !is_it(known)),
            _ if self.is_add() => self.add(tree)?,
            _ => return self.unknown_command(),
        }
        Ok(())
    }

    fn dns(&self, tree: &mut Element, kind: &str, is_same: fn(&Element, &Element) -> bool) -> Result<()> {
        let network = &self.network;
        if kind == "SRV" && self.command == NETWORK_UPDATE_COMMAND_MODIFY {
            let detail = "DNS SRV records cannot be modified, only added or deleted";
            return Err(unsupported(detail.to_string()));
        }
        let missing =
            || invalid(format!("couldn't locate a matching DNS {kind} record in network {network}"));
        if self.is_add() {
            network::check_dns_record(&self.record, network)?;
        }
        let mut dns = tree.child("dns").cloned().unwrap_or_else(|| Element::new("dns"));
        let is_it = |known: &Element| known.name == self.shape.name && is_same(known, &self.record);
        match self.command {
            _ if self.is_add() => {
                if dns.elements().any(is_it) {
                    return Err(invalid(match kind {
                        "TXT" => {
                            let name = self.record.attribute("name").unwrap_or_default();
                            format!(
                                "there is already a DNS TXT record with name '{name}' in network {network}"
                            )
                        }
                        "HOST" => format!(
                            "there is already at least one DNS HOST record with a matching field in network \
                             {network}"
                        ),
                        _ => format!(
                            "there is already at least one DNS {kind} record matching all specified fields in \
                             network {network}"
                        ),
                    }));
                }
                self.add(&mut dns)?;
            }
            NETWORK_UPDATE_COMMAND_MODIFY => {
                let found = dns.elements_mut().find(|known| is_it(known));
                *found.ok_or_else(missing)? = self.canonical()?;
            }
            NETWORK_UPDATE_COMMAND_DELETE => {
                if !remove_first(&mut dns, is_it) {
                    return Err(missing());
                }
            }
            _ => return self.unknown_command(),
        }
        tree.remove("dns");
        if !xml::shape::is_empty(&dns) {
            DNS.arrange(&mut dns);
            tree.push(dns);
        }
        Ok(())
    }
}

/// Takes the first child that `is_it` away; false if there is none.
fn remove_first(parent: &mut Element, is_it: impl Fn(&Element) -> bool) -> bool {
    let found = parent.nodes.iter().position(|node| matches!(node, Node::Element(e) if is_it(e)));
    if let Some(at) = found {
        parent.nodes.remove(at);
    }
    found.is_some()
}

/// Drops a DHCP server with nothing to serve, and keeps the form of its address.
fn tidy_dhcp(ip: &mut Element) {
    ip.nodes.retain(|node| matches!(node, Node::Element(_)));
    if let Some(dhcp) = ip.child_mut("dhcp") {
        dhcp.nodes.retain(|node| matches!(node, Node::Element(_)));
        DHCP.arrange(dhcp);
    }
    if ip.child("dhcp").is_some_and(|dhcp| dhcp.elements().next().is_none()) {
        ip.remove("dhcp");
    }
    network::IP.arrange(ip);
    if ip.elements().next().is_none() {
        ip.set_text("\n");
    }
}
