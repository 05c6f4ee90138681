//! What holds of every command line.

use hvsh::commands::TABLE;
use hvsh::shell::completion;
use hvsh::shell::lexer::{Line, Token, Tokens};
use hvsh::shell::parser;
use proptest::prelude::*;

/// The only word of a line.
fn only_word(text: &str) -> Option<String> {
    let mut line = Line::new(text);
    match (line.next_token().ok()?, line.next_token().ok()?) {
        (Some(Token::Word(word)), None) => Some(word),
        _ => None,
    }
}

/// Lines that are likely to mean something: commands, options, quotes and separators in any order.
fn lines() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = TABLE.rows().map(|row| row.name).collect();
    let options: Vec<String> =
        TABLE.rows().flat_map(|row| row.options.iter().map(|option| format!("--{}", option.name))).collect();
    let piece = prop_oneof![
        proptest::sample::select(names).prop_map(str::to_string),
        proptest::sample::select(options),
        proptest::sample::select(vec![";", "--", "=", "\"", "'", "\\", "#", "\n", "--help", "test", "1"])
            .prop_map(str::to_string),
        "\\PC{0,6}",
    ];
    let blank = prop_oneof![Just(""), Just(" ")];
    proptest::collection::vec((piece, blank), 0..12)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, blank)| piece + blank).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_quoted_word_is_read_back(word in "\\PC*") {
        let quoted = format!("'{}'", word.replace('\'', "'\\''"));
        prop_assert_eq!(only_word(&quoted), Some(word.clone()));
        let escaped: String = word.chars().flat_map(|c| ['\\', c]).collect();
        if !word.is_empty() {
            prop_assert_eq!(only_word(&escaped), Some(word));
        }
    }

    #[test]
    fn a_line_is_parsed_or_refused_with_one_sentence(line in lines()) {
        if let Err(error) = parser::parse(TABLE, &mut Line::new(&line)) {
            prop_assert_eq!(error.chain().count(), 1);
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn the_word_to_complete_lies_in_the_line(line in lines()) {
        if let Some((_, _, start)) = completion::last_command(&line) {
            prop_assert!(line.is_char_boundary(start) && start <= line.len());
        }
    }
}
