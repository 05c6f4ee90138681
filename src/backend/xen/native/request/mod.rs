//! From domain XML to the S-expressions that make a domain.

use super::describe::UNLIMITED;
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::Element;
use crate::xml::domain::cpuset;
use std::collections::BTreeSet;
use std::path::Path;

mod devices;
mod image;

pub use devices::{DISK_CLASSES, device};

/// What the release of xend takes that others do not.
#[derive(Clone, Copy, Debug)]
pub struct Abilities {
    /// Disks served by blktap have a class of their own.
    pub tap: bool,
    /// Paravirtual guests have frame buffers.
    pub frame_buffers: bool,
    /// Drives are named with their kind, `hdc:cdrom`, and so CD-ROMs are disks as others are.
    pub kinds_of_drives: bool,
    /// Each virtual CPU is pinned by itself.
    pub pins_each: bool,
    /// Names have slashes.
    pub slashes: bool,
}

impl Abilities {
    /// Those of the last releases.
    pub const ALL: Abilities =
        Abilities { tap: true, frame_buffers: true, kinds_of_drives: true, pins_each: true, slashes: false };
}

/// What xend cannot honour though a definition asks for it.
pub(super) fn refused(detail: impl std::fmt::Display) -> Error {
    Error::unsupported_configuration(detail).from_origin(ErrorOrigin::XEN)
}

/// Refuses a name that xend would refuse.
pub fn check_name(name: &str, abilities: Abilities) -> Result<()> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.:+-".contains(c) || (c == '/' && abilities.slashes);
    match !name.is_empty() && name.chars().all(fits) {
        true => Ok(()),
        false => Err(refused(format!(
            "xend takes no domain named '{name}': names are made of letters, digits and the signs _ . : + -"
        ))),
    }
}

/// The configuration of a completed definition.
pub fn configuration(tree: &Element, abilities: Abilities) -> Result<Sxp> {
    refuse_unknown(tree)?;
    let text = |name: &str| tree.child_text(name).unwrap_or_default();
    check_name(&text("name"), abilities)?;
    let mebibytes = |name| text(name).parse::<u64>().ok().map(|kib| kib.div_ceil(1024));
    let most = mebibytes("memory").filter(|most| *most < UNLIMITED as u64);
    let most = most.ok_or_else(|| refused(format!("memory of {} KiB", text("memory"))))?;
    let mut vm = Sxp::list("vm", []);
    vm.push(Sxp::pair("name", text("name")));
    vm.push(Sxp::pair("memory", mebibytes("currentMemory").unwrap_or(most).min(most)));
    vm.push(Sxp::pair("maxmem", most));
    vm.push(Sxp::pair("uuid", text("uuid")));
    for action in ["on_poweroff", "on_reboot", "on_crash"] {
        vm.push(Sxp::pair(action, text(action)));
    }
    if let Some(description) = tree.child_text("description") {
        vm.push(Sxp::pair("description", description));
    }
    add_vcpus(tree, abilities, &mut vm)?;
    if let Some(bootloader) = tree.child_text("bootloader") {
        vm.push(Sxp::pair("bootloader", bootloader));
        if let Some(arguments) = tree.child_text("bootloader_args") {
            vm.push(Sxp::pair("bootloader_args", arguments));
        }
    }
    let is_hvm = is_hvm(tree)?;
    if !is_hvm && tree.child_attribute("clock", "offset") == Some("localtime") {
        vm.push(Sxp::pair("localtime", 1));
    }
    let image = if is_hvm { image::full(tree, abilities)? } else { image::paravirtual(tree)? };
    vm.push(Sxp::list("image", [image]));
    for made in devices::all(tree, is_hvm, abilities)? {
        vm.push(Sxp::list("device", [made]));
    }
    Ok(vm)
}

/// Whether a definition is of a whole machine.
pub fn is_hvm(tree: &Element) -> Result<bool> {
    match tree.child_text("os/type").as_deref() {
        Some("hvm") => Ok(true),
        Some("linux" | "xen") => Ok(false),
        other => Err(refused(format!("xend runs no domain of kind '{}'", other.unwrap_or_default()))),
    }
}

fn add_vcpus(tree: &Element, abilities: Abilities, vm: &mut Sxp) -> Result<()> {
    let count = tree.child_text("vcpu").and_then(|count| count.parse::<u32>().ok()).unwrap_or(1);
    vm.push(Sxp::pair("vcpus", count));
    let online = tree.child_attribute("vcpu", "current").and_then(|online| online.parse::<u32>().ok());
    if let Some(online) = online.filter(|online| *online < count && *online < 128) {
        vm.push(Sxp::pair("vcpu_avail", (1_u128 << online) - 1));
    }
    let common = tree.child_attribute("vcpu", "cpuset").unwrap_or_default();
    let mut pins = vec![common.to_string(); count.min(4096) as usize];
    for pin in tree.child("cputune").into_iter().flat_map(|tuning| tuning.children("vcpupin")) {
        let number = pin.attribute("vcpu").and_then(|number| number.parse::<usize>().ok());
        if let Some(place) = number.and_then(|number| pins.get_mut(number)) {
            *place = pin.attribute("cpuset").unwrap_or_default().to_string();
        }
    }
    let first = pins.first().cloned().unwrap_or_default();
    if pins.iter().all(|pin| *pin == first) {
        if !first.is_empty() {
            vm.push(Sxp::pair("cpus", cpu_list(&cpuset::parse(&first)?)));
        }
        return Ok(());
    }
    if !abilities.pins_each {
        return Err(refused("this xend ties all virtual CPUs of a domain to the same CPUs, or none"));
    }
    let mut lists = Vec::new();
    for pin in &pins {
        let cpus = if pin.is_empty() { BTreeSet::new() } else { cpuset::parse(pin)? };
        lists.push(Sxp::List(cpus.iter().map(|cpu| Sxp::atom(cpu.to_string())).collect()));
    }
    vm.push(Sxp::list("cpus", [Sxp::List(lists)]));
    Ok(())
}

/// The numbers parted by commas, without ranges: those are not understood everywhere.
pub fn cpu_list(cpus: &BTreeSet<u32>) -> String {
    let numbers: Vec<String> = cpus.iter().map(u32::to_string).collect();
    numbers.join(",")
}

/// The parts of a definition that xend has nothing for and whose absence a guest or its owner would notice.
const NOTHING_FOR: &[&str] = &[
    "genid",
    "maxMemory",
    "blkiotune",
    "memtune",
    "memoryBacking",
    "vcpus",
    "iothreads",
    "numatune",
    "throttlegroups",
    "sysinfo",
    "idmap",
    "cpu",
    "pm",
    "perf",
    "keywrap",
    "launchSecurity",
];

fn refuse_unknown(tree: &Element) -> Result<()> {
    if let Some(element) = tree.elements().find(|element| NOTHING_FOR.contains(&element.name.as_str())) {
        return Err(refused(format!("xend has nothing for <{}>{}", element.name, place(element))));
    }
    let mut features = tree.child("features").into_iter().flat_map(Element::elements);
    if let Some(feature) = features.find(|feature| !image::FEATURES.contains(&feature.name.as_str())) {
        let (name, place) = (&feature.name, place(feature));
        return Err(refused(format!("xend has nothing for the feature <{name}>{place}")));
    }
    let mut tuning = tree.child("cputune").into_iter().flat_map(Element::elements);
    if let Some(tunable) = tuning.find(|tunable| tunable.name != "vcpupin") {
        return Err(refused(format!("xend has nothing for <{}>{}", tunable.name, place(tunable))));
    }
    Ok(())
}

/// Where an element stands in its document.
pub(super) fn place(element: &Element) -> String {
    if element.line == 0 { String::new() } else { format!(" (line {})", element.line) }
}

/// The first of these paths that is there, else the first.
fn first_there<'a>(paths: &[&'a str]) -> &'a str {
    let there = paths.iter().find(|path| Path::new(path).exists());
    there.or(paths.first()).copied().unwrap_or_default()
}
