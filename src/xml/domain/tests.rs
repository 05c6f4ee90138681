//! What completion promises: libvirt's form, the same form when done again, no panic on anything.

use super::*;
use crate::xml;
use proptest::prelude::*;

struct Plain;

impl Platform for Plain {
    fn default_architecture(&self, _: &str, _: &str) -> String {
        "i686".to_string()
    }
}

fn completed(document: &str) -> Result<String> {
    parse(document, &Plain).map(|(tree, _)| tree.to_string())
}

fn domain(sections: &str, devices: &str) -> String {
    format!(
        "<domain type='test'><name>a</name><uuid>7d1a9f20-3c44-4b8e-8f6b-0a1b2c3d4e04</uuid>{sections}\
         <os><type>hvm</type></os><devices>{devices}</devices></domain>"
    )
}

fn message(document: &str) -> String {
    parse(document, &Plain).unwrap_err().message
}

#[test]
fn defaults_are_filled_in_and_sections_put_in_order() {
    let wanted = "<domain type='test'>
  <name>a</name>
  <uuid>7d1a9f20-3c44-4b8e-8f6b-0a1b2c3d4e04</uuid>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>1048576</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os>
    <type arch='i686'>hvm</type>
    <boot dev='hd'/>
  </os>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
  </devices>
</domain>
";
    assert_eq!(completed(&domain("<memory unit='GiB'>1</memory>", "")).unwrap(), wanted);
}

#[test]
fn devices_imply_controllers_and_consoles() {
    let devices = "<console type='pty'/><disk><source file='/a'/><target dev='hdc'/></disk>";
    let document = completed(&domain("<memory>1024</memory>", devices)).unwrap();
    for part in [
        "<target dev='hdc' bus='ide'/>",
        "<address type='drive' controller='0' bus='1' target='0' unit='0'/>",
        "<controller type='ide' index='0'/>",
        "<serial type='pty'>",
        "<target type='serial' port='0'/>",
    ] {
        assert!(document.contains(part), "{part} is not in {document}");
    }
}

#[test]
fn refusals_use_libvirts_words() {
    let memory = "<memory>1024</memory>";
    assert_eq!(message("<network/>"), "XML error: expecting root element of 'domain', not 'network'");
    assert_eq!(
        message(&domain("", "")),
        "XML error: Memory size must be specified via <memory> or in the <numa> configuration"
    );
    assert_eq!(
        message(&domain(memory, "<sound model='x'/>")),
        "XML error: Invalid value for attribute 'model' in element 'sound': 'x'."
    );
    assert_eq!(
        message(&domain(&format!("{memory}<vcpu current='4'>2</vcpu>"), "")),
        "unsupported configuration: maximum vCPU count must not be less than current vCPU count"
    );
    let twice = "<disk><source file='/a'/><target dev='vda'/></disk><disk><source file='/b'/><target dev='vda'/></disk>";
    assert_eq!(
        message(&domain(memory, twice)),
        "XML error: target 'vda' duplicated for disk sources '/a' and '/b'"
    );
}

#[test]
fn the_unknown_is_reported_with_its_line() {
    let document = domain(
        "<memory>1024</memory>\n<colour/>",
        "\n<disk tint='x'><target dev='hda'/><source file='/a'/></disk>",
    );
    let (tree, unknown) = parse(&document, &Plain).unwrap();
    assert!(tree.child("colour").is_none());
    let found: Vec<(&str, u32, bool)> =
        unknown.iter().map(|one| (one.name.as_str(), one.line, one.is_attribute)).collect();
    assert_eq!(found, [("colour", 2, false), ("tint", 3, true)]);
}

#[test]
fn metadata_stays_as_it_was() {
    let metadata = "<metadata><a:b xmlns:a=\"urn:x\" c=\"d\">t<a:e/>u</a:b></metadata>";
    let document = completed(&domain(&format!("{metadata}<memory>1024</memory>"), "")).unwrap();
    assert!(document.contains("    <a:b xmlns:a=\"urn:x\" c=\"d\">t<a:e/>u</a:b>\n"), "{document}");
}

#[test]
fn the_view_reads_what_was_completed() {
    let devices = "<disk><driver name='qemu' type='qcow2'/><source file='/a'/><target dev='vda'/></disk>\
                   <interface type='user'><mac address='52:54:00:01:02:03'/></interface><graphics type='vnc'/>";
    let (tree, _) = parse(&domain("<memory unit='MiB'>2</memory><vcpu>3</vcpu>", devices), &Plain).unwrap();
    let view = Domain::parse(&tree).unwrap();
    assert_eq!((view.name.as_str(), view.memory.maximum, view.vcpus.maximum), ("a", 2048, 3));
    let disk = &view.devices.disks[0];
    assert_eq!(
        (disk.target.as_str(), disk.bus.as_str(), disk.path(), disk.format.as_deref()),
        ("vda", "virtio", Some("/a"), Some("qcow2"))
    );
    assert_eq!(view.devices.interfaces[0].mac, "52:54:00:01:02:03");
    assert!(view.devices.graphics[0].automatic_port && view.devices.videos[0].primary);
}

#[test]
fn secrets_and_ids_come_only_when_asked_for() {
    let (tree, _) =
        parse(&domain("<memory>1024</memory>", "<graphics type='vnc' passwd='x'/>"), &Plain).unwrap();
    let shown = variants::shown(&tree, Some(7), false).to_string();
    assert!(shown.starts_with("<domain type='test' id='7'>") && !shown.contains("passwd"), "{shown}");
    assert!(variants::shown(&tree, None, true).to_string().contains("passwd='x'"));
}

#[test]
fn what_only_a_running_domain_has_is_forgotten() {
    let (mut tree, _) = parse(&domain("<memory>1024</memory>", "<serial type='pty'/>"), &Plain).unwrap();
    let before = tree.to_string();
    tree.set("id", 4);
    let serial = tree.child_mut("devices").unwrap().child_mut("serial").unwrap();
    serial.set("tty", "/dev/pts/3");
    serial.push(Element::new("source").with("path", "/dev/pts/3"));
    serial.push(Element::new("alias").with("name", "serial0"));
    assert_eq!(variants::inactive(&tree).to_string(), before);
}

#[test]
fn the_largest_numbers_are_only_numbers() {
    for value in ["4294967295", "18446744073709551615"] {
        for device in [
            "<serial type='pty'><target port='N'/></serial><serial type='pty'/>",
            "<smartcard mode='host'><address type='ccid' controller='0' slot='N'/></smartcard><smartcard mode='host'/>",
            "<video><model type='qxl' ram='N' vram='N'/></video>",
            "<disk><source file='/a'/><target dev='sda' bus='scsi'/><address type='drive' controller='N' unit='N'/></disk>",
            "<controller type='usb' index='N'/><controller type='usb'/>",
            "<memory model='dimm'><target><size unit='KiB'>N</size></target></memory>",
        ] {
            let document = domain("<memory>1024</memory>", &device.replace('N', value));
            if let Ok((tree, _)) = parse(&document, &Plain) {
                assert!(Domain::parse(&tree).is_ok());
            }
        }
        let _ =
            parse(&domain(&format!("<memory unit='KiB'>{value}</memory><vcpu>{value}</vcpu>"), ""), &Plain);
    }
}

/// Pieces from which definitions are put together.
const DEVICES: &[&str] = &[
    "<disk><source file='/a'/><target dev='vda'/></disk>",
    "<disk type='block' device='cdrom'><source dev='/b'/><target dev='sda' bus='sata'/></disk>",
    "<disk device='floppy'><target dev='fda'/></disk>",
    "<interface type='user'/>",
    "<interface type='network'><source network='default'/><model type='virtio'/></interface>",
    "<serial type='file'><source path='/c'/></serial>",
    "<console type='pty'/>",
    "<console type='pty'><target type='virtio'/></console>",
    "<channel type='unix'><target type='virtio' name='x'/></channel>",
    "<graphics type='spice' autoport='yes' listen='0.0.0.0'/>",
    "<graphics type='vnc'><listen type='socket'/></graphics>",
    "<video><model type='qxl'/></video>",
    "<video><model type='vga' primary='yes'/></video>",
    "<rng model='virtio'><backend model='random'/><address type='pci' slot='3'/></rng>",
    "<memballoon model='virtio'><stats period='5'/></memballoon>",
    "<hostdev mode='subsystem' type='scsi'><source><adapter name='h'/><address bus='0' target='0' unit='0'/></source></hostdev>",
    "<smartcard mode='host'/>",
    "<vsock/>",
    "<shmem name='s'><size unit='M'>4</size></shmem>",
    "<input type='tablet'/>",
    "<tpm><backend type='emulator' version='2.0'/></tpm>",
    "<watchdog model='itco'/>",
];
const SECTIONS: &[&str] = &[
    "<vcpu cpuset='3,0-1' current='1'>4</vcpu>",
    "<cpu><model>qemu64</model><topology sockets='1' cores='2' threads='1'/><feature name='x'/></cpu>",
    "<features><smm/><acpi/><hyperv/></features>",
    "<clock offset='localtime' adjustment='5'/>",
    "<iothreads>3</iothreads><iothreadids><iothread id='2'/></iothreadids>",
    "<cputune><quota>-1</quota><shares>5</shares><emulatorpin cpuset='1,0'/></cputune>",
    "<memtune><soft_limit unit='G'>1</soft_limit><hard_limit>7</hard_limit></memtune>",
    "<title>t</title><metadata><a xmlns='urn:x'><b> c </b></a></metadata>",
    "<genid/>",
    "<seclabel type='none'/>",
];

proptest! {
    #[test]
    fn completing_again_changes_nothing(
        sections in proptest::sample::subsequence(SECTIONS, 0..SECTIONS.len()),
        devices in proptest::sample::subsequence(DEVICES, 0..DEVICES.len()),
    ) {
        let document = domain(&format!("<memory>65536</memory>{}", sections.concat()), &devices.concat());
        let once = completed(&document).unwrap();
        let twice = completed(&once).unwrap();
        prop_assert_eq!(&once, &twice);
        let read = xml::parse(&once, "x").unwrap();
        prop_assert_eq!(read.to_string(), once);
        prop_assert!(Domain::parse(&read).is_ok());
    }

    #[test]
    fn mangled_definitions_never_panic(
        devices in proptest::sample::subsequence(DEVICES, 1..DEVICES.len()),
        at in 0usize..2000,
        with in "[a-z0-9<>/='\" -]{0,12}",
    ) {
        let mut document = domain(&format!("<memory>65536</memory>{}", SECTIONS.concat()), &devices.concat());
        let at = at.min(document.len());
        document.insert_str(at, &with);
        if let Ok((tree, _)) = parse(&document, &Plain) {
            let _ = Domain::parse(&tree);
        }
    }

    #[test]
    fn odd_values_never_panic(device in 0usize..DEVICES.len(), value in "[0-9a-fx:.-]{0,24}") {
        let mut tree = xml::parse(&domain("<memory>1024</memory>", DEVICES[device]), "x").unwrap();
        fn spoil(element: &mut Element, value: &str) {
            for (name, old) in &mut element.attributes {
                if !matches!(name.as_str(), "type" | "device" | "bus" | "model" | "mode") {
                    *old = value.to_string();
                }
            }
            element.elements_mut().for_each(|child| spoil(child, value));
        }
        spoil(tree.child_mut("devices").unwrap(), &value);
        if complete(&mut tree, &Plain).is_ok() {
            prop_assert!(Domain::parse(&tree).is_ok());
        }
    }
}
