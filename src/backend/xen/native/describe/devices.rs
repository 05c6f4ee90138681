//! `(device …)`, and the devices that HVM images name: as elements of `<devices>`.

use super::{Image, active_id};
use crate::backend::xen::native::{chardev, rate};
use crate::backend::xen::sxp::Sxp;
use crate::xml::Element;

/// All devices of a domain.
pub fn devices(domain: &Sxp, image: &Image, secure: bool) -> Element {
    let mut devices = Element::new("devices");
    if let Some(emulator) = image.get("device_model").filter(|_| image.is_hvm) {
        devices.push(Element::new("emulator").with_text(emulator));
    }
    let id = active_id(domain);
    let mut interfaces = 0;
    for device in domain.all("device").filter_map(Sxp::value) {
        match device.head().as_deref() {
            Some("vbd" | "tap" | "tap2") => devices.push(disk(device, image.is_hvm)),
            Some("vif") => {
                let number = interfaces;
                interfaces += 1;
                devices.push(interface(device, image.is_hvm, id.map(|id| (id, number))));
            }
            Some("pci") => add_host_devices(device, &mut devices),
            _ => {}
        }
    }
    add_old_drives(image, &mut devices);
    add_character_devices(domain, image, &mut devices);
    add_screen(domain, image, secure, &mut devices);
    let sounds = image.get("soundhw").unwrap_or_default();
    let sounds = if sounds == "all" { "sb16,es1370" } else { &sounds };
    for model in sounds.split(',').filter(|model| !model.is_empty()) {
        devices.push(Element::new("sound").with("model", model));
    }
    devices
}

/// A disk: `(vbd (dev xvda:disk) (uname file:/x) (mode w))`.
fn disk(device: &Sxp, is_hvm: bool) -> Element {
    let name = device.get("dev").unwrap_or_default();
    let name = name.strip_prefix("ioemu:").unwrap_or(&name);
    let (target, kind) = match name.rsplit_once(':') {
        Some((target, kind @ ("disk" | "cdrom" | "floppy"))) => (target, kind),
        _ => (name, if name.starts_with("fd") { "floppy" } else { "disk" }),
    };
    let mut disk = match device.get("uname") {
        Some(uname) => with_source(&uname, device.head().as_deref()),
        None => Element::new("disk")
            .with("type", "block")
            .with_child(Element::new("driver").with("name", "phy").with("type", "raw")),
    };
    disk.set("device", kind);
    let bus = match target.get(..2) {
        Some("xv") => "xen",
        Some("fd") => "fdc",
        Some("sd") => "scsi",
        _ if is_hvm || target.starts_with("hd") => "ide",
        _ => "xen",
    };
    disk.push(Element::new("target").with("dev", target).with("bus", bus));
    match device.get("mode").as_deref() {
        Some(mode) if mode.contains('!') => disk.push(Element::new("shareable")),
        Some(mode) if !mode.contains('w') => disk.push(Element::new("readonly")),
        _ => {}
    }
    let backend = device.get("backend").filter(|backend| backend != "0" && backend != "Domain-0");
    if let Some(backend) = backend {
        disk.push(Element::new("backenddomain").with("name", backend));
    }
    disk
}

/// What serves a disk: the driver before the first colon, for blktap its format before the second.
fn with_source(uname: &str, class: Option<&str>) -> Element {
    let (driver, rest) = uname.split_once(':').unwrap_or(("phy", uname));
    let (path, format) = match driver {
        "tap" | "tap2" => {
            let (format, path) = rest.split_once(':').unwrap_or(("aio", rest));
            // The wrapper that some tools write, `tap:tapdisk:aio:/x`.
            let (format, path) = if format == "tapdisk" {
                path.split_once(':').unwrap_or(("aio", path))
            } else {
                (format, path)
            };
            (path, Some(if format == "aio" { "raw" } else { format }))
        }
        _ => (rest, None),
    };
    let driver = if class == Some("tap2") && driver == "tap" { "tap2" } else { driver };
    let element = Element::new("driver").with("name", driver).with("type", format.unwrap_or("raw"));
    let (kind, attribute, path) = match driver {
        "phy" if path.starts_with('/') => ("block", "dev", path.to_string()),
        "phy" => ("block", "dev", format!("/dev/{path}")),
        _ => ("file", "file", path.to_string()),
    };
    let disk = Element::new("disk").with("type", kind);
    disk.with_child(element).with_child(Element::new("source").with(attribute, path))
}

/// An interface: `(vif (mac M) (bridge B) (script S) (model e1000))`.
fn interface(device: &Sxp, is_hvm: bool, place: Option<(u32, usize)>) -> Element {
    let bridge = device.get("bridge");
    let kind = if bridge.is_some() { "bridge" } else { "ethernet" };
    let mut interface = Element::new("interface").with("type", kind);
    if let Some(mac) = device.get("mac") {
        interface.push(Element::new("mac").with("address", mac.to_ascii_lowercase()));
    }
    if let Some(bridge) = bridge {
        interface.push(Element::new("source").with("bridge", bridge));
    }
    for address in device.get("ip").unwrap_or_default().split_whitespace() {
        let (address, prefix) = address.split_once('/').unwrap_or((address, ""));
        let family = if address.contains(':') { "ipv6" } else { "ipv4" };
        let mut element = Element::new("ip").with("address", address).with("family", family);
        if !prefix.is_empty() {
            element.set("prefix", prefix);
        }
        interface.push(element);
    }
    if let Some(script) = device.get("script") {
        interface.push(Element::new("script").with("path", script));
    }
    // What cannot be read xend would not have taken.
    if let Some(limit) = device.get("rate").and_then(|rate| rate::read(&rate).ok()).flatten() {
        interface.push(limit);
    }
    let named = device.get("vifname").or_else(|| place.map(|(id, number)| format!("vif{id}.{number}")));
    if let Some(named) = named {
        interface.push(Element::new("target").with("dev", named));
    }
    let model = match device.get("type").as_deref() {
        Some("netfront") if is_hvm => Some("netfront".to_string()),
        _ => device.get("model"),
    };
    if let Some(model) = model {
        interface.push(Element::new("model").with("type", model));
    }
    if let Some(backend) = device.get("backend").filter(|backend| backend != "0" && backend != "Domain-0") {
        interface.push(Element::new("backenddomain").with("name", backend));
    }
    interface
}

/// Devices of the host: `(pci (dev (domain 0x0) (bus 0x1) (slot 0x2) (func 0x0)))`.
fn add_host_devices(device: &Sxp, devices: &mut Element) {
    for dev in device.all("dev") {
        let mut address = Element::new("address");
        for (name, field) in [("domain", "domain"), ("bus", "bus"), ("slot", "slot"), ("function", "func")] {
            address.set(name, dev.get(field).unwrap_or_else(|| "0x0".to_string()));
        }
        let host =
            Element::new("hostdev").with("mode", "subsystem").with("type", "pci").with("managed", "no");
        devices.push(host.with_child(Element::new("source").with_child(address)));
    }
}

/// The drives that old HVM images name themselves.
fn add_old_drives(image: &Image, devices: &mut Element) {
    for (field, target, kind, bus) in
        [("fda", "fda", "floppy", "fdc"), ("fdb", "fdb", "floppy", "fdc"), ("cdrom", "hdc", "cdrom", "ide")]
    {
        let taken =
            devices.children("disk").any(|disk| disk.child_attribute("target", "dev") == Some(target));
        let Some(path) = image.get(field).filter(|_| image.is_hvm && !taken) else { continue };
        let (type_, attribute) = if path.starts_with("/dev/") { ("block", "dev") } else { ("file", "file") };
        let mut disk = Element::new("disk").with("type", type_).with("device", kind);
        disk.push(Element::new("driver").with("name", if type_ == "block" { "phy" } else { "file" }));
        disk.push(Element::new("source").with(attribute, path));
        disk.push(Element::new("target").with("dev", target).with("bus", bus));
        if kind == "cdrom" {
            disk.push(Element::new("readonly"));
        }
        devices.push(disk);
    }
}

/// The console of a paravirtual guest, the ports of another.
fn add_character_devices(domain: &Sxp, image: &Image, devices: &mut Element) {
    if image.is_hvm {
        for kind in ["serial", "parallel"] {
            if let Some(port) = image.get(kind).and_then(|target| chardev::read(kind, &target)) {
                devices.push(port);
            }
        }
        return;
    }
    let is_guest = active_id(domain) != Some(0);
    if is_guest {
        let console = domain.all("device").filter_map(Sxp::value).find(|device| device.is_headed("console"));
        // The location is the number of a port, or the terminal of one that has it.
        let location = console.and_then(|console| console.get("location"));
        let mut console = Element::new("console").with("type", "pty");
        if let Some(terminal) = location.filter(|location| location.starts_with("/dev/")) {
            console.push(Element::new("source").with("path", terminal));
        }
        devices.push(console.with_child(Element::new("target").with("type", "xen").with("port", 0)));
    }
}

/// Screens, and a pointer on the USB bus.
fn add_screen(domain: &Sxp, image: &Image, secure: bool, devices: &mut Element) {
    let frame_buffers: Vec<&Sxp> =
        domain.all("device").filter_map(Sxp::value).filter(|device| device.is_headed("vfb")).collect();
    let mut screens: Vec<Element> =
        frame_buffers.iter().map(|vfb| screen(&|name| vfb.get(name), secure)).collect();
    if screens.is_empty() && image.is_hvm && (image.has("vnc") || image.has("sdl")) {
        screens.push(screen(&|name| image.get(name), secure));
    }
    if image.is_hvm && image.has("usb") {
        if let Some(kind @ ("tablet" | "mouse" | "keyboard")) = image.get("usbdevice").as_deref() {
            devices.push(Element::new("input").with("type", kind).with("bus", "usb"));
        }
    }
    if screens.is_empty() {
        return;
    }
    for screen in screens {
        devices.push(screen);
    }
    if image.is_hvm {
        let model = if image.has("stdvga") { "vga" } else { "cirrus" };
        let usual = if model == "vga" { 16 } else { 8 };
        let mut model = Element::new("model").with("type", model).with("vram", usual * 1024);
        if let Some(size) = image.get("videoram").and_then(|text| text.parse::<u64>().ok()) {
            model.set("vram", size.saturating_mul(1024));
        }
        devices.push(Element::new("video").with_child(model));
    }
}

/// One screen, its settings read by `get`.
fn screen(get: &dyn Fn(&str) -> Option<String>, secure: bool) -> Element {
    let is_sdl = get("type").as_deref() == Some("sdl") || get("sdl").is_some_and(|sdl| sdl != "0");
    let has_vnc = get("vnc").is_some_and(|vnc| vnc != "0");
    if is_sdl && !has_vnc {
        let mut graphics = Element::new("graphics").with("type", "sdl");
        for (attribute, field) in [("display", "display"), ("xauth", "xauthority")] {
            if let Some(value) = get(field) {
                graphics.set(attribute, value);
            }
        }
        return graphics;
    }
    let mut graphics = Element::new("graphics").with("type", "vnc");
    let display = get("vncdisplay").and_then(|display| display.parse::<u32>().ok());
    let searches = get("vncunused").is_none_or(|unused| unused != "0");
    match display.filter(|_| !searches || get("vncunused").is_none()) {
        Some(display) => {
            graphics.set("port", display.saturating_add(5900));
            graphics.set("autoport", "no");
        }
        None => {
            graphics.set("port", -1);
            graphics.set("autoport", "yes");
        }
    }
    // Some tools write the display behind the address.
    if let Some(listen) = get("vnclisten") {
        let listen = listen
            .split_once(':')
            .filter(|(address, _)| !address.is_empty())
            .map_or(listen.clone(), |(address, _)| address.to_string());
        graphics.set("listen", listen);
    }
    for (attribute, field) in [("keymap", "keymap"), ("passwd", "vncpasswd")] {
        if let Some(value) = get(field).filter(|_| secure || attribute != "passwd") {
            graphics.set(attribute, value);
        }
    }
    graphics
}
