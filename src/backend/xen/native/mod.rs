//! The configuration formats of Xen's toolstacks, and their way from and to domain XML.
//!
//! xend's S-expressions stand in the middle: what `xm` reads from its files becomes one, and definitions are made
//! from and into them. So each setting is understood in one place.

pub mod chardev;
pub mod config;
pub mod describe;
pub mod rate;
pub mod request;
pub mod xl;
pub mod xm;

use crate::backend::xen::definition;
use crate::backend::xen::sxp::{Sxp, read_answer};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::xml::Element;

/// The name of xend's own format.
const SXPR: &str = "xen-sxpr";
/// The name of the format of xm's files.
const XM: &str = "xen-xm";

/// Turns a configuration in one of the formats into a definition; *unsupported* for other formats.
pub fn to_xml(format: &str, config: &str) -> Result<String> {
    let tree = match format {
        SXPR => describe::describe(&read_sxp(config)?, true)?,
        XM => describe::describe(&xm::to_sxp(&config::Config::parse(config), "the configuration")?, true)?,
        other => return Err(unknown_format(other, "virConnectDomainXMLFromNative")),
    };
    Ok(tree.to_string())
}

/// Turns a definition into a configuration in one of the formats; *unsupported* for other formats.
pub fn from_xml(format: &str, document: &str) -> Result<String> {
    let configuration = |tree: &Element| request::configuration(tree, request::Abilities::ALL);
    match format {
        SXPR => Ok(configuration(&definition::parse(document)?)?.to_string()),
        XM => Ok(xm::from_sxp(&configuration(&definition::parse(document)?)?).to_string()),
        other => Err(unknown_format(other, "virConnectDomainXMLToNative")),
    }
}

/// Reads one expression that a person handed over.
pub fn read_sxp(text: &str) -> Result<Sxp> {
    let refused = |detail: String| Error::new(ErrorCode::CONFIG_SYNTAX, detail).from_origin(ErrorOrigin::XEN);
    match read_answer(text.as_bytes()) {
        Ok(Some(expression)) => Ok(expression),
        Ok(None) => Err(refused("the configuration holds no S-expression".to_string())),
        Err(flaw) => Err(refused(format!("the configuration is no S-expression: {flaw}"))),
    }
}

/// Nobody here knows the format; another layer may.
fn unknown_format(format: &str, function: &'static str) -> Error {
    let mut error = Error::unsupported(function);
    error.message = format!("{}: config type '{format}'", error.message);
    error.from_origin(ErrorOrigin::XEN)
}
