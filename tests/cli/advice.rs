//! What a person at a terminal is told after a slip, and where nobody answers: every state is a real one.

use crate::stage::{Stage, skipped};
use rexpect::session::spawn_command;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// What a command says at a plain terminal.
fn said(mut command: Command, arguments: &[&str]) -> String {
    command.env("TERM", "dumb").args(arguments);
    spawn_command(command, Some(20_000)).unwrap().exp_eof().unwrap()
}

fn uri(path: &Path) -> String {
    format!("qemu+unix:///system?socket={}", path.display())
}

#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let stage = Stage::new();
    for (line, hint) in [
        (&["lsit"][..], "did you mean 'list'? 'help' lists all commands"),
        (&["list", "--al"], "did you mean '--all'? 'help list' lists its options"),
        (&["dominfo", "tset"], "did you mean 'test'?"),
        (&["net-info", "defalt"], "did you mean 'default'?"),
        (&["pool-info", "default-pol"], "did you mean 'default-pool'?"),
        (&["vol-list", "default-pol"], "did you mean 'default-pool'?"),
        (&["iface-mac", "eth11"], "did you mean 'eth1'?"),
        (&["nodedev-info", "computr"], "did you mean 'computer'?"),
    ] {
        let words = [&["-c", "test:///default"], line].concat();
        let told = said(stage.command(), &words);
        assert!(told.contains(&format!("\nhint: {hint}\r\n")), "{line:?}: {told}");
        // Programs compare what stands on standard error, so they are told no more than virsh tells them.
        assert!(!stage.run(&words, "").err.contains("hint"), "{line:?}");
    }
}

#[test]
fn a_connection_that_fails_is_explained() {
    let stage = Stage::new();
    let folder = stage.root.path();
    let missing = said(stage.command(), &["-c", &uri(&folder.join("missing")), "list"]);
    assert!(
        missing.contains("hint: there is no socket ") && missing.contains("so nobody listens there"),
        "{missing}"
    );

    let path = folder.join("left");
    drop(UnixListener::bind(&path).unwrap());
    let left = said(stage.command(), &["-c", &uri(&path), "list"]);
    assert!(left.contains("hint: nobody listens at the socket "), "{left}");

    // The other one of the two helpers is running.
    let own = folder.join("run/hvsh/qemud-sock");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    let listener = UnixListener::bind(&own).unwrap();
    let elsewhere = said(stage.command(), &["-c", &uri(&folder.join("missing")), "list"]);
    assert!(elsewhere.contains("hint: your own helper answers: -c qemu:///session"), "{elsewhere}");
    drop(listener);
}

#[test]
fn a_closed_socket_is_explained_to_whom_it_is_closed() {
    if !nix::unistd::geteuid().is_root() {
        return skipped("only root can become another user");
    }
    let stage = Stage::new();
    let folder = stage.root.path();
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    open(folder);
    let path = folder.join("closed");
    let listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    // Another user may not be able to reach the place where the shell was built.
    let program = folder.join("hvsh");
    std::fs::copy(env!("CARGO_BIN_EXE_hvsh"), &program).unwrap();
    open(&program);
    let mut command = stage.program(&program);
    command.uid(65534).gid(65534);
    let closed = said(command, &["-c", &uri(&path), "list"]);
    assert!(closed.contains("Permission denied"), "{closed}");
    let owner =
        format!("hint: the socket {} belongs to root:root (mode 0600); you are nobody", path.display());
    assert!(closed.contains(&owner), "{closed}");
    drop(listener);
}
