//! From a definition to something that can be run: the arguments, and what must be there before.

use crate::error::{Error, ErrorOrigin, Result};
use crate::qemud::argv::{self, LaunchRequest, Preparation, SideProcess};
use crate::qemud::define;
use crate::qemud::store::make_folder;
use crate::qemud::vm::beside::Beside;
use crate::qemud::vm::guest::Definition;
use crate::qemud::vm::launch::{Blueprint, Site};
use crate::qemud::vm::process::Process;
use crate::qemud::vm::socket;
use crate::qemud::vm::spawn::{Program, spawn};
use crate::xml::Element;
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a process beside QEMU may take to be ready.
const READY: Duration = Duration::from_secs(10);

/// Works out how to run a definition and prepares it: firmware variables, folders, processes beside QEMU.
pub fn draw(
    definition: &Definition,
    site: &Site<'_>,
    incoming: bool,
    reset_nvram: bool,
) -> Result<Blueprint> {
    let tree = definition.tree()?;
    check_files(&tree)?;
    if let Some(nvram) = tree.child_text("os/nvram").filter(|path| reset_nvram && !path.is_empty()) {
        crate::qemud::store::remove_durably(Path::new(&nvram))?;
    }
    let request = LaunchRequest {
        definition: &tree,
        capabilities: define::capabilities_for(&tree)?,
        runtime: site.folder,
        id: site.id,
        incoming,
        live: false,
        monitor_fd: Some(site.monitor),
    };
    let launch = argv::launch(&request)?;
    launch.prepare.iter().try_for_each(prepare)?;
    let mut beside = Beside::default();
    for side in &launch.side_processes {
        run_beside(side, site, &mut beside)?;
    }
    let commands = launch.monitor_commands.into_iter();
    Ok(Blueprint {
        program: launch.program,
        arguments: launch.arguments.into_iter().map(OsString::from).collect(),
        environment: launch
            .environment
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        files: Vec::new(),
        first_commands: commands.map(|command| (command.command, command.arguments)).collect(),
        clean_up: launch.clean_up,
        beside,
        active: launch.active,
    })
}

/// Refuses to start when a file the guest needs is missing or closed to us, by name and user.
fn check_files(tree: &Element) -> Result<()> {
    let os = tree.child("os").into_iter().flat_map(Element::elements);
    for element in
        os.filter(|element| matches!(element.name.as_str(), "kernel" | "initrd" | "dtb" | "loader"))
    {
        let path = element.text();
        if !path.trim().is_empty() {
            check_file(&format!("{} file", element.name), Path::new(path.trim()), false)?;
        }
    }
    let devices = tree.child("devices").into_iter();
    for disk in devices.flat_map(|devices| devices.children("disk")) {
        let source = ["file", "dev"].iter().find_map(|name| disk.child_attribute("source", name));
        let writes = disk.child("readonly").is_none() && disk.attribute("device") != Some("cdrom");
        if let Some(source) = source {
            check_file("storage file", Path::new(source), writes)?;
        }
    }
    Ok(())
}

fn check_file(what: &str, path: &Path, writes: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(writes).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(cause) => {
            let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
            let tried = format!("Cannot access {what} '{}' (as uid:{user}, gid:{group})", path.display());
            Err(Error::system(tried, &cause).from_origin(ErrorOrigin::QEMU))
        }
    }
}

/// Does what must be done before QEMU starts, or before a device comes.
pub(super) fn prepare(preparation: &Preparation) -> Result<()> {
    match preparation {
        Preparation::Folder(path) => make_folder(path),
        Preparation::Remove(path) => match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::system(format!("cannot remove '{}'", path.display()), &e))
            }
            _ => Ok(()),
        },
        Preparation::Copy { to, .. } if to.exists() => Ok(()),
        Preparation::Copy { from, to } => {
            let contents = std::fs::read(from);
            let contents =
                contents.map_err(|e| Error::system(format!("cannot read '{}'", from.display()), &e))?;
            crate::qemud::store::write_durably(to, &contents)
        }
        Preparation::Run { purpose, command } => run(purpose, command),
    }
}

fn run(purpose: &str, command: &[String]) -> Result<()> {
    let Some((program, arguments)) = command.split_first() else {
        return Ok(());
    };
    let failed = |cause: String| {
        Error::operation_failed(format!("cannot {purpose}: {cause}")).from_origin(ErrorOrigin::QEMU)
    };
    let output = Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|e| failed(format!("{program}: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(failed(format!("{program}: {}", said.trim())))
}

/// Starts a process QEMU talks to, and waits until it can be talked to.
fn run_beside(side: &SideProcess, site: &Site<'_>, beside: &mut Beside) -> Result<()> {
    let log_path = site.folder.join(format!("{}.log", side.name.replace('/', "-")));
    let mut options = OpenOptions::new();
    let log = options
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log_path)
        .map_err(|e| Error::system(format!("cannot create file '{}'", log_path.display()), &e))?;
    let arguments: Vec<OsString> = side.arguments.iter().map(OsString::from).collect();
    let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let process = spawn(&Program {
        path: &side.program,
        arguments: &arguments,
        environment: &environment,
        files: &[],
        log: &log,
    })?;
    let ready = wait_for_socket(&process, &side.socket);
    beside.add(&side.name, process);
    ready.map_err(|()| {
        let said = std::fs::read_to_string(&log_path).unwrap_or_default();
        let detail = format!("{} did not start: {}", side.name, said.trim());
        Error::operation_failed(detail).from_origin(ErrorOrigin::QEMU)
    })
}

/// Waits for a socket somebody else makes. It may be made for one client only, so it is not connected to.
fn wait_for_socket(process: &Process, path: &Path) -> std::result::Result<(), ()> {
    let deadline = Instant::now() + READY;
    while Instant::now() < deadline {
        if socket::is_there(path) {
            return Ok(());
        }
        // A process that goes into the background is fine: it does so when it is ready.
        if process.ends_within(Duration::from_millis(2)) {
            return if socket::is_there(path) { Ok(()) } else { Err(()) };
        }
    }
    Err(())
}
