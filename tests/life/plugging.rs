//! Devices that come and go while a guest runs.

use crate::common::{Stage, wait_for};
use std::net::TcpListener;
use std::time::Duration;

/// A port nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The part of a document between two words.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let after = text.split_once(begin).unwrap_or_else(|| panic!("no {begin} in {text}")).1;
    after.split_once(end).unwrap_or_else(|| panic!("no {end} after {begin} in {text}")).0
}

/// What needs no help of the guest: USB devices and ports of virtio-serial.
#[test]
fn input_serial_ports_and_channels_come_and_go() {
    let stage = Stage::new();
    let devices = format!(
        "<graphics type='vnc' port='{}' autoport='no'/><controller type='usb' model='qemu-xhci'/>\
         <channel type='unix'><target type='virtio' name='first'/></channel>",
        free_port()
    );
    stage.define("plug", &devices);
    stage.ok(&["start", "plug"]);
    let tablet = stage.file("tablet.xml", "<input type='tablet' bus='usb'/>");
    let serial = stage.file("serial.xml", "<serial type='pty'><target type='usb-serial' port='1'/></serial>");
    let channel =
        stage.file("channel.xml", "<channel type='pty'><target type='virtio' name='second'/></channel>");
    let before = stage.ok(&["dumpxml", "plug"]);
    for file in [&tablet, &serial, &channel] {
        stage.ok(&["attach-device", "plug", file, "--live"]);
    }
    let after = stage.ok(&["dumpxml", "plug"]);
    assert!(after.contains("<input type='tablet' bus='usb'>\n      <alias name='input2'/>"), "{after}");
    let second = between(&after, "<channel type='pty'>", "</channel>");
    assert!(second.contains("name='second'") && second.contains("<alias name='channel1'/>"), "{second}");
    // The ends on the host are there.
    let terminal = between(second, "<source path='", "'");
    assert!(std::fs::metadata(terminal).is_ok(), "{terminal}");
    assert!(after.contains("<target type='usb-serial' port='1'>"), "{after}");
    assert!(!stage.ok(&["dumpxml", "plug", "--inactive"]).contains("usb-serial"));

    // What cannot come while it runs is refused by name, and nothing changes.
    let refused = [
        ("<controller type='usb' index='7' model='qemu-xhci'/>", "'usb' controller cannot be hot plugged."),
        ("<sound model='ich9'/>", "live attach of device 'sound' is not supported"),
        ("<watchdog model='i6300esb' action='pause'/>", "watchdogs with different actions are not supported"),
        (
            "<disk type='file' device='cdrom'><target dev='sdc' bus='sata'/></disk>",
            "disk bus 'sata' cannot be hotplugged.",
        ),
    ];
    for (device, words) in refused {
        let said = stage.fails(&["attach-device", "plug", &stage.file("refused.xml", device), "--live"]);
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(stage.ok(&["dumpxml", "plug"]), after);

    for file in [&tablet, &serial, &channel] {
        stage.ok(&["detach-device", "plug", file, "--live"]);
    }
    let gone = stage.fails(&["detach-device", "plug", &channel, "--live"]);
    assert!(gone.contains("chr type 'channel' device not present in domain configuration"), "{gone}");
    let same = wait_for(Duration::from_secs(20), || {
        // The guest opens and closes ports as it likes.
        let plain = |text: &str| text.replace("'connected'", "'disconnected'");
        let now = stage.ok(&["dumpxml", "plug"]);
        if plain(&now) == plain(&before) { Ok(()) } else { Err(now) }
    });
    assert_eq!(same, Ok(()));
}
