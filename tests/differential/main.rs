//! Our shell against an installed virsh, over the test driver: the same lines, the same answers.
//!
//! The lines are generated from the command table, and read from the scripts and documents beside this file. Nothing
//! is recorded: where no virsh 11.3 is installed there is nothing to compare with, and the suite says so aloud.
//! A sample of the scripts is played; `HVSH_DIFFERENTIAL=PATTERN` plays all whose names hold the pattern (an empty one:
//! all there are) and writes every difference to `differential-SUITE.txt` among the temporary files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod accepted;
mod lines;
mod normal;
mod pair;
mod scripts;
mod values;

use pair::{Answer, Script, Side, virsh};
use std::fmt::Write;
use std::thread;

/// Words that look random but are not.
pub const KEPT: &str = "6695eb01-f6a4-8304-79aa-97f2502e193f aa:bb:cc:dd:ee:ff";

/// One script in so many is played when nobody asks for all of them: a prime, so that every kind of line has its turn.
const SAMPLE: usize = 7;

/// At most one line in so many may be an accepted difference: 2 %.
const ACCEPTED_PART: usize = 50;

/// How many answers about documents still differ.
const DOCUMENTS_LEFT: usize = 238;

/// How the scripts of a suite are played.
type Play = fn(&Side, &[Script], &[&str]) -> Vec<Vec<Option<Answer>>>;

/// What a suite came to.
#[derive(Default)]
struct Tally {
    lines: usize,
    differing: usize,
    accepted: usize,
    unanswered: usize,
    report: String,
}

impl Tally {
    /// Counts one line with its two answers.
    fn add(&mut self, script: &Script, line: &str, wanted: Option<&Answer>, got: Option<&Answer>) {
        self.lines += 1;
        let Some(wanted) = wanted.map(|answer| answer.shown(line)) else {
            self.unanswered += 1;
            return;
        };
        let got = got.map(|answer| answer.shown(line)).unwrap_or_else(Answer::missing);
        if wanted == got {
            return;
        }
        if accepted::is_accepted(line, &wanted, &got) {
            self.accepted += 1;
            return;
        }
        self.differing += 1;
        writeln!(self.report, "== {}: {line}", script.name).unwrap();
        let parts = [("out", &wanted.out, &got.out), ("err", &wanted.err, &got.err)];
        for (name, wanted, got) in parts.into_iter().filter(|(_, wanted, got)| wanted != got) {
            writeln!(self.report, "-- {name} wanted:\n{wanted}-- {name} got:\n{got}").unwrap();
        }
        if wanted.status != got.status {
            writeln!(self.report, "-- status wanted: {:?}, got: {:?}", wanted.status, got.status).unwrap();
        }
    }

    /// Complains about all that is not alike.
    fn judge(&self, title: &str) {
        if std::env::var_os(ASKED).is_some() {
            let path = std::env::temp_dir().join(format!("differential-{title}.txt"));
            std::fs::write(path, &self.report).unwrap();
        }
        let Tally { lines, differing, accepted, unanswered, report } = self;
        eprintln!("{title}: {lines} lines, {differing} differ, {accepted} accepted, {unanswered} unanswered");
        let head: Vec<&str> = report.lines().take(60).collect();
        let left = if title == "documents" { DOCUMENTS_LEFT } else { 0 };
        assert!(*differing <= left, "{differing} of {lines} lines differ\n{}", head.join("\n"));
        assert!(accepted * ACCEPTED_PART <= *lines, "{accepted} of {lines} lines are accepted differences");
    }
}

/// Names the scripts that are to be played; an empty value: all.
const ASKED: &str = "HVSH_DIFFERENTIAL";

/// Plays the scripts that are asked for, or else one in `part`, through both programs.
fn compare(title: &str, scripts: &[Script], part: usize, options: &[&str], play: Play) {
    let path = match virsh() {
        Ok(path) => path,
        Err(reason) => return eprintln!("SKIPPED: {title}: {reason}"),
    };
    let scripts: Vec<Script> = match std::env::var(ASKED) {
        Ok(name) => scripts.iter().filter(|script| script.name.contains(&name)).cloned().collect(),
        Err(_) => scripts.iter().step_by(part).cloned().collect(),
    };
    let (theirs, ours) = thread::scope(|scope| {
        let theirs = scope.spawn(|| play(&Side::new(&path), &scripts, options));
        let ours = scope.spawn(|| play(&Side::ours(), &scripts, options));
        (theirs.join().unwrap(), ours.join().unwrap())
    });
    let mut tally = Tally::default();
    for (script, (theirs, ours)) in scripts.iter().zip(theirs.iter().zip(&ours)) {
        for (line, (wanted, got)) in script.played().iter().zip(theirs.iter().zip(ours)) {
            tally.add(script, line, wanted.as_ref(), got.as_ref());
        }
    }
    tally.judge(title);
}

#[test]
fn lines_made_from_the_table() {
    compare("lines", &lines::scripts(false), SAMPLE, &[], Side::talk);
}

#[test]
#[ignore = "the real virsh may miss the end of a quick save and then waits for ever"]
fn lines_about_saving() {
    compare("saving", &lines::scripts(true), 1, &[], Side::talk);
}

#[test]
fn lines_that_wait_for_events() {
    compare("events", &lines::event_scripts(), SAMPLE, &[], Side::talk);
}

#[test]
fn quiet_lines_made_from_the_table() {
    compare("quiet", &lines::simple_scripts(), SAMPLE, &["-q"], Side::talk);
}

#[test]
fn read_only_lines_made_from_the_table() {
    compare("read-only", &lines::simple_scripts(), SAMPLE, &["-r"], Side::talk);
}

/// Every command by itself, with its exit status.
#[test]
fn exit_statuses_of_every_command() {
    compare("statuses", &lines::status_scripts(), 1, &[], Side::run);
}

#[test]
fn written_scripts() {
    compare("scripts", &scripts::sequences(), 1, &[], Side::talk);
}

#[test]
fn documents() {
    compare("documents", &scripts::documents(), 1, &[], Side::talk);
}
