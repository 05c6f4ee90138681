//! One client: its socket, what arrived of its next frame, what waits to be sent to it.

use super::access::Peer;
use super::outgoing::{Outgoing, Progress};
use super::pool::Work;
use super::session::{Session, Then};
use super::{Inner, lock};
use crate::error::{Error, Result};
use crate::rpc::WireError;
use crate::rpc::frame::{
    Frame, HEADER_LENGTH, Header, KEEPALIVE_PROGRAM, Kind, PROGRAM_VERSION, Status, body_length,
};
use crate::rpc::procedure::{KEEPALIVE_PING, KEEPALIVE_PONG};
use crate::rpc::xdr::to_bytes;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use nix::sys::socket::{MsgFlags, recv};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Calls of one client that are answered at the same time; the next are not read before one is done.
const IN_FLIGHT_MAX: usize = 32;
/// Queued bytes beyond which a client's calls are not read: it shall take its answers first.
const BACKLOG_PAUSE: usize = 1024 * 1024;
/// Queued bytes beyond which streams wait, so that answers and events still find room.
const STREAM_PAUSE: usize = 512 * 1024;
/// Queued bytes beyond which a client counts as dead: it asked for events and does not read them.
const BACKLOG_MAX: usize = 16 * 1024 * 1024;
/// How much is read from a socket whose next frame's length is not known; most calls are far shorter.
const READ_SIZE: usize = 4 * 1024;
/// The most that is read of a long frame at once.
const READ_MAX: usize = 1024 * 1024;

/// A connected client.
pub struct Client {
    pub(super) number: u64,
    socket: UnixStream,
    epoll: Arc<Epoll>,
    interest: Mutex<EpollFlags>,
    inbound: Mutex<Vec<u8>>,
    outgoing: Mutex<Outgoing>,
    /// Rung when the queue shrinks or the client goes.
    room: Condvar,
    in_flight: AtomicUsize,
    /// Whether reading was given up until there is room.
    suspended: AtomicBool,
    closed: AtomicBool,
    pub(super) session: Session,
}

impl Client {
    pub(super) fn new(
        number: u64,
        socket: UnixStream,
        peer: Peer,
        read_only: bool,
        epoll: Arc<Epoll>,
    ) -> Client {
        Client {
            number,
            socket,
            epoll,
            interest: Mutex::new(EpollFlags::empty()),
            inbound: Mutex::default(),
            outgoing: Mutex::default(),
            room: Condvar::new(),
            in_flight: AtomicUsize::new(0),
            suspended: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            session: Session::new(peer, read_only),
        }
    }

    /// Begins to serve the client. Its first words are mostly there already.
    pub(super) fn begin(self: &Arc<Self>, server: &Arc<Inner>) -> Result<()> {
        let nothing_yet = EpollEvent::new(EpollFlags::EPOLLONESHOT, self.number);
        self.epoll
            .add(self.socket.as_fd(), nothing_yet)
            .map_err(|errno| Error::system("cannot watch a client's socket", &errno.into()))?;
        self.read(server);
        Ok(())
    }

    /// Asks the epoll for `wanted` on top of what it is asked for already.
    fn want(&self, wanted: EpollFlags) {
        let mut interest = lock(&self.interest);
        *interest |= wanted;
        let mut event = EpollEvent::new(*interest | EpollFlags::EPOLLONESHOT, self.number);
        // Fails only for a client that has been closed meanwhile.
        let _ = self.epoll.modify(self.socket.as_fd(), &mut event);
    }

    /// Handles what the epoll saw. It watches nothing of this client until asked again.
    pub(super) fn handle(self: &Arc<Self>, server: &Arc<Inner>, seen: EpollFlags) {
        let gone = seen.intersects(EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR);
        {
            let mut interest = lock(&self.interest);
            let other = *interest - seen;
            *interest = EpollFlags::empty();
            drop(interest);
            if !other.is_empty() && !gone {
                self.want(other);
            }
        }
        if seen.contains(EpollFlags::EPOLLOUT) {
            self.flush(server);
        }
        if gone {
            // Nobody is left to take an answer.
            server.part_from(self);
        } else if seen.contains(EpollFlags::EPOLLIN) {
            self.read(server);
        }
    }

    fn flush(self: &Arc<Self>, server: &Arc<Inner>) {
        let (progress, then_close) = {
            let mut outgoing = lock(&self.outgoing);
            (outgoing.flush(self.socket.as_raw_fd()), outgoing.then_close)
        };
        self.room.notify_all();
        match progress {
            Progress::Waiting => self.want(EpollFlags::EPOLLOUT),
            Progress::Empty if then_close => return server.part_from(self),
            Progress::Empty => {}
            Progress::Broken => return server.part_from(self),
        }
        self.resume(server);
    }

    /// Reads what has arrived and takes the frames in it.
    fn read(self: &Arc<Self>, server: &Arc<Inner>) {
        let mut inbound = lock(&self.inbound);
        match self.read_into(server, &mut inbound) {
            Ok(true) => self.want(EpollFlags::EPOLLIN),
            // A hang-up is seen even so.
            Ok(false) => self.want(EpollFlags::empty()),
            Err(error) => {
                drop(inbound);
                if let Some(error) = error {
                    tracing::warn!("client of user {} dropped: {error}", self.session.peer.uid);
                }
                server.part_from(self);
            }
        }
    }

    /// `Ok(true)`: go on watching; `Ok(false)`: reading is suspended; `Err(None)`: the client has left.
    fn read_into(
        self: &Arc<Self>,
        server: &Arc<Inner>,
        inbound: &mut Vec<u8>,
    ) -> std::result::Result<bool, Option<Error>> {
        if !self.take_frames(server, inbound)? {
            return Ok(false);
        }
        let filled = inbound.len();
        let wanted = match inbound.first_chunk::<4>() {
            Some(word) => {
                (body_length(*word).map_err(Some)? + 4).saturating_sub(filled).clamp(READ_SIZE, READ_MAX)
            }
            None => READ_SIZE,
        };
        inbound.resize(filled + wanted, 0);
        let count = match recv(self.socket.as_raw_fd(), &mut inbound[filled..], MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return Err(None),
            Ok(count) => count,
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            Err(_) => return Err(None),
        };
        inbound.truncate(filled + count);
        let go_on = self.take_frames(server, inbound)?;
        if inbound.is_empty() {
            // An idle client costs no buffer.
            *inbound = Vec::new();
        }
        Ok(go_on)
    }

    /// Takes the whole frames off the front; `false` when the client shall wait before more is read.
    fn take_frames(
        self: &Arc<Self>,
        server: &Arc<Inner>,
        inbound: &mut Vec<u8>,
    ) -> std::result::Result<bool, Option<Error>> {
        let mut taken = 0;
        let mut go_on = true;
        let mut first_answers = Vec::new();
        while let Some(word) = inbound[taken..].first_chunk::<4>() {
            if !self.may_read() {
                go_on = false;
                break;
            }
            let body = body_length(*word).map_err(Some)?;
            let Some(bytes) = inbound[taken + 4..].get(..body) else {
                break;
            };
            let frame = Frame::from_body(bytes).map_err(Some)?;
            taken += 4 + body;
            if self.session.is_to_answer_at_once(&frame.header) {
                first_answers.extend(self.answer_at_once(server, &frame));
            } else {
                self.take_in(server, frame).map_err(Some)?;
            }
        }
        inbound.drain(..taken);
        if !first_answers.is_empty() {
            self.send(first_answers);
        }
        Ok(go_on && self.may_read())
    }

    /// Whether more of this client's calls can be taken. If not, [`Client::resume`] reads on.
    fn may_read(&self) -> bool {
        let room = || {
            self.in_flight.load(Ordering::SeqCst) < IN_FLIGHT_MAX
                && lock(&self.outgoing).backlog < BACKLOG_PAUSE
                && self.session.streams.have_room()
        };
        if room() {
            return true;
        }
        self.suspended.store(true, Ordering::SeqCst);
        // Whoever made room just before the flag was set did not see it.
        room() && self.suspended.swap(false, Ordering::SeqCst)
    }

    /// Reads on if reading was suspended and there is room again.
    pub(super) fn resume(self: &Arc<Self>, server: &Arc<Inner>) {
        if !self.is_closed() && self.suspended.swap(false, Ordering::SeqCst) {
            self.read(server);
        }
    }

    /// Puts a frame where it belongs. Fails on frames no honest client sends.
    fn take_in(self: &Arc<Self>, server: &Arc<Inner>, frame: Frame) -> Result<()> {
        let header = frame.header;
        if header.program == KEEPALIVE_PROGRAM {
            if header.procedure == KEEPALIVE_PING {
                self.send_message(KEEPALIVE_PROGRAM, KEEPALIVE_PONG, Vec::new());
            }
            return Ok(());
        }
        match header.kind {
            Kind::Call => {
                self.in_flight.fetch_add(1, Ordering::SeqCst);
                server.pool.push(Work::Call(Arc::clone(self), frame));
                Ok(())
            }
            Kind::Stream | Kind::StreamHole => {
                if let Some(stream) = self.session.streams.take_in(frame) {
                    server.pool.push(Work::Stream(Arc::clone(self), stream));
                }
                Ok(())
            }
            // Their descriptors travel as bytes between the frames, which only a server that asked for them expects.
            Kind::CallWithFds | Kind::ReplyWithFds => {
                Err(WireError::malformed("it sent descriptors, which it was told not to"))
            }
            Kind::Reply | Kind::Message => Err(WireError::malformed("it sent what only a server sends")),
        }
    }

    /// Answers a call.
    pub(super) fn answer(self: &Arc<Self>, server: &Arc<Inner>, frame: &Frame) {
        if !self.is_closed() {
            let answer = self.session.answer(server, self, frame);
            self.reply(&frame.header, answer.result);
            match answer.then {
                Then::Nothing => {}
                Then::Close => self.close_after_sending(server),
                Then::WakeEvents(subscription) => self.session.events.activate(self, subscription),
                Then::StartStream(stream) => stream.start(server, self),
            }
        }
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        self.resume(server);
    }

    /// Answers one of the first calls, which come together and in order: proving who one is, opening the driver.
    fn answer_at_once(self: &Arc<Self>, server: &Arc<Inner>, frame: &Frame) -> Vec<u8> {
        let answer = self.session.answer(server, self, frame);
        self.encode(&frame.header, answer.result)
    }

    fn reply(&self, call: &Header, result: Result<Vec<u8>>) {
        let bytes = self.encode(call, result);
        if !bytes.is_empty() {
            self.send(bytes);
        }
    }

    /// The frame of an answer; nothing, and the client ends, when there is no way to say it.
    fn encode(&self, call: &Header, result: Result<Vec<u8>>) -> Vec<u8> {
        let failed =
            |error: &Error| Frame::reply(call, Status::Error, to_bytes(&WireError::from(error))).to_bytes();
        let bytes = match result {
            // An answer that is too long for the protocol becomes the error that says so.
            Ok(payload) => Frame::reply(call, Status::Ok, payload).to_bytes().or_else(|error| failed(&error)),
            Err(error) => failed(&error),
        };
        bytes.unwrap_or_else(|error| {
            self.kill(&format!("its answer cannot be sent: {error}"));
            Vec::new()
        })
    }

    /// Sends something unasked: an event, a pong.
    pub(super) fn send_message(&self, program: u32, procedure: i32, payload: Vec<u8>) {
        let header = Header {
            program,
            version: PROGRAM_VERSION,
            procedure,
            kind: Kind::Message,
            serial: 0,
            status: Status::Ok,
        };
        if let Ok(bytes) = (Frame { header, payload }).to_bytes() {
            self.send(bytes);
        }
    }

    /// Sends a frame or queues it. Never waits.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        debug_assert!(bytes.len() >= HEADER_LENGTH);
        if self.is_closed() {
            return;
        }
        let mut outgoing = lock(&self.outgoing);
        let waited = outgoing.backlog;
        let progress = outgoing.push(self.socket.as_raw_fd(), bytes);
        drop(outgoing);
        match progress {
            Progress::Empty => {}
            _ if waited > BACKLOG_MAX => self.kill("it does not read what it asked for"),
            Progress::Waiting if waited == 0 => self.want(EpollFlags::EPOLLOUT),
            Progress::Waiting => {}
            Progress::Broken => self.kill("it hung up"),
        }
    }

    /// Waits until a stream's data finds room; `false` when the client has gone.
    pub(super) fn wait_for_room(&self) -> bool {
        let mut outgoing = lock(&self.outgoing);
        while outgoing.backlog > STREAM_PAUSE && !self.is_closed() {
            let woken = self.room.wait_timeout(outgoing, Duration::from_secs(5));
            outgoing = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.is_closed()
    }

    fn close_after_sending(self: &Arc<Self>, server: &Arc<Inner>) {
        let mut outgoing = lock(&self.outgoing);
        outgoing.then_close = true;
        let sent = outgoing.backlog == 0;
        drop(outgoing);
        if sent {
            server.part_from(self);
        }
    }

    /// Ends a client from any place, even under a driver's locks: the rest is done when the epoll sees it.
    fn kill(&self, why: &str) {
        tracing::warn!("client of user {} dropped: {why}", self.session.peer.uid);
        let _ = self.socket.shutdown(Shutdown::Both);
        self.want(EpollFlags::EPOLLIN);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Closes the socket. What the client had open is closed by its session, which may take a while.
    pub(super) fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        let _ = self.epoll.delete(self.socket.as_fd());
        let _ = self.socket.shutdown(Shutdown::Both);
        lock(&self.outgoing).clear();
        self.room.notify_all();
    }
}
