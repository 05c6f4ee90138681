//! `cd`, `pwd`: the folder that relative paths start from.

use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};
use nix::errno::Errno;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("cd", Group::Shell, cd)
        .local()
        .about("go to another folder", "Changes the folder that relative paths start from.")
        .options(&[Opt::text("dir", "the folder to go to; without it the home folder, or else the root")
            .positional()
            .empty_ok()
            .complete(Complete::File)]),
    Command::new("pwd", Group::Shell, pwd)
        .answers("{dir: text}")
        .local()
        .about("say the current folder", "Prints the folder that relative paths start from."),
];

fn cd(_: &mut Session, args: &Args) -> Result<()> {
    let home = || std::env::var("HOME").unwrap_or_else(|_| "/".to_string());
    let folder = match args.get("dir") {
        Some(folder) if !folder.is_empty() => folder.to_string(),
        _ => home(),
    };
    if let Err(cause) = nix::unistd::chdir(folder.as_str()) {
        bail!("cd: {}: {folder}", cause.desc());
    }
    Ok(())
}

fn pwd(session: &mut Session, _: &Args) -> Result<()> {
    match std::env::current_dir() {
        Ok(folder) => session.value("dir", folder.display().to_string()),
        Err(cause) => {
            let words = Errno::from_raw(cause.raw_os_error().unwrap_or_default()).desc();
            bail!("pwd: cannot get current directory: {words}")
        }
    }
}
