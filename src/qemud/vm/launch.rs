//! Starting a guest: QEMU is started halted, spoken to, and let run when everything is in its place.
//!
//! The monitor's socket is listening before QEMU exists and is handed down to it, so that nobody waits for it
//! to appear; the handshake and all first questions travel together. When this answers, a new helper could take
//! the guest over.

use super::beside::Beside;
use super::events::Listener;
use super::guest::{Active, Definition, Guest};
use super::inventory::Inventory;
use super::process::Process;
use super::spawn::{Program, spawn};
use super::{socket, stop};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::StateReason;
use crate::model::constants::*;
use crate::model::event::DomainEvent;
use crate::qemud::qmp::{Monitor, MonitorError, watch};
use crate::qemud::store::GuestStatus;
use crate::xml::Element;
use serde_json::Value;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// QEMU's first answers may take long on a busy host.
const FIRST_ANSWER: Duration = Duration::from_secs(60);
/// A reader thread handles one event at a time and parses small documents.
const READER_STACK: usize = 512 * 1024;
/// A log that has grown over this begins anew; the old one stays beside it.
const LOG_MAX: u64 = 2 * 1024 * 1024;

/// Where a guest is started, for who makes its arguments.
pub struct Site<'a> {
    /// The folder for its sockets and other passing things.
    pub folder: &'a Path,
    /// Its id.
    pub id: u32,
    /// The listening monitor socket, under the number it keeps in QEMU.
    pub monitor: RawFd,
}

/// What is to be run.
pub struct Blueprint {
    /// The binary.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// More open files that it keeps, under the numbers they have here.
    pub files: Vec<OwnedFd>,
    /// Commands it needs before it runs.
    pub first_commands: Vec<(String, Value)>,
    /// Commands that undo what was prepared, when the guest is gone; their failure does not matter.
    pub clean_up: Vec<Vec<String>>,
    /// Processes that run beside it.
    pub beside: Beside,
    /// The active definition: aliases and all.
    pub active: Element,
}

/// How a guest is to come up.
#[derive(Clone, Copy, Default)]
pub struct Manner {
    /// Leave it halted.
    pub paused: bool,
    /// It is left halted because a client wants it so now, not because its image says so.
    pub paused_by_client: bool,
    /// It ends with the connection that started it.
    pub autodestroy: bool,
    /// Its memory came from an image.
    pub restored: bool,
}

/// A guest whose QEMU is up and halted. Dropped before [`Starting::finish`], it takes everything back.
pub struct Starting<'a> {
    inventory: &'a Arc<Inventory>,
    guest: &'a Arc<Guest>,
    process: Arc<Process>,
    /// Its monitor.
    pub monitor: Arc<Monitor>,
    log: Log,
    watched: bool,
    finished: bool,
}

/// Starts QEMU for a domain that is not active. `blueprint` makes its arguments.
pub fn start<'a>(
    inventory: &'a Arc<Inventory>,
    guest: &'a Arc<Guest>,
    base: &Definition,
    blueprint: &dyn Fn(&Site<'_>) -> Result<Blueprint>,
) -> Result<Starting<'a>> {
    let folder = inventory.store.paths.guest(guest.uuid);
    let started = launch(inventory, guest, &folder, base, blueprint);
    if started.is_err() {
        let mut condition = guest.lock();
        condition.state = StateReason { state: DOMAIN_SHUTOFF, reason: DOMAIN_SHUTOFF_FAILED };
        // What failed is told; that its folder stays is not worth another error.
        let _ = inventory.store.remove_guest(guest.uuid);
    }
    started
}

fn launch<'a>(
    inventory: &'a Arc<Inventory>,
    guest: &'a Arc<Guest>,
    folder: &Path,
    base: &Definition,
    blueprint: &dyn Fn(&Site<'_>) -> Result<Blueprint>,
) -> Result<Starting<'a>> {
    crate::qemud::store::make_folder(folder)?;
    let path = folder.join("monitor.sock");
    let listener = socket::listen(&path)?;
    let id = inventory.next_id();
    let site = Site { folder, id, monitor: std::os::fd::AsRawFd::as_raw_fd(&listener) };
    let mut blueprint = blueprint(&site)?;
    let beside = std::mem::take(&mut blueprint.beside);
    put_id(&mut blueprint.active, id);
    let definition = Definition::new(&blueprint.active);
    let name = guest.lock().name.clone();
    inventory.store.save_active(guest.uuid, &definition.text)?;
    inventory.store.save_base(guest.uuid, &base.text)?;
    inventory.store.save_status(&unborn(guest, &name, id))?;

    let (process, monitor, log) = run(&blueprint, &listener, &path, &inventory.store.paths.log(&name))?;
    let mut condition = guest.lock();
    condition.state = StateReason { state: DOMAIN_PAUSED, reason: DOMAIN_PAUSED_STARTING_UP };
    let mut active = Active::new(id, process.clone(), monitor.clone(), definition, base.clone());
    active.clean_up = blueprint.clean_up.clone();
    condition.active = Some(active);
    inventory.write_status(&condition);
    drop(condition);
    let mut starting = Starting { inventory, guest, process, monitor, log, watched: false, finished: false };
    starting.watched = true;
    if let Err(error) = spawn_reader(inventory, guest, &starting.process, &starting.monitor) {
        starting.watched = false;
        return Err(error);
    }
    starting.shake_hands(&blueprint)?;
    beside.leave_to(guest, &starting.process)?;
    Ok(starting)
}

/// The id stands behind the type.
fn put_id(tree: &mut Element, id: u32) {
    tree.unset("id");
    let at = usize::from(!tree.attributes.is_empty());
    tree.attributes.insert(at, ("id".to_string(), id.to_string()));
}

/// Starts the process and connects to its monitor.
fn run(
    blueprint: &Blueprint,
    listener: &UnixListener,
    path: &Path,
    log: &Path,
) -> Result<(Arc<Process>, Arc<Monitor>, Log)> {
    let log = Log::open(log, blueprint)?;
    let mut files: Vec<BorrowedFd<'_>> = blueprint.files.iter().map(AsFd::as_fd).collect();
    files.push(listener.as_fd());
    let process = Arc::new(spawn(&Program {
        path: &blueprint.program,
        arguments: &blueprint.arguments,
        environment: &blueprint.environment,
        files: &files,
        log: &log.file,
    })?);
    // From here on the guard ends the process when anything fails.
    let connected = socket::connect(path).and_then(Monitor::new);
    let monitor = match connected {
        Ok(monitor) => Arc::new(monitor),
        Err(error) => {
            process.kill();
            process.ends_within(Duration::from_secs(10));
            process.reap();
            return Err(Error::system(format!("failed to connect to '{}'", path.display()), &error));
        }
    };
    Ok((process, monitor, log))
}

/// The status of a guest whose process does not exist yet.
fn unborn(guest: &Guest, name: &str, id: u32) -> GuestStatus {
    GuestStatus {
        name: name.to_string(),
        uuid: guest.uuid,
        id,
        pid: None,
        start_time: 0,
        state: DOMAIN_PAUSED,
        reason: DOMAIN_PAUSED_STARTING_UP,
        reboot_pending: false,
        autodestroy: false,
        save: None,
        spent_image: None,
        clean_up: Vec::new(),
    }
}

/// Starts the reader thread of a guest: it serves the monitor until the process is gone.
pub fn spawn_reader(
    inventory: &Arc<Inventory>,
    guest: &Arc<Guest>,
    process: &Arc<Process>,
    monitor: &Arc<Monitor>,
) -> Result<()> {
    let listener = Listener { inventory: inventory.clone(), guest: guest.clone(), monitor: monitor.clone() };
    let process = process.clone();
    let body = move || {
        watch(&listener.monitor, process.handle(), &listener);
        if !listener.inventory.is_released() {
            stop::ended(&listener.inventory, &listener.guest, &listener.monitor);
        }
    };
    let thread = std::thread::Builder::new().name("guest".to_string()).stack_size(READER_STACK);
    let spawned = thread.spawn(body);
    spawned.map_err(|e| Error::system("cannot start a thread", &e))?;
    Ok(())
}

impl Starting<'_> {
    /// Greets QEMU and asks it everything there is to know at once.
    fn shake_hands(&self, blueprint: &Blueprint) -> Result<()> {
        let mut tree = blueprint.active.clone();
        let mut tickets = vec![self.ask("qmp_capabilities", Value::Null)?];
        for (command, arguments) in &blueprint.first_commands {
            tickets.push(self.ask(command, arguments.clone())?);
        }
        let chardevs = self.ask("query-chardev", Value::Null)?;
        let cpus = self.ask("query-cpus-fast", Value::Null)?;
        let has = |kind: &str| super::wiring::has_graphics(&tree, kind);
        let vnc = has("vnc").then(|| self.ask("query-vnc", Value::Null)).transpose()?;
        let spice = has("spice").then(|| self.ask("query-spice", Value::Null)).transpose()?;
        for ticket in tickets {
            self.answer(ticket)?;
        }
        let chardevs = self.answer(chardevs)?;
        let cpus = self.answer(cpus)?;
        let vnc = vnc.map(|ticket| self.answer(ticket)).transpose()?;
        let spice = spice.map(|ticket| self.answer(ticket)).transpose()?;
        super::wiring::fill_in(&mut tree, &chardevs, vnc.as_ref(), spice.as_ref());
        let definition = Definition::new(&tree);
        self.inventory.store.save_active(self.guest.uuid, &definition.text)?;
        if let Some(active) = self.guest.lock().active.as_mut() {
            active.definition = definition;
            active.vcpu_threads = super::wiring::vcpu_threads(&cpus);
        }
        Ok(())
    }

    fn ask(&self, command: &str, arguments: Value) -> Result<crate::qemud::qmp::Ticket> {
        self.monitor.send(command, arguments).map_err(|error| self.explain(error))
    }

    fn answer(&self, ticket: crate::qemud::qmp::Ticket) -> Result<Value> {
        let answer = self.monitor.wait_for(ticket, FIRST_ANSWER);
        answer.map_err(|error| self.explain(error))
    }

    /// What went wrong at start: QEMU's own message if it left.
    pub fn explain(&self, error: MonitorError) -> Error {
        if error != MonitorError::Closed {
            return error.into();
        }
        self.process.ends_within(Duration::from_secs(5));
        let name = self.guest.lock().name.clone();
        let said = self.log.since_start();
        Error::internal(format!("QEMU unexpectedly closed the monitor (vm='{name}'): {said}"))
            .from_origin(ErrorOrigin::QEMU)
    }

    /// Waits a little, less if QEMU says that its incoming migration is over.
    pub fn wait_for_migration(&self, limit: Duration) {
        self.guest.wait_until(limit, |condition| {
            let active = condition.active.as_ref()?;
            let over = matches!(active.migration.as_deref(), Some("completed" | "failed"));
            (over || active.ended).then_some(())
        });
    }

    /// Lets the guest run (or not), and makes it known.
    pub fn finish(mut self, manner: Manner) -> Result<()> {
        let inventory = self.inventory;
        // The balloon came with the memory of a restored guest; a machine without one has nothing to say.
        let balloon = manner.restored.then(|| self.monitor.query("query-balloon").ok()).flatten();
        {
            let mut condition = self.guest.lock();
            let Some(active) = condition.active.as_mut().filter(|active| !active.ended) else {
                drop(condition);
                return Err(self.explain(MonitorError::Closed));
            };
            active.started = true;
            active.balloon = balloon.and_then(|told| super::wiring::balloon(&told)).unwrap_or(active.balloon);
            active.autodestroy = manner.autodestroy;
            active.expected_resume =
                Some(if manner.restored { DOMAIN_RUNNING_RESTORED } else { DOMAIN_RUNNING_BOOTED });
            let reason = if manner.restored { DOMAIN_PAUSED_MIGRATION } else { DOMAIN_PAUSED_USER };
            if manner.paused {
                condition.state = StateReason { state: DOMAIN_PAUSED, reason };
            }
            inventory.write_status(&condition);
        }
        let detail =
            if manner.restored { DOMAIN_EVENT_STARTED_RESTORED } else { DOMAIN_EVENT_STARTED_BOOTED };
        let reference = self.guest.lock().reference();
        self.tell_of_agent();
        // A restored guest is told to have started before it resumes, a booted one after.
        if manner.restored || manner.paused {
            inventory.tell_lifecycle(reference.clone(), (DOMAIN_EVENT_STARTED, detail));
        }
        if manner.paused {
            let by_image = manner.restored && !manner.paused_by_client;
            let detail =
                if by_image { DOMAIN_EVENT_SUSPENDED_RESTORED } else { DOMAIN_EVENT_SUSPENDED_PAUSED };
            inventory.tell_lifecycle(reference, (DOMAIN_EVENT_SUSPENDED, detail));
        } else {
            self.monitor.query("cont").map_err(|error| self.explain(error))?;
            if !manner.restored {
                inventory.tell_lifecycle(reference, (DOMAIN_EVENT_STARTED, detail));
            }
        }
        self.finished = true;
        self.guest.announce();
        Ok(())
    }

    /// Watchers learn that there is an agent's channel, and that nobody has opened it yet.
    fn tell_of_agent(&self) {
        let condition = self.guest.lock();
        let text = condition.active.as_ref().map(|active| active.definition.text.clone());
        if text.is_some_and(|text| text.contains(super::agent::CHANNEL)) {
            let state = CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED;
            let reason = CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED;
            self.inventory.tell(condition.reference(), DomainEvent::AgentLifecycle { state, reason });
        }
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        if self.finished || self.inventory.is_released() {
            return;
        }
        {
            let mut condition = self.guest.lock();
            if let Some(active) = condition.active.as_mut() {
                active.started = false;
            }
        }
        self.process.kill();
        if self.watched {
            // The reader thread collects the process; it must be done before the domain may start again.
            self.guest.wait_until(Duration::from_secs(20), |condition| match &condition.active {
                Some(active) if !active.ended => None,
                _ => Some(()),
            });
        } else {
            self.process.ends_within(Duration::from_secs(20));
            self.process.reap();
        }
        let mut condition = self.guest.lock();
        if let Some(active) = condition.active.take() {
            stop::clean_up(&active.clean_up);
        }
        condition.state = StateReason { state: DOMAIN_SHUTOFF, reason: DOMAIN_SHUTOFF_FAILED };
        if let Err(error) = self.inventory.store.remove_guest(self.guest.uuid) {
            tracing::error!("domain '{}': {error}", condition.name);
        }
        drop(condition);
        self.guest.announce();
    }
}

/// The log of a domain's QEMU.
struct Log {
    path: PathBuf,
    file: File,
    began_at: u64,
}

impl Log {
    /// Opens the log and writes down what is about to be run.
    fn open(path: &Path, blueprint: &Blueprint) -> Result<Log> {
        if path.metadata().is_ok_and(|known| known.len() > LOG_MAX) {
            // Losing the turn-over is harmless; the log merely grows on.
            let _ = std::fs::rename(path, path.with_extension("log.0"));
        }
        let cannot =
            |e: &std::io::Error| Error::system(format!("failed to open file '{}'", path.display()), e);
        let mut file =
            OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|e| cannot(&e))?;
        let mut line = format!("# starting: {}", blueprint.program.display());
        for argument in &blueprint.arguments {
            line.push_str(&format!(" '{}'", argument.to_string_lossy().replace('\'', "'\\''")));
        }
        line.push('\n');
        file.write_all(line.as_bytes()).map_err(|e| cannot(&e))?;
        let began_at = file.metadata().map_err(|e| cannot(&e))?.len();
        Ok(Log { path: path.to_path_buf(), file, began_at })
    }

    /// What QEMU said since it was started: the end of it, if that is much.
    fn since_start(&self) -> String {
        const SHOWN: u64 = 4096;
        let read = || -> std::io::Result<String> {
            let mut file = File::open(&self.path)?;
            let end = file.metadata()?.len();
            file.seek(SeekFrom::Start(self.began_at.max(end.saturating_sub(SHOWN))))?;
            let mut said = Vec::new();
            file.take(SHOWN).read_to_end(&mut said)?;
            Ok(String::from_utf8_lossy(&said).trim().to_string())
        };
        match read() {
            Ok(said) if said.is_empty() => format!("it said nothing, see '{}'", self.path.display()),
            Ok(said) => said,
            Err(_) => format!("see '{}'", self.path.display()),
        }
    }
}
