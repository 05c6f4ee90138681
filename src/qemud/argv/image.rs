//! Images: the chain of nodes from a file or device on the host to the disk the guest sees.

use super::Preparation;
use super::builder::Builder;
use super::properties::Properties;
use crate::error::{Error, ErrorCode, Result};
use crate::qemud::define::number;
use crate::xml::Element;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

/// A chain longer than this is a loop, or a mistake.
const CHAIN_MAX: usize = 200;

/// Where an image's bytes are.
#[derive(Clone, Debug)]
enum Storage {
    File(PathBuf),
    Device(PathBuf),
    Network(Properties),
}

/// One image of a chain.
#[derive(Clone, Debug)]
pub struct Image {
    storage: Storage,
    format: String,
}

/// The firmware's part of the command line.
#[derive(Default)]
pub struct Firmware {
    /// The flash chips and their nodes.
    pub flash: Vec<(u32, String)>,
    /// The file of a read-only memory.
    pub bios: Option<String>,
}

/// Checks that a file is there and may be read; `what` opens the message.
pub fn readable(path: &Path, what: &str) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_dir() => Err(Error::new(
            ErrorCode::SYSTEM,
            format!("{what} {}: Is a directory", path.display()),
        )),
        Ok(_) => nix::unistd::access(path, nix::unistd::AccessFlags::R_OK)
            .map_err(|cause| refused(path, what, cause)),
        Err(cause) => Err(Error::system(format!("{what} {}", path.display()), &cause)),
    }
}

fn refused(path: &Path, what: &str, cause: nix::errno::Errno) -> Error {
    let user = nix::unistd::geteuid();
    let name = nix::unistd::User::from_uid(user)
        .ok()
        .flatten()
        .map_or_else(|| user.to_string(), |user| user.name);
    Error::new(
        ErrorCode::SYSTEM,
        format!("{what} {} as user '{name}': {}", path.display(), cause.desc()),
    )
}

/// Checks that an image can be opened as the guest will.
fn accessible(path: &Path, writable: bool) -> Result<()> {
    let refused = |cause: nix::errno::Errno| {
        let user = nix::unistd::geteuid();
        let name = nix::unistd::User::from_uid(user)
            .ok()
            .flatten()
            .map_or_else(|| user.to_string(), |user| user.name);
        let tail = match cause {
            nix::errno::Errno::EACCES | nix::errno::Errno::EPERM | nix::errno::Errno::EROFS => {
                format!(" as user '{name}'")
            }
            _ => String::new(),
        };
        Error::new(
            ErrorCode::SYSTEM,
            format!(
                "Cannot access storage file '{}'{tail}: {}",
                path.display(),
                cause.desc()
            ),
        )
    };
    let mut wanted = nix::unistd::AccessFlags::R_OK;
    if writable {
        wanted |= nix::unistd::AccessFlags::W_OK;
    }
    nix::unistd::access(path, wanted).map_err(refused)
}

/// The chain of a disk, the image the guest writes to first; empty for an empty drive.
pub fn chain(disk: &Element, writable: bool) -> Result<Vec<Image>> {
    let Some(source) = disk.child("source") else {
        return Ok(Vec::new());
    };
    let format = disk
        .child_attribute("driver", "type")
        .unwrap_or("raw")
        .to_string();
    let Some(storage) = storage(source, disk.attribute("type").unwrap_or("file"))? else {
        return Ok(Vec::new());
    };
    let mut images = vec![Image { storage, format }];
    if let Storage::File(path) | Storage::Device(path) = &images[0].storage {
        accessible(path, writable)?;
    }
    match disk.child("backingStore") {
        Some(written) => written_chain(written, &mut images)?,
        None => found_chain(&mut images)?,
    }
    Ok(images)
}

fn storage(source: &Element, kind: &str) -> Result<Option<Storage>> {
    Ok(match kind {
        "block" => source.attribute("dev").map(|path| Storage::Device(path.into())),
        "network" => Some(Storage::Network(network(source)?)),
        _ => source.attribute("file").map(|path| Storage::File(path.into())),
    })
}

fn network(source: &Element) -> Result<Properties> {
    let protocol = source.attribute("protocol").unwrap_or_default();
    let host = source.child("host");
    let said = |name: &str| host.and_then(|host| host.attribute(name));
    let address = said("name").unwrap_or("localhost");
    match protocol {
        "nbd" => {
            let server = match said("transport") {
                Some("unix") => {
                    serde_json::json!({ "type": "unix", "path": said("socket").unwrap_or_default() })
                }
                _ => {
                    serde_json::json!({ "type": "inet", "host": address, "port": said("port").unwrap_or("10809") })
                }
            };
            Ok(Properties::default()
                .with("driver", "nbd")
                .with("server", server)
                .with_some("export", source.attribute("name")))
        }
        "http" | "https" => {
            let port = said("port").map(|port| format!(":{port}")).unwrap_or_default();
            let path = source
                .attribute("name")
                .unwrap_or_default()
                .trim_start_matches('/');
            let query = source
                .attribute("query")
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            let url = format!("{protocol}://{address}{port}/{path}{query}");
            Ok(Properties::default().with("driver", protocol).with("url", url))
        }
        other => Err(Error::unsupported_configuration(format!(
            "disk protocol '{other}' is not supported by this driver"
        ))),
    }
}

/// The chain the definition writes down.
fn written_chain(first: &Element, images: &mut Vec<Image>) -> Result<()> {
    let mut written = Some(first);
    while let Some(element) = written {
        let Some(source) = element.child("source") else {
            return Ok(()); // an empty element ends the chain
        };
        let format = element
            .child_attribute("format", "type")
            .unwrap_or("raw")
            .to_string();
        if let Some(storage) = storage(source, element.attribute("type").unwrap_or("file"))? {
            if let Storage::File(path) | Storage::Device(path) = &storage {
                accessible(path, false)?;
            }
            images.push(Image { storage, format });
        }
        written = element.child("backingStore");
        if written.is_none() {
            return found_chain(images);
        }
    }
    Ok(())
}

/// The chain the images' own headers tell.
fn found_chain(images: &mut Vec<Image>) -> Result<()> {
    loop {
        let Some(last) = images.last() else {
            return Ok(());
        };
        let (Storage::File(path) | Storage::Device(path)) = &last.storage else {
            return Ok(());
        };
        if last.format != "qcow2" {
            return Ok(());
        }
        let path = path.clone();
        let Some((backing, format)) = backing_of(&path)? else {
            return Ok(());
        };
        if images.len() >= CHAIN_MAX {
            return Err(Error::internal(format!(
                "the chain of backing images of '{}' does not end",
                path.display()
            )));
        }
        let Some(format) = format else {
            return Err(Error::invalid_operation(format!(
                "format of backing image '{}' of image '{}' was not specified in the image metadata",
                backing.display(),
                path.display()
            )));
        };
        accessible(&backing, false)?;
        let is_device = std::fs::metadata(&backing).is_ok_and(|facts| facts.file_type().is_block_device());
        let storage = if is_device {
            Storage::Device(backing)
        } else {
            Storage::File(backing)
        };
        images.push(Image { storage, format });
    }
}

/// The backing file that a qcow2 image names, and its format.
fn backing_of(path: &Path) -> Result<Option<(PathBuf, Option<String>)>> {
    let failed = |cause: std::io::Error| {
        Error::system(
            format!("cannot read the header of image '{}'", path.display()),
            &cause,
        )
    };
    let mut file = File::open(path).map_err(failed)?;
    // Header and extensions lie in the first cluster; none is needed beyond 64 KiB.
    let mut head = Vec::new();
    Read::by_ref(&mut file)
        .take(64 * 1024)
        .read_to_end(&mut head)
        .map_err(failed)?;
    let word = |at: usize| {
        head.get(at..at + 4)
            .map(|bytes| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    if head.get(..4) != Some(b"QFI\xfb") {
        return Err(Error::internal(format!(
            "image '{}' is not in qcow2 format",
            path.display()
        )));
    }
    let offset = word(8).unwrap_or(0) << 32 | word(12).unwrap_or(0);
    let length = word(16).unwrap_or(0);
    if offset == 0 || length == 0 || length > 1023 {
        return Ok(None);
    }
    let mut name = vec![0; length as usize];
    file.read_exact_at(&mut name, offset).map_err(failed)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    let version = word(4).unwrap_or(2);
    let mut at = if version >= 3 {
        word(100).unwrap_or(104) as usize
    } else {
        72
    };
    let mut format = None;
    while let (Some(kind), Some(size)) = (word(at), word(at + 4)) {
        let size = size as usize;
        match kind {
            0 => break,
            0xE279_2ACA => {
                format = head
                    .get(at + 8..at + 8 + size)
                    .map(|text| String::from_utf8_lossy(text).into_owned());
            }
            _ => {}
        }
        at += 8 + size.div_ceil(8) * 8;
    }
    let name = name.strip_prefix("file:").unwrap_or(&name);
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(Some((folder.join(name), format)))
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
///
/// `number` is the number of the first image; those behind it are counted by `next`.
pub fn nodes(
    builder: &mut Builder<'_>,
    images: &[Image],
    number: u32,
    next: &mut u32,
    opening: &Opening,
) -> String {
    let numbers: Vec<u32> = (0..images.len())
        .map(|position| match position {
            0 => number,
            _ => {
                *next += 1;
                *next
            }
        })
        .collect();
    let mut behind: Option<String> = None;
    for (position, image) in images.iter().enumerate().rev() {
        let top = position == 0;
        let opening = if top {
            opening.clone()
        } else {
            Opening {
                read_only: true,
                cache: opening.cache.clone(),
                ..Opening::default()
            }
        };
        let number = numbers[position];
        let storage = format!("libvirt-{number}-storage");
        let is_raw = image.format == "raw";
        let mut properties = match &image.storage {
            Storage::File(path) => Properties::default()
                .with("driver", "file")
                .with("filename", path.display().to_string()),
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
            .with("file", storage)
            .with(
                "backing",
                behind.take().map_or(serde_json::Value::Null, Into::into),
            );
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
        return Ok(Firmware {
            bios: Some(path),
            ..Firmware::default()
        });
    }
    let read_only = loader.attribute("readonly") == Some("yes");
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
            builder.prepare(Preparation::Copy {
                from: template.into(),
                to: path.clone().into(),
            });
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
            if format == "raw" {
                "read-only"
            } else {
                "auto-read-only"
            },
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

/// The number an image was given when the tree was made active.
pub fn index_of_source(disk: &Element) -> Option<u32> {
    number(disk.child_attribute("source", "index"))
}
