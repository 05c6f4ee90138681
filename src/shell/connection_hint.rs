//! What a person is told who could not connect: who one is, whose the socket is, and what listens elsewhere.

use super::address;
use crate::backend::registry::helper_socket;
use crate::uri::Uri;
use nix::unistd::{Gid, Group, Uid, User, getgroups};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The lines of advice for a connection to `given` (nothing: the default) that did not come about.
pub fn lines(given: Option<&str>) -> Vec<String> {
    let Ok(uri) = address::resolve(given) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if let Some(path) = socket_of(&uri) {
        lines.push(describe(&path));
    }
    if uri.host.is_none() {
        lines.extend(elsewhere(&uri));
    }
    if given.is_none() {
        lines.push(format!("'{uri}' is the default; -c or LIBVIRT_DEFAULT_URI name another hypervisor"));
    }
    lines
}

/// The socket on this machine that the URI leads to.
fn socket_of(uri: &Uri) -> Option<PathBuf> {
    let here = uri.host.is_none() && matches!(uri.transport.as_deref(), None | Some("unix"));
    match uri.parameter("socket") {
        Some(path) if here => Some(path.into()),
        None if here && uri.scheme == "qemu" => match uri.path.as_str() {
            "/session" => helper_socket(true),
            "/system" => helper_socket(false),
            _ => None,
        },
        _ => None,
    }
}

/// The socket, its owner, and who asks.
fn describe(path: &Path) -> String {
    let user = User::from_uid(Uid::effective()).ok().flatten();
    let user = user.map_or_else(|| Uid::effective().to_string(), |user| user.name);
    let mut groups = getgroups().unwrap_or_default();
    if !groups.contains(&Gid::effective()) {
        groups.push(Gid::effective());
    }
    let groups = groups.into_iter().map(group_name).collect::<Vec<_>>().join(", ");
    let shown = path.display();
    match path.metadata() {
        Ok(_) if is_deserted(path) => {
            format!(
                "nobody listens at the socket {shown} any more; what made it has ended and is to be started anew"
            )
        }
        Ok(found) => {
            let owner = User::from_uid(Uid::from_raw(found.uid())).ok().flatten();
            let owner = owner.map_or_else(|| found.uid().to_string(), |user| user.name);
            let group = group_name(Gid::from_raw(found.gid()));
            let mode = found.mode() & 0o777;
            format!(
                "the socket {shown} belongs to {owner}:{group} (mode {mode:04o}); you are {user}, of the groups {groups}"
            )
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no socket {shown}, so nobody listens there")
        }
        Err(_) => format!("you, {user} of the groups {groups}, may not look at the socket {shown}"),
    }
}

/// Whether the socket outlived its maker.
fn is_deserted(path: &Path) -> bool {
    let refused = |cause: std::io::Error| cause.kind() == std::io::ErrorKind::ConnectionRefused;
    UnixStream::connect(path).err().is_some_and(refused)
}

fn group_name(id: Gid) -> String {
    Group::from_gid(id).ok().flatten().map_or_else(|| id.to_string(), |group| group.name)
}

/// The daemons of this machine that would answer, each with the URI that leads to it.
fn elsewhere(uri: &Uri) -> Vec<String> {
    let tried = socket_of(uri);
    let mut places = vec![
        ("your own helper", helper_socket(true), "qemu:///session".to_string()),
        ("the system's helper", helper_socket(false), "qemu:///system".to_string()),
    ];
    for name in ["libvirt-sock", "virtqemud-sock"] {
        let path = Path::new("/run/libvirt").join(name);
        let way = format!("'qemu+unix:///system?socket={}'", path.display());
        places.push(("a libvirt daemon", Some(path), way));
    }
    let answers = |path: &PathBuf| tried.as_ref() != Some(path) && UnixStream::connect(path).is_ok();
    let found = places.into_iter().filter(|(_, path, _)| path.as_ref().is_some_and(answers));
    found.map(|(who, _, way)| format!("{who} answers: -c {way}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_missing_socket_is_said_to_be_missing() {
        let lines = lines(Some("qemu+unix:///system?socket=/no/such/socket"));
        assert_eq!(lines[0], "there is no socket /no/such/socket, so nobody listens there");
    }

    #[test]
    fn a_sockets_owner_and_mode_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let line = describe(&path);
        assert!(line.contains("(mode 0") && line.contains("; you are "), "{line}");
        drop(listener);
        assert!(describe(&path).starts_with("nobody listens at the socket "), "{}", describe(&path));
        assert!(elsewhere(&Uri::parse("xen:///").unwrap()).iter().all(|line| line.contains(" answers: -c ")));
    }
}
