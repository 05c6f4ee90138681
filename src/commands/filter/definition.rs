//! Network filters: nwfilter-define, nwfilter-dumpxml, nwfilter-edit, nwfilter-list, nwfilter-undefine.

use crate::backend::Connection;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::editor::{self, Edited};
use crate::commands::files;
use crate::commands::plain_name::{known_as, plain_name};
use crate::model::FilterRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};
use uuid::Uuid;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nwfilter-define", Group::Filter, define)
        .about(
            "keep a filter from an XML file",
            "Stores a network filter, or changes the one of the same name.",
        )
        .options(&[
            Opt::text("file", "the XML file that describes the filter").required().complete(Complete::File),
            Opt::flag("validate", "check the XML against the schema first"),
        ])
        .writes(),
    Command::new("nwfilter-dumpxml", Group::Filter, dump)
        .answers(shape::XML)
        .about("print a filter's XML", "Prints the rules of a network filter.")
        .options(&[FILTER, XPATH, WRAP]),
    Command::new("nwfilter-edit", Group::Filter, edit)
        .about(
            "change a filter's XML in an editor",
            "Opens a network filter in an editor and stores what becomes of it.",
        )
        .options(&[FILTER])
        .writes(),
    Command::new("nwfilter-list", Group::Filter, list)
        .answers("[{uuid: text, name: text}]")
        .about("list network filters", "Shows the uuids and names of all network filters."),
    Command::new("nwfilter-undefine", Group::Filter, undefine)
        .about("forget a filter", "Removes a network filter that no guest uses.")
        .options(&[FILTER])
        .writes(),
];

const FILTER: Opt =
    Opt::text("nwfilter", "a network filter by its name or uuid").required().complete(Complete::Filter);

/// The filter that the option `nwfilter` names by its uuid or its name.
fn filter(connection: &dyn Connection, args: &Args) -> Result<FilterRef> {
    let text = args.required("nwfilter")?;
    let filters = connection.filters();
    let uuid = (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten();
    if let Some(Ok(filter)) = uuid.map(|uuid| filters.lookup_by_uuid(uuid)) {
        return Ok(filter);
    }
    filters.lookup_by_name(text).with_context(|| format!("failed to get nwfilter '{text}'"))
}

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NWFILTER_DEFINE_VALIDATE } else { 0 };
    let answer = session.connection()?.filters().define_xml(&xml, flags);
    let filter = plain_name(answer, flags, "virNWFilterDefineXMLFlags", "virNWFilterDefineXML")
        .with_context(|| format!("Failed to define network filter from {file}"))?;
    session.print_extra(format_args!("Network filter {} defined from {file}\n", filter.name));
    Ok(())
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let filter = filter(connection, args)?;
    let name = args.required("nwfilter")?;
    let answer = connection.filters().undefine(&filter);
    answer.with_context(|| format!("Failed to undefine network filter {name}"))?;
    session.print_extra(format_args!("Network filter {name} undefined\n"));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let filter = filter(connection, args)?;
    let text = connection.filters().xml(&filter, 0)?;
    document::show(session, args, &text)
}

fn list(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.filters().list_all_filters(0);
    let failed = match &answer {
        Err(error) if error.is_unsupported() => "Failed to count network filters",
        _ => "Failed to list network filters",
    };
    let mut filters = known_as(answer, "virConnectNumOfNWFilters").context(failed)?;
    filters.sort_by_cached_key(|filter| (filter.name.to_ascii_lowercase(), filter.name.clone()));
    let mut table = Table::new(["UUID", "Name"]);
    for filter in filters {
        table.row([Cell::from(filter.uuid.to_string()), Cell::from(filter.name)]);
    }
    session.table(&table)
}

fn edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let filters = connection.filters();
    let filter = filter(&*connection, args)?;
    let fetch = || Ok(filters.xml(&filter, 0)?);
    let mut name = filter.name.clone();
    let mut store = |text: &str, _: bool| {
        name = filters.define_xml(text, 0)?.name;
        Ok(())
    };
    let edited = editor::edit(session, &fetch, &mut store)?;
    session.print_extra(match edited {
        Edited::Unchanged => format!("Network filter {name} XML configuration not changed.\n"),
        Edited::Stored => format!("Network filter {name} XML configuration edited.\n"),
    });
    Ok(())
}
