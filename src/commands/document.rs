//! Showing XML: a whole document, or with `--xpath` the parts of it that an expression chooses.

use crate::error::Error;
use crate::shell::args::Args;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::Opt;
use crate::xml::{self, xpath};
use anyhow::{Context, Result};
use serde_json::json;

/// `--xpath`
pub const XPATH: Opt = Opt::text("xpath", "show only what this XPath expression finds");
/// `--wrap`
pub const WRAP: Opt = Opt::flag("wrap", "put all that was found into one element 'nodes'");

/// Prints `document`, or what `--xpath` chooses of it. As JSON or YAML it is the one field `xml`.
pub fn show(session: &mut Session, args: &Args, document: &str) -> Result<()> {
    let Some(expression) = args.get("xpath") else {
        return session.show(&json!({ "xml": document }), |session| session.print(document));
    };
    if expression.is_empty() {
        return Err(Silent.into());
    }
    let tree = xml::parse(document, "(xml)")?;
    let incorrect = || Error::internal(format!("Incorrect xpath '{expression}'"));
    let chosen = match xpath::select(&tree, expression) {
        Ok(chosen) => chosen,
        Err(xpath::XPathError::NotNodes) => return Err(incorrect().into()),
        Err(cause) => return Err(cause).with_context(incorrect),
    };
    let text = if args.has("wrap") { xpath::print_wrapped(&chosen) } else { xpath::print(&chosen) };
    session.show(&json!({ "xml": text }), |session| session.print(&text))
}

/// Whether a driver's answer means that it does not know a flag.
pub fn refuses_flags(error: &Error) -> bool {
    error.message.starts_with("unsupported flags")
}
