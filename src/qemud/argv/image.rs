//! Images: where a disk's bytes are, and the chain of images behind it.

use super::properties::Properties;
use crate::error::{Error, ErrorCode, Result};
use crate::qemud::define::number;
use crate::xml::{Element, Node};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

/// A chain longer than this is a loop, or a mistake.
const CHAIN_MAX: usize = 200;

/// Where an image's bytes are.
#[derive(Clone, Debug)]
pub enum Storage {
    /// In a file.
    File(PathBuf),
    /// On a block device.
    Device(PathBuf),
    /// Behind a server: the properties of the node that reaches it.
    Network(Properties),
}

/// One image of a chain.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where its bytes are.
    pub storage: Storage,
    /// How they are to be read.
    pub format: String,
    /// The number it was given when the tree was made active.
    pub number: Option<u32>,
}

/// Checks that a file is there and may be read; `what` opens the message.
pub fn readable(path: &Path, what: &str) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_dir() => {
            Err(Error::new(ErrorCode::SYSTEM, format!("{what} {}: Is a directory", path.display())))
        }
        Ok(_) => nix::unistd::access(path, nix::unistd::AccessFlags::R_OK)
            .map_err(|cause| refused(path, what, cause)),
        Err(cause) => Err(Error::system(format!("{what} {}", path.display()), &cause)),
    }
}

fn refused(path: &Path, what: &str, cause: nix::errno::Errno) -> Error {
    let user = nix::unistd::geteuid();
    let name =
        nix::unistd::User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name);
    Error::new(ErrorCode::SYSTEM, format!("{what} {} as user '{name}': {}", path.display(), cause.desc()))
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
            format!("Cannot access storage file '{}'{tail}: {}", path.display(), cause.desc()),
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
    let format = disk.child_attribute("driver", "type").unwrap_or("raw").to_string();
    let Some(storage) = storage(source, disk.attribute("type").unwrap_or("file"))? else {
        return Ok(Vec::new());
    };
    let number = number(source.attribute("index"));
    let mut images = vec![Image { storage, format, number }];
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
            let path = source.attribute("name").unwrap_or_default().trim_start_matches('/');
            let query = source.attribute("query").map(|query| format!("?{query}")).unwrap_or_default();
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
        let format = element.child_attribute("format", "type").unwrap_or("raw").to_string();
        if let Some(storage) = storage(source, element.attribute("type").unwrap_or("file"))? {
            if let Storage::File(path) | Storage::Device(path) = &storage {
                accessible(path, false)?;
            }
            images.push(Image { storage, format, number: number(element.attribute("index")) });
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
        let storage = if is_device { Storage::Device(backing) } else { Storage::File(backing) };
        images.push(Image { storage, format, number: None });
    }
}

/// The backing file that a qcow2 image names, and its format.
fn backing_of(path: &Path) -> Result<Option<(PathBuf, Option<String>)>> {
    let failed = |cause: std::io::Error| {
        Error::system(format!("cannot read the header of image '{}'", path.display()), &cause)
    };
    let mut file = File::open(path).map_err(failed)?;
    // Header and extensions lie in the first cluster; none is needed beyond 64 KiB.
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(64 * 1024).read_to_end(&mut head).map_err(failed)?;
    let word = |at: usize| {
        head.get(at..at + 4).map(|bytes| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    if head.get(..4) != Some(b"QFI\xfb") {
        return Err(Error::internal(format!("image '{}' is not in qcow2 format", path.display())));
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
    let mut at = if version >= 3 { word(100).unwrap_or(104) as usize } else { 72 };
    let mut format = None;
    while let (Some(kind), Some(size)) = (word(at), word(at + 4)) {
        let size = size as usize;
        match kind {
            0 => break,
            0xE279_2ACA => {
                format =
                    head.get(at + 8..at + 8 + size).map(|text| String::from_utf8_lossy(text).into_owned());
            }
            _ => {}
        }
        at += 8 + size.div_ceil(8) * 8;
    }
    let name = name.strip_prefix("file:").unwrap_or(&name);
    let folder = path.parent().unwrap_or(Path::new("/"));
    Ok(Some((folder.join(name), format)))
}

/// Writes a chain into a disk of the active tree; the first image's number is given, those behind it are counted on.
pub fn write_chain(disk: &mut Element, images: &[Image], first: u32, next: &mut u32) {
    let mut numbers = vec![first];
    for _ in images.iter().skip(1) {
        *next += 1;
        numbers.push(*next);
    }
    let mut behind = Element::new("backingStore");
    for (image, number) in images.iter().zip(&numbers).skip(1).rev() {
        let (kind, attribute, path) = match &image.storage {
            Storage::Device(path) => ("block", "dev", path),
            Storage::File(path) => ("file", "file", path),
            Storage::Network(_) => return, // only a definition writes these, and it is kept as it is
        };
        behind = Element::new("backingStore")
            .with("type", kind)
            .with("index", number)
            .with_child(Element::new("format").with("type", &image.format))
            .with_child(Element::new("source").with(attribute, path.display()))
            .with_child(behind);
    }
    if let Some(source) = disk.child_mut("source") {
        source.set("index", first);
    }
    disk.remove("backingStore");
    let at = disk.nodes.iter().position(|node| matches!(node, Node::Element(e) if e.name == "source"));
    disk.nodes.insert(at.map_or(0, |at| at + 1), Node::Element(behind));
}
