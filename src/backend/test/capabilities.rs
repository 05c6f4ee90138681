//! The capabilities documents, made when asked for.

use super::state::State;
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::ARCHITECTURES;

/// The architecture that this driver's guests have.
pub(super) const ARCH: &str = "i686";
/// The emulator that no one will ever find there.
const EMULATOR: &str = "/usr/bin/test-hv";
/// The sizes of the host CPU's pages in KiB.
const PAGES: [u32; 4] = [4, 8, 2048, 1_048_576];
/// The kinds of domains there are at all.
const VIRT_TYPES: &[&str] = &[
    "none",
    "qemu",
    "kvm",
    "xen",
    "lxc",
    "uml",
    "openvz",
    "test",
    "vmware",
    "hyperv",
    "vbox",
    "phyp",
    "parallels",
    "bhyve",
    "vz",
    "hvf",
];

/// Whether there is such an architecture.
pub(super) fn is_architecture(name: &str) -> bool {
    ARCHITECTURES.contains(&name)
}

fn text(name: &str, text: impl ToString) -> Element {
    Element::new(name).with_text(text)
}

fn page_size(size: u32) -> Element {
    Element::new("pages").with("unit", "KiB").with("size", size)
}

fn guest_features() -> Element {
    Element::new("features").with_child(Element::new("pae")).with_child(Element::new("nonpae"))
}

/// The node's capabilities. The blank lines between the parts are part of the form.
pub(super) fn host(state: &State) -> String {
    let mut cpu = Element::new("cpu").with_child(text("arch", ARCH)).with_child(guest_features());
    PAGES.into_iter().map(page_size).for_each(|pages| cpu.push(pages));
    let security =
        Element::new("secmodel").with_child(text("model", "testSecurity")).with_child(Element::new("doi"));
    let host = Element::new("host")
        .with_child(cpu)
        .with_child(Element::new("power_management"))
        .with_child(Element::new("iommu").with("support", "no"))
        .with_child(topology(state))
        .with_child(security);
    let parts = [host, guest("hvm"), guest("xen")];
    let parts = parts.iter().map(|part| indent(&part.to_string()));
    let parts = parts.collect::<Vec<_>>().join("\n");
    format!("<capabilities>\n\n{parts}\n</capabilities>\n").replace("<doi/>", "<doi></doi>")
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn topology(state: &State) -> Element {
    let mut cells = Element::new("cells").with("num", state.cells.len());
    // As many CPUs a cell as the node has in all, evenly.
    let share = usize::try_from(state.node.cpus).unwrap_or(0) / state.cells.len().max(1);
    for (id, cell) in state.cells.iter().enumerate() {
        let mut element = Element::new("cell").with("id", id);
        element.push(text("memory", cell.memory).with("unit", "KiB"));
        for (size, count) in cell.pages {
            let mut pages = page_size(*size);
            pages.set_text(count);
            element.push(pages);
        }
        let mut cpus = Element::new("cpus").with("num", share);
        for core in 0..share {
            let number = id * share + core;
            let cpu = Element::new("cpu")
                .with("id", number)
                .with("socket_id", id)
                .with("die_id", 0)
                .with("cluster_id", 0)
                .with("core_id", core)
                .with("siblings", number);
            cpus.push(cpu);
        }
        element.push(cpus);
        cells.push(element);
    }
    if state.cells.is_empty() {
        cells.set_text("\n      ");
    }
    Element::new("topology").with_child(cells)
}

fn guest(os_type: &str) -> Element {
    let arch = Element::new("arch")
        .with("name", ARCH)
        .with_child(text("wordsize", 32))
        .with_child(text("emulator", EMULATOR))
        .with_child(Element::new("domain").with("type", "test"));
    Element::new("guest").with_child(text("os_type", os_type)).with_child(arch).with_child(guest_features())
}

/// What a domain can have here; the choices are checked, and then repeated.
pub(super) fn domain(
    emulator: Option<&str>,
    arch: Option<&str>,
    machine: Option<&str>,
    virttype: Option<&str>,
) -> Result<String> {
    let arch = arch.unwrap_or(ARCH);
    if !ARCHITECTURES.contains(&arch) {
        return Err(Error::invalid_argument(format!("unknown architecture: {arch}")));
    }
    let virttype = virttype.unwrap_or("test");
    if !VIRT_TYPES.contains(&virttype) {
        return Err(Error::invalid_argument(format!("unknown virttype: {virttype}")));
    }
    let mut root = Element::new("domainCapabilities");
    if let Some(emulator) = emulator {
        root.push(text("path", emulator));
    }
    root.push(text("domain", virttype));
    if let Some(machine) = machine {
        root.push(text("machine", machine));
    }
    root.push(text("arch", arch));
    let mut cpu = Element::new("cpu");
    for mode in ["host-passthrough", "maximum", "host-model", "custom"] {
        cpu.push(Element::new("mode").with("name", mode).with("supported", "no"));
    }
    root.push(cpu);
    root.push(text("devices", "\n  "));
    let absent = |name: &str| Element::new(name).with("supported", "no");
    let features = Element::new("features").with_child(absent("sev")).with_child(absent("sgx"));
    root.push(features);
    Ok(root.to_string())
}
