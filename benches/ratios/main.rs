//! The budgets as ratios, each pair measured in one run: hvsh against virsh (with libvirtd), hvsh's start, save and
//! restore against QEMU alone. Prints a Markdown table. What is not installed is left out and said so.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../../tests/common/mod.rs"]
mod common;
mod emulator;
mod guests;
mod measure;

use common::Stage;
use measure::{head, installed, mib, milliseconds, pair, row};
use std::process::Stdio;
use std::time::Duration;

fn one_shot(stage: &Stage) {
    let list = |program: &str| {
        let mut command = stage.program(program);
        command.args(["-c", "test:///default", "list", "--all"]);
        command
    };
    let (ours, theirs) = pair(41, || list(common::hvsh()), || list("virsh"));
    row(
        "`list --all` on test:///default, wall",
        milliseconds(ours.wall),
        format!("{} (virsh)", milliseconds(theirs.wall)),
        theirs.wall / ours.wall,
        "≥ 8",
    );
    let cpu = format!("{} (virsh)", milliseconds(theirs.cpu));
    row("… CPU", milliseconds(ours.cpu), cpu, theirs.cpu / ours.cpu.max(1e-4), "≥ 8");
    row(
        "… peak memory",
        mib(ours.peak_kib),
        format!("{} (virsh)", mib(theirs.peak_kib)),
        theirs.peak_kib / ours.peak_kib,
        "≤ 8 MiB",
    );
}

fn completion() {
    let complete = |program: &str| {
        let mut command = std::process::Command::new(program);
        command.args(["-q", "-c", "test:///default", "complete", "--", "domstate", "te"]);
        command.stdout(Stdio::null());
        command
    };
    let (ours, theirs) = pair(21, || complete(common::hvsh()), || complete("virsh"));
    row(
        "completion of a domain's name",
        milliseconds(ours.wall),
        format!("{} (virsh)", milliseconds(theirs.wall)),
        theirs.wall / ours.wall,
        "≤ 30 ms",
    );
}

/// The libvirtd of this machine, or one of our own for the time of the measurement.
struct Libvirtd {
    child: Option<std::process::Child>,
    uri: String,
}

impl Libvirtd {
    fn start(stage: &Stage) -> Option<Libvirtd> {
        const RUNNING: &str = "/run/libvirt/libvirt-sock";
        if std::os::unix::net::UnixStream::connect(RUNNING).is_ok() {
            return Some(Libvirtd { child: None, uri: format!("qemu+unix:///system?socket={RUNNING}") });
        }
        let sockets = stage.path("libvirt");
        std::fs::create_dir_all(&sockets).ok()?;
        let settings = format!(
            "unix_sock_dir = \"{}\"\nauth_unix_rw = \"none\"\nauth_unix_ro = \"none\"\n",
            sockets.display()
        );
        let settings = stage.file("libvirtd.conf", &settings);
        let mut command = stage.program("libvirtd");
        command.args(["-f", &settings, "-p"]).arg(stage.path("libvirtd.pid"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let root = nix::unistd::Uid::effective().is_root();
        let (socket, mode) = match root {
            true => (sockets.join("libvirt-sock"), "system"),
            false => (stage.path("run/libvirt/libvirt-sock"), "session"),
        };
        let ready = common::wait_for(Duration::from_secs(10), || match socket.exists() {
            true => Ok(()),
            false => Err(String::new()),
        });
        let uri = format!("qemu+unix:///{mode}?socket={}", socket.display());
        let daemon = Libvirtd { child: Some(child), uri };
        ready.is_ok().then_some(daemon)
    }
}

impl Drop for Libvirtd {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn against_libvirtd(stage: &Stage, count: usize, budget: &str) {
    let Some(libvirtd) = Libvirtd::start(stage) else {
        eprintln!("libvirtd does not start here: its rows are left out");
        return;
    };
    // One process for each side, or the preparations would take longer than what is measured.
    let names: Vec<String> = (0..count).map(|number| format!("hvsh-bench-{number}")).collect();
    let document = |name: &String| stage.file(&format!("{name}.xml"), &common::guest_xml(name, ""));
    let defines: Vec<String> = names.iter().map(|name| format!("define {}", document(name))).collect();
    let undefines: Vec<String> = names.iter().map(|name| format!("undefine {name}")).collect();
    let virsh = |line: &[String]| {
        let line = line.join(";");
        stage.program("virsh").args(["-q", "-c", &libvirtd.uri, &line]).output().unwrap()
    };
    stage.ok(&["-q", &defines.join(";")]);
    let defined = virsh(&defines);
    assert!(defined.status.success(), "virsh: {}", String::from_utf8_lossy(&defined.stderr));
    let list = |program: &str, uri: &str| {
        let mut command = stage.program(program);
        command.args(["-c", uri, "list", "--all"]);
        command
    };
    let (ours, theirs) = pair(21, || list(common::hvsh(), common::URI), || list("virsh", &libvirtd.uri));
    let noun = if count == 1 { "domain" } else { "domains" };
    let what = format!("`list --all` with {count} {noun}, wall");
    let other = format!("{} (virsh, libvirtd)", milliseconds(theirs.wall));
    row(&what, milliseconds(ours.wall), other, theirs.wall / ours.wall, budget);
    virsh(&undefines);
    stage.ok(&["-q", &undefines.join(";")]);
}

fn main() {
    // `cargo bench` passes options of its own harness.
    head();
    let stage = Stage::new();
    if installed("virsh") {
        one_shot(&stage);
        completion();
        against_libvirtd(&stage, 1, "≥ 8");
        against_libvirtd(&stage, 1000, "≥ 25");
    } else {
        eprintln!("virsh is not installed: its rows are left out");
    }
    guests::start_cost(&stage);
    guests::save_throughput(&stage);
    // A helper of its own: what came before would count as its memory.
    guests::helper(&Stage::new());
}
