//! Running command lines: parse all, run one after the other, report, and part their answers.

use super::lexer::{Line, Words};
use super::parser::{self, Invocation};
use super::report::Level;
use super::session::{Format, Session};
use super::several;
use anyhow::Result;
use std::time::Instant;

/// Whether the last command did what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Outcome {
    /// It did, or there was nothing to do.
    Success,
    /// It did not, and that has been reported.
    Failure,
}

/// Parses a command line of any number of commands.
pub fn parse_line(session: &Session, text: &str) -> Result<Vec<Invocation>> {
    parser::parse(session.commands, &mut Line::new(text))
}

/// Parses one command whose words are split already.
pub fn parse_words(session: &Session, words: Vec<String>) -> Result<Vec<Invocation>> {
    parser::parse(session.commands, &mut Words(words.into_iter()))
}

/// Runs what was parsed; a failing command does not stop the rest, and the last one's outcome is the whole's.
pub fn run_all(session: &mut Session, invocations: &[Invocation]) -> Outcome {
    let mut outcome = Outcome::Success;
    for invocation in invocations {
        let started = Instant::now();
        outcome = run_one(session, invocation);
        if session.is_leaving() {
            return Outcome::Success;
        }
        part(session, started);
    }
    outcome
}

fn run_one(session: &mut Session, invocation: &Invocation) -> Outcome {
    session.tell(Level::Info, || format!("{}: {}", invocation.command.name, invocation.args));
    let connected = match invocation.command.needs_connection {
        true => session.ensure_connected(),
        false => Ok(()),
    };
    let run = |session: &mut Session| match several::run(session, invocation) {
        Some(answer) => answer,
        None => (invocation.command.run)(session, &invocation.args),
    };
    match connected.and_then(|()| run(session)) {
        Ok(()) => Outcome::Success,
        Err(error) => {
            session.report(&error);
            Outcome::Failure
        }
    }
}

/// Prints what stands between two answers: a blank line, or the time that the command took.
fn part(session: &mut Session, started: Instant) {
    if session.settings.timing {
        let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
        let line = format!("\n(Time: {milliseconds:.3} ms)\n\n");
        match session.settings.format {
            Format::Table => session.print(line),
            _ => session.remark(line.trim()),
        }
    } else {
        session.print_extra("\n");
    }
}
