//! Where our helper listens: names and folders that both ends agree on.

use crate::error::{Error, ErrorCode, Result};
use nix::unistd::{Uid, User};
use std::path::PathBuf;

/// The read-write socket's name within the helper's folder.
pub const READ_WRITE: &str = "qemud-sock";
/// The read-only socket's name within the helper's folder.
pub const READ_ONLY: &str = "qemud-sock-ro";
/// Where the system's helper listens.
pub const SYSTEM_FOLDER: &str = "/run/hvsh";

/// The socket's name of the proxy that shows plain users this host's Xen.
pub const XEN_PROXY: &str = "xen-proxy-sock";

/// Where the proxy that shows plain users this host's Xen listens.
pub fn xen_proxy() -> PathBuf {
    PathBuf::from(SYSTEM_FOLDER).join(XEN_PROXY)
}

/// The folder of the user's own helper: under `XDG_RUNTIME_DIR`, else under the cache folder in the home.
pub fn session_folder() -> Result<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = named("XDG_RUNTIME_DIR").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("hvsh"));
    }
    if let Some(folder) = named("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("hvsh/run"));
    }
    let home = named("HOME").or_else(|| User::from_uid(Uid::effective()).ok().flatten().map(|user| user.dir));
    match home {
        Some(home) => Ok(home.join(".cache/hvsh/run")),
        None => Err(Error::new(
            ErrorCode::CONFIG_UNSUPPORTED,
            "no place for the session helper's socket: set XDG_RUNTIME_DIR or HOME",
        )),
    }
}

/// The helper's folder.
pub fn folder(session: bool) -> Result<PathBuf> {
    if session { session_folder() } else { Ok(PathBuf::from(SYSTEM_FOLDER)) }
}

/// The socket a client uses unless it is told another.
pub fn default_socket(session: bool, read_only: bool) -> Result<PathBuf> {
    // A session's folder is open to its user alone; a read-only client needs no socket of lesser rights there.
    let name = if read_only && !session { READ_ONLY } else { READ_WRITE };
    Ok(folder(session)?.join(name))
}
