//! `echo`: words back, quoted for a shell or for XML, or split at commas.

use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("echo", Group::Shell, echo)
    .local()
    .about(
        "print words",
        "Prints its words again, parted by blanks. It shows how a line is read, and quotes words for other uses.",
    )
    .options(&[
        Opt::flag("shell", "quote each word for a POSIX shell"),
        Opt::flag("xml", "escape each word for XML"),
        Opt::flag("split", "split each word at commas, a line each; two commas stand for one"),
        Opt::flag("err", "print to standard error, as an error"),
        Opt::alias("str", "string"),
        Opt::alias("hi", "string=hello"),
        Opt::text("prefix", "put this before the words"),
        Opt::rest("string", "the words"),
    ])];

fn echo(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("shell", "xml")?;
    args.exclusive("shell", "split")?;
    args.exclusive("xml", "split")?;
    let prefix = match args.text("prefix") {
        Ok(prefix) => prefix.unwrap_or_default(),
        Err(refusal) => {
            session.error(refusal);
            ""
        }
    };
    let quoted = args.all("string").map(|word| match () {
        () if args.has("shell") => quote_for_shell(word),
        () if args.has("xml") => escape_for_xml(word),
        () if args.has("split") => split_at_commas(word),
        () => word.to_string(),
    });
    let prefix = (!prefix.is_empty()).then(|| prefix.to_string());
    let text = prefix.into_iter().chain(quoted).collect::<Vec<_>>().join(" ");
    if args.has("err") {
        session.error(text);
    } else {
        session.print(text);
    }
    Ok(())
}

fn quote_for_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || !c.is_ascii() || "%+,-./:=@_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn escape_for_xml(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            other => out.push(other),
        }
    }
    out
}

/// The pieces between single commas, each with a line's end; a double comma is a comma in a piece.
fn split_at_commas(word: &str) -> String {
    let mut pieces = String::new();
    let mut rest = word.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ',' if rest.next_if_eq(&',').is_none() => pieces.push('\n'),
            other => pieces.push(other),
        }
    }
    pieces.push('\n');
    pieces
}
