//! The same definitions and the same steps given to a real libvirtd and to us: documents, states and events are equal.

use crate::common::{Said, Stage, URI, guest_xml, hvsh, wait_for};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REFERENCE: &str = "qemu:///system";

/// One of the two sides.
enum Side<'a> {
    Reference,
    Ours(&'a Stage),
}

/// Whether virsh and a libvirtd that runs QEMU are here; says so when not.
fn has_reference() -> bool {
    let said = Command::new("timeout").args(["20", "virsh", "-c", REFERENCE, "version"]).output();
    let there = said.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("QEMU 10."));
    if !there {
        eprintln!("SKIPPED: no libvirtd with QEMU 10 answers at {REFERENCE}");
    }
    there
}

impl Side<'_> {
    fn command(&self) -> Command {
        match self {
            Side::Reference => {
                let mut command = Command::new("virsh");
                command.args(["-c", REFERENCE]).env("LC_ALL", "C").stdin(Stdio::null());
                command
            }
            Side::Ours(stage) => {
                let mut command = stage.program(hvsh());
                command.args(["-c", URI]);
                command
            }
        }
    }

    fn run(&self, line: &[&str]) -> Said {
        self.command().args(line).output().expect("the shell runs").into()
    }
}

/// A domain of the reference that is gone when the test ends, however it ends.
struct Guarded<'a>(&'a str);

impl Drop for Guarded<'_> {
    fn drop(&mut self) {
        for line in [&["destroy", self.0][..], &["undefine", self.0, "--managed-save", "--nvram"]] {
            let _ = Side::Reference.run(line);
        }
    }
}

/// What is the same under different names: this run's numbers, folders, and what libvirt alone adds (a resource
/// partition, security labels, and the CPU as its own table of models sees it).
fn plain(text: &str, stage: &Stage) -> String {
    let mut out = String::new();
    let mut inside = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(end) = inside {
            if trimmed == end {
                inside = None;
            }
            continue;
        }
        match trimmed {
            "<resource>" => inside = Some("</resource>"),
            _ if trimmed.starts_with("<seclabel") && !trimmed.ends_with("/>") => inside = Some("</seclabel>"),
            _ if trimmed.starts_with("<feature policy='require'") => {}
            _ => out.push_str(&format!("{}\n", plain_line(line, stage))),
        }
    }
    out
}

fn plain_line(line: &str, stage: &Stage) -> String {
    let mut line = line.replace(&stage.root.path().display().to_string(), "ROOT");
    line = line.replace("check='full'", "check='none'");
    for (before, after) in [("/dev/pts/", "'"), ("<domain type='qemu' id='", "'"), (" port='59", "'")] {
        if let Some(at) = line.find(before) {
            let begin = at + before.len();
            let end = line[begin..].find(after).map_or(line.len(), |length| begin + length);
            line.replace_range(begin..end, "N");
        }
    }
    for folder in ["/var/lib/libvirt/qemu/nvram/", "ROOT/state/hvsh/qemu/nvram/"] {
        line = line.replace(folder, "NVRAM/");
    }
    match line.contains("org.qemu.guest_agent.0'/>") && line.contains("path='") {
        true => "CHANNEL".to_string(),
        false => line,
    }
}

/// Runs a line on both sides and compares what is said and how it ends.
#[track_caller]
fn same(stage: &Stage, line: &[&str]) {
    let (theirs, ours) = (Side::Reference.run(line), Side::Ours(stage).run(line));
    let shown =
        |said: &Said| format!("{}\n{}{}", said.code, plain(&said.out, stage), plain(&said.err, stage));
    let (theirs, ours) = (shown(&theirs), shown(&ours));
    let differs = |(a, b): &(&str, &str)| a != b;
    let first = theirs.lines().zip(ours.lines()).find(differs);
    assert!(theirs == ours, "{line:?}\nlibvirt: {first:?}\n--- libvirt\n{theirs}\n--- ours\n{ours}");
}

#[track_caller]
fn same_documents(stage: &Stage, name: &str) {
    for options in [&[][..], &["--inactive"], &["--security-info"], &["--migratable"]] {
        same(stage, &[&["dumpxml", name], options].concat());
    }
}

/// Lines of both sides' events.
struct Watchers {
    children: [Child; 2],
    texts: [Arc<Mutex<String>>; 2],
}

impl Watchers {
    fn new(stage: &Stage) -> Watchers {
        let texts = [Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(String::new()))];
        let mut started = [Side::Reference, Side::Ours(stage)].into_iter().zip(&texts).map(|(side, text)| {
            let mut child = side
                .command()
                .args(["event", "--event", "lifecycle", "--loop"])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a watcher");
            let (mut output, text) = (child.stdout.take().unwrap(), text.clone());
            std::thread::spawn(move || {
                let mut piece = [0u8; 4096];
                while let Ok(length @ 1..) = std::io::Read::read(&mut output, &mut piece) {
                    text.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
                }
            });
            child
        });
        let children = [started.next().unwrap(), started.next().unwrap()];
        drop(started);
        Watchers { children, texts }
    }

    /// The lifecycle events of a domain on both sides; that a process which was told to leave says so as well is
    /// a race that both may lose.
    fn of(&self, name: &str) -> [Vec<String>; 2] {
        let head = format!("event 'lifecycle' for domain '{name}': ");
        [0, 1].map(|side| {
            let text = self.texts[side].lock().unwrap();
            let told = text.lines().filter_map(|line| line.strip_prefix(&head)).map(str::to_string);
            told.filter(|what| what != "Shutdown Finished after host request").collect()
        })
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn a_life_is_told_as_libvirt_tells_it() {
    if !has_reference() {
        return;
    }
    let stage = Stage::new();
    let name = format!("hvsh-life-{}", std::process::id());
    let name = name.as_str();
    let _guarded = Guarded(name);
    let devices = "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>\
         <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>\
         <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\
         <graphics type='vnc' autoport='yes' passwd='secret'/><video><model type='vga'/></video>";
    let uuid = "<uuid>5d6ab7e1-0000-4000-8000-0000000000a1</uuid>";
    let xml = guest_xml(name, devices).replace("</name>", &format!("</name>{uuid}"));
    let file = stage.file("life.xml", &xml);
    let watchers = Watchers::new(&stage);
    // Both watch once they tell of something that happens only to be seen.
    let scratch = format!("{name}-scratch");
    let _scratch = Guarded(&scratch);
    let seen = stage.file("scratch.xml", &guest_xml(&scratch, ""));
    let ready = wait_for(Duration::from_secs(30), || {
        for side in [Side::Reference, Side::Ours(&stage)] {
            side.run(&["define", &seen]);
            side.run(&["undefine", &scratch]);
        }
        match watchers.of(&scratch).iter().all(|told| !told.is_empty()) {
            true => Ok(()),
            false => Err("nothing is told".to_string()),
        }
    });
    assert_eq!(ready, Ok(()));
    let reason = ["domstate", name, "--reason"];
    let step = |line: &[&str]| {
        same(&stage, line);
        same(&stage, &reason);
    };
    step(&["define", &file]);
    same_documents(&stage, name);
    step(&["start", name, "--paused"]);
    step(&["resume", name]);
    same_documents(&stage, name);
    for line in [["suspend", name], ["suspend", name], ["resume", name], ["resume", name], ["reset", name]] {
        step(&line);
    }
    step(&["managedsave", name]);
    // The reference may have others as well.
    for side in [Side::Reference, Side::Ours(&stage)] {
        let listed = side.run(&["list", "--all", "--with-managed-save", "--name"]);
        assert!(listed.out.lines().any(|line| line == name), "{listed:?}");
    }
    step(&["undefine", name]);
    step(&["start", name, "--paused"]);
    step(&["destroy", name]);
    step(&["destroy", name]);
    step(&["start", name]);
    step(&["set-lifecycle-action", name, "poweroff", "preserve", "--live"]);
    step(&["destroy", name]);
    same_documents(&stage, name);
    step(&["undefine", name]);
    let told = wait_for(Duration::from_secs(20), || {
        let told = watchers.of(name);
        let whole = told.iter().all(|events| events.last().is_some_and(|last| last == "Undefined Removed"));
        if whole && told[0] == told[1] { Ok(()) } else { Err(format!("{told:#?}")) }
    });
    assert_eq!(told, Ok(()));
}
