//! Storage volumes' XML in libvirt's canonical form.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::pool::PERMISSIONS;
use crate::xml::shape::{Shape, one, shape, text};

/// `<volume>` in libvirt's order.
pub static VOLUME: Shape = shape("volume").attributes(&[text("type")]).children(&[
    one(&NAME),
    one(&KEY),
    one(&CAPACITY),
    one(&ALLOCATION),
    one(&TARGET),
    one(&BACKING_STORE),
]);

static NAME: Shape = shape("name").with_text();
static KEY: Shape = shape("key").with_text();
static CAPACITY: Shape = shape("capacity").attributes(&[text("unit")]).with_text();
static ALLOCATION: Shape = shape("allocation").attributes(&[text("unit")]).with_text();
static TARGET: Shape = shape("target").children(&[
    one(&PATH),
    one(&FORMAT),
    one(&PERMISSIONS),
    one(&ENCRYPTION),
    one(&COMPATIBILITY),
    one(&CLUSTER_SIZE),
    one(&FEATURES),
]);
static PATH: Shape = shape("path").with_text();
static FORMAT: Shape = shape("format").attributes(&[text("type")]);
static ENCRYPTION: Shape = shape("encryption").verbatim();
static COMPATIBILITY: Shape = shape("compat").with_text().unless_empty();
static CLUSTER_SIZE: Shape = shape("clusterSize").attributes(&[text("unit")]).with_text();
static FEATURES: Shape = shape("features").verbatim().unless_empty();
static BACKING_STORE: Shape = shape("backingStore").children(&[one(&PATH), one(&FORMAT), one(&PERMISSIONS)]);

/// The formats of volumes that are files.
const FILE_FORMATS: &[&str] = &[
    "raw", "none", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow",
    "qcow2", "qed", "vmdk", "luks",
];
/// The formats of volumes that are partitions.
const PARTITION_FORMATS: &[&str] =
    &["none", "linux", "fat16", "fat32", "linux-swap", "linux-lvm", "linux-raid", "extended"];
/// The types that a volume may have.
const TYPES: &[&str] = &["file", "block", "dir", "network", "netdir", "ploop"];

/// The formats that the volumes of a type of pool can have; the first is what they have by themselves.
fn formats(pool_type: &str) -> &'static [&'static str] {
    match pool_type {
        "disk" => PARTITION_FORMATS,
        "logical" | "iscsi" | "iscsi-direct" | "scsi" | "mpath" | "zfs" => &[],
        _ => FILE_FORMATS,
    }
}

/// A size with a unit as bytes.
fn bytes(element: &Element) -> Result<u64> {
    let name = &element.name;
    let text = element.text();
    let malformed = || Error::xml(format!("malformed {name} element"));
    let number: u64 = text.trim_start().parse().map_err(|_| malformed())?;
    let unit = element.attribute("unit").unwrap_or_default();
    let factor = factor(if unit.is_empty() { "B" } else { unit })
        .ok_or_else(|| Error::invalid_argument(format!("unknown suffix '{unit}'")))?;
    let bytes = number.checked_mul(factor).filter(|bytes| *bytes <= i64::MAX as u64);
    bytes.ok_or_else(|| {
        Error::new(crate::error::ErrorCode::OVERFLOW, format!("value too large: {number}{unit}"))
    })
}

/// How many bytes a unit stands for: `K` and `KiB` are powers of 1024, `KB` of 1000.
fn factor(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    if ["b", "byte", "bytes"].contains(&unit.as_str()) {
        return Some(1);
    }
    let power = u32::try_from("kmgtpe".find(unit.chars().next()?)?).ok()? + 1;
    match unit.get(1..)? {
        "" | "ib" => 1024u64.checked_pow(power),
        "b" => 1000u64.checked_pow(power),
        _ => None,
    }
}

/// Turns a volume's definition into its canonical form, or says why it cannot be one. `pool_type` is that of its
/// pool, `folder` the place of all of the pool's volumes; with `keep_path` a path of its own is kept.
pub fn complete(tree: &mut Element, pool_type: &str, folder: &str, keep_path: bool) -> Result<()> {
    if tree.name != "volume" {
        let found = &tree.name;
        return Err(Error::xml(format!("expecting root element of 'volume', not '{found}'")));
    }
    let name = tree.child_string("name");
    let name = name.ok_or_else(|| Error::xml("missing volume name element"))?;
    match tree.attribute("type") {
        None => tree.set("type", "file"),
        Some(kind) if TYPES.contains(&kind) => {}
        Some(kind) => return Err(Error::unsupported_configuration(format!("unknown volume type '{kind}'"))),
    }
    let Some(capacity) = tree.child("capacity") else {
        return Err(Error::xml("missing capacity element"));
    };
    let capacity = bytes(capacity)?;
    let allocation = tree.child("allocation").map(bytes).transpose()?.unwrap_or(capacity);
    for (child, size) in [("capacity", capacity), ("allocation", allocation)] {
        let element = tree.child_or_new(child);
        element.set("unit", "bytes");
        element.set_text(size);
    }
    let target = tree.child_or_new("target");
    let own = target.child_string("path").filter(|_| keep_path);
    let path = own.unwrap_or_else(|| format!("{folder}/{name}"));
    target.child_or_new("path").set_text(&path);
    settle_format(target, formats(pool_type))?;
    check_target(target)?;
    if let Some(size) = target.child_mut("clusterSize") {
        let number = bytes(size)?;
        size.set("unit", "B");
        size.set_text(number);
    }
    tree.child_or_new("key").set_text(&path);
    match tree.child_mut("backingStore") {
        Some(backing) if backing.child("path").is_some() => settle_format(backing, formats(pool_type))?,
        Some(_) => tree.remove("backingStore"),
        None => {}
    }
    VOLUME.conform(tree, &mut Vec::new())
}

/// Refuses an encryption and a version that cannot be.
fn check_target(target: &Element) -> Result<()> {
    let encryption = target.child_attribute("encryption", "format");
    if let Some(format) =
        encryption.filter(|format| !["default", "qcow", "luks", "luks2", "luks-any"].contains(format))
    {
        let detail = format!("unknown volume encryption format type {format}");
        return Err(Error::unsupported_configuration(detail));
    }
    match target.child_string("compat") {
        Some(compat) if !compat.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) => {
            Err(Error::xml("forbidden characters in 'compat' attribute"))
        }
        _ => Ok(()),
    }
}

fn settle_format(element: &mut Element, formats: &[&str]) -> Result<()> {
    let Some(default) = formats.first() else {
        element.remove("format");
        return Ok(());
    };
    let format = element.child_attribute("format", "type").unwrap_or(default).to_string();
    if !formats.contains(&format.as_str()) {
        return Err(Error::unsupported_configuration(format!("unknown volume format type {format}")));
    }
    element.child_or_new("format").set("type", format);
    Ok(())
}

/// The bytes inside a child of a canonical volume or pool.
pub fn size(tree: &Element, child: &str) -> u64 {
    tree.child_text(child).and_then(|text| text.parse().ok()).unwrap_or(0)
}
