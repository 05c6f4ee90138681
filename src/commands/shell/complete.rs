//! The hidden command `complete`, which completion scripts call: `hvsh -q complete -- dominfo te`.

use crate::shell::args::Args;
use crate::shell::completion;
use crate::shell::report::Silent;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("complete", Group::Shell, complete)
    .local()
    .hidden()
    .about(
        "say what may stand next",
        "For completion scripts. Prints the candidates for the last word, a line each.",
    )
    .options(&[Opt::rest("string", "the words of a command line; the last one is completed").empty_ok()])];

fn complete(session: &mut Session, args: &Args) -> Result<()> {
    let mut words: Vec<String> = args.all("string").map(str::to_string).collect();
    let partial = words.pop().unwrap_or_default();
    let found = completion::candidates(session, &words, &partial);
    if found.is_empty() {
        return Err(Silent.into());
    }
    for candidate in found {
        session.print(format_args!("{candidate}\n"));
    }
    Ok(())
}
