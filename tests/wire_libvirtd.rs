//! Our client against a real libvirtd, where one runs on this machine; loudly skipped elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use hvsh::backend::Connection;
use hvsh::backend::registry;
use hvsh::error::ErrorCode;
use hvsh::uri::Uri;
use std::path::Path;

const SOCKET: &str = "/run/libvirt/libvirt-sock";

/// A connection to libvirtd's own in-memory driver, so that nothing on the machine is touched.
fn libvirtd(driver: &str) -> Option<Box<dyn Connection>> {
    if !Path::new(SOCKET).exists() {
        eprintln!("SKIPPED: no libvirtd listens on {SOCKET}");
        return None;
    }
    let uri = Uri::parse(&format!("{driver}?socket={SOCKET}")).unwrap();
    Some(registry::open(&uri, false).unwrap())
}

#[test]
fn the_node_and_its_domains_are_read() {
    let Some(connection) = libvirtd("test+unix:///default") else {
        return;
    };
    assert_eq!(connection.host().driver_type().unwrap(), "TEST");
    assert!(connection.host().uri().unwrap().starts_with("test+unix:///default?socket="));
    let domains = connection.domains().list_all_domains(0).unwrap();
    assert_eq!(domains[0].name, "test");
    assert!(connection.domains().xml(&domains[0], 0).unwrap().contains("<name>test</name>"));
    let node = connection.host().node_info().unwrap();
    assert_eq!((node.model.as_str(), node.cpus), ("i686", 16));
}

#[test]
fn listings_that_want_their_exact_size_get_it() {
    let Some(connection) = libvirtd("qemu+unix:///system") else {
        return;
    };
    let stats = connection.host().node_cpu_stats(-1, 0).unwrap();
    assert!(stats.iter().any(|stat| stat.name == "idle"), "{stats:?}");
    assert!(!connection.host().node_memory_stats(-1, 0).unwrap().is_empty());
}

#[test]
fn errors_come_with_their_code() {
    let Some(connection) = libvirtd("test+unix:///default") else {
        return;
    };
    let error = connection.domains().lookup_by_name("nobody").unwrap_err();
    assert_eq!(error.code, ErrorCode::NO_DOMAIN);
    assert_eq!(error.to_string(), "Domain not found");
    let uri = Uri::parse(&format!("qemu+unix:///bogus?socket={SOCKET}")).unwrap();
    let error = registry::open(&uri, false).err().unwrap();
    assert_eq!(error.to_string(), "internal error: unexpected qemu URI path '/bogus', try qemu:///system");
}

/// What no driver of ours answers, and any libvirtd that runs QEMU does.
const SHOWN: &[&str] = &[
    "nwfilter-list",
    "nwfilter-dumpxml clean-traffic",
    "nwfilter-binding-list",
    "secret-list",
    "pool-capabilities",
    "net-list --all",
    "pool-list --all",
    "nodedev-list",
    "nodedev-info computer",
    "nodecpustats",
    "nodecpustats --percent",
    "nodememstats",
    "nodeinfo",
    "freecell",
    "freecell --all",
    "freepages --all",
    "hypervisor-cpu-models",
    "domcapabilities",
    "capabilities",
    "version --daemon",
    "list --all",
    "secret-dumpxml @SECRET@",
    "secret-get-value @SECRET@",
];

#[test]
fn what_a_daemon_answers_is_what_the_rows_promise() {
    if libvirtd("qemu+unix:///system").is_none() {
        return;
    }
    let uri = format!("qemu+unix:///system?socket={SOCKET}");
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hvsh"));
        command.args(["-c", &uri, "--format", "json"]).args(words).output().unwrap()
    };
    let id = uuid::Uuid::new_v4().to_string();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.xml");
    std::fs::write(&file, format!("<secret ephemeral='yes' private='no'><uuid>{id}</uuid></secret>"))
        .unwrap();
    let kept = run(&["secret-define", file.to_str().unwrap()]).status.success()
        && run(&["secret-set-value", &id, "--base64", "aHZzaA=="]).status.success();
    let mut wrong = Vec::new();
    for line in SHOWN {
        let line = line.replace("@SECRET@", &id);
        let words: Vec<&str> = line.split(' ').collect();
        let output = run(&words);
        if !output.status.success() {
            // Which of its parts a daemon was built with is its distribution's choice.
            eprintln!("SKIPPED: {line}: {}", String::from_utf8_lossy(&output.stderr).trim());
            continue;
        }
        let row = hvsh::commands::TABLE.find(words[0]).unwrap();
        let shape = hvsh::shell::shape::Shape::parse(row.answers.unwrap()).unwrap();
        let documents: Vec<serde_json::Value> =
            serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect();
        wrong.extend(shape.faults(&documents).into_iter().map(|fault| format!("{line}: {fault}")));
    }
    if kept {
        assert!(run(&["secret-undefine", &id]).status.success());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
