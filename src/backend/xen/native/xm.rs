//! xm's configuration files: what xm made of them before it asked xend, and back.

use super::config::{Config, Value};
use super::rate;
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorOrigin, Result};

/// Keys with one value that are fields of the domain, under the name they have there.
const DOMAIN: &[(&str, &str)] = &[
    ("name", "name"),
    ("memory", "memory"),
    ("maxmem", "maxmem"),
    ("shadow_memory", "shadow_memory"),
    ("on_poweroff", "on_poweroff"),
    ("on_reboot", "on_reboot"),
    ("on_crash", "on_crash"),
    ("uuid", "uuid"),
    ("cpus", "cpus"),
    ("cpu_weight", "cpu_weight"),
    ("cpu_cap", "cpu_cap"),
    ("bootloader", "bootloader"),
    ("bootargs", "bootloader_args"),
    ("description", "description"),
    ("pool", "pool_name"),
];
/// Keys that are fields of every image.
const IMAGE: &[(&str, &str)] = &[("kernel", "kernel"), ("ramdisk", "ramdisk")];
/// Keys that are fields of the image of a paravirtual guest.
const PARAVIRTUAL: &[(&str, &str)] = &[("root", "root"), ("extra", "args")];
/// Keys that are fields of the image of a full machine.
const FULL: &[&str] = &[
    "loader",
    "device_model",
    "boot",
    "fda",
    "fdb",
    "cdrom",
    "acpi",
    "apic",
    "pae",
    "hap",
    "viridian",
    "hpet",
    "timer_mode",
    "tsc_mode",
    "localtime",
    "rtc_timeoffset",
    "serial",
    "parallel",
    "usb",
    "usbdevice",
    "soundhw",
    "stdvga",
    "videoram",
    "nographic",
    "sdl",
    "vnc",
    "vnclisten",
    "vncdisplay",
    "vncunused",
    "vncpasswd",
    "keymap",
    "display",
    "xauthority",
    "isa",
    "monitor",
    "guest_os_type",
];
/// Keys that are read in a way of their own.
const OTHER: &[&str] = &[
    "builder",
    "vcpus",
    "maxvcpus",
    "vcpu_avail",
    "disk",
    "vif",
    "vfb",
    "pci",
    "nics",
    "restart",
    "bootentry",
    "device_model_override",
];

/// Whether a key has a meaning here, so that a statement that cannot be read matters.
pub fn is_known(key: &str) -> bool {
    let named = [DOMAIN, IMAGE, PARAVIRTUAL].iter().any(|table| table.iter().any(|(name, _)| *name == key));
    named || FULL.contains(&key) || OTHER.contains(&key)
}

/// Takes over from an old file what has no meaning here, so that rewriting it loses none of that.
pub fn keep_unknown(old: &Config, new: &mut Config) {
    // Which of a bootloader's entries is meant concerns the bootloader alone.
    new.take_over(old, |key| !is_known(key) || key == "bootentry");
}

/// What xm sends to xend for a file; `file` is its name for errors.
pub fn to_sxp(config: &Config, file: &str) -> Result<Sxp> {
    config.require_read(file, is_known)?;
    if config.text("name").is_none_or(|name| name.is_empty()) {
        return Err(wrong(file, "there is no name"));
    }
    if config.number("memory").is_none_or(|memory| memory <= 0) {
        return Err(wrong(file, "there is no memory, a number of MiB"));
    }
    let mut vm = Sxp::list("vm", []);
    copy(config, DOMAIN, &mut vm);
    if let Some(action) = config.text("restart") {
        add_old_restart(&action, &mut vm);
    }
    add_vcpus(config, &mut vm);
    let is_hvm = config.text("builder").is_some_and(|builder| builder == "hvm");
    let mut image = Sxp::list(if is_hvm { "hvm" } else { "linux" }, []);
    copy(config, IMAGE, &mut image);
    if is_hvm {
        let same: Vec<(&str, &str)> = FULL.iter().map(|name| (*name, *name)).collect();
        copy(config, &same, &mut image);
        // Other tools that write such files call it so.
        if let Some(program) = config.text("device_model_override") {
            image.set("device_model", program);
        }
    } else {
        copy(config, PARAVIRTUAL, &mut image);
        if config.number("localtime").is_some_and(|local| local != 0) {
            vm.push(Sxp::pair("localtime", 1));
        }
    }
    vm.push(Sxp::list("image", [image]));
    for device in devices(config, file, is_hvm)? {
        vm.push(Sxp::list("device", [device]));
    }
    Ok(vm)
}

fn wrong(file: &str, what: impl std::fmt::Display) -> Error {
    Error::unsupported_configuration(format!("{file}: {what}")).from_origin(ErrorOrigin::XEN)
}

fn copy(config: &Config, table: &[(&str, &str)], into: &mut Sxp) {
    for (key, field) in table {
        // A list of CPUs for each virtual one is written as a list of strings.
        if let Some(value) = config.text(key).or_else(|| joined(config, key)) {
            into.push(Sxp::pair(field, value));
        }
    }
}

fn joined(config: &Config, key: &str) -> Option<String> {
    matches!(config.get(key), Some(Value::List(_))).then(|| config.list(key).join(","))
}

/// The one action of files older than 3.0.
fn add_old_restart(action: &str, vm: &mut Sxp) {
    let (poweroff, reboot) = match action {
        "always" => ("restart", "restart"),
        "never" => ("destroy", "destroy"),
        _ => ("destroy", "restart"),
    };
    for (event, what) in [("on_poweroff", poweroff), ("on_reboot", reboot), ("on_crash", poweroff)] {
        if vm.child(event).is_none() {
            vm.push(Sxp::pair(event, what));
        }
    }
}

/// With a maximum, `vcpus` is how many there are at first.
fn add_vcpus(config: &Config, vm: &mut Sxp) {
    let first = config.number("vcpus").filter(|count| *count > 0).unwrap_or(1);
    let most = config.number("maxvcpus").filter(|most| *most >= first).unwrap_or(first);
    vm.push(Sxp::pair("vcpus", most));
    let mask = config.text("vcpu_avail");
    let fewer = (first < most && first < 127).then(|| ((1_u128 << first) - 1).to_string());
    if let Some(mask) = mask.or(fewer) {
        vm.push(Sxp::pair("vcpu_avail", mask));
    }
}

fn devices(config: &Config, file: &str, is_hvm: bool) -> Result<Vec<Sxp>> {
    let mut devices = Vec::new();
    for text in config.list("disk") {
        devices.push(
            disk(&text).ok_or_else(|| wrong(file, format!("disk '{text}' is not 'uname,device,mode'")))?,
        );
    }
    let mut interfaces = config.list("vif");
    let wanted = config.number("nics").unwrap_or(0).clamp(0, 16) as usize;
    while interfaces.len() < wanted {
        interfaces.push(String::new());
    }
    for text in interfaces {
        let interface = settings("vif", &text);
        let interface =
            interface.ok_or_else(|| wrong(file, format!("vif '{text}' is not 'name=value,…'")))?;
        interface.get("rate").map_or(Ok(None), |rate| rate::read(&rate))?;
        devices.push(interface);
    }
    for text in config.list("pci") {
        devices.push(host_device(&text).ok_or_else(|| wrong(file, format!("pci '{text}' is no address")))?);
    }
    let screens = if is_hvm { Vec::new() } else { config.list("vfb") };
    for text in screens {
        let mut screen = settings("vfb", &text)
            .ok_or_else(|| wrong(file, format!("vfb '{text}' is not 'name=value,…'")))?;
        // xm turns the type into the setting that later releases know it by.
        if let Some(kind) = screen.get("type") {
            screen.set("type", 1);
            rename(&mut screen, "type", &kind);
        }
        devices.push(Sxp::list("vkbd", []));
        devices.push(screen);
    }
    Ok(devices)
}

fn rename(list: &mut Sxp, from: &str, to: &str) {
    let Sxp::List(items) = list else { return };
    for item in items.iter_mut().filter(|item| item.is_headed(from)) {
        if let Sxp::List(parts) = item {
            parts[0] = Sxp::atom(to);
        }
    }
}

/// `uname,device,mode[,backend[,protocol]]`; the class is that of the uname.
fn disk(text: &str) -> Option<Sxp> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let (uname, dev, mode) = match parts[..] {
        [uname, dev, mode] | [uname, dev, mode, _] | [uname, dev, mode, _, _] => (uname, dev, mode),
        _ => return None,
    };
    let driver = uname.split(':').next().unwrap_or_default();
    let class = if matches!(driver, "tap" | "tap2") { driver } else { "vbd" };
    let mut disk =
        Sxp::list(class, [Sxp::pair("uname", uname), Sxp::pair("dev", dev), Sxp::pair("mode", mode)]);
    for (field, part) in [("backend", parts.get(3)), ("protocol", parts.get(4))] {
        if let Some(value) = part.filter(|value| !value.is_empty()) {
            disk.push(Sxp::pair(field, value));
        }
    }
    (!dev.is_empty()).then_some(disk)
}

/// `name=value,name=value`.
fn settings(class: &str, text: &str) -> Option<Sxp> {
    let mut list = Sxp::list(class, []);
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        list.push(Sxp::pair(name.trim(), value.trim()));
    }
    Some(list)
}

/// `[dddd:]bb:ss.f`.
fn host_device(text: &str) -> Option<Sxp> {
    let address = text.split(',').next()?.split('@').next()?;
    let (rest, function) = address.rsplit_once('.')?;
    let mut parts = rest.rsplit(':');
    let (slot, bus, domain) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    let number = |text: &str| u32::from_str_radix(text.trim(), 16).ok();
    let fields = [
        ("domain", number(domain)?),
        ("bus", number(bus)?),
        ("slot", number(slot)?),
        ("func", number(function)?),
    ];
    let fields = fields.map(|(name, value)| Sxp::pair(name, format!("{value:#x}")));
    Some(Sxp::list("pci", [Sxp::list("dev", fields)]))
}

/// The file that xm would have made this of.
pub fn from_sxp(vm: &Sxp) -> Config {
    let mut config = Config::default();
    copy_back(vm, DOMAIN, &mut config);
    let vcpus = vm.number("vcpus").unwrap_or(1);
    let available = vm
        .get("vcpu_avail")
        .and_then(|mask| mask.parse::<u128>().ok())
        .map(|mask| i64::from(mask.count_ones()));
    match available.filter(|available| *available > 0 && *available < vcpus) {
        Some(available) => {
            config.set("maxvcpus", vcpus);
            config.set("vcpus", available);
        }
        None => config.set("vcpus", vcpus),
    }
    if let Some(image) = vm.child("image").and_then(Sxp::value) {
        let is_hvm = image.is_headed("hvm");
        config.set("builder", if is_hvm { "hvm" } else { "linux" });
        copy_back(image, IMAGE, &mut config);
        if is_hvm {
            let same: Vec<(&str, &str)> = FULL.iter().map(|name| (*name, *name)).collect();
            copy_back(image, &same, &mut config);
        } else {
            copy_back(image, PARAVIRTUAL, &mut config);
        }
    }
    if vm.get("localtime").as_deref() == Some("1") {
        config.set("localtime", 1);
    }
    for (key, items) in device_lists(vm) {
        if !items.is_empty() {
            config.set(key, items);
        }
    }
    config
}

fn copy_back(from: &Sxp, table: &[(&str, &str)], config: &mut Config) {
    for (key, field) in table {
        let Some(value) = from.child(field).and_then(Sxp::value) else { continue };
        match value {
            Sxp::List(items) => {
                let cpus =
                    items.iter().map(|item| item.items().iter().filter_map(Sxp::text).collect::<Vec<_>>());
                config.set(key, cpus.map(|cpus| cpus.join(",")).collect::<Vec<String>>());
            }
            Sxp::Atom(_) => {
                let text = value.text().unwrap_or_default();
                // What looks like a number is one, but for names and the like.
                match text.parse::<i64>() {
                    Ok(number) if NUMBERS.contains(key) && number.to_string() == text => {
                        config.set(key, number)
                    }
                    _ => config.set(key, text),
                }
            }
        }
    }
}

/// The keys whose values are numbers.
const NUMBERS: &[&str] = &[
    "memory",
    "maxmem",
    "shadow_memory",
    "cpu_weight",
    "cpu_cap",
    "acpi",
    "apic",
    "pae",
    "hap",
    "viridian",
    "hpet",
    "timer_mode",
    "tsc_mode",
    "localtime",
    "usb",
    "stdvga",
    "videoram",
    "nographic",
    "sdl",
    "vnc",
    "vncdisplay",
    "vncunused",
    "isa",
    "monitor",
];

fn device_lists(vm: &Sxp) -> [(&'static str, Vec<String>); 4] {
    let [mut disks, mut interfaces, mut screens, mut host] = [const { Vec::new() }; 4];
    for device in vm.all("device").filter_map(Sxp::value) {
        match device.head().as_deref() {
            Some("vbd" | "tap" | "tap2") => {
                let part = |name| device.get(name).unwrap_or_default();
                let mut parts = vec![part("uname"), part("dev"), part("mode")];
                parts.extend(device.get("backend"));
                disks.push(parts.join(","));
            }
            Some("vif") => interfaces.push(pairs(device)),
            Some("vfb") => screens.push(pairs(device)),
            Some("pci") => host.extend(device.all("dev").map(address)),
            _ => {}
        }
    }
    [("disk", disks), ("vif", interfaces), ("vfb", screens), ("pci", host)]
}

fn pairs(device: &Sxp) -> String {
    let pairs = device
        .items()
        .iter()
        .skip(1)
        .filter_map(|pair| Some(format!("{}={}", pair.head()?, pair.value()?.text()?)));
    pairs.collect::<Vec<_>>().join(",")
}

fn address(dev: &Sxp) -> String {
    let number = |name| {
        let text = dev.get(name).unwrap_or_default();
        u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0)
    };
    format!("{:04x}:{:02x}:{:02x}.{:x}", number("domain"), number("bus"), number("slot"), number("func"))
}

#[cfg(test)]
mod tests;
