//! `<capabilities>`: the host, and the guests that the installed emulators can run.

use super::architecture::{self, ARCHITECTURES, Architecture};
use super::{Machine, QemuCapabilities};
use crate::error::Result;
use crate::host::Node;
use crate::qemud::define;
use crate::xml::Element;
use std::collections::BTreeMap;

/// The document. Every installed emulator is asked, but only once for as long as it stays the same.
pub fn host_capabilities(node: &Node) -> Result<String> {
    let mut document = Element::new("capabilities").with_child(host(node)?);
    let mut rows: Vec<&Architecture> = ARCHITECTURES.iter().collect();
    rows.sort_by_key(|row| PRINTED.iter().position(|name| *name == row.name).unwrap_or(PRINTED.len()));
    for row in rows {
        let Ok(binary) = define::emulator_of(row.name) else {
            continue;
        };
        match QemuCapabilities::of(&binary) {
            Ok(facts) => document.push(guest(row, &facts)),
            // One broken emulator must not hide the others.
            Err(error) => tracing::warn!("'{}' is left out of the capabilities: {error}", binary.display()),
        }
    }
    let text = document.to_string();
    // libvirt sets the large parts apart by empty lines.
    let text = text.replace("\n  <host>", "\n\n  <host>").replace("\n  <guest>", "\n\n  <guest>");
    Ok(text.replace("\n</capabilities>", "\n\n</capabilities>"))
}

/// The order in which libvirt lists architectures.
const PRINTED: &[&str] = &["armv7l", "aarch64", "i686", "loongarch64", "riscv64", "x86_64"];

fn host(node: &Node) -> Result<Element> {
    let mut host = Element::new("host");
    if let Some(identity) = node.identity() {
        host.push(Element::new("uuid").with_text(identity));
    }
    host.push(cpu(node)?);
    host.push(power());
    host.push(Element::new("iommu").with("support", if has_iommu() { "yes" } else { "no" }));
    let transports =
        Element::new("uri_transports").with_child(Element::new("uri_transport").with_text("tcp"));
    host.push(Element::new("migration_features").with_child(Element::new("live")).with_child(transports));
    host.push(topology(node)?);
    if let Some(cache) = cache(node) {
        host.push(cache);
    }
    host.push(
        Element::new("secmodel")
            .with_child(Element::new("model").with_text("none"))
            .with_child(Element::new("doi").with_text("0")),
    );
    Ok(host)
}

fn has_iommu() -> bool {
    std::fs::read_dir("/sys/kernel/iommu_groups").is_ok_and(|mut groups| groups.next().is_some())
}

fn power() -> Element {
    let states = std::fs::read_to_string("/sys/power/state").unwrap_or_default();
    let mut power = Element::new("power_management");
    for (state, name) in [("mem", "suspend_mem"), ("disk", "suspend_disk")] {
        if states.split_whitespace().any(|known| known == state) {
            power.push(Element::new(name));
        }
    }
    power
}

fn cpu(node: &Node) -> Result<Element> {
    let facts = node.first_cpu();
    let fact = |name: &str| facts.get(name).map(String::as_str);
    let info = node.node_info()?;
    let mut cpu = Element::new("cpu").with_child(Element::new("arch").with_text(architecture::host()));
    let vendor = match fact("vendor_id") {
        Some("AuthenticAMD") => Some("AMD"),
        Some("GenuineIntel") => Some("Intel"),
        Some("HygonGenuine") => Some("Hygon"),
        _ => None,
    };
    if let Some(vendor) = vendor {
        cpu.push(Element::new("vendor").with_text(vendor));
    }
    let microcode =
        fact("microcode").and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    if let Some(version) = microcode {
        cpu.push(Element::new("microcode").with("version", version));
    }
    if let (Some(family), Some(model), Some(stepping)) = (fact("cpu family"), fact("model"), fact("stepping"))
    {
        let signature =
            Element::new("signature").with("family", family).with("model", model).with("stepping", stepping);
        cpu.push(signature);
    }
    let topology = Element::new("topology")
        .with("sockets", info.sockets)
        .with("dies", 1)
        .with("clusters", 1)
        .with("cores", info.cores)
        .with("threads", info.threads);
    cpu.push(topology);
    let bits = fact("address sizes").and_then(|text| text.split_whitespace().next());
    if let Some(bits) = bits {
        cpu.push(Element::new("maxphysaddr").with("mode", "emulate").with("bits", bits));
    }
    for name in features(fact("flags").unwrap_or_default()) {
        cpu.push(Element::new("feature").with("name", name));
    }
    for size in node.page_sizes() {
        cpu.push(Element::new("pages").with("unit", "KiB").with("size", size));
    }
    Ok(cpu)
}

/// The kernel's names of x86 features that definitions know by the same or another name.
fn features(flags: &str) -> Vec<&str> {
    let renamed: BTreeMap<&str, &str> = [
        ("pclmulqdq", "pclmuldq"),
        ("sse4_1", "sse4.1"),
        ("sse4_2", "sse4.2"),
        ("tsc_deadline_timer", "tsc-deadline"),
        ("sha_ni", "sha-ni"),
        ("avx512_vbmi2", "avx512vbmi2"),
        ("avx512_vnni", "avx512vnni"),
        ("avx512_bitalg", "avx512bitalg"),
        ("avx512_vpopcntdq", "avx512-vpopcntdq"),
        ("avx512_bf16", "avx512-bf16"),
        ("xtopology", ""),
        ("nopl", ""),
        ("rep_good", ""),
        ("constant_tsc", ""),
        ("nonstop_tsc", "invtsc"),
        ("cpuid", ""),
        ("tsc_known_freq", ""),
        ("extd_apicid", ""),
        ("cr8_legacy", "cr8legacy"),
        ("lahf_lm", "lahf_lm"),
    ]
    .into();
    let known = flags.split_whitespace().map(|flag| renamed.get(flag).copied().unwrap_or(flag));
    known.filter(|name| !name.is_empty() && *name != "vmmcall").collect()
}

fn topology(node: &Node) -> Result<Element> {
    let mut cells = node.cells();
    if cells.is_empty() {
        cells.push(0);
    }
    let mut list = Element::new("cells").with("num", cells.len());
    for &cell in &cells {
        list.push(one_cell(node, cell)?);
    }
    Ok(Element::new("topology").with_child(list))
}

fn one_cell(node: &Node, number: u32) -> Result<Element> {
    let stats = node.node_memory_stats(i32::try_from(number).unwrap_or(0))?;
    let total = stats.iter().find(|stat| stat.name == "total").map_or(0, |stat| stat.value);
    let mut cell = Element::new("cell")
        .with("id", number)
        .with_child(Element::new("memory").with("unit", "KiB").with_text(total));
    for (position, size) in node.page_sizes().into_iter().enumerate() {
        let huge: u64 = node
            .page_sizes()
            .iter()
            .skip(1)
            .map(|size| node.cell_huge_pages(number, *size) * u64::from(*size))
            .sum();
        let pages = match position {
            0 => total.saturating_sub(huge) / u64::from(size.max(1)),
            _ => node.cell_huge_pages(number, size),
        };
        cell.push(Element::new("pages").with("unit", "KiB").with("size", size).with_text(pages));
    }
    let distances = node.cell_distances(number);
    if !distances.is_empty() {
        let mut list = Element::new("distances");
        for (to, value) in distances.iter().enumerate() {
            list.push(Element::new("sibling").with("id", to).with("value", value));
        }
        cell.push(list);
    }
    let cpus = node.cell_cpus(number);
    let mut list = Element::new("cpus").with("num", cpus.len());
    for cpu in cpus {
        let place = node.cpu_place(cpu);
        list.push(
            Element::new("cpu")
                .with("id", cpu)
                .with("socket_id", place.socket)
                .with("die_id", place.die)
                .with("cluster_id", place.cluster)
                .with("core_id", place.core)
                .with("siblings", place.siblings),
        );
    }
    cell.push(list);
    Ok(cell)
}

fn cache(node: &Node) -> Option<Element> {
    let banks = node.cache_banks();
    if banks.is_empty() {
        return None;
    }
    let mut cache = Element::new("cache");
    for bank in banks {
        let (size, unit) = match bank.size % 1024 {
            0 => (bank.size / 1024, "MiB"),
            _ => (bank.size, "KiB"),
        };
        cache.push(
            Element::new("bank")
                .with("id", bank.id)
                .with("level", bank.level)
                .with("type", bank.kind)
                .with("size", size)
                .with("unit", unit)
                .with("cpus", bank.cpus),
        );
    }
    Some(cache)
}

/// What an emulator runs.
fn guest(row: &Architecture, facts: &QemuCapabilities) -> Element {
    let mut arch = Element::new("arch")
        .with("name", row.name)
        .with_child(Element::new("wordsize").with_text(row.word_size))
        .with_child(Element::new("emulator").with_text(facts.binary.display()));
    let default = facts.default_machine().map(|machine| machine.name.clone());
    let (first, rest): (Vec<&Machine>, Vec<&Machine>) =
        facts.machines.iter().partition(|machine| Some(&machine.name) == default.as_ref());
    for machine in first.into_iter().chain(rest) {
        arch.push(machine_element(machine, None));
        if let Some(alias) = &machine.alias {
            arch.push(machine_element(machine, Some(alias)));
        }
    }
    if facts.tcg {
        arch.push(Element::new("domain").with("type", "qemu"));
    }
    if facts.kvm_usable().is_ok() {
        arch.push(Element::new("domain").with("type", "kvm"));
    }
    let mut features = Element::new("features");
    if row.is_x86 {
        features.push(Element::new("acpi").with("default", "on").with("toggle", "yes"));
        features.push(Element::new("apic").with("default", "on").with("toggle", "no"));
    }
    if row.name == "aarch64" {
        features.push(Element::new("acpi").with("default", "on").with("toggle", "yes"));
    }
    features.push(Element::new("cpuselection"));
    features.push(Element::new("deviceboot"));
    if row.name == "i686" {
        features.push(Element::new("pae"));
        features.push(Element::new("nonpae"));
    }
    Element::new("guest")
        .with_child(Element::new("os_type").with_text("hvm"))
        .with_child(arch)
        .with_child(features)
}

fn machine_element(machine: &Machine, alias: Option<&str>) -> Element {
    let mut element = Element::new("machine");
    if alias.is_some() {
        element.set("canonical", &machine.name);
    }
    element.set("maxCpus", machine.cpu_max);
    if machine.deprecated {
        element.set("deprecated", "yes");
    }
    element.with_text(alias.unwrap_or(&machine.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_tells_the_host_and_each_installed_emulator() {
        let document = host_capabilities(&Node::default()).unwrap();
        let tree = crate::xml::parse(&document, "test").unwrap();
        assert_eq!(tree.child_text("host/cpu/arch").unwrap(), architecture::host());
        assert!(tree.find("host/topology/cells/cell/cpus/cpu").is_some());
        if define::emulator_of("x86_64").is_ok() {
            assert!(document.contains("<arch name='x86_64'>"));
            assert!(document.contains(">q35</machine>"), "{document}");
        }
    }
}
