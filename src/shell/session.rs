//! The session: the connection, the settings, and where output goes. Every command gets one.

use crate::backend::{Connection, registry};
use crate::error::{Error, ErrorCode};
use crate::uri::Uri;
use anyhow::{Context, Result};
use std::io::Write;
use std::sync::Arc;

/// How commands that list or show print their answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// virsh's own form.
    #[default]
    Table,
    /// One JSON document a command.
    Json,
    /// The same as YAML.
    Yaml,
}

/// What the process options decide.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The URI to connect to; `None` for the default.
    pub uri: Option<String>,
    /// `-r`
    pub read_only: bool,
    /// `-q`
    pub quiet: bool,
    /// `-t`
    pub timing: bool,
    /// `-e`: the console's escape, as a control character's byte.
    pub escape: u8,
    /// `--format`
    pub format: Format,
    /// Whether a person types at a prompt (also a piped script).
    pub interactive: bool,
}

/// A running shell's state: its connection and its settings.
pub struct Session {
    /// What the process options decided.
    pub settings: Settings,
    connection: Option<Arc<dyn Connection>>,
    out: Box<dyn Write>,
}

impl Session {
    /// A session without a connection that prints to `out`.
    pub fn new(settings: Settings, out: Box<dyn Write>) -> Session {
        Session {
            settings,
            connection: None,
            out,
        }
    }

    /// The connection, opened now if it was not yet.
    pub fn connection(&mut self) -> Result<&dyn Connection> {
        self.handle()?;
        match &self.connection {
            Some(connection) => Ok(&**connection),
            None => Err(Error::new(ErrorCode::NO_CONNECT, "").into()),
        }
    }

    /// The connection as a shared handle, so that a command can print while it asks.
    pub fn handle(&mut self) -> Result<Arc<dyn Connection>> {
        if self.connection.is_none() {
            self.connect()?;
        }
        match &self.connection {
            Some(connection) => Ok(Arc::clone(connection)),
            None => Err(Error::new(ErrorCode::NO_CONNECT, "").into()),
        }
    }

    /// Drops the present connection and opens the one that the settings name.
    pub fn connect(&mut self) -> Result<()> {
        self.connection = None;
        let uri = self.settings.uri.clone().unwrap_or_default();
        let open = || Uri::parse(&uri).and_then(|uri| registry::open(&uri, self.settings.read_only));
        self.connection = Some(Arc::from(open().context("failed to connect to the hypervisor")?));
        Ok(())
    }

    /// Prints to standard output.
    pub fn print(&mut self, text: impl std::fmt::Display) {
        // A reader that went away is no failure of the command.
        let _ = write!(self.out, "{text}");
    }

    /// Prints what `-q` suppresses.
    pub fn print_extra(&mut self, text: impl std::fmt::Display) {
        if !self.settings.quiet {
            self.print(text);
        }
    }
}
