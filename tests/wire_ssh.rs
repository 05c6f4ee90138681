//! A host behind ssh: a real sshd on this machine, our helper at its end; loudly skipped where there is no sshd.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Said, Stage, guest_xml, wait_for};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const SSHD: &str = "/usr/sbin/sshd";

/// A host that is entered by ssh, with one key; it ends with its test.
struct Host {
    sshd: Child,
    port: u16,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

fn key(stage: &Stage, name: &str) -> String {
    let path = stage.path(name).display().to_string();
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &path]).status();
    assert!(made.unwrap().success());
    path
}

fn start_host(stage: &Stage) -> Host {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (own, theirs) = (key(stage, "host-key"), key(stage, "user-key"));
    let programs = Path::new(common::hvsh()).parent().unwrap().display();
    let root = stage.root.path().display();
    let config = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {own}\nAuthorizedKeysFile {theirs}.pub\nStrictModes no\n\
         PidFile none\nUsePAM no\nPermitRootLogin yes\nSetEnv PATH={programs}:/usr/bin:/bin HOME={root}/home \
         XDG_RUNTIME_DIR={root}/run XDG_CONFIG_HOME={root}/config XDG_STATE_HOME={root}/state \
         XDG_CACHE_HOME={root}/cache XDG_DATA_HOME={root}/data\n"
    );
    let config = stage.file("sshd_config", &config);
    if nix::unistd::geteuid().is_root() {
        // Where sshd gives up its rights; the service makes it, and here there may be none.
        std::fs::create_dir_all("/run/sshd").unwrap();
    }
    let log = std::fs::File::create(stage.path("sshd.log")).unwrap();
    let mut command = Command::new(SSHD);
    command.args(["-D", "-e", "-f", &config]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let host = Host { sshd: command.spawn().unwrap(), port };
    let listens = wait_for(Duration::from_secs(30), || {
        TcpStream::connect(("127.0.0.1", port)).map(drop).map_err(|error| error.to_string())
    });
    let log = || std::fs::read_to_string(stage.path("sshd.log"));
    assert_eq!(listens, Ok(()), "{:?}", log());
    host
}

#[test]
fn a_domain_lives_on_a_host_behind_ssh() {
    if !Path::new(SSHD).exists() {
        eprintln!("SKIPPED: there is no {SSHD}");
        return;
    }
    let stage = Stage::new();
    let host = start_host(&stage);
    // What ssh remembers of hosts must not become the user's.
    let command = "#!/bin/sh\nexec ssh -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \"$@\"\n";
    let command = stage.file("ssh", command);
    assert!(Command::new("chmod").args(["755", &command]).status().unwrap().success());
    let run = |key: &str, line: &[&str]| -> Said {
        let uri = format!(
            "qemu+ssh://127.0.0.1:{}/session?keyfile={}&no_verify=1&no_tty=1&command={command}",
            host.port,
            stage.path(key).display(),
        );
        stage.program(common::hvsh()).args(["-c", &uri]).args(line).output().unwrap().into()
    };
    let file = stage.file("far.xml", &guest_xml("far", ""));
    let steps: [(&[&str], &str); 6] = [
        (&["define", &file], "Domain 'far' defined from"),
        (&["start", "far", "--paused"], "Domain 'far' started"),
        (&["list"], " 1    far    paused"),
        (&["event", "far", "--all", "--timeout", "1"], "event loop timed out"),
        (&["destroy", "far"], "Domain 'far' destroyed"),
        (&["undefine", "far"], "Domain 'far' has been undefined"),
    ];
    for (line, expected) in steps {
        let said = run("user-key", line);
        assert!(said.out.contains(expected), "{line:?}: {said:?}");
    }
    // A key that opens nothing: what ssh says is passed on, once.
    let refused = run("host-key", &["list"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.starts_with("error: failed to connect to the hypervisor\n"), "{refused:?}");
    assert!(refused.err.contains("Permission denied"), "{refused:?}");
}
