//! Moving a guest between two real libvirtds, each in mount and host name namespaces of its own; loudly skipped
//! where that cannot be done.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A libvirtd with its own state, sockets, host name and host uuid.
struct Daemon {
    process: Child,
    root: PathBuf,
}

const SCRIPT: &str = "mount --make-rprivate / && \
    for pair in run:/run/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt etc:/etc/libvirt log:/var/log/libvirt; do \
        mkdir -p ${pair#*:} && mount --bind $ROOT/${pair%%:*} ${pair#*:} || exit 1; done && \
    cat /etc/hosts > $ROOT/hosts && echo 127.0.0.1 $NAME.example >> $ROOT/hosts && \
    mount --bind $ROOT/hosts /etc/hosts && hostname $NAME.example && \
    exec timeout -k 5 240 libvirtd --pid-file $ROOT/pid --config /etc/libvirt/libvirtd.conf";

impl Daemon {
    fn start(root: &Path, name: &str, number: u32) -> Daemon {
        let root = root.join(name);
        for folder in ["run", "lib", "cache", "etc", "log", "sock"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let shown = root.display();
        let settings = format!(
            "unix_sock_dir = \"{shown}/sock\"\nauth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\n\
             host_uuid = \"4f1d37a6-8e1b-4a53-9d5c-0000000000{number:02}\"\n"
        );
        fs::write(root.join("etc/libvirtd.conf"), settings).unwrap();
        let guests = "user = \"root\"\ngroup = \"root\"\ncgroup_controllers = []\nnamespaces = []\n\
                      security_driver = \"none\"\nremember_owner = 0\nstdio_handler = \"file\"\n";
        fs::write(root.join("etc/qemu.conf"), guests).unwrap();
        let process = Command::new("unshare")
            .args(["-m", "-u", "bash", "-c", SCRIPT])
            .env("ROOT", &root)
            .env("NAME", name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Daemon { process, root }
    }

    fn uri(&self) -> String {
        format!("qemu+unix:///system?socket={}/sock/libvirt-sock", self.root.display())
    }

    fn hvsh(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hvsh"));
        command.args(["-c", &self.uri()]).args(arguments).stdin(Stdio::null());
        command.output().unwrap()
    }

    fn answer(&self, arguments: &[&str]) -> String {
        let output = self.hvsh(arguments);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// Whether it answers within a while.
    fn answers(&self) -> bool {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(60) {
            if self.hvsh(&["uri"]).status.success() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.hvsh(&["destroy", "wanderer"]);
        // `timeout` passes the signal on to the daemon.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

const GUEST: &str = "<domain type='qemu'><name>wanderer</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
    <os><type arch='x86_64' machine='pc'>hvm</type></os>\
    <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>";

fn can_be_done() -> bool {
    let programs = ["/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64", "/usr/bin/unshare"];
    let missing = programs.into_iter().find(|program| !Path::new(program).exists());
    if let Some(missing) = missing {
        eprintln!("SKIPPED: {missing} is not installed");
    }
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("SKIPPED: only root can run two libvirtds");
    }
    missing.is_none() && root
}

#[test]
fn a_guest_moves_between_two_libvirtds() {
    if !can_be_done() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (Daemon::start(folder.path(), "here", 1), Daemon::start(folder.path(), "there", 2));
    if !here.answers() || !there.answers() {
        eprintln!("SKIPPED: libvirtd does not start in namespaces here");
        return;
    }
    let file = folder.path().join("wanderer.xml");
    fs::write(&file, GUEST).unwrap();
    here.answer(&["create", file.to_str().unwrap(), "--paused"]);

    // Driven from here, paused as it was, under another name, with the definition kept.
    let moved = ["migrate", "wanderer", &there.uri(), "--live", "--persistent", "--migrateuri"];
    let told = here.hvsh(&[&moved[..], &["tcp://127.0.0.1:49481", "--verbose"]].concat());
    assert!(told.status.success(), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).ends_with("Migration: [100.00 %]"), "{told:?}");
    assert_eq!(here.answer(&["list", "--all", "--name"]).trim(), "");
    assert_eq!(there.answer(&["domstate", "wanderer", "--reason"]).trim(), "paused (user)");
    there.answer(&["resume", "wanderer"]);

    // Driven by the daemon that has it.
    let back =
        ["migrate", "wanderer", &here.uri(), "--live", "--p2p", "--migrateuri", "tcp://127.0.0.1:49482"];
    there.answer(&back);
    assert_eq!(here.answer(&["domstate", "wanderer", "--reason"]).trim(), "running (migrated)");
    assert_eq!(there.answer(&["domstate", "wanderer"]).trim(), "shut off");

    // What fails leaves the guest where it is, and its own host can go on with it.
    let refused = here.hvsh(&["migrate", "wanderer", &here.uri(), "--live"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("same host"), "{refused:?}");
    here.answer(&["suspend", "wanderer"]);
    assert_eq!(here.answer(&["domstate", "wanderer"]).trim(), "paused");
    here.answer(&["destroy", "wanderer"]);

    // A definition alone.
    let moved = ["migrate", "wanderer", &here.uri(), "--offline", "--persistent", "--undefinesource"];
    there.answer(&moved);
    assert_eq!(there.answer(&["list", "--all", "--name"]).trim(), "");
    assert_eq!(here.answer(&["domstate", "wanderer"]).trim(), "shut off");
}
