//! One verb, several domains: names, patterns and `--all`, in parallel, with the outcome of each.
//!
//! A row of the table says whether its command takes several domains. With one plain name nothing of this file
//! is used, and the command behaves as virsh's.

use super::args::Args;
use super::parser::Invocation;
use super::pattern;
use super::report::Silent;
use super::run::Outcome;
use super::session::{Format, Session};
use super::spec::{Command, Complete};
use super::suggestion::UnknownName;
use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};

/// The option that names the domains.
pub const DOMAIN: &str = "domain";
/// The option that means all of them.
pub const ALL: &str = "all";
/// How many are worked on at a time.
const HANDS: usize = 8;

/// What the run for one domain left behind.
struct Left {
    output: String,
    errors: Vec<String>,
    succeeded: bool,
}

/// Runs an invocation that means several domains; `None` if it means one, by its plain name.
pub fn run(session: &mut Session, invocation: &Invocation) -> Option<Result<()>> {
    let single = invocation.command.several?;
    match expand(session, invocation) {
        Ok(None) => None,
        Ok(Some(names)) => Some(run_each(session, invocation, single, &names)),
        Err(error) => Some(Err(error)),
    }
}

/// The domains that are meant, once each, or `None` for one plain name.
fn expand(session: &mut Session, invocation: &Invocation) -> Result<Option<Vec<String>>> {
    let args = &invocation.args;
    let words: Vec<&str> = args.all(DOMAIN).collect();
    let all = args.has(ALL);
    if !all && matches!(words[..], [word] if !pattern::is_pattern(word)) {
        return Ok(None);
    }
    if all && !words.is_empty() {
        bail!("Options --{ALL} and --{DOMAIN} are mutually exclusive");
    }
    // The names come by a helper that never complains, so what hinders it is found first.
    session.connection()?;
    let fitting = invocation.command.option(DOMAIN).map_or(Complete::Domain, |option| option.complete);
    let known = values(session, Complete::Domain);
    if let [word] = words[..]
        && known.iter().any(|name| name == word)
    {
        // A name that only looks like a pattern.
        return Ok(None);
    }
    let fitting = values(session, fitting);
    if all {
        return Ok(Some(fitting));
    }
    let mut names: Vec<String> = Vec::new();
    for word in words {
        let found = named(word, &known, &fitting)?;
        for name in found {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(Some(names))
}

fn values(session: &mut Session, kind: Complete) -> Vec<String> {
    let values = session.commands.values;
    values(session, kind, &Args::default())
}

/// What one word means. A name that nobody has stops everything before anything is done; an id or a uuid is left
/// to the command.
fn named(word: &str, known: &[String], fitting: &[String]) -> Result<Vec<String>> {
    let is_id = word.chars().all(|c| c.is_ascii_digit()) || uuid::Uuid::try_parse(word).is_ok();
    if is_id || known.iter().any(|name| name == word) {
        return Ok(vec![word.to_string()]);
    }
    if !pattern::is_pattern(word) {
        let message = format!("failed to get domain '{word}'");
        return Err(UnknownName { message, typed: word.to_string(), kind: Complete::Domain }.into());
    }
    let found = |names: &[String]| -> Vec<String> {
        names.iter().filter(|name| pattern::matches(word, name)).cloned().collect()
    };
    let (fits, any) = (found(fitting), found(known));
    match (fits.is_empty(), any.is_empty()) {
        (false, _) => Ok(fits),
        (true, true) => bail!("failed to get domain '{word}'"),
        (true, false) => bail!("no domain that matches '{word}' is in a state for this command"),
    }
}

fn run_each(session: &mut Session, invocation: &Invocation, single: &[&str], names: &[String]) -> Result<()> {
    let command = invocation.command;
    if let Some(option) = single.iter().find(|option| invocation.args.has(option)) {
        bail!("--{option} goes with one domain only, and not with a pattern");
    }
    let connection = session.handle()?;
    let mut settings = session.settings.clone();
    if settings.format == Format::Yaml {
        // The answers become parts of one document, which is written in the wanted form in the end.
        settings.format = Format::Json;
    }
    let table = session.commands;
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..names.len()).collect());
    let mut left: Vec<Option<Left>> = names.iter().map(|_| None).collect();
    let mut shown = 0;
    std::thread::scope(|scope| {
        let (done, results) = channel();
        for _ in 0..HANDS.min(names.len()) {
            let (done, queue, settings, connection) = (done.clone(), &queue, &settings, &connection);
            scope.spawn(move || {
                let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                while let Some(place) = next() {
                    let args = invocation.args.with(DOMAIN, &names[place]);
                    let mut own = Session::captured(settings.clone(), table, connection.clone());
                    let outcome = run_one(&mut own, command, &args);
                    let (output, errors) = own.captured_text();
                    let errors = errors.lines().map(|line| naming(line, &names[place])).collect();
                    // The receiver outlives this thread's work.
                    let _ =
                        done.send((place, Left { output, errors, succeeded: outcome == Outcome::Success }));
                }
            });
        }
        drop(done);
        for (place, result) in results {
            left[place] = Some(result);
            while let Some(Some(result)) = left.get(shown) {
                tell(session, &names[shown], result, shown == 0);
                shown += 1;
            }
        }
    });
    conclude(session, names, &left)
}

fn run_one(session: &mut Session, command: &Command, args: &Args) -> Outcome {
    match (command.run)(session, args) {
        Ok(()) => Outcome::Success,
        Err(error) => {
            session.report(&error);
            Outcome::Failure
        }
    }
}

/// An error's line that says which domain it is about.
fn naming(line: &str, name: &str) -> String {
    match line.strip_prefix("error: ") {
        Some(text) if !text.contains(name) => format!("error: {name}: {text}"),
        _ => line.to_string(),
    }
}

/// Prints what came of one domain; an answer of one line that does not name it gets its name put before it.
fn tell(session: &mut Session, name: &str, left: &Left, first: bool) {
    if session.settings.format == Format::Table {
        let text = left.output.trim_end_matches('\n');
        if text.contains('\n') {
            let gap = if first { "" } else { "\n" };
            session.print(format_args!("{gap}{text}\n"));
        } else if !text.is_empty() {
            let label = if text.contains(name) { String::new() } else { format!("{name}: ") };
            session.print(format_args!("{label}{text}\n"));
        }
    }
    for line in &left.errors {
        session.remark(line);
    }
}

/// The whole's outcome, and the one document of a program.
fn conclude(session: &mut Session, names: &[String], left: &[Option<Left>]) -> Result<()> {
    let mut failed = false;
    let mut documents = Vec::new();
    for (name, left) in names.iter().zip(left) {
        let Some(left) = left else {
            return Err(anyhow!("the work on domain '{name}' broke off"));
        };
        failed |= !left.succeeded;
        let errors: Vec<&str> = left.errors.iter().map(|line| line.trim_start_matches("error: ")).collect();
        let answer: Value = serde_json::from_str(&left.output).unwrap_or(Value::Null);
        documents.push(json!({
            "domain": name, "succeeded": left.succeeded, "errors": errors, "answer": answer,
        }));
    }
    session.show(&documents, |_| {})?;
    if failed { Err(Silent.into()) } else { Ok(()) }
}
