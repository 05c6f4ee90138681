//! get-user-sshkeys, set-user-sshkeys: the SSH keys that may log in as a user of the guest.

use crate::commands::domain::lookup;
use crate::commands::files;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("get-user-sshkeys", Group::Domain, get_user_sshkeys)
        .answers("[text]")
        .about(
            "list a guest user's SSH keys",
            "Asks the guest's agent for the SSH keys that may log in as a user.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), Opt::text("user", "the user").required()]),
    Command::new("set-user-sshkeys", Group::Domain, set_user_sshkeys)
        .about(
            "change a guest user's SSH keys",
            "Lets the guest's agent add, replace or remove SSH keys of a user.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("user", "the user").required(),
            Opt::text("file", "file with the keys, one a line").positional().complete(Complete::File),
            Opt::flag("reset", "remove all other keys"),
            Opt::flag("remove", "take the keys away instead"),
        ])
        .writes(),
];

fn get_user_sshkeys(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let user = args.required("user")?;
    let keys = connection.domains().authorized_ssh_keys_get(&domain, user, 0)?;
    session.show(&json!(keys), |session| {
        for key in &keys {
            session.print(format_args!("{key}\n"));
        }
    })
}

fn set_user_sshkeys(session: &mut Session, args: &Args) -> Result<()> {
    args.requires("remove", "file")?;
    args.exclusive("reset", "remove")?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let user = args.required("user")?;
    let file = args.text("file")?;
    let reset = args.has("reset");
    if file.is_none() && !reset {
        bail!("Option --file is required");
    }
    let text = file.map(files::read).transpose()?.unwrap_or_default();
    let lines = text.lines().map(str::trim);
    let keys: Vec<String> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_string).collect();
    if let Some(file) = file.filter(|_| keys.is_empty()) {
        bail!("File {file} contains no keys");
    }
    let flags = if args.has("remove") {
        DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE
    } else if reset {
        0
    } else {
        DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND
    };
    Ok(connection.domains().authorized_ssh_keys_set(&domain, user, &keys, flags)?)
}
