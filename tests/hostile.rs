//! Bad input: each gets one clear error that names the thing, and nothing changes.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod common;

use common::{Stage, guest_xml};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

/// The complaint about a definition; nothing is defined afterwards.
#[track_caller]
fn refused(stage: &Stage, xml: &str) -> String {
    let file = stage.file("bad.xml", xml);
    let complaint = stage.fails(&["define", &file]);
    assert!(!complaint.contains("panicked"), "{complaint}");
    complaint
}

#[test]
fn bad_definitions_are_refused_by_name() {
    let stage = Stage::new();
    stage.define("there", "");
    let good = guest_xml("x", "");
    assert!(refused(&stage, "<domain>\n<name>x</name>\n</domian>").contains("at line 3"));
    assert!(refused(&stage, "").contains("error:"));
    refused(&stage, &"<domain>".repeat(10_000));
    refused(
        &stage,
        &format!("<domain><name>x</name><description>{}</description></domain>", "y".repeat(100 << 20)),
    );
    assert!(refused(&stage, &good.replace("<name>x</name>", "<name>a/b</name>")).contains('/'));
    refused(&stage, &good.replace("<name>x</name>", "<name>a\nb</name>"));
    refused(&stage, &good.replace("<name>x</name>", "<name></name>"));
    let machine = refused(&stage, &good.replace("machine='q35'", "machine='no-such-machine'"));
    assert!(machine.contains("no-such-machine"), "{machine}");
    let emulator = "<devices><emulator>/no/such/qemu</emulator>";
    assert!(refused(&stage, &good.replace("<devices>", emulator)).contains("/no/such/qemu"));
    let uuid = stage.ok(&["domuuid", "there"]);
    let same = good.replace("<name>x</name>", &format!("<name>x</name><uuid>{}</uuid>", uuid.trim()));
    let complaint = refused(&stage, &same);
    assert!(complaint.contains("already defined with uuid"), "{complaint}");
    assert_eq!(stage.ok(&["list", "--all", "--name"]).trim(), "there");
}

#[test]
fn what_is_missing_at_start_is_named_and_the_domain_stays_off() {
    let stage = Stage::new();
    let disk = "<disk type='file' device='disk'><driver name='qemu' type='raw'/>\
                <source file='/no/such/disk.img'/><target dev='vda' bus='virtio'/></disk>";
    stage.define("diskless", disk);
    assert!(stage.fails(&["start", "diskless"]).contains("/no/such/disk.img"));
    let file = stage.file("kernel.xml", &guest_xml("kernelless", "").replace("vmlinuz", "no-such-kernel"));
    stage.ok(&["define", &file]);
    assert!(stage.fails(&["start", "kernelless"]).contains("no-such-kernel"));
    for name in ["diskless", "kernelless"] {
        assert_eq!(stage.ok(&["domstate", name]).trim(), "shut off");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let stage = Stage::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    stage.define("screen", &format!("<graphics type='vnc' port='{port}' autoport='no' listen='127.0.0.1'/>"));
    let complaint = stage.fails(&["start", "screen"]);
    assert!(complaint.contains(&port.to_string()) || complaint.contains("in use"), "{complaint}");
    assert_eq!(stage.ok(&["domstate", "screen"]).trim(), "shut off");
}

#[test]
fn foreign_and_truncated_images_are_refused() {
    let stage = Stage::new();
    let foreign = stage.file("foreign.save", &"not an image ".repeat(1000));
    assert!(stage.fails(&["restore", &foreign]).contains("foreign.save"));
    let empty = stage.file("empty.save", "");
    assert!(stage.fails(&["restore", &empty]).contains("empty.save"));
    assert!(stage.fails(&["restore", "/no/such/image"]).contains("/no/such/image"));
    stage.define("short", "");
    stage.ok(&["start", "short"]);
    let image = stage.path("short.save");
    let image = image.to_str().unwrap();
    stage.ok(&["save", "short", image]);
    let length = std::fs::metadata(image).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(image).unwrap().set_len(length / 2).unwrap();
    stage.fails(&["restore", image]);
    assert_eq!(stage.ok(&["domstate", "short"]).trim(), "shut off");
}

#[test]
fn a_save_to_a_full_disk_leaves_the_guest_running_and_no_file() {
    let stage = Stage::new();
    stage.define("full", "");
    stage.ok(&["start", "full"]);
    stage.fails(&["save", "full", "/no/such/folder/full.save"]);
    assert_eq!(stage.ok(&["domstate", "full"]).trim(), "running");
    let small = stage.path("small");
    std::fs::create_dir(&small).unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&small).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a small disk cannot be mounted here (root only)");
        return;
    }
    let complaint = stage.fails(&["save", "full", small.join("full.save").to_str().unwrap()]);
    let left = std::fs::read_dir(&small).unwrap().count();
    Command::new("umount").arg(&small).status().unwrap();
    assert!(complaint.contains("No space left"), "{complaint}");
    assert_eq!(left, 0, "no half image is left");
    assert_eq!(stage.ok(&["domstate", "full"]).trim(), "running");
}

fn socket(stage: &Stage) -> std::path::PathBuf {
    stage.ok(&["list"]);
    let folder = stage.path("run/hvsh");
    let mut sockets = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    sockets.find(|path| path.to_string_lossy().ends_with("qemud-sock")).expect("the helper's socket")
}

#[test]
fn noise_on_the_socket_harms_nobody() {
    let stage = Stage::new();
    let path = socket(&stage);
    for noise in [&b"GET / HTTP/1.0\r\n\r\n"[..], &[0xff; 4096], &[0, 0, 0, 28], &[0; 64], &[0, 0, 0, 0]] {
        let mut client = UnixStream::connect(&path).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let _ = client.write_all(noise);
        let _ = client.shutdown(std::net::Shutdown::Write);
        let _ = client.read_to_end(&mut Vec::new());
    }
    stage.ok(&["list"]);
}

#[test]
fn five_hundred_clients_and_one_that_does_not_read() {
    let stage = Stage::new();
    let path = socket(&stage);
    let mut deaf = UnixStream::connect(&path).unwrap();
    deaf.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    // The call that asks for the list of authentication methods, over and over, its answers never read.
    let call =
        [0u8, 0, 0, 28, 0x20, 0, 0x80, 0x86, 0, 0, 0, 1, 0, 0, 0, 66, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    for _ in 0..200_000 {
        if deaf.write_all(&call).is_err() {
            break;
        }
    }
    let crowd: Vec<UnixStream> = (0..500).map(|_| UnixStream::connect(&path).unwrap()).collect();
    stage.ok(&["list"]);
    drop(crowd);
    stage.ok(&["list"]);
}
