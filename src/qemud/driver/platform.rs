//! The whole way from a document to a definition.

use super::QemuConnection;
use crate::error::{Error, Result};
use crate::qemud::define::{self, QemuPlatform};
use crate::xml::Element;
use crate::xml::domain::complete_reporting;
use crate::xml::shape::Unknown;

impl QemuConnection {
    /// Reads a document and makes it a definition that fixes everything the guest can see.
    pub(super) fn complete(&self, xml: &str) -> Result<Element> {
        let mut tree = crate::xml::parse(xml, "domain_definition")?;
        let unknown = complete_reporting(&mut tree, &QemuPlatform)?;
        // Early, so that a name that is no file name is told before anything about QEMU.
        super::lifecycle::identity(&tree)?;
        refuse_unknown(&unknown)?;
        self.complete_for_qemu(&mut tree)?;
        Ok(tree)
    }

    /// The part of the completion that knows QEMU.
    pub(super) fn complete_for_qemu(&self, tree: &mut Element) -> Result<()> {
        let capabilities = define::capabilities_for(tree)?;
        let places = define::Places { nvram: self.inventory().store.paths.state.join("nvram") };
        define::complete(tree, &capabilities, &places)
    }

    /// Completes a definition that was complete before something was put into it.
    pub(super) fn complete_again(&self, tree: &mut Element) -> Result<()> {
        refuse_unknown(&complete_reporting(tree, &QemuPlatform)?)?;
        self.complete_for_qemu(tree)
    }
}

/// What nobody knows is not dropped in silence: it may have been meant to change the guest.
fn refuse_unknown(unknown: &[Unknown]) -> Result<()> {
    let Some(first) = unknown.first() else {
        return Ok(());
    };
    let what = match first.is_attribute {
        true => format!("attribute '{}' of <{}>", first.name, first.parent),
        false => format!("element <{}> in <{}>", first.name, first.parent),
    };
    Err(Error::unsupported_configuration(format!("{what}, line {}, is not known", first.line)))
}
