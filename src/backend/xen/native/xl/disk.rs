//! Disks: `format=raw,vdev=xvda,access=rw,target=/path`, the same by position, and the old `phy:/dev/x,xvda,w`.

use super::{Kind, Use, fits_in_specification};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::domain::Disk;

/// What a specification says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Specification {
    target: String,
    format: String,
    device: String,
    writable: bool,
    /// Others write to it too, and it does not matter.
    shareable: bool,
    is_cdrom: bool,
    backend_type: String,
    backend: String,
    script: String,
    discard: Option<bool>,
    /// Flags that are kept as they are.
    direct_io_safe: bool,
}

/// Prefixes of a target that name a format or nothing at all; all are old ways of saying it.
const PREFIXES: &[(&str, &str)] = &[
    ("raw:", "raw"),
    ("qcow2:", "qcow2"),
    ("qcow:", "qcow"),
    ("vhd:", "vhd"),
    ("tap2:", ""),
    ("tapdisk:", ""),
    ("tap:", ""),
    ("aio:", ""),
    ("ioemu:", ""),
    ("file:", ""),
    ("phy:", ""),
];

impl Specification {
    fn parse(text: &str) -> Result<Specification> {
        let mut disk = Specification { writable: true, ..Specification::default() };
        let mut places = ["target", "format", "vdev", "access"].iter();
        let mut rest = text.trim();
        loop {
            // A target given by its name takes everything that follows.
            if let Some(target) = rest.strip_prefix("target=") {
                disk.set_target(target.trim());
                break;
            }
            let (part, more) = rest.split_once(',').map_or((rest, None), |(part, more)| (part, Some(more)));
            let part = part.trim();
            match part.split_once('=') {
                Some((name, value)) if NAMES.contains(&name.trim()) => disk.set(name.trim(), value.trim())?,
                _ if FLAGS.contains(&part) => disk.set(part, "")?,
                _ => {
                    let mut place = *places.next().ok_or_else(|| not_understood(text, part))?;
                    let is_old = place == "format" && disk.set_by_old_place(part);
                    if is_old {
                        place = *places.next().ok_or_else(|| not_understood(text, part))?;
                    }
                    match place {
                        "target" => {
                            if disk.set_target(part) {
                                // After an old prefix no format follows.
                                disk.format =
                                    if disk.format.is_empty() { "raw".to_string() } else { disk.format };
                                places = ["vdev", "access"].iter();
                            }
                        }
                        place => disk.set(place, part)?,
                    }
                }
            }
            match more {
                Some(more) => rest = more.trim_start(),
                None => break,
            }
        }
        if disk.device.is_empty() {
            return Err(not_understood(text, "no vdev"));
        }
        Ok(disk)
    }

    /// Whether a second field is no format but already the device, as in files written for `xm`.
    fn set_by_old_place(&self, part: &str) -> bool {
        !part.is_empty() && !FORMATS.contains(&part)
    }

    /// Takes a target apart; answers whether it began with an old prefix.
    fn set_target(&mut self, target: &str) -> bool {
        let mut rest = target;
        let mut is_old = false;
        while let Some((prefix, format)) = PREFIXES.iter().find(|(prefix, _)| rest.starts_with(prefix)) {
            is_old = true;
            if *prefix == "phy:" {
                self.backend_type = "phy".to_string();
            }
            if !format.is_empty() {
                self.format = (*format).to_string();
            }
            rest = &rest[prefix.len()..];
        }
        self.target = rest.to_string();
        is_old
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "format" => self.format = value.to_string(),
            "vdev" => {
                let (device, kind) = value.split_once(':').unwrap_or((value, ""));
                self.device = device.to_string();
                if kind == "cdrom" {
                    self.make_cdrom();
                }
            }
            "access" => {
                self.writable = match value {
                    "" | "rw" | "w" => true,
                    "w!" | "!" => {
                        self.shareable = true;
                        true
                    }
                    "ro" | "r" => false,
                    other => return Err(not_understood(name, other)),
                }
            }
            "devtype" if value == "cdrom" => self.make_cdrom(),
            "cdrom" => self.make_cdrom(),
            "backendtype" => self.backend_type = value.to_string(),
            "backend" => self.backend = value.to_string(),
            "script" => self.script = value.to_string(),
            "discard" => self.discard = Some(true),
            "no-discard" => self.discard = Some(false),
            "direct-io-safe" => self.direct_io_safe = true,
            _ => {}
        }
        Ok(())
    }

    fn make_cdrom(&mut self) {
        self.is_cdrom = true;
        self.writable = false;
    }
}

/// Fields given by name.
const NAMES: &[&str] = &["format", "vdev", "access", "devtype", "backendtype", "backend", "script"];
/// Fields that are words of their own.
const FLAGS: &[&str] = &["cdrom", "discard", "no-discard", "direct-io-safe"];
const FORMATS: &[&str] = &["raw", "qcow", "qcow2", "qed", "vhd"];

fn not_understood(text: &str, what: &str) -> Error {
    Error::unsupported_configuration(format!("disk specification '{text}': '{what}' is not understood"))
}

/// A `<disk>` from a specification.
pub(super) fn element(specification: &str, kind: Kind, purpose: Use) -> Result<Element> {
    let disk = Specification::parse(specification)?;
    let is_block =
        disk.target.starts_with("/dev/") || disk.backend_type == "phy" && !disk.target.starts_with('/');
    let (source_type, attribute) = if is_block { ("block", "dev") } else { ("file", "file") };
    let device = if disk.is_cdrom { "cdrom" } else { "disk" };
    let mut element = Element::new("disk").with("type", source_type).with("device", device);
    let mut driver = Element::new("driver");
    match (disk.backend_type.as_str(), purpose) {
        ("phy", _) => driver.set("name", "phy"),
        ("tap", _) => driver.set("name", "tap"),
        ("", Use::Kept) => {}
        _ => driver.set("name", "qemu"),
    }
    match disk.format.as_str() {
        "" | "empty" => driver.set("type", "raw"),
        "vhd" => driver.set("type", "vpc"),
        format => driver.set("type", format),
    }
    match disk.discard {
        Some(true) => driver.set("discard", "unmap"),
        Some(false) => driver.set("discard", "ignore"),
        None => {}
    }
    element.push(driver);
    if !disk.target.is_empty() {
        element.push(Element::new("source").with(attribute, &disk.target));
    }
    if !disk.backend.is_empty() && disk.backend != "0" {
        element.push(Element::new("backenddomain").with("name", &disk.backend));
    }
    let bus = match disk.device.as_bytes() {
        [b'x', b'v', b'd', ..] => "xen",
        [b's', b'd', ..] => "scsi",
        [b'h', b'd', ..] => "ide",
        _ if kind == Kind::Hvm => "ide",
        _ => "xen",
    };
    element.push(Element::new("target").with("dev", &disk.device).with("bus", bus));
    if !disk.writable {
        element.push(Element::new("readonly"));
    } else if disk.shareable {
        element.push(Element::new("shareable"));
    }
    Ok(element)
}

/// The toolstack's word for the format of what a disk holds.
fn format_word(disk: &Disk) -> Option<&str> {
    match disk.format.as_deref() {
        _ if disk.path().unwrap_or_default().is_empty() => Some("empty"),
        None | Some("raw") => Some("raw"),
        Some(format @ ("qcow" | "qcow2" | "qed")) => Some(format),
        Some("vpc" | "vhd") => Some("vhd"),
        Some(_) => None,
    }
}

/// The specification of a `<disk>`.
pub fn specification(element: &Element) -> Result<String> {
    specification_for(element, Use::Kept)
}

/// The specification of a `<disk>`, in the words of whom it is for.
pub(super) fn specification_for(element: &Element, purpose: Use) -> Result<String> {
    let disk = Disk::parse(element);
    refuse_impossible(&disk)?;
    match purpose {
        Use::Xm => old_specification(&disk),
        _ => new_specification(&disk, purpose),
    }
}

fn refusal(disk: &Disk, what: &str) -> Error {
    let target = &disk.target;
    Error::unsupported_configuration(format!("disk '{target}': {what} cannot be had with xl"))
}

fn refuse_impossible(disk: &Disk) -> Result<()> {
    let refuse = |what: &str| Err(refusal(disk, what));
    let source = disk.source.as_ref();
    match source.map(|source| source.kind.as_str()) {
        None | Some("file" | "block") => {}
        Some(kind) => return refuse(&format!("a source of type '{kind}'")),
    }
    if !matches!(disk.device.as_str(), "disk" | "cdrom") {
        return refuse(&format!("a device of type '{}'", disk.device));
    }
    if disk.transient
        || disk.serial.is_some()
        || !disk.limits.is_empty()
        || disk.backing.as_ref().is_some_and(|b| !b.is_empty())
    {
        return refuse("<transient>, <serial>, <iotune> or <backingStore>");
    }
    let path = disk.path().unwrap_or_default();
    if path.contains(['\n', '"']) || !fits_in_specification(&disk.target) {
        return refuse("its path or target");
    }
    Ok(())
}

/// `file:/a.img,hda,w`, as xm reads it.
fn old_specification(disk: &Disk) -> Result<String> {
    let path = disk.path().unwrap_or_default();
    if !fits_in_specification(path) {
        return Err(refusal(disk, "its path"));
    }
    let format = match disk.format.as_deref() {
        None | Some("raw") => "aio",
        Some(format) => format,
    };
    let uname = match disk.element.child_attribute("driver", "name") {
        _ if path.is_empty() => String::new(),
        None => path.to_string(),
        Some(driver @ ("tap" | "tap2")) => format!("{driver}:{format}:{path}"),
        Some(driver) => format!("{driver}:{path}"),
    };
    let kind = if disk.device == "cdrom" { ":cdrom" } else { "" };
    let access = match (disk.readonly, disk.shareable) {
        (true, _) => "r",
        (false, true) => "!",
        (false, false) => "w",
    };
    let backend = disk.element.child_attribute("backenddomain", "name");
    let backend = backend.map(|backend| format!(",{backend}")).unwrap_or_default();
    Ok(format!("{uname},{}{kind},{access}{backend}", disk.target))
}

/// `format=raw,vdev=hda,access=rw,target=/a.img`, as xl reads it.
fn new_specification(disk: &Disk, purpose: Use) -> Result<String> {
    let refusal = |what: &str| refusal(disk, what);
    let path = disk.path().unwrap_or_default();
    let is_cdrom = disk.device == "cdrom";
    let format = format_word(disk).ok_or_else(|| refusal("its format"))?;
    let is_exchanged = purpose == Use::Exchanged;
    let format = if format == "empty" && is_exchanged { "raw" } else { format };
    let mut text = String::new();
    if format != "empty" {
        text.push_str(&format!("format={format},"));
    }
    let access = match () {
        () if is_cdrom || disk.readonly => "ro",
        // A word that other tools exchange and xl itself does not take.
        () if disk.shareable && is_exchanged => "!",
        () => "rw",
    };
    text.push_str(&format!("vdev={},access={access}", disk.target));
    match disk.element.child_attribute("driver", "name") {
        Some("phy") => text.push_str(",backendtype=phy"),
        Some("qemu") => text.push_str(",backendtype=qdisk"),
        Some("file") if is_exchanged => text.push_str(",backendtype=qdisk"),
        Some("tap" | "tap2") => text.push_str(",backendtype=tap"),
        _ => {}
    }
    if let Some(backend) = disk.element.child_attribute("backenddomain", "name") {
        if !fits_in_specification(backend) {
            return Err(refusal("its backend domain"));
        }
        text.push_str(&format!(",backend={backend}"));
    }
    match disk.discard.as_deref() {
        Some("unmap") => text.push_str(",discard"),
        Some("ignore") => text.push_str(",no-discard"),
        _ => {}
    }
    if is_cdrom {
        text.push_str(",devtype=cdrom");
    }
    // Everything behind it belongs to it, commas too.
    if !path.is_empty() || !is_exchanged {
        text.push_str(&format!(",target={path}"));
    }
    Ok(text)
}
