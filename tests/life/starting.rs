//! Starts that fail: what is missing, closed, taken or refused is named, and the domain stays off.

use crate::common::{Stage, URI, guest_xml, hvsh};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

fn off(stage: &Stage, name: &str) {
    assert!(stage.ok(&["domstate", name]).contains("shut off"));
    assert_eq!(stage.qemu_pid(name), None);
}

#[test]
fn a_qemu_that_leaves_at_once_is_quoted() {
    let stage = Stage::new();
    let xml = guest_xml("odd", "").replace(
        "<domain type='qemu'>",
        "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
    );
    let argument = "<qemu:commandline><qemu:arg value='-no-such-option'/></qemu:commandline></domain>";
    stage.ok(&["define", &stage.file("odd.xml", &xml.replace("</domain>", argument))]);
    let complaint = stage.fails(&["start", "odd"]);
    assert!(complaint.contains("-no-such-option: invalid option"), "{complaint}");
    off(&stage, "odd");
    // The failure is no state that sticks.
    stage.ok(&[
        "define",
        &stage.file("odd.xml", &stage.ok(&["dumpxml", "odd"]).replace("-no-such-option", "-no-shutdown")),
    ]);
    stage.ok(&["start", "odd"]);
}

#[test]
fn without_a_qemu_the_helper_says_where_it_looked() {
    let stage = Stage::new();
    let emulator = stage.path("qemu-of-mine");
    std::os::unix::fs::symlink("/usr/bin/qemu-system-x86_64", &emulator).unwrap();
    let line = format!("<emulator>{}</emulator>", emulator.display());
    stage.define("lost", &line);
    std::fs::remove_file(&emulator).unwrap();
    let complaint = stage.fails(&["start", "lost"]);
    assert!(complaint.contains("qemu-of-mine"), "{complaint}");
    off(&stage, "lost");
    // No emulator of this kind on the machine at all.
    let complaint = stage.fails(&[
        "define",
        &stage.file("arch.xml", &guest_xml("arch", "").replace("arch='x86_64' machine='q35'", "arch='m68k'")),
    ]);
    assert!(complaint.contains("m68k"), "{complaint}");
}

#[test]
fn ports_in_use_are_named() {
    let stage = Stage::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    stage.define("tcp", &format!("<serial type='tcp'><source mode='bind' host='127.0.0.1' service='{port}'/><protocol type='raw'/></serial>"));
    let complaint = stage.fails(&["start", "tcp"]);
    assert!(complaint.contains(&port.to_string()) && complaint.contains("in use"), "{complaint}");
    off(&stage, "tcp");
    // An automatic port goes round what is taken, here and by another guest.
    stage.define("one", "<graphics type='vnc' autoport='yes'/>");
    stage.define("two", "<graphics type='vnc' autoport='yes'/>");
    stage.ok(&["start", "one"]);
    stage.ok(&["start", "two"]);
    assert_ne!(stage.ok(&["vncdisplay", "one"]), stage.ok(&["vncdisplay", "two"]));
}

/// A definition that a plain user starts, and what is said of it.
fn as_nobody(stage: &Stage, line: &[&str]) -> crate::common::Said {
    let mut command = stage.program(hvsh());
    command.args(["-c", URI]).args(line).uid(65534).gid(65534);
    command.output().unwrap().into()
}

#[test]
fn a_file_that_is_closed_to_the_user_is_named_with_the_user() {
    let stage = Stage::new();
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can become another user");
        return;
    }
    let own = |path: &Path| {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    };
    own(stage.root.path());
    for name in ["home", "run", "config", "state", "cache", "data"] {
        own(&stage.path(name));
    }
    let closed = stage.path("closed.img");
    std::fs::write(&closed, vec![0u8; 1 << 20]).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o600)).unwrap();
    let disk = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/></disk>",
        closed.display()
    );
    let xml = stage.file("closed.xml", &guest_xml("closed", &disk));
    std::fs::set_permissions(Path::new(&xml), std::fs::Permissions::from_mode(0o644)).unwrap();
    let defined = as_nobody(&stage, &["define", &xml]);
    if defined.err.contains("Permission denied") {
        eprintln!("SKIPPED: another user may not run the programs under test: {}", defined.err);
        return;
    }
    assert_eq!(defined.code, 0, "{defined:?}");
    let said = as_nobody(&stage, &["start", "closed"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains(&closed.display().to_string()), "{said:?}");
    assert!(said.err.contains("(as uid:65534, gid:65534): Permission denied"), "{said:?}");
    assert!(as_nobody(&stage, &["domstate", "closed"]).out.contains("shut off"));
}
