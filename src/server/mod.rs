//! The server's end of the wire: accepts clients on its sockets and answers their calls.
//!
//! A pool of threads waits on one epoll. The thread that finds a client readable takes its frames, lets the next
//! thread watch, and answers the calls itself; so a call costs no hand-over, a long one blocks nobody, and a client
//! that says nothing costs no thread. What a client does not take is queued up to a limit and then the client goes.

pub mod access;
mod client;
pub mod dispatch;
mod legacy;
mod memory;
mod outgoing;
mod pool;
pub mod process;
mod session;
mod streams;
mod subscriptions;

pub use client::Client;

use crate::backend::Connection;
use crate::error::{Error, Result};
use crate::uri::Uri;
use access::{Listener, Peer};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use pool::Pool;
use std::collections::HashMap;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most clients at once, where the options do not say.
const CLIENTS_MAX: usize = 5000;
/// How long no client is accepted after the system ran out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opens drivers for clients.
pub trait ConnectionFactory: Send + Sync {
    /// Opens the driver that `uri` names for a client; writes of a read-only client are refused by the caller.
    fn open(&self, uri: &Uri, read_only: bool, peer: &Peer) -> Result<Box<dyn Connection>>;
    /// Whether nothing would be missed if the helper left: no domain is active, no job runs.
    fn is_idle(&self) -> bool;
}

/// How a server behaves.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// Leave after so long without client and without anything active; `None`: never.
    pub idle_exit: Option<Duration>,
    /// What a client gets that names no driver.
    pub default_uri: Option<String>,
    /// The most clients at once.
    pub clients_max: Option<usize>,
    /// The most clients at once that one user may have; root may have as many as there may be.
    pub clients_of_user_max: Option<usize>,
}

/// A running server; clones are the same server.
#[derive(Clone)]
pub struct Server {
    inner: Arc<Inner>,
}

struct Inner {
    factory: Arc<dyn ConnectionFactory>,
    options: ServerOptions,
    epoll: Arc<Epoll>,
    listeners: Vec<Listener>,
    clients: Mutex<HashMap<u64, Arc<Client>>>,
    last_number: AtomicU64,
    idle_since: Mutex<Instant>,
    stopped: Mutex<bool>,
    stop_asked: Condvar,
    pool: Pool,
}

/// What an epoll entry stands for: listeners by their place, then clients by their number.
const FIRST_CLIENT: u64 = 1000;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is complete at each step, so a panic elsewhere leaves them usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn system(tried: &str) -> impl FnOnce(nix::errno::Errno) -> Error + '_ {
    move |errno| Error::system(tried, &errno.into())
}

impl Server {
    /// A server on sockets that listen already. Nobody is answered before [`Server::run`].
    pub fn new(
        listeners: Vec<Listener>,
        factory: Arc<dyn ConnectionFactory>,
        options: ServerOptions,
    ) -> Result<Server> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(system("cannot create an epoll"))?;
        for (index, listener) in listeners.iter().enumerate() {
            let event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, index as u64);
            epoll.add(listener.as_fd(), event).map_err(system("cannot watch a listening socket"))?;
        }
        let pool = Pool::new(&epoll)?;
        let inner = Inner {
            factory,
            options,
            epoll: Arc::new(epoll),
            listeners,
            clients: Mutex::default(),
            last_number: AtomicU64::new(FIRST_CLIENT),
            idle_since: Mutex::new(Instant::now()),
            stopped: Mutex::new(false),
            stop_asked: Condvar::new(),
            pool,
        };
        Ok(Server { inner: Arc::new(inner) })
    }

    /// Answers clients until [`Server::stop`] is called or the server has been idle for long enough.
    pub fn run(&self) -> Result<()> {
        self.inner.add_thread()?;
        let mut tidied_at = self.inner.last_number.load(Ordering::Relaxed);
        let mut stopped = lock(&self.inner.stopped);
        while !*stopped {
            let woken = self.inner.stop_asked.wait_timeout(stopped, self.inner.idle_check_pause());
            stopped = woken.unwrap_or_else(PoisonError::into_inner).0;
            let newest = self.inner.last_number.load(Ordering::Relaxed);
            if newest != tidied_at && lock(&self.inner.clients).is_empty() {
                tidied_at = newest;
                memory::give_back();
            }
            if self.inner.has_idled_enough() {
                tracing::info!("nobody needs this helper any more: leaving");
                *stopped = true;
            }
        }
        drop(stopped);
        self.inner.close_all();
        Ok(())
    }

    /// Makes [`Server::run`] return.
    pub fn stop(&self) {
        *lock(&self.inner.stopped) = true;
        self.inner.stop_asked.notify_all();
    }

    /// Stops when a byte arrives on `signals`.
    pub fn stop_on(&self, signals: UnixStream) -> Result<()> {
        let server = self.clone();
        let watch = move || {
            let mut byte = [0];
            if matches!((&signals).read(&mut byte), Ok(1)) {
                tracing::info!("asked to end: leaving, guests go on running");
                server.stop();
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_string()).stack_size(64 * 1024);
        thread.spawn(watch).map_err(|cause| Error::system("cannot start a thread", &cause))?;
        Ok(())
    }

    /// How many clients are connected.
    pub fn client_count(&self) -> usize {
        lock(&self.inner.clients).len()
    }
}

impl Inner {
    /// How long to sleep before the next look whether anybody needs us, and whether memory can be given back.
    fn idle_check_pause(&self) -> Duration {
        let after = self.options.idle_exit.unwrap_or(Duration::MAX);
        (after / 8).clamp(Duration::from_millis(100), Duration::from_secs(15))
    }

    fn has_idled_enough(&self) -> bool {
        let Some(after) = self.options.idle_exit else {
            return false;
        };
        let mut since = lock(&self.idle_since);
        if !lock(&self.clients).is_empty() || !self.factory.is_idle() {
            *since = Instant::now();
        }
        // A client may stand in the queue of a socket: it must not be turned away.
        since.elapsed() >= after && !self.listeners.iter().any(Listener::has_waiting)
    }

    /// Handles one event of the epoll.
    fn handle(self: &Arc<Self>, event: EpollEvent) {
        let token = event.data();
        if let Some(listener) = self.listeners.get(token as usize) {
            self.accept_all(listener, token);
            return;
        }
        let client = lock(&self.clients).get(&token).map(Arc::clone);
        if let Some(client) = client {
            client.handle(self, event.events());
        }
    }

    fn accept_all(self: &Arc<Self>, listener: &Listener, token: u64) {
        loop {
            match listener.accept() {
                Ok(Some((socket, peer))) => self.welcome(socket, peer, listener.read_only),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!("cannot accept a client: {error}");
                    std::thread::sleep(ACCEPT_PAUSE);
                    break;
                }
            }
        }
        let mut event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, token);
        if let Err(errno) = self.epoll.modify(listener.as_fd(), &mut event) {
            tracing::error!("cannot go on listening: {errno}");
        }
    }

    fn welcome(self: &Arc<Self>, socket: UnixStream, peer: Peer, read_only: bool) {
        if let Some(count) = self.too_many(&peer) {
            tracing::warn!("client of user {} turned away: {count} are connected", peer.uid);
            return;
        }
        let number = self.last_number.fetch_add(1, Ordering::Relaxed);
        let client = Arc::new(Client::new(number, socket, peer, read_only, Arc::clone(&self.epoll)));
        lock(&self.clients).insert(number, Arc::clone(&client));
        if let Err(error) = client.begin(self) {
            tracing::warn!("cannot serve a client: {error}");
            self.part_from(&client);
        }
    }

    /// How many clients are connected, if one more of this user would be too many.
    fn too_many(&self, peer: &Peer) -> Option<usize> {
        let clients = lock(&self.clients);
        let all = clients.len();
        let of_user = || clients.values().filter(|client| client.session.peer.uid == peer.uid).count();
        if all >= self.options.clients_max.unwrap_or(CLIENTS_MAX) {
            return Some(all);
        }
        let most = self.options.clients_of_user_max.filter(|_| peer.uid != 0)?;
        Some(of_user()).filter(|count| *count >= most)
    }

    /// Forgets a client and everything it had open.
    fn part_from(&self, client: &Arc<Client>) {
        if lock(&self.clients).remove(&client.number).is_some() {
            *lock(&self.idle_since) = Instant::now();
            client.close();
            // A guest that ends with its client takes its time; who found the client gone may be the leader.
            self.pool.push(pool::Work::Close(Arc::clone(client)));
        }
    }

    fn close_all(&self) {
        let clients: Vec<_> = lock(&self.clients).drain().map(|(_, client)| client).collect();
        for client in clients {
            client.close();
            client.session.close();
        }
        for client in self.pool.to_close() {
            client.session.close();
        }
        for listener in &self.listeners {
            listener.close();
        }
    }
}
