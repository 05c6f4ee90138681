//! The guest's agent: JSON over a virtio-serial channel whose host end is a unix socket of QEMU.
//!
//! The channel is opened for each question and closed after it. Nobody knows what an earlier client left in it,
//! so each conversation begins with a delimited sync: everything before the guest's answer to it is thrown away.
//! The guest is not trusted: answers are bounded, and a guest that says nothing only costs time.

use super::guest::Guest;
use super::socket;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::xml::Element;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The name of the agent's channel.
pub const CHANNEL: &str = "org.qemu.guest_agent.0";
/// How long the guest may take to show that it is there.
const SYNC: Duration = Duration::from_secs(5);
/// How long a command may take that nobody set a limit for.
const PATIENCE: Duration = Duration::from_secs(300);
/// The longest answer.
const ANSWER_MAX: usize = 32 * 1024 * 1024;
/// Ends what was said before a delimited sync, and begins its answer. Never part of JSON in UTF-8.
const DELIMITER: u8 = 0xff;

static LAST_SYNC: AtomicU64 = AtomicU64::new(1);

fn unresponsive(detail: &str) -> Error {
    Error::new(ErrorCode::AGENT_UNRESPONSIVE, detail).from_origin(ErrorOrigin::QEMU)
}

/// The agent's channel of a guest, if its definition has one.
fn channel(tree: &Element) -> Option<PathBuf> {
    let devices = tree.child("devices")?;
    let mut channels = devices.children("channel");
    let ours = channels.find(|channel| channel.child_attribute("target", "name") == Some(CHANNEL))?;
    ours.child_attribute("source", "path").map(PathBuf::from)
}

/// Sends a command and waits for its answer.
pub fn execute(guest: &Guest, command: &str, arguments: Value, limit: Option<Duration>) -> Result<Value> {
    let request = if arguments.is_null() {
        json!({ "execute": command })
    } else {
        json!({ "execute": command, "arguments": arguments })
    };
    let mut connection = Connection::open(guest)?;
    let limit = limit.or_else(|| patience(guest.lock().running().map_or(-2, |active| active.agent_patience)));
    connection.synchronise(limit.unwrap_or(SYNC).min(SYNC))?;
    connection.send(&request)?;
    let answer = connection.receive(Instant::now() + limit.unwrap_or(PATIENCE))?;
    let answer = answer.ok_or_else(|| timed_out(command))?;
    unwrap(command, answer)
}

/// How long `seconds` or one of its special values is; `None` without a limit.
pub fn patience(seconds: i32) -> Option<Duration> {
    match seconds {
        DOMAIN_AGENT_RESPONSE_TIMEOUT_DEFAULT => Some(SYNC),
        seconds => u64::try_from(seconds).ok().map(Duration::from_secs),
    }
}

/// Sends a command that takes the guest down, so that its answer may never come.
pub fn order(guest: &Guest, command: &str, arguments: Value) -> Result<()> {
    let mut connection = Connection::open(guest)?;
    connection.synchronise(SYNC)?;
    connection.send(&json!({ "execute": command, "arguments": arguments }))?;
    match connection.receive(Instant::now() + Duration::from_secs(2)) {
        Ok(Some(answer)) => unwrap(command, answer).map(|_| ()),
        // The guest is going down already.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Sends what a person wrote and gives the whole answer back.
pub fn pass_through(guest: &Guest, request: &Value, limit: Option<Duration>) -> Result<Value> {
    let mut connection = Connection::open(guest)?;
    connection.synchronise(limit.unwrap_or(SYNC).min(SYNC))?;
    connection.send(request)?;
    let name = request["execute"].as_str().unwrap_or("").to_string();
    let answer = connection.receive(Instant::now() + limit.unwrap_or(PATIENCE))?;
    let answer = answer.ok_or_else(|| timed_out(&name))?;
    match answer.get("error") {
        Some(_) => unwrap(&name, answer),
        None => Ok(answer),
    }
}

fn timed_out(command: &str) -> Error {
    let detail = format!("guest agent did not answer '{command}' in time");
    Error::new(ErrorCode::AGENT_COMMAND_TIMEOUT, detail).from_origin(ErrorOrigin::QEMU)
}

fn unwrap(command: &str, mut answer: Value) -> Result<Value> {
    if let Some(error) = answer.get("error") {
        let words = error.get("desc").and_then(Value::as_str).unwrap_or("unknown error");
        let detail = format!("unable to execute QEMU agent command '{command}': {words}");
        return Err(Error::new(ErrorCode::AGENT_COMMAND_FAILED, detail).from_origin(ErrorOrigin::QEMU));
    }
    Ok(answer.get_mut("return").map(Value::take).unwrap_or(Value::Null))
}

struct Connection {
    socket: UnixStream,
    received: Vec<u8>,
}

impl Connection {
    fn open(guest: &Guest) -> Result<Connection> {
        let (definition, connected) = {
            let condition = guest.lock();
            let active = condition.running()?;
            (active.definition.clone(), active.agent_connected)
        };
        let Some(path) = channel(&definition.tree()?) else {
            let detail = "QEMU guest agent is not configured";
            return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU));
        };
        if !connected {
            return Err(unresponsive("QEMU guest agent is not connected"));
        }
        Connection::to(&path)
    }

    fn to(path: &Path) -> Result<Connection> {
        let socket = socket::connect(path).map_err(|_| unresponsive("QEMU guest agent is not connected"))?;
        let limited = socket.set_write_timeout(Some(SYNC));
        limited.map_err(|e| Error::system("cannot set up the agent's socket", &e))?;
        Ok(Connection { socket, received: Vec::new() })
    }

    fn send(&mut self, request: &Value) -> Result<()> {
        let mut line = request.to_string().into_bytes();
        line.push(b'\n');
        let sent = self.socket.write_all(&line);
        sent.map_err(|_| unresponsive("Guest agent not available for now"))
    }

    /// Makes sure the guest listens and that what comes next answers us.
    fn synchronise(&mut self, limit: Duration) -> Result<()> {
        let id = LAST_SYNC.fetch_add(1, Ordering::Relaxed);
        let deadline = Instant::now() + limit;
        let silent = || unresponsive("Guest agent not available for now");
        self.socket.write_all(&[DELIMITER]).map_err(|_| silent())?;
        self.send(&json!({ "execute": "guest-sync-delimited", "arguments": { "id": id } }))?;
        loop {
            let answer = self.receive(deadline)?.ok_or_else(silent)?;
            if answer.get("return").and_then(Value::as_u64) == Some(id) {
                return Ok(());
            }
        }
    }

    /// The next line that is JSON; `None` when time is over.
    fn receive(&mut self, deadline: Instant) -> Result<Option<Value>> {
        loop {
            while let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                let begin = line.iter().rposition(|byte| *byte == DELIMITER).map_or(0, |at| at + 1);
                if let Ok(value) = serde_json::from_slice(&line[begin..]) {
                    return Ok(Some(value));
                }
            }
            if self.received.len() > ANSWER_MAX {
                return Err(unresponsive("the guest agent's answer is too long"));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let limited = self.socket.set_read_timeout(Some(left));
            limited.map_err(|e| Error::system("cannot set up the agent's socket", &e))?;
            let mut chunk = [0u8; 4096];
            match self.socket.read(&mut chunk) {
                Ok(0) => return Err(unresponsive("Guest agent disappeared while executing command")),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(_) => return Err(unresponsive("Guest agent disappeared while executing command")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};

    #[test]
    fn leftovers_before_the_sync_are_thrown_away() {
        let (near, far) = UnixStream::pair().unwrap();
        let answer = std::thread::spawn(move || {
            let mut far = far;
            far.write_all(b"{\"return\": 12345}\nrubbish\n{\"ret").unwrap();
            let mut lines = BufReader::new(far.try_clone().unwrap()).split(b'\n');
            let line = lines.next().unwrap().unwrap();
            let request: Value = serde_json::from_slice(&line[1..]).unwrap();
            far.write_all(&[DELIMITER]).unwrap();
            writeln!(far, "{}", json!({"return": request["arguments"]["id"]})).unwrap();
            lines.next().unwrap().unwrap();
            writeln!(far, "{}", json!({"return": {"x": 1}})).unwrap();
        });
        let mut connection = Connection { socket: near, received: Vec::new() };
        connection.synchronise(SYNC).unwrap();
        connection.send(&json!({"execute": "x"})).unwrap();
        let answer_got = connection.receive(Instant::now() + SYNC).unwrap().unwrap();
        assert_eq!(unwrap("x", answer_got).unwrap(), json!({"x": 1}));
        answer.join().unwrap();
    }

    #[test]
    fn a_silent_guest_costs_only_time() {
        let (near, _far) = UnixStream::pair().unwrap();
        let mut connection = Connection { socket: near, received: Vec::new() };
        let error = connection.synchronise(Duration::from_millis(30)).unwrap_err();
        assert_eq!(error.message, "Guest agent is not responding: Guest agent not available for now");
    }
}
