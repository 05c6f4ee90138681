//! What is made of files here against what real releases of xm made of them.

use super::*;
use crate::backend::xen::native::{describe, from_xml, to_xml};
use crate::backend::xen::sxp::read_answer;

macro_rules! fact {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/xen/xm-to-sxp/", $name))
    };
}

/// A file, and what real releases made of it.
const CASES: &[(&str, &[&str])] = &[
    (
        fact!("pv1.cfg"),
        &[fact!("3.0.2-pv1.sxp"), fact!("3.0.4-pv1.sxp"), fact!("3.1-pv1.sxp"), fact!("4.4-pv1.sxp")],
    ),
    (fact!("hvm1.cfg"), &[fact!("3.0.4-hvm1.sxp"), fact!("3.1-hvm1.sxp"), fact!("4.4-hvm1.sxp")]),
    (fact!("pvfb.cfg"), &[fact!("4.4-pvfb.sxp")]),
];
/// What xm adds to what stands in a file: its defaults, which are xend's as well.
const ADDED: &[&str] = &[
    "on_xend_start",
    "on_xend_stop",
    "oos",
    "s3_integrity",
    "videoram",
    "tsc_mode",
    "nomigrate",
    "cpuid",
    "cpuid_check",
    "fda",
    "fdb",
    "guest_os_type",
    "hap",
    "hpet",
    "isa",
    "nestedhvm",
    "nographic",
    "pci",
    "pci_msitranslate",
    "pci_power_mgmt",
    "rtc_timeoffset",
    "stdvga",
    "timer_mode",
    "vcpus",
    "viridian",
    "vpt_align",
    "xauthority",
    "xen_platform_pci",
    "memory_sharing",
    "monitor",
];

fn recorded(text: &str) -> Sxp {
    read_answer(&text.as_bytes()[text.find('(').unwrap()..]).unwrap().unwrap()
}

/// The parts of a list without what xm adds, in an order of their own.
fn sorted(list: &Sxp, ours: &Sxp) -> Vec<String> {
    let added = |part: &Sxp| {
        part.head().is_some_and(|head| ADDED.contains(&head.as_str()) && ours.child(&head).is_none())
    };
    let mut parts: Vec<String> =
        list.items().iter().skip(1).filter(|part| !added(part)).map(|part| part.to_string()).collect();
    // Up to 4.0 nothing is printed for an empty string.
    parts.iter_mut().for_each(|part| *part = part.replace(" '')", ")"));
    parts.sort();
    parts
}

#[test]
fn files_become_what_real_releases_made_of_them() {
    for (file, releases) in CASES {
        let ours = to_sxp(&Config::parse(file), "file").unwrap();
        for release in *releases {
            let theirs = recorded(release);
            let image = |vm: &Sxp| vm.child("image").and_then(Sxp::value).cloned().unwrap();
            assert_eq!(
                sorted(&image(&ours), &image(&ours)),
                sorted(&image(&theirs), &image(&ours)),
                "{release}"
            );
            let fields = |vm: &Sxp| {
                let mut vm = vm.clone();
                vm.unset("image");
                vm.unset("device");
                vm
            };
            assert_eq!(sorted(&fields(&ours), &ours), sorted(&fields(&theirs), &ours), "{release}");
            let devices = |vm: &Sxp| {
                let devices = vm.all("device").filter_map(Sxp::value);
                // 3.0.2 had no class for blktap.
                let class = |device: &Sxp| device.head().map(|class| class.replace("tap", "vbd"));
                devices.map(|device| (class(device), sorted(device, device))).collect::<Vec<_>>()
            };
            let without_default = |mut devices: Vec<(Option<String>, Vec<String>)>| {
                for (_, settings) in &mut devices {
                    settings.retain(|setting| !setting.starts_with("(xauthority"));
                }
                devices
            };
            assert_eq!(devices(&ours), without_default(devices(&theirs)), "{release}");
        }
    }
}

#[test]
fn a_file_is_the_same_after_a_round_trip() {
    for (file, _) in CASES {
        let sxp = to_sxp(&Config::parse(file), "file").unwrap();
        let again = to_sxp(&Config::parse(&from_sxp(&sxp).to_string()), "file").unwrap();
        assert_eq!(sxp, again);
    }
}

#[test]
fn definitions_survive_both_formats() {
    for (file, _) in CASES {
        // The uuid and the addresses of interfaces are chosen anew where a file leaves them out.
        let chosen = to_xml("xen-xm", file).unwrap();
        for format in ["xen-sxpr", "xen-xm"] {
            let native = from_xml(format, &chosen).unwrap();
            let again = to_xml(format, &native).unwrap();
            // A paravirtual root is a word of the command line once it went through a definition, and bridges name
            // their usual script.
            let plain = |xml: &str| xml.replace("      <script path='vif-bridge'/>\n", "");
            assert_eq!(plain(&chosen), plain(&again), "{format}: {native}");
        }
    }
}

#[test]
fn what_a_file_lacks_or_hides_is_said() {
    let fails = |text: &str| to_sxp(&Config::parse(text), "/etc/xen/x").unwrap_err().to_string();
    assert!(fails("memory = 1").contains("/etc/xen/x: there is no name"));
    assert!(fails("name = 'x'").contains("there is no memory"));
    assert!(fails("name = 'x'\nmemory = 1\ndisk = ['a']").contains("disk 'a' is not"));
    assert!(fails("name = 'x'\nmemory = 1\nvif = ['a']").contains("vif 'a' is not"));
    assert!(fails("name = 'x'\nmemory = 1\npci = ['a']").contains("pci 'a' is no address"));
    assert!(
        fails("name = 'x'\nmemory = 1\nif 1:\n  kernel = 'x'").contains("/etc/xen/x:3: cannot read 'if 1:'")
    );
}

#[test]
fn older_ways_to_say_things_are_understood() {
    let sxp = to_sxp(
        &Config::parse(
            "name='x'\nmemory=64\nrestart='always'\nnics=2\nvcpus=1\nmaxvcpus=4\npci=['0a:02.1','1:00:1f.0']",
        ),
        "x",
    );
    assert_eq!(
        sxp.unwrap().to_string(),
        "(vm (name x) (memory 64) (on_poweroff restart) (on_reboot restart) (on_crash restart) (vcpus 4) \
         (vcpu_avail 1) (image (linux)) (device (vif)) (device (vif)) \
         (device (pci (dev (domain 0x0) (bus 0xa) (slot 0x2) (func 0x1)))) \
         (device (pci (dev (domain 0x1) (bus 0x0) (slot 0x1f) (func 0x0)))))"
    );
}

#[test]
fn a_full_machine_is_described_with_its_devices() {
    let tree = describe::describe(&to_sxp(&Config::parse(fact!("hvm1.cfg")), "x").unwrap(), false).unwrap();
    let text = tree.to_string();
    for line in [
        "<type arch='x86_64' machine='xenfv'>hvm</type>",
        "<loader type='rom'>/guests/vmlinuz</loader>",
        "<boot dev='cdrom'/>",
        "<clock offset='utc'/>",
        "<emulator>/usr/lib/xen/bin/qemu-dm</emulator>",
        "<target dev='hdc' bus='ide'/>",
        "<model type='e1000'/>",
        "<input type='tablet' bus='usb'/>",
        "<sound model='es1370'/>",
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1' keymap='ja'>",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("secret"));
}
