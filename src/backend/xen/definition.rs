//! Definitions of Xen guests: completing what a person wrote, with what every guest of its kind has.

use crate::backend::xen::native::xl::Kind;
use crate::error::{Error, ErrorOrigin, Result};
use crate::xml::Element;
use crate::xml::domain::{self, Platform};
use crate::xml::shape::Unknown;

/// What Xen offers to definitions.
pub struct XenPlatform;

impl Platform for XenPlatform {
    fn default_architecture(&self, _virt_type: &str, _os_type: &str) -> String {
        "x86_64".to_string()
    }

    fn check_guest(
        &self,
        virt_type: &str,
        os_type: &str,
        architecture: &str,
        _machine: Option<&str>,
    ) -> Result<()> {
        let fits = virt_type == "xen"
            && matches!(os_type, "hvm" | "xen" | "linux" | "xenpvh")
            && matches!(architecture, "x86_64" | "i686");
        if fits {
            return Ok(());
        }
        let detail = format!("could not find capabilities for domaintype={virt_type} ");
        let detail = format!("{detail}ostype={os_type} arch={architecture}");
        Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN))
    }

    fn default_video(&self, _architecture: &str, machine: Option<&str>) -> &'static str {
        if machine == Some("xenfv") { "cirrus" } else { "xen" }
    }

    fn add_board_controllers(&self, _architecture: &str, _machine: Option<&str>, devices: &mut Element) {
        let is_xenbus = |controller: &Element| controller.attribute("type") == Some("xenbus");
        if !devices.children("controller").any(is_xenbus) {
            devices.push(Element::new("controller").with("type", "xenbus").with("index", 0));
        }
    }
}

/// Reads a definition and completes it; what no table knows is refused, because it may have been meant to change
/// the guest.
pub fn parse(xml: &str) -> Result<Element> {
    complete(crate::xml::parse(xml, "domain_definition")?)
}

/// Completes a definition.
pub fn complete(mut tree: Element) -> Result<Element> {
    if tree.name == "domain" {
        settle_kind(&mut tree);
        settle_formats(&mut tree);
        add_usual_devices(&mut tree);
    }
    let unknown = domain::complete_reporting(&mut tree, &XenPlatform)?;
    refuse_unknown(&unknown)?;
    Ok(tree)
}

fn refuse_unknown(unknown: &[Unknown]) -> Result<()> {
    let Some(first) = unknown.first() else {
        return Ok(());
    };
    let what = match first.is_attribute {
        true => format!("attribute '{}' of <{}>", first.name, first.parent),
        false => format!("element <{}> in <{}>", first.name, first.parent),
    };
    let detail = format!("{what}, line {}, is not known", first.line);
    Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::XEN))
}

/// The machine that the kind of a guest goes with. A paravirtualised guest is always written as `linux`.
fn settle_kind(tree: &mut Element) {
    let has_bootloader = tree.child("bootloader").is_some();
    let os = tree.child_or_new("os");
    if has_bootloader && os.child("type").is_none() {
        os.push(Element::new("type").with_text("linux"));
    }
    let Some(os_type) = os.child_mut("type") else { return };
    let word = os_type.text();
    let kind = match os_type.attribute("machine") {
        Some("xenpvh") => Kind::Pvh,
        _ => Kind::of_os_type(word.trim()),
    };
    if os_type.attribute("arch").is_none() {
        os_type.set("arch", "x86_64");
    }
    os_type.set("machine", kind.machine());
    if word.trim() == "xen" || kind == Kind::Pvh {
        os_type.set_text(kind.os_type());
    }
    if kind == Kind::Hvm && os.child("loader").is_none() && os.attribute("firmware").is_none() {
        os.push(Element::new("loader").with("type", "rom").with_text("/usr/lib/xen/boot/hvmloader"));
    }
    if kind == Kind::Hvm && os.child("boot").is_none() {
        os.push(Element::new("boot").with("dev", "hd"));
    }
}

/// blktap's word for a plain image is `aio`.
fn settle_formats(tree: &mut Element) {
    let devices = tree.child_mut("devices").into_iter().flat_map(Element::elements_mut);
    for driver in devices.filter_map(|device| device.child_mut("driver")) {
        if driver.attribute("type") == Some("aio") {
            driver.set("type", "raw");
        }
    }
}

/// The pointer, the keyboard, the balloon and the console that every guest has.
fn add_usual_devices(tree: &mut Element) {
    let kind = Kind::of_os_type(tree.child_text("os/type").unwrap_or_default().as_str());
    let bus = if kind == Kind::Hvm { "ps2" } else { "xen" };
    let devices = tree.child_or_new("devices");
    for name in ["mouse", "keyboard"] {
        let is_it = |input: &Element| {
            input.attribute("type") == Some(name) && input.attribute("bus").is_none_or(|known| known == bus)
        };
        if !devices.children("input").any(is_it) {
            devices.push(Element::new("input").with("type", name).with("bus", bus));
        }
    }
    if devices.child("memballoon").is_none() {
        devices.push(Element::new("memballoon").with("model", "xen"));
    }
    if kind != Kind::Hvm {
        for console in devices.elements_mut().filter(|device| device.name == "console") {
            let target = console.child_or_new("target");
            if target.attribute("type").is_none() {
                target.set("type", "xen");
            }
        }
    }
}
