//! save-image-dumpxml, save-image-define, save-image-edit: the definition inside a saved state.

use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::editor::{Edited, edit};
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("save-image-dumpxml", Group::Domain, save_image_dumpxml)
.answers(shape::XML)
        .about("show the XML inside a saved state", "Prints the definition that a file written by save carries.")
        .options(&[
            Opt::text("file", "the saved state").required().complete(Complete::File),
            Opt::flag("security-info", "include passwords and other secrets"),
            XPATH,
            WRAP,
        ]),
    Command::new("save-image-define", Group::Domain, save_image_define)
        .about("replace the XML inside a saved state", "Puts another definition into a file written by save. Only what the guest cannot notice may change.")
        .options(&[
            Opt::text("file", "the saved state").required().complete(Complete::File),
            Opt::text("xml", "file with the new XML").required().complete(Complete::File),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
        ])
        .writes(),
    Command::new("save-image-edit", Group::Domain, save_image_edit)
        .about("edit the XML inside a saved state", "Opens the definition that a file written by save carries in an editor and puts it back.")
        .options(&[
            Opt::text("file", "the saved state").required().complete(Complete::File),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
        ])
        .writes(),
];

fn save_image_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("security-info", DOMAIN_SAVE_IMAGE_XML_SECURE)]);
    let path = files::absolute(args.required("file")?)?;
    let xml = session.connection()?.domains().save_image_xml(&path, flags)?;
    document::show(session, args, &xml)
}

fn save_image_define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let path = files::absolute(file)?;
    let xml = files::read(args.required("xml")?)?;
    let flags = args.flags(super::file::SAVE_FLAGS);
    let answer = session.connection()?.domains().save_image_define_xml(&path, &xml, flags);
    answer.with_context(|| format!("Failed to update {file}"))?;
    session.print_extra(format_args!("State file {file} updated.\n"));
    Ok(())
}

fn save_image_edit(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let path = files::absolute(file)?;
    if args.has("running") && args.has("paused") {
        bail!("--running and --paused are mutually exclusive");
    }
    let flags = args.flags(super::file::SAVE_FLAGS);
    let connection = session.handle()?;
    let domains = connection.domains();
    let fetch = || Ok(domains.save_image_xml(&path, DOMAIN_SAVE_IMAGE_XML_SECURE)?);
    let mut store = |xml: &str, _| Ok(domains.save_image_define_xml(&path, xml, flags)?);
    match edit(session, &fetch, &mut store)? {
        Edited::Unchanged => {
            session.print_extra(format_args!("Saved image {file} XML configuration not changed.\n"))
        }
        Edited::Stored => session.print_extra(format_args!("State file {file} edited.\n")),
    }
    Ok(())
}
