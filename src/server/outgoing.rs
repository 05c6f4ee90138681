//! What waits to be sent to a client: written at once while the client takes it, queued up to a limit when not.

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use std::collections::VecDeque;
use std::os::fd::RawFd;

/// Frames on their way to a client.
#[derive(Default)]
pub(super) struct Outgoing {
    frames: VecDeque<Vec<u8>>,
    /// How much of the first frame has been sent.
    sent: usize,
    /// Bytes that are queued.
    pub(super) backlog: usize,
    /// Whether the connection ends once all is sent.
    pub(super) then_close: bool,
}

/// How far sending came.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// All is sent.
    Empty,
    /// The client does not take more at present.
    Waiting,
    /// The client is gone.
    Broken,
}

impl Outgoing {
    /// Sends a frame behind all others, as far as the client takes them.
    pub(super) fn push(&mut self, socket: RawFd, frame: Vec<u8>) -> Progress {
        let first = self.frames.is_empty();
        self.backlog += frame.len();
        self.frames.push_back(frame);
        // With others waiting already the client will say when it can take more.
        if first { self.flush(socket) } else { Progress::Waiting }
    }

    /// Sends what waits, as far as the client takes it.
    pub(super) fn flush(&mut self, socket: RawFd) -> Progress {
        while let Some(frame) = self.frames.front() {
            match send(socket, &frame[self.sent..], MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => {
                    self.sent += count;
                    self.backlog -= count;
                    if self.sent == frame.len() {
                        self.sent = 0;
                        self.frames.pop_front();
                    }
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Progress::Waiting,
                Err(_) => {
                    self.clear();
                    return Progress::Broken;
                }
            }
        }
        self.frames.shrink_to(16);
        Progress::Empty
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Outgoing::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn what_is_not_taken_waits_in_order() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut outgoing = Outgoing::default();
        let mut pushed = Vec::new();
        let mut progress = Progress::Empty;
        for number in 0..64u8 {
            pushed.extend(vec![number; 64 * 1024]);
            progress = outgoing.push(near.as_raw_fd(), vec![number; 64 * 1024]);
        }
        assert_eq!(progress, Progress::Waiting);
        assert!(outgoing.backlog > 0 && outgoing.backlog < pushed.len());
        let mut taken = vec![0; pushed.len()];
        let mut at = 0;
        while at < taken.len() {
            at += far.read(&mut taken[at..]).unwrap();
            outgoing.flush(near.as_raw_fd());
        }
        assert_eq!(taken, pushed);
        assert_eq!(outgoing.backlog, 0);
        drop(far);
        assert_eq!(outgoing.push(near.as_raw_fd(), vec![1]), Progress::Broken);
    }
}
