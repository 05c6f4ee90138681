//! The helper as a process: its options, its one instance a folder, its log, its coming and going.

use super::store::Paths;
use crate::error::{Error, ErrorCode, Result};
use crate::rpc::socket;
use crate::server::access::{Admission, Listener, prepare_folder};
use crate::server::{ConnectionFactory, Server, ServerOptions};
use listenfd::ListenFd;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Group, Uid, dup2_stderr, dup2_stdout, setsid};
use std::fs::{File, OpenOptions, create_dir_all, rename};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a session's helper stays without client and without active domain.
const IDLE_EXIT: Duration = Duration::from_secs(120);
/// How long a helper waits for another that holds the lock and does not answer.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// A log longer than this is kept once under another name and begun anew at the next start.
const LOG_MAX: u64 = 4 * 1024 * 1024;
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
        close_inherited_files();
    }
    let log = log_path(options)?;
    start_log(options, &log)?;
    prepare_folder(&options.folder, if options.session { 0o700 } else { 0o755 })?;
    let Some(_lock) = become_the_one(&options.folder)? else {
        say_ready(options, &log);
        return Ok(());
    };
    raise_descriptor_limit();
    let mut inherited = ListenFd::from_env();
    let factory = make_factory()?;
    let listeners = match inherit(&mut inherited, options)? {
        listeners if listeners.is_empty() => listen(options)?,
        listeners => listeners,
    };
    let server_options = ServerOptions {
        idle_exit: options.idle_exit,
        default_uri: Some(if options.session { "qemu:///session" } else { "qemu:///system" }.to_string()),
    };
    let server = Server::new(listeners, factory, server_options)?;
    server.stop_on(ending_signals()?)?;
    tracing::info!("serving in {}", options.folder.display());
    say_ready(options, &log);
    server.run()
}

/// Lets go of what a shell had open when it started us: a pipe held here would never end for its reader.
fn close_inherited_files() {
    let Ok(open) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let numbers: Vec<i32> = open
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The folder just read is among them and closed already.
        let _ = nix::unistd::close(number);
    }
}

/// Takes the folder's lock; `None` when another helper has it and answers.
fn become_the_one(folder: &Path) -> Result<Option<Flock<File>>> {
    let path = folder.join("qemud.lock");
    let failed =
        |cause: &std::io::Error| Error::system(format!("cannot open lock '{}'", path.display()), cause);
    let deadline = Instant::now() + LOCK_WAIT;
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut file = open.open(&path).map_err(|cause| failed(&cause))?;
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Some(lock)),
            Err((file, _)) => file,
        };
        if UnixStream::connect(folder.join(socket::READ_WRITE)).is_ok() {
            return Ok(None);
        }
        // The other one is just coming or just going; either ends soon.
        if Instant::now() > deadline {
            let what = format!("another helper holds '{}' but does not answer; end it first", path.display());
            return Err(Error::new(ErrorCode::RESOURCE_BUSY, what));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
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

/// The sockets that a service manager handed over.
fn inherit(inherited: &mut ListenFd, options: &DaemonOptions) -> Result<Vec<Listener>> {
    let admission = if options.session { Admission::OwnUser } else { Admission::Everybody };
    let mut listeners = Vec::new();
    for index in 0..inherited.len() {
        let taken = inherited
            .take_unix_listener(index)
            .map_err(|cause| Error::system("cannot take over a socket", &cause))?;
        let Some(socket) = taken else { continue };
        let read_only = socket
            .local_addr()
            .ok()
            .and_then(|address| Some(address.as_pathname()?.to_string_lossy().ends_with("-ro")))
            .unwrap_or(false);
        listeners.push(Listener::inherited(socket.into(), read_only, admission)?);
    }
    Ok(listeners)
}

/// A stream on which a byte arrives when the helper is asked to end.
fn ending_signals() -> Result<UnixStream> {
    let failed = |cause: std::io::Error| Error::system("cannot listen for signals", &cause);
    let (near, far) = UnixStream::pair().map_err(failed)?;
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let writer = far.try_clone().map_err(failed)?;
        signal_hook::low_level::pipe::register(signal, writer).map_err(failed)?;
    }
    // A closing terminal or a service manager's "reload" is no reason to leave.
    let ignored = Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGHUP, ignored).map_err(failed)?;
    Ok(near)
}

/// Thousands of clients and guests need more descriptors than a shell's default.
fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(65_536).max(soft);
        if let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
            tracing::warn!("cannot raise the limit of open files: {errno}");
        }
    }
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

/// Tells whoever started us that clients can come, and lets go of their terminal.
fn say_ready(options: &DaemonOptions, log: &Path) {
    if options.foreground {
        return;
    }
    // Fails for a leader of a process group, which then had no terminal to be taken from.
    let _ = setsid();
    let mut output = std::io::stdout().lock();
    // Who started us may not care.
    let _ = output.write_all(b"ready\n").and_then(|()| output.flush());
    drop(output);
    if let Ok(nothing) = OpenOptions::new().write(true).open("/dev/null") {
        let _ = dup2_stdout(&nothing);
        // What the runtime itself has to complain of belongs into the log.
        let complaints = open_log(log).unwrap_or(nothing);
        let _ = dup2_stderr(&complaints);
    }
}
