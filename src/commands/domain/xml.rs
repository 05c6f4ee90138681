//! A domain's XML, shown and edited: dumpxml, edit.

use super::lookup;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::editor::{self, Edited};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("dumpxml", Group::Domain, dump)
.answers(shape::XML)
        .about(
            "print a domain's XML",
            "Prints the definition of a domain; of an active one what it runs with, unless --inactive asks for \
             what the next boot will use.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("inactive", "as defined for the next boot"),
            Opt::flag("security-info", "include passwords"),
            Opt::flag("update-cpu", "with the CPU as this host would provide it"),
            Opt::flag("migratable", "in the form that another host needs"),
            XPATH,
            WRAP,
        ]),
    Command::new("edit", Group::Domain, edit)
        .about(
            "change a domain's XML in an editor",
            "Opens the stored definition in the editor that VISUAL or EDITOR names and stores what becomes of it. \
             Nothing is stored if the text was left as it is, or if the definition has changed meanwhile.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("skip-validate", "do not check the XML against the schema"),
        ])
        .writes(),
];

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let options = [
        ("inactive", DOMAIN_XML_INACTIVE),
        ("security-info", DOMAIN_XML_SECURE),
        ("update-cpu", DOMAIN_XML_UPDATE_CPU),
        ("migratable", DOMAIN_XML_MIGRATABLE),
    ];
    let chosen = options.iter().filter(|(option, _)| args.has(option));
    let flags = chosen.fold(0, |flags, (_, flag)| flags | flag);
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let text = connection.domains().xml(&domain, flags)?;
    document::show(session, args, &text)
}

fn edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domains = connection.domains();
    let domain = lookup::domain(&*connection, args)?;
    let mut flags = DOMAIN_XML_SECURE;
    if domains.is_persistent(&domain).unwrap_or(true) {
        flags |= DOMAIN_XML_INACTIVE;
    }
    let fetch = || Ok(domains.xml(&domain, flags)?);
    let mut name = domain.name.clone();
    let skip = args.has("skip-validate");
    let mut store = |text: &str, validate: bool| {
        let validated = (validate && !skip).then(|| domains.define_xml(text, DOMAIN_DEFINE_VALIDATE));
        let stored = match validated {
            Some(Err(error)) if error.is_unsupported() || error.code == ErrorCode::ARGUMENT_UNSUPPORTED => {
                domains.define_xml(text, 0)
            }
            Some(answer) => answer,
            None => domains.define_xml(text, 0),
        };
        name = stored?.name;
        Ok(())
    };
    let edited = editor::edit(session, &fetch, &mut store)?;
    session.print_extra(match edited {
        Edited::Unchanged => format!("Domain '{name}' XML configuration not changed.\n"),
        Edited::Stored => format!("Domain '{name}' XML configuration edited.\n"),
    });
    Ok(())
}
