//! The threads of the server: whoever waits on the epoll leads, whoever works has left the lead to another.

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
            let Some(event) = self.wait_for_event() else {
                return;
            };
            if event.data() == BELL {
                let _ = self.pool.bell.read();
            } else {
                self.handle(event);
            }
            while let Some(work) = self.pool.take() {
                match work {
                    Work::Call(client, frame) => client.answer(&self, &frame),
                    Work::Stream(client, stream) => stream.hand_on(&self, &client),
                }
            }
        }
    }

    /// Waits for something to happen; `None` when this thread is not needed any more.
    fn wait_for_event(self: &Arc<Self>) -> Option<EpollEvent> {
        let mut events = [EpollEvent::empty()];
        let mut spare = {
            let mut state = lock(&self.pool.state);
            state.waiting += 1;
            state.waiting > KEPT
        };
        loop {
            let timeout = if spare { EpollTimeout::from(SPARE_WAIT) } else { EpollTimeout::NONE };
            let found = self.epoll.wait(&mut events, timeout);
            if found == Err(Errno::EINTR) {
                continue;
            }
            let mut state = lock(&self.pool.state);
            state.waiting -= 1;
            match found {
                // The others may all be spare as well: somebody must stay.
                Ok(0) if state.waiting < KEPT => {
                    state.waiting += 1;
                    spare = false;
                    continue;
                }
                Ok(0) => {
                    state.threads -= 1;
                    return None;
                }
                Ok(_) => {}
                Err(errno) => {
                    tracing::error!("cannot wait for clients: {errno}");
                    state.threads -= 1;
                    return None;
                }
            }
            let nobody_leads = state.waiting == 0 && state.threads < THREADS_MAX;
            drop(state);
            if nobody_leads && let Err(error) = self.add_thread() {
                tracing::warn!("{error}");
            }
            return Some(events[0]);
        }
    }
}
