//! From xend's S-expressions to domain XML.

use crate::backend::xen::definition;
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::Element;

mod devices;

/// A maximum of so many MiB means that there is none; Domain-0 has it.
pub const UNLIMITED: i64 = 16_777_215;
const KIB_PER_MIB: i64 = 1024;

/// The definition in a `(domain …)` of xend's, or in a `(vm …)` as xm sends it. Passwords are left out unless `secure`.
pub fn describe(domain: &Sxp, secure: bool) -> Result<Element> {
    let Some(name) = domain.get("name") else {
        let detail = "the configuration of a domain has no name";
        return Err(Error::internal(detail).from_origin(ErrorOrigin::XEN));
    };
    let image = Image::of(domain);
    let mut tree = Element::new("domain").with("type", "xen");
    tree.push(Element::new("name").with_text(name));
    if let Some(uuid) = domain.get("uuid") {
        tree.push(Element::new("uuid").with_text(uuid));
    }
    if let Some(description) = domain.get("description") {
        tree.push(Element::new("description").with_text(description));
    }
    add_memory(domain, &mut tree);
    add_vcpus(domain, &mut tree);
    image.add_boot(domain, &mut tree);
    image.add_features(&mut tree);
    image.add_clock(domain, &mut tree);
    for (event, default) in [("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "restart")] {
        let action = domain.get(event).unwrap_or_else(|| default.to_string());
        tree.push(Element::new(event).with_text(action));
    }
    tree.push(devices::devices(domain, &image, secure));
    let mut tree = definition::complete(tree)?;
    if let Some(id) = active_id(domain) {
        tree.set("id", id);
    }
    Ok(tree)
}

/// The id of a domain that runs.
pub fn active_id(domain: &Sxp) -> Option<u32> {
    domain.number("domid").and_then(|id| u32::try_from(id).ok())
}

/// The most memory and the present memory, in MiB. Without a maximum of its own, the present is the most.
pub fn memory(domain: &Sxp) -> (i64, i64) {
    let present = domain.number("memory").unwrap_or(0);
    let most = domain.number("maxmem").filter(|most| *most > 0 && *most < UNLIMITED);
    (most.unwrap_or(present), present)
}

fn add_memory(domain: &Sxp, tree: &mut Element) {
    let (most, present) = memory(domain);
    let element =
        |name, size: i64| Element::new(name).with("unit", "KiB").with_text(size.saturating_mul(KIB_PER_MIB));
    tree.push(element("memory", most.max(present)));
    tree.push(element("currentMemory", present));
}

/// How many virtual CPUs a domain may have, and how many are in use.
pub fn vcpus(domain: &Sxp) -> (u32, u32) {
    let number = |name| domain.number(name).and_then(|count| u32::try_from(count).ok());
    let most = number("vcpus").unwrap_or(1);
    let available = domain.get("vcpu_avail").and_then(|mask| mask.parse::<u128>().ok());
    let available = available.map(|mask| mask.count_ones()).filter(|count| *count > 0);
    let online = number("online_vcpus").filter(|_| active_id(domain).is_some());
    (most, online.or(available).unwrap_or(most).min(most))
}

fn add_vcpus(domain: &Sxp, tree: &mut Element) {
    let (most, online) = vcpus(domain);
    let mut vcpu = Element::new("vcpu").with("placement", "static");
    let pins = pins(domain);
    let common = pins.first().filter(|first| !first.is_empty() && pins.iter().all(|pin| pin == *first));
    // One list for all may as well be that of a release that knows no other; with one CPU there is no difference.
    if let Some(common) = common {
        vcpu.set("cpuset", common);
    }
    if online < most {
        vcpu.set("current", online);
    }
    tree.push(vcpu.with_text(most));
    if common.is_none() && pins.iter().any(|pin| !pin.is_empty()) {
        let mut tuning = Element::new("cputune");
        for (number, pin) in pins.iter().enumerate().filter(|(_, pin)| !pin.is_empty()) {
            tuning.push(Element::new("vcpupin").with("vcpu", number).with("cpuset", pin));
        }
        tree.push(tuning);
    }
}

/// The host CPUs of each virtual CPU as libvirt writes them, empty for any; one entry for all up to 3.3.
fn pins(domain: &Sxp) -> Vec<String> {
    let Some(value) = domain.child("cpus").and_then(Sxp::value) else {
        return Vec::new();
    };
    let list = |numbers: &[Sxp]| {
        let numbers: Vec<String> = numbers.iter().filter_map(Sxp::text).collect();
        numbers.join(",")
    };
    match value {
        Sxp::Atom(_) => value.text().filter(|text| !text.is_empty() && text != "None").into_iter().collect(),
        Sxp::List(items) if items.iter().all(|item| matches!(item, Sxp::List(_))) => {
            items.iter().map(|item| list(item.items())).collect()
        }
        Sxp::List(items) => vec![list(items)],
    }
}

/// `(image (linux …))` or `(image (hvm …))`.
pub struct Image<'a> {
    inner: Option<&'a Sxp>,
    /// Whether the guest sees a whole machine.
    pub is_hvm: bool,
}

impl<'a> Image<'a> {
    /// The image of a domain; a domain booted by a bootloader may have none.
    pub fn of(domain: &'a Sxp) -> Image<'a> {
        let inner = domain.child("image").and_then(Sxp::value);
        Image { inner, is_hvm: inner.is_some_and(|inner| inner.is_headed("hvm")) }
    }

    /// A setting of the image.
    pub fn get(&self, name: &str) -> Option<String> {
        self.inner?.get(name)
    }

    /// Whether a setting is there and neither zero nor `no`.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value.as_str(), "0" | "no" | "False"))
    }

    fn add_boot(&self, domain: &Sxp, tree: &mut Element) {
        let mut os = Element::new("os");
        if self.is_hvm {
            os.push(Element::new("type").with_text("hvm"));
            if let Some(loader) = self.get("loader").or_else(|| self.get("kernel")) {
                os.push(Element::new("loader").with_text(loader));
            }
            for letter in self.get("boot").unwrap_or_else(|| "c".to_string()).chars() {
                let device = match letter {
                    'a' => "fd",
                    'c' => "hd",
                    'd' => "cdrom",
                    'n' => "network",
                    _ => continue,
                };
                os.push(Element::new("boot").with("dev", device));
            }
        } else {
            if let Some(bootloader) = domain.get("bootloader") {
                tree.push(Element::new("bootloader").with_text(bootloader));
                if let Some(arguments) = domain.get("bootloader_args") {
                    tree.push(Element::new("bootloader_args").with_text(arguments));
                }
            }
            os.push(Element::new("type").with_text("linux"));
            self.add_kernel(&mut os);
        }
        tree.push(os);
    }

    fn add_kernel(&self, os: &mut Element) {
        // A bootloader finds both by itself and takes the line from here.
        if let Some(kernel) = self.get("kernel") {
            os.push(Element::new("kernel").with_text(kernel));
            if let Some(ramdisk) = self.get("ramdisk") {
                os.push(Element::new("initrd").with_text(ramdisk));
            }
        }
        let root = self.get("root").map(|root| format!("root={root}"));
        let words: Vec<String> = root.into_iter().chain(self.get("args")).collect();
        if !words.is_empty() {
            os.push(Element::new("cmdline").with_text(words.join(" ")));
        }
    }

    fn add_features(&self, tree: &mut Element) {
        if !self.is_hvm {
            return;
        }
        let mut features = Element::new("features");
        for name in ["acpi", "apic", "hap", "viridian", "pae"] {
            if self.has(name) {
                features.push(Element::new(name));
            } else if name == "hap" && self.get(name).is_some() {
                // What a machine has unasked and this one has not.
                features.push(Element::new(name).with("state", "off"));
            }
        }
        if features.elements().next().is_some() {
            tree.push(features);
        }
    }

    fn add_clock(&self, domain: &Sxp, tree: &mut Element) {
        let local = self.has("localtime") || domain.get("localtime").as_deref() == Some("1");
        let basis = if local { "localtime" } else { "utc" };
        let shift =
            self.get("rtc_timeoffset").filter(|_| self.is_hvm).and_then(|text| text.parse::<i64>().ok());
        let mut clock = match shift {
            Some(shift) if shift != 0 => Element::new("clock")
                .with("offset", "variable")
                .with("adjustment", shift)
                .with("basis", basis),
            _ => Element::new("clock").with("offset", basis),
        };
        if let Some(hpet) = self.get("hpet").filter(|_| self.is_hvm) {
            let present = if hpet == "0" { "no" } else { "yes" };
            clock.push(Element::new("timer").with("name", "hpet").with("present", present));
        }
        let mode = match self.get("tsc_mode").as_deref() {
            Some("1") => Some("emulate"),
            Some("2") => Some("native"),
            Some("3") => Some("paravirt"),
            _ => None,
        };
        if let Some(mode) = mode {
            clock.push(Element::new("timer").with("name", "tsc").with("mode", mode));
        }
        tree.push(clock);
    }
}
