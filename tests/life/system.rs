//! The helper of the system, run by root in private folders: who may do what through which socket; socket activation.

use crate::common::{Said, Stage, hvsh, wait_for};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NOBODY: u32 = 65534;
/// The group that may use the helper, as far as this helper can see.
const GROUP: u32 = 54_242;

/// A running helper of the system.
struct System {
    stage: Stage,
    child: Child,
}

impl System {
    /// None, loudly, where we are not root.
    fn start(launcher: &[&str]) -> Option<System> {
        if !nix::unistd::geteuid().is_root() {
            eprintln!("SKIPPED: only root can run the helper of the system");
            return None;
        }
        let stage = Stage::new();
        std::fs::set_permissions(stage.root.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::create_dir(stage.path("sockets")).unwrap();
        let mut command = stage.program(launcher[0]);
        command.args(&launcher[1..]).arg(env!("CARGO_BIN_EXE_hvsh-qemud"));
        command.args(["--system", "--foreground", "--folder"]).arg(stage.path("sockets"));
        command.arg("--root").arg(stage.path("root")).env("FOLDER", stage.path("sockets"));
        let child = command.stderr(Stdio::null()).spawn().unwrap();
        let system = System { stage, child };
        let socket = system.socket("qemud-sock-ro");
        let listens = wait_for(Duration::from_secs(30), || {
            let said = system.run(0, 0, "qemud-sock-ro", &["-r", "uri"]);
            if said.code == 0 { Ok(()) } else { Err(format!("{}: {}", socket.display(), said.err)) }
        });
        assert_eq!(listens, Ok(()));
        Some(system)
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.stage.path("sockets").join(name)
    }

    /// Runs the shell as somebody through one of the sockets.
    fn run(&self, uid: u32, gid: u32, socket: &str, line: &[&str]) -> Said {
        let mut command = self.stage.program(hvsh());
        let uri = format!("qemu+unix:///system?socket={}", self.socket(socket).display());
        command.args(["-c", &uri]).args(line).uid(uid).gid(gid);
        command.output().expect("the shell runs").into()
    }

    #[track_caller]
    fn ok(&self, line: &[&str]) -> String {
        let said = self.run(0, 0, "qemud-sock", line);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{line:?}: {said:?}");
        said.out
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether another user can run the shell from where it was built.
fn others_may_run_it(system: &System) -> bool {
    let mut command = system.stage.program(hvsh());
    let ran = command.args(["-v"]).uid(NOBODY).gid(NOBODY).output();
    let may = ran.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("SKIPPED: another user may not run {}", hvsh());
    }
    may
}

fn idle_guest(system: &System) -> String {
    let xml = "<domain type='qemu'><name>shared</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
               <os><type arch='x86_64' machine='pc'>hvm</type></os>\
               <devices><graphics type='vnc' passwd='secret'/></devices></domain>";
    system.stage.file("shared.xml", xml)
}

#[test]
fn the_sockets_hold_their_rights() {
    // A file system view of its own in which the group exists.
    let script = "cp /etc/group \"$FOLDER/group\" && echo hvsh:x:54242: >> \"$FOLDER/group\" && \
                  mount --bind \"$FOLDER/group\" /etc/group && exec \"$0\" \"$@\"";
    let Some(system) = System::start(&["unshare", "-m", "sh", "-c", script]) else {
        return;
    };
    let mode = |name: &str| std::fs::metadata(system.socket(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("qemud-sock"), mode("qemud-sock-ro")), (0o660, 0o666));
    let known = std::fs::metadata(system.socket("qemud-sock")).unwrap();
    assert_eq!((known.gid(), known.file_type().is_socket()), (GROUP, true));
    assert_eq!(
        system.ok(&["uri"]).trim(),
        format!("qemu+unix:///system?socket={}", system.socket("qemud-sock").display())
    );
    system.ok(&["define", &idle_guest(&system)]);
    system.ok(&["start", "shared"]);
    if !others_may_run_it(&system) {
        return;
    }
    // Anybody may look, through the socket that is for it, and sees no secrets.
    let seen = system.run(NOBODY, NOBODY, "qemud-sock-ro", &["-r", "domstate", "shared"]);
    assert_eq!((seen.code, seen.out.trim()), (0, "running"), "{seen:?}");
    let shown = system.run(NOBODY, NOBODY, "qemud-sock-ro", &["-r", "dumpxml", "shared"]);
    assert!(shown.code == 0 && !shown.out.contains("secret"), "{shown:?}");
    let secrets = system.run(NOBODY, NOBODY, "qemud-sock-ro", &["dumpxml", "shared", "--security-info"]);
    assert!(secrets.err.contains("forbidden") && !secrets.out.contains("secret"), "{secrets:?}");
    // What it may not do it may not do without -r either: the helper says so, not the shell.
    for line in [
        &["destroy", "shared"][..],
        &["suspend", "shared"],
        &["undefine", "shared"],
        &["qemu-monitor-command", "shared", "{}"],
    ] {
        let said = system.run(NOBODY, NOBODY, "qemud-sock-ro", line);
        assert!(said.code == 1 && said.err.contains("forbidden"), "{line:?}: {said:?}");
    }
    let closed = system.run(NOBODY, NOBODY, "qemud-sock", &["list"]);
    assert!(closed.code == 1 && closed.err.contains("Permission denied"), "{closed:?}");
    // A member of the group may do all.
    let member = system.run(NOBODY, GROUP, "qemud-sock", &["suspend", "shared"]);
    assert_eq!(member.code, 0, "{member:?}");
    assert_eq!(system.ok(&["domstate", "shared"]).trim(), "paused");
    system.ok(&["destroy", "shared"]);
    system.ok(&["undefine", "shared"]);
}

#[test]
fn a_service_manager_hands_its_sockets_over() {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("SKIPPED: python3 plays the service manager and is not installed");
        return;
    }
    let script = "import os, socket, sys\n\
        for number, name in ((3, 'qemud-sock'), (4, 'qemud-sock-ro')):\n\
        \x20   listener = socket.socket(socket.AF_UNIX)\n\
        \x20   listener.bind(os.path.join(os.environ['FOLDER'], name))\n\
        \x20   listener.listen()\n\
        \x20   os.dup2(listener.detach(), number + 10)\n\
        for number in (3, 4):\n\
        \x20   os.dup2(number + 10, number)\n\
        \x20   os.close(number + 10)\n\
        os.environ['LISTEN_FDS'] = '2'\n\
        os.environ['LISTEN_PID'] = str(os.getpid())\n\
        os.execv(sys.argv[1], sys.argv[1:])\n";
    let Some(mut system) = System::start(&["python3", "-c", script]) else {
        return;
    };
    system.ok(&["define", &idle_guest(&system)]);
    system.ok(&["start", "shared"]);
    let said = system.run(0, 0, "qemud-sock-ro", &["destroy", "shared"]);
    assert!(said.err.contains("forbidden"), "{said:?}");
    // The sockets are the manager's: they stay when the helper goes, and the guest stays too.
    let qemu = system.stage.qemu_pid("shared").unwrap();
    crate::common::kill(system.child.id() as i32, 15);
    assert!(system.child.wait().unwrap().success());
    assert!(system.socket("qemud-sock").exists() && system.socket("qemud-sock-ro").exists());
    assert_eq!(system.stage.qemu_pid("shared"), Some(qemu));
}
