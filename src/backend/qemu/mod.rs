//! `qemu:///session` and `qemu:///system`: finds the helper that runs the guests, or starts it, and connects.
//!
//! The helper decides who is first: it holds a lock on its folder, so of several started at once one serves and the
//! others say so and leave. Here that means: connect, else start a helper and connect again.

mod complaint;
mod relay;
mod start;

pub use relay::relay;
pub use start::{BACKGROUND, start_in_background};

use super::Connection;
use super::remote::{RemoteConnection, has_hung_up, socket};
use crate::error::{Error, ErrorOrigin, Result};
use crate::uri::Uri;
use nix::unistd::Uid;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a helper that is just leaving or just coming is tried again.
const TRIES: u32 = 8;

/// Which helper a URI means.
struct Target {
    session: bool,
    /// The socket the URI names; that one is used as it is and no helper is started for it.
    named: Option<PathBuf>,
}

/// Opens `qemu:///session` or `qemu:///system`.
pub fn open(uri: &Uri, read_only: bool) -> Result<Box<dyn Connection>> {
    let target = Target::of(uri)?;
    let driver_uri = format!("qemu://{}", uri.path);
    let mut last = None;
    for attempt in 0..TRIES {
        let stream = target.connect(read_only)?;
        match RemoteConnection::open_helper(stream, &uri.to_string(), &driver_uri, read_only) {
            Ok(connection) => return Ok(Box::new(connection)),
            // It was about to leave when we came; the next one will stay.
            Err(error) if has_hung_up(&error) && target.named.is_none() => last = Some(error),
            Err(error) => return Err(error),
        }
        std::thread::sleep(Duration::from_millis(5 << attempt));
    }
    Err(last.unwrap_or_else(|| Error::internal("the helper hangs up on every client")))
}

impl Target {
    fn of(uri: &Uri) -> Result<Target> {
        let session = match uri.path.as_str() {
            "/session" => true,
            "/system" => false,
            _ => {
                let hint = if Uid::effective().is_root() { "qemu:///system" } else { "qemu:///session" };
                return Err(uri.unexpected_path(hint).from_origin(ErrorOrigin::QEMU));
            }
        };
        let named = uri.parameter("socket").map(PathBuf::from);
        Ok(Target { session, named })
    }

    /// A connected socket; starts the helper if nobody listens and we may.
    fn connect(&self, read_only: bool) -> Result<UnixStream> {
        let path = match &self.named {
            Some(path) => path.clone(),
            None => socket::default_socket(self.session, read_only)?,
        };
        let mut cause = match UnixStream::connect(&path) {
            Ok(stream) => return Ok(stream),
            Err(cause) => cause,
        };
        for attempt in 0..TRIES {
            if !self.may_start(&cause) {
                break;
            }
            start::start_helper(self.session)?;
            match UnixStream::connect(&path) {
                Ok(stream) => return Ok(stream),
                Err(again) => cause = again,
            }
            std::thread::sleep(Duration::from_millis(5 << attempt));
        }
        Err(complaint::cannot_connect(&path, self.session, self.named.is_some(), &cause))
    }

    /// Nobody listens, and the helper would be ours.
    fn may_start(&self, cause: &std::io::Error) -> bool {
        let nobody = matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused);
        let ours = self.session || (Uid::effective().is_root() && !is_activated_by_systemd());
        nobody && self.named.is_none() && ours
    }
}

/// Whether systemd owns the system's socket; then a helper of ours would only be in its way.
fn is_activated_by_systemd() -> bool {
    Path::new("/run/systemd/units/invocation:hvsh-qemud.socket").symlink_metadata().is_ok()
}
