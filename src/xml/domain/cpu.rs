//! `<vcpu>`, `<vcpus>`, `<iothreads>`, and `<cpu>`: how many processors there are and what they look like.

use crate::error::{Error, Result};
use crate::xml::shape::{
    Shape, integer, many, on_off, one, one_of, positive, shape, text, text_shape, unsigned, yes_no,
};
use crate::xml::{Element, Node};

/// `<vcpu>`.
pub static VCPU: Shape = shape("vcpu")
    .attributes(&[one_of("placement", &["static", "auto"]), text("cpuset"), text("current")])
    .with_text()
    .after(complete_vcpu);
/// `<vcpus>`.
pub static VCPUS: Shape = shape("vcpus").children(&[many(&VCPU_ENTRY)]).unless_empty();
static VCPU_ENTRY: Shape = shape("vcpu").attributes(&[
    unsigned("id").required(),
    yes_no("enabled").required(),
    yes_no("hotpluggable"),
    positive("order"),
]);
/// `<iothreads>`.
pub static IOTHREADS: Shape = text_shape("iothreads").after(|threads| {
    let text = threads.text();
    match text.trim().parse::<u32>() {
        Ok(0) => threads.nodes.clear(),
        Ok(number) if number <= IOTHREADS_MAX => threads.set_text(number),
        Ok(_) => return Err(Error::xml(format!("invalid iothreads count '{text}'"))),
        Err(_) => return Err(Error::xml(format!("invalid iothreads count '{text}'"))),
    }
    Ok(())
});
/// `<iothreadids>`.
pub static IOTHREAD_IDS: Shape = shape("iothreadids").children(&[many(&IOTHREAD)]).unless_empty();
static IOTHREAD: Shape = shape("iothread")
    .attributes(&[positive("id").required(), integer("thread_pool_min"), integer("thread_pool_max")])
    .children(&[one(&POLL)]);
static POLL: Shape =
    shape("poll").attributes(&[unsigned("max"), unsigned("grow"), unsigned("shrink")]).unless_empty();
/// `<defaultiothread>`.
pub static DEFAULT_IOTHREAD: Shape = shape("defaultiothread")
    .attributes(&[integer("thread_pool_min"), integer("thread_pool_max")])
    .unless_empty();

/// `<cpu>`.
pub static CPU: Shape = shape("cpu")
    .unless_empty()
    .attributes(&[
        text("mode"),
        one_of("match", &["minimum", "exact", "strict"]),
        one_of("check", &["none", "partial", "full"]).omit("default"),
        on_off("migratable"),
        text("deprecated_features"),
    ])
    .children(&[
        one(&MODEL),
        one(&VENDOR),
        one(&TOPOLOGY),
        one(&CACHE),
        one(&ADDRESS_BITS),
        many(&FEATURE),
        one(&NUMA),
    ])
    .after(complete_cpu);

static MODEL: Shape = shape("model").attributes(&[text("fallback"), text("vendor_id")]).with_text();
static VENDOR: Shape = text_shape("vendor");
static TOPOLOGY: Shape = shape("topology")
    .attributes(&[
        positive("sockets").required(),
        positive("dies"),
        positive("clusters"),
        positive("cores").required(),
        positive("threads").required(),
    ])
    .after(|topology| {
        for name in ["dies", "clusters"] {
            if topology.attribute(name).is_none() {
                topology.set(name, 1);
            }
        }
        Ok(())
    });
static CACHE: Shape = shape("cache")
    .attributes(&[unsigned("level"), one_of("mode", &["emulate", "passthrough", "disable"]).required()]);
static ADDRESS_BITS: Shape = shape("maxphysaddr").attributes(&[
    one_of("mode", &["emulate", "passthrough"]).required(),
    unsigned("bits"),
    unsigned("limit"),
]);
static FEATURE: Shape = shape("feature").attributes(&[text("policy"), text("name")]).after(complete_feature);
static NUMA: Shape = shape("numa").children(&[many(&CELL), one(&INTERCONNECTS)]).unless_empty();
static CELL: Shape = shape("cell")
    .attributes(&[
        text("id"),
        text("cpus"),
        text("memory"),
        text("unit"),
        one_of("memAccess", &["shared", "private"]).omit("default"),
        yes_no("discard"),
    ])
    .children(&[one(&DISTANCES), many(&CELL_CACHE)])
    .after(complete_cell);
static DISTANCES: Shape = shape("distances").children(&[many(&SIBLING)]).unless_empty();
static SIBLING: Shape =
    shape("sibling").attributes(&[unsigned("id").required(), unsigned("value").required()]);
static CELL_CACHE: Shape = shape("cache").verbatim();
static INTERCONNECTS: Shape = shape("interconnects").verbatim();

/// More virtual CPUs than any hypervisor gives.
const VCPUS_MAX: u32 = 65_536;
/// More I/O threads than any host runs.
const IOTHREADS_MAX: u32 = 65_536;
/// More cells than any hypervisor gives.
const CELLS_MAX: usize = 512;

fn complete_vcpu(vcpu: &mut Element) -> Result<()> {
    let text = vcpu.text();
    let text = text.trim();
    let maximum = text.parse::<u32>().map_err(|_| Error::xml("maximum vcpus count must be an integer"))?;
    if maximum > VCPUS_MAX {
        return Err(Error::unsupported_configuration(format!(
            "{maximum} vCPUs are more than the {VCPUS_MAX} a domain can have"
        )));
    }
    let current = match vcpu.attribute("current") {
        Some(text) => {
            text.trim().parse::<u32>().map_err(|_| Error::xml("current vcpus count must be an integer"))?
        }
        None => maximum,
    };
    if current > maximum {
        return Err(Error::unsupported_configuration(
            "maximum vCPU count must not be less than current vCPU count",
        ));
    }
    vcpu.set_text(maximum);
    if current == maximum {
        vcpu.unset("current");
    } else {
        vcpu.set("current", current);
    }
    if vcpu.attribute("placement") == Some("auto") {
        vcpu.unset("cpuset");
    } else {
        vcpu.set("placement", "static");
    }
    super::cpuset::rewrite(vcpu, "cpuset")
}

fn complete_feature(feature: &mut Element) -> Result<()> {
    if feature.attribute("name").is_none_or(str::is_empty) {
        return Err(Error::xml("Invalid CPU feature name"));
    }
    match feature.attribute("policy") {
        Some("force" | "require" | "optional" | "disable" | "forbid") => {}
        Some(_) => return Err(Error::unsupported_configuration("Invalid CPU feature policy")),
        None => feature.set("policy", "require"),
    }
    Ok(())
}

fn complete_cell(cell: &mut Element) -> Result<()> {
    let Some(size) = cell.attribute("memory").map(str::to_string) else {
        return Err(Error::xml("missing element or attribute './@memory'"));
    };
    if size.trim().parse::<u64>().is_err() {
        return Err(Error::xml(format!("Invalid value '{size}' for element or attribute './@memory'")));
    }
    let unit = cell.attribute("unit").map(str::to_string);
    let bytes = super::memory::scaled_bytes(&size, unit.as_deref(), 1024)?;
    cell.set("memory", bytes.div_ceil(1024));
    cell.set("unit", "KiB");
    super::cpuset::rewrite(cell, "cpus")
}

fn complete_cpu(cpu: &mut Element) -> Result<()> {
    let has_model = cpu.child_text("model").is_some_and(|name| !name.is_empty());
    let mode = cpu.attribute("mode").map(str::to_string);
    if let Some(mode) = mode.as_deref() {
        if !matches!(mode, "custom" | "host-model" | "host-passthrough" | "maximum") {
            return Err(Error::unsupported_configuration(format!("Invalid mode attribute '{mode}'")));
        }
    }
    if mode.is_none() && has_model {
        cpu.set("mode", "custom");
    }
    let is_custom = cpu.attribute("mode") == Some("custom");
    match cpu.attribute("match") {
        Some(_) if !is_custom => cpu.unset("match"),
        None if is_custom => cpu.set("match", "exact"),
        _ => {}
    }
    if !is_custom {
        cpu.remove("vendor");
    }
    let may_migrate = matches!(cpu.attribute("mode"), Some("host-passthrough" | "maximum"));
    if !may_migrate && cpu.attribute("migratable").is_some() && mode.is_some() {
        return Err(Error::unsupported_configuration(
            "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode",
        ));
    }
    complete_model(cpu, is_custom)?;
    let mut names = std::collections::HashSet::new();
    for feature in cpu.children("feature") {
        let name = feature.attribute("name").unwrap_or_default();
        if !names.insert(name) {
            return Err(Error::xml(format!("CPU feature '{name}' specified more than once")));
        }
    }
    if !has_model && (is_custom || mode.is_none()) && cpu.children("feature").next().is_some() {
        return Err(Error::xml("Non-empty feature list specified without CPU model"));
    }
    if !has_model && is_custom {
        drop_model(cpu);
    }
    if let Some(numa) = cpu.child_mut("numa") {
        number_cells(numa)?;
    }
    Ok(())
}

/// A custom CPU without a model asks for nothing but its topology and cells.
fn drop_model(cpu: &mut Element) {
    for name in ["mode", "match"] {
        cpu.unset(name);
    }
    cpu.remove("model");
    cpu.remove("vendor");
}

fn complete_model(cpu: &mut Element, is_custom: bool) -> Result<()> {
    let Some(model) = cpu.child_mut("model") else {
        return Ok(());
    };
    match model.attribute("fallback") {
        Some("allow" | "forbid") => {}
        Some(_) => return Err(Error::unsupported_configuration("Invalid fallback attribute")),
        None => model.set("fallback", "allow"),
    }
    if model.attribute("vendor_id").is_some_and(|vendor| vendor.len() != 12) {
        return Err(Error::xml("vendor_id must be exactly 12 characters long"));
    }
    let name = model.text().trim().to_string();
    if is_custom {
        model.set_text(name);
    } else {
        cpu.remove("model");
    }
    Ok(())
}

/// Cells without a number get the place they stand in, and distances given one way hold the other way too.
fn number_cells(numa: &mut Element) -> Result<()> {
    for (place, cell) in numa.elements_mut().filter(|child| child.name == "cell").enumerate() {
        if cell.attribute("id").is_none() {
            cell.set("id", place);
        }
        CELL.arrange(cell);
    }
    let id = |cell: &Element| cell.attribute("id").and_then(|id| id.parse::<u32>().ok());
    numa.nodes.sort_by_key(|node| match node {
        Node::Element(cell) => id(cell).unwrap_or(u32::MAX),
        Node::Text(_) => u32::MAX,
    });
    check_cells(numa)?;
    mirror_distances(numa)
}

/// Cells are numbered from 0 without holes, and no processor is in two of them.
fn check_cells(numa: &Element) -> Result<()> {
    let count = numa.children("cell").count();
    if count > CELLS_MAX {
        return Err(Error::unsupported_configuration(format!(
            "{count} NUMA cells are more than the {CELLS_MAX} a domain can have"
        )));
    }
    let mut seen = std::collections::BTreeMap::new();
    for (place, cell) in numa.children("cell").enumerate() {
        let id = cell.attribute("id").unwrap_or_default();
        if place > 0 && id == (place - 1).to_string() {
            return Err(Error::xml(format!("Duplicate NUMA cell info for cell id '{id}'")));
        }
        if id != place.to_string() {
            return Err(Error::xml(
                "Exactly one 'cell' element per guest NUMA cell allowed, non-contiguous ranges or ranges not \
                 starting from 0 are not allowed",
            ));
        }
        for cpu in super::cpuset::parse(cell.attribute("cpus").unwrap_or_default()).unwrap_or_default() {
            if let Some(other) = seen.insert(cpu, place) {
                return Err(Error::unsupported_configuration(format!(
                    "NUMA cells {place} and {other} have overlapping vCPU ids"
                )));
            }
        }
    }
    Ok(())
}

fn mirror_distances(numa: &mut Element) -> Result<()> {
    let number =
        |element: &Element, name: &str| element.attribute(name).and_then(|text| text.parse::<u32>().ok());
    let count = numa.children("cell").count() as u32;
    let mut said = std::collections::BTreeMap::new();
    for cell in numa.children("cell") {
        let Some(from) = number(cell, "id") else { continue };
        for sibling in cell.child("distances").into_iter().flat_map(|distances| distances.children("sibling"))
        {
            if let (Some(to), Some(value)) = (number(sibling, "id"), number(sibling, "value")) {
                let own = from == to;
                if value < 10 || own != (value == 10) {
                    return Err(Error::xml(format!(
                        "'value {value}' is invalid for 'sibling id {to}' under NUMA 'cell id {from}'"
                    )));
                }
                said.insert((from, to), value);
            }
        }
    }
    if said.is_empty() {
        return Ok(());
    }
    for cell in numa.elements_mut().filter(|child| child.name == "cell") {
        let Some(from) = number(cell, "id") else { continue };
        let mut distances = Element::new("distances");
        for to in 0..count {
            let default = if from == to { 10 } else { 20 };
            let value = said.get(&(from, to)).or_else(|| said.get(&(to, from))).copied().unwrap_or(default);
            distances.push(Element::new("sibling").with("id", to).with("value", value));
        }
        cell.remove("distances");
        cell.push(distances);
        CELL.arrange(cell);
    }
    Ok(())
}
