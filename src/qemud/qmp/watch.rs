//! The reader thread's loop: waits for the monitor and for the death of the process behind it.

use super::message::QmpEvent;
use super::monitor::Monitor;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};

/// Who is told of events. Called on the reader thread: it must not wait for a reply of the same monitor.
pub trait EventSink {
    /// Something happened.
    fn event(&self, event: QmpEvent);
    /// The monitor is closed while the process may still live.
    fn closed(&self);
}

/// How long a process that closed its monitor may take to be gone.
const LAST_MOMENT: u16 = 2000;
/// How much is read at once; replies are mostly far smaller.
const CHUNK: usize = 16 * 1024;

/// Serves `monitor` until `process` (a pidfd) has died; all it said before is delivered first.
pub fn watch(monitor: &Monitor, process: BorrowedFd<'_>, sink: &dyn EventSink) {
    let mut open = true;
    loop {
        let mut waiting = [
            PollFd::new(process, PollFlags::POLLIN),
            PollFd::new(monitor.socket().as_fd(), PollFlags::POLLIN),
        ];
        let watched = if open { &mut waiting[..] } else { &mut waiting[..1] };
        match poll(watched, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(_) => break,
        }
        let happened = |at: usize| waiting[at].revents().is_some_and(|flags| !flags.is_empty());
        let (died, spoke) = (happened(0), open && happened(1));
        if spoke {
            open = take_in(monitor, sink);
        }
        if died {
            while open && has_more(monitor) {
                open = take_in(monitor, sink);
            }
            break;
        }
        if !open && spoke {
            monitor.close();
            // A process that dies closes its monitor a moment before it is gone.
            if ends_within(process, LAST_MOMENT) {
                break;
            }
            sink.closed();
        }
    }
    monitor.close();
}

/// Waits for the end of a process, at most so many milliseconds.
fn ends_within(process: BorrowedFd<'_>, limit: u16) -> bool {
    let mut waiting = [PollFd::new(process, PollFlags::POLLIN)];
    matches!(poll(&mut waiting, limit), Ok(1))
}

/// Whether something can be read without waiting.
fn has_more(monitor: &Monitor) -> bool {
    let mut waiting = [PollFd::new(monitor.socket().as_fd(), PollFlags::POLLIN)];
    matches!(poll(&mut waiting, PollTimeout::ZERO), Ok(1))
}

/// Reads once; `false` when the monitor is at its end.
fn take_in(monitor: &Monitor, sink: &dyn EventSink) -> bool {
    let mut chunk = [0u8; CHUNK];
    match monitor.socket().read_some(&mut chunk) {
        Ok(0) => false,
        Ok(length) => monitor.feed(&chunk[..length], |event| sink.event(event)).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock),
    }
}

/// Reading through a shared reference.
trait ReadSome {
    fn read_some(&self, into: &mut [u8]) -> std::io::Result<usize>;
}

impl ReadSome for std::os::unix::net::UnixStream {
    fn read_some(&self, into: &mut [u8]) -> std::io::Result<usize> {
        let mut socket = self;
        socket.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::eventfd::{EfdFlags, EventFd};
    use serde_json::{Value, json};
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::{Arc, Mutex};

    #[derive(Default)]
    struct Names(Mutex<Vec<String>>);
    impl EventSink for Names {
        fn event(&self, event: QmpEvent) {
            self.0.lock().unwrap().push(event.name);
        }
        fn closed(&self) {
            self.0.lock().unwrap().push("closed".to_string());
        }
    }

    /// A monitor whose far end answers as `answer` says, then hangs up.
    fn converse(answer: impl FnOnce(UnixStream) + Send, talk: impl FnOnce(&Monitor)) -> Vec<String> {
        let (near, far) = UnixStream::pair().unwrap();
        let monitor = Arc::new(Monitor::new(near).unwrap());
        let death = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC).unwrap();
        let names = Names::default();
        std::thread::scope(|scope| {
            scope.spawn(|| answer(far));
            let reader = scope.spawn(|| watch(&monitor, death.as_fd(), &names));
            talk(&monitor);
            death.write(1).unwrap();
            reader.join().unwrap();
        });
        names.0.into_inner().unwrap()
    }

    #[test]
    fn replies_find_their_commands_in_any_order() {
        let far = |mut socket: UnixStream| {
            let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
            let ids: Vec<Value> = (0..2)
                .map(|_| {
                    serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap()["id"].clone()
                })
                .collect();
            for (at, id) in ids.iter().enumerate().rev() {
                writeln!(socket, "{}", json!({"event": "E", "data": {"new": at}})).unwrap();
                writeln!(socket, "{}", json!({"return": at, "id": id})).unwrap();
            }
            socket.write_all(b"rubbish\n\xff\xfe\n[1]\n").unwrap();
        };
        let events = converse(far, |monitor| {
            let first = monitor.send("a", Value::Null).unwrap();
            let second = monitor.send("b", Value::Null).unwrap();
            assert_eq!(monitor.wait(first), Ok(json!(0)));
            assert_eq!(monitor.wait(second), Ok(json!(1)));
        });
        assert_eq!(events[..2], ["E", "E"]);
    }

    #[test]
    fn a_hangup_wakes_all_who_wait() {
        let far = |socket: UnixStream| {
            let _ = BufReader::new(socket).lines().next();
        };
        converse(far, |monitor| {
            assert_eq!(monitor.query("a"), Err(super::super::MonitorError::Closed));
            assert_eq!(monitor.query("b"), Err(super::super::MonitorError::Closed));
        });
    }
}
