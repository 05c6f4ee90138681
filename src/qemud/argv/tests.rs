//! Launches put to the proof: QEMU itself is started with the arguments, stopped before its first instruction, and asked.

use super::*;
use crate::qemud::define;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A started guest and its monitor.
pub(super) struct Guest {
    child: Child,
    beside: Vec<Child>,
    monitor: BufReader<UnixStream>,
    pub(super) launch: Launch,
    _folder: tempfile::TempDir,
}

impl Drop for Guest {
    fn drop(&mut self) {
        for child in std::iter::once(&mut self.child).chain(&mut self.beside) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Guest {
    pub(super) fn ask(&mut self, command: &str, arguments: Value) -> Value {
        let mut question = json!({ "execute": command });
        if !arguments.is_null() {
            question["arguments"] = arguments;
        }
        writeln!(self.monitor.get_mut(), "{question}").unwrap();
        loop {
            let line = self.line();
            let answer: Value = serde_json::from_str(&line).unwrap();
            assert!(answer.get("error").is_none(), "{command}: {answer}");
            if let Some(value) = answer.get("return") {
                return value.clone();
            }
        }
    }

    /// One line of the monitor; QEMU's own words when it is gone.
    fn line(&mut self) -> String {
        let mut line = String::new();
        if self.monitor.read_line(&mut line).unwrap_or(0) == 0 {
            let _ = self.child.kill();
            let words = std::io::read_to_string(self.child.stderr.take().unwrap()).unwrap();
            panic!("QEMU left: {words}");
        }
        line
    }

    /// The kind of the device of an alias, as QEMU's object tree has it.
    pub(super) fn kind_of(&mut self, alias: &str) -> String {
        let known = self.ask("qom-list", json!({ "path": "/machine/peripheral" }));
        let known = known.as_array().unwrap().iter().find(|entry| entry["name"] == alias).cloned();
        let known = known.unwrap_or_else(|| panic!("no device '{alias}'"));
        known["type"].as_str().unwrap().to_string()
    }
}

/// The facts of an installed emulator, or of one in the folder that `HVSH_TEST_EMULATORS` names; none, said loudly, when
/// there is none.
pub(super) fn emulator(arch: &str) -> Option<Arc<QemuCapabilities>> {
    let given = std::env::var_os("HVSH_TEST_EMULATORS")
        .map(|folder| Path::new(&folder).join(format!("qemu-system-{arch}")));
    let binary = given.filter(|path| path.exists()).map_or_else(|| define::emulator_of(arch), Ok);
    match binary.and_then(|binary| QemuCapabilities::of(&binary)) {
        Ok(facts) => Some(facts),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

pub(super) fn complete(text: &str, capabilities: &QemuCapabilities, folder: &Path) -> Result<Element> {
    let text = text.replace("FOLDER", &folder.display().to_string());
    let mut tree = crate::xml::parse(&text, "test")?;
    define::complete(&mut tree, capabilities, &define::Places { nvram: folder.join("nvram") })?;
    Ok(tree)
}

pub(super) fn start(arch: &str, text: &str, prepare: impl FnOnce(&Path)) -> Option<Guest> {
    let capabilities = emulator(arch)?;
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path());
    let tree = complete(text, &capabilities, folder.path()).unwrap();
    let request = LaunchRequest {
        definition: &tree,
        capabilities,
        runtime: folder.path(),
        id: 7,
        incoming: false,
        live: false,
        monitor_fd: None,
    };
    let launch = launch(&request).unwrap();
    launch.prepare.iter().for_each(carry_out);
    let beside = launch.side_processes.iter().map(run_beside).collect();
    let child = Command::new(&launch.program)
        .args(&launch.arguments)
        .env_clear()
        .envs(launch.environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let monitor = connect(&monitor_socket(folder.path()), child, &launch.arguments);
    let (child, stream) = monitor;
    let mut guest = Guest { child, beside, monitor: BufReader::new(stream), launch, _folder: folder };
    guest.line();
    guest.ask("qmp_capabilities", Value::Null);
    let status = guest.ask("query-status", Value::Null);
    assert_eq!(status["status"], "prelaunch");
    for command in guest.launch.monitor_commands.clone() {
        guest.ask(&command.command, command.arguments);
    }
    Some(guest)
}

fn carry_out(preparation: &Preparation) {
    match preparation {
        Preparation::Folder(path) => std::fs::create_dir_all(path).unwrap(),
        Preparation::Copy { from, to } if !to.exists() => {
            std::fs::copy(from, to).unwrap();
        }
        Preparation::Copy { .. } | Preparation::Remove(_) => {}
        Preparation::Run { purpose, .. } => panic!("no test may {purpose}"),
    }
}

fn run_beside(process: &SideProcess) -> Child {
    let child = Command::new(&process.program).args(&process.arguments).stdin(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !process.socket.exists() {
        assert!(Instant::now() < deadline, "{} makes no socket", process.name);
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn connect(socket: &Path, mut child: Child, arguments: &[String]) -> (Child, UnixStream) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Ok(stream) = UnixStream::connect(socket) {
            return (child, stream);
        }
        let left = child.try_wait().unwrap().is_some();
        if left || Instant::now() > deadline {
            let _ = child.kill();
            let words = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
            panic!("QEMU did not start: {words}\n{}", arguments.join(" "));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Makes an image with the system's own tool.
pub(super) fn image(folder: &Path, name: &str, arguments: &[&str]) {
    let status = Command::new("qemu-img")
        .current_dir(folder)
        .args(["create", "-q"])
        .args(arguments)
        .arg(name)
        .arg("1M")
        .status()
        .unwrap();
    assert!(status.success());
}

pub(super) fn domain(machine: &str, arch: &str, devices: &str) -> String {
    format!(
        "<domain type='qemu'><name>proof</name><uuid>11111111-2222-3333-4444-555555555555</uuid>\
         <memory unit='KiB'>131072</memory><currentMemory unit='KiB'>65536</currentMemory><vcpu>2</vcpu>\
         <os><type arch='{arch}' machine='{machine}'>hvm</type><boot dev='hd'/></os><features>ACPI</features>\
         <devices>{devices}</devices></domain>"
    )
    .replace("ACPI", if arch == "aarch64" { "" } else { "<acpi/>" })
}

const COMMON: &str = "<disk type='file' device='disk'><driver name='qemu' type='qcow2' discard='unmap'/><source file='FOLDER/top.qcow2'/><target dev='vda' bus='virtio'/></disk>\
    <disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/><source file='FOLDER/raw.img'/><target dev='vdb' bus='virtio'/></disk>\
    <interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/><link state='down'/></interface>\
    <serial type='pty'/><channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\
    <memballoon model='virtio'><stats period='5'/></memballoon><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>";

fn images(folder: &Path) {
    image(folder, "base.qcow2", &["-f", "qcow2"]);
    image(folder, "top.qcow2", &["-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2"]);
    image(folder, "raw.img", &["-f", "raw"]);
}

/// What must hold of the common devices on every board.
fn check_common(guest: &mut Guest, transport: &str) {
    assert_eq!(guest.kind_of("virtio-disk0"), format!("child<virtio-blk-{transport}>"));
    assert_eq!(guest.kind_of("net0"), format!("child<virtio-net-{transport}>"));
    assert_eq!(guest.kind_of("balloon0"), format!("child<virtio-balloon-{transport}>"));
    let nodes = guest.ask("query-named-block-nodes", Value::Null);
    let nodes = nodes.as_array().unwrap();
    let node = |name: &str| {
        nodes.iter().find(|node| node["node-name"] == name).unwrap_or_else(|| panic!("no node {name}"))
    };
    let top = node("libvirt-2-format");
    assert_eq!((top["ro"].clone(), top["backing_file_depth"].clone()), (json!(false), json!(1)));
    assert_eq!(node("libvirt-3-format")["ro"], true);
    assert_eq!(node("libvirt-1-storage")["cache"]["direct"], true);
    let chardevs = guest.ask("query-chardev", Value::Null);
    let chardevs = chardevs.as_array().unwrap();
    let file = |label: &str| {
        let found = chardevs.iter().find(|chardev| chardev["label"] == label);
        found.unwrap_or_else(|| panic!("no chardev {label}"))["filename"].as_str().unwrap().to_string()
    };
    assert!(file("charserial0").starts_with("pty:/dev/pts/"));
    assert!(file("charchannel0").contains("org.qemu.guest_agent.0"));
    let period = guest.ask(
        "qom-get",
        json!({ "path": "/machine/peripheral/balloon0", "property": "guest-stats-polling-interval" }),
    );
    assert_eq!(period, 5);
    let cpus = guest.ask("query-cpus-fast", Value::Null);
    assert_eq!(cpus.as_array().unwrap().len(), 2);
}

#[test]
fn a_q35_guest_has_what_its_definition_says() {
    if let Some(mut guest) = start("x86_64", &domain("q35", "x86_64", COMMON), images) {
        check_common(&mut guest, "pci");
        assert_eq!(guest.kind_of("pci.1"), "child<pcie-root-port>");
        let machine = guest.ask("qom-get", json!({ "path": "/machine", "property": "type" }));
        assert!(machine.as_str().unwrap().starts_with("pc-q35-"), "{machine}");
    }
}

#[test]
fn a_pc_guest_has_what_its_definition_says() {
    if let Some(mut guest) = start("x86_64", &domain("pc", "x86_64", COMMON), images) {
        check_common(&mut guest, "pci");
    }
}

#[test]
fn a_microvm_guest_has_its_virtio_devices_without_pci() {
    if let Some(mut guest) = start("x86_64", &domain("microvm", "x86_64", COMMON), images) {
        check_common(&mut guest, "device");
    }
}

#[test]
fn an_arm_guest_has_what_its_definition_says() {
    if let Some(mut guest) = start("aarch64", &domain("virt", "aarch64", COMMON), images) {
        check_common(&mut guest, "pci");
    }
}

#[test]
fn an_unknown_processor_is_named() {
    let Some(capabilities) = emulator("x86_64") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let text =
        domain("q35", "x86_64", "").replace("<devices>", "<cpu><model>nonesuch</model></cpu><devices>");
    let tree = complete(&text, &capabilities, folder.path()).unwrap();
    let request = LaunchRequest {
        definition: &tree,
        capabilities,
        runtime: folder.path(),
        id: 1,
        incoming: false,
        live: false,
        monitor_fd: None,
    };
    let error = launch(&request).err().unwrap().to_string();
    assert_eq!(error, "internal error: Unknown CPU model nonesuch");
}
