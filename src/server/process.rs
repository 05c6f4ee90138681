//! A server as a process: alone in its folder, on sockets handed over to it, ended by signals, apart from whoever
//! started it.

use super::access::{Admission, Listener};
use crate::error::{Error, ErrorCode, Result};
use listenfd::ListenFd;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{dup2_stderr, dup2_stdout, setsid};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a server waits for another that holds the lock and does not answer.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// Lets go of what a shell had open when it started us: a pipe held here would never end for its reader.
pub fn close_inherited_files() {
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

/// Takes the folder's lock of this name; `None` when another server has it and answers at `socket`.
pub fn become_the_one(folder: &Path, lock: &str, socket: &str) -> Result<Option<Flock<File>>> {
    let path = folder.join(lock);
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
        if UnixStream::connect(folder.join(socket)).is_ok() {
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

/// The sockets that a service manager handed over; `is_read_only` tells by its path whether a socket's clients may
/// only read.
pub fn inherit(
    inherited: &mut ListenFd,
    admission: Admission,
    is_read_only: impl Fn(&Path) -> bool,
) -> Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for index in 0..inherited.len() {
        let taken = inherited
            .take_unix_listener(index)
            .map_err(|cause| Error::system("cannot take over a socket", &cause))?;
        let Some(socket) = taken else { continue };
        let address = socket.local_addr().ok();
        let read_only =
            is_read_only(address.as_ref().and_then(|it| it.as_pathname()).unwrap_or(Path::new("")));
        listeners.push(Listener::inherited(socket.into(), read_only, admission)?);
    }
    Ok(listeners)
}

/// A stream on which a byte arrives when the server is asked to end.
pub fn ending_signals() -> Result<UnixStream> {
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

/// Lets the process have up to `wanted` open files: many clients need more than a shell's default.
pub fn raise_descriptor_limit(wanted: u64) {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let wanted = hard.min(wanted).max(soft);
        if let Err(errno) = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) {
            tracing::warn!("cannot raise the limit of open files: {errno}");
        }
    }
}

/// Tells whoever started us that clients can come, and lets go of their terminal; what the runtime itself has to
/// complain of goes to `complaints` from now on.
pub fn say_ready(complaints: Option<File>) {
    // Fails for a leader of a process group, which then had no terminal to be taken from.
    let _ = setsid();
    let mut output = std::io::stdout().lock();
    // Who started us may not care.
    let _ = output.write_all(b"ready\n").and_then(|()| output.flush());
    drop(output);
    if let Ok(nothing) = OpenOptions::new().write(true).open("/dev/null") {
        let _ = dup2_stdout(&nothing);
        let _ = dup2_stderr(complaints.unwrap_or(nothing));
    }
}
