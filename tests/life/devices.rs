//! Devices of a running guest changed in place, and the guest's agent, the real one.

use crate::common::{Stage, hvsh, wait_for};
use std::process::Stdio;
use std::time::Duration;

const MAC: &str = "52:54:00:00:00:31";

/// A guest with a disk, a card and an agent, once its agent answers.
fn with_agent(stage: &Stage) -> String {
    let disk = stage.path("disk.qcow2");
    let made = stage.program("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&disk).arg("64M").status();
    assert!(made.unwrap().success());
    let devices = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
         <target dev='vda' bus='virtio'/><iotune><total_iops_sec>5000</total_iops_sec></iotune></disk>\
         <interface type='user'><mac address='{MAC}'/><model type='virtio'/></interface>\
         <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
        disk.display()
    );
    let xml = crate::common::guest_xml("d", &devices).replace("<vcpu>1<", "<vcpu>2<");
    stage.ok(&["define", &stage.file("d.xml", &xml)]);
    stage.ok(&["start", "d"]);
    let answers = wait_for(Duration::from_secs(120), || {
        let said = stage.run(&["qemu-agent-command", "d", "{\"execute\":\"guest-ping\"}"]);
        if said.code == 0 { Ok(()) } else { Err(said.err) }
    });
    assert_eq!(answers, Ok(()));
    disk.to_string_lossy().into_owned()
}

#[track_caller]
fn shows(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|known| known.trim() == *line), "no '{line}' in:\n{text}");
    }
}

#[test]
fn a_running_guest_is_changed_in_place() {
    let stage = Stage::new();
    let disk = with_agent(&stage);
    // What its definition limits is limited from the start.
    shows(&stage.ok(&["blkdeviotune", "d", "vda"]), &["total_iops_sec : 5000", "total_bytes_sec: 0"]);
    stage.ok(&["blkdeviotune", "d", "vda", "--read-bytes-sec", "1000000", "--live", "--config"]);
    shows(&stage.ok(&["blkdeviotune", "d", "vda"]), &["read_bytes_sec : 1000000", "total_iops_sec : 5000"]);
    assert!(stage.ok(&["dumpxml", "d", "--inactive"]).contains("<read_bytes_sec>1000000</read_bytes_sec>"));
    let both = ["blkdeviotune", "d", "vda", "--total-bytes-sec", "5", "--read-bytes-sec", "5"];
    assert!(stage.fails(&both).contains("total and read/write of bytes_sec cannot be set at the same time"));

    stage.ok(&["blockresize", "d", "vda", "80M"]);
    assert!(stage.ok(&["domblkinfo", "d", "vda"]).contains(&format!("Capacity:       {}", 80 << 20)));
    let told = "{\"execute\":\"guest-get-disks\"}";
    assert!(stage.ok(&["qemu-agent-command", "d", told]).contains("/dev/vda"));
    assert!(stage.fails(&["blockresize", "d", "vdz", "80M"]).contains("disk 'vdz' was not found"));

    // A disk that is plugged in has its limits as well, and can be changed like any other.
    let second = stage.path("second.qcow2");
    stage.program("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&second).arg("16M").status().unwrap();
    let plugged = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>\
         <target dev='vdb' bus='virtio'/><iotune><read_iops_sec>77</read_iops_sec></iotune></disk>",
        second.display()
    );
    stage.ok(&["attach-device", "d", &stage.file("vdb.xml", &plugged), "--live"]);
    shows(&stage.ok(&["blkdeviotune", "d", "vdb"]), &["read_iops_sec  : 77"]);
    stage.ok(&["blockresize", "d", "vdb", "20M"]);
    stage.ok(&["domblkthreshold", "d", "vdb", "1000000"]);

    stage.ok(&["iothreadadd", "d", "4", "--live", "--config"]);
    assert!(stage.fails(&["iothreadadd", "d", "4"]).contains("an IOThread is already using iothread_id '4'"));
    stage.ok(&["iothreadset", "d", "4", "--poll-max-ns", "1000"]);
    shows(&stage.ok(&["domstats", "d", "--iothread"]), &["iothread.count=1", "iothread.4.poll-max-ns=1000"]);
    stage.ok(&["iothreaddel", "d", "4", "--live"]);
    assert!(!stage.ok(&["dumpxml", "d"]).contains("<iothread"));
    assert!(stage.ok(&["dumpxml", "d", "--inactive"]).contains("<iothread id='4'/>"));

    stage.ok(&["domif-setlink", "d", MAC, "down"]);
    assert_eq!(stage.ok(&["domif-getlink", "d", MAC]).trim(), format!("{MAC} down"));
    let carrier = r#"{"execute":"guest-network-get-interfaces"}"#;
    assert!(stage.ok(&["qemu-agent-command", "d", carrier]).contains("eth0"));
    stage.ok(&["domif-setlink", "d", MAC, "up"]);
    assert!(stage.ok(&["domiftune", "d", MAC]).contains("outbound.burst : 0"));

    stage.ok(&["domdirtyrate-calc", "d", "--seconds", "1"]);
    let measured = wait_for(Duration::from_secs(30), || {
        let said = stage.ok(&["domstats", "d", "--dirtyrate"]);
        if said.contains("dirtyrate.megabytes_per_second=") { Ok(()) } else { Err(said) }
    });
    assert_eq!(measured, Ok(()));

    // The mark of a disk is told when the guest writes past it.
    let mut watcher = stage.program(hvsh());
    watcher.args(["-c", crate::common::URI, "event", "--event", "block-threshold", "--timeout", "60"]);
    let mut watcher = watcher.stdout(Stdio::piped()).spawn().unwrap();
    let write = "{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/dd\",\
                 \"arg\":[\"if=/dev/zero\",\"of=/dev/vda\",\"bs=64k\",\"count=1\"]}}";
    // Again and again, since nobody says when the watcher has begun to watch.
    let told = wait_for(Duration::from_secs(60), || {
        stage.ok(&["domblkthreshold", "d", "vda", "100000"]);
        stage.ok(&["qemu-agent-command", "d", write]);
        match watcher.try_wait().unwrap() {
            Some(_) => Ok(()),
            None => Err("nothing is told".to_string()),
        }
    });
    assert_eq!(told, Ok(()));
    let seen = String::from_utf8(watcher.wait_with_output().unwrap().stdout).unwrap();
    assert!(
        seen.contains(&format!("event 'block-threshold' for domain 'd': dev: vda({disk}) 100000 ")),
        "{seen}"
    );
}

#[test]
fn the_agent_tells_of_the_guest() {
    let stage = Stage::new();
    with_agent(&stage);
    let all = stage.ok(&["guestinfo", "d"]);
    shows(
        &all,
        &[
            "user.count          : 0",
            "os.machine          : x86_64",
            "timezone.name       : UTC",
            "hostname            : demo",
            "disk.0.name         : /dev/vda",
            "disk.0.alias        : vda",
            "disk.0.guest_bus    : virtio",
            &format!("if.1.hwaddr         : {MAC}"),
        ],
    );
    assert_eq!(stage.ok(&["guestinfo", "d", "--hostname"]).trim(), "hostname            : demo");
    shows(
        &stage.ok(&["guestvcpus", "d"]),
        &["vcpus          : 0-1", "online         : 0-1", "offlinable     : 1"],
    );
    stage.ok(&["guestvcpus", "d", "--disable", "1"]);
    shows(&stage.ok(&["guestvcpus", "d"]), &["online         : 0"]);
    stage.ok(&["setvcpus", "d", "2", "--guest"]);
    assert_eq!(stage.ok(&["vcpucount", "d", "--guest"]).trim(), "2");
    let complaint = stage.fails(&["get-user-sshkeys", "d", "nobody-here"]);
    assert!(
        complaint.contains(
            "guest agent command failed: unable to execute QEMU agent command 'guest-ssh-get-authorized-keys'"
        ),
        "{complaint}"
    );
    stage.ok(&["guest-agent-timeout", "d", "--timeout", "5"]);
    assert!(
        stage.fails(&["guest-agent-timeout", "d", "--timeout", "-7"]).contains("less than the minimum '-2'")
    );
    // An agent that says nothing costs the time that was allowed, and no more.
    stage.ok(&["guest-agent-timeout", "d", "--timeout", "1"]);
    stage.ok(&["suspend", "d"]);
    let silent = stage.fails(&["domhostname", "d"]);
    assert!(silent.contains("Guest agent is not responding"), "{silent}");
}

#[test]
fn a_guest_that_does_not_answer_is_asked_again() {
    let stage = Stage::new();
    stage.define("deaf", "");
    stage.ok(&["start", "deaf"]);
    let qemu = stage.qemu_pid("deaf").unwrap();
    crate::common::kill(stage.helper_pid().unwrap(), 9);
    crate::common::kill(qemu, 19);
    // The new helper serves all the same, and knows the guest by its status.
    assert_eq!(stage.ok(&["domstate", "deaf"]).trim(), "running");
    assert!(!stage.ok(&["domstats", "deaf", "--vcpu"]).contains("vcpu.0.time"));
    crate::common::kill(qemu, 18);
    let known = wait_for(Duration::from_secs(60), || {
        let said = stage.ok(&["domstats", "deaf", "--vcpu"]);
        if said.contains("vcpu.0.time") { Ok(()) } else { Err(said) }
    });
    assert_eq!(known, Ok(()));
    stage.ok(&["suspend", "deaf"]);
    assert_eq!(stage.ok(&["domstate", "deaf", "--reason"]).trim(), "paused (user)");
}
