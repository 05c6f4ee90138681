//! Golden scripts: `golden/NAME.txt` holds command lines and what they must answer.
//!
//! ```text
//! $ -c test:///default domid test      the arguments, quoted as the shell quotes
//! < echo a                             a line of standard input
//! 1                                    standard output, line by line
//! ! error: …                           standard error
//! ? 1                                  the exit status, when it is not 0
//! ```
//! `HVSH_GOLDEN=write cargo test --test cli golden` writes the answers anew, to be read before they are kept.

use crate::stage::Stage;
use hvsh::shell::lexer::{Line, Token, Tokens};
use std::fmt::Write;
use std::path::Path;

fn words(text: &str) -> Vec<String> {
    let mut line = Line::new(text);
    let mut words = Vec::new();
    while let Some(token) = line.next_token().unwrap() {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => panic!("an argument holds ; or # without quotes: {text}"),
        }
    }
    words
}

/// Runs every command of a script and writes the script with what was answered.
fn play(script: &str) -> String {
    let stage = Stage::new();
    let root = stage.root.path().to_str().unwrap().to_string();
    let mut played = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(arguments) = line.strip_prefix("$ ") else {
            // What stands before the first command is a remark; the rest are answers of old.
            if played.is_empty() || line.starts_with("# ") {
                writeln!(played, "{line}").unwrap();
            }
            continue;
        };
        writeln!(played, "{line}").unwrap();
        let mut input = String::new();
        while let Some(typed) = lines.next_if(|line| line.starts_with("< ")) {
            writeln!(played, "{typed}").unwrap();
            writeln!(input, "{}", &typed[2..]).unwrap();
        }
        let words = words(&arguments.replace("@STAGE@", &root));
        let answer = stage.run(&words.iter().map(String::as_str).collect::<Vec<_>>(), &input);
        for line in answer.out.replace(&root, "@STAGE@").lines() {
            writeln!(played, "{line}").unwrap();
        }
        if !answer.out.is_empty() && !answer.out.ends_with('\n') {
            played.push_str("[no line's end]\n");
        }
        for line in answer.err.replace(&root, "@STAGE@").lines() {
            writeln!(played, "! {line}").unwrap();
        }
        if answer.status != 0 {
            writeln!(played, "? {}", answer.status).unwrap();
        }
    }
    played
}

#[test]
fn golden_scripts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/golden");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no golden scripts were found");
    let mut differing = String::new();
    for path in paths {
        let wanted = std::fs::read_to_string(&path).unwrap();
        let got = play(&wanted);
        if got == wanted {
            continue;
        }
        if std::env::var_os("HVSH_GOLDEN").is_some_and(|mode| mode == "write") {
            std::fs::write(&path, got).unwrap();
            continue;
        }
        let first = wanted.lines().zip(got.lines()).position(|(wanted, got)| wanted != got);
        let line = first.unwrap_or(wanted.lines().count().min(got.lines().count()));
        writeln!(
            differing,
            "{}:{}\n  wanted: {:?}\n  got:    {:?}",
            path.display(),
            line + 1,
            wanted.lines().nth(line),
            got.lines().nth(line)
        )
        .unwrap();
    }
    assert!(differing.is_empty(), "{differing}");
}
