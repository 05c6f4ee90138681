//! Programs that were written for virsh and libvirt do their job with ours in their place: the boot script of libvirt's
//! guests, Pacemaker's resource agent, virt-install. Each is run as its distribution ships it, and loudly skipped
//! where it is not installed.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod common;

use common::{Said, Stage, URI, guest, guest_xml, hvsh};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A stage on whose path `virsh` is our shell.
fn stage_with_virsh() -> Stage {
    let stage = Stage::new();
    std::fs::create_dir(stage.path("bin")).unwrap();
    std::os::unix::fs::symlink(hvsh(), stage.path("bin/virsh")).unwrap();
    stage
}

fn with_virsh(stage: &Stage, program: &str) -> Command {
    let mut command = stage.program(program);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", stage.path("bin").display()));
    command
}

fn is_there(path: &str) -> bool {
    let there = Path::new(path).exists();
    if !there {
        eprintln!("SKIPPED: {path} is not installed");
    }
    there
}

/// Waits until the guest has booted so far that it hears its power button.
fn wait_for_boot(stage: &Stage, name: &str) {
    let log = stage.path(&format!("{name}.log"));
    let booted = common::wait_for(Duration::from_secs(120), || {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        if said.contains('#') { Ok(()) } else { Err(said) }
    });
    assert!(booted.is_ok(), "{name} did not boot: {booted:?}");
}

/// A guest whose console is also written to a file.
fn logged_xml(stage: &Stage, name: &str) -> String {
    let log =
        format!("<serial type='pty'><log file='{}'/></serial>", stage.path(&format!("{name}.log")).display());
    guest_xml(name, "").replace("<serial type='pty'/>", &log)
}

#[test]
fn the_boot_script_suspends_resumes_and_shuts_down_all_guests() {
    const SCRIPT: &str = "/usr/lib/libvirt/libvirt-guests.sh";
    if !is_there(SCRIPT) {
        return;
    }
    let stage = stage_with_virsh();
    for name in ["first", "second"] {
        let file = stage.file(&format!("{name}.xml"), &logged_xml(&stage, name));
        stage.ok(&["define", &file]);
        stage.ok(&["start", name]);
    }
    // The script of the distribution, but for where it keeps its notes and its settings.
    let script = std::fs::read_to_string(SCRIPT).unwrap();
    let state = stage.path("state");
    std::fs::create_dir_all(state.join("lib/libvirt")).unwrap();
    std::fs::create_dir_all(state.join("lock")).unwrap();
    let moved = |line: &str| match line.split_once('=') {
        Some(("localstatedir" | "initconfdir", _)) => {
            format!("{}={}", line.split('=').next().unwrap_or_default(), state.display())
        }
        _ => line.to_string(),
    };
    let script = stage.file("guests.sh", &script.lines().map(moved).collect::<Vec<_>>().join("\n"));
    let settings = |how: &str| {
        std::fs::write(state.join("libvirt-guests"), format!("URIS={URI}\nON_BOOT=start\n{how}\n")).unwrap();
    };
    let run = |action: &str| Said::from(with_virsh(&stage, "sh").args([&script, action]).output().unwrap());

    settings("ON_SHUTDOWN=suspend");
    let said = run("stop");
    for name in ["first", "second"] {
        assert!(said.code == 0 && said.out.contains(&format!("Suspending {name}: done")), "{said:?}");
        assert!(stage.ok(&["dominfo", name]).contains("Managed save:   yes"));
    }
    let said = run("start");
    for name in ["first", "second"] {
        assert!(said.code == 0 && said.out.contains(&format!("Resuming guest {name}: done")), "{said:?}");
        wait_for_boot(&stage, name);
    }
    settings("ON_SHUTDOWN=shutdown\nPARALLEL_SHUTDOWN=2\nSHUTDOWN_TIMEOUT=100");
    let said = run("stop");
    for name in ["first", "second"] {
        assert!(said.out.contains(&format!("Shutdown of guest {name} complete.")), "{said:?}");
        assert_eq!(stage.ok(&["domstate", name]), "shut off\n\n");
    }
}

#[test]
fn a_cluster_starts_watches_and_stops_a_domain() {
    const AGENT: &str = "/usr/lib/ocf/resource.d/heartbeat/VirtualDomain";
    if !is_there(AGENT) {
        return;
    }
    let stage = stage_with_virsh();
    let definition = stage.file("cluster.xml", &logged_xml(&stage, "cluster"));
    std::fs::create_dir(stage.path("resource")).unwrap();
    let run = |action: &str| {
        let mut agent = with_virsh(&stage, "bash");
        agent.args([AGENT, action]).env("OCF_ROOT", "/usr/lib/ocf").env("OCF_RESOURCE_INSTANCE", "one");
        agent.env("HA_RSCTMP", stage.path("resource")).env("OCF_RESKEY_CRM_meta_timeout", "60000");
        agent.env("OCF_RESKEY_config", &definition).env("OCF_RESKEY_hypervisor", URI);
        Said::from(agent.output().unwrap())
    };
    // The agent's own codes: 0 runs, 7 does not run.
    for (action, code) in [("validate-all", 0), ("monitor", 7), ("start", 0), ("monitor", 0)] {
        let said = run(action);
        assert_eq!(said.code, code, "{action}: {said:?}");
    }
    wait_for_boot(&stage, "cluster");
    for (action, code) in [("stop", 0), ("monitor", 7)] {
        let said = run(action);
        assert_eq!(said.code, code, "{action}: {said:?}");
    }
    assert!(stage.fails(&["domstate", "cluster"]).contains("failed to get domain 'cluster'"));
}

#[test]
fn virt_install_makes_a_guest_and_virt_xml_changes_it() {
    if !is_there("/usr/bin/virt-install") {
        return;
    }
    let stage = Stage::new();
    stage.ok(&["list"]);
    let uri = format!("qemu+unix:///session?socket={}", stage.path("run/hvsh/qemud-sock").display());
    let (kernel, initrd) = guest();
    let boot = format!("kernel={},initrd={},kernel_args=console=ttyS0", kernel.display(), initrd.display());
    let mut install = stage.program("virt-install");
    install.args(["--connect", &uri, "--name", "made", "--memory", "192", "--virt-type", "qemu"]);
    install.args(["--import", "--disk", "none", "--boot", &boot, "--osinfo", "generic"]);
    install.args(["--network", "user", "--graphics", "vnc", "--noautoconsole"]);
    let said = Said::from(install.output().unwrap());
    assert!(said.code == 0 && said.out.contains("Domain creation completed."), "{said:?}");
    assert_eq!(stage.ok(&["domstate", "--reason", "made"]), "running (booted)\n\n");
    let mut change = stage.program("virt-xml");
    change.args(["--connect", &uri, "made", "--edit", "--memory", "256", "--define"]);
    let said = Said::from(change.output().unwrap());
    assert_eq!(said.code, 0, "{said:?}");
    assert!(stage.ok(&["dumpxml", "--inactive", "made"]).contains("<memory unit='KiB'>262144</memory>"));
    assert!(stage.ok(&["dumpxml", "made"]).contains("<memory unit='KiB'>196608</memory>"));
    stage.ok(&["destroy", "made"]);
}
