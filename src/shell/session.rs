//! The session: the connection, the settings, and where output goes. Every command gets one.

use super::address;
use super::cell::Cell;
use super::fields::Fields;
use super::report::{Level, Reporter};
use super::spec;
use super::structured;
use super::suggestion::{NotConnected, hints};
use super::table::Table;
use crate::backend::{Connection, registry};
use crate::error::{Error, ErrorCode};
use anyhow::{Context, Result};
use serde::Serialize;
use std::cell::RefCell;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How often a silent peer is asked for a sign of life when `-k` says nothing, in seconds.
const KEEPALIVE_INTERVAL: u32 = 5;
/// How many missed signs of life end a connection when `-K` says nothing.
const KEEPALIVE_COUNT: u32 = 6;

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
    /// `-d`: from 0, everything, to 4, errors only.
    pub debug: Option<u8>,
    /// `-l`
    pub log: Option<String>,
    /// `-k`, in seconds; zero for never.
    pub keepalive_interval: Option<u32>,
    /// `-K`
    pub keepalive_count: Option<u32>,
    /// Whether the program was started under the name `virsh`, whose prompt and version it shows then.
    pub as_virsh: bool,
    /// `--format`
    pub format: Format,
    /// `--format pretty`: virsh's form, but with lines around tables and labelled values.
    pub ruled: bool,
    /// Whether a person types at a prompt (also a piped script).
    pub interactive: bool,
}

impl Settings {
    /// The name that the program goes by.
    pub fn name(&self) -> &'static str {
        match self.as_virsh {
            true => "virsh",
            false => "hvsh",
        }
    }

    /// The prompt: programs wait for it.
    pub fn prompt(&self) -> String {
        let mark = if self.read_only { '>' } else { '#' };
        format!("{} {mark} ", self.name())
    }
}

/// A running shell's state: its connection, its settings and its output.
pub struct Session {
    /// What the process options decided.
    pub settings: Settings,
    /// All commands, for those that speak about commands.
    pub commands: spec::Table,
    connection: Option<Arc<dyn Connection>>,
    out: Box<dyn Write>,
    reporter: Reporter,
    leaving: bool,
    /// Whether what was printed last did not end its line.
    in_line: bool,
    /// What a captured session has printed.
    kept: Option<(Kept, Kept)>,
}

/// Output that is kept.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Kept {
    fn take(&self) -> String {
        String::from_utf8_lossy(&self.0.take()).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Session {
    /// A session without a connection that prints answers to `out` and errors by `reporter`.
    pub fn new(
        settings: Settings,
        commands: spec::Table,
        out: Box<dyn Write>,
        reporter: Reporter,
    ) -> Session {
        Session {
            settings,
            commands,
            connection: None,
            out,
            reporter,
            leaving: false,
            in_line: false,
            kept: None,
        }
    }

    /// A session beside another one, on the same connection, that keeps what it prints: see
    /// [`Session::captured_text`].
    pub fn captured(settings: Settings, commands: spec::Table, connection: Arc<dyn Connection>) -> Session {
        let (out, errors) = (Kept::default(), Kept::default());
        let reporter = Reporter::new(Box::new(errors.clone()));
        let mut session = Session::new(settings, commands, Box::new(out.clone()), reporter);
        session.connection = Some(connection);
        session.kept = Some((out, errors));
        session
    }

    /// Whether what is printed is kept for another session, so that nobody sees progress or can be asked.
    pub fn is_captured(&self) -> bool {
        self.kept.is_some()
    }

    /// What a captured session has printed: answers and complaints.
    pub fn captured_text(&mut self) -> (String, String) {
        self.flush();
        match &self.kept {
            Some((out, errors)) => (out.take(), errors.take()),
            None => (String::new(), String::new()),
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

    /// Opens the connection if there is none, and anew if the peer of the present one has gone.
    pub fn ensure_connected(&mut self) -> Result<()> {
        let gone = self.connection.as_ref().is_some_and(|connection| !connection.is_alive());
        if gone {
            let uri = self.settings.uri.as_deref().unwrap_or("the hypervisor");
            let complaint = format!("Disconnected from {uri} due to end of file");
            self.error(complaint);
            self.connect()?;
            self.error("Reconnected to the hypervisor");
        }
        self.handle().map(drop)
    }

    /// Drops the present connection and opens the one that the settings name.
    pub fn connect(&mut self) -> Result<()> {
        let (uri, read_only) = (self.settings.uri.clone(), self.settings.read_only);
        self.connect_to(uri, read_only)
    }

    /// Drops the present connection and opens another; once that has succeeded it is what the settings name.
    pub fn connect_to(&mut self, uri: Option<String>, read_only: bool) -> Result<()> {
        self.connection = None;
        let open = || address::resolve(uri.as_deref()).and_then(|uri| registry::open(&uri, read_only));
        let connection = open().context(NotConnected { uri: uri.clone() })?;
        self.keep_alive(&*connection)?;
        self.tell(Level::Debug, || match &uri {
            Some(uri) => format!("connected to {uri}"),
            None => "connected to the default hypervisor".to_string(),
        });
        self.connection = Some(Arc::from(connection));
        self.settings.uri = uri;
        self.settings.read_only = read_only;
        Ok(())
    }

    /// Starts to watch the peer. Where that is impossible it matters only to a person who asked for it.
    fn keep_alive(&mut self, connection: &dyn Connection) -> Result<()> {
        let interval = self.settings.keepalive_interval;
        let count = self.settings.keepalive_count;
        let seconds = interval.unwrap_or(KEEPALIVE_INTERVAL);
        if seconds == 0 {
            return Ok(());
        }
        let pause = Duration::from_secs(seconds.into());
        // Between commands there is nobody to notice that the peer has gone, unless a person sits at a prompt.
        let also_idle = self.settings.interactive;
        match connection.set_keepalive(pause, count.unwrap_or(KEEPALIVE_COUNT), also_idle) {
            Err(error) if interval.is_some() || count.is_some() => {
                self.error("Cannot setup keepalive on connection as requested, disconnecting");
                Err(error).context("failed to connect to the hypervisor")
            }
            _ => Ok(()),
        }
    }

    /// Whether a connection is open.
    pub fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Ends the shell after this command, with success.
    pub fn leave(&mut self) {
        self.leaving = true;
    }

    /// Whether the shell is to end.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Prints to standard output, without a line's end of its own.
    pub fn print(&mut self, text: impl Display) {
        let text = text.to_string();
        if let Some(last) = text.chars().next_back() {
            self.in_line = last != '\n';
        }
        // A reader that went away is no failure of the command.
        let _ = self.out.write_all(text.as_bytes());
    }

    /// Prints bytes as they are, which need not be text.
    pub fn print_bytes(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last() {
            self.in_line = *last != b'\n';
        }
        let _ = self.out.write_all(bytes);
    }

    /// Ends the line that the last answer left open, so that a prompt that redraws its line does not wipe it.
    pub fn end_line(&mut self) {
        if self.in_line {
            self.print("\n");
            self.flush();
        }
    }

    /// Prints what is for people only: not under `-q`, nor among JSON or YAML.
    pub fn print_extra(&mut self, text: impl Display) {
        if !self.settings.quiet && self.settings.format == Format::Table {
            self.print(text);
        }
    }

    /// Complains with a line `error: …` and lets the command go on; a command that ends returns its error instead.
    pub fn error(&mut self, message: impl Display) {
        self.flush();
        self.reporter.error(message);
    }

    /// Prints to standard error what a person may want to know beside an answer.
    pub fn remark(&mut self, message: impl Display) {
        self.flush();
        self.reporter.remark(message);
    }

    /// Prints a failed command's error, each sentence on its line.
    pub fn report(&mut self, error: &anyhow::Error) {
        self.flush();
        self.reporter.chain(error);
        if self.has_person() {
            for hint in hints(self, error) {
                self.hint(hint);
            }
        }
    }

    /// Tells a person at a terminal what to do next; programs do not see it.
    pub fn hint(&mut self, advice: impl Display) {
        if self.has_person() && !self.settings.quiet {
            self.remark(format_args!("hint: {advice}"));
        }
    }

    /// Whether a person reads the complaints.
    fn has_person(&self) -> bool {
        !self.is_captured() && std::io::stderr().is_terminal()
    }

    /// Tells what is done to a person who asked for it with `-d`.
    pub fn tell(&mut self, level: Level, message: impl FnOnce() -> String) {
        self.reporter.tell(level, message);
    }

    /// Sends out what was printed so far.
    pub fn flush(&mut self) {
        let _ = self.out.flush();
    }

    /// Prints a table, or the list of objects it stands for.
    pub fn table(&mut self, table: &Table) -> Result<()> {
        match self.settings.format {
            Format::Table if self.settings.ruled => self.print(table.ruled(self.settings.quiet)),
            Format::Table => self.print(table.text(self.settings.quiet)),
            _ => self.document(&table.value())?,
        }
        Ok(())
    }

    /// Prints labelled values, a line each, or the object they stand for.
    pub fn fields(&mut self, fields: &Fields) -> Result<()> {
        match self.settings.format {
            Format::Table if self.settings.ruled => self.print(fields.ruled()),
            Format::Table => self.print(fields.text()),
            _ => self.document(&fields.value())?,
        }
        Ok(())
    }

    /// Prints one value on its line, or the object `{name: value}`.
    pub fn value(&mut self, name: &str, value: impl Into<Cell>) -> Result<()> {
        let Cell { text, value } = value.into();
        self.show(&serde_json::json!({ name: value }), |session| session.print(format_args!("{text}\n")))
    }

    /// Prints an answer of any shape: `text` prints virsh's form, `data` is what JSON and YAML show.
    ///
    /// The names of `data`'s fields are promised to scripts: lower case, words joined by `_`, sizes in bytes
    /// unless the name says otherwise, absent things `null`.
    pub fn show(&mut self, data: &impl Serialize, text: impl FnOnce(&mut Session)) -> Result<()> {
        match self.settings.format {
            Format::Table => text(self),
            _ => self.document(data)?,
        }
        Ok(())
    }

    /// Prints one of many answers that come one after the other, such as events, and sends it out at once: by
    /// `text` in virsh's form, as a line of JSON, or as a YAML document of its own.
    pub fn stream(&mut self, data: &impl Serialize, text: impl FnOnce(&mut Session)) -> Result<()> {
        match self.settings.format {
            Format::Table => text(self),
            format => {
                let line = structured::render_one_of_many(data, format)?;
                self.print(line);
            }
        }
        self.flush();
        Ok(())
    }

    fn document(&mut self, data: &impl Serialize) -> Result<()> {
        let text = structured::render(data, self.settings.format)?;
        self.print(text);
        Ok(())
    }
}
