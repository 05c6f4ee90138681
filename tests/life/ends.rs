//! The ends of a guest, each with its state, reason and event.

use crate::common::{Stage, URI, guest_xml, hvsh, in_guest, kill, wait_for};
use std::io::Read;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Somebody who watches all events.
struct Watcher {
    child: Child,
    text: Arc<Mutex<String>>,
}

impl Watcher {
    fn new(stage: &Stage) -> Watcher {
        let mut command = stage.program(hvsh());
        command.args(["-c", URI, "event", "--all", "--loop"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = Arc::new(Mutex::new(String::new()));
        let (mut output, into) = (child.stdout.take().unwrap(), text.clone());
        std::thread::spawn(move || {
            let mut piece = [0u8; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        let watcher = Watcher { child, text };
        // It watches once it tells of something that happens only to be seen.
        let file = stage.file("scratch.xml", &guest_xml("scratch", ""));
        let seen = wait_for(Duration::from_secs(30), || {
            stage.ok(&["define", &file]);
            stage.ok(&["undefine", "scratch"]);
            if watcher.of("scratch").is_empty() { Err("nothing".to_string()) } else { Ok(()) }
        });
        assert_eq!(seen, Ok(()));
        watcher
    }

    /// The lifecycle events of a domain so far.
    fn of(&self, name: &str) -> Vec<String> {
        let text = self.text.lock().unwrap();
        let head = format!("event 'lifecycle' for domain '{name}': ");
        text.lines().filter_map(|line| line.strip_prefix(&head)).map(str::to_string).collect()
    }

    /// The lifecycle events of a domain once there are so many.
    #[track_caller]
    fn wait_for(&self, name: &str, count: usize) -> Vec<String> {
        let seen = wait_for(Duration::from_secs(60), || {
            let seen = self.of(name);
            if seen.len() >= count { Ok(seen) } else { Err(format!("{seen:?}")) }
        });
        seen.unwrap()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn reason(stage: &Stage, name: &str) -> String {
    stage.ok(&["domstate", name, "--reason"]).trim().to_string()
}

#[test]
fn a_power_off_in_the_guest_is_a_shutdown() {
    let stage = Stage::new();
    stage.define("off", "");
    let watcher = Watcher::new(&stage);
    stage.ok(&["start", "off"]);
    in_guest(&stage, "off", "(sleep 3; poweroff -f) & echo set $((6 * 7))", "set 42");
    stage.wait_state("off", "shut off", Duration::from_secs(60));
    assert_eq!(reason(&stage, "off"), "shut off (shutdown)");
    let seen = watcher.wait_for("off", 4);
    let wanted =
        ["Resumed Unpaused", "Started Booted", "Shutdown Finished after guest request", "Stopped Shutdown"];
    assert_eq!(seen, wanted);
}

#[test]
fn a_qemu_that_is_killed_has_crashed() {
    let stage = Stage::new();
    stage.define("victim", "");
    let watcher = Watcher::new(&stage);
    stage.ok(&["start", "victim"]);
    kill(stage.qemu_pid("victim").unwrap(), 9);
    stage.wait_state("victim", "shut off", Duration::from_secs(10));
    assert_eq!(reason(&stage, "victim"), "shut off (crashed)");
    assert_eq!(watcher.wait_for("victim", 3), ["Resumed Unpaused", "Started Booted", "Stopped Failed"]);
}

#[test]
fn a_qemu_that_died_while_no_helper_was_there_is_reported() {
    let stage = Stage::new();
    stage.define("orphan", "");
    stage.ok(&["start", "orphan"]);
    let qemu = stage.qemu_pid("orphan").unwrap();
    kill(stage.helper_pid().unwrap(), 9);
    kill(qemu, 9);
    stage.wait_state("orphan", "shut off", Duration::from_secs(10));
    assert_eq!(reason(&stage, "orphan"), "shut off (crashed)");
    stage.ok(&["start", "orphan"]);
    stage.ok(&["destroy", "orphan"]);
}

#[test]
fn a_guest_that_is_to_restart_does() {
    let stage = Stage::new();
    let with = |action: &str| {
        let xml = guest_xml("again", "");
        stage.file("again.xml", &xml.replace("  <devices>", &format!("  {action}\n  <devices>")))
    };
    let both = with("<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>");
    assert!(
        stage.fails(&["define", &both]).contains("qemu driver doesn't support 'onReboot' set to 'destroy")
    );
    stage.ok(&["define", &with("<on_poweroff>restart</on_poweroff>")]);
    stage.ok(&["start", "again"]);
    let events = Watcher::new(&stage);
    let qemu = stage.qemu_pid("again").unwrap();
    let off = "touch /run/first; (sleep 3; poweroff -f) & echo set $((6 * 7))";
    in_guest(&stage, "again", off, "set 42");
    // It neither stands still nor ends for those who watch.
    let rebooted = wait_for(Duration::from_secs(60), || {
        let text = events.text.lock().unwrap();
        if text.contains("event 'reboot' for domain 'again'") { Ok(()) } else { Err(text.clone()) }
    });
    assert_eq!(rebooted, Ok(()));
    assert_eq!(events.of("again"), Vec::<String>::new());
    // The same process boots anew.
    in_guest(&stage, "again", "ls /run/first; echo seen $((40 + 2))", "No such file");
    assert_eq!(stage.qemu_pid("again"), Some(qemu));
    stage.ok(&["set-lifecycle-action", "again", "poweroff", "destroy", "--live"]);
    stage.ok(&["set-lifecycle-action", "again", "reboot", "destroy", "--live"]);
    in_guest(&stage, "again", "(sleep 3; reboot -f) & echo set $((6 * 7))", "set 42");
    stage.wait_state("again", "shut off", Duration::from_secs(60));
}

#[test]
fn an_autodestroyed_guest_ends_with_its_connection() {
    let stage = Stage::new();
    stage.define("leaf", "");
    let line = "start leaf --autodestroy; domstate leaf";
    assert!(stage.ok(&[line]).contains("running"));
    stage.wait_state("leaf", "shut off", Duration::from_secs(10));
    assert_eq!(reason(&stage, "leaf"), "shut off (destroyed)");
}
