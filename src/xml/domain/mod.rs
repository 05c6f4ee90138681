//! Domain definitions: what libvirt's domain XML may say, in its canonical form.
//!
//! The tree is the truth: a driver keeps the completed [`Element`]. [`complete`] turns what a person wrote into
//! that form, as libvirt does when it parses a definition and formats it again: values checked and written one
//! way, defaults filled in, elements in one order. [`Domain`] is the typed view of a completed tree.

pub mod clock;
pub mod cpu;
pub mod cpuset;
pub mod devices;
pub mod features;
mod implied;
pub mod memory;
mod metadata;
mod order;
pub mod os;
mod single;
pub mod stability;
#[cfg(test)]
mod tests;
mod totals;
pub mod tuning;
pub mod variants;
mod view;

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, Unknown, many, one, shape, text, text_shape};
use uuid::Uuid;

pub use view::*;

/// The kinds of character devices.
fn chardev_kinds() -> [&'static str; 4] {
    ["serial", "parallel", "console", "channel"]
}

/// Brings one device into its canonical form, by itself; what other devices imply is left to [`complete`].
pub fn complete_device(device: &mut Element) -> Result<()> {
    let Some(kind) = devices::DEVICES.child(&device.name) else {
        return Err(Error::unsupported_configuration(format!("unknown device type '{}'", device.name)));
    };
    kind.conform(device, &mut Vec::new())
}

/// What a driver's host offers, as far as completing a definition depends on it.
pub trait Platform {
    /// The architecture of a guest of this virtualisation type (`kvm`) and kind (`hvm`) that does not say one.
    fn default_architecture(&self, virt_type: &str, os_type: &str) -> String;

    /// The machine written into a definition that names `machine` or none; `None` leaves it as it is.
    fn machine(&self, _architecture: &str, _machine: Option<&str>) -> Option<String> {
        None
    }

    /// The emulator written into a definition that names none.
    fn emulator(&self, _virt_type: &str, _architecture: &str) -> Option<String> {
        None
    }

    /// Refuses what this host cannot run at all.
    fn check_guest(
        &self,
        _virt_type: &str,
        _os_type: &str,
        _architecture: &str,
        _machine: Option<&str>,
    ) -> Result<()> {
        Ok(())
    }

    /// The model of a graphics card that is asked for without one.
    fn default_video(&self, _architecture: &str, _machine: Option<&str>) -> &'static str {
        "cirrus"
    }

    /// The model of a panic device that is asked for without one; without a model there is no such device.
    fn default_panic(&self, _architecture: &str, _machine: Option<&str>) -> Option<&'static str> {
        None
    }

    /// Whether a machine gets a USB controller unasked.
    fn has_usb(&self, _architecture: &str, _machine: Option<&str>) -> bool {
        false
    }

    /// Adds the controllers a machine has by itself; they stand before those that devices imply.
    fn add_board_controllers(&self, _architecture: &str, _machine: Option<&str>, _devices: &mut Element) {}

    /// The namespaces this driver understands at the end of a definition: prefix and address.
    fn namespaces(&self) -> &[(&'static str, &'static str)] {
        &[]
    }
}

/// `<domain>` in libvirt's order.
pub static DOMAIN: Shape = shape("domain").attributes(&[text("type"), text("id")]).children(&[
    one(&NAME),
    one(&UUID),
    one(&GENERATION),
    one(&TITLE),
    one(&DESCRIPTION),
    one(&METADATA),
    one(&memory::MAX_MEMORY),
    one(&memory::MEMORY),
    one(&memory::CURRENT_MEMORY),
    one(&memory::BLKIOTUNE),
    one(&memory::MEMTUNE),
    one(&memory::MEMORY_BACKING),
    one(&cpu::VCPU),
    one(&cpu::VCPUS),
    one(&cpu::IOTHREADS),
    one(&cpu::IOTHREAD_IDS),
    one(&cpu::DEFAULT_IOTHREAD),
    one(&tuning::THROTTLE_GROUPS),
    one(&tuning::CPUTUNE),
    one(&memory::NUMATUNE),
    one(&tuning::RESOURCE),
    many(&os::SYSINFO),
    one(&os::BOOTLOADER),
    one(&os::BOOTLOADER_ARGUMENTS),
    one(&os::OS),
    one(&devices::filesystem::ID_MAP),
    one(&features::FEATURES),
    one(&cpu::CPU),
    one(&clock::CLOCK),
    one(&clock::ON_POWEROFF),
    one(&clock::ON_REBOOT),
    one(&clock::ON_CRASH),
    one(&clock::ON_LOCKFAILURE),
    one(&clock::POWER_MANAGEMENT),
    one(&clock::PERF),
    one(&devices::DEVICES),
    many(&tuning::SECLABEL),
    one(&tuning::KEY_WRAP),
    one(&tuning::LAUNCH_SECURITY),
]);

static NAME: Shape = shape("name").with_text();
static UUID: Shape = shape("uuid").with_text().after(|uuid| {
    let text = uuid.text();
    match Uuid::try_parse(text.trim()) {
        Ok(parsed) => {
            uuid.set_text(parsed);
            Ok(())
        }
        Err(_) => Err(Error::internal("malformed uuid element")),
    }
});
static GENERATION: Shape = shape("genid").with_text().after(|genid| {
    let text = genid.text();
    let parsed = match text.trim() {
        "" => Uuid::new_v4(),
        text => Uuid::try_parse(text).map_err(|_| Error::internal("malformed genid element"))?,
    };
    genid.set_text(parsed);
    Ok(())
});
static TITLE: Shape = text_shape("title").after(|title| match title.text().contains('\n') {
    true => Err(Error::xml("Domain title can't contain newlines")),
    false => Ok(()),
});
static DESCRIPTION: Shape = text_shape("description");
static METADATA: Shape = shape("metadata").verbatim();

/// Reads a definition and completes it; the second part of the answer is what no table knows.
pub fn parse(document: &str, platform: &dyn Platform) -> Result<(Element, Vec<Unknown>)> {
    let mut tree = crate::xml::parse(document, "domain_definition")?;
    let unknown = complete_reporting(&mut tree, platform)?;
    Ok((tree, unknown))
}

/// Turns a definition into its canonical form, or says why it cannot be one; what no table knows is dropped.
pub fn complete(tree: &mut Element, platform: &dyn Platform) -> Result<()> {
    complete_reporting(tree, platform).map(|_| ())
}

/// As [`complete`]; answers with what no table knows, so that a driver can refuse it.
pub fn complete_reporting(tree: &mut Element, platform: &dyn Platform) -> Result<Vec<Unknown>> {
    if tree.name != "domain" {
        return Err(Error::xml(format!("expecting root element of 'domain', not '{}'", tree.name)));
    }
    let extensions = take_extensions(tree, platform);
    check_type(tree)?;
    check_name(tree)?;
    for (name, default) in [
        ("uuid", None),
        ("vcpu", Some("1")),
        ("clock", None),
        ("on_poweroff", Some("destroy")),
        ("on_reboot", Some("restart")),
        ("on_crash", Some("destroy")),
    ] {
        fill_in(tree, name, default);
    }
    settle_os(tree, platform)?;
    tree.child_or_new("devices");
    tree.unset("id");
    single::check(tree)?;
    let mut unknown = Vec::new();
    DOMAIN.conform(tree, &mut unknown)?;
    metadata::tidy(tree);
    totals::settle(tree)?;
    implied::settle(tree, platform)?;
    DOMAIN.arrange(tree);
    for (prefix, address, children) in extensions {
        tree.set(&format!("xmlns:{prefix}"), address);
        for child in children {
            tree.push(child);
        }
    }
    Ok(unknown)
}

/// A namespace and the elements of it at the end of a definition.
type Extension = (&'static str, &'static str, Vec<Element>);

/// Takes out the elements of the namespaces the driver understands, under their usual prefix.
fn take_extensions(tree: &mut Element, platform: &dyn Platform) -> Vec<Extension> {
    let mut found = Vec::new();
    for (prefix, address) in platform.namespaces() {
        // A prefix is declared on the definition or on the element itself.
        let declares = |element: &Element, used: &str| {
            element.attributes.iter().any(|(name, value)| {
                value == address && name.strip_prefix("xmlns:").is_some_and(|name| name == used)
            })
        };
        let used_by = |child: &Element| {
            let (used, _) = child.name.split_once(':')?;
            (declares(tree, used) || declares(child, used)).then(|| format!("{used}:"))
        };
        let taken: Vec<(Element, String)> =
            tree.elements().filter_map(|child| Some((child.clone(), used_by(child)?))).collect();
        tree.retain(|child| !taken.iter().any(|(one, _)| one.name == child.name));
        let children = taken.into_iter().map(|(mut child, used)| {
            child.attributes.retain(|(name, _)| !name.starts_with("xmlns:"));
            rename(&mut child, &used, prefix);
            child
        });
        let children: Vec<Element> = children.collect();
        if !children.is_empty() {
            found.push((*prefix, *address, children));
        }
    }
    found
}

fn rename(element: &mut Element, used: &str, prefix: &str) {
    if let Some(rest) = element.name.strip_prefix(used) {
        element.name = format!("{prefix}:{rest}");
    }
    for child in element.elements_mut() {
        rename(child, used, prefix);
    }
}

/// The kinds of hypervisors a definition may be made for.
const VIRT_TYPES: &[&str] = &[
    "qemu",
    "kqemu",
    "kvm",
    "xen",
    "lxc",
    "uml",
    "openvz",
    "test",
    "vmware",
    "hyperv",
    "vbox",
    "phyp",
    "parallels",
    "bhyve",
    "vz",
    "hvf",
];

fn check_type(tree: &Element) -> Result<()> {
    match tree.attribute("type") {
        None => Err(Error::internal("missing domain type attribute")),
        Some(kind) if VIRT_TYPES.contains(&kind) => Ok(()),
        Some(kind) => Err(Error::unsupported_configuration(format!("invalid domain type {kind}"))),
    }
}

fn check_name(tree: &Element) -> Result<()> {
    let name = tree.child("name").map(Element::text).unwrap_or_default();
    if name.is_empty() {
        return Err(Error {
            code: ErrorCode::NO_NAME,
            origin: ErrorOrigin::DOMAIN,
            message: ErrorCode::NO_NAME.prefix().to_string(),
        });
    }
    if name.contains('/') {
        return Err(Error::xml(format!("name {name} cannot contain '/'")));
    }
    if name.contains('\n') {
        return Err(Error::new(ErrorCode::XML_DETAIL, "invalid char in name: \n"));
    }
    Ok(())
}

fn fill_in(tree: &mut Element, name: &str, default: Option<&str>) {
    if tree.child(name).is_some() {
        return;
    }
    let child = Element::new(name);
    tree.push(match (name, default) {
        ("uuid", _) => child.with_text(Uuid::new_v4()),
        (_, Some(text)) => child.with_text(text),
        (_, None) => child,
    });
}

/// The architectures a definition may name.
pub const ARCHITECTURES: &[&str] = &[
    "alpha",
    "armv6l",
    "armv7l",
    "armv7b",
    "aarch64",
    "cris",
    "i686",
    "ia64",
    "lm32",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "openrisc",
    "parisc",
    "parisc64",
    "ppc",
    "ppcle",
    "ppc64",
    "ppc64le",
    "ppcemb",
    "riscv32",
    "riscv64",
    "s390",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "unicore32",
    "x86_64",
    "xtensa",
    "xtensaeb",
];

/// Settles what kind of guest this is: its kind, architecture, machine, emulator and boot devices.
fn settle_os(tree: &mut Element, platform: &dyn Platform) -> Result<()> {
    let virt_type = tree.attribute("type").unwrap_or_default().to_string();
    let has_bootloader = tree.child("bootloader").is_some();
    let os = tree.child_or_new("os");
    if os.child("type").is_none() {
        if !has_bootloader {
            return Err(Error::xml("an os <type> must be specified"));
        }
        os.push(Element::new("type").with_text("xen"));
    }
    let has_init = os.child("init").is_some();
    let os_type = os.child_text("type").unwrap_or_default();
    match os_type.as_str() {
        "hvm" | "xen" | "linux" | "uml" | "xenpvh" => {}
        "exe" if has_init => {}
        "exe" => return Err(Error::xml("init binary must be specified")),
        _ => {
            return Err(Error::unsupported_configuration(format!("unknown OS type '{os_type}'")));
        }
    }
    let kind = os.child_or_new("type");
    match kind.attribute("arch") {
        Some(architecture) if ARCHITECTURES.contains(&architecture) => {}
        Some(architecture) => {
            return Err(Error::unsupported_configuration(format!("Unknown architecture {architecture}")));
        }
        None => kind.set("arch", platform.default_architecture(&virt_type, &os_type)),
    }
    let architecture = kind.attribute("arch").unwrap_or_default().to_string();
    let machine = kind.attribute("machine").map(str::to_string);
    platform.check_guest(&virt_type, &os_type, &architecture, machine.as_deref())?;
    if let Some(machine) = platform.machine(&architecture, machine.as_deref()) {
        kind.set("machine", machine);
    }
    let devices = tree.child_or_new("devices");
    if devices.child("emulator").is_none() {
        if let Some(path) = platform.emulator(&virt_type, &architecture) {
            devices.push(Element::new("emulator").with_text(path));
        }
    }
    Ok(())
}
