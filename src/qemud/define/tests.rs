//! Completions put beside what libvirt makes of the same definitions, recorded from libvirt 11.3 with QEMU 10.0.

use super::*;

fn completed(text: &str) -> Result<Element> {
    let mut tree = crate::xml::parse(text, "domain_definition")?;
    crate::xml::domain::complete(&mut tree, &QemuPlatform)?;
    let capabilities = capabilities_for(&tree)?;
    let places = Places { nvram: "/nvram".into() };
    complete(&mut tree, &capabilities, &places)?;
    Ok(tree)
}

/// Whether the emulator that a definition needs is installed; says so when not.
fn is_installed(arch: &str) -> bool {
    let found = emulator_of(arch);
    if let Err(error) = &found {
        eprintln!("skipped: {error}");
    }
    found.is_ok()
}

/// The recorded machine versions are those of QEMU 10.0; this one may be another.
fn of_this_version(text: &str) -> String {
    let Ok(facts) = emulator_of("x86_64").and_then(|binary| QemuCapabilities::of(&binary)) else {
        return text.to_string();
    };
    let version = format!("-{}.{}'", facts.version.major, facts.version.minor);
    text.replace("-10.0'", &version)
}

/// Runs the cases of a file: `=== name`, a definition, `--- becomes`, and the complete definition or the error.
fn check(cases: &str) {
    let mut wrong = Vec::new();
    for case in cases.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let (given, expected) = rest.split_once("--- becomes\n").unwrap();
        let arch = ["aarch64", "i686", "x86_64"].into_iter();
        let arch = arch.clone().find(|arch| given.contains(&format!("arch='{arch}'")));
        if !is_installed(arch.unwrap_or("x86_64")) {
            continue;
        }
        let expected = of_this_version(expected.trim());
        let answer = match completed(given) {
            Ok(tree) => {
                let text = tree.to_string();
                let again = completed(&text).map(|tree| tree.to_string());
                assert_eq!(
                    again.as_deref().ok(),
                    Some(text.as_str()),
                    "{name} changes when it is completed again"
                );
                text.trim().to_string()
            }
            Err(error) => format!("error: {error}"),
        };
        if answer != expected {
            wrong.push(format!("{name}:\n{}", difference(&expected, &answer)));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The lines that only one of two texts has.
fn difference(expected: &str, answer: &str) -> String {
    let (expected, answer): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), answer.lines().collect());
    let lacking = expected.iter().filter(|line| !answer.contains(line)).map(|line| format!("-{line}\n"));
    let more = answer.iter().filter(|line| !expected.contains(line)).map(|line| format!("+{line}\n"));
    let found: String = lacking.chain(more).collect();
    if found.is_empty() { "the order differs\n".into() } else { found }
}

#[test]
fn q35_definitions_become_what_libvirt_makes_of_them() {
    check(include_str!("../../../tests/definitions/q35.cases"));
}

#[test]
fn pc_definitions_become_what_libvirt_makes_of_them() {
    check(include_str!("../../../tests/definitions/pc.cases"));
}

#[test]
fn arm_definitions_become_what_libvirt_makes_of_them() {
    check(include_str!("../../../tests/definitions/virt.cases"));
}

#[test]
fn other_definitions_become_what_libvirt_makes_of_them() {
    check(include_str!("../../../tests/definitions/other.cases"));
}

#[test]
fn combinations_become_what_libvirt_makes_of_them() {
    check(include_str!("../../../tests/definitions/more.cases"));
}

#[test]
fn what_cannot_be_honoured_is_refused_by_element_and_line() {
    if !is_installed("x86_64") {
        return;
    }
    let definition = |devices: &str| {
        format!(
            "<domain type='qemu'>\n<name>n</name><memory>65536</memory>\n<os><type arch='x86_64' machine='q35'>hvm</type></os>\n\
             <devices>\n{devices}\n</devices></domain>"
        )
    };
    let refused = |devices: &str| completed(&definition(devices)).unwrap_err().to_string();
    let error =
        refused("<redirdev bus='usb' type='tcp'><source mode='connect' host='h' service='1'/></redirdev>");
    assert!(
        error.starts_with("unsupported configuration: ") && error.contains("<redirdev>, line 5"),
        "{error}"
    );
    let error = refused(
        "<disk type='file' device='disk'><driver name='qemu' type='vmdk'/><source file='/x'/><target dev='vda' bus='virtio'/></disk>",
    );
    assert!(error.contains("type 'vmdk'") && error.contains("<driver>, line 5"), "{error}");
}
