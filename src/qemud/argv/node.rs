//! Block nodes: what QEMU opens of an image, and the firmware's flash chips.

use super::Preparation;
use super::builder::Builder;
use super::image::{Image, Storage, readable};
use super::properties::{Properties, switch};
use crate::error::Result;
use crate::xml::Element;
use std::path::Path;

/// The firmware's part of the command line.
#[derive(Default)]
pub struct Firmware {
    /// The flash chips and their nodes.
    pub flash: Vec<(u32, String)>,
    /// The file of a read-only memory.
    pub bios: Option<String>,
}

/// How an image is opened, beyond where it is.
#[derive(Clone, Default)]
pub struct Opening {
    /// Whether the guest must not write.
    pub read_only: bool,
    /// How the host's cache is used, as the definition says.
    pub cache: Option<String>,
    /// How requests reach the host.
    pub io: Option<String>,
    /// What becomes of discarded blocks.
    pub discard: Option<String>,
    /// What becomes of zeroes.
    pub detect_zeroes: Option<String>,
    /// Whether discarded clusters of an image keep their place in it.
    pub keep_discarded: Option<bool>,
    /// How much memory may hold the tables of an image, in bytes.
    pub tables: Option<u64>,
}

impl Opening {
    /// As a disk's `<driver>` says.
    pub fn of(disk: &Element, read_only: bool) -> Opening {
        let said = |name: &str| disk.child_attribute("driver", name).map(str::to_string);
        Opening {
            read_only,
            // Shared images must not be cached: another host may write.
            cache: said("cache").or_else(|| disk.child("shareable").map(|_| "none".to_string())),
            io: said("io"),
            discard: said("discard"),
            detect_zeroes: said("detect_zeroes"),
            keep_discarded: switch(said("discard_no_unref").as_deref()),
            tables: disk.child_text("driver/metadata_cache/max_size").and_then(|size| size.parse().ok()),
        }
    }

    fn cache_flags(&self) -> Option<serde_json::Value> {
        let (direct, no_flush) = match self.cache.as_deref()? {
            "none" | "directsync" => (true, false),
            "writeback" | "writethrough" => (false, false),
            "unsafe" => (false, true),
            _ => return None,
        };
        Some(serde_json::json!({ "direct": direct, "no-flush": no_flush }))
    }
}

/// Adds the nodes of a chain; answers the name of the node for the guest.
pub fn nodes(builder: &mut Builder<'_>, images: &[Image], opening: &Opening) -> String {
    let mut behind: Option<String> = None;
    for (position, image) in images.iter().enumerate().rev() {
        let top = position == 0;
        let opening = if top {
            opening.clone()
        } else {
            Opening { read_only: true, cache: opening.cache.clone(), ..Opening::default() }
        };
        let number = image.number.unwrap_or(0);
        let storage = format!("libvirt-{number}-storage");
        let is_raw = image.format == "raw";
        let mut properties = match &image.storage {
            Storage::File(path) => {
                Properties::default().with("driver", "file").with("filename", path.display().to_string())
            }
            Storage::Device(path) => Properties::default()
                .with("driver", "host_device")
                .with("filename", path.display().to_string()),
            Storage::Network(properties) => properties.clone(),
        };
        if !matches!(image.storage, Storage::Network(_)) {
            properties = properties.with_some("aio", opening.io.clone());
        }
        properties = properties.with("node-name", storage.as_str());
        if is_raw {
            properties = properties
                .with("read-only", opening.read_only)
                .with_some("discard", opening.discard.clone())
                .with_some("detect-zeroes", opening.detect_zeroes.clone());
        } else {
            properties = properties.with("auto-read-only", true).with("discard", "unmap");
        }
        builder.node(&properties.with_some("cache", opening.cache_flags()));
        if is_raw {
            behind = Some(storage);
            continue;
        }
        let format = format!("libvirt-{number}-format");
        let properties = Properties::default()
            .with("node-name", format.as_str())
            .with("read-only", opening.read_only)
            .with_some("discard", opening.discard.clone())
            .with_some("detect-zeroes", opening.detect_zeroes.clone())
            .with_some("cache", opening.cache_flags())
            .with("driver", image.format.as_str())
            .with_some("discard-no-unref", opening.keep_discarded)
            .with_some("cache-size", opening.tables)
            .with("file", storage)
            .with("backing", behind.take().map_or(serde_json::Value::Null, Into::into));
        builder.node(&properties);
        behind = Some(format);
    }
    behind.unwrap_or_default()
}

/// The nodes of the firmware.
pub fn firmware(builder: &mut Builder<'_>) -> Result<Firmware> {
    let Some(loader) = builder.active.find("os/loader") else {
        return Ok(Firmware::default());
    };
    let path = loader.text().trim().to_string();
    readable(Path::new(&path), "cannot read firmware")?;
    if loader.attribute("type") != Some("pflash") {
        return Ok(Firmware { bios: Some(path), ..Firmware::default() });
    }
    let read_only = loader.attribute("readonly") == Some("yes");
    if loader.attribute("secure") == Some("yes") {
        // Only system management mode may write the variables.
        builder.option("-global", "driver=cfi.pflash01,property=secure,value=on");
    }
    let format = loader.attribute("format").unwrap_or("raw");
    let mut flash = vec![(0, flash_node(builder, 0, &path, format, read_only))];
    if let Some(nvram) = builder.active.find("os/nvram") {
        let path = nvram.text().trim().to_string();
        if let Some(folder) = Path::new(&path).parent() {
            builder.prepare(Preparation::Folder(folder.to_path_buf()));
        }
        if let Some(template) = nvram.attribute("template") {
            if !Path::new(&path).exists() {
                readable(Path::new(template), "cannot read the template of UEFI variables")?;
            }
            builder.prepare(Preparation::Copy { from: template.into(), to: path.clone().into() });
        }
        let format = nvram.attribute("format").unwrap_or("raw");
        flash.push((1, flash_node(builder, 1, &path, format, false)));
    }
    Ok(Firmware { flash, bios: None })
}

fn flash_node(builder: &mut Builder<'_>, number: u32, path: &str, format: &str, read_only: bool) -> String {
    let storage = format!("libvirt-pflash{number}-storage");
    let file = Properties::default()
        .with("driver", "file")
        .with("filename", path)
        .with("node-name", storage.as_str())
        .with(
            if format == "raw" { "read-only" } else { "auto-read-only" },
            if format == "raw" { read_only } else { true },
        )
        .with("discard", "unmap");
    builder.node(&file);
    if format == "raw" {
        return storage;
    }
    let node = format!("libvirt-pflash{number}-format");
    let properties = Properties::default()
        .with("node-name", node.as_str())
        .with("read-only", read_only)
        .with("driver", format)
        .with("file", storage);
    builder.node(&properties);
    node
}
