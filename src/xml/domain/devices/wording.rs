//! Refusals that libvirt words in their own way for one device or another, made before the tables are asked.

use crate::error::{Error, ErrorCode, Result};
use crate::xml::Element;

/// Refuses a word that is not known: `unknown hub device type 'x'`.
pub(super) fn known(element: &Element, attribute: &str, words: &[&str], what: &str) -> Result<()> {
    match element.attribute(attribute) {
        Some(word) if !words.contains(&word) => {
            Err(Error::unsupported_configuration(format!("{what} '{word}'")))
        }
        _ => Ok(()),
    }
}

/// Refuses what is no number in words of its own.
pub(super) fn number(element: &Element, attribute: &str, refusal: &str) -> Result<()> {
    match element.attribute(attribute) {
        Some(text) if text.trim_start().parse::<u64>().is_err() => Err(Error::xml(refusal)),
        _ => Ok(()),
    }
}

/// A limit of bandwidth needs an average, or a floor, and only what comes in has a floor.
pub(super) fn bandwidth(bandwidth: &mut Element) -> Result<()> {
    if bandwidth.child("outbound").is_some_and(|limit| limit.attribute("floor").is_some()) {
        return Err(Error::unsupported_configuration("floor attribute is not supported for this config"));
    }
    let limits = ["inbound", "outbound"].into_iter().filter_map(|name| bandwidth.child(name));
    let lacks = |limit: &Element| limit.attribute("average").is_none() && limit.attribute("floor").is_none();
    match { limits }.any(lacks) {
        true => Err(Error::new(ErrorCode::XML_DETAIL, "Missing mandatory average or floor attributes")),
        false => Ok(()),
    }
}

/// A channel that is a port of the guest's network needs the port and an address of IPv4.
pub(super) fn forward(target: &Element) -> Result<()> {
    if target.attribute("port").is_none() {
        return Err(crate::xml::shape::missing_attribute("target", "port"));
    }
    let Some(address) = target.attribute("address") else {
        return Err(Error::xml("guestfwd channel does not define a target address"));
    };
    match address.parse::<std::net::Ipv4Addr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::unsupported_configuration("guestfwd channel only supports IPv4 addresses")),
    }
}
