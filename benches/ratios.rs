//! The budgets as ratios, each pair measured in one run: hvsh against virsh (with libvirtd), hvsh's start and
//! save against QEMU alone. Prints a Markdown table. What is not installed is left out and said so.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::Stage;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What one run of a process took.
#[derive(Clone, Copy, Default)]
struct Cost {
    wall: f64,
    cpu: f64,
    peak_kib: f64,
}

/// Runs a command to its end and asks the kernel what it took.
fn cost(mut command: Command) -> Cost {
    command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let used = child.wait4().expect("the program ends").rusage;
    Cost {
        wall: begin.elapsed().as_secs_f64(),
        cpu: (used.utime + used.stime).as_secs_f64(),
        peak_kib: used.maxrss as f64 / 1024.0,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Medians over `runs`, the two commands in turn so that a drifting machine harms neither.
fn pair(runs: usize, ours: impl Fn() -> Command, theirs: impl Fn() -> Command) -> (Cost, Cost) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    cost(ours());
    cost(theirs());
    for _ in 0..runs {
        a.push(cost(ours()));
        b.push(cost(theirs()));
    }
    let middle = |costs: &[Cost]| Cost {
        wall: median(costs.iter().map(|c| c.wall).collect()),
        cpu: median(costs.iter().map(|c| c.cpu).collect()),
        peak_kib: median(costs.iter().map(|c| c.peak_kib).collect()),
    };
    (middle(&a), middle(&b))
}

fn row(what: &str, ours: String, theirs: String, ratio: f64, budget: &str) {
    println!("| {what} | {ours} | {theirs} | {ratio:.1} | {budget} |");
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

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
        milliseconds(theirs.wall),
        theirs.wall / ours.wall,
        "≥ 8",
    );
    row("… CPU", milliseconds(ours.cpu), milliseconds(theirs.cpu), theirs.cpu / ours.cpu.max(1e-4), "≥ 8");
    let mib = |kib: f64| format!("{:.1} MiB", kib / 1024.0);
    row(
        "… peak memory",
        mib(ours.peak_kib),
        mib(theirs.peak_kib),
        theirs.peak_kib / ours.peak_kib,
        "≤ 8 MiB",
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
    let (ours, theirs) = pair(11, || list(common::hvsh(), common::URI), || list("virsh", &libvirtd.uri));
    let what = format!("`list --all` with {count} domains, wall");
    row(&what, milliseconds(ours.wall), milliseconds(theirs.wall), theirs.wall / ours.wall, budget);
    virsh(&undefines);
    stage.ok(&["-q", &undefines.join(";")]);
}

/// What `start` costs beyond QEMU's own time from exec to a monitor that answers.
fn start_cost(stage: &Stage) {
    stage.define("startup", "");
    let (mut ours, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let begin = Instant::now();
        stage.ok(&["start", "startup"]);
        ours.push(begin.elapsed().as_secs_f64());
        let line = std::fs::read(format!("/proc/{}/cmdline", stage.qemu_pid("startup").unwrap())).unwrap();
        stage.ok(&["destroy", "startup"]);
        alone.push(qemu_alone(stage, &line));
    }
    let (ours, alone) = (median(ours), median(alone));
    row(
        "`start`, whole command, against QEMU alone",
        milliseconds(ours),
        milliseconds(alone),
        ours / alone,
        "≤ 15 ms more",
    );
    stage.ok(&["undefine", "startup"]);
}

/// The same QEMU by hand: from exec to the monitor's answer.
fn qemu_alone(stage: &Stage, line: &[u8]) -> f64 {
    use std::io::{BufRead, BufReader, Write};
    let mut words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let program = words.next().unwrap();
    let machine: Vec<String> = words.collect();
    let machine =
        machine.iter().position(|word| word == "-machine").map(|at| machine[at + 1].clone()).unwrap();
    // What follows the machine's name refers to objects that this QEMU does not have.
    let machine = format!("{},accel=tcg", machine.split(',').next().unwrap());
    let mut command = stage.program(program);
    command.args([
        "-machine",
        &machine,
        "-m",
        "192",
        "-display",
        "none",
        "-nodefaults",
        "-S",
        "-qmp",
        "stdio",
    ]);
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("QEMU starts");
    let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let _greeting = answers.next();
    let mut monitor = child.stdin.take().unwrap();
    monitor.write_all(b"{\"execute\":\"qmp_capabilities\"}\n").unwrap();
    let _answer = answers.next();
    let took = begin.elapsed().as_secs_f64();
    let _ = child.kill();
    let _ = child.wait();
    took
}

fn helper_memory(stage: &Stage) {
    let resident = || {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", stage.helper_pid().unwrap())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
    };
    stage.ok(&["list"]);
    let idle = resident();
    println!(
        "| helper, idle | {:.1} MiB | 38 MiB (libvirtd) | {:.1} | ≤ 8 MiB |",
        idle / 1024.0,
        38.0 * 1024.0 / idle
    );
    let names: Vec<String> = (0..200).map(|number| format!("memory-{number}")).collect();
    for name in &names {
        stage.define(name, "");
    }
    let defined = (resident() - idle) / 200.0;
    println!("| helper, a defined domain | {defined:.0} KiB | | | ≤ 40 KiB |");
    let undefines: Vec<String> = names.iter().map(|name| format!("undefine {name}")).collect();
    stage.ok(&["-q", &undefines.join(";")]);
}

fn main() {
    // `cargo bench` passes options of its own harness.
    println!("| what | hvsh | the other | ratio | budget |\n| --- | --- | --- | --- | --- |");
    let stage = Stage::new();
    if installed("virsh") {
        one_shot(&stage);
        against_libvirtd(&stage, 1, "≥ 8");
        against_libvirtd(&stage, 1000, "≥ 25");
    } else {
        eprintln!("virsh is not installed: its rows are left out");
    }
    start_cost(&stage);
    helper_memory(&stage);
}
