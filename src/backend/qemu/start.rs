//! Starting the helper in the background, and hearing from it that it is ready.

use crate::error::{Error, ErrorCode, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The helper's file name.
const HELPER: &str = "hvsh-qemud";
/// Names another helper than the one found beside the shell.
const OVERRIDE: &str = "HVSH_QEMUD";
/// Where the helper is, seen from the folder of the shell.
const PLACES: &[&str] = &["", "../libexec/hvsh", "../lib/hvsh", "../libexec"];

/// Says that whoever starts the helper waits for its word and will let it go on alone.
pub const BACKGROUND: &str = "--background";

/// Starts a helper and waits until it, or one that was faster, listens.
pub(super) fn start_helper(session: bool) -> Result<()> {
    let mut command = Command::new(find_helper()?);
    command.arg(if session { "--session" } else { "--system" });
    start_in_background(command)
}

/// Runs a helper's command in the background and waits until it says that it is ready.
pub fn start_in_background(mut command: Command) -> Result<()> {
    let helper = command.get_program().to_string_lossy().into_owned();
    command
        .arg(BACKGROUND)
        // Two heaps are enough for a helper that mostly waits, and each costs memory.
        .env("MALLOC_ARENA_MAX", "2")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
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

/// The helper named by the environment, or the one that belongs to this shell, or the one on the PATH.
fn find_helper() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os(OVERRIDE).filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        if is_program(&named) {
            return Ok(named);
        }
        let what = format!("{OVERRIDE} names '{}', which is no program that can be run", named.display());
        return Err(Error::new(ErrorCode::CONFIG_UNSUPPORTED, what));
    }
    let mut tried = Vec::new();
    let shell = std::env::current_exe().ok().and_then(|path| path.canonicalize().ok());
    if let Some(folder) = shell.as_deref().and_then(Path::parent) {
        tried.extend(PLACES.iter().map(|place| folder.join(place).join(HELPER)));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    tried.extend(std::env::split_paths(&path).map(|folder| folder.join(HELPER)));
    if let Some(found) = tried.iter().find(|path| is_program(path)) {
        return Ok(found.clone());
    }
    let beside = shell.as_deref().and_then(Path::parent).unwrap_or(Path::new("/")).display();
    let what = format!(
        "cannot find the helper '{HELPER}' beside the shell in '{beside}', in libexec or on the PATH; install it or \
         name it in {OVERRIDE}"
    );
    Err(Error::operation_failed(what))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
