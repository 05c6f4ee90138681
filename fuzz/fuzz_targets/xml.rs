//! Documents: what parses can be written and parses to the same text again.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(root) = hvsh::xml::parse(text, "fuzz") {
        let written = root.to_string();
        if let Ok(again) = hvsh::xml::parse(&written, "fuzz") {
            assert_eq!(again.to_string(), written);
        }
    }
});
