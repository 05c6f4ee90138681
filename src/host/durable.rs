//! Writing files so that neither a crash of the program nor of the host leaves half a file.

use crate::error::{Error, Result};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The name a file has while it is being written: in its folder, hidden, of no extension that is ever read.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    path.with_file_name(format!(".{name}.new"))
}

fn fill(path: &Path, contents: &[u8]) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let opened = options.open(path);
    let mut file =
        opened.map_err(|e| Error::system(format!("cannot create file '{}'", path.display()), &e))?;
    file.write_all(contents)
        .map_err(|e| Error::system(format!("cannot write file '{}'", path.display()), &e))?;
    Ok(file)
}

/// Replaces a file; when this answers, the new contents survive a crash of the host.
pub fn write_durably(path: &Path, contents: &[u8]) -> Result<()> {
    let new = temporary(path);
    let written = fill(&new, contents).and_then(|file| {
        file.sync_all().map_err(|e| Error::system(format!("cannot sync file '{}'", new.display()), &e))
    });
    let placed = written.and_then(|()| rename_durably(&new, path));
    if placed.is_err() {
        // The first error is the one to tell; a leftover temporary file is never read.
        let _ = fs::remove_file(&new);
    }
    placed
}

/// Replaces a file that need not survive a crash of the host, only one of the program.
pub fn write_volatile(path: &Path, contents: &[u8]) -> Result<()> {
    let new = temporary(path);
    fill(&new, contents)?;
    fs::rename(&new, path).map_err(|e| cannot_rename(&new, path, &e))
}

/// Renames a file and syncs the folder it is in then.
pub fn rename_durably(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| cannot_rename(from, to, &e))?;
    sync_folder(to)
}

/// Removes a file, if it is there, and syncs its folder.
pub fn remove_durably(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::system(format!("cannot remove file '{}'", path.display()), &e)),
    }
}

/// Makes the entries of the folder that holds `path` durable.
pub fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| Error::system(format!("cannot sync folder '{}'", folder.display()), &e))
}

fn cannot_rename(from: &Path, to: &Path, cause: &std::io::Error) -> Error {
    Error::system(format!("cannot rename file '{}' as '{}'", from.display(), to.display()), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xml");
        write_durably(&path, b"old").unwrap();
        // A folder in the way of the temporary file makes the write fail.
        fs::create_dir(temporary(&path)).unwrap();
        assert!(write_durably(&path, b"new").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
