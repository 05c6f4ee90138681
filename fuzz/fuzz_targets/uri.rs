//! Connection URIs.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(uri) = hvsh::uri::Uri::parse(text) {
        assert_eq!(uri.to_string(), text);
    }
});
