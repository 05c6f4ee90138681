//! Starting the helper in the background, and hearing from it that it is ready.

use crate::backend::helper::{beside_the_shell, is_program, shells_folder, start};
use crate::error::{Error, ErrorCode, Result};
use std::path::PathBuf;
use std::process::Command;

/// The helper's file name.
const HELPER: &str = "hvsh-qemud";
/// Names another helper than the one found beside the shell.
const OVERRIDE: &str = "HVSH_QEMUD";

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
    // Two heaps are enough for a helper that mostly waits, and each costs memory.
    command.arg(BACKGROUND).env("MALLOC_ARENA_MAX", "2");
    start(command)
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
    let mut tried = beside_the_shell(HELPER);
    let path = std::env::var_os("PATH").unwrap_or_default();
    tried.extend(std::env::split_paths(&path).map(|folder| folder.join(HELPER)));
    if let Some(found) = tried.iter().find(|path| is_program(path)) {
        return Ok(found.clone());
    }
    let beside = shells_folder().unwrap_or_else(|| PathBuf::from("/"));
    let what = format!(
        "cannot find the helper '{HELPER}' beside the shell in '{}', in libexec or on the PATH; install it or \
         name it in {OVERRIDE}",
        beside.display()
    );
    Err(Error::operation_failed(what))
}
