//! Helpers of the shell: finding their programs, and starting one that will go on alone.

use crate::error::{Error, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where helpers are, seen from the folder of the shell.
const PLACES: &[&str] = &["", "../libexec/hvsh", "../lib/hvsh", "../libexec"];

/// The folder of the shell's own program.
pub fn shells_folder() -> Option<PathBuf> {
    let shell = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    shell.as_deref().and_then(Path::parent).map(Path::to_path_buf)
}

/// Where a helper that belongs to this shell may be.
pub fn beside_the_shell(name: &str) -> Vec<PathBuf> {
    let folder = shells_folder();
    folder.iter().flat_map(|folder| PLACES.iter().map(move |place| folder.join(place).join(name))).collect()
}

/// Whether somebody may run this file.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs a helper's command in the background and waits until it says that it is ready.
pub fn start(mut command: Command) -> Result<()> {
    let helper = command.get_program().to_string_lossy().into_owned();
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|cause| Error::system(format!("cannot run the helper '{helper}'"), &cause))?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        // The helper says "ready" and closes; one that fails just closes.
        let _ = BufReader::new(output).read_line(&mut line);
    }
    if line.trim() == "ready" {
        return Ok(());
    }
    let mut words = String::new();
    if let Some(complaints) = child.stderr.take() {
        let _ = complaints.take(64 * 1024).read_to_string(&mut words);
    }
    let status = child.wait().map_or_else(|cause| cause.to_string(), |status| status.to_string());
    let words = words.trim().trim_start_matches("error: ");
    let words = if words.is_empty() { &status } else { words };
    Err(Error::operation_failed(format!("the helper '{helper}' did not start: {words}")))
}
