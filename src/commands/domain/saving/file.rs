//! save, restore: the state of a domain in a file of the user's.

use crate::commands::domain::lookup;
use crate::commands::domain::progress::watched;
use crate::commands::files;
use crate::commands::plain_name::plain_name;
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("save", Group::Domain, save)
.answers(shape::PROGRESS)
        .about("save a running domain to a file and stop it", "Writes the memory and device state of a running domain to a file and stops it; restore brings it back. --xml replaces what the guest need not notice, such as paths. On a terminal the progress is shown; Ctrl-C ends the attempt and the domain runs on.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("file", "where the state goes").required().complete(Complete::File),
            Opt::flag("bypass-cache", "keep the data out of the page cache"),
            Opt::number("parallel-channels", "how many channels move memory at once"),
            Opt::text("image-format", "format of the image: raw, sparse, gzip, bzip2, xz, lzop or zstd"),
            Opt::text("xml", "file with the XML to use instead").tolerated_by_place().complete(Complete::File),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
            Opt::flag("verbose", "show how far it is"),
        ])
        .writes(),
    Command::new("restore", Group::Domain, restore)
        .about("bring a saved domain back", "Starts a domain from the file that save wrote, in the state it was saved in unless --running or --paused says otherwise.")
        .options(&[
            Opt::text("file", "the saved state").required().complete(Complete::File),
            Opt::flag("bypass-cache", "keep the data out of the page cache"),
            Opt::number("parallel-channels", "how many channels move memory at once"),
            Opt::text("xml", "file with the XML to use instead").tolerated_by_place().complete(Complete::File),
            Opt::flag("running", "be running afterwards"),
            Opt::flag("paused", "be paused afterwards"),
            Opt::flag("reset-nvram", "start again with fresh firmware variables"),
        ])
        .writes(),
];

/// `--bypass-cache`, `--running`, `--paused`, `--reset-nvram`.
pub(super) const SAVE_FLAGS: &[(&str, u32)] = &[
    ("bypass-cache", DOMAIN_SAVE_BYPASS_CACHE),
    ("running", DOMAIN_SAVE_RUNNING),
    ("paused", DOMAIN_SAVE_PAUSED),
    ("reset-nvram", DOMAIN_SAVE_RESET_NVRAM),
];

fn save(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let path = files::absolute(file)?;
    let flags = args.flags(SAVE_FLAGS);
    let xml = args.text("xml")?.map(files::read).transpose()?;
    let params = image_params(args, &path, xml.as_deref())?;
    let domain = lookup::domain(session.connection()?, args)?;
    let answer = watched(session, &domain, "Save", args.has("verbose"), |connection| {
        let domains = connection.domains();
        if params.len() > 1 {
            return domains.save_params(&domain, &params, flags);
        }
        let answer = domains.save(&domain, &path, xml.as_deref(), flags);
        let asked = flags | u32::from(xml.is_some());
        plain_name(answer, asked, "virDomainSaveFlags", "virDomainSave")
    })?;
    let name = &domain.name;
    answer.with_context(|| format!("Failed to save domain '{name}' to {file}"))?;
    session.print_extra(format_args!("\nDomain '{name}' saved to {file}\n"));
    Ok(())
}

fn restore(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let path = files::absolute(file)?;
    let flags = args.flags(SAVE_FLAGS);
    let xml = args.text("xml")?.map(files::read).transpose()?;
    let params = image_params(args, &path, xml.as_deref())?;
    let connection = session.connection()?;
    let answer = if params.len() > 1 {
        connection.domains().restore_params(&params, flags)
    } else {
        let answer = connection.domains().restore(&path, xml.as_deref(), flags);
        let asked = flags | u32::from(xml.is_some());
        plain_name(answer, asked, "virDomainRestoreFlags", "virDomainRestore")
    };
    answer.with_context(|| format!("Failed to restore domain from {file}"))?;
    session.print_extra(format_args!("Domain restored from {file}\n"));
    Ok(())
}

/// The parameters of the newest form of the call; the file alone when nothing needs that form.
fn image_params(args: &Args, path: &str, xml: Option<&str>) -> Result<Vec<TypedParam>> {
    let mut params = vec![TypedParam::new("file", path)];
    if let Some(channels) = args.number::<i32>("parallel-channels")? {
        params.push(TypedParam::new("parallel.channels", channels));
    }
    if let Some(format) = args.text("image-format")? {
        params.push(TypedParam::new("image_format", format));
    }
    if let Some(xml) = xml.filter(|_| params.len() > 1) {
        params.push(TypedParam::new("dxml", xml));
    }
    Ok(params)
}
