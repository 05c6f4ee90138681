//! Starting a QEMU process: its own session, its own log, and exactly the open files it is to have.
#![allow(unsafe_code)] // the one place of the helper that runs code between fork and exec

use super::process::Process;
use crate::error::{Error, Result};
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A program to be started.
pub struct Program<'a> {
    /// The program.
    pub path: &'a Path,
    /// Its arguments.
    pub arguments: &'a [OsString],
    /// Its whole environment.
    pub environment: &'a [(OsString, OsString)],
    /// Open files it keeps, under the numbers they have here.
    pub files: &'a [BorrowedFd<'a>],
    /// Where its standard output and error go.
    pub log: &'a File,
}

/// Starts a program that outlives the helper: leader of its own session, so no terminal and no signal of ours
/// reaches it.
pub fn spawn(program: &Program<'_>) -> Result<Process> {
    let name = program.path.display();
    let copy = |log: &File| {
        log.try_clone().map_err(|e| Error::system(format!("cannot share the log of {name}"), &e))
    };
    let mut command = Command::new(program.path);
    command
        .args(program.arguments)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(copy(program.log)?)
        .stderr(copy(program.log)?);
    let kept: Vec<RawFd> = program.files.iter().map(AsRawFd::as_raw_fd).collect();
    let prepare = move || {
        nix::unistd::setsid()?;
        for file in &kept {
            // SAFETY: the descriptors are borrowed for as long as `program`, which outlives the fork below.
            let file = unsafe { BorrowedFd::borrow_raw(*file) };
            nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: `prepare` makes only system calls that are safe between fork and exec and does not allocate.
    unsafe { command.pre_exec(prepare) };
    let child = command.spawn().map_err(|e| Error::system(format!("Cannot run '{name}'"), &e))?;
    Process::of_child(child.id())
}
