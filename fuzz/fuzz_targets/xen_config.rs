//! Configuration files of xm and xl: no text may do harm, and what was read is the same after a round trip; nor may
//! the definition that a file makes.
#![no_main]

use hvsh::backend::xen::native::config::Config;
use hvsh::backend::xen::native::{self, xl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let config = Config::parse(text);
    let again = Config::parse(&config.to_string());
    for entry in config.entries() {
        assert_eq!(again.get(&entry.name), Some(&entry.value));
    }
    let _ = xl::domain_from_config(&config, xl::Use::Kept);
    if let Ok(document) = native::to_xml("xen-xm", text) {
        let _ = native::from_xml("xen-xm", &document);
    }
});
