//! An older libvirt on the other end of the wire: its virsh drives our helper, and our shell its libvirtd. Loudly
//! skipped where the distribution has none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Said, Stage, guest_xml, wait_for};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The folder with an unpacked libvirt before version 11; made once, as the tests run side by side.
fn older_libvirt() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = home.join("target/older-libvirt");
        let made = Command::new(home.join("tools/older-libvirt")).arg(&folder).output().unwrap();
        if !made.status.success() {
            let why = String::from_utf8_lossy(&made.stderr).trim().to_string();
            eprintln!("SKIPPED: no libvirt before 11 can be had: {why}");
            return None;
        }
        Some(folder)
    });
    folder.as_deref()
}

/// Where its shared libraries are.
fn libraries(folder: &Path) -> PathBuf {
    let folders = std::fs::read_dir(folder.join("usr/lib")).unwrap().flatten();
    let mut paths = folders.map(|entry| entry.path()).filter(|path| path.join("libvirt.so.0").exists());
    paths.next().expect("libvirt.so.0")
}

fn older_virsh(stage: &Stage, folder: &Path, line: &[&str]) -> Said {
    let mut command = stage.program("timeout");
    command.arg("60").arg(folder.join("usr/bin/virsh")).env("LD_LIBRARY_PATH", libraries(folder));
    let socket = stage.path("run/hvsh/qemud-sock");
    command.arg("-c").arg(format!("qemu+unix:///session?socket={}", socket.display()));
    command.args(line).output().unwrap().into()
}

#[test]
fn an_older_virsh_drives_the_helper() {
    let Some(folder) = older_libvirt() else { return };
    let stage = Stage::new();
    stage.ok(&["list"]);
    let file = stage.file("old.xml", &guest_xml("old", ""));
    let image = stage.path("old.save").display().to_string();
    let steps: [(&[&str], &str); 13] = [
        (&["define", &file], "Domain 'old' defined from"),
        (&["start", "old"], "Domain 'old' started"),
        (&["list", "--all"], " 1    old    running"),
        (&["dominfo", "old"], "State:          running"),
        (&["domstats", "old"], "  state.state=1"),
        (&["dumpxml", "old"], "<domain type='qemu' id='1'>"),
        (&["suspend", "old"], "Domain 'old' suspended"),
        (&["domstate", "old", "--reason"], "paused (user)"),
        (&["save", "old", &image], "Domain 'old' saved to"),
        (&["restore", &image], "Domain restored from"),
        (&["event", "old", "--all", "--timeout", "1"], "event loop timed out"),
        (&["destroy", "old"], "Domain 'old' destroyed"),
        (&["undefine", "old"], "Domain 'old' has been undefined"),
    ];
    for (line, expected) in steps {
        let said = older_virsh(&stage, folder, line);
        assert!(said.out.contains(expected), "{line:?}: {said:?}");
    }
    assert_eq!(stage.ok(&["list", "--all", "--name"]).trim(), "");
}

/// A running libvirtd that ends with its test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it for a plain user, with folders of its own; as root it would be the machine's.
fn start_daemon(stage: &Stage, unpacked: &Path) -> Daemon {
    const NOBODY: u32 = 65534;
    // That user may not be let into the folder of the sources.
    let folder = stage.path("libvirt");
    assert!(Command::new("cp").arg("-r").arg(unpacked).arg(&folder).status().unwrap().success());
    let libraries = libraries(&folder);
    let mut command = stage.program(folder.join("usr/sbin/libvirtd"));
    command.env("LIBVIRT_DRIVER_DIR", libraries.join("libvirt/connection-driver"));
    command.env("LD_LIBRARY_PATH", &libraries).stdout(Stdio::null()).stderr(Stdio::null());
    if nix::unistd::geteuid().is_root() {
        let owned = ["", "home", "run", "config", "state", "cache", "data"];
        for path in owned.map(|name| stage.path(name)) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    Daemon(command.spawn().unwrap())
}

#[test]
fn our_shell_drives_an_older_libvirtd() {
    let Some(folder) = older_libvirt() else { return };
    let stage = Stage::new();
    let _daemon = start_daemon(&stage, folder);
    let socket = stage.path("run/libvirt/libvirt-sock");
    let uri = format!("qemu+unix:///session?socket={}", socket.display());
    let run = |line: &[&str]| -> Said {
        stage.program(common::hvsh()).args(["-c", &uri]).args(line).output().unwrap().into()
    };
    let answers = wait_for(Duration::from_secs(60), || {
        let said = run(&["uri"]);
        if said.code == 0 { Ok(()) } else { Err(format!("{said:?}")) }
    });
    assert_eq!(answers, Ok(()));
    let file = stage.file("old.xml", &guest_xml("old", ""));
    let steps: [(&[&str], &str); 9] = [
        (&["define", &file], "Domain 'old' defined from"),
        (&["list", "--all"], " -    old    shut off"),
        (&["dominfo", "old"], "State:          shut off"),
        (&["domstats", "old"], "  state.state=5"),
        (&["dumpxml", "old"], "<name>old</name>"),
        (&["desc", "old", "--title", "--config", "aged"], "Domain title updated successfully"),
        // It has not heard of the latest kinds of events.
        (&["event", "--all", "--timeout", "1"], "event loop timed out"),
        (&["nodeinfo"], "CPU model:"),
        (&["undefine", "old"], "Domain 'old' has been undefined"),
    ];
    for (line, expected) in steps {
        let said = run(line);
        assert!(said.out.contains(expected), "{line:?}: {said:?}");
    }
}
