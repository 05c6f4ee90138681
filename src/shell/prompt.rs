//! The prompt: which kind of it the terminal allows, and the plain kinds, which programs drive.
//!
//! Without a terminal, or on one that cannot move its cursor, not one escape sequence is written: line editing
//! lives in `line_editor` and is not even loaded then.

use super::line_editor;
use super::run::{self, Outcome};
use super::session::Session;
use anyhow::Result;
use std::io::{BufRead, IsTerminal, stdin, stdout};

/// Reads and runs lines until the input ends or a command leaves the shell; that is always a success.
pub fn converse(session: Session) -> Result<Outcome> {
    let mut session = session;
    session.settings.interactive = true;
    if session.settings.uri.is_some() {
        session.connect()?;
    }
    let name = session.settings.name();
    let about = match session.settings.as_virsh {
        true => "the virtualization interactive terminal",
        false => "virsh without libvirt",
    };
    session.print_extra(format_args!(
        "Welcome to {name}, {about}.\n\nType:  'help' for help with commands\n       'quit' to quit\n\n"
    ));
    session.flush();
    let typed = stdin().is_terminal();
    if typed && stdout().is_terminal() && can_edit() {
        line_editor::converse(session)?;
    } else {
        converse_plainly(&mut session, typed);
    }
    Ok(Outcome::Success)
}

/// Whether the terminal says of itself that it understands more than plain text.
fn can_edit() -> bool {
    std::env::var("TERM").is_ok_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Reads whole lines; a terminal shows what is typed, otherwise the line is printed after the prompt.
fn converse_plainly(session: &mut Session, typed: bool) {
    let mut bytes = Vec::new();
    while !session.is_leaving() {
        session.print(session.settings.prompt());
        session.flush();
        bytes.clear();
        // The lock is not kept: a command may ask something at the terminal.
        match stdin().lock().read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let Ok(line) = std::str::from_utf8(&bytes) else {
            session.error("the line is not valid UTF-8; nothing of it was run");
            continue;
        };
        let line = line.trim_end_matches('\n');
        if !typed {
            session.print(format_args!("{line}\n"));
        }
        run_line(session, line);
    }
    session.print("\n");
    session.flush();
}

/// Parses and runs a line; its errors are reported and change nothing about what follows.
pub(super) fn run_line(session: &mut Session, line: &str) {
    match run::parse_line(session, line) {
        // The outcome of a line is not the shell's.
        Ok(invocations) => drop(run::run_all(session, &invocations)),
        Err(error) => session.report(&error),
    }
    session.flush();
}
