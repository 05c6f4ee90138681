//! The far end of an ssh connection: joins standard input and output to the helper of this machine.

use super::Target;
use crate::error::{Error, Result};
use crate::uri::Uri;
use std::io::{Read, Write};
use std::net::Shutdown;

/// Carries bytes both ways until either side ends. Starts the helper if nobody listens.
pub fn relay(uri: &Uri, read_only: bool) -> Result<()> {
    let upstream = Target::of(uri)?.connect(read_only)?;
    let downstream = upstream.try_clone().map_err(|cause| Error::system("cannot share a socket", &cause))?;
    std::thread::spawn(move || {
        carry(std::io::stdin().lock(), &upstream);
        let _ = upstream.shutdown(Shutdown::Write);
    });
    carry(&downstream, std::io::stdout().lock());
    Ok(())
}

/// Carries bytes one way until the source ends or nobody takes them any more.
fn carry(mut from: impl Read, mut to: impl Write) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}
