//! Launches of the larger machines and of those that need programs beside QEMU.

use super::tests::*;
use super::*;
use serde_json::json;

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
    let text = domain("q35", "x86_64", EVERYTHING).replace("<features><acpi/></features>", SETTINGS).replace(
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
    ] {
        assert_eq!(guest.kind_of(alias), format!("child<{kind}>"), "{alias}");
    }
    let threads = guest.ask("query-iothreads", Value::Null);
    assert_eq!(threads.as_array().unwrap().len(), 2);
    let backends = guest.ask("query-memdev", Value::Null);
    assert_eq!((backends[0]["id"].clone(), backends[0]["share"].clone()), (json!("pc.ram"), json!(true)));
    let display = guest.ask("query-vnc", Value::Null);
    let port = guest.launch.active.child_attribute("devices/graphics", "port").unwrap();
    assert_eq!((display["auth"].clone(), display["service"].clone()), (json!("vnc"), json!(port)));
    let disks = guest.ask("query-block", Value::Null);
    let empty = disks
        .as_array()
        .unwrap()
        .iter()
        .find(|disk| disk["qdev"].as_str().unwrap_or_default().contains("scsi0-0-0-3"));
    assert!(empty.unwrap().get("inserted").is_none());
    let cpu = guest.ask("query-cpus-fast", Value::Null);
    assert!(cpu[0]["qom-path"].as_str().is_some());
    assert_eq!(guest.ask("qom-get", json!({ "path": cpu[0]["qom-path"], "property": "vmx" })), false);
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
        live: false,
        monitor_fd: None,
    };
    let error = launch(&request).err().unwrap().to_string();
    let path = folder.path().join("none.qcow2");
    assert_eq!(error, format!("Cannot access storage file '{}': No such file or directory", path.display()));
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
        live: false,
        monitor_fd: None,
    };
    let error = launch(&request).err().unwrap().to_string();
    assert!(error.contains(&format!("vnc port {taken} on 127.0.0.1 is in use already")), "{error}");
}

/// Whether a program is installed; says so when not.
fn has_program(name: &str) -> bool {
    let found = network::find_program(name);
    if let Err(error) = &found {
        eprintln!("skipped: {error}");
    }
    found.is_ok()
}

#[test]
fn a_card_can_be_plugged_into_passt() {
    let devices = "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/><backend type='passt'/></interface>";
    if !has_program("passt") {
        return;
    }
    if let Some(mut guest) = start("x86_64", &domain("q35", "x86_64", devices), |_| {}) {
        assert_eq!(guest.kind_of("net0"), "child<virtio-net-pci>");
    }
}

#[test]
fn a_guest_has_its_trusted_platform_module() {
    let devices = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'><source type='dir' path='FOLDER/tpm'/></backend></tpm>";
    if !has_program("swtpm") {
        return;
    }
    if let Some(mut guest) = start("x86_64", &domain("q35", "x86_64", devices), |_| {}) {
        let chips = guest.ask("query-tpm", Value::Null);
        assert_eq!(
            (chips[0]["id"].clone(), chips[0]["model"].clone()),
            (json!("tpm-tpm0"), json!("tpm-crb"))
        );
    }
}

#[test]
fn a_guest_boots_from_flash_when_it_asks_for_efi() {
    let text = domain("q35", "x86_64", "").replace("<os>", "<os firmware='efi'>");
    let Some(capabilities) = emulator("x86_64") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    if let Err(error) = complete(&text, &capabilities, folder.path()) {
        assert!(error.message.contains("Unable to find 'efi' firmware"), "{error}");
        eprintln!("skipped: {error}");
        return;
    }
    if let Some(mut guest) = start("x86_64", &text, |_| {}) {
        let flash = guest.ask("qom-get", json!({ "path": "/machine", "property": "pflash0" }));
        assert_eq!(flash, "libvirt-pflash0-storage");
        let store = guest.launch.active.child_text("os/nvram").unwrap();
        assert!(Path::new(&store).exists());
    }
}
