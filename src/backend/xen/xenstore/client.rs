//! The client: finds the daemon, reads and writes nodes, lists folders.

use super::frame::{Answer, Kind, check_path, strings};
use super::link::{Link, Request};
use super::value::Value;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use nix::errno::Errno;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the daemon may take for its next answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the first answer through the kernel's device may take: behind it there may be nobody.
const FIRST_LIMIT: Duration = Duration::from_secs(3);
/// The daemon's socket, by both names it has had.
const SOCKETS: &[&str] = &["/var/run/xenstored/socket", "/run/xenstored/socket"];
/// The socket that takes no writes; releases up to 4.14 have it.
const READ_ONLY_SOCKETS: &[&str] = &["/var/run/xenstored/socket_ro", "/run/xenstored/socket_ro"];
/// The kernel's way to a daemon that may be in another domain.
const DEVICES: &[&str] = &["/dev/xen/xenbus", "/proc/xen/xenbus"];
/// How often the listing of a big folder is begun anew because it changed meanwhile.
const RESTARTS_MAX: u32 = 32;
/// The longest listing of a big folder.
const LISTING_MAX: usize = 8 * 1024 * 1024;

/// A client of the store. Calls from several threads take turns.
pub struct Xenstore {
    doors: Doors,
    /// The connection in use; `None` after it broke.
    link: Mutex<Option<Link>>,
}

/// Asks, in a transaction or in none (0), within one conversation.
pub(super) type Ask<'a> = dyn FnMut(u32, &[Request]) -> Result<Vec<Answer>> + 'a;

/// Where the daemon may be found.
#[derive(Clone, Debug)]
pub(super) struct Doors {
    sockets: Vec<PathBuf>,
    devices: Vec<PathBuf>,
}

impl Doors {
    /// This host's, or what the environment names instead, as all tools of Xen have it.
    fn of_this_host() -> Doors {
        let set = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        if let Some(path) = set("XENSTORED_PATH") {
            return Doors { sockets: vec![path.into()], devices: Vec::new() };
        }
        let named = set("XENSTORED_RUNDIR").map(|folder| PathBuf::from(folder).join("socket"));
        let sockets = named.into_iter().chain(SOCKETS.iter().map(PathBuf::from)).collect();
        Doors { sockets, devices: DEVICES.iter().map(PathBuf::from).collect() }
    }

    /// Connects through the first door that is there. A socket that refuses is not passed by: its daemon is meant
    /// to run on this host, and the kernel's device would wait for the same one.
    pub(super) fn connect(&self) -> Result<Link> {
        let failed = |path: &Path, cause: &std::io::Error| {
            let tried = format!("cannot reach the xenstore daemon at '{}'", path.display());
            Err(Error::system(tried, cause).from_origin(ErrorOrigin::XEN))
        };
        for path in &self.sockets {
            match Link::connect(path) {
                Ok(link) => return Ok(link),
                Err(cause) if cause.kind() == ErrorKind::NotFound => {}
                Err(cause) => return failed(path, &cause),
            }
        }
        for path in &self.devices {
            match Link::open_device(path) {
                Ok(mut link) => {
                    let question = Request::new(Kind::GET_DOMAIN_PATH, &["0"]);
                    link.ask_all(0, &[question], FIRST_LIMIT)?;
                    return Ok(link);
                }
                Err(cause)
                    if matches!(
                        cause.raw_os_error(),
                        Some(nix::libc::ENOENT | nix::libc::ENXIO | nix::libc::ENODEV)
                    ) => {}
                Err(cause) => return failed(path, &cause),
            }
        }
        let tried = self.sockets.last().or(self.devices.first());
        let tried = tried.map(PathBuf::as_path).unwrap_or(Path::new("/dev/xen/xenbus"));
        failed(tried, &std::io::Error::from(ErrorKind::NotFound)).map_err(|mut error: Error| {
            error.message.push_str("; not a Xen host, or xenstored does not run");
            error
        })
    }
}

impl Xenstore {
    /// Connects to this host's daemon.
    pub fn open() -> Result<Xenstore> {
        Xenstore::through(Doors::of_this_host())
    }

    /// Connects by a way that takes no writes where the host has one, else to where the daemon always is, whatever
    /// the environment says.
    pub fn open_read_only() -> Result<Xenstore> {
        let paths = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(PathBuf::from).collect() };
        let sockets = [paths(READ_ONLY_SOCKETS), paths(SOCKETS)].concat();
        Xenstore::through(Doors { sockets, devices: paths(DEVICES) })
    }

    fn through(doors: Doors) -> Result<Xenstore> {
        let link = doors.connect()?;
        Ok(Xenstore { doors, link: Mutex::new(Some(link)) })
    }

    /// A client of the daemon that listens on `socket`.
    pub fn at(socket: &Path) -> Result<Xenstore> {
        Xenstore::through(Doors { sockets: vec![socket.to_path_buf()], devices: Vec::new() })
    }

    /// Whether the daemon still answers.
    pub fn is_alive(&self) -> bool {
        self.ask(0, &[Request::new(Kind::GET_DOMAIN_PATH, &["0"])], true).is_ok()
    }

    /// Another connection to the same daemon.
    pub(super) fn connect_again(&self) -> Result<Link> {
        self.doors.connect()
    }

    /// The value of a node; `None` when there is no such node.
    pub fn read(&self, path: &str) -> Result<Option<Value>> {
        Ok(self.read_many(&[path])?.pop().flatten())
    }

    /// The values of many nodes in one round trip, in the order of `paths`.
    pub fn read_many<P: AsRef<str>>(&self, paths: &[P]) -> Result<Vec<Option<Value>>> {
        let answers = self.ask_about(Kind::READ, paths)?;
        let values = answers.into_iter().zip(paths);
        values.map(|(answer, path)| Ok(found(answer, "read", path.as_ref())?.map(Value))).collect()
    }

    /// The names below a node, sorted as the daemon has them; `None` when there is no such node.
    pub fn directory(&self, path: &str) -> Result<Option<Vec<String>>> {
        Ok(self.directories(&[path])?.pop().flatten())
    }

    /// The names below many nodes: one round trip, and one more for each that holds too many for one answer.
    pub fn directories<P: AsRef<str>>(&self, paths: &[P]) -> Result<Vec<Option<Vec<String>>>> {
        let answers = self.ask_about(Kind::DIRECTORY, paths)?;
        let listings = answers.into_iter().zip(paths);
        listings
            .map(|(answer, path)| match answer {
                Err(Errno::E2BIG) => self.big_directory(path.as_ref()),
                answer => Ok(found(answer, "list", path.as_ref())?.map(|names| strings(&names))),
            })
            .collect()
    }

    /// Lists a folder in parts; begins anew when it changed between two of them.
    fn big_directory(&self, path: &str) -> Result<Option<Vec<String>>> {
        for _ in 0..RESTARTS_MAX {
            let mut listing = Vec::new();
            let mut first_generation = None;
            loop {
                let request = Request::new(Kind::DIRECTORY_PART, &[path, &listing.len().to_string()]);
                let answer = self.ask(0, &[request], true)?.pop().unwrap_or(Err(Errno::EIO));
                let Some(part) = found(answer, "list", path)? else {
                    return Ok(None);
                };
                let end = part.iter().position(|byte| *byte == 0).unwrap_or(part.len());
                let generation = part[..end].to_vec();
                if first_generation.get_or_insert_with(|| generation.clone()) != &generation {
                    break;
                }
                let slice = part.get(end + 1..).unwrap_or_default();
                listing.extend(slice);
                // An empty name ends the listing.
                if listing.ends_with(b"\0\0") || listing == b"\0" {
                    listing.pop();
                    return Ok(Some(strings(&listing)));
                }
                if slice.is_empty() || listing.len() > LISTING_MAX {
                    return Err(refused("list", path, Errno::E2BIG));
                }
            }
        }
        Err(refused("list", path, Errno::EAGAIN))
    }

    /// Writes a value; makes the node and those above it if they are missing.
    pub fn write(&self, path: &str, value: &[u8]) -> Result<()> {
        check_path(path)?;
        let mut request = Request::new(Kind::WRITE, &[path]);
        request.payload.extend(value);
        let answer = self.converse(|ask| Ok(ask(0, &[request])?.pop()))?;
        answer.unwrap_or(Err(Errno::EIO)).map(|_| ()).map_err(|errno| refused("write", path, errno))
    }

    fn ask_about<P: AsRef<str>>(&self, kind: Kind, paths: &[P]) -> Result<Vec<Answer>> {
        paths.iter().try_for_each(|path| check_path(path.as_ref()))?;
        let requests: Vec<_> = paths.iter().map(|path| Request::new(kind, &[path.as_ref()])).collect();
        self.ask(0, &requests, true)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Link>> {
        // What is behind a poisoned lock may be half a conversation.
        self.link.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut link = poisoned.into_inner();
            *link = None;
            link
        })
    }

    /// Asks all, and once more over a new connection if the old one broke and asking twice does no harm.
    fn ask(&self, transaction: u32, requests: &[Request], repeatable: bool) -> Result<Vec<Answer>> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let mut link = self.lock();
        let had_link = link.is_some();
        match self.ask_over(&mut link, transaction, requests) {
            Err(error) if had_link && repeatable && error.code == ErrorCode::SYSTEM => {
                self.ask_over(&mut link, transaction, requests)
            }
            other => other,
        }
    }

    fn ask_over(
        &self,
        link: &mut Option<Link>,
        transaction: u32,
        requests: &[Request],
    ) -> Result<Vec<Answer>> {
        let open = match link {
            Some(open) => open,
            None => link.insert(self.doors.connect()?),
        };
        let answers = open.ask_all(transaction, requests, LIMIT);
        if answers.is_err() {
            *link = None;
        }
        answers
    }

    /// Holds the connection for a conversation that must not be mixed with another.
    pub(super) fn converse<T>(&self, talk: impl FnOnce(&mut Ask<'_>) -> Result<T>) -> Result<T> {
        let mut link = self.lock();
        // A daemon that was started anew since the last question is found now, while nothing is lost by it.
        let probe = [Request::new(Kind::GET_DOMAIN_PATH, &["0"])];
        if link.is_some() && self.ask_over(&mut link, 0, &probe).is_err() {
            self.ask_over(&mut link, 0, &probe)?;
        }
        talk(&mut |transaction, requests| self.ask_over(&mut link, transaction, requests))
    }
}

/// An answer about a node that may be missing.
pub(super) fn found(answer: Answer, tried: &str, path: &str) -> Result<Option<Vec<u8>>> {
    match answer {
        Ok(payload) => Ok(Some(payload)),
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(refused(tried, path, errno)),
    }
}

/// The error for a request that the daemon refused.
pub(super) fn refused(tried: &str, path: &str, errno: Errno) -> Error {
    Error::system(format!("cannot {tried} '{path}' in the xenstore"), &errno.into())
        .from_origin(ErrorOrigin::XEN)
}
