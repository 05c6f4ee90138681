//! `<devices>` as `(vbd …)`, `(vif …)` and their like.

use super::{Abilities, place, refused};
use crate::backend::xen::native::rate;
use crate::backend::xen::sxp::Sxp;
use crate::error::Result;
use crate::xml::Element;

/// The classes a disk may be of.
pub const DISK_CLASSES: &[&str] = &["vbd", "tap", "tap2"];

/// Every device of a definition that is no part of the image.
pub fn all(tree: &Element, is_hvm: bool, abilities: Abilities) -> Result<Vec<Sxp>> {
    let Some(devices) = tree.child("devices") else { return Ok(Vec::new()) };
    let mut made = Vec::new();
    for element in devices.elements() {
        let in_image = is_hvm && is_image_drive(element, abilities);
        match element.name.as_str() {
            _ if in_image => {}
            "disk" | "interface" | "hostdev" => made.push(device(element, is_hvm, abilities)?),
            "graphics" if !is_hvm => {
                if !abilities.frame_buffers {
                    return Err(refused("this xend has no <graphics> for paravirtual domains"));
                }
                let kind = element.attribute("type").unwrap_or_default();
                made.push(Sxp::list("vkbd", []));
                let screen = screen(element)?;
                made.push(Sxp::list("vfb", std::iter::once(Sxp::pair("type", kind)).chain(screen)));
            }
            "emulator" | "controller" | "memballoon" | "video" | "audio" | "graphics" => {}
            "console" => {}
            "input" if is_hvm || element.attribute("bus") == Some("xen") => {}
            "serial" | "parallel" | "sound" if is_hvm => {}
            other => {
                let kind = if is_hvm { "full" } else { "paravirtual" };
                let place = place(element);
                return Err(refused(format!("xend has no <{other}> device for a {kind} machine{place}")));
            }
        }
    }
    Ok(made)
}

/// One device in the inner form, as it is plugged in.
pub fn device(element: &Element, is_hvm: bool, abilities: Abilities) -> Result<Sxp> {
    match element.name.as_str() {
        "disk" => disk(element, is_hvm, abilities),
        "interface" => interface(element, is_hvm),
        "hostdev" => host_device(element),
        other => Err(refused(format!("xend cannot plug in a <{other}> device"))),
    }
}

/// Whether a drive is a setting of the image: floppies always, CD-ROMs as long as drives had no kinds.
fn is_image_drive(element: &Element, abilities: Abilities) -> bool {
    element.name == "disk"
        && match element.attribute("device") {
            Some("floppy") => true,
            Some("cdrom") => !abilities.kinds_of_drives,
            _ => false,
        }
}

/// Adds the drives that are settings of the image.
pub fn add_image_drives(devices: &Element, abilities: Abilities, image: &mut Sxp) -> Result<()> {
    for drive in devices.children("disk").filter(|disk| is_image_drive(disk, abilities)) {
        let target = drive.child_attribute("target", "dev").unwrap_or_default();
        let field = match (drive.attribute("device"), target) {
            (Some("floppy"), "fda" | "fdb") => target,
            (Some("cdrom"), "hdc") => "cdrom",
            _ => return Err(refused(format!("xend has no drive '{target}'{}", place(drive)))),
        };
        if let Some(path) = source(drive) {
            image.push(Sxp::pair(field, path));
        }
    }
    Ok(())
}

/// The path that serves a disk; none for an empty drive.
fn source(disk: &Element) -> Option<&str> {
    let source = disk.child("source")?;
    source.attribute("file").or_else(|| source.attribute("dev"))
}

fn disk(disk: &Element, is_hvm: bool, abilities: Abilities) -> Result<Sxp> {
    let target = disk.child_attribute("target", "dev").unwrap_or_default();
    let kind = disk.attribute("device").unwrap_or("disk");
    let is_drive = matches!(disk.attribute("type"), Some("file" | "block") | None);
    if !is_drive || !matches!(kind, "disk" | "cdrom") {
        let type_ = disk.attribute("type").unwrap_or_default();
        return Err(refused(format!(
            "xend serves no <disk> of type '{type_}' and device '{kind}'{}",
            place(disk)
        )));
    }
    if let Some(bus) = disk.child_attribute("target", "bus") {
        if !matches!(bus, "xen" | "ide" | "scsi") {
            return Err(refused(format!("xend has no bus '{bus}' for disk '{target}'{}", place(disk))));
        }
    }
    if let Some(child) = disk.elements().find(|child| !KNOWN_IN_DISK.contains(&child.name.as_str())) {
        return Err(refused(format!("xend has nothing for <{}> of a <disk>{}", child.name, place(child))));
    }
    let (class, uname) = uname(disk, abilities)?;
    let name =
        if is_hvm && abilities.kinds_of_drives { format!("{target}:{kind}") } else { target.to_string() };
    let mut made = Sxp::list(class, [Sxp::pair("dev", name)]);
    // An empty drive is one without a source; the name of nothing stands for it in what xm sends.
    made.push(Sxp::pair("uname", uname.unwrap_or_default()));
    let mode = match (disk.child("readonly"), disk.child("shareable")) {
        (Some(_), _) => "r",
        _ if kind == "cdrom" => "r",
        (None, Some(_)) => "w!",
        (None, None) => "w",
    };
    made.push(Sxp::pair("mode", mode));
    if let Some(backend) = disk.child_attribute("backenddomain", "name") {
        made.push(Sxp::pair("backend", backend));
    }
    Ok(made)
}

/// What may stand in a disk; the rest of it would be lost.
const KNOWN_IN_DISK: &[&str] = &[
    "driver",
    "source",
    "target",
    "readonly",
    "shareable",
    "backenddomain",
    "backingStore",
    "alias",
    "address",
];

/// A disk's class and the name of its source.
fn uname(disk: &Element, abilities: Abilities) -> Result<(&'static str, Option<String>)> {
    let Some(path) = source(disk) else { return Ok(("vbd", None)) };
    let driver = disk.child_attribute("driver", "name");
    let format = disk.child_attribute("driver", "type").unwrap_or("raw");
    let by_type = if disk.attribute("type") == Some("block") { "phy" } else { "file" };
    let tap_format = if format == "raw" { "aio" } else { format };
    match driver {
        Some(name @ ("tap" | "tap2")) => {
            let class = if !abilities.tap {
                "vbd"
            } else if name == "tap" {
                "tap"
            } else {
                "tap2"
            };
            Ok((class, Some(format!("{name}:{tap_format}:{path}"))))
        }
        Some("qemu") | None if format != "raw" => {
            Ok((if abilities.tap { "tap" } else { "vbd" }, Some(format!("tap:{tap_format}:{path}"))))
        }
        Some("qemu") | None => Ok(("vbd", Some(format!("{by_type}:{path}")))),
        Some(other) => Ok(("vbd", Some(format!("{other}:{path}")))),
    }
}

fn interface(interface: &Element, is_hvm: bool) -> Result<Sxp> {
    let mut made = Sxp::list("vif", []);
    if let Some(mac) = interface.child_attribute("mac", "address") {
        made.push(Sxp::pair("mac", mac));
    }
    let script = interface.child_attribute("script", "path");
    match interface.attribute("type") {
        Some("bridge") => {
            made.push(Sxp::pair("bridge", interface.child_attribute("source", "bridge").unwrap_or_default()));
        }
        Some("ethernet") => {}
        other => {
            let other = other.unwrap_or_default();
            let place = place(interface);
            return Err(refused(format!(
                "xend has no <interface> of type '{other}': use a bridge of the host{place}"
            )));
        }
    }
    // Without one, xend takes that of its configuration.
    if let Some(script) = script {
        made.push(Sxp::pair("script", script));
    }
    if let Some(child) = interface.elements().find(|child| !KNOWN_IN_INTERFACE.contains(&child.name.as_str()))
    {
        return Err(refused(format!(
            "xend has nothing for <{}> of an <interface>{}",
            child.name,
            place(child)
        )));
    }
    if let Some(addresses) = addresses(interface) {
        made.push(Sxp::pair("ip", addresses));
    }
    match rate::write(interface) {
        Ok(rate) => rate.into_iter().for_each(|rate| made.push(Sxp::pair("rate", rate))),
        Err(more) => return Err(refused(format!("xend has nothing for {more}{}", place(interface)))),
    }
    // Names of this form are given out by Xen itself.
    let named = interface.child_attribute("target", "dev").filter(|name| !name.starts_with("vif"));
    if let Some(named) = named {
        made.push(Sxp::pair("vifname", named));
    }
    if let Some(backend) = interface.child_attribute("backenddomain", "name") {
        made.push(Sxp::pair("backend", backend));
    }
    let model = interface.child_attribute("model", "type");
    match model {
        Some("netfront") => made.push(Sxp::pair("type", "netfront")),
        _ if !is_hvm => {}
        model => {
            if let Some(model) = model {
                made.push(Sxp::pair("model", model));
            }
            made.push(Sxp::pair("type", "ioemu"));
        }
    }
    Ok(made)
}

/// The addresses that the script of an interface is told, parted by blanks.
fn addresses(interface: &Element) -> Option<String> {
    let addresses: Vec<String> = interface
        .children("ip")
        .filter_map(|ip| {
            let address = ip.attribute("address")?;
            Some(ip.attribute("prefix").map_or(address.to_string(), |prefix| format!("{address}/{prefix}")))
        })
        .collect();
    (!addresses.is_empty()).then(|| addresses.join(" "))
}

/// What may stand in an interface; the rest of it would be lost.
const KNOWN_IN_INTERFACE: &[&str] =
    &["mac", "source", "script", "ip", "bandwidth", "target", "model", "backenddomain", "alias", "address"];

fn host_device(host: &Element) -> Result<Sxp> {
    let address = host.child("source").and_then(|source| source.child("address"));
    let (Some("pci"), Some(address)) = (host.attribute("type"), address) else {
        return Err(refused(format!("xend hands over no host device but PCI ones{}", place(host))));
    };
    let field = |name: &str| address.attribute(name).unwrap_or("0x0").to_string();
    let fields = [("domain", "domain"), ("bus", "bus"), ("slot", "slot"), ("func", "function")];
    let fields = fields.map(|(field_name, attribute)| Sxp::pair(field_name, field(attribute)));
    Ok(Sxp::list("pci", [Sxp::list("dev", fields)]))
}

/// The settings of a screen.
pub fn screen(graphics: &Element) -> Result<Vec<Sxp>> {
    let mut settings = Vec::new();
    let attribute = |name: &str| graphics.attribute(name);
    match attribute("type") {
        Some("vnc") => {
            let port = attribute("port").and_then(|port| port.parse::<i64>().ok());
            match port.filter(|port| *port >= 5900 && attribute("autoport") != Some("yes")) {
                Some(port) => {
                    settings.push(Sxp::pair("vncunused", 0));
                    settings.push(Sxp::pair("vncdisplay", port - 5900));
                }
                None => settings.push(Sxp::pair("vncunused", 1)),
            }
            let listen = graphics.child_attribute("listen", "address").or(attribute("listen"));
            for (field, value) in
                [("vnclisten", listen), ("vncpasswd", attribute("passwd")), ("keymap", attribute("keymap"))]
            {
                if let Some(value) = value {
                    settings.push(Sxp::pair(field, value));
                }
            }
        }
        Some("sdl") => {
            for (field, value) in [("display", attribute("display")), ("xauthority", attribute("xauth"))] {
                if let Some(value) = value {
                    settings.push(Sxp::pair(field, value));
                }
            }
        }
        other => {
            let other = other.unwrap_or_default();
            return Err(refused(format!("xend has no <graphics> of type '{other}'{}", place(graphics))));
        }
    }
    Ok(settings)
}
