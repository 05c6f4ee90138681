//! What people and programs note about a domain: desc, metadata.

use super::lookup;
use crate::backend::Connection;
use crate::commands::description::{self, CONFIG, LIVE, Subject};
use crate::commands::impact::CURRENT;
use crate::model::DomainRef;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("desc", Group::Domain, desc)
.answers("{description: text?} | {title: text?}")
        .about(
            "show or set a domain's description or title",
            "Prints the description, or the title, of a domain; with words it sets it, and with an empty word it \
             removes it.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("title", "the title rather than the description"),
            Opt::flag("edit", "change it in an editor"),
            Opt::rest("new-desc", "the new words"),
        ])
        .writes(),
    Command::new("metadata", Group::Domain, metadata)
.answers("{xml: text?}")
        .about(
            "show or set an application's XML in a domain",
            "Prints the element that an application keeps with the domain under its namespace, or sets, edits or \
             removes it.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("uri", "the application's namespace").required(),
            LIVE,
            CONFIG,
            CURRENT,
            Opt::flag("edit", "change it in an editor"),
            Opt::text("key", "the prefix that stands for the namespace").tolerated_by_place(),
            Opt::text("set", "the new element").tolerated_by_place(),
            Opt::flag("remove", "remove the element"),
        ])
        .writes(),
];

fn desc(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    of(&*connection, &domain, &mut |subject| description::describe(session, args, subject))
}

fn metadata(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    of(&*connection, &domain, &mut |subject| description::metadata(session, args, subject))
}

/// Does something with the notes of a domain.
fn of(
    connection: &dyn Connection,
    domain: &DomainRef,
    then: &mut dyn FnMut(&Subject) -> Result<()>,
) -> Result<()> {
    let domains = connection.domains();
    then(&Subject {
        noun: "Domain",
        name: &domain.name,
        reads_live: false,
        read: &|kind, uri, flags| domains.metadata(domain, kind, uri, flags),
        write: &|kind, text, key, uri, flags| domains.set_metadata(domain, kind, text, key, uri, flags),
    })
}
