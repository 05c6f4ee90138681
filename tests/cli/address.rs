//! Where the shell connects when it is not told, and what stands for a URI.

use crate::stage::{Answer, Stage, answer};

fn domid(stage: &Stage, environment: &[(&str, &str)], arguments: &[&str]) -> Answer {
    let mut command = stage.command();
    command.envs(environment.iter().copied()).args(arguments).args(["domid", "test"]);
    answer(&mut command, "")
}

fn found(out: &str) -> Answer {
    Answer { out: out.to_string(), err: String::new(), status: 0 }
}

fn configure(stage: &Stage, text: &str) {
    let folder = stage.root.path().join("config/hvsh");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hvsh.conf"), text).unwrap();
}

#[test]
fn the_environment_names_the_default() {
    let stage = Stage::new();
    let test = ("LIBVIRT_DEFAULT_URI", "test:///default");
    let wrong = ("LIBVIRT_DEFAULT_URI", "foo:///");
    assert_eq!(domid(&stage, &[test], &[]), found("1\n\n"));
    // The shell's own variable counts before the library's, and an option before both.
    let own = ("VIRSH_DEFAULT_CONNECT_URI", "test:///default");
    assert_eq!(domid(&stage, &[wrong, own], &[]), found("1\n\n"));
    assert_eq!(domid(&stage, &[wrong], &["-c", "test:///default"]), found("1\n\n"));
    let refused = domid(&stage, &[wrong], &[]);
    assert_eq!(
        refused.err,
        "error: failed to connect to the hypervisor\nerror: no connection driver available for foo:///\n"
    );
    assert_eq!((refused.out.as_str(), refused.status), ("\n", 1));
}

#[test]
fn the_configuration_names_the_default_and_aliases() {
    let stage = Stage::new();
    configure(
        &stage,
        "# mine\nuri_default = \"test:///default\"\nuri_aliases = [\n  \"node=test:///default\",\n  'other=foo:///',\n]\n",
    );
    assert_eq!(domid(&stage, &[], &[]), found("1\n\n"));
    assert_eq!(domid(&stage, &[], &["-c", "node"]), found("1\n\n"));
    let other = domid(&stage, &[], &["-c", "other"]);
    assert!(other.err.ends_with("no connection driver available for foo:///\n"), "{other:?}");
}

#[test]
fn a_faulty_configuration_is_named_with_its_line() {
    let stage = Stage::new();
    configure(&stage, "\nuri_default test:///default\n");
    let refused = domid(&stage, &[], &[]);
    assert!(refused.err.contains("config/hvsh/hvsh.conf:2: expected a setting"), "{refused:?}");
    // It matters to nobody who says where to connect.
    assert_eq!(domid(&stage, &[], &["-c", "test:///default"]), found("1\n\n"));
}
