//! Launches put to the proof: QEMU itself is started with the arguments, stopped before its first instruction, and asked.

use super::*;
use crate::qemud::define;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A started guest and its monitor.
struct Guest {
    child: Child,
    monitor: BufReader<UnixStream>,
    launch: Launch,
    _folder: tempfile::TempDir,
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Guest {
    fn ask(&mut self, command: &str, arguments: Value) -> Value {
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
    fn kind_of(&mut self, alias: &str) -> String {
        let known = self.ask("qom-list", json!({ "path": "/machine/peripheral" }));
        let known = known
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["name"] == alias)
            .cloned();
        let known = known.unwrap_or_else(|| panic!("no device '{alias}'"));
        known["type"].as_str().unwrap().to_string()
    }
}

/// The facts of an installed emulator, or of one in the folder that `HVSH_TEST_EMULATORS` names; none, said loudly, when
/// there is none.
fn emulator(arch: &str) -> Option<Arc<QemuCapabilities>> {
    let given = std::env::var_os("HVSH_TEST_EMULATORS")
        .map(|folder| Path::new(&folder).join(format!("qemu-system-{arch}")));
    let binary = given
        .filter(|path| path.exists())
        .map_or_else(|| define::emulator_of(arch), Ok);
    match binary.and_then(|binary| QemuCapabilities::of(&binary)) {
        Ok(facts) => Some(facts),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

fn complete(text: &str, capabilities: &QemuCapabilities, folder: &Path) -> Result<Element> {
    let text = text.replace("FOLDER", &folder.display().to_string());
    let mut tree = crate::xml::parse(&text, "test")?;
    define::complete(
        &mut tree,
        capabilities,
        &define::Places {
            nvram: folder.join("nvram"),
        },
    )?;
    Ok(tree)
}

fn start(arch: &str, text: &str, prepare: impl FnOnce(&Path)) -> Option<Guest> {
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
        monitor_fd: None,
    };
    let launch = launch(&request).unwrap();
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
    let mut guest = Guest {
        child,
        monitor: BufReader::new(stream),
        launch,
        _folder: folder,
    };
    guest.line();
    guest.ask("qmp_capabilities", Value::Null);
    let status = guest.ask("query-status", Value::Null);
    assert_eq!(status["status"], "prelaunch");
    for command in guest.launch.monitor_commands.clone() {
        guest.ask(&command.command, command.arguments);
    }
    Some(guest)
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
fn image(folder: &Path, name: &str, arguments: &[&str]) {
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

fn domain(machine: &str, arch: &str, devices: &str) -> String {
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
    image(
        folder,
        "top.qcow2",
        &["-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2"],
    );
    image(folder, "raw.img", &["-f", "raw"]);
}

/// What must hold of the common devices on every board.
fn check_common(guest: &mut Guest, transport: &str) {
    assert_eq!(
        guest.kind_of("virtio-disk0"),
        format!("child<virtio-blk-{transport}>")
    );
    assert_eq!(guest.kind_of("net0"), format!("child<virtio-net-{transport}>"));
    assert_eq!(
        guest.kind_of("balloon0"),
        format!("child<virtio-balloon-{transport}>")
    );
    let nodes = guest.ask("query-named-block-nodes", Value::Null);
    let nodes = nodes.as_array().unwrap();
    let node = |name: &str| {
        nodes
            .iter()
            .find(|node| node["node-name"] == name)
            .unwrap_or_else(|| panic!("no node {name}"))
    };
    let top = node("libvirt-2-format");
    assert_eq!(
        (top["ro"].clone(), top["backing_file_depth"].clone()),
        (json!(false), json!(1))
    );
    assert_eq!(node("libvirt-3-format")["ro"], true);
    assert_eq!(node("libvirt-1-storage")["cache"]["direct"], true);
    let chardevs = guest.ask("query-chardev", Value::Null);
    let chardevs = chardevs.as_array().unwrap();
    let file = |label: &str| {
        let found = chardevs.iter().find(|chardev| chardev["label"] == label);
        found.unwrap_or_else(|| panic!("no chardev {label}"))["filename"]
            .as_str()
            .unwrap()
            .to_string()
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

/// One device of nearly every kind that can be honoured.
const EVERYTHING: &str = "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' io='native' discard='unmap' detect_zeroes='unmap' error_policy='stop' iothread='1' queues='2'/><source file='FOLDER/1.img'/><target dev='vda' bus='virtio'/><serial>ABC</serial></disk>\
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='FOLDER/2.img'/><target dev='sda' bus='scsi' rotation_rate='1'/><readonly/></disk>\
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='FOLDER/3.img'/><target dev='sdb' bus='sata'/><shareable/></disk>\
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='FOLDER/4.img'/><target dev='sdc' bus='usb'/></disk>\
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='sdd' bus='scsi'/></disk>\
    <disk type='file' device='floppy'><driver name='qemu' type='raw'/><source file='FOLDER/5.img'/><target dev='fda' bus='fdc'/></disk>\
    <controller type='scsi' index='0' model='virtio-scsi'><driver queues='2' iothread='2'/></controller>\
    <interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/><driver rx_queue_size='512'/></interface>\
    <interface type='user'><mac address='52:54:00:00:00:02'/><model type='e1000'/></interface>\
    <interface type='user'><mac address='52:54:00:00:00:03'/><model type='e1000e'/></interface>\
    <interface type='user'><mac address='52:54:00:00:00:04'/><model type='rtl8139'/></interface>\
    <serial type='unix'><source mode='bind' path='FOLDER/serial.sock'/></serial><serial type='file'><source path='FOLDER/serial.txt' append='on'/></serial><serial type='null'><log file='FOLDER/serial.log' append='off'/></serial>\
    <console type='null'/><console type='pty'><target type='virtio'/></console>\
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\
    <graphics type='vnc' autoport='yes' listen='127.0.0.1' passwd='secret' keymap='de'/>\
    <video><model type='vga'/></video><video><model type='virtio'/></video>\
    <sound model='ich9'/><sound model='ich6'/><sound model='ac97'/>\
    <input type='tablet' bus='usb'/><input type='keyboard' bus='virtio'/><input type='mouse' bus='usb'/><hub type='usb'/>\
    <rng model='virtio'><rate bytes='1024' period='2000'/><backend model='random'>/dev/urandom</backend></rng><rng model='virtio'><backend model='builtin'/></rng>\
    <watchdog model='i6300esb' action='poweroff'/><memballoon model='virtio' autodeflate='on' freePageReporting='on'/>\
    <panic model='isa'/><panic model='pvpanic'/>";

const SETTINGS: &str = "<iothreads>2</iothreads><memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\
    <features><acpi/><apic/><pae/><hyperv><relaxed state='on'/><spinlocks state='on' retries='8191'/></hyperv><kvm><hidden state='on'/></kvm><vmport state='off'/><smm state='off'/></features>\
    <cpu mode='custom'><model>Nehalem</model><topology sockets='1' dies='1' clusters='1' cores='2' threads='1'/><feature policy='disable' name='vmx'/></cpu>\
    <clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/></clock>\
    <on_reboot>destroy</on_reboot><pm><suspend-to-mem enabled='no'/></pm>\
    <sysinfo type='smbios'><bios><entry name='vendor'>Maker, Inc</entry></bios></sysinfo>";

#[test]
fn every_kind_of_device_is_taken_by_qemu() {
    let text = domain("q35", "x86_64", EVERYTHING)
        .replace("<features><acpi/></features>", SETTINGS)
        .replace(
            "<boot dev='hd'/>",
            "<boot dev='hd'/><bootmenu enable='yes' timeout='3000'/><smbios mode='sysinfo'/>",
        );
    let prepare = |folder: &Path| {
        for number in 1..=5 {
            image(folder, &format!("{number}.img"), &["-f", "raw"]);
        }
    };
    let Some(mut guest) = start("x86_64", &text, prepare) else {
        return;
    };
    for (alias, kind) in [
        ("virtio-disk0", "virtio-blk-pci"),
        ("scsi0-0-0-0", "scsi-hd"),
        ("sata0-0-1", "ide-hd"),
        ("usb-disk2", "usb-storage"),
        ("scsi0-0-0-3", "scsi-cd"),
        ("fdc0-0-0", "floppy"),
        ("net0", "virtio-net-pci"),
        ("net1", "e1000"),
        ("net2", "e1000e"),
        ("net3", "rtl8139"),
        ("serial2", "isa-serial"),
        ("console1", "virtconsole"),
        ("video0", "VGA"),
        ("video1", "virtio-gpu-pci"),
        ("sound0", "ich9-intel-hda"),
        ("input0", "usb-tablet"),
        ("input1", "virtio-keyboard-pci"),
        ("hub0", "usb-hub"),
        ("rng1", "virtio-rng-pci"),
        ("watchdog0", "i6300esb"),
        ("panic1", "pvpanic-pci"),
    ] {
        assert_eq!(guest.kind_of(alias), format!("child<{kind}>"), "{alias}");
    }
    let threads = guest.ask("query-iothreads", Value::Null);
    assert_eq!(threads.as_array().unwrap().len(), 2);
    let backends = guest.ask("query-memdev", Value::Null);
    assert_eq!(
        (backends[0]["id"].clone(), backends[0]["share"].clone()),
        (json!("pc.ram"), json!(true))
    );
    let display = guest.ask("query-vnc", Value::Null);
    let port = guest
        .launch
        .active
        .child_attribute("devices/graphics", "port")
        .unwrap();
    assert_eq!(
        (display["auth"].clone(), display["service"].clone()),
        (json!("vnc"), json!(port))
    );
    let disks = guest.ask("query-block", Value::Null);
    let empty = disks
        .as_array()
        .unwrap()
        .iter()
        .find(|disk| disk["qdev"].as_str().unwrap_or_default().contains("scsi0-0-0-3"));
    assert!(empty.unwrap().get("inserted").is_none());
    let cpu = guest.ask("query-cpus-fast", Value::Null);
    assert!(cpu[0]["qom-path"].as_str().is_some());
    assert_eq!(
        guest.ask(
            "qom-get",
            json!({ "path": cpu[0]["qom-path"], "property": "vmx" })
        ),
        false
    );
}

#[test]
fn old_buses_and_sockets_are_taken_by_qemu() {
    let devices = "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='FOLDER/1.img'/><target dev='hda' bus='ide'/></disk>\
        <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='FOLDER/2.img'/><target dev='hdc' bus='ide'/></disk>\
        <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='FOLDER/3.img'/><target dev='sda' bus='scsi'/></disk>\
        <controller type='usb' index='1' model='ich9-ehci1'/><controller type='usb' index='1' model='ich9-uhci1'><master startport='0'/></controller>\
        <serial type='pty'><target type='usb-serial'/></serial><serial type='pty'><target type='pci-serial'/></serial>\
        <graphics type='vnc'><listen type='socket' socket='FOLDER/vnc.sock'/></graphics><watchdog model='ib700'/>";
    let prepare = |folder: &Path| {
        for number in 1..=3 {
            image(folder, &format!("{number}.img"), &["-f", "raw"]);
        }
    };
    let Some(mut guest) = start("x86_64", &domain("pc", "x86_64", devices), prepare) else {
        return;
    };
    for (alias, kind) in [
        ("ide0-0-0", "ide-hd"),
        ("ide0-1-0", "ide-cd"),
        ("scsi0-0-0", "scsi-hd"),
        ("usb1", "ich9-usb-ehci1"),
        ("serial0", "usb-serial"),
        ("serial1", "pci-serial"),
        ("watchdog0", "ib700"),
    ] {
        assert_eq!(guest.kind_of(alias), format!("child<{kind}>"), "{alias}");
    }
}

#[test]
fn numa_cells_have_their_memory() {
    let text = domain("q35", "x86_64", "").replace(
        "<devices>",
        "<cpu><numa><cell id='0' cpus='0' memory='65536' unit='KiB'/><cell id='1' cpus='1' memory='65536' unit='KiB'/></numa></cpu><devices>",
    );
    if let Some(mut guest) = start("x86_64", &text, |_| {}) {
        let backends = guest.ask("query-memdev", Value::Null);
        assert_eq!(backends.as_array().unwrap().len(), 2);
    }
}

#[test]
fn a_missing_image_is_named_before_anything_is_started() {
    let Some(capabilities) = emulator("x86_64") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let disk = "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='FOLDER/none.qcow2'/><target dev='vda' bus='virtio'/></disk>";
    let tree = complete(&domain("q35", "x86_64", disk), &capabilities, folder.path()).unwrap();
    let request = LaunchRequest {
        definition: &tree,
        capabilities,
        runtime: folder.path(),
        id: 1,
        incoming: false,
        monitor_fd: None,
    };
    let error = launch(&request).err().unwrap().to_string();
    let path = folder.path().join("none.qcow2");
    assert_eq!(
        error,
        format!(
            "Cannot access storage file '{}': No such file or directory",
            path.display()
        )
    );
}

#[test]
fn a_taken_port_is_an_error_and_a_free_one_is_found() {
    let Some(capabilities) = emulator("x86_64") else {
        return;
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port();
    if taken < 5900 {
        return; // the system gave a port no display may have
    }
    let folder = tempfile::tempdir().unwrap();
    let devices = format!("<graphics type='vnc' port='{taken}' autoport='no' listen='127.0.0.1'/>");
    let tree = complete(&domain("q35", "x86_64", &devices), &capabilities, folder.path()).unwrap();
    let request = LaunchRequest {
        definition: &tree,
        capabilities,
        runtime: folder.path(),
        id: 1,
        incoming: false,
        monitor_fd: None,
    };
    let error = launch(&request).err().unwrap().to_string();
    assert!(
        error.contains(&format!("vnc port {taken} on 127.0.0.1 is in use already")),
        "{error}"
    );
}
