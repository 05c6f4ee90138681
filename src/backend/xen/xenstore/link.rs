//! One connection to the daemon: many requests on their way at once, answers matched, events set aside.

use super::frame::{Answer, Kind, Message, WatchEvent};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Events that nobody has fetched yet; each node and token is kept once, so more means that nobody fetches them.
const EVENTS_MAX: usize = 4096;
/// How much is read at once: more than a hundred names.
const READ_SIZE: usize = 4 * 1024;

/// A request: its kind and payload.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
}

impl Request {
    /// A request about one path or word.
    pub(super) fn new(kind: Kind, words: &[&str]) -> Request {
        let payload = words.iter().flat_map(|word| word.bytes().chain([0])).collect();
        Request { kind, payload }
    }
}

/// Where the bytes go.
enum Way {
    /// The daemon's socket.
    Socket(UnixStream),
    /// The kernel's device: it takes one message a write and knows nothing of the next.
    Device(File),
}

/// An open connection.
pub(super) struct Link {
    way: Way,
    last_request: u32,
    inbound: Vec<u8>,
    events: VecDeque<WatchEvent>,
}

fn broken(cause: &std::io::Error) -> Error {
    Error::system("the connection to the xenstore daemon broke", cause).from_origin(ErrorOrigin::XEN)
}

impl Link {
    /// Connects to the daemon's socket.
    pub(super) fn connect(path: &Path) -> std::io::Result<Link> {
        let socket = UnixStream::connect(path)?;
        Link::over(socket)
    }

    /// Takes over a connected socket.
    pub(super) fn over(socket: UnixStream) -> std::io::Result<Link> {
        socket.set_nonblocking(true)?;
        Ok(Link::new(Way::Socket(socket)))
    }

    /// Opens the kernel's device.
    pub(super) fn open_device(path: &Path) -> std::io::Result<Link> {
        let mut open = OpenOptions::new();
        open.read(true).write(true).custom_flags(nix::libc::O_NONBLOCK);
        Ok(Link::new(Way::Device(open.open(path)?)))
    }

    fn new(way: Way) -> Link {
        Link { way, last_request: 0, inbound: Vec::new(), events: VecDeque::new() }
    }

    /// Sends all requests and collects their answers, in the requests' order. `limit` is how long the daemon may
    /// keep us waiting for the next answer.
    pub(super) fn ask_all(
        &mut self,
        transaction: u32,
        requests: &[Request],
        limit: Duration,
    ) -> Result<Vec<Answer>> {
        let mut places = HashMap::new();
        let mut chunks = VecDeque::new();
        for (place, request) in requests.iter().enumerate() {
            // Zero is the events' own number.
            self.last_request = self.last_request.checked_add(1).unwrap_or(1);
            places.insert(self.last_request, place);
            let (kind, payload) = (request.kind, request.payload.clone());
            let bytes = Message { kind, request: self.last_request, transaction, payload }.to_bytes()?;
            match (&self.way, chunks.back_mut()) {
                (Way::Socket(_), Some(chunk)) => Vec::extend(chunk, bytes),
                _ => chunks.push_back(bytes),
            }
        }
        let mut answers: Vec<Option<Answer>> = vec![None; requests.len()];
        let mut deadline = Instant::now() + limit;
        while !places.is_empty() {
            self.write_some(&mut chunks)?;
            if chunks.is_empty() {
                // On a small host the daemon now answers all of it, rather than waking us for each piece.
                std::thread::yield_now();
            }
            self.wait(!chunks.is_empty(), Some(deadline))?;
            self.read_some()?;
            while let Some(message) = Message::take_from(&mut self.inbound)? {
                if message.kind == Kind::WATCH_EVENT {
                    self.keep_event(message)?;
                } else if let Some(place) = places.remove(&message.request) {
                    answers[place] = Some(message.into_answer(requests[place].kind)?);
                    deadline = Instant::now() + limit;
                }
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// The next event, if one comes before `deadline`.
    pub(super) fn next_event(&mut self, deadline: Option<Instant>) -> Result<Option<WatchEvent>> {
        loop {
            while let Some(message) = Message::take_from(&mut self.inbound)? {
                if message.kind == Kind::WATCH_EVENT {
                    self.keep_event(message)?;
                }
            }
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            match self.wait(false, deadline) {
                Err(error) if error.code == ErrorCode::OPERATION_TIMEOUT => return Ok(None),
                other => other?,
            }
            self.read_some()?;
        }
    }

    fn keep_event(&mut self, message: Message) -> Result<()> {
        let event = message.into_event()?;
        if self.events.contains(&event) {
            return Ok(());
        }
        if self.events.len() >= EVENTS_MAX {
            let what = format!("{EVENTS_MAX} events of the xenstore wait and nobody fetches them");
            return Err(Error::internal(what).from_origin(ErrorOrigin::XEN));
        }
        self.events.push_back(event);
        Ok(())
    }

    /// Waits until something can be read, or written if `to_write`.
    fn wait(&self, to_write: bool, deadline: Option<Instant>) -> Result<()> {
        let mut wanted = PollFlags::POLLIN;
        wanted.set(PollFlags::POLLOUT, to_write);
        loop {
            let pause = match deadline {
                None => PollTimeout::NONE,
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    // Rounded up, so that the last wait does not spin.
                    let millis = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
                    PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
                }
            };
            match poll(&mut [PollFd::new(self.as_fd(), wanted)], pause) {
                Ok(0) => {
                    let what = "the xenstore daemon does not answer; see whether xenstored runs";
                    return Err(Error::new(ErrorCode::OPERATION_TIMEOUT, what).from_origin(ErrorOrigin::XEN));
                }
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(broken(&errno.into())),
            }
        }
    }

    fn write_some(&mut self, chunks: &mut VecDeque<Vec<u8>>) -> Result<()> {
        while let Some(chunk) = chunks.front_mut() {
            let written = match &mut self.way {
                Way::Socket(socket) => {
                    send(socket.as_raw_fd(), chunk, MsgFlags::MSG_NOSIGNAL).map_err(std::io::Error::from)
                }
                Way::Device(device) => device.write(chunk),
            };
            match written {
                Ok(count) if count >= chunk.len() => {
                    chunks.pop_front();
                }
                Ok(count) => {
                    chunk.drain(..count);
                }
                Err(cause) if is_later(&cause) => break,
                Err(cause) => return Err(broken(&cause)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self) -> Result<()> {
        let mut buffer = [0; READ_SIZE];
        let read = match &mut self.way {
            Way::Socket(socket) => socket.read(&mut buffer),
            Way::Device(device) => device.read(&mut buffer),
        };
        match read {
            Ok(0) => Err(broken(&std::io::Error::from(Errno::ECONNRESET))),
            Ok(count) => {
                self.inbound.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(cause) if is_later(&cause) => Ok(()),
            Err(cause) => Err(broken(&cause)),
        }
    }
}

fn is_later(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.way {
            Way::Socket(socket) => socket.as_fd(),
            Way::Device(device) => device.as_fd(),
        }
    }
}
