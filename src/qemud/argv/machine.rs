//! The machine itself: its name, board, accelerator, processors, memory, clock, boot and what wraps it all.

use super::builder::Builder;
use super::properties::{Properties, comma, switch};
use super::{cpu, image, node, smbios};
use crate::error::{Error, Result};
use crate::qemud::define::number;
use crate::xml::Element;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;

/// Everything before the monitor.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    let name = builder.active.child_text("name").unwrap_or_default();
    builder.option("-name", format!("guest={},debug-threads=on", comma(&name)));
    builder.flag("-S");
    let firmware = node::firmware(builder)?;
    let machine = machine(builder, &firmware);
    builder.option("-machine", machine);
    accelerator(builder);
    let cpu = cpu::argument(builder)?;
    if let Some(cpu) = cpu {
        builder.option("-cpu", cpu);
    }
    if let Some(bios) = firmware.bios {
        builder.option("-bios", bios);
    }
    memory(builder)?;
    processors(builder);
    numa(builder)?;
    for id in iothreads(builder.active) {
        let thread = iothread(builder.active, id);
        builder.object(&thread);
    }
    if let Some(uuid) = builder.active.child_text("uuid") {
        builder.option("-uuid", uuid);
    }
    smbios::arguments(builder)?;
    if builder.devices("graphics").next().is_none() {
        builder.option("-display", "none");
    }
    builder.flag("-no-user-config");
    builder.flag("-nodefaults");
    Ok(())
}

/// The board with its switches.
fn machine(builder: &Builder<'_>, firmware: &node::Firmware) -> String {
    let features = |path: &str| builder.active.find(&format!("features/{path}"));
    let mut text = builder.machine().to_string();
    let mut add = |switch: String| {
        text.push(',');
        text.push_str(&switch);
    };
    let has = |property: &str| builder.capabilities.machine_has(builder.machine(), property);
    if builder.board.family.says_usb && has("usb") {
        add("usb=off".into());
    }
    for (feature, property) in [("vmport", "vmport"), ("smm", "smm"), ("ps2", "i8042")] {
        if let Some(state) = features(feature).map(|element| element.attribute("state").unwrap_or("on")) {
            add(format!("{property}={state}"));
        }
    }
    if switch(builder.active.child_attribute("os/bios", "useserial")) == Some(true) {
        add("graphics=off".into());
    }
    match features("ioapic").and_then(|element| element.attribute("driver")) {
        Some("qemu") => add("kernel_irqchip=split".into()),
        Some("kvm") => add("kernel_irqchip=on".into()),
        _ => {}
    }
    if let Some(version) = features("gic").and_then(|element| element.attribute("version")) {
        add(format!("gic-version={version}"));
    }
    let core = builder.active.child_attribute("memory", "dumpCore");
    add(format!("dump-guest-core={}", core.unwrap_or("off")));
    if builder.active.find("cpu/numa").is_none()
        && let Some(ram) = ram_id(builder)
    {
        add(format!("memory-backend={ram}"));
    }
    for (number, node) in &firmware.flash {
        add(format!("pflash{number}={node}"));
    }
    if let Some(present) = timer(builder.active, "hpet").and_then(|timer| timer.attribute("present"))
        && has("hpet")
    {
        add(format!("hpet={}", if present == "yes" { "on" } else { "off" }));
    }
    if has("acpi") {
        add(format!("acpi={}", if features("acpi").is_some() { "on" } else { "off" }));
    }
    text
}

fn timer<'a>(active: &'a Element, name: &str) -> Option<&'a Element> {
    let mut timers = active.child("clock").into_iter().flat_map(|clock| clock.children("timer"));
    timers.find(|timer| timer.attribute("name") == Some(name))
}

fn accelerator(builder: &mut Builder<'_>) {
    let kind = if builder.is_accelerated() { "kvm" } else { "tcg" };
    builder.option("-accel", kind);
}

/// The id that the machine's main memory has in migration.
fn ram_id(builder: &Builder<'_>) -> Option<String> {
    builder.capabilities.machine(builder.machine()).and_then(|machine| machine.default_ram_id.clone())
}

/// The memory in bytes.
fn memory_bytes(active: &Element) -> Result<u64> {
    let text = active.child_text("memory").unwrap_or_default();
    let kib: u64 = text.parse().map_err(|_| Error::xml(format!("invalid memory size '{text}'")))?;
    kib.checked_mul(1024).ok_or_else(|| Error::xml(format!("memory size {kib} KiB is too large")))
}

fn memory(builder: &mut Builder<'_>) -> Result<()> {
    let bytes = memory_bytes(builder.active)?;
    builder.option("-m", format!("size={}k", bytes / 1024));
    if builder.active.find("cpu/numa").is_none()
        && let Some(id) = ram_id(builder)
    {
        let backend = memory_backend(builder.active, None, &id, bytes);
        builder.object(&backend);
    }
    let locked = builder.active.find("memoryBacking/locked").is_some();
    builder.option("-overcommit", format!("mem-lock={}", if locked { "on" } else { "off" }));
    Ok(())
}

/// The object that holds guest memory; a NUMA cell may say about its own.
fn memory_backend(active: &Element, cell: Option<&Element>, id: &str, bytes: u64) -> Properties {
    let backing = active.child("memoryBacking");
    let said =
        |child: &str, attribute: &str| backing.and_then(|backing| backing.child_attribute(child, attribute));
    let huge = backing.and_then(|backing| backing.child("hugepages"));
    let own = cell.is_some_and(|cell| cell.attribute("memAccess").is_some());
    let anonymous = said("source", "type").is_none_or(|kind| kind == "anonymous") && huge.is_none() && !own;
    let kind = if anonymous { "memory-backend-ram" } else { "memory-backend-memfd" };
    let mut properties = Properties::object(kind, id);
    if let Some(huge) = huge {
        properties = properties.with("hugetlb", true);
        let page = huge.child("page");
        let size = page.and_then(|page| number(page.attribute("size")));
        properties = properties.with_some("hugetlbsize", size.map(|kib| u64::from(kib) * 1024));
    }
    let access = cell.and_then(|cell| cell.attribute("memAccess")).or(said("access", "mode"));
    if let Some(access) = access.filter(|access| *access == "shared" || cell.is_some()) {
        properties = properties.with("share", access == "shared");
    }
    let discard = backing.is_some_and(|backing| backing.child("discard").is_some()).then_some(true);
    let discard = cell.and_then(|cell| switch(cell.attribute("discard"))).or(discard);
    properties = properties.with_some("discard-data", discard.filter(|_| !anonymous));
    if !anonymous {
        properties = properties.with("x-use-canonical-path-for-ramblock-id", false);
    }
    if said("allocation", "mode") == Some("immediate") {
        properties = properties.with("prealloc", true);
        properties = properties.with_some("prealloc-threads", number(said("allocation", "threads")));
    }
    if backing.is_some_and(|backing| backing.child("nosharepages").is_some()) {
        properties = properties.with("merge", false);
    }
    properties.with("size", bytes)
}

fn processors(builder: &mut Builder<'_>) {
    let active = builder.active;
    let most = active.child_text("vcpu").and_then(|text| text.parse().ok()).unwrap_or(1);
    let now = number(active.child_attribute("vcpu", "current")).unwrap_or(most);
    let mut text = now.to_string();
    if now != most {
        text.push_str(&format!(",maxcpus={most}"));
    }
    match active.find("cpu/topology") {
        Some(topology) => {
            for part in ["sockets", "dies", "clusters", "cores", "threads"] {
                let count = number(topology.attribute(part)).unwrap_or(1);
                // Boards without dies and clusters refuse to hear of them, even of one.
                if count != 1 || !matches!(part, "dies" | "clusters") {
                    text.push_str(&format!(",{part}={count}"));
                }
            }
        }
        None => text.push_str(&format!(",sockets={most},cores=1,threads=1")),
    }
    builder.option("-smp", text);
}

fn numa(builder: &mut Builder<'_>) -> Result<()> {
    let active = builder.active;
    let Some(numa) = active.find("cpu/numa") else {
        return Ok(());
    };
    for (position, cell) in numa.children("cell").enumerate() {
        let id = number(cell.attribute("id")).unwrap_or(position as u32);
        let text = cell.attribute("memory").unwrap_or_default();
        let amount: u64 = text
            .parse()
            .map_err(|_| Error::xml(format!("invalid memory size '{text}' of NUMA cell {id}")))?;
        let factor = match cell.attribute("unit") {
            Some("b" | "bytes") => 1,
            Some("M" | "MiB") => 1 << 20,
            Some("G" | "GiB") => 1 << 30,
            _ => 1 << 10,
        };
        let memory = format!("ram-node{id}");
        builder.object(&memory_backend(active, Some(cell), &memory, amount * factor));
        let mut text = format!("node,nodeid={id}");
        for range in cell.attribute("cpus").unwrap_or_default().split(',').filter(|range| !range.is_empty()) {
            text.push_str(&format!(",cpus={range}"));
        }
        builder.option("-numa", format!("{text},memdev={memory}"));
    }
    for (position, cell) in numa.children("cell").enumerate() {
        let from = number(cell.attribute("id")).unwrap_or(position as u32);
        for sibling in cell.child("distances").into_iter().flat_map(|distances| distances.children("sibling"))
        {
            if let (Some(to), Some(value)) = (sibling.attribute("id"), sibling.attribute("value")) {
                builder.option("-numa", format!("dist,src={from},dst={to},val={value}"));
            }
        }
    }
    Ok(())
}

/// The numbers of the I/O threads: those given, then the lowest free ones.
pub fn iothreads(active: &Element) -> Vec<u32> {
    let count = active.child_text("iothreads").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let given = active.child("iothreadids").into_iter().flat_map(|ids| ids.children("iothread"));
    let mut numbers: Vec<u32> = given.filter_map(|thread| number(thread.attribute("id"))).collect();
    let mut next = 1..;
    while numbers.len() < count {
        if let Some(free) = next.find(|candidate| !numbers.contains(candidate)) {
            numbers.push(free);
        }
    }
    numbers
}

/// The object of an I/O thread.
fn iothread(active: &Element, id: u32) -> Properties {
    let mut given = active.child("iothreadids").into_iter().flat_map(|ids| ids.children("iothread"));
    let given = given.find(|thread| number(thread.attribute("id")) == Some(id));
    let pool = |name: &str| number(given.and_then(|thread| thread.attribute(name)));
    let poll = |name: &str| number(given.and_then(|thread| thread.child_attribute("poll", name)));
    Properties::object("iothread", &format!("iothread{id}"))
        .with_some("thread-pool-min", pool("thread_pool_min"))
        .with_some("thread-pool-max", pool("thread_pool_max"))
        .with_some("poll-max-ns", poll("max"))
        .with_some("poll-grow", poll("grow"))
        .with_some("poll-shrink", poll("shrink"))
}

/// What comes after the monitor: clock, power, boot.
pub fn run_state(builder: &mut Builder<'_>) -> Result<()> {
    let clock = clock(builder.active)?;
    builder.option("-rtc", clock);
    let active = builder.active;
    if let Some(policy) = timer(active, "pit").and_then(|timer| timer.attribute("tickpolicy"))
        && builder.board.arch.is_x86
    {
        builder.option("-global", format!("kvm-pit.lost_tick_policy={policy}"));
    }
    builder.flag("-no-shutdown");
    if active.child_text("on_reboot").as_deref() == Some("destroy") {
        builder.option("-action", "reboot=shutdown");
    }
    chipset(builder);
    let chip = match (builder.board.family.is_q35, builder.board.family.is_i440fx) {
        (true, _) => Some("ICH9-LPC"),
        (_, true) => Some("PIIX4_PM"),
        _ => None,
    };
    if let Some(chip) = chip {
        for (state, property) in [("suspend-to-mem", "disable_s3"), ("suspend-to-disk", "disable_s4")] {
            if let Some(enabled) = active.child("pm").and_then(|pm| pm.child_attribute(state, "enabled")) {
                builder.option("-global", format!("{chip}.{property}={}", i32::from(enabled == "no")));
            }
        }
    }
    boot(builder)
}

/// What the chips of the board are told: the room above 4 GiB for PCI devices, the memory of system management mode.
fn chipset(builder: &mut Builder<'_>) {
    let active = builder.active;
    let mut roots = builder.devices("controller");
    let hole = roots.find_map(|controller| controller.child_text("pcihole64"));
    let host = if builder.board.family.is_q35 { "q35-pcihost" } else { "i440FX-pcihost" };
    if let Some(hole) = hole.filter(|_| builder.board.arch.is_x86) {
        builder.option("-global", format!("{host}.pci-hole64-size={hole}K"));
    }
    if let Some(size) = active.find("features/smm/tseg").filter(|_| builder.board.family.is_q35) {
        let bytes = size.text().trim().parse::<u64>().unwrap_or(0);
        builder.option("-global", format!("mch.extended-tseg-mbytes={bytes}"));
    }
}

fn clock(active: &Element) -> Result<String> {
    let clock = active.child("clock");
    let said = |name: &str| clock.and_then(|clock| clock.attribute(name));
    let base = match said("offset") {
        Some("localtime") => "localtime".to_string(),
        Some("variable") => {
            let adjustment = said("adjustment").unwrap_or("0");
            let adjustment: i64 = adjustment
                .parse()
                .map_err(|_| Error::xml(format!("invalid clock adjustment '{adjustment}'")))?;
            let zone = if said("basis") == Some("localtime") { offset_of_localtime(None)? } else { 0 };
            moment(now().saturating_add(adjustment).saturating_add(zone))?
        }
        Some("absolute") => {
            let start = said("start").unwrap_or("0");
            moment(start.parse().map_err(|_| Error::xml(format!("invalid clock start '{start}'")))?)?
        }
        Some("timezone") => moment(now() + offset_of_localtime(said("timezone"))?)?,
        _ => "utc".to_string(),
    };
    let mut text = format!("base={base}");
    if let Some(timer) = timer(active, "rtc") {
        match timer.attribute("track") {
            Some("guest") => text.push_str(",clock=vm"),
            Some("wall") => text.push_str(",clock=host"),
            Some("boot" | "realtime") => text.push_str(",clock=rt"),
            _ => {}
        }
        if timer.attribute("tickpolicy") == Some("catchup") {
            text.push_str(",driftfix=slew");
        }
    }
    Ok(text)
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

/// How far a zone's wall clock is ahead of UTC at present; the system's own zone if none is named.
fn offset_of_localtime(zone: Option<&str>) -> Result<i64> {
    let zone = match zone {
        Some(name) => TimeZone::get(name).map_err(|_| Error::xml(format!("unknown time zone '{name}'")))?,
        None => TimeZone::system(),
    };
    Ok(zone.to_offset(Timestamp::now()).seconds().into())
}

/// Seconds since 1970 as QEMU wants a date.
fn moment(seconds: i64) -> Result<String> {
    let moment = Timestamp::from_second(seconds);
    let moment =
        moment.map_err(|_| Error::xml(format!("the clock cannot stand at {seconds} s since 1970")))?;
    Ok(moment.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn boot(builder: &mut Builder<'_>) -> Result<()> {
    let active = builder.active;
    let os = active.child("os");
    let said = |child: &str, attribute: &str| os.and_then(|os| os.child_attribute(child, attribute));
    let mut text = Vec::new();
    if let Some(menu) = switch(said("bootmenu", "enable")) {
        text.push(format!("menu={}", if menu { "on" } else { "off" }));
    }
    if let Some(timeout) = said("bios", "rebootTimeout") {
        text.push(format!("reboot-timeout={timeout}"));
    }
    if let Some(timeout) = said("bootmenu", "timeout") {
        text.push(format!("splash-time={timeout}"));
    }
    text.push("strict=on".into());
    builder.option("-boot", text.join(","));
    for (element, option) in [("kernel", "-kernel"), ("initrd", "-initrd"), ("dtb", "-dtb")] {
        if let Some(path) = os.and_then(|os| os.child_text(element)).filter(|path| !path.is_empty()) {
            image::readable(Path::new(&path), "unable to stat:")?;
            builder.option(option, path);
        }
    }
    if let Some(cmdline) = os.and_then(|os| os.child_text("cmdline")).filter(|line| !line.is_empty()) {
        builder.option("-append", cmdline);
    }
    Ok(())
}

/// What wraps the process, and the definition's own arguments, which come last so that they win.
pub fn closing(builder: &mut Builder<'_>, incoming: bool) {
    if builder.capabilities.has_option("sandbox") {
        let spawns = if builder.spawns { "allow" } else { "deny" };
        builder.option(
            "-sandbox",
            format!("on,obsolete=deny,elevateprivileges={spawns},spawn={spawns},resourcecontrol=deny"),
        );
    }
    builder.option("-msg", "timestamp=on");
    if incoming {
        builder.option("-incoming", "defer");
    }
    let active = builder.active;
    for argument in active.find("qemu:commandline").into_iter().flat_map(|line| line.children("qemu:arg")) {
        builder.flag(argument.attribute("value").unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        assert_eq!(moment(0).unwrap(), "1970-01-01T00:00:00");
        assert_eq!(moment(951_782_400).unwrap(), "2000-02-29T00:00:00");
        assert_eq!(moment(1_795_470_210).unwrap(), "2026-11-23T21:43:30");
        assert_eq!(moment(-1).unwrap(), "1969-12-31T23:59:59");
        assert!(moment(i64::MAX).is_err());
        assert_eq!(offset_of_localtime(Some("UTC")).unwrap(), 0);
        assert!(offset_of_localtime(Some("Nowhere/Land")).is_err());
    }

    #[test]
    fn threads_without_a_number_take_the_lowest_free_ones() {
        let ids = Element::new("iothreadids").with_child(Element::new("iothread").with("id", 2));
        let domain =
            Element::new("domain").with_child(Element::new("iothreads").with_text(3)).with_child(ids);
        assert_eq!(iothreads(&domain), [2, 1, 3]);
    }
}
