//! The prompt on a capable terminal: line editing, history, completion.

use super::completion;
use super::lexer::{Line, Tokens};
use super::prompt::run_line;
use super::session::Session;
use anyhow::{Context as _, Result};
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How many lines are remembered when VIRSH_HISTSIZE does not say.
const LINES_REMEMBERED: usize = 500;
/// The most that VIRSH_HISTSIZE may ask for.
const MOST_LINES: usize = 500_000;

/// Reads and runs lines until the input ends or a command leaves the shell.
pub fn converse(session: Session) -> Result<()> {
    let session = Rc::new(RefCell::new(session));
    let remembered = match lines_remembered() {
        Ok(lines) => lines,
        Err(complaint) => {
            session.borrow_mut().error(complaint);
            LINES_REMEMBERED
        }
    };
    let config = Config::builder()
        .max_history_size(remembered)
        .and_then(|config| config.history_ignore_dups(true))
        .context("the line editor cannot be set up")?
        .completion_type(CompletionType::List)
        .build();
    let mut editor: Editor<Assistant, FileHistory> =
        Editor::with_config(config).context("the line editor cannot be set up")?;
    editor.set_helper(Some(Assistant { session: Rc::clone(&session), files: FilenameCompleter::new() }));
    let history = history_file(session.borrow().settings.name());
    if let Some(file) = &history {
        // A history that cannot be read is an empty one.
        let _ = editor.load_history(file);
    }
    while !session.borrow().is_leaving() {
        session.borrow_mut().end_line();
        let prompt = session.borrow().settings.prompt();
        match editor.readline(&prompt) {
            Ok(line) => {
                remember(&mut editor, history.as_deref(), &line);
                run_line(&mut session.borrow_mut(), &line);
            }
            // Ctrl-C gives the line up, not the shell.
            Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

/// Adds a line to the history and its file at once, so that a lost terminal loses nothing.
fn remember(editor: &mut Editor<Assistant, FileHistory>, file: Option<&Path>, line: &str) {
    if line.trim().is_empty() || !editor.add_history_entry(line).unwrap_or(false) {
        return;
    }
    if let Some(file) = file {
        // History is a comfort: where it cannot be kept, the shell works as well.
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.append_history(file);
    }
}

fn lines_remembered() -> std::result::Result<usize, String> {
    let Ok(text) = std::env::var("VIRSH_HISTSIZE") else {
        return Ok(LINES_REMEMBERED);
    };
    match text.parse::<i64>() {
        Err(_) => Err("Bad $VIRSH_HISTSIZE value.".to_string()),
        Ok(lines) => match usize::try_from(lines) {
            Ok(lines) if lines <= MOST_LINES => Ok(lines),
            _ => Err(format!("$VIRSH_HISTSIZE value should be between 0 and {MOST_LINES}")),
        },
    }
}

/// The history's file in the user's cache folder.
fn history_file(name: &str) -> Option<PathBuf> {
    let folder = |variable| std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    let cache = folder("XDG_CACHE_HOME").or_else(|| Some(folder("HOME")?.join(".cache")))?;
    Some(cache.join(name).join("history"))
}

/// What rustyline asks while a line is typed.
struct Assistant {
    session: Rc<RefCell<Session>>,
    files: FilenameCompleter,
}

impl Helper for Assistant {}
impl Highlighter for Assistant {}
impl Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let text = &line[..at];
        let Some((words, partial, start)) = completion::last_command(text) else {
            return Ok((at, Vec::new()));
        };
        let mut session = self.session.borrow_mut();
        if completion::wants_file(&session, &words) && !partial.starts_with('-') {
            return self.files.complete(line, at, context);
        }
        let found = completion::candidates(&mut session, &words, &partial);
        let single = found.len() == 1;
        let pair = |candidate: String| {
            let quoted = quote(&candidate);
            // The next word may follow at once, unless this one goes on behind `=` or a comma.
            let end = if single && !candidate.ends_with(['=', ',']) { " " } else { "" };
            Pair { replacement: quoted + end, display: candidate }
        };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Validator for Assistant {
    /// A line with an open quote or a backslash at its end goes on in the next one.
    fn validate(&self, context: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let mut line = Line::new(context.input());
        loop {
            match line.next_token() {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(ValidationResult::Valid(None)),
                Err(_) => return Ok(ValidationResult::Incomplete),
            }
        }
    }
}

/// A word as the lexer reads it back.
fn quote(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for c in word.chars() {
        if matches!(c, ' ' | '\t' | ';' | '"' | '\'' | '\\') || (c == '#' && out.is_empty()) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completed_words_are_read_back_as_they_are() {
        for word in ["plain", "two words", "it's", "a;b", "#x", "c\\d"] {
            let quoted = quote(word);
            let (_, read, _) = completion::last_command(&quoted).unwrap();
            assert_eq!(read, word);
        }
    }
}
