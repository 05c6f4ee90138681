//! Domain definitions: completion refuses or makes something that it leaves as it is the second time.
#![no_main]

use hvsh::xml::domain::{Platform, complete, stability};

struct Host;

impl Platform for Host {
    fn default_architecture(&self, _: &str, _: &str) -> String {
        "x86_64".to_string()
    }
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    // Half of the inputs are spared the frame that every definition needs.
    let framed = format!(
        "<domain type='qemu'><name>n</name><uuid>11111111-2222-3333-4444-555555555555</uuid>\
         <memory>1024</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>{text}</domain>"
    );
    for document in [text, &framed] {
        let Ok(mut tree) = hvsh::xml::parse(document, "fuzz") else {
            continue;
        };
        if complete(&mut tree, &Host).is_ok() {
            let mut again = hvsh::xml::parse(&tree.to_string(), "fuzz").expect("what was written is read");
            if complete(&mut again, &Host).is_ok() {
                assert_eq!(again.to_string(), tree.to_string());
                let _ = stability::check(&tree, &again);
            }
        }
    }
});
