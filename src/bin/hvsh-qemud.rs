//! The helper's door: reads its options and runs it.

use hvsh::backend::{Connection, qemu, registry};
use hvsh::error::{Error, ErrorCode, Result};
use hvsh::qemud::access::Peer;
use hvsh::qemud::daemon::{DaemonOptions, run};
use hvsh::qemud::driver::QemuDriver;
use hvsh::qemud::server::ConnectionFactory;
use hvsh::qemud::store::Paths;
use hvsh::uri::Uri;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

const HELP: &str = "\
Usage: hvsh-qemud [--session | --system] [OPTION...]
       hvsh-qemud --relay [--read-only] URI

Runs virtual machines on QEMU for hvsh and for every client of the same protocol.
The shell starts it by itself; a service manager may start it by socket activation.

  --session             serve the user who starts it (the default)
  --system              serve the whole system; needs root
  --foreground          stay in the foreground and log to standard error
  --idle-exit SECONDS   leave after so long without client and active domain;
                        0: never (a session's default is 120, the system's 0)
  --folder FOLDER       keep the sockets in FOLDER
  --root FOLDER         keep definitions, saved guests, status and logs below FOLDER
  --relay URI           join standard input and output to the helper of URI
  --read-only           relay to the read-only socket
  --version             print the version and exit
  --help                print this text and exit
";

/// What the helper serves, by the URI's scheme.
struct Drivers {
    qemu: QemuDriver,
}

impl Drivers {
    /// Opens what is served: every domain that is known, every guest that runs.
    fn open(session: bool, root: Option<&Path>) -> Result<Drivers> {
        let paths = match root {
            Some(root) => Paths::below(root),
            None if session => Paths::session()?,
            None => Paths::system(),
        };
        let qemu = QemuDriver::open(paths, !session)?;
        qemu.autostart();
        Ok(Drivers { qemu })
    }
}

impl ConnectionFactory for Drivers {
    fn open(&self, uri: &Uri, read_only: bool, peer: &Peer) -> Result<Box<dyn Connection>> {
        match uri.scheme.as_str() {
            // A node in memory for every client, so that remote clients can be tried without harm.
            "test" => registry::open(uri, false),
            "qemu" => self.qemu.open(uri, read_only, peer),
            _ => Err(Error::new(ErrorCode::NO_CONNECT, uri)),
        }
    }

    fn is_idle(&self) -> bool {
        self.qemu.is_idle()
    }
}

/// What the command line asks for.
enum Task {
    Serve(DaemonOptions, Option<PathBuf>),
    StartInBackground,
    Relay { uri: String, read_only: bool },
    Print(String),
}

fn main() -> ExitCode {
    let task = parse(std::env::args().skip(1));
    let outcome = task.and_then(|task| match task {
        Task::Serve(options, root) => run(&options, || {
            Ok(Arc::new(Drivers::open(options.session, root.as_deref())?))
        }),
        Task::StartInBackground => start_again(),
        Task::Relay { uri, read_only } => qemu::relay(&Uri::parse(&uri)?, read_only),
        Task::Print(text) => {
            // Nobody is left to tell when standard output is closed.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Task> {
    let (mut session, mut foreground, mut background) = (true, false, false);
    let (mut read_only, mut relay) = (false, false);
    let (mut idle_exit, mut folder, mut uri, mut root) = (None, None, None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--session" => session = true,
            "--system" => session = false,
            "--foreground" => foreground = true,
            qemu::BACKGROUND => background = true,
            "--read-only" => read_only = true,
            "--relay" => relay = true,
            "--idle-exit" => idle_exit = Some(seconds(&value(&word, &mut words)?)?),
            "--folder" => folder = Some(value(&word, &mut words)?),
            "--root" => root = Some(PathBuf::from(value(&word, &mut words)?)),
            "--version" => return Ok(Task::Print(format!("hvsh-qemud {}\n", env!("CARGO_PKG_VERSION")))),
            "--help" => return Ok(Task::Print(HELP.to_string())),
            other if relay && uri.is_none() && !other.starts_with('-') => uri = Some(other.to_string()),
            other => {
                return Err(Error::invalid_argument(format!(
                    "unknown option '{other}'; see hvsh-qemud --help"
                )));
            }
        }
    }
    if relay {
        let uri = uri.ok_or_else(|| Error::invalid_argument("--relay needs a URI"))?;
        return Ok(Task::Relay { uri, read_only });
    }
    if !foreground && !background {
        return Ok(Task::StartInBackground);
    }
    let mut options = DaemonOptions::new(session)?;
    options.foreground = foreground;
    if let Some(idle_exit) = idle_exit {
        options.idle_exit = (!idle_exit.is_zero()).then_some(idle_exit);
    }
    if let Some(folder) = folder {
        options.folder = folder.into();
    }
    Ok(Task::Serve(options, root))
}

/// Runs this program once more, apart from the terminal, and waits until it serves.
fn start_again() -> Result<()> {
    let program =
        std::env::current_exe().map_err(|cause| Error::system("cannot find this program", &cause))?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    qemu::start_in_background(command)
}

fn value(option: &str, words: &mut impl Iterator<Item = String>) -> Result<String> {
    words
        .next()
        .ok_or_else(|| Error::invalid_argument(format!("option '{option}' needs a value")))
}

fn seconds(text: &str) -> Result<Duration> {
    let seconds = text
        .parse()
        .map_err(|_| Error::invalid_argument(format!("'{text}' is no number of seconds")))?;
    Ok(Duration::from_secs(seconds))
}
