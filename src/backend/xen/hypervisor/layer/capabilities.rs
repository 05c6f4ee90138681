//! The capabilities document: the host as the hypervisor sees it, and the guests that it can run.

use crate::backend::xen::hypervisor::{CpuPlace, NumaNode, Physical};
use crate::model::ranges;
use crate::xml::Element;
use std::path::Path;

/// Where distributions put the device model; the last one is named if none is there.
const EMULATORS: &[&str] =
    &["/usr/libexec/xen-qemu-system-i386", "/usr/lib/xen/bin/qemu-dm", "/usr/lib/xen/bin/qemu-system-i386"];
/// Where distributions put the loader of guests with an emulated machine.
const LOADERS: &[&str] = &["/usr/libexec/xen/boot/hvmloader", "/usr/lib/xen/boot/hvmloader"];

/// What the document tells.
pub(super) struct Facts<'a> {
    /// The host's architecture.
    pub machine: String,
    /// The hypervisor's release.
    pub release: (u32, u32),
    /// The hardware.
    pub physical: &'a Physical,
    /// The NUMA nodes.
    pub cells: &'a [NumaNode],
    /// The CPUs that sit somewhere.
    pub topology: &'a [CpuPlace],
    /// The hypervisor's own list of guests.
    pub guests: &'a str,
}

/// A kind of guest of one architecture.
#[derive(Debug, Default, PartialEq, Eq)]
struct Guest {
    os: &'static str,
    arch: &'static str,
    /// Whether it may, and whether it must, extend its physical addresses.
    pae: bool,
    nonpae: bool,
}

fn text(name: &str, text: impl ToString) -> Element {
    Element::new(name).with_text(text)
}

/// The first of `paths` that is there, or the last one.
pub(super) fn installed(paths: &[&'static str]) -> &'static str {
    let there = paths.iter().find(|path| Path::new(path).exists());
    there.or(paths.last()).copied().unwrap_or_default()
}

/// The document. The blank lines between its parts are part of its form.
pub(super) fn document(facts: &Facts<'_>) -> String {
    let mut parts = vec![host(facts)];
    parts.extend(guests(facts.guests, facts.release).iter().map(guest));
    let parts: Vec<String> = parts.iter().map(|part| indent(&part.to_string())).collect();
    format!("<capabilities>\n\n{}\n</capabilities>\n", parts.join("\n"))
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn host(facts: &Facts<'_>) -> Element {
    /// Physical address extension, in the first word of features.
    const PAE: u32 = 1 << 6;
    // Devices can be given to guests: the bit moved when another one came before it.
    let directio = if facts.release >= (4, 12) { 4 } else { 2 };
    let mut cpu = Element::new("cpu").with_child(text("arch", &facts.machine));
    if facts.physical.features[0] & PAE != 0 {
        cpu.push(Element::new("features").with_child(Element::new("pae")));
    }
    let iommu = if facts.physical.capabilities & directio != 0 { "yes" } else { "no" };
    Element::new("host")
        .with_child(cpu)
        .with_child(Element::new("power_management"))
        .with_child(Element::new("iommu").with("support", iommu))
        .with_child(Element::new("migration_features").with_child(Element::new("live")))
        .with_child(text("netprefix", "vif"))
        .with_child(Element::new("topology").with_child(cells(facts)))
}

fn cells(facts: &Facts<'_>) -> Element {
    let mut cells = Element::new("cells").with("num", facts.cells.len());
    for cell in facts.cells {
        let mut element = Element::new("cell").with("id", cell.node);
        element.push(text("memory", cell.memory / 1024).with("unit", "KiB"));
        element.push(distances(cell));
        element.push(cpus(facts.topology, cell.node));
        cells.push(element);
    }
    cells
}

fn distances(cell: &NumaNode) -> Element {
    let mut distances = Element::new("distances");
    for (id, distance) in cell.distances.iter().enumerate().filter(|(_, distance)| **distance != u32::MAX) {
        distances.push(Element::new("sibling").with("id", id).with("value", distance));
    }
    distances
}

fn cpus(topology: &[CpuPlace], node: u32) -> Element {
    let here: Vec<&CpuPlace> = topology.iter().filter(|place| place.node == node).collect();
    let mut cpus = Element::new("cpus").with("num", here.len());
    for place in &here {
        let same_core = |other: &&&CpuPlace| (other.socket, other.core) == (place.socket, place.core);
        let siblings: Vec<u32> = here.iter().filter(same_core).map(|other| other.cpu).collect();
        let cpu = Element::new("cpu")
            .with("id", place.cpu)
            .with("socket_id", place.socket)
            .with("die_id", 0)
            .with("cluster_id", 0)
            .with("core_id", place.core)
            .with("siblings", ranges(&siblings));
        cpus.push(cpu);
    }
    cpus
}

/// The guests in the hypervisor's list, such as `xen-3.0-x86_64 hvm-3.0-x86_32p`, in its order.
fn guests(list: &str, release: (u32, u32)) -> Vec<Guest> {
    let mut found: Vec<Guest> = Vec::new();
    for entry in list.split_whitespace() {
        let mut parts = entry.splitn(3, '-');
        let (Some(kind), Some(_), Some(machine)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let arch = match machine {
            "x86_64" => "x86_64",
            "x86_32" | "x86_32p" => "i686",
            "aarch64" => "aarch64",
            "armv7l" => "armv7l",
            _ => continue,
        };
        let kinds: &[&'static str] = match kind {
            "xen" => &["xen"],
            // Guests that start without an emulated machine came with 4.10.
            "hvm" if release >= (4, 10) => &["hvm", "xenpvh"],
            "hvm" => &["hvm"],
            _ => continue,
        };
        for os in kinds {
            let place = found.iter().position(|guest| guest.os == *os && guest.arch == arch);
            let place = place.unwrap_or_else(|| {
                found.push(Guest { os, arch, ..Guest::default() });
                found.len() - 1
            });
            found[place].pae |= machine == "x86_32p";
            found[place].nonpae |= machine == "x86_32" && *os == "hvm";
        }
    }
    found
}

fn guest(guest: &Guest) -> Element {
    let machine = match guest.os {
        "xen" => "xenpv",
        "hvm" => "xenfv",
        _ => "xenpvh",
    };
    let wordsize = if matches!(guest.arch, "x86_64" | "aarch64") { 64 } else { 32 };
    let mut arch = Element::new("arch").with("name", guest.arch);
    arch.push(text("wordsize", wordsize));
    arch.push(text("emulator", installed(EMULATORS)));
    if guest.os == "hvm" {
        arch.push(text("loader", installed(LOADERS)));
    }
    arch.push(text("machine", machine));
    arch.push(Element::new("domain").with("type", "xen"));
    let mut features = Element::new("features");
    if guest.os != "xenpvh" && guest.pae {
        features.push(Element::new("pae"));
    }
    if guest.nonpae {
        features.push(Element::new("nonpae"));
    }
    let switches: &[(&str, &str)] = match guest.os {
        "hvm" => &[("acpi", "yes"), ("apic", "no"), ("hap", "yes")],
        "xenpvh" => &[("hap", "yes")],
        _ => &[],
    };
    for (name, toggle) in switches {
        features.push(Element::new(*name).with("default", "on").with("toggle", toggle));
    }
    let element = Element::new("guest").with_child(text("os_type", guest.os)).with_child(arch);
    if features.elements().next().is_some() { element.with_child(features) } else { element }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervisors_list_of_guests_is_read() {
        let list = "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";
        let told: Vec<_> = guests(list, (4, 17)).iter().map(|guest| (guest.os, guest.arch)).collect();
        let expected =
            [("xen", "x86_64"), ("hvm", "i686"), ("xenpvh", "i686"), ("hvm", "x86_64"), ("xenpvh", "x86_64")];
        assert_eq!(told, expected);
        let old = guests("xen-3.0-x86_32p hvm-3.0-x86_32p nonsense xen-3.0 mars-3.0-x86_64", (3, 2));
        assert_eq!(old.len(), 2);
        assert!(old.iter().all(|guest| guest.arch == "i686" && guest.pae && !guest.nonpae));
    }

    #[test]
    fn a_guest_with_an_emulated_machine_is_written_as_the_toolstack_has_it() {
        let mut written =
            guests("hvm-3.0-x86_32 hvm-3.0-x86_32p", (4, 17)).iter().map(guest).collect::<Vec<_>>();
        let written = written.remove(0).to_string();
        assert!(
            written.contains("<os_type>hvm</os_type>\n  <arch name='i686'>\n    <wordsize>32</wordsize>")
        );
        assert!(
            written.contains("<machine>xenfv</machine>\n    <domain type='xen'/>\n  </arch>\n  <features>\n")
        );
        assert!(written.contains("<pae/>\n    <nonpae/>\n    <acpi default='on' toggle='yes'/>"));
    }

    #[test]
    fn siblings_share_a_core() {
        let place = |cpu, core, socket| CpuPlace { cpu, core, socket, node: 0 };
        let topology = [place(0, 0, 0), place(1, 0, 0), place(2, 0, 1), place(3, 1, 0)];
        let written = cpus(&topology, 0).to_string();
        assert!(
            written
                .contains("<cpu id='1' socket_id='0' die_id='0' cluster_id='0' core_id='0' siblings='0-1'/>")
        );
        assert!(
            written
                .contains("<cpu id='2' socket_id='1' die_id='0' cluster_id='0' core_id='0' siblings='2'/>")
        );
        assert_eq!(cpus(&topology, 1).to_string().trim(), "<cpus num='0'/>");
    }
}
