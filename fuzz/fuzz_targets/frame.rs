//! Frames of the wire: whatever arrives is a frame or an error.
#![no_main]

use hvsh::rpc::frame::Frame;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut input = bytes;
    while let Ok(Some(frame)) = Frame::read_from(&mut input) {
        let written = frame.to_bytes().expect("a frame that was read can be written");
        assert_eq!(Frame::from_body(&written[4..]).expect("and read again"), frame);
    }
});
