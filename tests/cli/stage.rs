//! Runs the shell away from the user's own files and settings.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Folders of one test; they end with it.
pub struct Stage {
    pub root: TempDir,
}

/// What a run left behind.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub out: String,
    pub err: String,
    pub status: i32,
}

impl Stage {
    pub fn new() -> Stage {
        Stage { root: tempfile::tempdir().unwrap() }
    }

    /// The shell, in an environment that holds nothing but this stage.
    pub fn command(&self) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_hvsh")))
    }

    /// Another program in the same environment.
    pub fn program(&self, path: &Path) -> Command {
        let mut command = Command::new(path);
        let root = self.root.path();
        command
            .env_clear()
            .env("HOME", root)
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("XDG_CONFIG_HOME", root.join("config"))
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir(root);
        command
    }

    /// Runs the shell with these arguments and this input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Answer {
        answer(self.command().args(arguments), input)
    }
}

/// Runs a command to its end; the stage's folder is shown as `@STAGE@` by the caller where it matters.
pub fn answer(command: &mut Command, input: &str) -> Answer {
    let mut runner = assert_cmd::Command::from_std(std::mem::replace(command, Command::new("true")));
    let output = runner.write_stdin(input).output().unwrap();
    Answer {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        status: output.status.code().unwrap_or(-1),
    }
}

/// Says aloud that something was not tested, and why.
#[allow(clippy::print_stderr)]
pub fn skipped(reason: &str) {
    eprintln!("SKIPPED: {reason}");
}
