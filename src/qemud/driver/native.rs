//! A definition as the command line that starts it, for people to read and to try.

use crate::error::Result;
use crate::qemud::argv::{self, LaunchRequest};
use crate::qemud::define;
use crate::xml::Element;
use std::path::Path;

/// The command line of a complete definition: environment, program, arguments, quoted for a shell.
///
/// Nothing is prepared, so it runs as it stands only where the guest's runtime folder exists.
pub(super) fn command_line(tree: &Element, runtime: &Path) -> Result<String> {
    let request = LaunchRequest {
        definition: tree,
        capabilities: define::capabilities_for(tree)?,
        runtime,
        id: 0,
        incoming: false,
        live: false,
        monitor_fd: None,
    };
    let launch = argv::launch(&request)?;
    let environment = launch.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    let program = std::iter::once(quoted(&launch.program.to_string_lossy()));
    let arguments = launch.arguments.iter().map(|argument| quoted(argument));
    let words: Vec<String> = environment.chain(program).chain(arguments).collect();
    Ok(words.join(" ") + "\n")
}

/// A word as a shell takes it for itself.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=/:,.@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_only_where_a_shell_would_read_into_it() {
        for (word, wanted) in
            [("size=65536k", "size=65536k"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(word), wanted);
        }
    }
}
