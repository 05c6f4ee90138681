//! The threads of the server: whoever waits on the epoll leads, whoever works has left the lead to another. When
//! enough work already, the leader goes on leading and leaves the work to them.

use super::streams::OpenStream;
use super::{Client, Inner, lock};
use crate::error::{Error, Result};
use crate::rpc::frame::Frame;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Threads that stay although there is nothing to do.
const KEPT: usize = 2;
/// As long as there are fewer threads, another takes the lead at once when the leader has work to do.
const AT_ONCE: usize = 8;
/// Beyond them the leader leaves the work to the others, and calls for another thread only when the work has waited
/// so long, in milliseconds: short calls of many clients are done sooner by few threads.
const PRESSURE_WAIT: u16 = 5;
/// The most threads at once. Beyond it calls wait for each other.
const THREADS_MAX: usize = 256;
/// How long a thread beyond the kept ones waits for work, in milliseconds.
const SPARE_WAIT: u16 = 5000;
/// Deep enough for parsing and building definitions; only what is touched takes memory.
const STACK: usize = 1024 * 1024;
/// The epoll entry of the bell that calls threads to the queue of work.
const BELL: u64 = 999;

/// Something a thread is to do.
pub(super) enum Work {
    /// Answer a call of a client.
    Call(Arc<Client>, Frame),
    /// Hand what a client sent on a stream to the driver.
    Stream(Arc<Client>, Arc<OpenStream>),
    /// Close what a client that has gone had open.
    Close(Arc<Client>),
}

pub(super) struct Pool {
    state: Mutex<PoolState>,
    work: Mutex<VecDeque<Work>>,
    bell: EventFd,
}

#[derive(Default)]
struct PoolState {
    threads: usize,
    waiting: usize,
}

impl Pool {
    pub(super) fn new(epoll: &Epoll) -> Result<Pool> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let bell = EventFd::from_value_and_flags(0, flags)
            .map_err(|errno| Error::system("cannot create an event descriptor", &errno.into()))?;
        epoll
            .add(&bell, EpollEvent::new(EpollFlags::EPOLLIN, BELL))
            .map_err(|errno| Error::system("cannot watch an event descriptor", &errno.into()))?;
        Ok(Pool { state: Mutex::default(), work: Mutex::default(), bell })
    }

    /// Queues work for the thread that calls, or for any that is free.
    pub(super) fn push(&self, work: Work) {
        lock(&self.work).push_back(work);
    }

    /// Calls another thread to the queue.
    pub(super) fn ring(&self) {
        // A bell that rings already is as good.
        let _ = self.bell.write(1);
    }

    /// The clients that are gone and whose things are yet to be closed.
    pub(super) fn to_close(&self) -> Vec<Arc<Client>> {
        let waiting = std::mem::take(&mut *lock(&self.work));
        let gone = waiting.into_iter().filter_map(|work| match work {
            Work::Close(client) => Some(client),
            Work::Call(..) | Work::Stream(..) => None,
        });
        gone.collect()
    }

    /// Whether work waits.
    fn has_work(&self) -> bool {
        !lock(&self.work).is_empty()
    }

    /// Whether who looks is the only one who can lead, and enough others are there to work.
    fn leader_must_stay(&self) -> bool {
        let state = lock(&self.state);
        state.waiting == 0 && state.threads >= AT_ONCE
    }

    /// Takes the next work and calls for help if more is left.
    fn take(&self) -> Option<Work> {
        let mut queue = lock(&self.work);
        let next = queue.pop_front();
        if !queue.is_empty() {
            self.ring();
        }
        next
    }
}

/// Why a thread stops waiting.
enum Wakened {
    /// The epoll saw something.
    ByEvent(EpollEvent),
    /// Work has waited for too long.
    ByPressure,
    /// This thread is not needed any more.
    ToLeave,
}

impl Inner {
    /// Starts another thread.
    pub(super) fn add_thread(self: &Arc<Self>) -> Result<()> {
        lock(&self.pool.state).threads += 1;
        let inner = Arc::clone(self);
        let thread = std::thread::Builder::new().name("worker".to_string()).stack_size(STACK);
        match thread.spawn(move || inner.lead_and_work()) {
            Ok(_) => Ok(()),
            Err(cause) => {
                lock(&self.pool.state).threads -= 1;
                Err(Error::system("cannot start a thread", &cause))
            }
        }
    }

    fn lead_and_work(self: Arc<Self>) {
        loop {
            let event = match self.wait_for_event() {
                Wakened::ByEvent(event) => Some(event),
                Wakened::ByPressure => None,
                Wakened::ToLeave => return,
            };
            match event {
                Some(event) if event.data() == BELL => drop(self.pool.bell.read()),
                Some(event) => self.handle(event),
                None => {}
            }
            if event.is_some() && self.pool.leader_must_stay() {
                continue;
            }
            while let Some(work) = self.pool.take() {
                match work {
                    Work::Call(client, frame) => client.answer(&self, &frame),
                    Work::Stream(client, stream) => stream.hand_on(&self, &client),
                    Work::Close(client) => client.session.close(),
                }
            }
        }
    }

    /// Waits for something to happen.
    fn wait_for_event(self: &Arc<Self>) -> Wakened {
        let mut events = [EpollEvent::empty()];
        let mut spare = {
            let mut state = lock(&self.pool.state);
            state.waiting += 1;
            state.waiting > KEPT
        };
        loop {
            let pressed = self.pool.has_work();
            let timeout = match (pressed, spare) {
                (true, _) => EpollTimeout::from(PRESSURE_WAIT),
                (false, true) => EpollTimeout::from(SPARE_WAIT),
                (false, false) => EpollTimeout::NONE,
            };
            let found = self.epoll.wait(&mut events, timeout);
            if found == Err(Errno::EINTR) {
                continue;
            }
            let mut state = lock(&self.pool.state);
            // The others may all be spare as well: somebody must stay.
            if found == Ok(0) && !pressed && state.waiting <= KEPT {
                spare = false;
                continue;
            }
            state.waiting -= 1;
            let wakened = match found {
                Ok(0) if pressed => Wakened::ByPressure,
                Ok(0) => Wakened::ToLeave,
                Ok(_) => Wakened::ByEvent(events[0]),
                Err(errno) => {
                    tracing::error!("cannot wait for clients: {errno}");
                    Wakened::ToLeave
                }
            };
            if matches!(wakened, Wakened::ToLeave) {
                state.threads -= 1;
                return wakened;
            }
            // Under pressure this one goes to work, whoever leads then.
            let most = if matches!(wakened, Wakened::ByPressure) { THREADS_MAX } else { AT_ONCE };
            let another = state.waiting == 0 && state.threads < most;
            drop(state);
            if another && let Err(error) = self.add_thread() {
                tracing::warn!("{error}");
            }
            return wakened;
        }
    }
}
