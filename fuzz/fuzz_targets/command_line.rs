//! Command lines: whatever is typed parses against the whole table or is refused; completion never falls over it.
#![no_main]

use hvsh::commands::TABLE;
use hvsh::shell::lexer::Line;
use hvsh::shell::parser::parse;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(invocations) = parse(TABLE, &mut Line::new(text)) {
        for invocation in invocations {
            assert!(TABLE.find(invocation.command.name).is_some());
        }
    }
});
