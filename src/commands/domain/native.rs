//! Definitions in a hypervisor's own form: domxml-from-native, domxml-to-native.

use super::lookup::{self, By};
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domxml-from-native", Group::Domain, from_native)
        .answers(shape::XML)
        .about(
            "turn a hypervisor's own configuration into XML",
            "Reads a file in the form of a hypervisor and prints the domain's XML.",
        )
        .options(&[
            Opt::text("format", "the form of the file").required().complete(Complete::Words(&[
                "qemu-argv",
                "xen-xl",
                "xen-xm",
                "xen-sxpr",
            ])),
            Opt::text("config", "the file").required().complete(Complete::File),
        ])
        .writes(),
    Command::new("domxml-to-native", Group::Domain, to_native)
        .answers("{config: text}")
        .about(
            "show a domain in its hypervisor's own form",
            "Prints what the hypervisor would be given for a domain, such as its command line.",
        )
        .options(&[
            Opt::text("format", "the wanted form, such as qemu-argv")
                .required()
                .complete(Complete::Words(&["qemu-argv", "xen-xl", "xen-xm", "xen-sxpr"])),
            Opt::text("domain", "a domain by its name, id or uuid").complete(Complete::Domain),
            Opt::text("xml", "a file with a domain's XML").tolerated_by_place().complete(Complete::File),
        ])
        .writes(),
];

fn from_native(session: &mut Session, args: &Args) -> Result<()> {
    let format = args.required("format")?;
    let config = files::read(args.required("config")?)?;
    let xml = session.connection()?.domains().xml_from_native(format, &config, 0)?;
    session.show(&json!({ "xml": xml }), |session| session.print(&xml))
}

fn to_native(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("domain", "xml")?;
    let format = args.required("format")?;
    let connection = session.connection()?;
    let xml = match (args.text("domain")?, args.text("xml")?) {
        (Some(name), _) => {
            let domain = lookup::named(connection, name, By::Any)?;
            connection.domains().xml(&domain, DOMAIN_XML_INACTIVE)?
        }
        (None, Some(file)) => files::read(file)?,
        (None, None) => bail!("need either domain or domain XML"),
    };
    let config = connection.domains().xml_to_native(format, &xml, 0)?;
    session.show(&json!({ "config": config }), |session| session.print(&config))
}
