//! `<disk>`: hard disks, CD-ROMs, floppies and LUNs.

use super::address::ADDRESS;
use super::disk_source::{AUTH, BACKING_STORE, ENCRYPTION, MIRROR, SOURCE};
use super::{ACPI, ALIAS, BOOT};
use crate::error::{Error, ErrorCode, Result};
use crate::xml::shape::{
    Shape, many, on_off, one, one_of, positive, shape, text, text_shape, unsigned, yes_no,
};
use crate::xml::{Element, Node};

/// `<disk>`.
pub static DISK: Shape = shape("disk")
    .attributes(&[
        one_of("type", super::disk_source::TYPES),
        one_of("device", &["disk", "cdrom", "floppy", "lun"]),
        one_of("model", &["virtio", "virtio-transitional", "virtio-non-transitional"]),
        yes_no("rawio"),
        one_of("sgio", &["filtered", "unfiltered"]).omit("default"),
        one_of("snapshot", &["no", "internal", "external", "manual"]).omit("default"),
    ])
    .children(&[
        one(&DRIVER),
        one(&AUTH),
        one(&SOURCE),
        one(&BACKING_STORE),
        one(&BACKEND_DOMAIN),
        one(&GEOMETRY),
        one(&BLOCK_IO),
        one(&MIRROR),
        one(&TARGET),
        one(&IO_TUNE),
        one(&THROTTLE_FILTERS),
        one(&READ_ONLY),
        one(&SHAREABLE),
        one(&TRANSIENT),
        one(&SERIAL),
        one(&WWN),
        one(&VENDOR),
        one(&PRODUCT),
        one(&ENCRYPTION),
        one(&BOOT),
        one(&ALIAS),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .before(fill_in)
    .after(check);

static DRIVER: Shape = shape("driver")
    .attributes(&[
        text("name"),
        text("type"),
        one_of("cache", &["none", "writethrough", "writeback", "directsync", "unsafe"]).omit("default"),
        one_of("error_policy", &["stop", "report", "ignore", "enospace"]).omit("default"),
        one_of("rerror_policy", &["stop", "report", "ignore"]).omit("default"),
        one_of("io", &["native", "threads", "io_uring"]),
        on_off("ioeventfd"),
        on_off("event_idx"),
        on_off("copy_on_read"),
        one_of("discard", &["unmap", "ignore"]).omit("default"),
        positive("iothread").omit("0"),
        one_of("detect_zeroes", &["on", "off", "unmap"]).omit("default"),
        unsigned("queues").omit("0"),
        unsigned("queue_size").omit("0"),
        on_off("iommu"),
        on_off("ats"),
        on_off("packed"),
        on_off("page_per_vq"),
        on_off("discard_no_unref"),
    ])
    .children(&[one(&METADATA_CACHE), one(&IO_THREADS), one(&STATISTICS)])
    .unless_empty();

static STATISTICS: Shape = shape("statistics").children(&[many(&STATISTIC)]).unless_empty();
static STATISTIC: Shape = shape("statistic").attributes(&[unsigned("interval")]);
static METADATA_CACHE: Shape =
    shape("metadata_cache").children(&[one(&METADATA_CACHE_MAX_SIZE)]).unless_empty();
static METADATA_CACHE_MAX_SIZE: Shape = shape("max_size")
    .attributes(&[text("unit")])
    .with_text()
    .after(|size| crate::xml::domain::memory::rescale(size, 1, "bytes", 1));
static IO_THREADS: Shape = shape("iothreads").children(&[many(&IO_THREAD)]).unless_empty();
static IO_THREAD: Shape =
    shape("iothread").attributes(&[positive("id").required()]).children(&[many(&QUEUE)]);
static QUEUE: Shape = shape("queue").attributes(&[unsigned("id").required()]);

static BACKEND_DOMAIN: Shape = shape("backenddomain").attributes(&[text("name")]);
static GEOMETRY: Shape = shape("geometry").attributes(&[
    unsigned("cyls"),
    unsigned("heads"),
    unsigned("secs"),
    one_of("trans", &["none", "auto", "lba"]).omit("default"),
]);
static BLOCK_IO: Shape = shape("blockio")
    .attributes(&[
        unsigned("logical_block_size").omit("0"),
        unsigned("physical_block_size").omit("0"),
        unsigned("discard_granularity"),
    ])
    .unless_empty();
static TARGET: Shape = shape("target").attributes(&[
    text("dev"),
    one_of("bus", BUSES),
    one_of("tray", &["open"]).omit("closed"),
    on_off("removable"),
    unsigned("rotation_rate").omit("0"),
    text("dpofua"),
]);
const BUSES: &[&str] = &["ide", "fdc", "scsi", "virtio", "xen", "usb", "uml", "sata", "sd", "nvme"];

/// `<iotune>`, and the body of a throttle group.
pub static IO_TUNE: Shape = shape("iotune").children(IO_TUNE_CHILDREN).unless_empty();
/// The limits in their order.
pub const IO_TUNE_CHILDREN: &[crate::xml::shape::Child] = &[
    one(&TOTAL_BYTES),
    one(&READ_BYTES),
    one(&WRITE_BYTES),
    one(&TOTAL_IOPS),
    one(&READ_IOPS),
    one(&WRITE_IOPS),
    one(&TOTAL_BYTES_MAX),
    one(&READ_BYTES_MAX),
    one(&WRITE_BYTES_MAX),
    one(&TOTAL_IOPS_MAX),
    one(&READ_IOPS_MAX),
    one(&WRITE_IOPS_MAX),
    one(&SIZE_IOPS),
    one(&GROUP_NAME),
    one(&TOTAL_BYTES_LENGTH),
    one(&READ_BYTES_LENGTH),
    one(&WRITE_BYTES_LENGTH),
    one(&TOTAL_IOPS_LENGTH),
    one(&READ_IOPS_LENGTH),
    one(&WRITE_IOPS_LENGTH),
];

macro_rules! limits {
    ($($constant:ident = $name:literal;)*) => {
        $(static $constant: Shape = text_shape($name).after(limit);)*
    };
}
limits! {
    TOTAL_BYTES = "total_bytes_sec";
    READ_BYTES = "read_bytes_sec";
    WRITE_BYTES = "write_bytes_sec";
    TOTAL_IOPS = "total_iops_sec";
    READ_IOPS = "read_iops_sec";
    WRITE_IOPS = "write_iops_sec";
    TOTAL_BYTES_MAX = "total_bytes_sec_max";
    READ_BYTES_MAX = "read_bytes_sec_max";
    WRITE_BYTES_MAX = "write_bytes_sec_max";
    TOTAL_IOPS_MAX = "total_iops_sec_max";
    READ_IOPS_MAX = "read_iops_sec_max";
    WRITE_IOPS_MAX = "write_iops_sec_max";
    SIZE_IOPS = "size_iops_sec";
    TOTAL_BYTES_LENGTH = "total_bytes_sec_max_length";
    READ_BYTES_LENGTH = "read_bytes_sec_max_length";
    WRITE_BYTES_LENGTH = "write_bytes_sec_max_length";
    TOTAL_IOPS_LENGTH = "total_iops_sec_max_length";
    READ_IOPS_LENGTH = "read_iops_sec_max_length";
    WRITE_IOPS_LENGTH = "write_iops_sec_max_length";
}
static GROUP_NAME: Shape = text_shape("group_name");
static THROTTLE_FILTERS: Shape = shape("throttlefilters").children(&[many(&THROTTLE_FILTER)]).unless_empty();
static THROTTLE_FILTER: Shape = shape("throttlefilter").attributes(&[text("group").required()]);
static READ_ONLY: Shape = shape("readonly");
static SHAREABLE: Shape = shape("shareable");
static TRANSIENT: Shape = shape("transient").attributes(&[yes_no("shareBacking")]);
static SERIAL: Shape = text_shape("serial");
static WWN: Shape = text_shape("wwn");
static VENDOR: Shape = text_shape("vendor");
static PRODUCT: Shape = text_shape("product");

/// A limit of zero is no limit.
fn limit(element: &mut Element) -> Result<()> {
    let text = element.text();
    match text.trim().parse::<u64>() {
        Ok(0) => element.nodes.clear(),
        Ok(number) => element.set_text(number),
        Err(_) if text.is_empty() => {}
        Err(_) => {
            return Err(Error::xml(format!("disk iotune field '{}' must be an integer", element.name)));
        }
    }
    Ok(())
}

fn fill_in(disk: &mut Element) -> Result<()> {
    if disk.attribute("type").is_none() {
        disk.set("type", "file");
    }
    if disk.attribute("device").is_none() {
        disk.set("device", "disk");
    }
    // libvirt reads the source before anything else, and the target before the driver.
    if let Some(source) = disk.child("source") {
        SOURCE.conform(&mut source.clone(), &mut Vec::new())?;
    }
    disk.nodes.sort_by_key(|node| !matches!(node, Node::Element(child) if child.name == "target"));
    let device = disk.attribute("device").unwrap_or_default().to_string();
    if let Some(target) = disk.child_mut("target") {
        if target.attribute("bus").is_none() {
            if let Some(bus) = target.attribute("dev").and_then(|name| guess_bus(name, &device)) {
                target.set("bus", bus);
            }
        }
    }
    Ok(())
}

/// The bus that the name of a disk speaks of.
fn guess_bus(name: &str, device: &str) -> Option<&'static str> {
    let prefixes = [
        ("fd", "fdc"),
        ("hd", "ide"),
        ("sd", "scsi"),
        ("vd", "virtio"),
        ("xvd", "xen"),
        ("ubd", "uml"),
        ("nvme", "nvme"),
    ];
    if device == "floppy" {
        return Some("fdc");
    }
    prefixes.iter().find(|(prefix, _)| name.starts_with(prefix)).map(|(_, bus)| *bus)
}

/// What a disk is called in messages: its source, if it has one.
pub fn source_text(disk: &Element) -> Option<&str> {
    let source = disk.child("source")?;
    ["file", "dev", "dir", "name", "volume", "path"].iter().find_map(|name| source.attribute(name))
}

fn check(disk: &mut Element) -> Result<()> {
    let device = disk.attribute("device").unwrap_or_default().to_string();
    let kind = disk.attribute("type").unwrap_or_default().to_string();
    let Some(name) = disk.child_attribute("target", "dev").map(str::to_string) else {
        return Err(Error::new(ErrorCode::NO_TARGET, source_text(disk).unwrap_or_default()));
    };
    disk.remove("mirror");
    drop_empty_source(disk, &kind)?;
    let removable = device == "cdrom" || device == "floppy";
    if !removable && disk.child("source").is_none() {
        return Err(Error::new(ErrorCode::NO_SOURCE, name));
    }
    if device == "lun" && kind != "block" && kind != "network" && kind != "volume" {
        return Err(Error::unsupported_configuration(
            "disk device='lun' is only valid for block type disk source",
        ));
    }
    super::disk_limits::check(disk)?;
    if disk.attribute("sgio") == Some("unfiltered") {
        return Err(Error::unsupported_configuration("unfiltered sgio is no longer supported"));
    }
    if kind == "vhostuser" && disk.attribute("snapshot").is_none() {
        disk.set("snapshot", "no");
    }
    if let Some(format) = disk.child_attribute("driver", "type") {
        if !FORMATS.contains(&format) {
            return Err(Error::unsupported_configuration(format!("unknown driver format value '{format}'")));
        }
    }
    if let Some(target) = disk.child_mut("target") {
        if target.attribute("bus") != Some("usb") {
            target.unset("removable");
        }
    }
    if device == "cdrom" {
        disk.child_or_new("readonly");
    }
    assign_address(disk, &name)
}

/// A source that names nothing is none.
fn drop_empty_source(disk: &mut Element, kind: &str) -> Result<()> {
    let Some(source) = disk.child("source") else {
        return Ok(());
    };
    let names = |attribute: &str| source.attribute(attribute).is_some_and(|text| !text.is_empty());
    let is_named = match kind {
        "file" => names("file"),
        "block" => names("dev"),
        "dir" => names("dir"),
        "network" if !names("protocol") => {
            return Err(crate::xml::shape::missing_attribute("source", "protocol"));
        }
        "volume" if !names("pool") || !names("volume") => {
            return Err(Error::xml("'pool' and 'volume' must be specified together for 'pool' type source"));
        }
        _ => true,
    };
    if !is_named && source.attribute("startupPolicy").is_none() {
        disk.remove("source");
    }
    Ok(())
}

const FORMATS: &[&str] = &[
    "raw", "dir", "bochs", "cloop", "dmg", "iso", "vpc", "vdi", "fat", "vhd", "ploop", "cow", "qcow",
    "qcow2", "qed", "vmdk", "luks",
];

/// The number in a disk's name: `sda` is 0, `sdaa` is 26.
pub fn index_of(name: &str) -> Option<u32> {
    let letters =
        ["fd", "hd", "sd", "vd", "xvd", "ubd"].iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let letters = letters.trim_end_matches(|c: char| c.is_ascii_digit());
    if letters.is_empty() {
        return None;
    }
    letters
        .chars()
        .try_fold(0u32, |index, c| {
            let digit = (c as u32).checked_sub('a' as u32).filter(|digit| *digit < 26)?;
            index.checked_mul(26)?.checked_add(digit + 1)
        })
        .map(|index| index - 1)
}

/// Disks on the older buses sit where their names say.
fn assign_address(disk: &mut Element, name: &str) -> Result<()> {
    if disk.child("address").is_some() {
        return Ok(());
    }
    let Some(bus) = disk.child_attribute("target", "bus") else {
        return Err(unknown_name(name));
    };
    let Some(index) = index_of(name) else {
        return if name.starts_with("nvme") { Ok(()) } else { Err(unknown_name(name)) };
    };
    let (controller, bus, unit) = match bus {
        "scsi" => (index / 7, 0, index % 7),
        "sata" => (index / 6, 0, index % 6),
        "ide" => (index / 4, (index % 4) / 2, index % 2),
        "fdc" => (index / 2, 0, index % 2),
        _ => return Ok(()),
    };
    let address = Element::new("address")
        .with("type", "drive")
        .with("controller", controller)
        .with("bus", bus)
        .with("target", 0)
        .with("unit", unit);
    disk.push(address);
    Ok(())
}

fn unknown_name(name: &str) -> Error {
    Error::xml(format!("Unknown disk name '{name}' and no address specified"))
}
