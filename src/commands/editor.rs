//! Editing a description: fetch it, let a person change it in an editor, put it back, and ask again if it is refused.

use crate::error::Error;
use crate::shell::session::Session;
use anyhow::{Context, Result, anyhow, bail};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::Command;
use tempfile::NamedTempFile;

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edited {
    /// Nothing was changed, so nothing was stored.
    Unchanged,
    /// The new text is stored.
    Stored,
}

/// What to do after a refusal.
enum Choice {
    Again,
    GiveUp,
    WithoutValidation,
    Anyway,
}

/// Edits what `fetch` answers with and hands the new text to `store`, which may be told not to validate.
///
/// Nothing is stored when the description was changed by somebody else meanwhile.
pub fn edit(
    session: &mut Session,
    fetch: &dyn Fn() -> Result<String>,
    store: &mut dyn FnMut(&str, bool) -> Result<()>,
) -> Result<Edited> {
    session.flush();
    let original = fetch()?;
    let file = file_with(&original)?;
    let mut validate = true;
    let mut ask_editor = true;
    loop {
        if ask_editor {
            run_editor(file.path())?;
        }
        let edited = super::files::read(&file.path().to_string_lossy())?;
        if edited == original {
            return Ok(Edited::Unchanged);
        }
        let refusal = match store_unless_changed(&original, &edited, validate, fetch, store) {
            Ok(()) => return Ok(Edited::Stored),
            Err(refusal) => refusal,
        };
        if !std::io::stdin().is_terminal() {
            return Err(refusal.context("Failed."));
        }
        session.report(&refusal);
        match ask(session)? {
            Choice::Again => ask_editor = true,
            Choice::GiveUp => return Err(anyhow!("Failed.")),
            Choice::WithoutValidation => (validate, ask_editor) = (false, false),
            Choice::Anyway => ask_editor = false,
        }
    }
}

/// Lets a person change a text of any kind; answers with what it became.
pub fn edit_text(session: &mut Session, original: &str) -> Result<String> {
    session.flush();
    let file = file_with(original)?;
    run_editor(file.path())?;
    super::files::read(&file.path().to_string_lossy())
}

/// A temporary file that holds `text`.
fn file_with(text: &str) -> Result<NamedTempFile> {
    let file = tempfile::Builder::new()
        .prefix("hvsh")
        .suffix(".xml")
        .tempfile()
        .context("cannot make a temporary file to edit")?;
    std::fs::write(file.path(), text)
        .map_err(|cause| Error::system(format!("write: {}", file.path().display()), &cause))?;
    Ok(file)
}

fn store_unless_changed(
    original: &str,
    edited: &str,
    validate: bool,
    fetch: &dyn Fn() -> Result<String>,
    store: &mut dyn FnMut(&str, bool) -> Result<()>,
) -> Result<()> {
    if fetch()? != original {
        bail!("ERROR: the XML configuration was changed by another user");
    }
    store(edited, validate)
}

/// Runs the person's editor on a file and waits until it is closed.
fn run_editor(file: &Path) -> Result<()> {
    let chosen = |name: &str| std::env::var(name).ok().filter(|editor| !editor.is_empty());
    let editor = chosen("VISUAL").or_else(|| chosen("EDITOR")).unwrap_or_else(|| "vi".to_string());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-/_.:@".contains(c);
    // Blanks, quotes and the like mean that the shell is to read it.
    let mut command = if editor.chars().all(plain) {
        let mut command = Command::new(&editor);
        command.arg(file);
        command
    } else {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{editor} {}", file.display()));
        command
    };
    let status =
        command.status().map_err(|cause| Error::system(format!("Cannot find '{editor}' in path"), &cause))?;
    if !status.success() {
        let told = match status.code() {
            Some(code) => format!("unexpected exit status {code}"),
            None => format!("unexpected {status}"),
        };
        let line = format!("{editor} {}", file.display());
        return Err(Error::internal(format!("Child process ({line}) {told}")).into());
    }
    Ok(())
}

/// Asks at the terminal what to do after a refusal.
fn ask(session: &mut Session) -> Result<Choice> {
    loop {
        session.print("Failed. Try again? [y,n,i,f,?]: ");
        session.flush();
        let _ = std::io::stdout().flush();
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line).context("cannot read the answer")? == 0 {
            return Ok(Choice::GiveUp);
        }
        match line.trim() {
            "y" => return Ok(Choice::Again),
            "n" => return Ok(Choice::GiveUp),
            "i" => return Ok(Choice::WithoutValidation),
            "f" => return Ok(Choice::Anyway),
            _ => session.print(
                "y - open the editor again\nn - give up and lose the changes\n\
                 i - store it without validation\nf - try once more to store it as it is\n? - this list\n",
            ),
        }
    }
}
