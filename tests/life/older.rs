//! The whole life on a QEMU before 9.0, which saves by a plain stream.

use crate::common::{Stage, guest_xml, in_guest};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A QEMU before 9.0: the installed one, or one that the distribution still has; loudly none otherwise.
fn older_qemu() -> Option<PathBuf> {
    let installed = Path::new("/usr/bin/qemu-system-x86_64");
    if version(installed).is_some_and(|major| major < 9) {
        return Some(installed.to_path_buf());
    }
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = home.join("target/older-qemu");
    let made = Command::new(home.join("tools/older-qemu")).arg(&folder).output().unwrap();
    if !made.status.success() {
        eprintln!("SKIPPED: no QEMU before 9.0 can be had: {}", String::from_utf8_lossy(&made.stderr).trim());
        return None;
    }
    let emulator = folder.join("usr/bin/qemu-system-x86_64");
    assert!(version(&emulator).is_some_and(|major| major < 9), "{} is not older", emulator.display());
    Some(emulator)
}

fn version(emulator: &Path) -> Option<u32> {
    let said = Command::new(emulator).arg("--version").output().ok()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split("version ").nth(1)?.split('.').next()?.parse().ok()
}

#[test]
fn the_whole_life_on_an_older_qemu() {
    let Some(emulator) = older_qemu() else {
        return;
    };
    let stage = Stage::new();
    let devices = "<interface type='user'><model type='virtio'/></interface>\
                   <graphics type='vnc' autoport='yes'/>\
                   <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
    let xml = guest_xml("old", devices);
    let line = format!("<devices><emulator>{}</emulator>", emulator.display());
    stage.ok(&["define", &stage.file("old.xml", &xml.replace("<devices>", &line))]);
    assert!(!stage.ok(&["dumpxml", "old"]).contains("machine='pc-q35-10"));
    stage.ok(&["start", "old"]);
    in_guest(&stage, "old", "echo $((6 * 7)) > /run/answer; uname -s", "Linux");

    let image = stage.path("old.save");
    let image = image.to_str().unwrap();
    stage.ok(&["save", "old", image]);
    // The stream begins where the header says, at a multiple of 64 KiB, and not as a file with a place for each page.
    let bytes = std::fs::read(image).unwrap();
    let start = bytes.windows(4).position(|bytes| bytes == b"QEVM").expect("QEMU's stream");
    assert_eq!(start % (64 * 1024), 0);
    assert!(bytes.len() < 192 << 20);
    stage.ok(&["restore", image]);
    assert_eq!(stage.ok(&["domstate", "old", "--reason"]).trim(), "running (restored)");
    in_guest(&stage, "old", "cat /run/answer", "42");
    stage.ok(&["managedsave", "old", "--bypass-cache"]);
    stage.ok(&["start", "old", "--bypass-cache"]);
    in_guest(&stage, "old", "cat /run/answer", "42");

    let small = stage.path("small");
    std::fs::create_dir(&small).unwrap();
    let mounted =
        stage.program("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&small).status();
    if mounted.is_ok_and(|status| status.success()) {
        let said = stage.run(&["save", "old", small.join("old.save").to_str().unwrap()]);
        let left = std::fs::read_dir(&small).unwrap().count();
        stage.program("umount").arg(&small).status().unwrap();
        assert_eq!((said.code, left), (1, 0), "{said:?}");
        assert_eq!(stage.ok(&["domstate", "old", "--reason"]).trim(), "running (save canceled)");
    }
    crate::common::kill(stage.helper_pid().unwrap(), 9);
    in_guest(&stage, "old", "cat /run/answer", "42");
    stage.ok(&["suspend", "old"]);
    stage.ok(&["resume", "old"]);
    stage.ok(&["shutdown", "old"]);
    stage.wait_state("old", "shut off", std::time::Duration::from_secs(60));
    assert_eq!(stage.ok(&["domstate", "old", "--reason"]).trim(), "shut off (shutdown)");
}
