//! What programs get with `--format json`: every command that lists or shows, its answer held against the shape that
//! its row promises, and every other one silent.

use crate::stage::Stage;
use hvsh::commands::TABLE;
use hvsh::shell::shape::Shape;
use hvsh::shell::spec::Command;
use serde_json::{Deserializer, Value};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Lines for two nodes of the test driver; the last command of a line is the one that is looked at.
const LINES: &str = include_str!("answers.txt");

/// A domain with one of everything, beside a network and a pool.
const NODE: &str = "<node>\
    <domain type='test'><name>full</name><memory>65536</memory><vcpu>4</vcpu><iothreads>1</iothreads>\
        <title>a title</title><description>some words</description><os><type>hvm</type></os>\
        <devices><disk type='file' device='disk'><source file='/pool/a.img'/><target dev='vda' bus='virtio'/></disk>\
            <disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>\
            <interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/></interface>\
            <graphics type='vnc' port='5901' autoport='no' listen='127.0.0.1'/>\
            <console type='pty'/></devices></domain>\
    <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>off</name>\
        <memory>65536</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain>\
    <pool type='dir'><name>pool</name><target><path>/pool</path></target>\
        <volume type='file'><name>a.img</name><capacity>1048576</capacity><allocation>0</allocation></volume></pool>\
    <network><name>default</name><bridge name='virbr0'/>\
        <ip address='192.168.122.1' netmask='255.255.255.0'/></network>\
    </node>";

/// The commands whose answers no test driver has; real guests and a real daemon are asked for them elsewhere.
const ELSEWHERE: &[&str] = &[
    // Real guests of our own helper.
    "domjobinfo",
    "guestinfo",
    "guestvcpus",
    "managedsave-dumpxml",
    "nodememstats",
    "qemu-agent-command",
    "qemu-monitor-command",
    "qemu-monitor-event",
    "ttyconsole",
    "save",
    "dump",
    "managedsave",
    "get-user-sshkeys",
    "domxml-to-native",
    "domlaunchsecinfo",
    // A real libvirtd.
    "backup-dumpxml",
    "blockcommit",
    "blockjob",
    "blockpull",
    "cpu-baseline",
    "cpu-compare",
    "domxml-from-native",
    "hypervisor-cpu-baseline",
    "hypervisor-cpu-compare",
    "migrate",
    "migrate-compcache",
    "migrate-getmaxdowntime",
    "migrate-getspeed",
    "net-dhcp-leases",
    "net-port-dumpxml",
    "net-port-list",
    "node-memory-tune",
    "nodesevinfo",
    "nwfilter-binding-dumpxml",
    "nwfilter-binding-list",
    "nwfilter-dumpxml",
    "nwfilter-list",
    "pool-capabilities",
    "secret-dumpxml",
    "secret-get-value",
    "secret-list",
    "update-memory-device",
];

/// What is wrong with an answer to the last command of a line.
fn faults(row: &Command, line: &str, out: &str) -> Vec<String> {
    let documents: Vec<Value> = match Deserializer::from_str(out).into_iter().collect() {
        Ok(documents) => documents,
        Err(error) => return vec![format!("is not JSON: {error}: {out}")],
    };
    let Some(shape) = row.answers else {
        let printed = documents.into_iter();
        return printed.map(|document| format!("prints {document} and promises nothing")).collect();
    };
    let shape = Shape::parse(shape).unwrap();
    let several = row.several.is_some() && (line.contains('*') || line.contains("--all"));
    if !several {
        return shape.faults(&documents);
    }
    let each = "[{domain: text, succeeded: boolean, errors: [text], answer: any}]";
    let mut found = Shape::parse(each).unwrap().faults(&documents);
    for one in documents.iter().flat_map(Value::as_array).flatten() {
        if one["succeeded"] == true {
            found.extend(shape.faults(&[one["answer"].clone()]));
        }
    }
    found
}

#[test]
fn every_answer_is_what_its_row_promises() {
    let stage = Stage::new();
    std::fs::write(stage.root.path().join("node.xml"), NODE).unwrap();
    let mut uri = String::new();
    let mut seen = BTreeSet::new();
    let mut wrong = String::new();
    for line in LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(named) = line.strip_prefix("on ") {
            uri = named.replace("@STAGE@", stage.root.path().to_str().unwrap());
            continue;
        }
        let (line, silent) = match line.strip_prefix("silent: ") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (before, last) = line.rsplit_once("; ").map_or(("", line), |(before, last)| (before, last));
        let row = TABLE.find(last.split(' ').next().unwrap()).unwrap_or_else(|| panic!("{line}"));
        // What the earlier commands print is told apart by a line of its own.
        let whole = [before, "echo --xml --prefix == ''", last].join("; ");
        let answer = stage.run(&["-c", &uri, "--format", "json", whole.trim_start_matches("; ")], "");
        let out = answer.out.split_once("== ").map_or("", |(_, out)| out);
        if answer.status != 0 && !row.name.ends_with("event") {
            writeln!(wrong, "{line}: failed: {}", answer.err).unwrap();
        }
        if silent {
            assert_eq!(out.trim(), "", "{line}");
            continue;
        }
        for fault in faults(row, last, out) {
            writeln!(wrong, "{line}: {fault}").unwrap();
        }
        if !out.trim().is_empty() {
            seen.insert(row.name);
        }
    }
    for row in TABLE.rows().filter(|row| row.answers.is_some()) {
        match (seen.contains(row.name), ELSEWHERE.contains(&row.name)) {
            (true, true) => writeln!(wrong, "{}: answers here, too", row.name).unwrap(),
            (false, false) => writeln!(wrong, "{}: no line shows its answer", row.name).unwrap(),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn yaml_says_the_same_as_json() {
    let stage = Stage::new();
    let line = ["-c", "test:///default", "--format", "yaml"];
    let out = stage.run(&[&line[..], &["pool-info", "default-pool"]].concat(), "").out;
    assert!(out.starts_with("name: default-pool\n") && out.contains("\ncapacity: 107374182400\n"), "{out}");
}

#[test]
fn help_describes_a_command_to_programs() {
    let stage = Stage::new();
    let out = stage.run(&["--format", "json", "help", "domid"], "").out;
    let data: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(data["answers"], "{id: integer?}");
    assert_eq!(data["options"][0]["name"], "domain");
}
