//! Verbs on several domains, and the commands that virsh does not have, over nodes of the test driver.

use crate::stage::{Answer, Stage};
use rexpect::session::spawn_command;

const NODE: &str = "<node>\
    <domain type='test'><name>web-1</name><memory>65536</memory><os><type>hvm</type></os></domain>\
    <domain type='test'><name>web-2</name><memory>65536</memory><os><type>hvm</type></os></domain>\
    <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>db1</name>\
        <memory>65536</memory><os><type>hvm</type></os><test:runstate>5</test:runstate>\
        <devices><disk type='file'><source file='/pool/db1.img'/><target dev='vda'/></disk>\
            <disk type='file'><source file='/elsewhere/x.img'/><target dev='vdb'/></disk>\
            <interface type='user'><mac address='52:54:00:00:00:01'/></interface></devices></domain>\
    <domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>w*</name>\
        <memory>65536</memory><os><type>hvm</type></os><test:runstate>5</test:runstate></domain>\
    <pool type='dir'><name>pool</name><target><path>/pool</path></target>\
        <volume type='file'><name>db1.img</name><capacity>1048576</capacity><allocation>0</allocation></volume></pool>\
    </node>";

struct Node {
    stage: Stage,
    uri: String,
}

impl Node {
    fn new() -> Node {
        let stage = Stage::new();
        let file = stage.root.path().join("node.xml");
        std::fs::write(&file, NODE).unwrap();
        Node { uri: format!("test://{}", file.display()), stage }
    }

    fn run(&self, line: &str) -> Answer {
        self.stage.run(&["-c", &self.uri, line], "")
    }

    fn json(&self, line: &str) -> serde_json::Value {
        let answer = self.stage.run(&["-c", &self.uri, "--format", "json", line], "");
        serde_json::from_str(&answer.out).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }
}

fn check(line: &str, out: &str, err: &str) {
    let answer = Node::new().run(line);
    let status = i32::from(!err.is_empty());
    assert_eq!((answer.out.as_str(), answer.err.as_str(), answer.status), (out, err, status), "{line}");
}

#[test]
fn names_and_patterns_are_worked_on_in_their_order() {
    check("destroy web-2 web-1", "Domain 'web-2' destroyed\nDomain 'web-1' destroyed\n\n", "");
    check("domstate 'web-*' db1", "web-1: running\nweb-2: running\ndb1: shut off\n\n", "");
    check("start '[!w]*'", "Domain 'db1' started\n\n", "");
    check("suspend web-1 web-1", "Domain 'web-1' suspended\n\n", "");
}

#[test]
fn all_means_those_in_a_fitting_state() {
    check("suspend --all", "Domain 'web-1' suspended\nDomain 'web-2' suspended\n\n", "");
    check(
        "domstate --all --reason",
        "db1: shut off (unknown)\nw*: shut off (unknown)\nweb-1: running (unknown)\nweb-2: running (unknown)\n\n",
        "",
    );
    check("suspend --all web-1", "\n", "error: Options --all and --domain are mutually exclusive\n");
}

#[test]
fn one_failure_is_told_and_fails_the_whole() {
    check("start db1 web-1", "Domain 'db1' started\n\n", "error: web-1: Domain is already active\n");
    let list = Node::new().json("start db1 web-1");
    assert_eq!(list[0]["succeeded"], true);
    assert_eq!(
        (&list[1]["domain"], &list[1]["errors"][0]),
        (&"web-1".into(), &"web-1: Domain is already active".into())
    );
}

#[test]
fn what_does_not_exist_stops_all_of_it() {
    let answer = Node::new().run("destroy web-1 nosuch; domstate web-1");
    assert_eq!(
        (answer.out.as_str(), answer.err.as_str()),
        ("\nrunning\n\n", "error: failed to get domain 'nosuch'\n")
    );
    check("start 'x*'", "\n", "error: failed to get domain 'x*'\n");
    check("start 'web-?'", "\n", "error: no domain that matches 'web-?' is in a state for this command\n");
}

#[test]
fn a_plain_name_and_virshs_places_keep_their_meaning() {
    check("start w*", "Domain 'w*' started\n\n", "");
    // The second place of these belongs to another option of virsh's.
    check("undefine db1 web-1", "\n", "error: Volume 'web-1' was not found in domain's definition.\n");
    let answer = Node::new().run("shutdown web-1 acpi");
    assert!(answer.err.contains("Failed to shutdown domain 'web-1'"), "{answer:?}");
    // Commands that act on one domain say what virsh says.
    check("domrename db1 db2 db3", "", "error: unexpected data 'db3'\n");
    check(
        "start db1 web-1 --console",
        "\n",
        "error: --console goes with one domain only, and not with a pattern\n",
    );
}

#[test]
fn waiting_ends_with_the_state_or_the_time() {
    check("wait web-1 --for running", "Domain 'web-1' is running\n\n", "");
    check("wait web-1 --for off --timeout 1", "\n", "error: Domain 'web-1' is not off after 1 s\n");
    check("wait db1 'w[*]' --for off", "Domain 'db1' is off\nDomain 'w*' is off\n\n", "");
    check(
        "wait web-1 --for rain",
        "\n",
        "error: Invalid value 'rain' for option --for: it is one of off, running, agent, ip\n",
    );
    let answer = Node::new().run("wait web-1 --for agent");
    assert!(answer.err.contains("virDomainQemuAgentCommand") && answer.status == 1, "{answer:?}");
}

#[test]
fn a_wait_ends_when_the_domain_does() {
    let node = Node::new();
    let mut command = node.stage.command();
    command.args(["-c", &node.uri]).env("TERM", "dumb");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send_line("wait web-1 --for off").unwrap();
    session.flush().unwrap();
    // Ctrl-C ends the wait, not the shell.
    std::thread::sleep(std::time::Duration::from_millis(500));
    session.send_control('c').unwrap();
    session.exp_string("interrupted while domain 'web-1' was not off yet").unwrap();
    session.exp_string("hvsh # ").unwrap();
    session.send_line("quit").unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn addresses_come_from_all_sources() {
    let default = |line: &str| Stage::new().run(&["-c", "test:///default", line], "");
    let answer = default("ip test --first");
    assert_eq!((answer.out.as_str(), answer.status), ("192.168.122.3\n\n", 0), "{answer:?}");
    assert!(default("ip test").out.contains("192.168.122.3"));
    let answer = Node::new().run("ip web-1");
    assert!(answer.err.starts_with("error: no address of domain 'web-1' is known: agent: "), "{answer:?}");
}

#[test]
fn nothing_is_removed_without_consent() {
    let node = Node::new();
    let refused = node.run("rm db1; domstate db1");
    assert_eq!((refused.out.as_str(), refused.status), ("\nshut off\n\n", 0));
    assert!(refused.err.contains("give --yes to remove its definition"), "{refused:?}");
    let running = node.run("rm web-1 --yes");
    assert!(running.err.contains("is running") && running.status == 1, "{running:?}");
    let answer = node.run("rm db1 --yes --storage; list --all --name; vol-list pool");
    assert!(
        answer.out.starts_with(
            "Domain 'db1' has been removed: its definition, disk vda (/pool/db1.img)\nKept: disk vdb"
        ),
        "{answer:?}"
    );
    assert!(!answer.out.contains("db1\n") && !answer.out.contains("db1.img  "), "{answer:?}");
    let forced = node.run("rm 'web-*' --yes --force; list --all --name");
    assert!(!forced.out.contains("\nweb-") && forced.out.contains("its running guest"), "{forced:?}");
}

#[test]
fn a_person_is_asked_before_a_removal() {
    for (reply, left) in [("n", "shut off"), ("y", "failed to get domain")] {
        let node = Node::new();
        let mut command = node.stage.command();
        command.args(["-c", &node.uri]).env("TERM", "dumb");
        let mut session = spawn_command(command, Some(20_000)).unwrap();
        session.exp_string("hvsh # ").unwrap();
        session.send_line("rm db1").unwrap();
        let shown = session.exp_string("Go on? [y/N] ").unwrap();
        assert!(shown.contains("  - its definition") && shown.contains("kept: disk vda"), "{shown}");
        session.send_line(reply).unwrap();
        session.exp_string("hvsh # ").unwrap();
        session.send_line("domstate db1").unwrap();
        session.exp_string(left).unwrap();
        session.send_line("quit").unwrap();
        session.exp_eof().unwrap();
    }
}

#[test]
fn a_clone_is_another_domain_with_its_own_disks() {
    let node = Node::new();
    let refused = node.run("clone db1 db2; list --all --name; vol-list pool");
    assert!(refused.err.contains("no storage pool has '/elsewhere/x.img'"), "{refused:?}");
    // What was copied before the failure is gone again.
    assert!(!refused.out.contains("db2"), "{refused:?}");
    let answer = node.run("clone db1 db2 --skip vdb; dumpxml db2; vol-list pool; domuuid db1; domuuid db2");
    assert!(answer.out.starts_with("Domain 'db2' cloned from 'db1'\n"), "{answer:?}");
    assert!(
        answer.out.contains("file='/pool/db2-vda.img'") && answer.out.contains(" db2-vda.img   /pool"),
        "{answer:?}"
    );
    assert!(!answer.out.contains("52:54:00:00:00:01") && answer.out.contains("<mac address="), "{answer:?}");
    let uuids: Vec<&str> =
        answer.out.lines().filter(|line| line.len() == 36 && !line.contains(' ')).collect();
    assert!(matches!(uuids[..], [one, other] if one != other), "{answer:?}");
    assert!(node.run("clone web-1 web-3").err.contains("is active"));
    assert!(node.run("clone db1 web-1").err.contains("there is a domain 'web-1' already"));
}

#[test]
fn further_domains_are_completed() {
    let node = Node::new();
    let answer = node.stage.run(&["-q", "-c", &node.uri, "complete", "--", "domstate", "db1", "web"], "");
    assert_eq!(answer.out, "web-1\nweb-2\n");
    let answer = node.stage.run(&["-q", "-c", &node.uri, "complete", "--", "suspend", "web-1", ""], "");
    assert_eq!(answer.out, "web-2\n");
}
