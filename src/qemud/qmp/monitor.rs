//! The monitor's client: sends commands and waits for their replies.

use super::message::{Message, QmpEvent, Refusal, Version};
use crate::error::{Error, ErrorCode, ErrorOrigin};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use serde_json::{Value, json};
use std::io::{self, IoSlice, Write};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a command may take that nobody set a limit for.
const PATIENCE: Duration = Duration::from_secs(30);
/// No reply of QEMU comes near this (its whole schema is under 1 MiB); more is no monitor.
const LINE_MAX: usize = 32 * 1024 * 1024;

/// Why a command has no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MonitorError {
    /// QEMU said no.
    Refused {
        /// The command.
        command: String,
        /// What QEMU said.
        refusal: Refusal,
    },
    /// The monitor is closed: QEMU is gone or going.
    Closed,
    /// QEMU did not answer in time.
    TimedOut {
        /// The command.
        command: String,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl MonitorError {
    /// Whether QEMU does not know the command at all.
    pub fn is_unknown_command(&self) -> bool {
        matches!(self, MonitorError::Refused { refusal, .. } if refusal.class == "CommandNotFound")
    }

    /// QEMU's words, if it refused.
    pub fn words(&self) -> Option<&str> {
        match self {
            MonitorError::Refused { refusal, .. } => Some(&refusal.words),
            _ => None,
        }
    }
}

impl From<MonitorError> for Error {
    fn from(error: MonitorError) -> Error {
        let error = match error {
            MonitorError::Refused { command, refusal } => {
                Error::internal(format!("unable to execute QEMU command '{command}': {}", refusal.words))
            }
            MonitorError::Closed => Error::operation_failed("domain is no longer running"),
            MonitorError::TimedOut { command, seconds } => Error::new(
                ErrorCode::OPERATION_TIMEOUT,
                format!("QEMU did not answer the monitor command '{command}' within {seconds} s"),
            ),
        };
        error.from_origin(ErrorOrigin::QEMU)
    }
}

/// A command under way.
#[must_use = "its reply is kept until somebody waits for it"]
#[derive(Debug)]
pub struct Ticket {
    id: u64,
    command: String,
}

/// A connection to one QEMU's monitor.
pub struct Monitor {
    socket: UnixStream,
    /// Held while a command is written, so that two never mix.
    writing: Mutex<()>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
}

#[derive(Default)]
struct Inbox {
    last_id: u64,
    /// Commands under way and, once there, their replies.
    awaited: Vec<(u64, Option<Result<Value, Refusal>>)>,
    closed: bool,
    version: Version,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
}

impl Monitor {
    /// Takes over a connected socket. Nothing is read until [`watch`](super::watch()) runs.
    pub fn new(socket: UnixStream) -> io::Result<Monitor> {
        // Reads happen only when poll has seen something; writes must not hang on a QEMU that is stuck.
        socket.set_write_timeout(Some(Duration::from_secs(10)))?;
        Ok(Monitor {
            socket,
            writing: Mutex::new(()),
            inbox: Mutex::new(Inbox::default()),
            arrived: Condvar::new(),
        })
    }

    /// A panic elsewhere cannot leave the lists half changed, so a poisoned lock is still good.
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket, for polling and reading by the reader thread.
    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// QEMU's version; zero before the greeting came.
    pub fn version(&self) -> Version {
        self.inbox().version
    }

    /// Whether the monitor is closed for good.
    pub fn is_closed(&self) -> bool {
        self.inbox().closed
    }

    /// Sends a command without waiting for anything.
    pub fn send(&self, command: &str, arguments: Value) -> Result<Ticket, MonitorError> {
        self.send_with(command, arguments, &[])
    }

    /// Sends a command whose reply nobody wants.
    pub fn post(&self, command: &str, arguments: Value) -> Result<(), MonitorError> {
        let request = request(command, arguments, 0);
        self.write(&request, &[])
    }

    /// Sends a command together with open files.
    pub fn send_with(
        &self,
        command: &str,
        arguments: Value,
        files: &[BorrowedFd<'_>],
    ) -> Result<Ticket, MonitorError> {
        let id = self.expect_reply()?;
        let ticket = Ticket { id, command: command.to_string() };
        if let Err(error) = self.write(&request(command, arguments, id), files) {
            self.forget(id);
            return Err(error);
        }
        Ok(ticket)
    }

    /// Waits for the reply to a command.
    pub fn wait(&self, ticket: Ticket) -> Result<Value, MonitorError> {
        self.wait_for(ticket, PATIENCE)
    }

    /// Waits for the reply to a command, but not longer than `limit`.
    pub fn wait_for(&self, ticket: Ticket, limit: Duration) -> Result<Value, MonitorError> {
        let deadline = Instant::now() + limit;
        let mut inbox = self.inbox();
        loop {
            let place = inbox.awaited.iter().position(|(id, _)| *id == ticket.id);
            match place.map(|at| (at, inbox.awaited[at].1.is_some())) {
                Some((at, true)) => {
                    let (_, reply) = inbox.awaited.swap_remove(at);
                    let command = ticket.command;
                    return reply
                        .unwrap_or(Ok(Value::Null))
                        .map_err(|refusal| MonitorError::Refused { command, refusal });
                }
                Some(_) if !inbox.closed => {}
                _ => return Err(MonitorError::Closed),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(inbox);
                self.forget(ticket.id);
                let seconds = limit.as_secs();
                return Err(MonitorError::TimedOut { command: ticket.command, seconds });
            }
            let woken = self.arrived.wait_timeout(inbox, left);
            inbox = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits at most `limit` until the reply to a command is there, or will never be.
    pub fn has_answered(&self, ticket: &Ticket, limit: Duration) -> bool {
        let under_way = |inbox: &mut Inbox| {
            !inbox.closed && inbox.awaited.iter().any(|(id, reply)| *id == ticket.id && reply.is_none())
        };
        let waited = self.arrived.wait_timeout_while(self.inbox(), limit, under_way);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Sends a command and waits for its reply.
    pub fn execute(&self, command: &str, arguments: Value) -> Result<Value, MonitorError> {
        let ticket = self.send(command, arguments)?;
        self.wait(ticket)
    }

    /// Sends a command without arguments and waits for its reply.
    pub fn query(&self, command: &str) -> Result<Value, MonitorError> {
        self.execute(command, Value::Null)
    }

    /// Lets QEMU run a command of its human monitor.
    pub fn human(&self, line: &str) -> Result<String, MonitorError> {
        let answer = self.execute("human-monitor-command", json!({ "command-line": line }))?;
        Ok(answer.as_str().unwrap_or("").to_string())
    }

    /// Sends a command a person wrote, whole, and waits for the whole answer, a refusal included.
    pub fn pass_through(&self, mut request: Value) -> Result<Value, MonitorError> {
        let id = self.expect_reply()?;
        let command = request["execute"].as_str().unwrap_or("").to_string();
        request["id"] = json!(id);
        let mut line = request.to_string();
        line.push_str("\r\n");
        if let Err(error) = self.write(line.as_bytes(), &[]) {
            self.forget(id);
            return Err(error);
        }
        let shown = format!("hvsh-{id}");
        match self.wait(Ticket { id, command }) {
            Ok(answer) => Ok(json!({ "return": answer, "id": shown })),
            Err(MonitorError::Refused { refusal, .. }) => {
                Ok(json!({ "id": shown, "error": { "class": refusal.class, "desc": refusal.words } }))
            }
            Err(error) => Err(error),
        }
    }

    /// Makes room for the reply to a command about to be sent.
    fn expect_reply(&self) -> Result<u64, MonitorError> {
        let mut inbox = self.inbox();
        if inbox.closed {
            return Err(MonitorError::Closed);
        }
        inbox.last_id += 1;
        let id = inbox.last_id;
        inbox.awaited.push((id, None));
        Ok(id)
    }

    fn write(&self, line: &[u8], files: &[BorrowedFd<'_>]) -> Result<(), MonitorError> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = line;
        if !files.is_empty() {
            let numbers: Vec<RawFd> = files.iter().map(AsRawFd::as_raw_fd).collect();
            let sent = sendmsg::<()>(
                self.socket.as_raw_fd(),
                &[IoSlice::new(line)],
                &[ControlMessage::ScmRights(&numbers)],
                MsgFlags::MSG_NOSIGNAL,
                None,
            );
            rest = &line[sent.map_err(|_| MonitorError::Closed)?.min(line.len())..];
        }
        (&self.socket).write_all(rest).map_err(|_| MonitorError::Closed)
    }

    fn forget(&self, id: u64) {
        self.inbox().awaited.retain(|(known, _)| *known != id);
    }

    /// Takes in bytes from the socket and delivers what they say in the order it was said: whoever gets a reply may
    /// rely on the events before it having been seen. `Err`: this is no monitor.
    pub(super) fn feed(&self, bytes: &[u8], mut happened: impl FnMut(QmpEvent)) -> Result<(), ()> {
        for message in self.messages(bytes)? {
            match message {
                Message::Greeting(version) => self.inbox().version = version,
                Message::Reply(id, reply) => {
                    self.inbox().take(id, reply);
                    self.arrived.notify_all();
                }
                Message::Event(event) => happened(event),
                Message::Unknown => {}
            }
        }
        Ok(())
    }

    /// The messages that are complete with these bytes.
    fn messages(&self, bytes: &[u8]) -> Result<Vec<Message>, ()> {
        let mut messages = Vec::new();
        let mut partial = std::mem::take(&mut self.inbox().partial);
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            if partial.is_empty() {
                messages.extend(Message::parse(line));
            } else {
                partial.extend_from_slice(line);
                messages.extend(Message::parse(&partial));
                // A long reply is rare: its buffer is not kept for the next one.
                partial = Vec::new();
            }
        }
        partial.extend_from_slice(rest);
        let too_long = partial.len() > LINE_MAX;
        self.inbox().partial = partial;
        if too_long { Err(()) } else { Ok(messages) }
    }

    /// Closes the monitor: everyone who waits, and whoever comes later, gets [`MonitorError::Closed`].
    pub fn close(&self) {
        let mut inbox = self.inbox();
        inbox.closed = true;
        inbox.partial = Vec::new();
        drop(inbox);
        // The far end may be gone already.
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        self.arrived.notify_all();
    }
}

impl Inbox {
    /// Keeps a reply for who waits for it; a reply nobody waits for is dropped.
    fn take(&mut self, id: u64, reply: Result<Value, Refusal>) {
        if let Some((_, slot)) = self.awaited.iter_mut().find(|(known, _)| *known == id) {
            *slot = Some(reply);
        }
    }
}

/// A command as a line.
fn request(command: &str, arguments: Value, id: u64) -> Vec<u8> {
    let request = if arguments.is_null() {
        json!({ "execute": command, "id": id })
    } else {
        json!({ "execute": command, "arguments": arguments, "id": id })
    };
    let mut line = request.to_string().into_bytes();
    line.extend_from_slice(b"\r\n");
    line
}
