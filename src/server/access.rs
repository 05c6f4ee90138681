//! Who may speak to the helper: its sockets, their rights, and what the kernel says of the one at the other end.
//!
//! Nothing a client claims of itself counts; the kernel's word on the peer of a socket does.

use crate::error::{Error, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Gid, Uid, chown};
use std::fs::{DirBuilder, Permissions, metadata, remove_file, set_permissions};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The process at the other end of a socket, by the kernel's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its process id when it connected.
    pub pid: i32,
    /// The user it ran as.
    pub uid: u32,
    /// The group it ran as.
    pub gid: u32,
}

impl Peer {
    /// Asks the kernel.
    pub fn of(socket: &UnixStream) -> Result<Peer> {
        let known = getsockopt(socket, PeerCredentials)
            .map_err(|errno| Error::system("cannot learn who a client is", &errno.into()))?;
        Ok(Peer { pid: known.pid(), uid: known.uid(), gid: known.gid() })
    }
}

/// Who is let in through a socket, beyond what its file's rights say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// The helper's own user and root: a session.
    OwnUser,
    /// Whoever the file's rights let connect.
    Everybody,
}

/// A listening socket and what its clients may do.
pub struct Listener {
    socket: UnixListener,
    /// Whether its clients may only read.
    pub read_only: bool,
    admission: Admission,
    /// The file to remove at the end; `None` when the socket was handed to us.
    path: Option<PathBuf>,
}

impl Listener {
    /// Listens at `path`, which must not be in use: a socket left there by a helper that died is replaced.
    pub fn bind(
        path: &Path,
        mode: u32,
        group: Option<u32>,
        read_only: bool,
        admission: Admission,
    ) -> Result<Listener> {
        let failed =
            |cause: &std::io::Error| Error::system(format!("cannot listen on '{}'", path.display()), cause);
        match remove_file(path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(failed(&cause)),
            _ => {}
        }
        let socket = UnixListener::bind(path).map_err(|cause| failed(&cause))?;
        // Between these two calls the umask rules, which lets nobody in whom the mode would not.
        set_permissions(path, Permissions::from_mode(mode)).map_err(|cause| failed(&cause))?;
        if let Some(group) = group {
            chown(path, None, Some(Gid::from_raw(group))).map_err(|errno| failed(&errno.into()))?;
        }
        Self::over(socket, Some(path.to_path_buf()), read_only, admission)
    }

    /// Takes over a socket that listens already, as a service manager hands it on.
    pub fn inherited(socket: OwnedFd, read_only: bool, admission: Admission) -> Result<Listener> {
        Self::over(UnixListener::from(socket), None, read_only, admission)
    }

    fn over(
        socket: UnixListener,
        path: Option<PathBuf>,
        read_only: bool,
        admission: Admission,
    ) -> Result<Listener> {
        socket
            .set_nonblocking(true)
            .map_err(|cause| Error::system("cannot prepare a listening socket", &cause))?;
        Ok(Listener { socket, read_only, admission, path })
    }

    /// The next client that may come in, if one waits.
    pub(super) fn accept(&self) -> Result<Option<(UnixStream, Peer)>> {
        loop {
            let socket = match self.socket.accept() {
                Ok((socket, _)) => socket,
                Err(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
                Err(cause) => match cause.raw_os_error().map(Errno::from_raw) {
                    Some(Errno::EINTR | Errno::ECONNABORTED) => continue,
                    _ => return Err(Error::system("accept", &cause)),
                },
            };
            let peer = Peer::of(&socket)?;
            if self.admits(&peer) {
                return Ok(Some((socket, peer)));
            }
            tracing::warn!(
                "user {} (process {}) turned away from a session of another user",
                peer.uid,
                peer.pid
            );
        }
    }

    fn admits(&self, peer: &Peer) -> bool {
        match self.admission {
            Admission::Everybody => true,
            Admission::OwnUser => peer.uid == 0 || peer.uid == Uid::effective().as_raw(),
        }
    }

    /// Whether a client waits to be accepted.
    pub(super) fn has_waiting(&self) -> bool {
        let mut entry = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        matches!(poll(&mut entry, PollTimeout::ZERO), Ok(1..))
    }

    /// Stops being found.
    pub(super) fn close(&self) {
        if let Some(path) = &self.path {
            let _ = remove_file(path);
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Makes a folder for sockets: `mode` is what others may do there. A session's folder must be ours alone.
pub fn prepare_folder(path: &Path, mode: u32) -> Result<()> {
    let failed =
        |cause: &std::io::Error| Error::system(format!("cannot create folder '{}'", path.display()), cause);
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(|cause| failed(&cause))?;
    let found = metadata(path).map_err(|cause| failed(&cause))?;
    if found.uid() != Uid::effective().as_raw() {
        let what = format!(
            "folder '{}' belongs to user {}, not to user {} as whom the helper runs",
            path.display(),
            found.uid(),
            Uid::effective()
        );
        return Err(Error::operation_failed(what));
    }
    if found.mode() & 0o777 != mode {
        set_permissions(path, Permissions::from_mode(mode)).map_err(|cause| failed(&cause))?;
    }
    Ok(())
}
