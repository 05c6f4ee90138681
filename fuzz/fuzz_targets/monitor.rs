//! What a QEMU says on its monitor: any line is a message, none, or unknown.
#![no_main]

use hvsh::qemud::qmp::Message;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Some(Message::Event(event)) = Message::parse(line) {
            let _ = (event.text("reason"), event.flag("guest"), event.number("offset"));
        }
    }
});
