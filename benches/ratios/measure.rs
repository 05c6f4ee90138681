//! How things are measured: the kernel's account of a process, medians, and the lines of the table.

use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

/// What one run of a process took.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub wall: f64,
    pub cpu: f64,
    pub peak_kib: f64,
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

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long something takes, in seconds.
pub fn seconds(body: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    body();
    begin.elapsed().as_secs_f64()
}

/// Medians over `runs`, the two commands in turn so that a drifting machine harms neither.
pub fn pair(runs: usize, ours: impl Fn() -> Command, theirs: impl Fn() -> Command) -> (Cost, Cost) {
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

/// The table's head.
pub fn head() {
    println!("| what | hvsh | the other | ratio | budget |\n| --- | --- | --- | --- | --- |");
}

/// A line of the table that compares two figures.
pub fn row(what: &str, ours: String, theirs: String, ratio: f64, budget: &str) {
    println!("| {what} | {ours} | {theirs} | {ratio:.2} | {budget} |");
}

/// A line of the table about hvsh alone.
pub fn figure(what: &str, ours: String, budget: &str) {
    println!("| {what} | {ours} | | | {budget} |");
}

pub fn milliseconds(seconds: f64) -> String {
    format!("{:.1} ms", seconds * 1e3)
}

pub fn mib(kib: f64) -> String {
    format!("{:.1} MiB", kib / 1024.0)
}

pub fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
