//! Secrets without their values: secret-define, secret-dumpxml, secret-list, secret-undefine.

use super::{SECRET, secret};
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::files;
use crate::commands::plain_name::known_as;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::{Format, Session};
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("secret-define", Group::Secret, define)
        .about(
            "keep a secret's attributes from an XML file",
            "Makes a secret, or changes the attributes of one. Its value is set by secret-set-value.",
        )
        .options(&[
            Opt::text("file", "the XML file that describes the secret").required().complete(Complete::File),
            Opt::flag("validate", "check the XML against the schema first"),
        ])
        .writes(),
    Command::new("secret-dumpxml", Group::Secret, dump)
        .answers(shape::XML)
        .about("print a secret's XML", "Prints the attributes of a secret, never its value.")
        .options(&[SECRET, XPATH, WRAP]),
    Command::new("secret-list", Group::Secret, list)
        .answers("[{uuid: text, usage: text?} | {uuid: text, usage_type: text, usage_id: text?}]")
        .about("list secrets", "Shows the uuid of each secret and what it is for.")
        .options(&[
            Opt::flag("ephemeral", "only secrets that are never stored"),
            Opt::flag("no-ephemeral", "only secrets that are stored"),
            Opt::flag("private", "only secrets whose value cannot be asked for"),
            Opt::flag("no-private", "only secrets whose value can be asked for"),
        ]),
    Command::new("secret-undefine", Group::Secret, undefine)
        .about("forget a secret", "Removes a secret and its value.")
        .options(&[SECRET])
        .writes(),
];

fn define(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let xml = files::read(file)?;
    let flags = if args.has("validate") { SECRET_DEFINE_VALIDATE } else { 0 };
    let answer = session.connection()?.secrets().define_xml(&xml, flags);
    let secret = answer.with_context(|| format!("Failed to set attributes from {file}"))?;
    session.print_extra(format_args!("Secret {} created\n", secret.uuid));
    Ok(())
}

fn undefine(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let secret = secret(connection, args)?;
    let name = args.required("secret")?;
    let answer = connection.secrets().undefine(&secret);
    answer.with_context(|| format!("Failed to delete secret {name}"))?;
    session.print_extra(format_args!("Secret {name} deleted\n"));
    Ok(())
}

fn dump(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let secret = secret(connection, args)?;
    let text = connection.secrets().xml(&secret, 0)?;
    document::show(session, args, &text)
}

/// In the order of their numbers.
const USAGES: &[&str] = &["none", "volume", "ceph", "iscsi", "tls", "vtpm"];

const FILTERS: &[(&str, u32)] = &[
    ("ephemeral", CONNECT_LIST_SECRETS_EPHEMERAL),
    ("no-ephemeral", CONNECT_LIST_SECRETS_NO_EPHEMERAL),
    ("private", CONNECT_LIST_SECRETS_PRIVATE),
    ("no-private", CONNECT_LIST_SECRETS_NO_PRIVATE),
];

fn list(session: &mut Session, args: &Args) -> Result<()> {
    let chosen = FILTERS.iter().filter(|(option, _)| args.has(option));
    let flags = chosen.fold(0, |flags, (_, flag)| flags | flag);
    let answer = session.connection()?.secrets().list_all_secrets(flags);
    let failed = match &answer {
        Err(error) if error.is_unsupported() && flags != 0 => {
            bail!("Filtering is not supported by this libvirt")
        }
        Err(error) if error.is_unsupported() => "Failed to count secrets",
        _ => "Failed to list secrets",
    };
    let mut secrets = known_as(answer, "virConnectNumOfSecrets").context(failed)?;
    secrets.sort_by_cached_key(|secret| secret.uuid.to_string());
    let for_people = session.settings.format == Format::Table;
    let mut table = match for_people {
        true => Table::new(["UUID", "Usage"]),
        false => Table::new(["UUID", "Usage type", "Usage id"]),
    };
    for secret in secrets {
        let usage = usize::try_from(secret.usage_type).ok().and_then(|place| USAGES.get(place));
        let usage = usage.copied().unwrap_or("unknown");
        let uuid = Cell::from(secret.uuid.to_string());
        match for_people {
            true if usage == "none" => table.row([uuid, Cell::from("Unused")]),
            true => table.row([uuid, Cell::from(format!("{usage} {}", secret.usage_id))]),
            false => table.row([uuid, Cell::from(usage), Cell::from(secret.usage_id)]),
        };
    }
    session.table(&table)
}
