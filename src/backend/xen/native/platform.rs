//! What Xen offers a guest, as far as completing a definition depends on it.

use crate::error::{Error, Result};
use crate::xml::domain::Platform;
use crate::xml::{self, Element};

/// Every Xen host.
pub struct XenPlatform;

impl Platform for XenPlatform {
    fn default_architecture(&self, _virt_type: &str, _os_type: &str) -> String {
        match std::env::consts::ARCH {
            "x86" => "i686".to_string(),
            other => other.to_string(),
        }
    }

    fn check_guest(&self, virt_type: &str, _: &str, _: &str, _: Option<&str>) -> Result<()> {
        match virt_type {
            "xen" => Ok(()),
            other => Err(Error::unsupported_configuration(format!(
                "Xen runs domains of type 'xen', not of type '{other}'"
            ))),
        }
    }
}

/// Reads a definition and completes it.
pub fn parse(document: &str) -> Result<Element> {
    let mut tree = xml::parse(document, "domain_definition")?;
    complete(&mut tree)?;
    Ok(tree)
}

/// Completes a definition, with the machine that goes with the kind of guest.
pub fn complete(tree: &mut Element) -> Result<()> {
    if let Some(kind) = tree.child_mut("os").and_then(|os| os.child_mut("type")) {
        let machine = match kind.text().trim() {
            "hvm" => "xenfv",
            "xenpvh" => "xenpvh",
            _ => "xenpv",
        };
        if kind.text().trim() == "xen" {
            // The name that definitions for Xen have always had for it.
            kind.set_text("linux");
        }
        if kind.attribute("machine").is_none() {
            kind.set("machine", machine);
        }
    }
    let unknown = xml::domain::complete_reporting(tree, &XenPlatform)?;
    match unknown.first() {
        None => Ok(()),
        Some(unknown) => {
            let what = if unknown.is_attribute { "attribute" } else { "element" };
            Err(Error::unsupported_configuration(format!(
                "nobody knows the {what} '{}' of <{}> (line {})",
                unknown.name, unknown.parent, unknown.line
            )))
        }
    }
}
