//! Sizes with units, and the memory of a domain: `<memory>`, `<currentMemory>`, `<maxMemory>`, `<memoryBacking>`,
//! `<memtune>`, `<numatune>`.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Attribute, Shape, many, one, one_of, shape, text, text_shape, unsigned};

/// `<maxMemory>`.
pub static MAX_MEMORY: Shape =
    shape("maxMemory").attributes(&[text("slots"), text("unit")]).with_text().after(|size| {
        match size.attribute("slots").map(str::parse::<u32>) {
            Some(Ok(0)) => size.unset("slots"),
            Some(Err(_)) => return Err(Error::xml("Failed to parse memory slot count")),
            _ => {}
        }
        rescale(size, 1024, "KiB", 1024)
    });
/// `<memory>`.
pub static MEMORY: Shape = shape("memory")
    .attributes(&[crate::xml::shape::on_off("dumpCore"), text("unit")])
    .with_text()
    .after(|size| {
        rescale(size, 1024, "KiB", 1024)?;
        MEMORY.arrange(size);
        Ok(())
    });
/// `<currentMemory>`.
pub static CURRENT_MEMORY: Shape = size_in_kib("currentMemory");

/// `<memtune>`.
pub static MEMTUNE: Shape = shape("memtune")
    .children(&[one(&HARD_LIMIT), one(&SOFT_LIMIT), one(&MIN_GUARANTEE), one(&SWAP_HARD_LIMIT)])
    .unless_empty()
    .before(|tune| {
        for limit in tune.elements() {
            let text = limit.text().trim().to_string();
            if text.parse::<u64>().is_err() {
                let path = format!("./memtune/{}[1]", limit.name);
                return Err(Error::xml(format!("Invalid value '{text}' for element or attribute '{path}'")));
            }
        }
        Ok(())
    })
    .after(drop_unlimited);
static HARD_LIMIT: Shape = size_in_kib("hard_limit");
static SOFT_LIMIT: Shape = size_in_kib("soft_limit");
static MIN_GUARANTEE: Shape = size_in_kib("min_guarantee");
static SWAP_HARD_LIMIT: Shape = size_in_kib("swap_hard_limit");

const fn size_in_kib(name: &'static str) -> Shape {
    shape(name).attributes(UNIT).with_text().after(|size| rescale(size, 1024, "KiB", 1024))
}

const UNIT: &[Attribute] = &[text("unit")];

/// `<memoryBacking>`.
pub static MEMORY_BACKING: Shape = shape("memoryBacking")
    .children(&[
        one(&HUGE_PAGES),
        one(&NO_SHARE_PAGES),
        one(&LOCKED),
        one(&SOURCE),
        one(&ACCESS),
        one(&ALLOCATION),
        one(&DISCARD),
    ])
    .unless_empty();
static HUGE_PAGES: Shape = shape("hugepages").children(&[many(&PAGE)]);
static PAGE: Shape = shape("page").attributes(&[text("size"), text("unit"), text("nodeset")]).after(|page| {
    if page.attribute("size").is_none() {
        return Err(Error::xml("missing element or attribute './@size'"));
    }
    let size = page.attribute("size").unwrap_or_default().to_string();
    let unit = page.attribute("unit").map(str::to_string);
    page.set("size", scaled_bytes(&size, unit.as_deref(), 1024)? / 1024);
    page.set("unit", "KiB");
    PAGE.arrange(page);
    Ok(())
});
static NO_SHARE_PAGES: Shape = shape("nosharepages");
static LOCKED: Shape = shape("locked");
static SOURCE: Shape = shape("source").attributes(&[text("type")]).after(check_source);
static ACCESS: Shape = shape("access").attributes(&[one_of("mode", &["shared", "private"]).required()]);
static ALLOCATION: Shape = shape("allocation")
    .attributes(&[one_of("mode", &["immediate", "ondemand"]), unsigned("threads").omit("0")])
    .unless_empty();
static DISCARD: Shape = shape("discard");

/// `<numatune>`.
pub static NUMATUNE: Shape =
    shape("numatune").children(&[one(&NUMA_MEMORY), many(&MEMORY_NODE)]).unless_empty();
const MODES: &[&str] = &["strict", "preferred", "interleave", "restrictive"];
static NUMA_MEMORY: Shape = shape("memory")
    .before(check_mode)
    .attributes(&[one_of("mode", MODES), text("nodeset"), one_of("placement", &["static", "auto"])])
    .after(|memory| {
        if memory.attribute("mode").is_none() {
            memory.set("mode", "strict");
        }
        if memory.attribute("placement") == Some("static") && memory.attribute("nodeset").is_none() {
            return Err(Error::unsupported_configuration(
                "nodeset for NUMA memory tuning must be set if 'placement' is 'static'",
            ));
        }
        if memory.attribute("placement") == Some("auto") {
            memory.unset("nodeset");
        } else {
            memory.unset("placement");
        }
        super::cpuset::rewrite(memory, "nodeset")
    });
static MEMORY_NODE: Shape = shape("memnode")
    .attributes(&[unsigned("cellid").required(), one_of("mode", MODES), text("nodeset")])
    .after(|node| super::cpuset::rewrite(node, "nodeset"));

/// `<blkiotune>`.
pub static BLKIOTUNE: Shape = shape("blkiotune").children(&[one(&WEIGHT), many(&DEVICE)]).unless_empty();
static WEIGHT: Shape = text_shape("weight").after(drop_unless_number);
static DEVICE: Shape = shape("device")
    .children(&[
        one(&PATH),
        one(&WEIGHT),
        one(&READ_IOPS),
        one(&WRITE_IOPS),
        one(&READ_BYTES),
        one(&WRITE_BYTES),
    ])
    .unless_empty()
    .after(check_device);
static PATH: Shape = text_shape("path");
static READ_IOPS: Shape = text_shape("read_iops_sec");
static WRITE_IOPS: Shape = text_shape("write_iops_sec");
static READ_BYTES: Shape = text_shape("read_bytes_sec");
static WRITE_BYTES: Shape = text_shape("write_bytes_sec");

fn check_source(source: &mut Element) -> Result<()> {
    match source.attribute("type") {
        Some("file" | "anonymous" | "memfd") => Ok(()),
        Some(other) => {
            Err(Error::unsupported_configuration(format!("unknown memoryBacking/source/type '{other}'")))
        }
        None => Err(crate::xml::shape::missing_attribute("source", "type")),
    }
}

/// A device of the block tuning without any limit says nothing.
fn check_device(device: &mut Element) -> Result<()> {
    if device.child("path").is_none() {
        return Err(Error::unsupported_configuration("missing per-device path"));
    }
    device.retain(|child| child.name == "path" || child.text().trim() != "0");
    if device.elements().count() == 1 {
        device.nodes.clear();
    }
    Ok(())
}

/// From here on a limit is none.
const UNLIMITED_KIB: u64 = 9_007_199_254_740_991;

fn drop_unlimited(tune: &mut Element) -> Result<()> {
    tune.retain(|limit| kib(limit) < UNLIMITED_KIB);
    Ok(())
}

fn check_mode(memory: &mut Element) -> Result<()> {
    match memory.attribute("mode") {
        Some(mode) if !MODES.contains(&mode) => {
            Err(Error::unsupported_configuration(format!("Unsupported NUMA memory tuning mode '{mode}'")))
        }
        _ => Ok(()),
    }
}

fn drop_unless_number(weight: &mut Element) -> Result<()> {
    if weight.text().trim().parse::<u32>().is_err() {
        weight.nodes.clear();
    }
    Ok(())
}

/// How many bytes a unit stands for.
pub fn unit_bytes(unit: &str) -> Option<u64> {
    let lower = unit.to_ascii_lowercase();
    if matches!(lower.as_str(), "b" | "byte" | "bytes") {
        return Some(1);
    }
    let letter = lower.chars().next()?;
    let power = "kmgtpe".find(letter)? as u32 + 1;
    match &lower[1..] {
        "" | "ib" => 1024u64.checked_pow(power),
        "b" => 1000u64.checked_pow(power),
        _ => None,
    }
}

/// A size in bytes from its text and its unit; `default` bytes make the unit that is meant when none is said.
pub fn scaled_bytes(text: &str, unit: Option<&str>, default: u64) -> Result<u64> {
    let text = text.trim();
    let number: u64 = text.parse().map_err(|_| Error::xml(format!("invalid size value '{text}'")))?;
    let scale = match unit.filter(|unit| !unit.is_empty()) {
        Some(unit) => {
            unit_bytes(unit).ok_or_else(|| Error::invalid_argument(format!("unknown suffix '{unit}'")))?
        }
        None => default,
    };
    number.checked_mul(scale).ok_or_else(|| {
        Error::new(
            crate::error::ErrorCode::OVERFLOW,
            format!("value too large: {number}{}", unit.unwrap_or_default()),
        )
    })
}

/// Writes the size an element holds in `unit`, which is `scale` bytes; without a unit it counts in `default` bytes.
pub fn rescale(size: &mut Element, default: u64, unit: &str, scale: u64) -> Result<()> {
    let text = size.text().trim().to_string();
    let said = size.attribute("unit").map(str::to_string);
    let parsed: std::result::Result<u64, _> = text.parse();
    if parsed.is_err() {
        return Err(Error::xml(format!(
            "Invalid value '{text}' for element or attribute './{}[1]'",
            size.name
        )));
    }
    let bytes = scaled_bytes(&text, said.as_deref(), default)?;
    size.set_text(bytes.div_ceil(scale));
    size.set("unit", unit);
    Ok(())
}

/// The KiB an element of a completed definition holds.
pub fn kib(element: &Element) -> u64 {
    scaled_bytes(&element.text(), element.attribute("unit"), 1024).unwrap_or(0) / 1024
}
