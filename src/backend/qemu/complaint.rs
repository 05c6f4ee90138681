//! What a person is told when the helper cannot be reached: which socket, why, and what to do.

use crate::error::{Error, ErrorOrigin};
use nix::unistd::{Gid, Group, Uid, User};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The error for a socket that does not let us in.
pub(super) fn cannot_connect(path: &Path, session: bool, named: bool, cause: &std::io::Error) -> Error {
    let tried = format!("Failed to connect socket to '{}'", path.display());
    let mut error = Error::system(tried, cause).from_origin(ErrorOrigin::RPC);
    let hint = match cause.kind() {
        ErrorKind::PermissionDenied => no_right(path),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused if named => Some(
            "no helper listens there; leave out 'socket=' for the helper that hvsh starts itself".to_string(),
        ),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused if !session => Some(not_running()),
        _ => None,
    };
    if let Some(hint) = hint {
        error.message = format!("{}; {hint}", error.message);
    }
    error
}

fn own_name() -> String {
    match User::from_uid(Uid::effective()) {
        Ok(Some(user)) => user.name,
        _ => format!("with id {}", Uid::effective()),
    }
}

fn not_running() -> String {
    format!(
        "the system's helper does not run: start it as root with 'systemctl start hvsh-qemud.socket' or any 'hvsh -c \
         qemu:///system' command, or use qemu:///session for the virtual machines of user {}",
        own_name()
    )
}

/// Names the one who may, as far as the socket's file tells.
fn no_right(path: &Path) -> Option<String> {
    let me = own_name();
    let Ok(found) = path.metadata() else {
        return Some(format!("user {me} may not look into its folder: run as root or use qemu:///session"));
    };
    let owner = User::from_uid(Uid::from_raw(found.uid())).ok().flatten();
    let owner = owner.map_or_else(|| found.uid().to_string(), |user| user.name);
    let group = Group::from_gid(Gid::from_raw(found.gid())).ok().flatten();
    let group = group.map_or_else(|| found.gid().to_string(), |group| group.name);
    let open_to_group = found.mode() & 0o020 != 0;
    Some(if open_to_group && group != "root" {
        format!(
            "it is open to user {owner} and group {group}, and user {me} is neither: add yourself with 'usermod -aG \
             {group} {me}' and log in again, or use qemu:///session"
        )
    } else {
        format!(
            "it is open to user {owner} alone: run as {owner}, or use qemu:///session for your own virtual machines"
        )
    })
}
