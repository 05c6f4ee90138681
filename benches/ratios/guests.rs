//! Rows about guests: starting one, saving and restoring one, many of them in one helper.

use crate::common::{self, Stage, kill};
use crate::emulator::{Emulator, Line};
use crate::measure::{figure, median, mib, milliseconds, row, seconds};
use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// How many guests the helper's rows have.
const GUESTS: usize = 200;
/// The memory of the guest that is saved, in MiB; all of it is in use.
const SAVED_MIB: u64 = 1024;

/// What `start` costs beyond QEMU's own time, with the same arguments, from exec to a monitor that answers.
pub fn start_cost(stage: &Stage) {
    stage.define("startup", "");
    let (mut ours, mut alone, mut more) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..21 {
        let with_hvsh = seconds(|| drop(stage.ok(&["start", "startup"])));
        let line = Line::of(stage, "startup");
        stage.ok(&["destroy", "startup"]);
        let mut emulator = None;
        let without = seconds(|| emulator = Some(Emulator::start(stage, &line)));
        drop(emulator);
        ours.push(with_hvsh);
        alone.push(without);
        more.push(with_hvsh - without);
    }
    let (ours, alone) = (median(ours), median(alone));
    row(
        "`start`, whole command",
        milliseconds(ours),
        format!("{} (QEMU alone, same arguments)", milliseconds(alone)),
        ours / alone,
        "",
    );
    figure("… beyond QEMU's own time", milliseconds(median(more)), "≤ 15 ms");
    stage.ok(&["undefine", "startup"]);
}

/// A paused guest whose firmware never runs: what costs is the helper's side of it.
fn tiny_guest(name: &str, memory_mib: u64) -> String {
    format!(
        "<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory_mib}</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os>
         <devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"
    )
}

/// Fills the memory of a QEMU with noise, as far as the kernel lets us: only root may in every case.
fn fill_memory(pid: u32) -> std::io::Result<()> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let place = maps.lines().find_map(|line| {
        let (from, to) = line.split(' ').next()?.split_once('-')?;
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        (to - from == SAVED_MIB << 20).then_some(from)
    });
    let place = place.ok_or_else(|| std::io::Error::other("the guest's memory is not found"))?;
    let mut memory = OpenOptions::new().write(true).open(format!("/proc/{pid}/mem"))?;
    memory.seek(SeekFrom::Start(place))?;
    let mut noise = 0x9e37_79b9_7f4a_7c15u64;
    let mut chunk = vec![0; 1 << 20];
    for _ in 0..SAVED_MIB {
        for word in chunk.chunks_exact_mut(8) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            word.copy_from_slice(&noise.to_le_bytes());
        }
        memory.write_all(&chunk)?;
    }
    Ok(())
}

/// The migration that hvsh uses too, to and from a file of its own.
fn prepare_migration(emulator: &mut Emulator) {
    emulator.say(
        r#"{"execute":"migrate-set-capabilities","arguments":{"capabilities":[{"capability":"events","state":true},{"capability":"mapped-ram","state":true}]}}"#,
    );
    emulator.say(r#"{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":1152921504606846976}}"#);
}

fn save_alone(mut emulator: Emulator, image: &Path) {
    prepare_migration(&mut emulator);
    let uri = image.display();
    emulator.say(&format!(r#"{{"execute":"migrate","arguments":{{"uri":"file:{uri}"}}}}"#));
    emulator.migrated();
    emulator.quit();
    File::open(image).and_then(|image| image.sync_all()).expect("the image reaches the disk");
}

fn restore_alone(stage: &Stage, line: &Line, image: &Path) -> Emulator {
    let mut emulator = Emulator::start(stage, &line.incoming());
    prepare_migration(&mut emulator);
    let uri = image.display();
    emulator.say(&format!(r#"{{"execute":"migrate-incoming","arguments":{{"uri":"file:{uri}"}}}}"#));
    emulator.migrated();
    emulator
}

/// Brings a file into the host's memory: whether it still is there from being written is chance, and would be all
/// that a restore's time tells.
fn read_ahead(path: &Path) {
    File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink())).expect("the image");
}

/// `save` and `restore` against QEMU's migration to a file on the same disk: a save until all is on the disk, a
/// restore from the host's memory.
pub fn save_throughput(stage: &Stage) {
    let definition = stage.file("saved.xml", &tiny_guest("saved", SAVED_MIB));
    stage.ok(&["create", "--paused", &definition]);
    let line = Line::of(stage, "saved");
    let pid = stage.qemu_pid("saved").expect("its QEMU").unsigned_abs();
    let emulator = Emulator::start(stage, &line);
    if let Err(error) = fill_memory(pid).and_then(|()| fill_memory(emulator.pid())) {
        eprintln!("the memory of a guest cannot be filled here ({error}): the rows of save are left out");
        stage.ok(&["destroy", "saved"]);
        return;
    }
    let mut alone = Some(emulator);
    let (image, other) = (stage.path("image.save"), stage.path("alone.save"));
    let image_name = image.to_string_lossy().into_owned();
    let mut times: [Vec<f64>; 4] = Default::default();
    for round in 0..5 {
        // In turn the first, so that a disk that is still busy harms neither more.
        for ours in if round % 2 == 0 { [true, false] } else { [false, true] } {
            if ours {
                times[0].push(seconds(|| drop(stage.ok(&["save", "saved", &image_name]))));
            } else if let Some(emulator) = alone.take() {
                times[1].push(seconds(|| save_alone(emulator, &other)));
            }
        }
        for ours in if round % 2 == 0 { [true, false] } else { [false, true] } {
            read_ahead(if ours { &image } else { &other });
            if ours {
                times[2].push(seconds(|| drop(stage.ok(&["restore", "--paused", &image_name]))));
            } else {
                times[3].push(seconds(|| alone = Some(restore_alone(stage, &line, &other))));
            }
        }
    }
    drop(alone);
    stage.ok(&["destroy", "saved"]);
    let [save, save_alone, restore, restore_alone] = times.map(median);
    let speed = |seconds: f64| format!("{:.0} MiB/s", SAVED_MIB as f64 / seconds);
    let theirs = |seconds: f64| format!("{} (QEMU's migration)", speed(seconds));
    let what = format!("`save` of {SAVED_MIB} MiB");
    row(&what, speed(save), theirs(save_alone), save_alone / save, "≥ 0.95");
    row(
        "`restore` of it, the image in the host's memory",
        speed(restore),
        theirs(restore_alone),
        restore_alone / restore,
        "≥ 0.95",
    );
}

fn resident(stage: &Stage) -> f64 {
    let pid = stage.helper_pid().expect("the helper");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its size");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// The helper's memory, idle and with many domains, and how soon a new one has taken over what runs.
pub fn helper(stage: &Stage) {
    stage.ok(&["list"]);
    let idle = resident(stage);
    row("helper, idle", mib(idle), "38 MiB (libvirtd)".to_string(), 38.0 * 1024.0 / idle, "≤ 8 MiB");

    let names: Vec<String> = (0..GUESTS).map(|number| format!("many-{number:03}")).collect();
    let each = |verb: &str| {
        let lines: Vec<String> = names.iter().map(|name| format!("{verb} {name}")).collect();
        stage.ok(&["-q", &lines.join(";")]);
    };
    for name in &names {
        stage.file(name, &tiny_guest(name, 16));
    }
    let lines: Vec<String> =
        names.iter().map(|name| format!("define {}", stage.path(name).display())).collect();
    stage.ok(&["-q", &lines.join(";")]);
    let defined = resident(stage);
    figure("helper, a defined domain", format!("{:.0} KiB", (defined - idle) / GUESTS as f64), "≤ 40 KiB");

    each("start --paused");
    let active = resident(stage);
    figure("helper, an active domain", format!("{:.0} KiB", (active - defined) / GUESTS as f64), "≤ 150 KiB");

    let mut times = Vec::new();
    for _ in 0..5 {
        kill(stage.helper_pid().expect("the helper"), 9);
        let gone = || stage.helper_pid().map_or(Ok(()), |_| Err(String::new()));
        common::wait_for(std::time::Duration::from_secs(10), gone).expect("the helper dies");
        let mut listed = String::new();
        times.push(seconds(|| listed = stage.ok(&["list", "--state-paused", "--name"])));
        assert_eq!(listed.lines().filter(|line| !line.is_empty()).count(), GUESTS, "all are adopted");
    }
    let what = format!("helper killed and started anew with {GUESTS} active guests, until `list` names all");
    figure(&what, milliseconds(median(times)), "≤ 2 s");
    each("destroy");
    each("undefine");
}
