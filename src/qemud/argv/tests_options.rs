//! What a definition says about a device reaches QEMU, word for word what libvirt passes for it.

use super::tests::{domain, emulator, image};
use super::{LaunchRequest, launch};
use crate::qemud::define::{self, QemuPlatform};

/// A device and the words on the command line that carry what it says.
const CARRIED: &[(&str, &[&str])] = &[
    (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2' copy_on_read='on' discard_no_unref='on' iommu='on' ats='on' packed='on' page_per_vq='on' ioeventfd='on' event_idx='off'><metadata_cache><max_size unit='bytes'>1048576</max_size></metadata_cache></driver><source file='FOLDER/1.qcow2'/><target dev='vda' bus='virtio'/><geometry cyls='100' heads='16' secs='63'/></disk>",
        &[
            r#""driver":"copy-on-read","node-name":"libvirt-CoR-vda","file":"libvirt-1-format""#,
            r#""drive":"libvirt-CoR-vda""#,
            r#""discard-no-unref":true"#,
            r#""cache-size":1048576"#,
            r#""iommu_platform":true"#,
            r#""ats":true"#,
            r#""packed":true"#,
            r#""page-per-vq":true"#,
            r#""ioeventfd":true"#,
            r#""event_idx":false"#,
            r#""cyls":100"#,
        ],
    ),
    (
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='FOLDER/1.qcow2'/><target dev='sda' bus='scsi'/><wwn>5000c50015ea71aa</wwn></disk>",
        &[r#""wwn":5764824127192592810"#],
    ),
    (
        "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/><driver txmode='timer' rss='on' rss_hash_report='on'><host csum='off' tso6='off'/><guest ufo='off'/></driver><rom bar='off' file='/rom'/></interface>",
        &[
            r#""tx":"timer""#,
            r#""rss":true"#,
            r#""hash":true"#,
            r#""csum":false"#,
            r#""host_tso6":false"#,
            r#""guest_ufo":false"#,
            r#""rombar":0"#,
            r#""romfile":"/rom""#,
        ],
    ),
    (
        "<controller type='virtio-serial' index='0' ports='16' vectors='4'/>",
        &[r#""max_ports":16,"vectors":4"#],
    ),
    (
        "<controller type='pci' index='1' model='pcie-root-port'><target hotplug='off'/></controller>",
        &[r#""hotplug":false"#],
    ),
    (
        "<controller type='pci' index='0' model='pcie-root'><pcihole64 unit='KiB'>1048576</pcihole64></controller>",
        &["q35-pcihost.pci-hole64-size=1048576K"],
    ),
    (
        "<serial type='pty'><address type='isa' iobase='0x3e8' irq='0xa'/></serial>",
        &[r#""iobase":1000,"irq":10"#],
    ),
    (
        "<panic model='isa'><address type='isa' iobase='0x510'/></panic>",
        &[r#""driver":"pvpanic","ioport":1296"#],
    ),
    ("<panic model='hyperv'/>", &["qemu64,hv-crash"]),
    (
        "<graphics type='vnc'/><video><model type='vmvga'/></video>",
        &[r#""driver":"vmware-svga""#, r#""vgamem_mb":16"#],
    ),
    ("<graphics type='vnc' port='5999' websocket='5799'/>", &["websocket=5799"]),
];

/// Settings outside of devices, and the words that carry them.
const SETTINGS: &[(&str, &[&str])] = &[
    (
        "<iothreads>2</iothreads><iothreadids><iothread id='4' thread_pool_min='1' thread_pool_max='4'/><iothread id='6'><poll max='100' grow='2' shrink='3'/></iothread></iothreadids>",
        &[
            r#""id":"iothread4","thread-pool-min":1,"thread-pool-max":4"#,
            r#""id":"iothread6","poll-max-ns":100,"poll-grow":2,"poll-shrink":3"#,
        ],
    ),
    ("<cpu mode='maximum' migratable='off'/>", &["max,migratable=off"]),
    ("<cpu><model>qemu64</model><cache mode='disable'/></cpu>", &["qemu64,l3-cache=off"]),
    (
        "<memoryBacking><allocation mode='immediate' threads='2'/></memoryBacking>",
        &[r#""prealloc":true,"prealloc-threads":2"#],
    ),
    (
        "<cpu><numa><cell id='0' cpus='0' memory='65536' unit='KiB' memAccess='shared' discard='yes'/></numa></cpu>",
        &[r#""share":true,"discard-data":true"#],
    ),
];

#[track_caller]
fn carries(text: &str, words: &[&str]) {
    let Some(capabilities) = emulator("x86_64") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    image(folder.path(), "1.qcow2", &["-f", "qcow2"]);
    let text = text.replace("FOLDER", &folder.path().display().to_string());
    let mut tree = crate::xml::parse(&text, "domain_definition").unwrap();
    crate::xml::domain::complete(&mut tree, &QemuPlatform).unwrap();
    define::complete(&mut tree, &capabilities, &define::Places { nvram: folder.path().to_path_buf() })
        .unwrap();
    let request = LaunchRequest {
        definition: &tree,
        capabilities,
        runtime: folder.path(),
        id: 7,
        incoming: false,
        live: false,
        monitor_fd: None,
    };
    let line = launch(&request).unwrap().arguments.join(" ");
    for word in words {
        assert!(line.contains(word), "no {word} in:\n{line}\nfor:\n{text}");
    }
}

#[test]
fn what_a_device_says_is_passed_on() {
    for (device, words) in CARRIED {
        carries(&domain("q35", "x86_64", device), words);
    }
}

#[test]
fn what_a_machine_says_is_passed_on() {
    for (setting, words) in SETTINGS {
        let text = domain("q35", "x86_64", "").replace("<features>", &format!("{setting}<features>"));
        carries(&text, words);
    }
    let text = domain("q35", "x86_64", "<serial type='pty'/>")
        .replace("<acpi/>", "<acpi/><smm state='on'><tseg unit='MiB'>48</tseg></smm><vmcoreinfo state='on'/>")
        .replace("</os>", "<bios useserial='yes'/></os>");
    carries(&text, &["mch.extended-tseg-mbytes=48", "graphics=off", r#""driver":"vmcoreinfo""#]);
}
