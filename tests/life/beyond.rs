//! What virsh does not have, on real guests: wait, ip, rm, clone, several names at once, and answers as data.

use crate::common::{Said, Stage, URI, guest_xml, hvsh, wait_for};
use hvsh::commands::TABLE;
use hvsh::shell::shape::Shape;
use serde_json::{Deserializer, Value};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// A card and the agent's channel.
const REACHABLE: &str = "<interface type='user'><model type='virtio'/></interface>\
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

fn image(stage: &Stage, name: &str, more: &[&str]) -> PathBuf {
    let path = stage.path(name);
    let mut command = stage.program("qemu-img");
    command.args(["create", "-q", "-f", "qcow2"]).args(more).arg(&path).arg("64M");
    assert!(command.status().unwrap().success());
    path
}

fn disk(path: &Path) -> String {
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/></disk>",
        path.display()
    )
}

/// Runs a command for its data, and holds it against the promise of its row.
#[track_caller]
fn data(stage: &Stage, line: &[&str]) -> Vec<Value> {
    let said: Said =
        stage.program(hvsh()).args(["-c", URI, "--format", "json"]).args(line).output().unwrap().into();
    assert_eq!(said.code, 0, "{line:?} said: {said:?}");
    let documents: Vec<Value> = Deserializer::from_str(&said.out).into_iter().map(Result::unwrap).collect();
    let shape = Shape::parse(TABLE.find(line[0]).unwrap().answers.unwrap()).unwrap();
    let faults = shape.faults(&documents);
    assert!(faults.is_empty() && !documents.is_empty(), "{line:?}: {faults:?} in {said:?}");
    documents
}

/// The shell at a terminal.
fn at_terminal(stage: &Stage, line: &[&str], path: Option<&str>) -> rexpect::session::PtySession {
    let mut command = stage.program(hvsh());
    command.args(["-c", URI]).args(line).stdin(Stdio::inherit());
    if let Some(path) = path {
        command.env("PATH", path);
    }
    rexpect::session::spawn_command(command, Some(60_000)).unwrap()
}

#[test]
fn a_guest_is_waited_for_and_found() {
    let stage = Stage::new();
    stage.define("one", REACHABLE);
    assert_eq!(stage.ok(&["wait", "one", "--for", "off"]).trim(), "Domain 'one' is off");
    let complaint = stage.fails(&["wait", "one", "--for", "running", "--timeout", "1"]);
    assert!(complaint.contains("Domain 'one' is not running after 1 s"), "{complaint}");
    // The one who waits hears of the start from another's command.
    let waiting = stage
        .program(hvsh())
        .args(["-c", URI, "wait", "one", "--for", "agent", "--timeout", "120"])
        .stdout(Stdio::null())
        .spawn();
    stage.ok(&["start", "one"]);
    assert!(waiting.unwrap().wait().unwrap().success());
    stage.ok(&["wait", "one", "--for", "ip", "--timeout", "60"]);
    let found = data(&stage, &["ip", "one"]);
    assert_eq!((&found[0][0]["address"], &found[0][0]["source"]), (&"10.0.2.15".into(), &"agent".into()));
    assert_eq!(stage.ok(&["ip", "one", "--first"]).trim(), "10.0.2.15");

    for line in [
        &["guestinfo", "one"][..],
        &["domjobinfo", "one"],
        &["qemu-agent-command", "one", "{\"execute\":\"guest-ping\"}"],
        &["qemu-monitor-command", "one", "{\"execute\":\"query-status\"}"],
        &["qemu-monitor-command", "one", "--hmp", "info status"],
        &["ttyconsole", "one"],
        &["nodememstats"],
        &["domfsinfo", "one"],
        &["domtime", "one"],
        &["domstats", "one"],
        &["dominfo", "one"],
        &["vcpuinfo", "one"],
        &["domblklist", "one"],
        &["domiflist", "one"],
        &["domifaddr", "one"],
        &["dommemstat", "one"],
        &["list"],
        &["nodeinfo"],
        &["version", "--daemon"],
    ] {
        data(&stage, line);
    }
    happenings_come_as_documents(&stage);
    let memory = stage.path("memory");
    let reports = data(&stage, &["dump", "one", "--verbose", "--memory-only", memory.to_str().unwrap()]);
    assert_eq!(reports.last().unwrap()["percent"], 100.0);
    assert_eq!(reports.last().unwrap()["job"], "dump");
    data(&stage, &["managedsave", "one", "--verbose"]);
    data(&stage, &["managedsave-dumpxml", "one"]);
    // Its disks would be those of a running guest.
    assert!(stage.fails(&["clone", "one", "two"]).contains("has a managed save"));
    stage.ok(&["managedsave-remove", "one"]);
    stage.ok(&["wait", "one", "--for", "off"]);
}

/// Events of each kind that a guest makes, a line of JSON each, as they come.
fn happenings_come_as_documents(stage: &Stage) {
    for (format, line, kind) in [
        ("json", &["event", "one", "--all", "--loop", "--timeout", "60"][..], "event"),
        ("json", &["qemu-monitor-event", "one", "--loop", "--timeout", "60"], "qemu-monitor-event"),
        ("yaml", &["event", "one", "--event", "lifecycle", "--loop", "--timeout", "60"], "event"),
    ] {
        let mut command = stage.program(hvsh());
        command.args(["-c", URI, "--format", format]).args(line).stdout(Stdio::piped());
        let mut watcher = command.spawn().unwrap();
        let out = std::io::BufReader::new(watcher.stdout.take().unwrap());
        // It listens once the first of its lines is there.
        let done = std::sync::atomic::AtomicBool::new(false);
        let lines = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    stage.ok(&["suspend", "one"]);
                    stage.ok(&["resume", "one"]);
                }
            });
            let lines: Vec<String> = std::io::BufRead::lines(out).take(3).map(Result::unwrap).collect();
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            lines
        });
        watcher.kill().unwrap();
        watcher.wait().unwrap();
        if format == "yaml" {
            assert_eq!(lines[..2], ["---", "event: lifecycle"], "{lines:?}");
            continue;
        }
        let documents: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        let shape = Shape::parse(TABLE.find(kind).unwrap().answers.unwrap()).unwrap();
        assert_eq!(shape.faults(&documents), Vec::<String>::new(), "{lines:?}");
        assert_eq!(documents[0]["domain"], "one");
    }
}

#[test]
fn several_guests_are_worked_on_at_once() {
    let stage = Stage::new();
    for name in ["web-1", "web-2", "db"] {
        stage.define(name, "");
    }
    stage.ok(&["start", "web-2", "--paused"]);
    let said = stage.run(&["start", "web-1", "web-2", "db"]);
    assert_eq!(said.out.trim(), "Domain 'web-1' started\nDomain 'db' started", "{said:?}");
    assert!(said.code == 1 && said.err == "error: web-2: Domain is already active\n", "{said:?}");
    let answers = data_of_several(&stage, &["domstate", "*"]);
    assert_eq!(answers, ["db: running", "web-1: running", "web-2: paused"]);
    stage.ok(&["resume", "web-2"]);
    // What is typed as soon as the console says how to leave it reaches it.
    let mut session = at_terminal(&stage, &["-e", "^a", "console", "web-2"], None);
    session.exp_string("Escape character is ^a (Ctrl + a)\r\n").unwrap();
    session.send_control('a').unwrap();
    session.exp_eof().unwrap();
    assert_eq!(stage.ok(&["destroy", "web-*"]).lines().filter(|line| line.contains("destroyed")).count(), 2);
    assert_eq!(stage.ok(&["destroy", "--all"]).trim(), "Domain 'db' destroyed");
    stage.ok(&["wait", "--all", "--for", "off"]);
}

fn data_of_several(stage: &Stage, line: &[&str]) -> Vec<String> {
    let said: Said =
        stage.program(hvsh()).args(["-c", URI, "--format", "json"]).args(line).output().unwrap().into();
    let answers: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let shown = |one: &Value| {
        format!("{}: {}", one["domain"].as_str().unwrap(), one["answer"]["state"].as_str().unwrap())
    };
    answers.iter().map(shown).collect()
}

#[test]
fn a_clone_is_whole_or_not_there() {
    let stage = Stage::new();
    let old = image(&stage, "old.qcow2", &[]);
    stage.define("old", &format!("{}{REACHABLE}", disk(&old)));
    stage.ok(&["start", "old", "--paused"]);
    assert!(stage.fails(&["clone", "old", "new"]).contains("domain 'old' is active"));
    stage.ok(&["destroy", "old"]);
    let before = files(&stage);

    // A cp that takes its time, and a person who does not.
    let slow = stage.path("bin");
    std::fs::create_dir(&slow).unwrap();
    std::fs::write(slow.join("cp"), "#!/bin/sh\n/bin/cp \"$@\"\nexec sleep 60\n").unwrap();
    std::fs::set_permissions(slow.join("cp"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", slow.display(), std::env::var("PATH").unwrap());
    let mut session = at_terminal(&stage, &["clone", "old", "new"], Some(&path));
    let partial = || files(&stage).into_iter().any(|name| name.starts_with(".hvsh-clone-"));
    wait_for(Duration::from_secs(30), || if partial() { Ok(()) } else { Err("no copy".to_string()) })
        .unwrap();
    session.send_control('c').unwrap();
    session.exp_string("interrupted").unwrap();
    session.exp_eof().unwrap();
    std::fs::remove_dir_all(&slow).unwrap();
    assert_eq!(files(&stage), before, "an interrupt leaves nothing");
    assert!(stage.fails(&["dominfo", "new"]).contains("failed to get domain"));

    // A name that is taken is left alone, and so is everything else.
    let taken = stage.file("new-vda.qcow2", "mine");
    assert!(stage.fails(&["clone", "old", "new"]).contains("File exists"));
    assert_eq!(std::fs::read_to_string(&taken).unwrap(), "mine");
    std::fs::remove_file(&taken).unwrap();

    let made = data(&stage, &["clone", "old", "new"]);
    assert_eq!(made[0]["disks"][0]["source"], taken.as_str());
    assert_eq!(std::fs::read(&old).unwrap(), std::fs::read(&taken).unwrap());
    let definitions = ["old", "new"].map(|name| stage.ok(&["dumpxml", name]));
    for part in ["<uuid>", "<mac address="] {
        let line = |text: &String| text.lines().find(|line| line.contains(part)).unwrap().to_string();
        assert_ne!(line(&definitions[0]), line(&definitions[1]));
    }
    stage.ok(&["start", "old", "new", "--paused"]);
    stage.ok(&["destroy", "old", "new"]);
}

/// What lies in the stage's own folder.
fn files(stage: &Stage) -> Vec<String> {
    let entries = std::fs::read_dir(stage.root.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "bin");
    names.sort();
    names
}

#[test]
fn what_is_removed_is_said_before() {
    let stage = Stage::new();
    let base = image(&stage, "base.qcow2", &[]);
    let top = image(&stage, "top.qcow2", &["-F", "qcow2", "-b", base.to_str().unwrap()]);
    stage.define("base", &disk(&base));
    stage.define("top", &disk(&top));
    stage.ok(&["start", "top", "--paused"]);
    assert!(stage.fails(&["rm", "top", "--yes"]).contains("domain 'top' is running"));
    let refused = stage.fails(&["rm", "base", "--storage"]);
    assert!(refused.contains("there is nobody to ask: give --yes"), "{refused}");

    // A person is asked, and anything but yes changes nothing.
    let mut session = at_terminal(&stage, &["rm", "base", "--storage"], None);
    session.exp_string("This removes domain 'base':").unwrap();
    session.exp_string("domain 'top' uses it, too").unwrap();
    session.exp_string("Go on? [y/N] ").unwrap();
    session.send_line("n").unwrap();
    session.exp_string("domain 'base' was left as it is").unwrap();
    session.exp_eof().unwrap();
    assert!(base.exists());

    let mut session = at_terminal(&stage, &["rm", "top", "--storage", "--force"], None);
    session.exp_string("its running guest").unwrap();
    session.exp_string(&format!("disk vda ({})", top.display())).unwrap();
    session.exp_string("Go on? [y/N] ").unwrap();
    session.send_line("y").unwrap();
    session.exp_string("Domain 'top' has been removed").unwrap();
    session.exp_eof().unwrap();
    assert!(!top.exists() && base.exists());

    let removed = data(&stage, &["rm", "base", "--storage", "--yes"]);
    assert_eq!(removed[0]["kept"].as_array().unwrap().len(), 0, "{removed:?}");
    assert!(!base.exists());
    assert_eq!(stage.ok(&["list", "--all", "--name"]).trim(), "");
    // What never was a file of a disk is nobody's to remove.
    stage.ok(&["define", &stage.file("bare.xml", &guest_xml("bare", ""))]);
    stage.ok(&["rm", "bare", "--yes"]);
}
