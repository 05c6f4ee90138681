//! What runs beside QEMU: swtpm and passt come with the guest and go with it, and their death is told.

use crate::common::{Stage, children_of, in_guest, kill, wait_for};
use std::time::Duration;

fn installed(program: &str) -> bool {
    let there =
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).exists());
    if !there {
        eprintln!("SKIPPED: {program} is not installed");
    }
    there
}

/// The process of a program that the helper runs beside a guest.
fn beside(stage: &Stage, program: &str) -> Option<i32> {
    children_of(stage.helper_pid()?)
        .into_iter()
        .find(|(_, name)| name.starts_with(program))
        .map(|(pid, _)| pid)
}

#[track_caller]
fn wait_until_gone(stage: &Stage, program: &str) {
    let gone = wait_for(Duration::from_secs(20), || match beside(stage, program) {
        None => Ok(()),
        Some(pid) => Err(format!("{program} is still there: {pid}")),
    });
    assert_eq!(gone, Ok(()));
}

#[test]
fn a_tpm_has_its_process_and_its_memory() {
    if !installed("swtpm") {
        return;
    }
    let stage = Stage::new();
    stage.define("chip", "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
    stage.ok(&["start", "chip"]);
    assert!(beside(&stage, "swtpm").is_some(), "{:?}", children_of(stage.helper_pid().unwrap()));
    in_guest(&stage, "chip", "echo up $((40 + 2))", "up 42");
    let uuid = stage.ok(&["domuuid", "chip"]);
    let memory = stage.path("state/hvsh/swtpm").join(uuid.trim());
    assert!(memory.is_dir(), "{}", memory.display());
    stage.ok(&["destroy", "chip"]);
    // No zombie either.
    wait_until_gone(&stage, "swtpm");
    // Its end under a running guest is told, and the guest goes on.
    stage.ok(&["start", "chip"]);
    in_guest(&stage, "chip", "echo up $((40 + 2))", "up 42");
    kill(beside(&stage, "swtpm").unwrap(), 9);
    wait_until_gone(&stage, "swtpm");
    assert_eq!(stage.ok(&["domstate", "chip"]).trim(), "running");
    let log = std::fs::read_to_string(stage.path("state/hvsh/log/qemud.log"))
        .or_else(|_| std::fs::read_to_string(stage.path("state/hvsh/qemu/log/qemud.log")));
    let log = log.or_else(|_| find_log(&stage)).unwrap();
    assert!(log.contains("domain 'chip': swtpm is gone (signal 9 ended it)"), "{log}");
    stage.ok(&["destroy", "chip"]);
}

/// The helper's log, wherever it is below the stage.
fn find_log(stage: &Stage) -> std::io::Result<String> {
    let mut folders = vec![stage.root.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)?.flatten() {
            if entry.file_name() == "qemud.log" {
                return std::fs::read_to_string(entry.path());
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}

#[test]
fn a_start_that_fails_leaves_nothing_beside() {
    if !installed("swtpm") {
        return;
    }
    let stage = Stage::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    stage.define(
        "never",
        &format!(
            "<tpm model='tpm-crb'><backend type='emulator'/></tpm>\
             <graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/>"
        ),
    );
    stage.fails(&["start", "never"]);
    wait_until_gone(&stage, "swtpm");
}

#[test]
fn passt_gives_a_guest_its_network() {
    if !installed("passt") {
        return;
    }
    let stage = Stage::new();
    stage.define("net", "<interface type='user'><backend type='passt'/><model type='virtio'/></interface>");
    let said = stage.run(&["start", "net"]);
    if said.code != 0 {
        assert!(said.err.contains("passt"), "{said:?}");
        eprintln!("SKIPPED: passt cannot run here: {}", said.err);
        assert_eq!(stage.ok(&["domstate", "net"]).trim(), "shut off");
        return;
    }
    assert!(beside(&stage, "passt").is_some());
    in_guest(&stage, "net", "ip link show eth0 | grep -c LOWER_UP; echo link $((40 + 2))", "link 42");
    kill(beside(&stage, "passt").unwrap(), 9);
    wait_until_gone(&stage, "passt");
    in_guest(&stage, "net", "echo alive $((20 + 3))", "alive 23");
    stage.ok(&["destroy", "net"]);
}
