//! Which filters are bound to which ports: nwfilter-binding-create, nwfilter-binding-delete, nwfilter-binding-dumpxml,
//! nwfilter-binding-list.

use crate::backend::Connection;
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::files;
use crate::model::FilterBindingRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nwfilter-binding-create", Group::Filter, create)
        .about(
            "bind a filter to a port from an XML file",
            "Makes a network filter apply to a network device.",
        )
        .options(&[
            Opt::text("file", "the XML file that describes the binding").required().complete(Complete::File),
            Opt::flag("validate", "check the XML against the schema first"),
        ])
        .writes(),
    Command::new("nwfilter-binding-delete", Group::Filter, delete)
        .about("free a port from its filter", "Removes the binding of a network device.")
        .options(&[BINDING])
        .writes(),
    Command::new("nwfilter-binding-dumpxml", Group::Filter, dump)
        .answers(shape::XML)
        .about("print a binding's XML", "Prints which filter applies to a network device, and how.")
        .options(&[BINDING, XPATH, WRAP]),
    Command::new("nwfilter-binding-list", Group::Filter, list)
        .answers("[{port_dev: text, filter: text}]")
        .about("list bindings", "Shows which network devices have which filters."),
];

const BINDING: Opt = Opt::text("binding", "a binding by its network device").required();

fn binding(connection: &dyn Connection, args: &Args) -> Result<FilterBindingRef> {
    let text = args.required("binding")?;
    let answer = connection.filters().filter_binding_lookup_by_port_dev(text);
    answer.with_context(|| format!("failed to get nwfilter binding '{text}'"))
}

fn create(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { NWFILTER_BINDING_CREATE_VALIDATE } else { 0 };
    let answer = session.connection()?.filters().filter_binding_create_xml(&xml, flags);
    let binding = answer.with_context(|| format!("Failed to create network filter from {file}"))?;
    let device = &binding.port_device;
    session.print_extra(format_args!("Network filter binding on {device} created from {file}\n"));
    Ok(())
}

fn delete(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let binding = binding(connection, args)?;
    let name = args.required("binding")?;
    let answer = connection.filters().filter_binding_delete(&binding);
    answer.with_context(|| format!("Failed to delete network filter binding on {name}"))?;
    session.print_extra(format_args!("Network filter binding on {name} deleted\n"));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let binding = binding(connection, args)?;
    let text = connection.filters().filter_binding_xml(&binding, 0)?;
    document::show(session, args, &text)
}

fn list(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.filters().list_all_filter_bindings(0);
    let mut bindings = answer.context("Failed to list network filter bindings")?;
    bindings.sort_by(|left, right| left.port_device.cmp(&right.port_device));
    let mut table = Table::new(["Port Dev", "Filter"]);
    for binding in bindings {
        table.row([Cell::from(binding.port_device), Cell::from(binding.filter_name)]);
    }
    session.table(&table)
}
