//! Saves and restores: watched, aborted, failed, edited, damaged.

use crate::common::{Stage, guest_xml, in_guest, wait_for};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// What a folder holds, hidden files included.
fn contents(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn monitor(stage: &Stage, name: &str, parameters: &str) {
    let command = format!("{{\"execute\":\"migrate-set-parameters\",\"arguments\":{{{parameters}}}}}");
    stage.ok(&["qemu-monitor-command", name, &command]);
}

/// The number that stands behind a key of `domjobinfo --rawstats`.
fn figure(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": ")?.trim().parse().ok())
}

#[test]
fn a_save_is_watched_and_aborted_and_the_guest_goes_on() {
    let stage = Stage::new();
    let xml = guest_xml("big", "").replace("<memory unit='MiB'>192", "<memory unit='MiB'>640");
    stage.ok(&["define", &stage.file("big.xml", &xml)]);
    stage.ok(&["start", "big"]);
    in_guest(
        &stage,
        "big",
        "dd if=/dev/urandom of=/r bs=1M count=1; for i in $(seq 350); do cat /r; done > /fill; echo filled $((6*7))",
        "filled 42",
    );
    // Otherwise QEMU writes everything in one go as soon as it believes that it can in 300 ms.
    monitor(&stage, "big", "\"downtime-limit\":0");
    let images = stage.path("images");
    std::fs::create_dir(&images).unwrap();
    let image = images.join("big.save");
    let image = image.to_str().unwrap();
    for attempt in 1.. {
        let mut save = stage.program(crate::common::hvsh());
        save.args(["-c", crate::common::URI, "save", "big", image]);
        let mut save = save.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let seen = wait_for(Duration::from_secs(30), || {
            let info = stage.run(&["domjobinfo", "big", "--rawstats"]);
            let busy = figure(&info.out, "memory_total").is_some_and(|total| total > 0);
            let over = save.try_wait().unwrap().is_some();
            if busy || over { Ok(busy) } else { Err(info.out) }
        });
        let slowed = seen == Ok(true) && {
            let slow = "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":1048576}}";
            stage.run(&["qemu-monitor-command", "big", slow]).code == 0
        };
        if slowed && save.try_wait().unwrap().is_none() {
            watch_and_abort(&stage, save, &images);
            break;
        }
        // It was too quick for us: once more.
        assert!(attempt < 10, "the save was never caught in the act");
        assert!(save.wait().unwrap().success());
        stage.ok(&["restore", image]);
        std::fs::remove_file(image).unwrap();
        monitor(&stage, "big", "\"downtime-limit\":0");
    }
    assert_eq!(stage.ok(&["domstate", "big", "--reason"]).trim(), "running (save canceled)");
    in_guest(&stage, "big", "ls -l /fill | wc -l; echo alive $((20 + 3))", "alive 23");
    // What was aborted leaves nothing behind that would harm the next save.
    stage.ok(&["save", "big", image]);
    stage.ok(&["restore", image]);
    in_guest(&stage, "big", "echo back $((20 + 3))", "back 23");
}

/// The save under way is slow now: its figures move, it does not let another change in, and it can be ended.
fn watch_and_abort(stage: &Stage, save: std::process::Child, images: &Path) {
    let info = stage.ok(&["domjobinfo", "big"]);
    assert!(
        info.contains("Job type:         Unbounded") && info.contains("Operation:        Save"),
        "{info}"
    );
    let processed = || figure(&stage.ok(&["domjobinfo", "big", "--rawstats"]), "memory_processed").unwrap();
    let first = processed();
    let moved =
        wait_for(
            Duration::from_secs(60),
            || if processed() > first { Ok(()) } else { Err(first.to_string()) },
        );
    assert!(moved.is_ok(), "the figures do not move: {moved:?}");
    assert_eq!(stage.ok(&["domstate", "big", "--reason"]).trim(), "paused (saving)");
    stage.ok(&["domjobabort", "big"]);
    let ended = save.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{complaint}");
    assert!(
        complaint.contains("error: operation aborted: domain save job: canceled by client"),
        "{complaint}"
    );
    assert_eq!(contents(images), Vec::<String>::new(), "no half image is left");
    assert!(stage.fails(&["domjobabort", "big"]).contains("no job is active on the domain"));
    assert!(stage.ok(&["domjobinfo", "big"]).contains("None"));
}

#[test]
fn a_disk_that_fills_up_during_a_save_stops_the_save_and_not_the_guest() {
    let stage = Stage::new();
    stage.define("full", "");
    stage.ok(&["start", "full"]);
    in_guest(&stage, "full", "echo $((6 * 7)) > /run/answer; echo set $((6 * 7))", "set 42");
    let small = stage.path("small");
    std::fs::create_dir(&small).unwrap();
    let mounted =
        stage.program("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&small).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a small disk cannot be mounted here (root only)");
        return;
    }
    let said = stage.run(&["save", "full", small.join("full.save").to_str().unwrap()]);
    let left = contents(&small);
    stage.program("umount").arg(&small).status().unwrap();
    assert!(said.code == 1 && said.err.starts_with("error: Failed to save domain 'full'"), "{said:?}");
    assert!(left.is_empty(), "half an image is left: {left:?}");
    assert_eq!(stage.ok(&["domstate", "full", "--reason"]).trim(), "running (save canceled)");
    in_guest(&stage, "full", "cat /run/answer", "42");
}

#[test]
fn a_restore_obeys_its_options() {
    let stage = Stage::new();
    stage.define("back", "<interface type='user'><mac address='52:54:00:00:00:07'/></interface>");
    stage.ok(&["start", "back"]);
    let image = stage.path("back.save");
    let image = image.to_str().unwrap();
    stage.ok(&["save", "back", image, "--paused"]);
    stage.ok(&["restore", image]);
    assert_eq!(stage.ok(&["domstate", "back", "--reason"]).trim(), "paused (migrating)");
    stage.ok(&["resume", "back"]);
    stage.ok(&["save", "back", image]);
    stage.ok(&["restore", image, "--paused"]);
    assert_eq!(stage.ok(&["domstate", "back"]).trim(), "paused");
    stage.ok(&["save", "back", image]);
    stage.ok(&["restore", image, "--running"]);
    assert_eq!(stage.ok(&["domstate", "back", "--reason"]).trim(), "running (restored)");
    stage.ok(&["save", "back", image]);

    let told = stage.ok(&["save-image-dumpxml", image]);
    let other = told.replace("52:54:00:00:00:07", "52:54:00:00:00:08");
    let complaint = stage.fails(&["restore", image, "--xml", &stage.file("other.xml", &other)]);
    assert!(
        complaint.contains("Target network card mac 52:54:00:00:00:08 does not match source"),
        "{complaint}"
    );
    assert_eq!(stage.ok(&["domstate", "back"]).trim(), "shut off");
    let titled = told.replace("<uuid>", "<title>came back</title><uuid>");
    let titled = stage.file("titled.xml", &titled);
    stage.ok(&["save-image-define", image, &titled]);
    assert!(stage.ok(&["save-image-dumpxml", image]).contains("<title>came back</title>"));
    stage.ok(&["restore", image, "--xml", &titled]);
    assert_eq!(stage.ok(&["desc", "back", "--title"]).trim(), "came back");
    assert_eq!(stage.ok(&["domstate", "back"]).trim(), "running");
}

#[test]
fn a_managed_save_is_kept_shown_used_once_and_thrown_away() {
    let stage = Stage::new();
    stage.define("kept", "");
    stage.ok(&["start", "kept"]);
    stage.ok(&["managedsave", "kept", "--paused"]);
    assert!(stage.ok(&["dominfo", "kept"]).contains("Managed save:   yes"));
    assert!(stage.ok(&["managedsave-dumpxml", "kept"]).contains("<name>kept</name>"));
    let complaint = stage.fails(&["undefine", "kept"]);
    assert!(complaint.contains("Refusing to undefine while domain managed save image exists"), "{complaint}");
    // A helper that was killed meanwhile knows of it too.
    crate::common::kill(stage.helper_pid().unwrap(), 9);
    stage.ok(&["start", "kept"]);
    assert_eq!(stage.ok(&["domstate", "kept"]).trim(), "paused");
    assert!(stage.ok(&["dominfo", "kept"]).contains("Managed save:   no"));
    stage.ok(&["managedsave", "kept", "--running"]);
    stage.ok(&["start", "kept", "--force-boot"]);
    assert_eq!(stage.ok(&["domstate", "kept", "--reason"]).trim(), "running (booted)");
    stage.ok(&["managedsave", "kept"]);
    stage.ok(&["managedsave-remove", "kept"]);
    assert!(
        stage.fails(&["managedsave-dumpxml", "kept"]).contains("domain does not have managed save image")
    );
    stage.ok(&["start", "kept"]);
    assert_eq!(stage.ok(&["domstate", "kept", "--reason"]).trim(), "running (booted)");
    stage.ok(&["managedsave", "kept"]);
    stage.ok(&["undefine", "kept", "--managed-save"]);
    let saves = stage.path("state/hvsh/qemu/save");
    assert_eq!(contents(&saves), Vec::<String>::new());
}

#[test]
fn a_damaged_image_is_refused_and_kept() {
    let stage = Stage::new();
    stage.define("torn", "");
    stage.ok(&["start", "torn"]);
    let image = stage.path("torn.save");
    let path = image.to_str().unwrap();
    stage.ok(&["save", "torn", path]);
    let whole = std::fs::read(&image).unwrap();
    let start = whole.windows(5).position(|bytes| bytes == b"QEVM\0").expect("QEMU's state begins");
    // The header, the definition, and QEMU's own part.
    for at in [20, 4100, start + 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&image, &damaged).unwrap();
        let complaint = stage.fails(&["restore", path]);
        assert!(!complaint.contains("panicked"), "{complaint}");
        assert_eq!(stage.ok(&["domstate", "torn"]).trim(), "shut off", "byte {at}: {complaint}");
        assert!(std::fs::read(&image).unwrap() == damaged, "the image is left as it was");
    }
    std::fs::write(&image, &whole).unwrap();
    stage.ok(&["restore", path]);
    assert_eq!(stage.ok(&["domstate", "torn"]).trim(), "running");
}
