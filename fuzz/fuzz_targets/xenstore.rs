//! Messages of the xenstore daemon: whatever arrives in whatever pieces is a message or an error.
#![no_main]

use hvsh::backend::xen::xenstore::{Message, PAYLOAD_MAX};

libfuzzer_sys::fuzz_target!(|pieces: Vec<Vec<u8>>| {
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend(piece);
        loop {
            let before = buffer.clone();
            match Message::take_from(&mut buffer) {
                Ok(Some(message)) => {
                    let written = message.to_bytes().expect("what arrived is not too long to be sent");
                    assert!(written.len() <= 16 + PAYLOAD_MAX);
                    assert_eq!([written, buffer.clone()].concat(), before);
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
