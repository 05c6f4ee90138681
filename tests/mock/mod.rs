//! A driver made for tests of the wire: two domains, events for all clients, streams, and a call that takes long.
#![allow(missing_docs, dead_code, clippy::unwrap_used)]

use hvsh::backend::event_bus::{EventBus, EventQueue};
use hvsh::backend::*;
use hvsh::error::{Error, ErrorCode, Result};
use hvsh::model::event::{DomainEvent, Event};
use hvsh::model::*;
use hvsh::server::access::{Admission, Listener, Peer};
use hvsh::server::{ConnectionFactory, Server, ServerOptions};
use hvsh::uri::Uri;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long `reset` takes.
pub const LONG: Duration = Duration::from_millis(1500);
/// How many events `pm_wakeup` makes.
pub const FLOOD: usize = 400_000;
/// The length of the picture a screenshot takes.
pub const PICTURE: usize = 1_000_000;

/// What all clients share.
#[derive(Default)]
pub struct World {
    bus: EventBus,
    pub uploaded: Mutex<Vec<u8>>,
    pub busy: AtomicBool,
}

pub struct MockFactory(pub Arc<World>);

impl ConnectionFactory for MockFactory {
    fn open(&self, uri: &Uri, _read_only: bool, _peer: &Peer) -> Result<Box<dyn Connection>> {
        if uri.scheme != "qemu" {
            return Err(Error::new(ErrorCode::NO_CONNECT, uri));
        }
        Ok(Box::new(Mock { events: self.0.bus.watch(), world: Arc::clone(&self.0) }))
    }
    fn is_idle(&self) -> bool {
        !self.0.busy.load(Ordering::SeqCst)
    }
}

struct Mock {
    world: Arc<World>,
    events: EventQueue,
}

pub fn domain(name: &str) -> DomainRef {
    DomainRef {
        name: name.to_string(),
        uuid: Uuid::from_u128(if name == "alpha" { 1 } else { 2 }),
        id: (name == "alpha").then_some(7),
    }
}

fn known() -> Vec<DomainRef> {
    vec![domain("alpha"), domain("beta")]
}

impl Mock {
    fn tell(&self, domain: &DomainRef, event: i32) {
        let event = DomainEvent::Lifecycle { event, detail: 0 };
        self.world.bus.publish(&Event::Domain(domain.clone(), event));
    }
}

impl Connection for Mock {
    fn host(&self) -> &dyn Host {
        self
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
    fn volume_streams(&self) -> &dyn VolumeStreams {
        self
    }
    fn events(&self) -> &dyn Events {
        &self.events
    }
}

impl Host for Mock {
    fn driver_type(&self) -> Result<String> {
        Ok("QEMU".to_string())
    }
    fn version(&self) -> Result<u64> {
        Ok(10_000_002)
    }
    fn hostname(&self) -> Result<String> {
        Ok("mock".to_string())
    }
}

impl DomainLookup for Mock {
    fn list_all_domains(&self, flags: u32) -> Result<Vec<DomainRef>> {
        let wanted =
            |domain: &DomainRef| flags & 3 == 0 || flags & if domain.id.is_some() { 1 } else { 2 } != 0;
        Ok(known().into_iter().filter(wanted).collect())
    }
    fn lookup_by_name(&self, name: &str) -> Result<DomainRef> {
        let missing = || Error::new(ErrorCode::NO_DOMAIN, format!("no domain with matching name '{name}'"));
        known().into_iter().find(|domain| domain.name == name).ok_or_else(missing)
    }
    fn lookup_by_id(&self, id: i32) -> Result<DomainRef> {
        let missing = || Error::new(ErrorCode::NO_DOMAIN, format!("no domain with matching id '{id}'"));
        let is_it = |domain: &DomainRef| domain.id.is_some() && domain.id == u32::try_from(id).ok();
        known().into_iter().find(is_it).ok_or_else(missing)
    }
    fn state(&self, domain: &DomainRef, _flags: u32) -> Result<StateReason> {
        let state = if domain.id.is_some() { 1 } else { 5 };
        Ok(StateReason { state, reason: 1 })
    }
    fn xml(&self, domain: &DomainRef, _flags: u32) -> Result<String> {
        Ok(format!("<domain type='qemu'>\n  <name>{}</name>\n</domain>\n", domain.name))
    }
    fn is_active(&self, domain: &DomainRef) -> Result<bool> {
        Ok(domain.id.is_some())
    }
}

impl DomainLifecycle for Mock {
    fn suspend(&self, domain: &DomainRef) -> Result<()> {
        self.tell(domain, 3);
        Ok(())
    }
    fn resume(&self, domain: &DomainRef) -> Result<()> {
        self.tell(domain, 4);
        Ok(())
    }
    fn reset(&self, _domain: &DomainRef, _flags: u32) -> Result<()> {
        std::thread::sleep(LONG);
        Ok(())
    }
    fn pm_wakeup(&self, domain: &DomainRef, _flags: u32) -> Result<()> {
        (0..FLOOD).for_each(|_| self.tell(domain, 4));
        Ok(())
    }
    fn destroy(&self, domain: &DomainRef, _flags: u32) -> Result<()> {
        Err(Error::invalid_operation(format!("domain '{}' is not for destroying", domain.name)))
    }
}

impl DomainStreams for Mock {
    fn open_console(&self, domain: &DomainRef, device: Option<&str>, _flags: u32) -> Result<Box<dyn Stream>> {
        match device {
            None => Ok(Box::new(Pipe::default())),
            Some(device) => Err(Error::invalid_argument(format!("no device {device} in {}", domain.name))),
        }
    }
    fn screenshot(
        &self,
        _domain: &DomainRef,
        _screen: u32,
        _flags: u32,
    ) -> Result<(Option<String>, Box<dyn Stream>)> {
        let pipe = Pipe::default();
        pipe.send(&vec![42; PICTURE])?;
        pipe.inner.lock().unwrap().ended = true;
        Ok((Some("image/png".to_string()), Box::new(pipe)))
    }
}

impl VolumeStreams for Mock {
    fn volume_upload(&self, volume: &VolumeRef, _: u64, length: u64, _: u32) -> Result<Box<dyn Stream>> {
        let (world, name) = (Arc::clone(&self.world), volume.name.clone());
        Ok(Box::new(Sink { world, name, length }))
    }
}

/// What goes in comes out again.
#[derive(Default)]
struct Pipe {
    inner: Mutex<PipeState>,
    changed: Condvar,
}

#[derive(Default)]
struct PipeState {
    bytes: VecDeque<u8>,
    ended: bool,
}

impl Stream for Pipe {
    fn send(&self, bytes: &[u8]) -> Result<()> {
        self.inner.lock().unwrap().bytes.extend(bytes);
        self.changed.notify_all();
        Ok(())
    }
    fn receive(&self, wait: Option<Duration>) -> Result<Received> {
        let state = self.inner.lock().unwrap();
        let idle = |state: &mut PipeState| state.bytes.is_empty() && !state.ended;
        let wait = wait.unwrap_or(Duration::MAX);
        let mut state = self.changed.wait_timeout_while(state, wait, idle).unwrap().0;
        if !state.bytes.is_empty() {
            return Ok(Received::Data(state.bytes.drain(..).collect()));
        }
        Ok(if state.ended { Received::End } else { Received::Nothing })
    }
    fn finish(&self) -> Result<()> {
        self.abort();
        Ok(())
    }
    fn abort(&self) {
        self.inner.lock().unwrap().ended = true;
        self.changed.notify_all();
    }
}

/// Takes in slowly; a volume named `bad` fails at the end.
struct Sink {
    world: Arc<World>,
    name: String,
    length: u64,
}

impl Stream for Sink {
    fn send(&self, bytes: &[u8]) -> Result<()> {
        std::thread::sleep(Duration::from_millis(1));
        let mut uploaded = self.world.uploaded.lock().unwrap();
        uploaded.extend_from_slice(bytes);
        if uploaded.len() as u64 > self.length {
            return Err(Error::operation_failed("no room left"));
        }
        Ok(())
    }
    fn send_hole(&self, length: i64) -> Result<()> {
        self.send(&vec![0; length as usize])
    }
    fn receive(&self, _: Option<Duration>) -> Result<Received> {
        Ok(Received::End)
    }
    fn finish(&self) -> Result<()> {
        match self.name.as_str() {
            "bad" => Err(Error::operation_failed("bad volume")),
            _ => Ok(()),
        }
    }
    fn abort(&self) {}
}

impl DomainSaving for Mock {}
impl DomainTuning for Mock {}
impl DomainDevices for Mock {}
impl DomainStats for Mock {}
impl DomainJobs for Mock {}
impl DomainGuest for Mock {}
impl DomainMonitor for Mock {}

/// A running server on sockets in a folder of its own.
pub struct ServerStage {
    pub folder: tempfile::TempDir,
    pub server: Server,
    pub world: Arc<World>,
    pub thread: Option<JoinHandle<()>>,
}

impl ServerStage {
    pub fn new() -> ServerStage {
        let world = Arc::new(World::default());
        let factory = Arc::new(MockFactory(Arc::clone(&world)));
        ServerStage::serving(factory, world, ServerOptions::default())
    }

    pub fn serving(
        factory: Arc<dyn ConnectionFactory>,
        world: Arc<World>,
        options: ServerOptions,
    ) -> ServerStage {
        let folder = tempfile::tempdir().unwrap();
        let bind = |name: &str, read_only| {
            Listener::bind(&folder.path().join(name), 0o600, None, read_only, Admission::OwnUser).unwrap()
        };
        let listeners = vec![bind("rw", false), bind("ro", true)];
        let server = Server::new(listeners, factory, options).unwrap();
        let running = server.clone();
        let thread = Some(std::thread::spawn(move || running.run().unwrap()));
        ServerStage { folder, server, world, thread }
    }

    pub fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn connect_to(&self, driver: &str, name: &str) -> remote::RemoteConnection {
        open(&self.socket(name), driver)
    }

    pub fn connect(&self) -> remote::RemoteConnection {
        self.connect_to("qemu:///session", "rw")
    }

    pub fn wait_for_clients(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.server.client_count() != count {
            assert!(Instant::now() < deadline, "{} clients, not {count}", self.server.client_count());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

pub fn open(socket: &Path, driver: &str) -> remote::RemoteConnection {
    remote::RemoteConnection::open_socket(socket, driver, driver, false).unwrap()
}

impl Drop for ServerStage {
    fn drop(&mut self) {
        self.server.stop();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
