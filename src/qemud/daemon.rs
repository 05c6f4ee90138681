//! The helper as a process: its options, its one instance a folder, its log, its coming and going.

use super::store::Paths;
use crate::error::{Error, ErrorCode, Result};
use crate::rpc::socket;
use crate::server::access::{Admission, Listener, prepare_folder};
use crate::server::{ConnectionFactory, Server, ServerOptions, process};
use listenfd::ListenFd;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Group, Uid};
use std::fs::{File, OpenOptions, create_dir_all, rename};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a session's helper stays without client and without active domain.
const IDLE_EXIT: Duration = Duration::from_secs(120);
/// A log longer than this is kept once under another name and begun anew at the next start.
const LOG_MAX: u64 = 4 * 1024 * 1024;
/// Open files that thousands of clients and guests need.
const DESCRIPTORS: u64 = 65_536;
/// The group that may use the system's helper, if it exists.
const GROUP: &str = "hvsh";

/// How the helper runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonOptions {
    /// For one user rather than for the system.
    pub session: bool,
    /// Stay where it was started and log to standard error.
    pub foreground: bool,
    /// Leave after so long without anything to do.
    pub idle_exit: Option<Duration>,
    /// Where the sockets are.
    pub folder: PathBuf,
}

impl DaemonOptions {
    /// The options that a helper for the session or for the system has unless told otherwise.
    pub fn new(session: bool) -> Result<DaemonOptions> {
        Ok(DaemonOptions {
            session,
            foreground: false,
            idle_exit: session.then_some(IDLE_EXIT),
            folder: socket::folder(session)?,
        })
    }
}

/// Runs the helper to its end. `make_factory` opens what it serves, once it is sure to be the only one.
pub fn run(
    options: &DaemonOptions,
    make_factory: impl FnOnce() -> Result<Arc<dyn ConnectionFactory>>,
) -> Result<()> {
    if !options.session && !Uid::effective().is_root() {
        let what = "the system's helper must run as root; leave out --system for one of your own";
        return Err(Error::new(ErrorCode::CONFIG_UNSUPPORTED, what));
    }
    if !options.foreground {
        process::close_inherited_files();
    }
    let log = log_path(options)?;
    start_log(options, &log)?;
    prepare_folder(&options.folder, if options.session { 0o700 } else { 0o755 })?;
    let Some(_lock) = process::become_the_one(&options.folder, "qemud.lock", socket::READ_WRITE)? else {
        say_ready(options, &log);
        return Ok(());
    };
    process::raise_descriptor_limit(DESCRIPTORS);
    let mut inherited = ListenFd::from_env();
    let factory = make_factory()?;
    let admission = if options.session { Admission::OwnUser } else { Admission::Everybody };
    let is_read_only = |path: &Path| path.to_string_lossy().ends_with("-ro");
    let listeners = match process::inherit(&mut inherited, admission, is_read_only)? {
        listeners if listeners.is_empty() => listen(options)?,
        listeners => listeners,
    };
    let server_options = ServerOptions {
        idle_exit: options.idle_exit,
        default_uri: Some(if options.session { "qemu:///session" } else { "qemu:///system" }.to_string()),
        ..ServerOptions::default()
    };
    let server = Server::new(listeners, factory, server_options)?;
    server.stop_on(process::ending_signals()?)?;
    tracing::info!("serving in {}", options.folder.display());
    say_ready(options, &log);
    server.run()
}

/// Binds the helper's own sockets.
fn listen(options: &DaemonOptions) -> Result<Vec<Listener>> {
    let path = |name: &str| options.folder.join(name);
    // Closed to all until each has its own mode.
    let before = umask(Mode::from_bits_truncate(0o177));
    let bound = if options.session {
        let bind =
            |name: &str, read_only| Listener::bind(&path(name), 0o600, None, read_only, Admission::OwnUser);
        bind(socket::READ_WRITE, false).and_then(|first| Ok(vec![first, bind(socket::READ_ONLY, true)?]))
    } else {
        let group = Group::from_name(GROUP).ok().flatten().map(|group| group.gid.as_raw());
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        let bind = |name: &str, mode, group, read_only| {
            Listener::bind(&path(name), mode, group, read_only, Admission::Everybody)
        };
        bind(socket::READ_WRITE, mode, group, false)
            .and_then(|first| Ok(vec![first, bind(socket::READ_ONLY, 0o666, None, true)?]))
    };
    umask(before);
    bound
}

fn log_path(options: &DaemonOptions) -> Result<PathBuf> {
    let paths = if options.session { Paths::session()? } else { Paths::system() };
    Ok(paths.logs.parent().unwrap_or(&paths.logs).join("qemud.log"))
}

/// Sends the log where it belongs: one file, or standard error in the foreground.
fn start_log(options: &DaemonOptions, path: &Path) -> Result<()> {
    let level = std::env::var("HVSH_QEMUD_LOG").ok().and_then(|level| level.parse().ok());
    let level = level.unwrap_or(tracing::Level::INFO);
    let log = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false);
    // Fails only if the process has a log already, which is as good.
    let _ = if options.foreground {
        log.with_writer(std::io::stderr).try_init()
    } else {
        let failed = |cause: &std::io::Error| {
            Error::system(format!("cannot write the log '{}'", path.display()), cause)
        };
        if let Some(folder) = path.parent() {
            create_dir_all(folder).map_err(|cause| failed(&cause))?;
        }
        if path.metadata().is_ok_and(|found| found.len() > LOG_MAX) {
            rename(path, path.with_extension("log.old")).map_err(|cause| failed(&cause))?;
        }
        let file = open_log(path).map_err(|cause| failed(&cause))?;
        log.with_writer(Arc::new(file)).try_init()
    };
    Ok(())
}

fn open_log(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Tells whoever started us that clients can come.
fn say_ready(options: &DaemonOptions, log: &Path) {
    if !options.foreground {
        process::say_ready(open_log(log).ok());
    }
}
