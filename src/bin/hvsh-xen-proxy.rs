//! The proxy's door: root's look at this host's Xen, lent to plain users to read.
//!
//! A service manager hands it a socket, or it is installed setuid root and a plain user's shell starts it. So nothing
//! it is started with counts: no argument, no environment, no open file, no limit. It opens what it reads from,
//! becomes nobody, and answers the operations that only read; every connection it serves stands behind the guard of
//! read-only connections.

use hvsh::backend::xen::Parts;
use hvsh::backend::{Connection, ReadOnly};
use hvsh::error::{Error, ErrorCode, Result};
use hvsh::rpc::socket;
use hvsh::server::access::{Admission, Listener, Peer, prepare_folder};
use hvsh::server::{ConnectionFactory, Server, ServerOptions, process};
use hvsh::uri::Uri;
use listenfd::ListenFd;
use nix::sys::prctl::{set_dumpable, set_name, set_no_new_privs};
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use nix::sys::signal::SigSet;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, User, chdir, geteuid, getuid, setgroups, setresgid, setresuid};
use signal_hook::consts::{SIGALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGVTALRM};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// How long it stays without a client.
const IDLE_EXIT: Duration = Duration::from_secs(30);
/// The most clients at once, and of one user.
const CLIENTS_MAX: usize = 64;
const CLIENTS_OF_USER_MAX: usize = 16;
/// As whom it serves, if there is such a user; else as nobody.
const OWN_USER: &str = "hvsh-xen-proxy";
/// The number that stands for nobody everywhere.
const NOBODY: u32 = 65_534;
/// Seen by all who may connect.
const SOCKET_MODE: u32 = 0o666;
/// One of these serves at a time.
const LOCK: &str = "xen-proxy.lock";

/// What it serves.
struct Proxy {
    parts: Parts,
    server: OnceLock<Server>,
}

impl ConnectionFactory for Proxy {
    fn open(&self, uri: &Uri, _read_only: bool, _peer: &Peer) -> Result<Box<dyn Connection>> {
        let is_ours =
            uri.scheme == "xen" && !uri.is_remote() && matches!(uri.path.as_str(), "" | "/" | "/system");
        if !is_ours {
            return Err(Error::new(ErrorCode::NO_CONNECT, uri));
        }
        if !self.parts.is_alive() {
            // What was opened as root cannot be opened again; another one begins anew.
            if let Some(server) = self.server.get() {
                server.stop();
            }
            let what = "the Xen proxy lost the xenstore daemon and makes room for a new one; try again";
            return Err(Error::new(ErrorCode::RESOURCE_BUSY, what));
        }
        Ok(Box::new(ReadOnly::new(Box::new(self.parts.connect()?))))
    }

    fn is_idle(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let outcome = match words.first().and_then(|word| word.to_str()) {
        None if words.is_empty() => serve(),
        Some("--version") if words.len() == 1 => {
            return print(concat!("hvsh-xen-proxy ", env!("CARGO_PKG_VERSION")));
        }
        Some("--help") if words.len() == 1 => return print(HELP),
        _ => Err(Error::invalid_argument("hvsh-xen-proxy takes no arguments; see hvsh-xen-proxy --help")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What `--help` says; its page in section 8 of the manual says more.
const HELP: &str = "Shows this host's Xen to plain users, who may read and change nothing.

Usage: hvsh-xen-proxy [--version | --help]

A service manager starts it when somebody connects to its socket; installed setuid root it is started by the shell.";

fn print(text: &str) -> ExitCode {
    // Nobody is left to tell when standard output is closed.
    let _ = writeln!(std::io::stdout(), "{text}");
    ExitCode::SUCCESS
}

/// Serves until nobody has asked for a while.
fn serve() -> Result<()> {
    if !geteuid().is_root() {
        let what = "it must run as root: by its service, by root, or installed setuid root";
        return Err(Error::new(ErrorCode::CONFIG_UNSUPPORTED, what));
    }
    let by_user = !getuid().is_root();
    if by_user && std::env::vars_os().next().is_some() {
        return Err(begin_without_environment());
    }
    let mut inherited = if by_user { ListenFd::empty() } else { ListenFd::from_env() };
    forget_whoever_started_us(inherited.len() == 0)?;
    let log = tracing_subscriber::fmt().with_target(false).with_ansi(false).with_writer(std::io::stderr);
    // Fails only if the process has a log already, which is as good.
    let _ = log.try_init();
    let listeners = process::inherit(&mut inherited, Admission::Everybody, |_| true)?;
    let started_by_hand = listeners.is_empty();
    // The lock is held as long as this function runs.
    let (_lock, listeners) = if started_by_hand {
        let folder = Path::new(socket::SYSTEM_FOLDER);
        prepare_folder(folder, 0o755)?;
        let Some(lock) = process::become_the_one(folder, LOCK, socket::XEN_PROXY)? else {
            process::say_ready(None);
            return Ok(());
        };
        let path = socket::xen_proxy();
        (Some(lock), vec![Listener::bind(&path, SOCKET_MODE, None, true, Admission::Everybody)?])
    } else {
        (None, listeners)
    };
    let parts = Parts::open(true);
    // Told now rather than to the first client.
    parts.connect()?;
    parts.prepare_events()?;
    become_nobody()?;
    let proxy = Arc::new(Proxy { parts, server: OnceLock::new() });
    let options = ServerOptions {
        idle_exit: Some(IDLE_EXIT),
        default_uri: Some("xen:///".to_string()),
        clients_max: Some(CLIENTS_MAX),
        clients_of_user_max: Some(CLIENTS_OF_USER_MAX),
    };
    let factory: Arc<dyn ConnectionFactory> = Arc::<Proxy>::clone(&proxy);
    let server = Server::new(listeners, factory, options)?;
    let _ = proxy.server.set(server.clone());
    server.stop_on(process::ending_signals()?)?;
    if started_by_hand {
        process::say_ready(None);
    }
    server.run()
}

/// Runs this program once more, with nothing in its environment; comes back only if that fails.
fn begin_without_environment() -> Error {
    let cause = Command::new("/proc/self/exe").arg0("hvsh-xen-proxy").env_clear().exec();
    Error::system("cannot begin without an environment", &cause)
}

fn failed(tried: &str) -> impl FnOnce(nix::errno::Errno) -> Error + '_ {
    move |errno| Error::system(tried, &errno.into())
}

/// Takes back everything that a process hands on to the program it starts.
fn forget_whoever_started_us(close_files: bool) -> Result<()> {
    if close_files {
        process::close_inherited_files();
    }
    // It was perhaps begun again by another name.
    let _ = set_name(c"hvsh-xen-proxy");
    chdir("/").map_err(failed("cannot enter '/'"))?;
    umask(Mode::from_bits_truncate(0o177));
    let root = (Uid::from_raw(0), Gid::from_raw(0));
    setgroups(&[]).map_err(failed("cannot leave the groups of who started it"))?;
    setresgid(root.1, root.1, root.1).map_err(failed("cannot leave the group of who started it"))?;
    // From here on whoever started it can neither signal nor trace it.
    setresuid(root.0, root.0, root.0).map_err(failed("cannot become root alone"))?;
    SigSet::empty().thread_set_mask().map_err(failed("cannot unblock signals"))?;
    for signal in [SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2] {
        // A timer outlives the program that set it.
        let ignored = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, ignored)
            .map_err(|cause| Error::system("cannot ignore signals", &cause))?;
    }
    reset_limits();
    Ok(())
}

/// Limits that somebody set for himself must not make this a bad server for others.
fn reset_limits() {
    let limits = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NOFILE, 1024),
        (Resource::RLIMIT_MEMLOCK, 64 * 1024 * 1024),
        (Resource::RLIMIT_CPU, RLIM_INFINITY),
        (Resource::RLIMIT_AS, RLIM_INFINITY),
        (Resource::RLIMIT_DATA, RLIM_INFINITY),
        (Resource::RLIMIT_NPROC, RLIM_INFINITY),
        (Resource::RLIMIT_FSIZE, RLIM_INFINITY),
    ];
    for (resource, limit) in limits {
        // A service manager may have taken the right to raise them; then its own limits hold.
        let _ = setrlimit(resource, limit, limit);
    }
    let _ = rustix::process::setpriority_process(None, 0);
}

/// Gives up root and every way back: what was opened stays open, nothing else can be.
fn become_nobody() -> Result<()> {
    let own = User::from_name(OWN_USER).ok().flatten().map(|user| (user.uid, user.gid));
    let (user, group) = own.unwrap_or((Uid::from_raw(NOBODY), Gid::from_raw(NOBODY)));
    setgroups(&[]).map_err(failed("cannot leave all groups"))?;
    setresgid(group, group, group).map_err(failed("cannot leave root's group"))?;
    // With its last root id the process loses every capability.
    setresuid(user, user, user).map_err(failed("cannot stop being root"))?;
    set_no_new_privs().map_err(failed("cannot renounce new privileges"))?;
    set_dumpable(false).map_err(failed("cannot close its memory to others"))?;
    if user.is_root() || setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok() {
        return Err(Error::internal("it could become root again"));
    }
    Ok(())
}
