//! The helper's door: reads its options and runs it.

use clap::{Arg, ArgAction, value_parser};
use hvsh::backend::{Connection, qemu, registry};
use hvsh::error::{Error, ErrorCode, Result};
use hvsh::qemud::daemon::{DaemonOptions, run};
use hvsh::qemud::driver::QemuDriver;
use hvsh::qemud::store::Paths;
use hvsh::server::ConnectionFactory;
use hvsh::server::access::Peer;
use hvsh::uri::Uri;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

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
    let task = parse(std::env::args_os());
    let outcome = task.and_then(|task| match task {
        Task::Serve(options, root) => {
            run(&options, || Ok(Arc::new(Drivers::open(options.session, root.as_deref())?)))
        }
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

/// The options that this program takes; its page in section 8 of the manual names the same.
fn command() -> clap::Command {
    let flag = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).help(help);
        arg.action(ArgAction::SetTrue)
    };
    let value = |name: &'static str, value: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name(value).help(help);
        arg.value_parser(value_parser!(PathBuf))
    };
    let number = value_parser!(u64);
    let background = qemu::BACKGROUND.trim_start_matches('-');
    clap::Command::new("hvsh-qemud")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs virtual machines on QEMU for hvsh and for every client of the same protocol.")
        .after_help("The shell starts it by itself; a service manager may start it by socket activation.")
        .override_usage("hvsh-qemud [--session | --system] [OPTION...]\n       hvsh-qemud --relay [--read-only] URI")
        .args_override_self(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(flag("session", "Serve the user who starts it (the default)").overrides_with("system"))
        .arg(flag("system", "Serve the whole system; needs root"))
        .arg(flag("foreground", "Stay in the foreground and log to standard error"))
        .arg(
            value(
                "idle-exit",
                "SECONDS",
                "Leave after so long without client and active domain; 0: never [a session's: 120, the system's: 0]",
            )
            .value_parser(number),
        )
        .arg(value("folder", "FOLDER", "Keep the sockets in this folder"))
        .arg(value("root", "FOLDER", "Keep definitions, saved guests, status and logs below this folder"))
        .arg(flag("relay", "Join standard input and output to the helper of URI").requires("uri"))
        .arg(flag("read-only", "Relay to the read-only socket"))
        .arg(Arg::new("uri").value_name("URI").requires("relay").help("Whose helper to relay to"))
        .arg(flag(background, "Serve apart from the terminal").hide(true))
        .arg(flag("version", "Print the version and exit").action(ArgAction::Version))
        .arg(flag("help", "Print this text and exit").action(ArgAction::HelpShort))
}

fn parse(words: impl Iterator<Item = OsString>) -> Result<Task> {
    let given = match command().try_get_matches_from(words) {
        Ok(given) => given,
        Err(answer) if !answer.use_stderr() => return Ok(Task::Print(answer.to_string())),
        Err(refusal) => return Err(Error::invalid_argument(in_one_line(&refusal))),
    };
    let uri: Option<&String> = given.get_one("uri");
    if let Some(uri) = uri {
        let (uri, read_only) = (uri.clone(), given.get_flag("read-only"));
        return Ok(Task::Relay { uri, read_only });
    }
    let foreground = given.get_flag("foreground");
    if !foreground && !given.get_flag(qemu::BACKGROUND.trim_start_matches('-')) {
        return Ok(Task::StartInBackground);
    }
    let mut options = DaemonOptions::new(!given.get_flag("system"))?;
    options.foreground = foreground;
    if let Some(&seconds) = given.get_one::<u64>("idle-exit") {
        options.idle_exit = (seconds > 0).then(|| Duration::from_secs(seconds));
    }
    if let Some(folder) = given.get_one::<PathBuf>("folder") {
        options.folder.clone_from(folder);
    }
    Ok(Task::Serve(options, given.get_one("root").cloned()))
}

/// What is wrong with the options and what was perhaps meant, as the one line that a journal can hold.
fn in_one_line(refusal: &clap::Error) -> String {
    let text = refusal.to_string();
    let paragraphs = text.split("\n\n").map(str::trim);
    let paragraphs = paragraphs.take_while(|paragraph| !paragraph.starts_with("Usage:"));
    let lines = paragraphs.filter(|paragraph| !paragraph.starts_with("For more information"));
    let words: Vec<String> =
        lines.map(|lines| lines.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let line = words.join("; ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}; see hvsh-qemud --help")
}

/// Runs this program once more, apart from the terminal, and waits until it serves.
fn start_again() -> Result<()> {
    let program =
        std::env::current_exe().map_err(|cause| Error::system("cannot find this program", &cause))?;
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1));
    qemu::start_in_background(command)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn task(words: &[&str]) -> Task {
        parse(["hvsh-qemud"].iter().chain(words).map(OsString::from)).unwrap()
    }

    #[test]
    fn clap_finds_no_fault_in_the_options() {
        command().debug_assert();
    }

    #[test]
    fn the_last_word_counts() {
        for (words, session) in [(["--system", "--session"], true), (["--session", "--system"], false)] {
            let words = [&words[..], &["--background", "--folder", "/a", "--folder", "/b"]].concat();
            let Task::Serve(options, _) = task(&words) else {
                panic!("{words:?} does not serve");
            };
            assert_eq!(options.session, session, "{words:?}");
            assert_eq!(options.folder, PathBuf::from("/b"));
        }
    }

    #[test]
    fn a_relay_knows_whose_helper_it_is_for() {
        for words in
            [["--relay", "--read-only", "qemu:///system"], ["--relay", "qemu:///system", "--read-only"]]
        {
            let relayed =
                matches!(task(&words), Task::Relay { uri, read_only: true } if uri == "qemu:///system");
            assert!(relayed, "{words:?}");
        }
        let zero = task(&["--foreground", "--idle-exit", "0"]);
        assert!(matches!(zero, Task::Serve(options, None) if options.idle_exit.is_none()));
    }
}
