//! libvirt's Python binding drives our helper and a real guest, where the binding is installed; loudly skipped
//! elsewhere.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Said, Stage, guest_xml};

/// The distribution's interpreter, for which the distribution's binding is made.
const PYTHON: &str = "/usr/bin/python3";

#[test]
fn a_program_in_python_lives_with_a_guest() {
    let stage = Stage::new();
    let there = stage.program(PYTHON).args(["-c", "import libvirt, libvirt_qemu"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: the Python binding of libvirt is not installed");
        return;
    }
    stage.ok(&["list"]);
    let socket = stage.path("run").join("hvsh/qemud-sock");
    let definition = stage.file("guest.xml", &guest_xml("snake", "<graphics type='vnc' autoport='yes'/>"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/life.py");
    let said: Said = stage.program(PYTHON).arg(script).arg(socket).arg(definition).output().unwrap().into();
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "done\n", ""));
}
