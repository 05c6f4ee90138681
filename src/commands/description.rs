//! Descriptions, titles and applications' XML, which domains and networks keep alike.

use super::editor;
use super::impact::impact;
use crate::error::{Error, ErrorCode};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::Opt;
use anyhow::{Context, Result, bail};
use serde_json::json;

/// Reads a part of the metadata: its kind, its namespace, flags.
pub type Read<'a> = dyn Fn(i32, Option<&str>, u32) -> Result<String, Error> + 'a;
/// Writes a part of the metadata: its kind, the new text or none, key, namespace, flags.
pub type Write<'a> = dyn Fn(i32, Option<&str>, Option<&str>, Option<&str>, u32) -> Result<(), Error> + 'a;

/// Whose notes are shown or changed.
pub struct Subject<'a> {
    /// `Domain` or `Network`.
    pub noun: &'static str,
    /// Its name.
    pub name: &'a str,
    /// Whether `--live` matters when notes are read; virsh has it so for networks, not for domains, of which it
    /// shows what there is.
    pub reads_live: bool,
    /// How its notes are read.
    pub read: &'a Read<'a>,
    /// How they are written.
    pub write: &'a Write<'a>,
}

/// `--live`
pub const LIVE: Opt = Opt::flag("live", "of what runs");
/// `--config`
pub const CONFIG: Opt = Opt::flag("config", "of the stored definition");

impl Subject<'_> {
    /// A part of the metadata, empty if there is none.
    fn part(&self, kind: i32, uri: Option<&str>, flags: u32) -> Result<String> {
        match (self.read)(kind, uri, flags) {
            Err(error)
                if matches!(error.code, ErrorCode::NO_DOMAIN_METADATA | ErrorCode::NO_NETWORK_METADATA) =>
            {
                Ok(String::new())
            }
            answer => Ok(answer?),
        }
    }
}

/// `desc` and `net-desc`: shows or sets a description or a title.
pub fn describe(session: &mut Session, args: &Args, subject: &Subject) -> Result<()> {
    let flags = impact(args)?;
    let (kind, what) = match args.has("title") {
        true => (DOMAIN_METADATA_TITLE, "title"),
        false => (DOMAIN_METADATA_DESCRIPTION, "description"),
    };
    let (noun, name) = (subject.noun, subject.name);
    let read_flags = if subject.reads_live { flags } else { flags & DOMAIN_AFFECT_CONFIG };
    let given: Vec<_> = args.all("new-desc").collect();
    let mut new = (!given.is_empty()).then(|| given.join(" "));
    if args.has("edit") {
        let old = subject.part(kind, None, read_flags)?;
        let edited = editor::edit_text(session, new.as_deref().unwrap_or(&old))?;
        let edited = edited.trim_end_matches('\n');
        if edited == old {
            session.print_extra(format_args!("{noun} {what} not changed\n"));
            return Ok(());
        }
        new = Some(edited.to_string());
    }
    let Some(new) = new else {
        let text = subject.part(kind, None, read_flags)?;
        let known = (!text.is_empty()).then_some(&text);
        // The lines have no end of their own, as in virsh.
        return session.show(&json!({ what: known }), |session| match known {
            Some(text) => session.print(text),
            None => session.print_extra(format_args!("No {what} for {}: {name}", noun.to_lowercase())),
        });
    };
    if subject.reads_live {
        // A place that cannot be read is not written to, and the reason is that of reading.
        subject.part(kind, None, read_flags)?;
    }
    // Nothing at all, rather than something empty, removes it.
    let new = Some(new.as_str()).filter(|new| !new.is_empty());
    (subject.write)(kind, new, None, None, flags)
        .with_context(|| format!("Failed to set new {} {what}", noun.to_lowercase()))?;
    session.print_extra(format_args!("{noun} {what} updated successfully"));
    Ok(())
}

/// `metadata` and `net-metadata`: shows, sets, edits or removes the element of a namespace.
pub fn metadata(session: &mut Session, args: &Args, subject: &Subject) -> Result<()> {
    args.exclusive("edit", "set")?;
    args.exclusive("remove", "set")?;
    args.exclusive("remove", "edit")?;
    let flags = impact(args)?;
    let uri = args.required("uri")?;
    let (key, set) = (args.text("key")?, args.text("set")?);
    if (set.is_some() || args.has("edit")) && key.is_none() {
        bail!("namespace key is required when modifying metadata");
    }
    let store = |text: Option<&str>| (subject.write)(DOMAIN_METADATA_ELEMENT, text, key, Some(uri), flags);
    let current = || subject.part(DOMAIN_METADATA_ELEMENT, Some(uri), flags);
    if set.is_some() {
        store(set)?;
        session.print_extra("Metadata modified\n");
    } else if args.has("remove") {
        store(None)?;
        session.print_extra("Metadata removed\n");
    } else if args.has("edit") {
        let old = current()?;
        let edited = editor::edit_text(session, &old)?;
        if edited.trim_end_matches('\n') == old.trim_end_matches('\n') {
            session.print_extra("Metadata not changed");
            return Ok(());
        }
        store(Some(&edited))?;
        session.print_extra("Metadata modified\n");
    } else {
        let text = current()?;
        let known = (!text.is_empty()).then_some(&text);
        session.show(&json!({ "xml": known }), |session| session.print(format_args!("{text}\n")))?;
    }
    Ok(())
}
