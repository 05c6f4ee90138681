//! Disks: the device the guest sees in front of each chain of images.

use super::active::is_wide;
use super::builder::{Builder, alias, child_number};
use super::image;
use super::node::{self, Opening};
use super::properties::Properties;
use crate::error::Result;
use crate::qemud::define::{address, index_of, model, number};
use crate::xml::Element;
use serde_json::{Value, json};

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    let order = boot_order(builder.active);
    for disk in builder.devices("disk") {
        let kind = disk.attribute("device").unwrap_or("disk");
        let read_only = kind == "cdrom" || disk.child("readonly").is_some();
        let images = image::chain(disk, !read_only)?;
        let drive = match images.is_empty() {
            true => None,
            false => {
                let top = node::nodes(builder, &images, &Opening::of(disk, read_only));
                Some(copy_on_read(builder, disk, top))
            }
        };
        let boots = boot_index(disk, &order);
        let is_floppy = disk.child_attribute("target", "bus") == Some("fdc");
        if let Some(place) = boots.filter(|_| is_floppy) {
            // The controller boots, not the drive.
            let unit = address(disk, "drive").and_then(|drive| number(drive.attribute("unit")));
            let letter = if unit == Some(1) { 'B' } else { 'A' };
            builder.option("-global", format!("isa-fdc.bootindex{letter}={place}"));
        }
        let properties = device(builder, disk, drive, boots.filter(|_| !is_floppy));
        builder.device(&properties);
    }
    Ok(())
}

/// What is read from the images behind is kept in the first one, if the definition wants that.
fn copy_on_read(builder: &mut Builder<'_>, disk: &Element, top: String) -> String {
    if disk.child_attribute("driver", "copy_on_read") != Some("on") {
        return top;
    }
    let name = format!("libvirt-CoR-{}", disk.child_attribute("target", "dev").unwrap_or_default());
    let filter = Properties::default().with("driver", "copy-on-read").with("node-name", name.as_str());
    builder.node(&filter.with("file", top).with("discard", "unmap"));
    name
}

/// The devices that `<os><boot>` names, in order.
pub struct BootOrder {
    disks: Vec<(String, u32)>,
    /// The place of the first network card.
    pub network: Option<u32>,
}

/// Works out which device each `<boot dev=…>` means: the first of its kind.
pub fn boot_order(active: &Element) -> BootOrder {
    let mut order = BootOrder { disks: Vec::new(), network: None };
    let devices: Vec<&Element> =
        active.child("devices").into_iter().flat_map(|devices| devices.children("disk")).collect();
    let wanted = active.child("os").into_iter().flat_map(|os| os.children("boot"));
    for (position, boot) in wanted.enumerate() {
        let place = position as u32 + 1;
        let kind = match boot.attribute("dev") {
            Some("hd") => "disk",
            Some("cdrom") => "cdrom",
            Some("fd") => "floppy",
            Some("network") => {
                order.network = Some(place);
                continue;
            }
            _ => continue,
        };
        let mut fitting = devices.iter().filter(|disk| disk.attribute("device").unwrap_or("disk") == kind);
        if let Some(disk) = fitting.next() {
            order.disks.push((alias(disk).to_string(), place));
        }
    }
    order
}

fn boot_index(disk: &Element, order: &BootOrder) -> Option<u32> {
    let own = child_number(disk, "boot", "order");
    own.or_else(|| order.disks.iter().find(|(name, _)| name == alias(disk)).map(|(_, place)| *place))
}

fn device(builder: &Builder<'_>, disk: &Element, drive: Option<String>, boots: Option<u32>) -> Properties {
    let bus = disk.child_attribute("target", "bus").unwrap_or_default();
    let optical = disk.attribute("device") == Some("cdrom");
    let driver = |name: &str| disk.child_attribute("driver", name);
    let properties = match bus {
        "virtio" => {
            let device = builder.virtio("virtio-blk", disk, disk.attribute("model"));
            let thread = driver("iothread").map(|thread| format!("iothread{thread}"));
            Properties::default()
                .with("driver", device)
                .with_some("iothread", thread)
                .with_some("num-queues", number(driver("queues")))
                .with_some("queue-size", number(driver("queue_size")))
                .with_virtio(disk)
                .with_some("iothread-vq-mapping", queue_map(disk))
                .at(disk, &builder.buses)
        }
        "scsi" => scsi(builder, disk, optical),
        "sata" | "ide" => ide(builder, disk, bus, optical),
        "usb" => Properties::default().with("driver", "usb-storage").at(disk, &builder.buses),
        _ => {
            let unit = address(disk, "drive").and_then(|drive| number(drive.attribute("unit")));
            let properties = Properties::default().with("driver", "floppy");
            let properties = match builder.board.family.is_i440fx {
                true => properties,
                false => properties.with("bus", "fdc0.0"),
            };
            properties.with("unit", unit.unwrap_or(0))
        }
    };
    let properties =
        properties.with_some("drive", drive).with("id", alias(disk)).with_some("bootindex", boots);
    finish(disk, bus, optical, properties)
}

/// Which thread serves which queue, if that is said.
fn queue_map(disk: &Element) -> Option<Value> {
    let threads = disk.find("driver/iothreads")?.children("iothread");
    let of_a_thread = threads.map(|thread| {
        let name = format!("iothread{}", thread.attribute("id").unwrap_or_default());
        let queues: Vec<u32> =
            thread.children("queue").filter_map(|queue| number(queue.attribute("id"))).collect();
        match queues.is_empty() {
            true => json!({ "iothread": name }),
            false => json!({ "iothread": name, "vqs": queues }),
        }
    });
    Some(of_a_thread.collect())
}

/// What all disks have in common.
fn finish(disk: &Element, bus: &str, optical: bool, properties: Properties) -> Properties {
    let driver = |name: &str| disk.child_attribute("driver", name);
    let mut properties = properties;
    if disk.child("shareable").is_some() && bus != "fdc" {
        properties = properties.with("share-rw", true);
    }
    if bus == "usb" {
        properties = properties.with("removable", disk.child_attribute("target", "removable") == Some("on"));
    }
    if !optical && bus != "fdc" && bus != "usb" {
        let cache = driver("cache").or_else(|| disk.child("shareable").map(|_| "none"));
        let write_cache = match cache {
            Some("none" | "writeback" | "unsafe") => Some("on"),
            Some("writethrough" | "directsync") => Some("off"),
            _ => None,
        };
        properties = properties.with_some("write-cache", write_cache);
    }
    if let Some(block) = disk.child("blockio") {
        for name in ["logical_block_size", "physical_block_size", "discard_granularity"] {
            properties = properties.with_some(name, number(block.attribute(name)));
        }
    }
    if bus != "fdc" {
        properties = properties.with_some("serial", disk.child_text("serial"));
    }
    if let Some(rate) = child_number(disk, "target", "rotation_rate") {
        properties = properties.with("rotation_rate", rate);
    }
    for (element, property) in [("vendor", "vendor"), ("product", "product")] {
        properties = properties.with_some(property, disk.child_text(element));
    }
    let name = disk.child_text("wwn").and_then(|name| u64::from_str_radix(&name, 16).ok());
    properties = properties.with_some("wwn", name);
    if let Some(shape) = disk.child("geometry").filter(|_| bus != "usb") {
        for (attribute, property) in [("cyls", "cyls"), ("heads", "heads"), ("secs", "secs")] {
            properties = properties.with_some(property, number(shape.attribute(attribute)));
        }
        properties =
            properties.with_some("bios-chs-trans", shape.attribute("trans").filter(|_| bus == "ide"));
    }
    if bus == "fdc" {
        return properties;
    }
    // The policy for reading follows that for writing, but "enospace" is only about writing.
    let on_write = driver("error_policy").map(|policy| if policy == "enospace" { "enospc" } else { policy });
    let on_read = driver("rerror_policy").or(driver("error_policy").filter(|policy| *policy != "enospace"));
    properties.with_some("werror", on_write).with_some("rerror", on_read)
}

fn scsi(builder: &Builder<'_>, disk: &Element, optical: bool) -> Properties {
    let drive = address(disk, "drive");
    let part = |name| drive.and_then(|drive| number(drive.attribute(name))).unwrap_or(0);
    let controller = part("controller");
    let kind = if optical { "scsi-cd" } else { "scsi-hd" };
    let mut controllers =
        builder.devices("controller").filter(|element| element.attribute("type") == Some("scsi"));
    let wide = controllers
        .find(|element| index_of(element) == controller)
        .is_none_or(|element| is_wide(model(element)));
    let properties = Properties::default().with("driver", kind).with("bus", format!("scsi{controller}.0"));
    let properties = match wide {
        true => {
            properties.with("channel", part("bus")).with("scsi-id", part("target")).with("lun", part("unit"))
        }
        false => properties.with("scsi-id", part("unit")),
    };
    properties.with("device_id", format!("drive-{}", alias(disk)))
}

fn ide(builder: &Builder<'_>, disk: &Element, bus: &str, optical: bool) -> Properties {
    let drive = address(disk, "drive");
    let part = |name| drive.and_then(|drive| number(drive.attribute(name))).unwrap_or(0);
    let kind = if optical { "ide-cd" } else { "ide-hd" };
    let controller = part("controller");
    let mut controllers =
        builder.devices("controller").filter(|element| element.attribute("type") == Some(bus));
    let name = controllers.find(|element| index_of(element) == controller).map_or("ide", alias);
    let properties = Properties::default().with("driver", kind);
    match bus {
        // A SATA port is a bus with one place; an IDE channel has two.
        "sata" => properties.with("bus", format!("{name}.{}", part("unit"))),
        _ => properties.with("bus", format!("{name}.{}", part("bus"))).with("unit", part("unit")),
    }
}
