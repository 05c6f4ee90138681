//! The configuration formats of Xen's toolstacks, and their way from and to domain XML.
//!
//! xend's S-expressions stand in the middle: what `xm` reads from its files becomes one, and definitions are made
//! from and into them. So each setting is understood in one place.

pub mod chardev;
pub mod config;
pub mod describe;
pub mod rate;
pub mod request;
#[cfg(test)]
mod tests;
pub mod xl;
pub mod xm;

use crate::backend::xen::definition;
use crate::backend::xen::sxp::{Sxp, read_answer};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::xml::Element;
use crate::xml::domain::variants;
use xl::{Kind, Use};

/// The name of xend's own format.
const SXPR: &str = "xen-sxpr";
/// The name of the format of xm's files.
const XM: &str = "xen-xm";
/// The name of the format of xl's files.
const XL: &str = "xen-xl";
/// What a configuration is called that came without a name.
const CONFIGURATION: &str = "the configuration";

/// Turns a configuration in one of the formats into a definition.
pub fn to_xml(format: &str, text: &str) -> Result<String> {
    let tree = match format {
        SXPR => described(&read_sxp(text)?)?,
        XM => described(&xm::to_sxp(&config::Config::parse(text), CONFIGURATION)?)?,
        XL => {
            let config = config::Config::parse(text);
            config.require_all_read(CONFIGURATION)?;
            definition::complete(xl::domain_from_config(&config, Use::Exchanged)?)?
        }
        other => return Err(unknown_format(other)),
    };
    // Nobody asked for what is secret.
    Ok(variants::shown(&tree, None, false).to_string())
}

/// What xend's words mean, in the words that other tools are used to.
fn described(vm: &Sxp) -> Result<Element> {
    let mut tree = describe::describe(vm, true)?;
    let kind = Kind::of_os_type(&tree.child_text("os/type").unwrap_or_default());
    xl::use_their_words(&mut tree, kind);
    Ok(tree)
}

/// Turns a definition into a configuration in one of the formats.
pub fn from_xml(format: &str, document: &str) -> Result<String> {
    match format {
        SXPR => {
            Ok(request::configuration(&definition::parse(document)?, request::Abilities::ALL)?.to_string())
        }
        XM => Ok(xl::config_from_domain(&definition::parse(document)?, Use::Xm)?.to_string()),
        XL => Ok(xl::config_from_domain(&definition::parse(document)?, Use::Exchanged)?.to_string()),
        other => Err(unknown_format(other)),
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

fn unknown_format(format: &str) -> Error {
    Error::invalid_argument(format!("unsupported config type {format}")).from_origin(ErrorOrigin::XEN)
}
