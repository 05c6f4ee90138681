//! Configuration files of xm and xl: no text may do harm, and what was read is the same after a round trip.
#![no_main]

use hvsh::backend::xen::native::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let config = Config::parse(text);
    let again = Config::parse(&config.to_string());
    for entry in config.entries() {
        assert_eq!(again.get(&entry.name), Some(&entry.value));
    }
});
