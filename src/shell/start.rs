//! From the process's arguments to a running shell, and to its exit status.

use super::about;
use super::manual;
use super::model;
use super::options::{self, Action, Options};
use super::prompt;
use super::report::Reporter;
use super::run::{self, Outcome};
use super::session::Session;
use super::spec::Table;
use anyhow::{Result, bail};
use std::ffi::OsString;
use std::io::{BufWriter, IsTerminal, Write, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

/// The level below which nothing is told unless `-d` or VIRSH_DEBUG asks for it.
const ERRORS_ONLY: u8 = 4;

/// Runs the shell with the commands of `table` and the process's arguments, its name first.
pub fn start(table: Table, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match try_start(table, arguments.into_iter()) {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Failure) => ExitCode::FAILURE,
        Err(error) => {
            Reporter::new(Box::new(stderr())).chain(&error);
            ExitCode::FAILURE
        }
    }
}

fn try_start(table: Table, mut arguments: impl Iterator<Item = OsString>) -> Result<Outcome> {
    let called = arguments.next().unwrap_or_default();
    let as_virsh = Path::new(&called).file_name().is_some_and(|name| name == "virsh");
    let Options { mut settings, action, complaints } =
        options::read(arguments.map(text).collect::<Result<_>>()?)?;
    settings.as_virsh = as_virsh;
    let mut reporter = Reporter::new(Box::new(stderr()));
    for complaint in complaints {
        reporter.error(complaint);
    }
    let level = settings.debug.or_else(|| level_from_environment(&mut reporter));
    let log = settings.log.take().or_else(|| std::env::var("VIRSH_LOG_FILE").ok());
    let log = log.filter(|path| !path.is_empty());
    reporter.configure(level.unwrap_or(ERRORS_ONLY), log.as_deref(), settings.name())?;
    // A person sees each line at once; a program gets them in large pieces.
    let out: Box<dyn Write> = match stdout().is_terminal() {
        true => Box::new(stdout()),
        false => Box::new(BufWriter::new(stdout())),
    };
    act(Session::new(settings, table, out, reporter), action)
}

/// What VIRSH_DEBUG says, if it says a level.
fn level_from_environment(reporter: &mut Reporter) -> Option<u8> {
    let text = std::env::var("VIRSH_DEBUG").ok()?;
    let level = text.parse().ok().filter(|level| *level <= ERRORS_ONLY);
    if level.is_none() {
        reporter.error("VIRSH_DEBUG not set with a valid numeric value");
    }
    level
}

fn text(argument: OsString) -> Result<String> {
    match argument.into_string() {
        Ok(text) => Ok(text),
        Err(bytes) => {
            bail!("the argument '{}' is not valid UTF-8; give it in UTF-8", bytes.to_string_lossy())
        }
    }
}

fn act(mut session: Session, action: Action) -> Result<Outcome> {
    let text = match action {
        Action::Run(operands) if operands.is_empty() => return prompt::converse(session),
        Action::Run(operands) => {
            let outcome = run_operands(&mut session, operands);
            session.flush();
            return outcome;
        }
        Action::Help => about::usage(&session.settings, session.commands),
        Action::Version => format!("{}\n", about::short_version(&session.settings)),
        Action::LongVersion => about::long_version(&session.settings),
        Action::Manual => manual::page(session.commands),
        Action::Completion(shell) => model::completion(session.commands, &shell)?,
    };
    session.print(text);
    session.flush();
    Ok(Outcome::Success)
}

/// One operand is a command line, several are the words of one command; all are parsed before the connection
/// that was asked for is opened, and nothing runs without it.
fn run_operands(session: &mut Session, operands: Vec<String>) -> Result<Outcome> {
    let parsed = match operands.as_slice() {
        // virsh takes an empty argument for a failure.
        [line] if line.is_empty() => return Ok(Outcome::Failure),
        [line] => run::parse_line(session, line),
        _ => run::parse_words(session, operands),
    };
    let connect = |session: &mut Session| match session.settings.uri {
        Some(_) => session.connect(),
        None => Ok(()),
    };
    match parsed.and_then(|invocations| connect(session).map(|()| invocations)) {
        Ok(invocations) => Ok(run::run_all(session, &invocations)),
        Err(error) => {
            session.report(&error);
            Ok(Outcome::Failure)
        }
    }
}
