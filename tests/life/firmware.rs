//! UEFI: the firmware runs, and what it writes into its variables is kept.

use crate::common::{Stage, wait_for};
use std::time::Duration;

/// Whether the distribution's UEFI is here; says so when not.
fn has_uefi() -> bool {
    let there = std::path::Path::new("/usr/share/OVMF/OVMF_CODE_4M.fd").exists();
    if !there {
        eprintln!("SKIPPED: no UEFI firmware here (package ovmf)");
    }
    there
}

fn definition(name: &str) -> String {
    let log = format!("<serial type='file'><source path='LOG/{name}.log'/></serial>");
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>\
         <os firmware='efi'><type arch='x86_64' machine='q35'>hvm</type><loader secure='no'/></os>\
         <features><acpi/></features><devices>{log}</devices></domain>"
    )
}

#[test]
fn the_firmware_writes_its_variables_and_they_stay() {
    if !has_uefi() {
        return;
    }
    let stage = Stage::new();
    let xml = definition("uefi").replace("LOG", &stage.root.path().display().to_string());
    stage.ok(&["define", &stage.file("uefi.xml", &xml)]);
    let told = stage.ok(&["dumpxml", "uefi"]);
    assert!(told.contains("<feature enabled='no' name='secure-boot'/>"), "{told}");
    let variables = stage.path("state/hvsh/qemu/nvram/uefi_VARS.fd");
    assert!(told.contains(&variables.display().to_string()), "{told}");
    assert!(!variables.exists(), "they are made at the first start");
    stage.ok(&["start", "uefi"]);
    let template = std::fs::read("/usr/share/OVMF/OVMF_VARS_4M.fd").unwrap();
    let written = wait_for(Duration::from_secs(90), || {
        let now = std::fs::read(&variables).map_err(|error| error.to_string())?;
        if now == template { Err("nothing is written yet".to_string()) } else { Ok(()) }
    });
    assert_eq!(written, Ok(()));
    stage.ok(&["destroy", "uefi"]);
    let kept = std::fs::read(&variables).unwrap();
    assert_ne!(kept, template);
    // A clone boots as the first did, from variables of its own.
    stage.ok(&["clone", "uefi", "twin"]);
    let twin = stage.path("state/hvsh/qemu/nvram/twin_VARS.fd");
    assert!(std::fs::read(&twin).unwrap() == kept);
    assert!(stage.ok(&["dumpxml", "twin"]).contains(&twin.display().to_string()));
    stage.ok(&["rm", "twin", "--yes"]);
    assert!(!twin.exists() && variables.exists());

    stage.ok(&["start", "uefi", "--paused"]);
    assert!(std::fs::read(&variables).unwrap() == kept, "a second start keeps them");
    stage.ok(&["destroy", "uefi"]);
    stage.ok(&["start", "uefi", "--paused", "--reset-nvram"]);
    assert!(std::fs::read(&variables).unwrap() == template, "unless they are to be fresh");
    stage.ok(&["destroy", "uefi"]);
    assert!(stage.fails(&["undefine", "uefi"]).contains("cannot undefine domain with nvram"));
    stage.ok(&["undefine", "uefi", "--nvram"]);
    assert!(!variables.exists());
}
