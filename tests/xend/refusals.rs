//! What would harm a release, or never be answered by it, is refused before it is asked.

use crate::shell::run;
use crate::standin::StandIn;
use std::path::PathBuf;

const RELEASES: &[&str] = &["3.0.4", "3.1", "4.4"];

/// A file with a small definition.
fn definition(name: &str, uuid: &str, memory: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.xml");
    let xml = format!(
        "<domain type='xen'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>{memory}</memory>\
         <os><type>linux</type><kernel>/guests/vmlinuz</kernel></os></domain>"
    );
    std::fs::write(&path, xml).unwrap();
    (folder, path)
}

/// Runs a command that is refused without anything having been asked for.
fn refused(xend: &StandIn, arguments: &[&str], words: &str) {
    let error = xend.fails(arguments);
    assert!(error.contains(words), "{arguments:?}: {error}");
    assert_eq!(xend.ops(), Vec::<String>::new(), "{arguments:?}");
}

#[test]
fn a_paused_guest_is_not_saved() {
    for version in RELEASES {
        let xend = StandIn::at(version, "pause");
        xend.ok(&["suspend", "demo"]);
        let error = xend.fails(&["save", "demo", "/tmp/x"]);
        assert!(error.contains("a paused domain cannot save itself"), "{error}");
        assert_eq!(xend.ops(), ["pause"]);
        let xend = StandIn::at(version, "inactive-save");
        refused(&xend, &["save", "mgd", "/tmp/x"], "domain is not running");
    }
}

#[test]
fn a_maximum_is_not_set_below_what_is_in_use() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-detail");
        refused(&xend, &["setmaxmem", "demo", "16M"], "below the domain's present");
        refused(&xend, &["setmem", "demo", "4000M"], "cannot set memory higher than max memory");
        refused(&xend, &["setvcpus", "demo", "8"], "greater than max allowable vcpus");
    }
}

#[test]
fn older_releases_are_not_asked_to_pin() {
    for version in &RELEASES[..2] {
        let xend = StandIn::at(version, "domain-detail");
        refused(&xend, &["vcpupin", "demo", "0", "0-1"], "would unpin the CPU");
    }
}

#[test]
fn no_second_domain_gets_a_uuid_or_name_of_another() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-detail");
        let (_keep, path) = definition("demo2", "0badcafe-0000-4000-8000-000000000001", "64");
        refused(&xend, &["create", path.to_str().unwrap()], "domain is already active as 'demo'");
        let (_keep, path) = definition("demo", "0badcafe-0000-4000-8000-0000000000ff", "64");
        refused(&xend, &["create", path.to_str().unwrap()], "domain 'demo' already exists with uuid");
        refused(&xend, &["define", path.to_str().unwrap()], "domain 'demo' already exists with uuid");
    }
}

#[test]
fn memory_that_is_not_there_is_not_waited_for() {
    for version in &RELEASES[..2] {
        let xend = StandIn::at(version, "domain-detail");
        let (_keep, path) = definition("big", "0badcafe-0000-4000-8000-0000000000ff", "900000");
        refused(&xend, &["create", path.to_str().unwrap()], "would hang until there is more");
    }
}

#[test]
fn the_host_stays_up() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-detail");
        for command in ["shutdown", "reboot", "destroy", "suspend", "save"] {
            let arguments = if command == "save" {
                vec![command, "Domain-0", "/tmp/x"]
            } else {
                vec![command, "Domain-0"]
            };
            refused(&xend, &arguments, "Domain-0");
        }
    }
}

#[test]
fn names_that_no_release_takes_are_not_sent() {
    for version in RELEASES {
        let xend = StandIn::at(version, "domain-detail");
        let (_keep, path) = definition("bad name!", "0badcafe-0000-4000-8000-0000000000ff", "64");
        refused(&xend, &["define", path.to_str().unwrap()], "xend takes no domain named 'bad name!'");
    }
}

#[test]
fn what_xend_has_nothing_for_is_not_dropped_in_silence() {
    let xend = StandIn::at("4.4", "domain-detail");
    let (_keep, path) = definition("new", "0badcafe-0000-4000-8000-0000000000ff", "64");
    let whole = std::fs::read_to_string(&path).unwrap();
    for (part, words) in [
        (
            "<devices><rng model='virtio'><backend model='random'>/dev/random</backend></rng></devices>",
            "<rng>",
        ),
        ("<devices><interface type='network'><source network='default'/></interface></devices>", "'network'"),
        ("<devices><graphics type='spice'/></devices>", "'spice'"),
        ("<cputune><shares>3</shares></cputune>", "<shares>"),
        ("<memoryBacking><hugepages/></memoryBacking>", "<memoryBacking>"),
    ] {
        std::fs::write(&path, whole.replace("</domain>", &format!("{part}</domain>"))).unwrap();
        refused(&xend, &["define", path.to_str().unwrap()], words);
    }
}

#[test]
fn a_configuration_longer_than_xend_takes_is_not_sent() {
    let xend = StandIn::at("4.4", "domain-detail");
    let (_keep, path) = definition("long", "0badcafe-0000-4000-8000-0000000000ff", "64");
    let whole = std::fs::read_to_string(&path).unwrap();
    let line = format!("<cmdline>{}</cmdline></os>", "k".repeat(10_000));
    std::fs::write(&path, whole.replace("</os>", &line)).unwrap();
    refused(&xend, &["define", path.to_str().unwrap()], "xend takes at most 10000");
}

#[test]
fn a_read_only_connection_changes_nothing() {
    let xend = StandIn::at("4.4", "domain-detail");
    let said = run(&xend.uri(), &["-r", "suspend", "demo"]);
    assert!(!said.fine && said.err.contains("read only access prevents virDomainSuspend"), "{said:?}");
    assert_eq!(xend.ops(), Vec::<String>::new());
}
