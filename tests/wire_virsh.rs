//! The real virsh against our server, where virsh is installed; loudly skipped elsewhere.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod mock;

use mock::ServerStage;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Virsh with a private home, speaking to the stage.
fn virsh(stage: &ServerStage, socket: &str, words: &[&str]) -> Command {
    let uri = format!("qemu+unix:///session?socket={}", stage.socket(socket).display());
    let mut command = Command::new("virsh");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("LC_ALL", "C").env("HOME", stage.folder.path()).stdin(Stdio::null());
    command.env("XDG_RUNTIME_DIR", stage.folder.path()).args(["-c", &uri]).args(words);
    command
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The stage, or `None` where there is no virsh.
fn stage() -> Option<ServerStage> {
    if Command::new("virsh").arg("--version").output().is_err() {
        eprintln!("SKIPPED: virsh is not installed");
        return None;
    }
    Some(ServerStage::new())
}

#[test]
fn virsh_lists_and_shows() {
    let Some(stage) = stage() else { return };
    let (out, err) =
        said(&virsh(&stage, "rw", &["list --all; domstate alpha; dumpxml beta; hostname"]).output().unwrap());
    assert_eq!(err, "");
    assert_eq!(
        out,
        " Id   Name    State\n------------------------\n 7    alpha   running\n -    beta    shut off\n\nrunning\n\n\
         <domain type='qemu'>\n  <name>beta</name>\n</domain>\n\nmock\n\n"
    );
}

#[test]
fn virsh_is_told_our_version_and_errors() {
    let Some(stage) = stage() else { return };
    let (out, err) = said(
        &virsh(&stage, "rw", &["-k1", "-K2", "version --daemon; destroy alpha; domuuid nobody"])
            .output()
            .unwrap(),
    );
    assert!(out.contains("Running against daemon: 11.3.0"), "{out}{err}");
    assert!(
        err.contains("error: Requested operation is not valid: domain 'alpha' is not for destroying"),
        "{err}"
    );
    assert!(err.contains("error: failed to get domain 'nobody'"), "{err}");
    let (_, err) = said(&virsh(&stage, "rw", &["vol-list x"]).output().unwrap());
    assert!(
        err.contains("this function is not supported by the connection driver: virStoragePoolLookupByName"),
        "{err}"
    );
}

#[test]
fn virsh_may_only_read_on_the_read_only_socket_and_with_its_own_option() {
    let Some(stage) = stage() else { return };
    for (socket, option) in [("ro", "-q"), ("rw", "-r")] {
        let output = virsh(&stage, socket, &[option, "suspend alpha"]).output().unwrap();
        let (_, err) = said(&output);
        assert!(err.contains("read only access prevents virDomainSuspend"), "{socket}: {err}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn virsh_sees_events_of_other_clients() {
    let Some(stage) = stage() else { return };
    let mut watching = virsh(&stage, "rw", &["event", "--event", "lifecycle", "--loop", "--timeout", "2"]);
    let watching = watching.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    stage.wait_for_clients(1);
    // The connection is there before the subscription is.
    std::thread::sleep(Duration::from_millis(700));
    let output = virsh(&stage, "rw", &["-q", "suspend alpha; resume beta"]).output().unwrap();
    assert!(output.status.success());
    let (out, err) = said(&watching.wait_with_output().unwrap());
    assert_eq!(err, "");
    assert_eq!(
        out,
        "event 'lifecycle' for domain 'alpha': Suspended Paused\nevent 'lifecycle' for domain 'beta': Resumed \
         Unpaused\nevent loop timed out\nevents received: 2\n\n"
    );
}

#[test]
fn virsh_stays_alive_by_pings() {
    let Some(stage) = stage() else { return };
    let words = ["-k1", "-K1", "event --event reboot --timeout 4; hostname"];
    let (out, _) = said(&virsh(&stage, "rw", &words).output().unwrap());
    assert!(out.ends_with("mock\n\n"), "{out}");
}

#[test]
fn virsh_takes_a_screenshot_and_uploads_a_volume() {
    let Some(stage) = stage() else { return };
    let picture = stage.socket("picture");
    let line = format!("screenshot alpha {}", picture.display());
    let (_, err) = said(&virsh(&stage, "rw", &[&line]).output().unwrap());
    assert_eq!(err, "");
    assert_eq!(std::fs::read(picture).unwrap(), vec![42; mock::PICTURE]);
}
