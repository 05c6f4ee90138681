//! The helper is killed at random points while guests live and changes are under way: nothing acknowledged is lost.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod common;

use common::{Said, Stage, kill};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const GUESTS: usize = 20;
const KILLS: usize = 200;

/// A small generator; the seed is printed so that a failure can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A guest without a system: its firmware finds nothing to boot and waits.
fn idle_guest(name: &str) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os><devices><serial type='null'/></devices></domain>"
    )
}

/// What has been acknowledged so far.
#[derive(Default)]
struct Promised {
    titles: BTreeMap<String, String>,
    defined: Vec<String>,
}

impl Promised {
    /// One random change, and what it promises if it is acknowledged.
    fn change(
        &mut self,
        stage: &Stage,
        random: &mut Random,
        turn: usize,
    ) -> std::thread::JoinHandle<(Change, Said)> {
        let guest = format!("guest-{}", random.below(GUESTS as u64));
        let change = match random.below(5) {
            0 => Change::Define(format!("extra-{turn}")),
            1 | 2 => Change::Title(guest, format!("title {turn}")),
            3 => Change::Suspend(guest),
            _ => Change::Look(guest),
        };
        let words = change.words(stage);
        let mut command = stage.program(common::hvsh());
        command.args(["-c", common::URI]).args(&words);
        std::thread::spawn(move || (change, command.output().expect("the shell runs").into()))
    }

    fn acknowledge(&mut self, change: Change) {
        match change {
            Change::Define(name) => self.defined.push(name),
            Change::Title(guest, title) => {
                self.titles.insert(guest, title);
            }
            Change::Suspend(_) | Change::Look(_) => {}
        }
    }
}

enum Change {
    Define(String),
    Title(String, String),
    Suspend(String),
    Look(String),
}

impl Change {
    fn words(&self, stage: &Stage) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        match self {
            Change::Define(name) => {
                let file = stage.file(&format!("{name}.xml"), &idle_guest(name));
                words(&["define", &file])
            }
            Change::Title(guest, title) => words(&["desc", guest, "--title", "--config", title]),
            Change::Suspend(guest) => words(&["suspend", guest]),
            Change::Look(guest) => words(&["dominfo", guest]),
        }
    }
}

#[test]
fn two_hundred_kills_lose_nothing() {
    let stage = Stage::new();
    let seed = Instant::now().elapsed().as_nanos() as u64 ^ u64::from(std::process::id()) << 20 | 1;
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut qemus = BTreeMap::new();
    for number in 0..GUESTS {
        let name = format!("guest-{number}");
        let file = stage.file("guest.xml", &idle_guest(&name));
        stage.ok(&["define", &file]);
        stage.ok(&["start", &name]);
        qemus.insert(name.clone(), stage.qemu_pid(&name).expect("QEMU runs"));
    }
    let mut promised = Promised::default();
    let mut killed = 0;
    for turn in 0..KILLS {
        let running = promised.change(&stage, &mut random, turn);
        std::thread::sleep(Duration::from_millis(random.below(40)));
        if let Some(helper) = stage.helper_pid() {
            kill(helper, 9);
            killed += 1;
        }
        let (change, said) = running.join().expect("the command ends");
        assert!(!said.err.contains("panicked"), "{said:?}");
        if said.code == 0 {
            promised.acknowledge(change);
        }
    }
    assert!(killed > KILLS / 2, "the helper was found only {killed} times");
    let known = stage.ok(&["list", "--all", "--name"]);
    for name in &promised.defined {
        assert!(known.lines().any(|line| line == name), "{name} was acknowledged and is lost (seed {seed})");
    }
    for (name, pid) in &qemus {
        assert_eq!(stage.qemu_pid(name), Some(*pid), "{name} lives on (seed {seed})");
        let state = stage.ok(&["domstate", name]);
        assert!(["running", "paused"].contains(&state.trim()), "{name} is {state} (seed {seed})");
    }
    for (name, title) in &promised.titles {
        let now = stage.ok(&["desc", name, "--title", "--config"]);
        // A later change may have been made without its acknowledgement having come back.
        let turn = |text: &str| text.trim().trim_start_matches("title ").parse::<usize>().unwrap_or(0);
        assert!(turn(&now) >= turn(title), "{name}: {now} is older than {title} (seed {seed})");
    }
}
