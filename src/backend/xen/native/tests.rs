//! The formats both ways, against what the real virsh made of the same texts, and over definitions of any kind.

use super::{from_xml, to_xml};
use proptest::prelude::*;
use std::fmt::Write as _;

macro_rules! fact {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/facts/xen/native/", $name))
    };
}

#[test]
fn definitions_become_the_texts_that_virsh_makes_of_them() {
    for (document, format, text) in [
        (fact!("pv.xml"), "xen-xm", fact!("pv.xm")),
        (fact!("pv.xml"), "xen-xl", fact!("pv.xl")),
        (fact!("boot.xml"), "xen-xm", fact!("boot.xm")),
        (fact!("boot.xml"), "xen-xl", fact!("boot.xl")),
        (fact!("hvm.xml"), "xen-xm", fact!("hvm.xm")),
        (fact!("hvm.xml"), "xen-xl", fact!("hvm.xl")),
        (fact!("pvh.xml"), "xen-xl", fact!("pvh.xl")),
    ] {
        let made = from_xml(format, document).unwrap();
        // virsh loses which video card there is.
        let video = ["stdvga =", "vga =", "videoram ="];
        let is_video = |line: &&str| video.iter().any(|key| line.starts_with(key));
        let made: String =
            made.lines().filter(|line| !is_video(line)).map(|line| format!("{line}\n")).collect();
        assert_eq!(made, text, "{format}");
    }
    let refused = from_xml("xen-xm", fact!("pvh.xml")).unwrap_err().to_string();
    assert!(refused.contains("xm knows no guests of type 'xenpvh'"), "{refused}");
}

#[test]
fn texts_become_the_definitions_that_virsh_makes_of_them() {
    assert_eq!(to_xml("xen-xm", fact!("sdl.cfg")).unwrap(), fact!("sdl.cfg.xml"));
    for format in ["nosuch", "", "qemu-argv"] {
        let words = format!("invalid argument: unsupported config type {format}");
        assert_eq!(to_xml(format, "").unwrap_err().to_string(), words);
        assert_eq!(from_xml(format, "").unwrap_err().to_string(), words);
    }
}

#[test]
fn secrets_are_not_shown() {
    let document = fact!("pv.xml");
    assert!(document.contains("passwd='pw'"));
    for format in ["xen-xm", "xen-xl", "xen-sxpr"] {
        let text = from_xml(format, document).unwrap();
        // The tools need it; a document is for people.
        assert!(text.contains("pw"), "{format}: {text}");
        assert!(!to_xml(format, &text).unwrap().contains("passwd"), "{format}");
    }
}

/// What a generated definition has.
#[derive(Debug, Clone)]
struct Shape {
    kind: usize,
    memory: (u32, u32),
    vcpus: (u32, u32),
    bootloader: bool,
    line: String,
    disks: Vec<(usize, usize, bool)>,
    cards: Vec<(bool, Option<u32>, bool)>,
    screen: usize,
    port: usize,
    host: bool,
    clock: usize,
    sound: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    let disks = prop::collection::vec((0..5_usize, 0..3_usize, any::<bool>()), 0..4);
    let cards = prop::collection::vec((any::<bool>(), prop::option::of(1..9_000_u32), any::<bool>()), 0..3);
    let numbers = (0..3_usize, (1..4096_u32, 1..4096_u32), (1..33_u32, 1..33_u32));
    let words = (any::<bool>(), "[a-z0-9=/ .-]{0,20}");
    let rest = (0..4_usize, 0..4_usize, any::<bool>(), 0..3_usize, any::<bool>());
    (numbers, words, disks, cards, rest).prop_map(|(numbers, words, disks, cards, rest)| Shape {
        kind: numbers.0,
        memory: (numbers.1.0.max(numbers.1.1), numbers.1.0.min(numbers.1.1)),
        vcpus: (numbers.2.0.max(numbers.2.1), numbers.2.0.min(numbers.2.1)),
        bootloader: words.0,
        line: words.1.trim().to_string(),
        disks,
        cards,
        screen: rest.0,
        port: rest.1,
        host: rest.2,
        clock: rest.3,
        sound: rest.4,
    })
}

impl Shape {
    fn is_hvm(&self) -> bool {
        self.kind == 1
    }

    /// The definition.
    fn document(&self) -> String {
        let os = match (self.kind, self.bootloader) {
            (1, _) => {
                "<os><type>hvm</type><boot dev='cdrom'/><boot dev='hd'/></os><features><acpi/><pae/></features>"
            }
            (0, true) => "<bootloader>/usr/bin/pygrub</bootloader><os><type>linux</type></os>",
            (0, false) => "<os><type>linux</type><kernel>/k</kernel><initrd>/i</initrd>LINE</os>",
            _ => "<os><type>xenpvh</type><kernel>/k</kernel>LINE</os>",
        };
        let line =
            if self.line.is_empty() { String::new() } else { format!("<cmdline>{}</cmdline>", self.line) };
        let clock = ["utc", "localtime", "utc"][self.clock];
        let (memory, vcpus) = (self.memory, self.vcpus);
        format!(
            "<domain type='xen'><name>any</name><uuid>0badcafe-0000-4000-8000-000000000001</uuid>\
             <memory unit='MiB'>{}</memory><currentMemory unit='MiB'>{}</currentMemory>\
             <vcpu current='{}'>{}</vcpu>{}<clock offset='{clock}'/><devices>{}</devices></domain>",
            memory.0,
            memory.1,
            vcpus.1,
            vcpus.0,
            os.replace("LINE", &line),
            self.devices()
        )
    }

    fn devices(&self) -> String {
        let mut text = String::new();
        for (number, (driver, mode, is_drive)) in self.disks.iter().enumerate() {
            let letter = char::from(b'a' + number as u8);
            let (prefix, bus) = if self.is_hvm() { ("hd", "ide") } else { ("xvd", "xen") };
            let driver = [
                "<driver name='file'/>",
                "<driver name='tap' type='qcow2'/>",
                "<driver name='phy'/>",
                "<driver name='tap' type='raw'/>",
                "<driver name='file'/>",
            ][*driver];
            let is_block = driver.contains("phy");
            let (kind, attribute) = if is_block { ("block", "dev") } else { ("file", "file") };
            let device = if *is_drive && self.is_hvm() { "cdrom" } else { "disk" };
            let path = if is_block { "/dev/vg/lv" } else { "/img/a b" };
            let mode =
                if device == "cdrom" { "<readonly/>" } else { ["", "<readonly/>", "<shareable/>"][*mode] };
            let _ = write!(
                text,
                "<disk type='{kind}' device='{device}'>{driver}<source {attribute}='{path}{number}'/>\
                 <target dev='{prefix}{letter}' bus='{bus}'/>{mode}</disk>"
            );
        }
        for (number, (is_bridge, rate, has_model)) in self.cards.iter().enumerate() {
            let kind = if *is_bridge { "bridge" } else { "ethernet" };
            let source = if *is_bridge {
                "<source bridge='br0'/><script path='vif-bridge'/>"
            } else {
                "<script path='vif-route'/>"
            };
            let rate = rate
                .map(|rate| format!("<bandwidth><outbound average='{rate}'/></bandwidth>"))
                .unwrap_or_default();
            let model = if *has_model && self.is_hvm() { "<model type='e1000'/>" } else { "" };
            let _ = write!(
                text,
                "<interface type='{kind}'><mac address='00:16:3e:00:00:0{number}'/>{source}{rate}{model}</interface>"
            );
        }
        text += [
            "",
            "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>",
            "<graphics type='vnc' port='5903' autoport='no' listen='0.0.0.0' keymap='de'/>",
            "<graphics type='sdl' display=':0'/>",
        ][self.screen];
        if self.is_hvm() {
            text += [
                "",
                "<serial type='pty'/>",
                "<serial type='tcp'><source mode='bind' host='h' service='4'/><protocol type='raw'/></serial>",
                "<serial type='file'><source path='/log'/></serial>",
            ][self.port];
            text += if self.sound { "<sound model='es1370'/><input type='tablet' bus='usb'/>" } else { "" };
        }
        if self.host {
            text += "<hostdev mode='subsystem' type='pci' managed='no'><source><address domain='0' bus='1' slot='2' function='3'/></source></hostdev>";
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// What was written is read, and written again is the same: nothing is lost on the way.
    #[test]
    fn every_definition_comes_back(shape in shape()) {
        for format in ["xen-xm", "xen-xl", "xen-sxpr"] {
            if shape.kind == 2 && format != "xen-xl" {
                continue;
            }
            let document = shape.document();
            let text = from_xml(format, &document).map_err(|error| TestCaseError::fail(format!("{format}: {error}: {document}")))?;
            let back = to_xml(format, &text).map_err(|error| TestCaseError::fail(format!("{format}: {error}: {text}")))?;
            for (number, (driver, ..)) in shape.disks.iter().enumerate() {
                let path = if *driver == 2 { "/dev/vg/lv" } else { "/img/a b" };
                prop_assert!(back.contains(&format!("='{path}{number}'/>")), "{}: {}", format, back);
            }
            for (number, (_, rate, _)) in shape.cards.iter().enumerate() {
                prop_assert!(back.contains(&format!("00:16:3e:00:00:0{number}")), "{}: {}", format, back);
                prop_assert!(rate.is_none_or(|rate| back.contains(&format!("average='{rate}'"))), "{}: {}", format, back);
            }
            prop_assert_eq!(back.contains("<hostdev"), shape.host);
            prop_assert!(back.contains(&format!(">{}</memory>", shape.memory.0 * 1024)), "{}: {}", format, back);
            let again = from_xml(format, &back).map_err(|error| TestCaseError::fail(format!("{format}: {error}: {back}")))?;
            prop_assert_eq!(again, text);
        }
    }
}
