//! The main job on a real guest: define, start, look, talk to its console, save, restore, shut down.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod common;

use common::{Stage, in_guest, wait_for};
use std::time::Duration;

#[test]
fn the_whole_life_of_a_guest() {
    let stage = Stage::new();
    let disk = stage.path("disk.qcow2");
    let made = stage.program("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&disk).arg("64M").status();
    assert!(made.unwrap().success());
    let devices = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/></disk>
         <interface type='user'><model type='virtio'/></interface>
         <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
         <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
        disk.display()
    );
    stage.define("demo", &devices);
    assert_eq!(stage.ok(&["list", "--all", "--name"]).trim(), "demo");
    assert_eq!(stage.ok(&["domstate", "demo"]).trim(), "shut off");

    assert_eq!(stage.ok(&["start", "demo"]).trim(), "Domain 'demo' started");
    assert_eq!(stage.ok(&["domstate", "demo", "--reason"]).trim(), "running (booted)");
    assert!(stage.fails(&["start", "demo"]).contains("Domain is already active"));
    let info = stage.ok(&["dominfo", "demo"]);
    for line in
        ["State:          running", "CPU(s):         1", "Max memory:     196608 KiB", "Persistent:     yes"]
    {
        assert!(info.contains(line), "{line} in {info}");
    }
    assert!(stage.ok(&["domblklist", "demo"]).contains("vda"));
    assert!(stage.ok(&["ttyconsole", "demo"]).starts_with("/dev/pts/"));

    in_guest(&stage, "demo", "echo $((6 * 7)) > /run/answer; uname -s", "Linux");

    let image = stage.path("demo.save");
    let image = image.to_str().unwrap();
    assert!(stage.ok(&["save", "demo", image]).contains(&format!("Domain 'demo' saved to {image}")));
    assert_eq!(stage.ok(&["domstate", "demo", "--reason"]).trim(), "shut off (saved)");
    assert!(stage.ok(&["save-image-dumpxml", image]).contains("<name>demo</name>"));
    assert!(stage.ok(&["restore", image]).contains(&format!("Domain restored from {image}")));
    assert_eq!(stage.ok(&["domstate", "demo", "--reason"]).trim(), "running (restored)");
    in_guest(&stage, "demo", "cat /run/answer", "42");

    assert!(stage.ok(&["managedsave", "demo"]).contains("Domain 'demo' state saved by libvirt"));
    assert!(stage.ok(&["list", "--all", "--managed-save"]).contains("saved"));
    stage.ok(&["start", "demo"]);
    in_guest(&stage, "demo", "cat /run/answer", "42");

    stage.ok(&["suspend", "demo"]);
    assert_eq!(stage.ok(&["domstate", "demo", "--reason"]).trim(), "paused (user)");
    stage.ok(&["resume", "demo"]);

    let hello = wait_for(Duration::from_secs(30), || {
        let said = stage.run(&["qemu-agent-command", "demo", "{\"execute\":\"guest-ping\"}"]);
        if said.code == 0 { Ok(said.out) } else { Err(said.err) }
    });
    assert_eq!(hello.unwrap().trim(), "{\"return\":{}}");
    assert!(stage.ok(&["domifaddr", "demo", "--source", "agent"]).contains("10.0.2.15"));

    assert!(stage.ok(&["shutdown", "demo"]).contains("Domain 'demo' is being shutdown"));
    stage.wait_state("demo", "shut off", Duration::from_secs(30));
    assert_eq!(stage.ok(&["domstate", "demo", "--reason"]).trim(), "shut off (shutdown)");
    stage.ok(&["undefine", "demo"]);
    assert_eq!(stage.ok(&["list", "--all", "--name"]).trim(), "");
}

#[test]
fn a_helper_that_is_killed_loses_neither_guest_nor_definition() {
    let stage = Stage::new();
    stage.define("survivor", "");
    stage.define("sleeper", "");
    stage.ok(&["start", "survivor"]);
    let qemu = stage.qemu_pid("survivor").expect("QEMU runs");
    let helper = stage.helper_pid().expect("the helper runs");
    common::kill(helper, 9);
    assert_eq!(stage.ok(&["domstate", "survivor"]).trim(), "running");
    assert_eq!(stage.qemu_pid("survivor"), Some(qemu));
    assert_ne!(stage.helper_pid(), Some(helper));
    in_guest(&stage, "survivor", "echo alive $((20 + 3))", "alive 23");
    stage.ok(&["destroy", "survivor"]);
    assert_eq!(stage.ok(&["list", "--all", "--name"]).split_whitespace().count(), 2);
}

#[test]
fn a_guest_whose_qemu_dies_is_seen_at_once() {
    let stage = Stage::new();
    stage.define("victim", "");
    stage.ok(&["start", "victim"]);
    common::kill(stage.qemu_pid("victim").expect("QEMU runs"), 9);
    stage.wait_state("victim", "shut off", Duration::from_secs(5));
    assert_eq!(stage.ok(&["domstate", "victim", "--reason"]).trim(), "shut off (crashed)");
    stage.ok(&["start", "victim"]);
    stage.ok(&["destroy", "victim"]);
    assert_eq!(stage.ok(&["domstate", "victim", "--reason"]).trim(), "shut off (destroyed)");
}
