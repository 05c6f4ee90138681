//! Copies of disks' files: whole or not at all, without their holes, and given up when the user says so.

use crate::error::Error;
use crate::shell::interrupt::{Ending, Interrupt};
use anyhow::{Context, Result, bail};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How soon a wish to stop is noticed.
const PATIENCE: Duration = Duration::from_millis(50);

/// While this lives, the user's wish to stop is noted and does not end the process before it has tidied up.
pub struct Stop {
    interrupt: Interrupt,
    ending: Ending,
}

impl Stop {
    /// Starts watching.
    pub fn watch() -> Result<Stop> {
        Ok(Stop { interrupt: Interrupt::watch()?, ending: Ending::watch()? })
    }

    /// Fails if the user wants no more of this.
    pub fn check(&self) -> Result<()> {
        if self.interrupt.came() || self.ending.came() {
            bail!("interrupted");
        }
        Ok(())
    }
}

/// Copies a file, sharing blocks where that is possible. The copy appears under its name when it is whole and on
/// the disk; a file that has this name already is left alone.
pub fn copy_beside(source: &Path, new: &Path, stop: &Stop) -> Result<()> {
    let folder = new.parent().unwrap_or(Path::new("/"));
    let cannot = |what: &str, cause: &std::io::Error| Error::system(format!("cannot {what}"), cause);
    let shown = new.display();
    if new.symlink_metadata().is_ok() {
        let exists = std::io::Error::from_raw_os_error(nix::libc::EEXIST);
        return Err(cannot(&format!("make '{shown}'"), &exists).into());
    }
    let partial = tempfile::Builder::new().prefix(".hvsh-clone-").tempfile_in(folder);
    let partial = partial.map_err(|cause| cannot(&format!("write in '{}'", folder.display()), &cause))?;
    let mut command = Command::new("cp");
    command.args(["--reflink=auto", "--sparse=always", "--preserve=mode,ownership", "--"]);
    command.arg(source).arg(partial.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|cause| cannot("run cp", &cause))?;
    finish(child, stop)?;
    partial.as_file().sync_all().map_err(|cause| cannot(&format!("write '{shown}'"), &cause))?;
    stop.check()?;
    let kept = partial.persist_noclobber(new);
    kept.map_err(|failure| cannot(&format!("make '{shown}'"), &failure.error))?;
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    Ok(synced.map_err(|cause| cannot(&format!("write '{}'", folder.display()), &cause))?)
}

/// Waits for `cp`, and ends it when the user wants to stop.
fn finish(mut child: Child, stop: &Stop) -> Result<()> {
    let status = loop {
        if let Some(status) = child.try_wait().context("cannot wait for cp")? {
            break status;
        }
        if let Err(stopped) = stop.check() {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
            return Err(stopped);
        }
        std::thread::sleep(PATIENCE);
    };
    // At a terminal the interrupt reaches cp, too.
    stop.check()?;
    if !status.success() {
        let mut complaint = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut complaint);
        }
        bail!("cp failed: {}", complaint.trim());
    }
    Ok(())
}

/// `vm-vda.qcow2` for the disk `vda` of the domain `vm`, after a file called `anything.qcow2`.
pub fn new_file_name(old: &str, domain: &str, target: &str) -> String {
    let domain = domain.replace('/', "_");
    match old.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.len() <= 8 => {
            format!("{domain}-{target}.{ending}")
        }
        _ => format!("{domain}-{target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_after_their_domain() {
        assert_eq!(new_file_name("old.disk.qcow2", "new", "vda"), "new-vda.qcow2");
        assert_eq!(new_file_name("noending", "a/b", "sda"), "a_b-sda");
    }

    #[test]
    fn a_file_is_copied_whole_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let stop = Stop::watch().unwrap();
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        std::fs::write(&old, b"contents").unwrap();
        copy_beside(&old, &new, &stop).unwrap();
        assert_eq!(std::fs::read(&new).unwrap(), b"contents");
        std::fs::write(&old, b"other").unwrap();
        let error = copy_beside(&old, &new, &stop).unwrap_err();
        assert!(error.to_string().ends_with("File exists"), "{error}");
        assert_eq!(std::fs::read(&new).unwrap(), b"contents");
        let error = copy_beside(&folder.path().join("missing"), &folder.path().join("x"), &stop).unwrap_err();
        assert!(error.to_string().contains("No such file"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
