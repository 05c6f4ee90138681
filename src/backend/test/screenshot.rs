//! The picture that every screen shows.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A small grey square as PNG: the signature and the header, data, end chunks with their checksums.
const PICTURE: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x10, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x98, 0xa0, 0xbd, 0x00,
    0x00, 0x00, 0x0f, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x40, 0x03, 0x0c, 0x23, 0x5b, 0x00,
    0x00, 0x05, 0x0c, 0x80, 0x01, 0xe3, 0x33, 0x59, 0x8a, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44,
    0xae, 0x42, 0x60, 0x82,
];

/// A stream that gives the picture once.
pub(super) struct Picture {
    sent: AtomicBool,
}

impl Picture {
    /// The picture, unread.
    pub(super) fn new() -> Picture {
        Picture { sent: AtomicBool::new(false) }
    }
}

impl Stream for Picture {
    fn send(&self, _: &[u8]) -> Result<()> {
        Err(Error::invalid_operation("a screenshot can only be read"))
    }

    fn receive(&self, _: Option<Duration>) -> Result<Received> {
        Ok(match self.sent.swap(true, Ordering::Relaxed) {
            true => Received::End,
            false => Received::Data(PICTURE.to_vec()),
        })
    }

    fn finish(&self) -> Result<()> {
        Ok(())
    }

    fn abort(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }
}
