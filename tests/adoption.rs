//! A new helper takes over many guests at once, each as it is, and those that died meanwhile as what they are.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Stage, kill, wait_for};
use std::collections::BTreeMap;
use std::time::Duration;

const GUESTS: usize = 200;

/// A guest without a system that takes as little of the host as a guest can.
fn tiny_guest(name: &str) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os>
         <devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"
    )
}

/// Every domain's id and state, as `list` shows them.
fn listed(stage: &Stage) -> BTreeMap<String, (String, String)> {
    let table = stage.ok(&["list", "--all"]);
    let rows = table.lines().skip(2).filter(|line| !line.trim().is_empty());
    rows.map(|line| {
        let mut words = line.split_whitespace();
        let (id, name) = (words.next().unwrap().to_string(), words.next().unwrap().to_string());
        (name, (id, words.collect::<Vec<_>>().join(" ")))
    })
    .collect()
}

#[test]
fn two_hundred_guests_are_taken_over_as_they_are() {
    let stage = Stage::new();
    stage.ok(&["list"]);
    let names: Vec<String> = (0..GUESTS).map(|number| format!("tiny-{number:03}")).collect();
    std::thread::scope(|scope| {
        for half in names.chunks(GUESTS / 2) {
            let stage = &stage;
            let lines: Vec<String> = half
                .iter()
                .map(|name| format!("define {}; start --paused {name}", stage.file(name, &tiny_guest(name))))
                .collect();
            scope.spawn(move || stage.ok(&["-q", &lines.join(";")]));
        }
    });
    stage.ok(&[
        "-q",
        "resume tiny-001; resume tiny-002; suspend tiny-002; resume tiny-003; undefine tiny-004",
    ]);
    let before = listed(&stage);
    assert_eq!(before.len(), GUESTS);

    kill(stage.helper_pid().unwrap(), 9);
    kill(stage.qemu_pid("tiny-003").unwrap(), 9);
    kill(stage.qemu_pid("tiny-005").unwrap(), 9);
    let gone =
        |name: &str| stage.qemu_pid(name).map_or(Ok(()), |pid| Err(format!("{name} is process {pid}")));
    wait_for(Duration::from_secs(30), || gone("tiny-003").and_then(|()| gone("tiny-005"))).unwrap();

    let after = listed(&stage);
    for (name, (id, state)) in &before {
        let (id, state) = match name.as_str() {
            "tiny-003" | "tiny-005" => ("-", "shut off"),
            _ => (id.as_str(), state.as_str()),
        };
        assert_eq!(after.get(name), Some(&(id.to_string(), state.to_string())), "{name}");
    }
    let told = |name: &str| stage.ok(&["domstate", "--reason", name]).trim().to_string();
    assert_eq!(told("tiny-000"), "paused (user)");
    assert_eq!(told("tiny-001"), "running (unpaused)");
    assert_eq!(told("tiny-002"), "paused (user)");
    assert_eq!(told("tiny-003"), "shut off (crashed)");
    assert!(stage.ok(&["dominfo", "tiny-004"]).contains("Persistent:     no"));

    // They are no mere entries: each takes commands, and its end is seen.
    stage.ok(&["-q", "resume tiny-000; reset tiny-006; qemu-monitor-command tiny-007 --hmp info status"]);
    kill(stage.qemu_pid("tiny-008").unwrap(), 9);
    stage.wait_state("tiny-008", "shut off", Duration::from_secs(30));
    let rest = names.iter().filter(|name| !matches!(name.as_str(), "tiny-003" | "tiny-005" | "tiny-008"));
    let destroys: Vec<String> = rest.map(|name| format!("destroy {name}")).collect();
    stage.ok(&["-q", &destroys.join(";")]);
    let left = listed(&stage);
    assert_eq!(left.len(), GUESTS - 1, "the one without a definition is gone");
    assert!(left.values().all(|(id, state)| id == "-" && state == "shut off"), "{left:?}");
}
