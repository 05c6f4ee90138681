//! The values of secrets: secret-get-value, secret-set-value.

use super::{SECRET, base64, secret};
use crate::error::Error;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use serde_json::json;
use std::fs::File;
use std::io::{IsTerminal, Read};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("secret-get-value", Group::Secret, get)
.answers("{base64: text}")
        .about("print a secret's value", "Prints the value of a secret that is not private, in base64.")
        .options(&[SECRET, Opt::flag("plain", "print the bytes themselves")]),
    Command::new("secret-set-value", Group::Secret, set)
        .about(
            "set a secret's value",
            "Sets the value of a secret from a file, from the terminal, or, readable by everybody on the machine, \
             from the command line.",
        )
        .options(&[
            SECRET,
            Opt::text("file", "read it from this file, in base64 unless --plain is given").complete(Complete::File),
            Opt::flag("plain", "take the bytes of the file as they are"),
            Opt::flag("interactive", "ask for it at the terminal"),
            Opt::text("base64", "the value in base64").tolerated_by_place(),
        ])
        .writes(),
];

/// The most that a value may have; the interface takes no more.
const MOST: u64 = 65_536;

fn get(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let secret = secret(connection, args)?;
    let value = connection.secrets().value(&secret, 0)?;
    let encoded = base64::encode(&value);
    let plain = args.has("plain");
    let text = encoded.clone();
    session.show(&json!({ "base64": encoded }), |session| match plain {
        true => session.print_bytes(&value),
        // The line has no end of its own, as in virsh.
        false => session.print(text),
    })
}

fn set(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("file", "base64")?;
    args.exclusive("plain", "base64")?;
    args.exclusive("interactive", "base64")?;
    args.exclusive("interactive", "plain")?;
    args.exclusive("interactive", "file")?;
    let connection = session.handle()?;
    let secret = secret(&*connection, args)?;
    let not_base64 = "the value is not valid base64; --plain takes a file as it is";
    let value = if let Some(text) = args.text("base64")? {
        session.error("Passing secret value as command-line argument is insecure!");
        base64::decode(text.as_bytes()).context(not_base64)?
    } else if let Some(path) = args.text("file")? {
        let bytes = read(path)?;
        match args.has("plain") {
            true => bytes,
            false => base64::decode(&bytes).context(not_base64)?,
        }
    } else if args.has("interactive") {
        ask(session)?.into_bytes()
    } else {
        bail!("Input secret value is missing");
    };
    let answer = connection.secrets().set_value(&secret, &value, 0);
    answer.context("Failed to set secret value")?;
    session.print_extra("Secret value set\n");
    Ok(())
}

fn read(path: &str) -> Result<Vec<u8>> {
    let opened = File::open(path);
    let file = opened.map_err(|cause| Error::system(format!("Failed to open file '{path}'"), &cause))?;
    let mut bytes = Vec::new();
    let done = file.take(MOST * 2).read_to_end(&mut bytes);
    done.map_err(|cause| Error::system(format!("Failed to read file '{path}'"), &cause))?;
    Ok(bytes)
}

/// Asks for a line at the terminal without showing what is typed.
fn ask(session: &mut Session) -> Result<String> {
    let input = std::io::stdin();
    if !input.is_terminal() {
        bail!("a secret can be typed only at a terminal; use --file instead");
    }
    session.print("Enter new value for secret:");
    session.flush();
    let shown = tcgetattr(&input).context("Failed to read secret")?;
    let mut hidden = shown.clone();
    hidden.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(&input, SetArg::TCSAFLUSH, &hidden).context("Failed to read secret")?;
    let mut line = String::new();
    let read = input.read_line(&mut line);
    let restored = tcsetattr(&input, SetArg::TCSAFLUSH, &shown);
    session.print("\n");
    read.context("Failed to read secret")?;
    restored.context("Failed to read secret")?;
    Ok(line.trim_end_matches(['\n', '\r']).to_string())
}
