//! The helper as a process: started once however many ask, gone in order, back after it was killed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use hvsh::backend::Connection;
use hvsh::backend::remote::RemoteConnection;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Private folders, and the helpers that live in them.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        Home { folder }
    }

    fn helper(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hvsh-qemud"));
        command.env_clear().env("HOME", self.folder.path()).env("XDG_RUNTIME_DIR", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).arg("--session");
        command
    }

    fn start(&self) -> Output {
        self.helper().output().unwrap()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("hvsh/qemud-sock")
    }

    /// The helpers that live in these folders.
    fn helpers(&self) -> Vec<i32> {
        let inside = format!("XDG_RUNTIME_DIR={}", self.folder.path().display());
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_ours = |pid: &i32| {
            let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let name = read("comm");
            let environment = read("environ");
            name.starts_with(b"hvsh-qemud")
                && environment.split(|byte| *byte == 0).any(|entry| entry == inside.as_bytes())
        };
        numbers.filter(is_ours).collect()
    }

    fn signal(&self, name: &str) {
        for pid in self.helpers() {
            let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
            assert!(sent.unwrap().success());
        }
    }

    fn wait_until_gone(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.helpers().is_empty() {
            assert!(Instant::now() < deadline, "still there: {:?}", self.helpers());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn connect(&self) -> RemoteConnection {
        RemoteConnection::open_socket(&self.socket(), "x", "test:///default", false).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        for pid in self.helpers() {
            let _ = Command::new("kill").arg("-9").arg(pid.to_string()).status();
        }
    }
}

#[test]
fn of_many_started_at_once_one_serves() {
    let home = Home::new();
    let starting: Vec<_> = (0..12)
        .map(|_| home.helper().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    for helper in starting {
        let output = helper.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        // Whoever came back early finds a helper all the same.
        assert_eq!(home.connect().host().driver_type().unwrap(), "TEST");
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while home.helpers().len() != 1 {
        assert!(Instant::now() < deadline, "{:?}", home.helpers());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_killed_helper_is_replaced_and_one_that_is_asked_leaves_nothing() {
    let home = Home::new();
    assert!(home.start().status.success());
    home.signal("KILL");
    home.wait_until_gone();
    assert!(home.socket().exists(), "a killed helper cannot clean up");
    assert!(RemoteConnection::open_socket(&home.socket(), "x", "test:///default", false).is_err());
    assert!(home.start().status.success());
    assert_eq!(home.connect().host().driver_type().unwrap(), "TEST");
    home.signal("TERM");
    home.wait_until_gone();
    assert!(!home.socket().exists());
}

#[test]
fn a_helper_nobody_needs_leaves_and_a_hang_up_does_not_end_it() {
    let home = Home::new();
    let output = home.helper().args(["--idle-exit", "1"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let client = home.connect();
    home.signal("HUP");
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(client.host().driver_type().unwrap(), "TEST");
    drop(client);
    home.wait_until_gone();
}

#[test]
fn the_sockets_are_for_their_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    assert!(home.start().status.success());
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.folder.path().join("hvsh")), 0o700);
    assert_eq!(mode(home.socket()), 0o600);
    let log = home.folder.path().join(".local/state/hvsh/log/qemud.log");
    assert!(std::fs::read_to_string(log).unwrap().contains("serving in"));
}

#[test]
fn what_cannot_be_is_refused_in_one_line() {
    let home = Home::new();
    for words in [
        &["--bogus"][..],
        &["--idle-exit", "soon"],
        &["--relay"],
        &["--folder"],
        &["--sytem"],
        &["qemu:///session"],
    ] {
        let output = home.helper().args(words).output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(complaint.starts_with("error: ") && complaint.lines().count() == 1, "{complaint}");
    }
    let file = home.folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = home.helper().arg("--folder").arg(file.join("below")).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains("did not start: cannot create folder"), "{complaint}");
    assert_eq!(home.helpers(), [0; 0]);
}

#[test]
fn a_relay_joins_its_own_streams_to_the_helper() {
    let home = Home::new();
    let mut relay = Command::new(env!("CARGO_BIN_EXE_hvsh-qemud"));
    relay.env_clear().env("HOME", home.folder.path()).env("XDG_RUNTIME_DIR", home.folder.path());
    // The far end of ssh: nothing but its two streams, and it starts the helper itself.
    let (near, far) = UnixStream::pair().unwrap();
    let output = far.try_clone().unwrap();
    let mut child = relay
        .args(["--relay", "qemu:///session"])
        .stdin(std::os::fd::OwnedFd::from(far))
        .stdout(std::os::fd::OwnedFd::from(output))
        .spawn()
        .unwrap();
    drop(relay);
    let connection = RemoteConnection::open_helper(near, "x", "test:///default", false).unwrap();
    assert_eq!(connection.host().driver_type().unwrap(), "TEST");
    drop(connection);
    assert!(child.wait().unwrap().success());
}

#[test]
fn shells_that_race_to_start_it_end_with_one_helper() {
    let home = Home::new();
    let shells: Vec<_> = (0..8)
        .map(|_| {
            let mut shell = Command::new(env!("CARGO_BIN_EXE_hvsh"));
            shell.env_clear().env("HOME", home.folder.path()).env("XDG_RUNTIME_DIR", home.folder.path());
            shell.env("HVSH_QEMUD", env!("CARGO_BIN_EXE_hvsh-qemud")).stdin(Stdio::null());
            shell.args(["-c", "qemu:///session", "uri"]);
            shell.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for shell in shells {
        let output = shell.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "qemu:///session\n\n", "{output:?}");
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while home.helpers().len() != 1 {
        assert!(Instant::now() < deadline, "{:?}", home.helpers());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_shell_without_a_helper_says_where_it_looked() {
    let home = Home::new();
    let named = home.folder.path().join("nothing-here");
    let mut shell = Command::new(env!("CARGO_BIN_EXE_hvsh"));
    shell.env_clear().env("HOME", home.folder.path()).env("XDG_RUNTIME_DIR", home.folder.path());
    shell.env("HVSH_QEMUD", &named).args(["-c", "qemu:///session", "uri"]);
    let output = shell.output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("HVSH_QEMUD names") && complaint.contains("nothing-here"), "{complaint}");
}

/// Joins one client at a time to the helper, and counts how often the client speaks after it was answered.
fn count_turns(listener: &UnixListener, helper: &Path) -> usize {
    let (client, _) = listener.accept().unwrap();
    let upstream = UnixStream::connect(helper).unwrap();
    let heard = AtomicBool::new(true);
    let turns = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = (&upstream).read(&mut bytes) {
                heard.store(true, Ordering::SeqCst);
                if (&client).write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
            let _ = client.shutdown(Shutdown::Both);
        });
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = (&client).read(&mut bytes) {
            if heard.swap(false, Ordering::SeqCst) {
                turns.fetch_add(1, Ordering::SeqCst);
            }
            (&upstream).write_all(&bytes[..count]).unwrap();
        }
        let _ = upstream.shutdown(Shutdown::Both);
    });
    turns.into_inner()
}

#[test]
fn listing_takes_as_many_turns_for_many_domains_as_for_one() {
    let home = Home::new();
    let definition = |number: usize| {
        let path = home.folder.path().join(format!("{number}.xml"));
        let text = format!(
            "<domain type='qemu'><name>turns-{number}</name><memory>16384</memory>
             <os><type arch='x86_64' machine='pc'>hvm</type></os></domain>"
        );
        std::fs::write(&path, text).unwrap();
        format!("define {}", path.display())
    };
    let hvsh = |uri: &str, words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hvsh"));
        command.env_clear().env("HOME", home.folder.path()).env("XDG_RUNTIME_DIR", home.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = command.args(["-q", "-c", uri]).args(words).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let path = home.folder.path().join("counted");
    let counted = format!("qemu+unix:///session?socket={}", path.display());
    let listener = UnixListener::bind(&path).unwrap();
    let turns = |domains: usize| {
        std::thread::scope(|scope| {
            let counter = scope.spawn(|| count_turns(&listener, &home.socket()));
            let listed = hvsh(&counted, &["list", "--all"]);
            assert_eq!(listed.lines().filter(|line| line.contains("turns-")).count(), domains);
            counter.join().unwrap()
        })
    };
    hvsh("qemu:///session", &[&definition(0)]);
    let for_one = turns(1);
    let more: Vec<String> = (1..60).map(definition).collect();
    hvsh("qemu:///session", &[&more.join(";")]);
    assert_eq!(turns(60), for_one);
    assert!(for_one <= 3, "opening, asking and closing take {for_one} turns");
}
