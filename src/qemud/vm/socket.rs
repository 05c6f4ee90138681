//! Unix sockets at paths of any length: a long one is reached through its folder's descriptor.

use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// What a socket's address may have less its ending zero.
const LENGTH_MAX: usize = 107;

/// Runs `use_it` with a path to the same socket that is short enough.
fn with_short_path<T>(path: &Path, use_it: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= LENGTH_MAX {
        return use_it(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return use_it(path);
    };
    let folder = File::open(folder)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    use_it(&short)
}

/// Listens at `path`, in place of whoever did before.
pub fn listen(path: &Path) -> Result<UnixListener> {
    // A socket nobody listens at any more is only in the way.
    let _ = std::fs::remove_file(path);
    with_short_path(path, |path| UnixListener::bind(path))
        .map_err(|e| Error::system(format!("Failed to create socket '{}'", path.display()), &e))
}

/// Connects to whoever listens at `path`.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    with_short_path(path, |path| UnixStream::connect(path))
}

/// Whether a socket stands at `path`.
pub fn is_there(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|known| known.file_type().is_socket())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_be_longer_than_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let _listener = listen(&deep.join("socket")).unwrap();
        connect(&deep.join("socket")).unwrap();
        assert!(connect(&deep.join("another")).is_err());
    }
}
