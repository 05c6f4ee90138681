//! Domain definitions: completion refuses, or makes something that settles: a second reading may put controllers that
//! got their index in the first into order, as libvirt does, and a third one changes nothing.
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
        if complete(&mut tree, &Host).is_err() {
            continue;
        }
        let read = |text: &str| hvsh::xml::parse(text, "fuzz").expect("what was written is read");
        let mut again = read(&tree.to_string());
        if complete(&mut again, &Host).is_ok() {
            let _ = stability::check(&tree, &again);
            let mut settled = read(&again.to_string());
            if complete(&mut settled, &Host).is_ok() {
                assert_eq!(settled.to_string(), again.to_string());
            }
        }
    }
});
