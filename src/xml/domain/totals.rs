//! What has to agree across sections: memory, processors, threads, boot order, names used twice.

use super::memory::{kib, scaled_bytes};
use crate::error::{Error, ErrorCode, Result};
use crate::xml::Element;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Settles the sums, or says what does not add up.
pub fn settle(tree: &mut Element) -> Result<()> {
    settle_memory(tree)?;
    settle_vcpus(tree)?;
    settle_iothreads(tree)?;
    check_tuning(tree)?;
    settle_boot(tree)?;
    check_sysinfo(tree)?;
    check_names(tree)?;
    check_places(tree)
}

fn settle_memory(tree: &mut Element) -> Result<()> {
    let cells: u64 = tree
        .find("cpu/numa")
        .into_iter()
        .flat_map(|numa| numa.children("cell"))
        .filter_map(|cell| scaled_bytes(cell.attribute("memory")?, cell.attribute("unit"), 1024).ok())
        .map(|bytes| bytes / 1024)
        .fold(0, u64::saturating_add);
    let plugged: u64 = tree
        .child("devices")
        .into_iter()
        .flat_map(|devices| devices.children("memory"))
        .filter_map(|memory| memory.find("target/size"))
        .map(kib)
        .fold(0, u64::saturating_add);
    let said = tree.child("memory").map(kib).unwrap_or(0);
    let total = match said {
        0 => cells.saturating_add(plugged),
        said => said,
    };
    if total == 0 {
        return Err(Error::xml("Memory size must be specified via <memory> or in the <numa> configuration"));
    }
    if plugged > total {
        return Err(Error::xml("Total size of memory devices exceeds the total memory size"));
    }
    let memory = tree.child_or_new("memory");
    memory.set_text(total);
    memory.set("unit", "KiB");
    let current = tree.child("currentMemory").map(kib).filter(|current| *current > 0);
    let current = current.unwrap_or(total).min(total);
    let element = tree.child_or_new("currentMemory");
    element.set("unit", "KiB");
    element.set_text(current);
    if let Some(maximum) = tree.child("maxMemory").map(kib) {
        let has_slots = tree.child_attribute("maxMemory", "slots").is_some();
        if has_slots && maximum < total {
            return Err(Error::xml(
                "maximum memory size must be equal or greater than the actual memory size",
            ));
        }
    }
    Ok(())
}

fn number(element: &Element, name: &str) -> Option<u32> {
    element.attribute(name)?.parse().ok()
}

fn settle_vcpus(tree: &mut Element) -> Result<()> {
    let maximum: u32 = tree.child_text("vcpu").and_then(|text| text.parse().ok()).unwrap_or(1);
    check_cells(tree, maximum)?;
    let Some(vcpus) = tree.child_mut("vcpus") else {
        return Ok(());
    };
    let mut entries: BTreeMap<u32, Element> = BTreeMap::new();
    for entry in vcpus.elements() {
        let id = number(entry, "id").unwrap_or(u32::MAX);
        if id >= maximum {
            return Err(Error::xml(format!("vcpu id '{id}' is out of range of maximum vcpu count")));
        }
        let mut entry = entry.clone();
        let enabled = entry.attribute("enabled") == Some("yes");
        if !enabled && entry.attribute("hotpluggable") == Some("no") {
            return Err(Error::unsupported_configuration(format!(
                "vcpu '{id}' is both offline and not hotpluggable"
            )));
        }
        if entry.attribute("hotpluggable").is_none() {
            entry.set("hotpluggable", if enabled { "no" } else { "yes" });
        }
        super::cpu::VCPUS.arrange(&mut entry);
        entries.insert(id, entry);
    }
    for id in 0..maximum {
        entries.entry(id).or_insert_with(|| {
            Element::new("vcpu").with("id", id).with("enabled", "no").with("hotpluggable", "yes")
        });
    }
    let enabled = entries.values().filter(|entry| entry.attribute("enabled") == Some("yes")).count();
    vcpus.nodes.clear();
    for (_, entry) in entries {
        vcpus.push(entry);
    }
    let vcpu = tree.child_or_new("vcpu");
    if enabled as u32 == maximum {
        vcpu.unset("current");
    } else {
        vcpu.set("current", enabled);
    }
    Ok(())
}

fn check_cells(tree: &Element, maximum: u32) -> Result<()> {
    let mut all = BTreeSet::new();
    let cells = tree.find("cpu/numa").into_iter().flat_map(|numa| numa.children("cell"));
    for cell in cells {
        all.extend(super::cpuset::parse(cell.attribute("cpus").unwrap_or_default()).unwrap_or_default());
    }
    if all.len() as u32 > maximum {
        return Err(Error::internal("Number of CPUs in <numa> exceeds the <vcpu> count"));
    }
    if maximum == 0 || all.last().is_some_and(|last| *last >= maximum) {
        return Err(Error::internal("CPU IDs in <numa> exceed the <vcpu> count"));
    }
    Ok(())
}

/// Threads that are counted but not named get the lowest free numbers.
fn settle_iothreads(tree: &mut Element) -> Result<()> {
    let Some(ids) = tree.child("iothreadids") else {
        return Ok(());
    };
    let mut seen = HashSet::new();
    if let Some(id) = ids.elements().filter_map(|thread| number(thread, "id")).find(|id| !seen.insert(*id)) {
        return Err(Error::xml(format!("duplicate iothread id '{id}' found")));
    }
    let mut used: BTreeSet<u32> = ids.elements().filter_map(|thread| number(thread, "id")).collect();
    let named = ids.elements().count() as u32;
    let counted = tree.child_text("iothreads").and_then(|text| text.parse().ok()).unwrap_or(0).max(named);
    tree.child_or_new("iothreads").set_text(counted);
    let mut missing = counted - named;
    let ids = tree.child_or_new("iothreadids");
    for id in 1.. {
        if missing == 0 {
            break;
        }
        if used.insert(id) {
            ids.push(Element::new("iothread").with("id", id));
            missing -= 1;
        }
    }
    Ok(())
}

/// What is tuned must be there: pins of processors that are not are dropped, those of threads refused.
fn check_tuning(tree: &mut Element) -> Result<()> {
    let maximum: u32 = tree.child_text("vcpu").and_then(|text| text.parse().ok()).unwrap_or(1);
    let has_cells = tree.find("cpu/numa/cell").is_some();
    if tree.find("numatune/memnode").is_some() && !has_cells {
        return Err(Error::xml("Element 'memnode' is invalid without any guest NUMA cells"));
    }
    if let Some(map) = tree.child("idmap") {
        if map.child("uid").is_some() != map.child("gid").is_some() {
            return Err(Error::unsupported_configuration("uid and gid should be mapped both"));
        }
    }
    if !has_cells {
        let pages = tree.child_mut("memoryBacking").and_then(|backing| backing.child_mut("hugepages"));
        for page in pages.into_iter().flat_map(Element::elements_mut) {
            if page.attribute("nodeset") == Some("0") {
                page.unset("nodeset");
            }
        }
    }
    let threads = iothread_numbers(tree);
    let mut models = HashSet::new();
    for label in tree.children("seclabel") {
        let model = label.attribute("model").unwrap_or_default();
        if !model.is_empty() && !models.insert(model) {
            return Err(Error::new(
                ErrorCode::XML_DETAIL,
                format!("seclabel for model {model} is already provided"),
            ));
        }
    }
    let Some(tune) = tree.child_mut("cputune") else {
        return Ok(());
    };
    tune.retain(|pin| pin.name != "vcpupin" || number(pin, "vcpu").is_some_and(|vcpu| vcpu < maximum));
    for pin in tune.children("iothreadpin") {
        let thread = number(pin, "iothread").unwrap_or(0);
        if !threads.contains(&thread) {
            return Err(Error::unsupported_configuration(format!("Cannot find 'iothread' : {thread}")));
        }
    }
    if tune.elements().next().is_none() {
        tree.remove("cputune");
    }
    Ok(())
}

fn iothread_numbers(tree: &Element) -> BTreeSet<u32> {
    match tree.child("iothreadids") {
        Some(ids) => ids.elements().filter_map(|thread| number(thread, "id")).collect(),
        None => {
            let count = tree.child_text("iothreads").and_then(|text| text.parse().ok()).unwrap_or(0);
            (1..=count).collect()
        }
    }
}

fn settle_boot(tree: &mut Element) -> Result<()> {
    let mut orders = HashSet::new();
    for device in tree.child("devices").into_iter().flat_map(Element::elements) {
        if let Some(order) = device.child_attribute("boot", "order") {
            if !orders.insert(order) {
                return Err(Error::unsupported_configuration(format!(
                    "boot order '{order}' used for more than one device"
                )));
            }
        }
    }
    let has_order = !orders.is_empty();
    let is_hvm = tree.child_text("os/type").as_deref() == Some("hvm");
    let has_bootloader = tree.child("bootloader").is_some();
    let os = tree.child_or_new("os");
    let has_devices = os.child("boot").is_some();
    if has_order && has_devices {
        return Err(Error::unsupported_configuration(
            "per-device boot elements cannot be used together with os/boot elements",
        ));
    }
    if is_hvm && !has_order && !has_devices && !has_bootloader {
        os.push(Element::new("boot").with("dev", "hd"));
        super::os::OS.arrange(os);
    }
    Ok(())
}

fn check_sysinfo(tree: &Element) -> Result<()> {
    let uuid = tree.child_text("uuid").unwrap_or_default();
    let systems = tree.children("sysinfo").filter_map(|info| info.child("system"));
    for entry in systems.flat_map(|system| system.children("entry")) {
        let text = entry.text();
        if entry.attribute("name") == Some("uuid") && !text.trim().eq_ignore_ascii_case(&uuid) {
            return Err(Error::new(ErrorCode::XML_DETAIL, "UUID mismatch between <uuid> and <sysinfo>"));
        }
    }
    Ok(())
}

/// Refuses two disks with one name and two devices with one alias.
fn check_names(tree: &Element) -> Result<()> {
    let Some(devices) = tree.child("devices") else {
        return Ok(());
    };
    let mut targets: BTreeMap<&str, &Element> = BTreeMap::new();
    for disk in devices.children("disk") {
        let Some(name) = disk.child_attribute("target", "dev") else {
            continue;
        };
        if let Some(other) = targets.insert(name, disk) {
            let source = |disk| super::devices::disk::source_text(disk).unwrap_or("(null)");
            return Err(Error::xml(format!(
                "target '{name}' duplicated for disk sources '{}' and '{}'",
                source(other),
                source(disk)
            )));
        }
    }
    let mut aliases = HashSet::new();
    for device in devices.elements() {
        // A console that is the serial port's other name shares its alias.
        let twin = device.name == "console" && device.child_attribute("target", "type") == Some("serial");
        if let Some(alias) = device.child_attribute("alias", "name") {
            if !aliases.insert(alias) && !twin {
                return Err(Error::unsupported_configuration(format!("non unique alias detected: {alias}")));
            }
        }
    }
    Ok(())
}

/// Refuses two drives in one place, and an IOMMU whose machine cannot serve it.
fn check_places(tree: &Element) -> Result<()> {
    let Some(devices) = tree.child("devices") else {
        return Ok(());
    };
    let mut taken: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for disk in devices.children("disk") {
        let Some(address) = disk.child("address").filter(|at| at.attribute("type") == Some("drive")) else {
            continue;
        };
        let part = |name: &str| address.attribute(name).unwrap_or("0").to_string();
        let place = format!(
            "controller='{}' bus='{}' target='{}' unit='{}'",
            part("controller"),
            part("bus"),
            part("target"),
            part("unit")
        );
        let bus = disk.child_attribute("target", "bus").unwrap_or_default();
        let name = disk.child_attribute("target", "dev").unwrap_or_default();
        if let Some(other) = taken.insert((bus, place.clone()), name) {
            return Err(Error::unsupported_configuration(format!(
                "Found duplicate drive address for disk with target name '{other}' {place}"
            )));
        }
    }
    let remaps = |iommu: &Element| iommu.child_attribute("driver", "intremap") == Some("on");
    let io_apic = tree.find("features/ioapic").and_then(|apic| apic.attribute("driver"));
    if devices.children("iommu").any(remaps) && io_apic != Some("qemu") {
        return Err(Error::unsupported_configuration(
            "IOMMU interrupt remapping requires split I/O APIC (ioapic driver='qemu')",
        ));
    }
    let unassigned = |device: &Element| device.child_attribute("address", "type") == Some("unassigned");
    if devices.elements().any(|device| device.name != "hostdev" && unassigned(device)) {
        return Err(Error::unsupported_configuration(
            "address of type 'unassigned' is supported only for hostdevs",
        ));
    }
    Ok(())
}
