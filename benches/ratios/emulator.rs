//! A QEMU without hvsh: started with the arguments of a guest of hvsh's, spoken to by hand.

use crate::common::Stage;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

/// The arguments of a guest's QEMU, without the number its monitor has as an open file there.
pub struct Line(Vec<String>);

impl Line {
    /// Those of an active guest.
    pub fn of(stage: &Stage, name: &str) -> Line {
        let pid = stage.qemu_pid(name).expect("the guest's QEMU");
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).expect("its arguments");
        let words = line.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        Line(words.map(|word| on_standard_input(&String::from_utf8_lossy(word))).collect())
    }

    /// The same, but waiting for the memory of a saved guest.
    pub fn incoming(&self) -> Line {
        let mut words = self.0.clone();
        words.extend(["-incoming".to_string(), "defer".to_string()]);
        Line(words)
    }
}

/// The monitor's listening socket is handed down as standard input.
fn on_standard_input(word: &str) -> String {
    match word.split_once(",fd=") {
        Some((before, after)) if before.starts_with("socket,id=charmonitor") => {
            let rest = after.split_once(',').map_or("", |(_, rest)| rest);
            format!("{before},fd=0,{rest}")
        }
        _ => word.to_string(),
    }
}

/// A running QEMU and its monitor.
pub struct Emulator {
    child: Child,
    answers: BufReader<UnixStream>,
    monitor: UnixStream,
}

impl Emulator {
    /// Starts QEMU and waits until its monitor takes commands.
    pub fn start(stage: &Stage, line: &Line) -> Emulator {
        let path = stage.path("alone.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let mut command = Command::new(&line.0[0]);
        command.args(&line.0[1..]).stdin(Stdio::from(OwnedFd::from(listener)));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("QEMU starts");
        let monitor = UnixStream::connect(&path).expect("the monitor");
        let answers = BufReader::new(monitor.try_clone().expect("the monitor"));
        let mut emulator = Emulator { child, answers, monitor };
        emulator.say("{\"execute\":\"qmp_capabilities\"}");
        emulator
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives a command and waits for its answer.
    pub fn say(&mut self, command: &str) -> serde_json::Value {
        self.monitor.write_all(format!("{command}\n").as_bytes()).expect("QEMU listens");
        self.wait_for(|line| line.get("return").is_some() || line.get("error").is_some())
    }

    /// Waits for a line that QEMU says.
    pub fn wait_for(&mut self, wanted: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        loop {
            let mut line = String::new();
            let length = self.answers.read_line(&mut line).expect("QEMU speaks");
            assert!(length > 0, "QEMU left");
            let line = serde_json::from_str(&line).expect("QEMU speaks JSON");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Waits for the end of a migration.
    pub fn migrated(&mut self) {
        let status = |line: &serde_json::Value| {
            let ours = line["event"] == "MIGRATION";
            ours.then(|| line["data"]["status"].as_str().unwrap_or("").to_string())
        };
        let ended = |line: &_| matches!(status(line).as_deref(), Some("completed" | "failed"));
        let last = self.wait_for(ended);
        assert_eq!(status(&last).as_deref(), Some("completed"), "QEMU's own migration");
    }

    /// Lets it leave in order.
    pub fn quit(mut self) {
        self.say("{\"execute\":\"quit\"}");
        let _ = self.child.wait();
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
