//! Interfaces defined, brought up and down, and forgotten: iface-define, iface-destroy, iface-dumpxml, iface-edit,
//! iface-start, iface-undefine.

use super::{INTERFACE, interface};
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::editor::{self, Edited};
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("iface-define", Group::Interface, define)
        .about("keep an interface's configuration from an XML file", "Stores the configuration for later.")
        .options(&[
            Opt::text("file", "the XML file that describes the interface")
                .required()
                .complete(Complete::File),
            Opt::flag("validate", "check the XML against the schema first"),
        ])
        .writes(),
    Command::new("iface-destroy", Group::Interface, destroy)
        .about("take an interface down", "Takes an interface of the host down at once.")
        .options(&[INTERFACE.complete(Complete::HostInterfaceWith(CONNECT_LIST_INTERFACES_ACTIVE))])
        .writes(),
    Command::new("iface-dumpxml", Group::Interface, dump)
        .answers(shape::XML)
        .about("print an interface's XML", "Prints the description of an interface.")
        .options(&[INTERFACE, Opt::flag("inactive", "as stored for the next start"), XPATH, WRAP]),
    Command::new("iface-edit", Group::Interface, edit)
        .about(
            "change an interface's XML in an editor",
            "Opens the stored configuration in an editor and stores what becomes of it.",
        )
        .options(&[INTERFACE])
        .writes(),
    Command::new("iface-start", Group::Interface, start)
        .about("bring an interface up", "Brings an interface of the host up.")
        .options(&[INTERFACE.complete(Complete::HostInterfaceWith(CONNECT_LIST_INTERFACES_INACTIVE))])
        .writes(),
    Command::new("iface-undefine", Group::Interface, undefine)
        .about("forget an interface's configuration", "Removes the stored configuration of an interface.")
        .options(&[INTERFACE])
        .writes(),
];

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { INTERFACE_DEFINE_VALIDATE } else { 0 };
    let answer = session.connection()?.interfaces().define_xml(&xml, flags);
    let interface = answer.with_context(|| format!("Failed to define interface from {file}"))?;
    session.print_extra(format_args!("Interface {} defined from {file}\n", interface.name));
    Ok(())
}

fn destroy(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let interface = interface(connection, args)?;
    let name = args.required("interface")?;
    let answer = connection.interfaces().destroy(&interface, 0);
    answer.with_context(|| format!("Failed to destroy interface {name}"))?;
    session.print_extra(format_args!("Interface {name} destroyed\n"));
    Ok(())
}

fn start(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let interface = interface(connection, args)?;
    let name = args.required("interface")?;
    let answer = connection.interfaces().create(&interface, 0);
    answer.with_context(|| format!("Failed to start interface {name}"))?;
    session.print_extra(format_args!("Interface {name} started\n"));
    Ok(())
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let interface = interface(connection, args)?;
    let name = args.required("interface")?;
    let answer = connection.interfaces().undefine(&interface);
    answer.with_context(|| format!("Failed to undefine interface {name}"))?;
    session.print_extra(format_args!("Interface {name} undefined\n"));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let interface = interface(connection, args)?;
    let flags = if args.has("inactive") { INTERFACE_XML_INACTIVE } else { 0 };
    let text = connection.interfaces().xml(&interface, flags)?;
    document::show(session, args, &text)
}

fn edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let interfaces = connection.interfaces();
    let interface = interface(&*connection, args)?;
    let fetch = || Ok(interfaces.xml(&interface, INTERFACE_XML_INACTIVE)?);
    let mut name = interface.name.clone();
    let mut store = |text: &str, _: bool| {
        name = interfaces.define_xml(text, 0)?.name;
        Ok(())
    };
    let edited = editor::edit(session, &fetch, &mut store)?;
    session.print_extra(match edited {
        Edited::Unchanged => format!("Interface {name} XML configuration not changed.\n"),
        Edited::Stored => format!("Interface {name} XML configuration edited.\n"),
    });
    Ok(())
}
