//! Runs the shell against a stand-in.

use crate::standin::StandIn;
use std::process::Command;

/// What a run left behind.
#[derive(Debug)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub fine: bool,
}

/// Runs the shell with a connection URI.
pub fn run(uri: &str, arguments: &[&str]) -> Said {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hvsh"))
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C")
        .args(["-c", uri])
        .args(arguments)
        .output()
        .unwrap();
    Said {
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
        fine: output.status.success(),
    }
}

impl StandIn {
    /// Runs a command that succeeds, and answers with what it printed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let said = run(&self.uri(), arguments);
        assert!(said.fine, "{arguments:?}: {said:?}; unknown: {:?}", self.unknown());
        assert_eq!(self.unknown(), Vec::<String>::new(), "{arguments:?}");
        said.out
    }

    /// Runs a command that fails, and answers with what it said.
    pub fn fails(&self, arguments: &[&str]) -> String {
        let said = run(&self.uri(), arguments);
        assert!(!said.fine, "{arguments:?}: {said:?}");
        assert_eq!(self.unknown(), Vec::<String>::new(), "{arguments:?}");
        said.err
    }
}
