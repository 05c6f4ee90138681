//! One socket shared by many calls: whoever waits for something reads for all.
//!
//! No thread belongs to a connection. A caller that waits for its answer takes the reading role if nobody has it,
//! files what arrives under the serial it belongs to, and passes the role on when it has what it came for. So a
//! one-shot command costs no thread, and a stream, an event loop and calls share one connection.

use super::keepalive::Watch;
use super::transport::Transport;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::rpc::WireError;
use crate::rpc::frame::{Frame, HEADER_LENGTH, KEEPALIVE_PROGRAM, Kind, Status, body_length};
use crate::rpc::procedure::{KEEPALIVE_PING, KEEPALIVE_PONG};
use crate::rpc::xdr;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};
use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How much is read from the socket while the length of what comes is not known.
const READ_SIZE: usize = 8 * 1024;
/// A buffer that has grown over this is given back once it is empty.
const BUFFER_KEPT: usize = 256 * 1024;
/// How often is read when only a sign of the peer's end is looked for, which may stand behind other things.
const GLANCES: usize = 8;

/// A connection's socket and everything that waits on it.
pub(super) struct Channel {
    transport: Transport,
    /// Held while a frame is written, so that frames never mix.
    sending: Mutex<()>,
    /// Bytes of a frame that has not arrived whole. Only the one with the reading role locks it.
    partial: Mutex<Vec<u8>>,
    state: Mutex<State>,
    changed: Condvar,
    /// Itself, for a watcher that is started only when a call has taken long.
    own: Weak<Channel>,
}

/// What has arrived, and who may read more.
pub(super) struct State {
    last_serial: u32,
    /// Whether somebody has the reading role.
    reading: bool,
    /// Answers by serial; `None` while they are awaited.
    answers: HashMap<u32, Option<Frame>>,
    /// What came on open streams, by serial.
    pub(super) streams: HashMap<u32, Inflow>,
    /// Messages sent unasked: events.
    pub(super) messages: VecDeque<Frame>,
    /// When anything last arrived.
    pub(super) heard: Instant,
    /// The watch over the peer that begins when somebody still waits at its time.
    pub(super) later_watch: Option<Watch>,
    /// Why nothing will ever arrive again.
    pub(super) failure: Option<Error>,
}

/// What the peer has sent on a stream.
#[derive(Default)]
pub(super) struct Inflow {
    /// Data and holes, oldest first.
    pub(super) frames: VecDeque<Frame>,
    /// How the peer ended the stream: in order, or with this error.
    pub(super) ended: Option<Option<Error>>,
}

impl Inflow {
    fn take_in(&mut self, frame: Frame) -> Result<()> {
        match frame.header.status {
            Status::Continue => self.frames.push_back(frame),
            Status::Ok => self.ended = Some(None),
            Status::Error => self.ended = Some(Some(xdr::from_bytes::<WireError>(&frame.payload)?.into())),
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is complete at each step, so a panic elsewhere leaves them usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ended() -> Error {
    Error::new(ErrorCode::SYSTEM, "End of file while reading data: Input/output error")
        .from_origin(ErrorOrigin::RPC)
}

impl Channel {
    pub(super) fn new(transport: Transport) -> Arc<Channel> {
        Arc::new_cyclic(|own| Channel {
            transport,
            sending: Mutex::default(),
            partial: Mutex::default(),
            state: Mutex::new(State {
                last_serial: 0,
                reading: false,
                answers: HashMap::new(),
                streams: HashMap::new(),
                messages: VecDeque::new(),
                heard: Instant::now(),
                later_watch: None,
                failure: None,
            }),
            changed: Condvar::new(),
            own: Weak::clone(own),
        })
    }

    /// Looks at the state without waiting.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Sends calls in one write and waits for all answers, which come in the calls' order.
    pub(super) fn call_all(&self, calls: Vec<(u32, i32, Vec<u8>)>) -> Result<Vec<Result<Vec<u8>>>> {
        let (bytes, serials) = self.encode_calls(calls)?;
        self.send(&bytes)?;
        serials
            .into_iter()
            .map(|serial| {
                let answer = self.wait(None, |state| match state.answers.get(&serial) {
                    Some(Some(_)) => state.answers.remove(&serial).flatten(),
                    _ => None,
                });
                match answer {
                    Ok(Some(frame)) => Ok(open_answer(frame)),
                    Ok(None) => Err(ended()),
                    Err(error) => Err(error),
                }
            })
            .collect()
    }

    /// Sends one call and waits for its answer until `deadline`.
    pub(super) fn call_until(
        &self,
        program: u32,
        procedure: i32,
        payload: Vec<u8>,
        deadline: Instant,
    ) -> Result<()> {
        let (bytes, serials) = self.encode_calls(vec![(program, procedure, payload)])?;
        self.send(&bytes)?;
        self.wait(Some(deadline), |state| {
            let arrived = serials.iter().all(|serial| matches!(state.answers.get(serial), Some(Some(_))));
            arrived.then_some(())
        })?;
        self.state().answers.retain(|serial, _| !serials.contains(serial));
        Ok(())
    }

    fn encode_calls(&self, calls: Vec<(u32, i32, Vec<u8>)>) -> Result<(Vec<u8>, Vec<u32>)> {
        let mut bytes = Vec::new();
        let mut serials = Vec::with_capacity(calls.len());
        for (program, procedure, payload) in calls {
            let serial = self.new_serial();
            bytes.extend(Frame::call(program, procedure, serial, payload).to_bytes()?);
            serials.push(serial);
        }
        let mut state = self.state();
        state.answers.extend(serials.iter().map(|&serial| (serial, None)));
        Ok((bytes, serials))
    }

    fn new_serial(&self) -> u32 {
        let mut state = self.state();
        state.last_serial = state.last_serial.wrapping_add(1);
        state.last_serial
    }

    /// Sends a call that opens a stream; answers with its serial and the call's answer.
    pub(super) fn call_for_stream(
        &self,
        program: u32,
        procedure: i32,
        payload: Vec<u8>,
    ) -> Result<(u32, Vec<u8>)> {
        let serial = self.new_serial();
        {
            let mut state = self.state();
            // Known before the call goes out, for its first data may follow the answer at once.
            state.streams.insert(serial, Inflow::default());
            state.answers.insert(serial, None);
        }
        self.send(&Frame::call(program, procedure, serial, payload).to_bytes()?)?;
        let answer = self.wait(None, |state| match state.answers.get(&serial) {
            Some(Some(_)) => state.answers.remove(&serial).flatten(),
            _ => None,
        });
        let opened = answer.and_then(|frame| open_answer(frame.ok_or_else(ended)?));
        if opened.is_err() {
            self.state().streams.remove(&serial);
        }
        opened.map(|payload| (serial, payload))
    }

    /// Forgets a stream; whoever still waits on it learns that it is closed.
    pub(super) fn close_stream(&self, serial: u32) {
        self.state().streams.remove(&serial);
        self.changed.notify_all();
    }

    /// Waits until `ready` finds what it looks for, reading for everybody if nobody else does.
    ///
    /// `Ok(None)` when the deadline passes first. What has already arrived is found even on a dead connection.
    pub(super) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut ready: impl FnMut(&mut State) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut state = self.state();
        loop {
            if let Some(found) = ready(&mut state) {
                return Ok(Some(found));
            }
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            if state.reading {
                state = match left {
                    Some(left) => {
                        let woken = self.changed.wait_timeout(state, left);
                        woken.unwrap_or_else(PoisonError::into_inner).0
                    }
                    None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                };
            } else {
                state = self.read_once(state, left);
            }
        }
    }

    /// Takes the reading role, reads once after waiting at most `left`, and passes the role on.
    fn read_once<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        left: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        let due = state.later_watch.as_ref().map(|watch| watch.begins);
        let until_due = due.map(|due| due.saturating_duration_since(Instant::now()));
        let pause = match (left, until_due) {
            (Some(left), Some(due)) => Some(left.min(due)),
            (left, due) => left.or(due),
        };
        if until_due == Some(Duration::ZERO)
            && let (Some(watch), Some(own)) = (state.later_watch.take(), self.own.upgrade())
        {
            // Without the watcher a peer that hangs is merely waited for.
            let _ = watch.start(own);
        }
        state.reading = true;
        drop(state);
        let outcome = self.read_some(pause);
        let mut state = self.state();
        self.give_up_reading(&mut state, outcome);
        state
    }

    fn give_up_reading(&self, state: &mut State, outcome: Result<()>) {
        state.reading = false;
        if let Err(failure) = outcome {
            state.failure.get_or_insert(failure);
        }
        self.changed.notify_all();
    }

    /// Reads once, after waiting at most `left`, and files every frame that is complete by then.
    fn read_some(&self, left: Option<Duration>) -> Result<()> {
        if !self.poll(PollFlags::POLLIN, left)?.contains(PollFlags::POLLIN) {
            return Ok(());
        }
        let mut partial = lock(&self.partial);
        let filled = partial.len();
        // A frame whose length is known already is read in one go.
        let wanted = match partial.first_chunk::<4>() {
            Some(word) => (body_length(*word)? + 4).saturating_sub(filled).max(READ_SIZE),
            None => READ_SIZE,
        };
        partial.resize(filled + wanted, 0);
        let count = match (&self.transport.socket).read(&mut partial[filled..]) {
            Ok(0) => return Err(self.transport.explain(ended())),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
            Err(error) => {
                let error = Error::system("Cannot recv data", &error).from_origin(ErrorOrigin::RPC);
                return Err(self.transport.explain(error));
            }
        };
        partial.truncate(filled + count);
        let mut taken = 0;
        while let Some(word) = partial[taken..].first_chunk::<4>() {
            let body = body_length(*word)?;
            let Some(bytes) = partial[taken + 4..].get(..body) else {
                break;
            };
            self.file(Frame::from_body(bytes)?)?;
            taken += 4 + body;
        }
        partial.drain(..taken);
        partial.shrink_to(BUFFER_KEPT);
        Ok(())
    }

    /// Puts an arrived frame where the one who waits for it will look.
    fn file(&self, frame: Frame) -> Result<()> {
        let header = frame.header;
        if header.program == KEEPALIVE_PROGRAM {
            if header.procedure == KEEPALIVE_PING {
                self.send_keepalive(KEEPALIVE_PONG)?;
            }
            self.state().heard = Instant::now();
            return Ok(());
        }
        let mut state = self.state();
        state.heard = Instant::now();
        match header.kind {
            Kind::Message => state.messages.push_back(frame),
            Kind::Stream | Kind::StreamHole => {
                // Frames of a stream that was given up are still in flight: nobody waits for them.
                if let Some(stream) = state.streams.get_mut(&header.serial) {
                    stream.take_in(frame)?;
                }
            }
            Kind::Reply | Kind::ReplyWithFds => {
                if let Some(place) = state.answers.get_mut(&header.serial) {
                    *place = Some(frame);
                }
            }
            Kind::Call | Kind::CallWithFds => {
                let what = "the peer sent a call where only answers and messages may come";
                return Err(WireError::malformed(what));
            }
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Sends a ping or a pong.
    pub(super) fn send_keepalive(&self, procedure: i32) -> Result<()> {
        let mut frame = Frame::call(KEEPALIVE_PROGRAM, procedure, 0, Vec::new());
        frame.header.kind = Kind::Message;
        self.send(&frame.to_bytes()?)
    }

    /// Writes whole frames. While the peer does not take them, goes on reading what the peer sends.
    pub(super) fn send(&self, mut bytes: &[u8]) -> Result<()> {
        let _turn = lock(&self.sending);
        while !bytes.is_empty() {
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            match send(self.transport.socket.as_raw_fd(), bytes, flags) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => self.wait_for_room()?,
                Err(errno) => return Err(self.broken_send(errno)),
            }
        }
        Ok(())
    }

    /// Two peers that both only write would wait for ever, so the reading role is taken here too if it is free.
    fn wait_for_room(&self) -> Result<()> {
        let mut state = self.state();
        if state.reading {
            drop(state);
            self.poll(PollFlags::POLLOUT, Some(Duration::from_millis(50)))?;
            return Ok(());
        }
        state.reading = true;
        drop(state);
        let outcome = match self.poll(PollFlags::POLLOUT | PollFlags::POLLIN, None) {
            Ok(ready) if ready.contains(PollFlags::POLLIN) => self.read_some(Some(Duration::ZERO)),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        self.give_up_reading(&mut self.state(), outcome);
        Ok(())
    }

    /// The peer may have said why before it hung up; that is worth more than "broken pipe".
    fn broken_send(&self, errno: Errno) -> Error {
        let soon = Instant::now() + Duration::from_millis(1);
        if let Err(said) = self.wait(Some(soon), |_| None::<()>) {
            return said;
        }
        let cause = std::io::Error::from(errno);
        let error = Error::system("Cannot write data", &cause).from_origin(ErrorOrigin::RPC);
        let error = self.transport.explain(error);
        self.state().failure.get_or_insert(error.clone());
        self.changed.notify_all();
        error
    }

    fn poll(&self, wanted: PollFlags, left: Option<Duration>) -> Result<PollFlags> {
        let timeout = match left {
            // Rounded up, so that a wait of less than a millisecond does not spin.
            Some(left) => PollTimeout::try_from(left.as_micros().div_ceil(1000)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let mut entry = [PollFd::new(self.transport.socket.as_fd(), wanted)];
        match poll(&mut entry, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(PollFlags::empty()),
            Err(errno) => return Err(Error::system("Cannot wait for data", &errno.into())),
        }
        let seen = entry[0].revents().unwrap_or(PollFlags::empty());
        // A hang-up is found by reading or writing, which also tells the reason.
        let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
        Ok(if seen.intersects(gone) { seen | wanted } else { seen })
    }

    /// Marks the connection dead and wakes everybody who waits.
    pub(super) fn fail(&self, error: Error) {
        self.state().failure.get_or_insert(error);
        // The one with the reading role sits in poll; closing both ways ends that.
        self.transport.hang_up();
        self.changed.notify_all();
    }

    /// Waits without reading; `false` if the connection has ended before `time` was over.
    pub(super) fn lives_on(&self, time: Duration) -> bool {
        let alive = |state: &mut State| state.failure.is_none();
        let waited = self.changed.wait_timeout_while(self.state(), time, alive);
        waited.unwrap_or_else(PoisonError::into_inner).0.failure.is_none()
    }

    /// Whether the peer is still there, found without waiting.
    pub(super) fn is_alive(&self) -> bool {
        let mut state = self.state();
        for _ in 0..GLANCES {
            let nothing = Some(Duration::ZERO);
            let readable = |ready: PollFlags| ready.contains(PollFlags::POLLIN);
            if state.failure.is_some()
                || state.reading
                || !self.poll(PollFlags::POLLIN, nothing).is_ok_and(readable)
            {
                break;
            }
            state = self.read_once(state, nothing);
        }
        state.failure.is_none()
    }
}

/// Makes of an answer its payload or the error it carries.
fn open_answer(frame: Frame) -> Result<Vec<u8>> {
    debug_assert!(frame.payload.len() < crate::rpc::frame::MESSAGE_MAX - HEADER_LENGTH + 1);
    match frame.header.status {
        Status::Error => Err(xdr::from_bytes::<WireError>(&frame.payload)?.into()),
        Status::Ok | Status::Continue => Ok(frame.payload),
    }
}
