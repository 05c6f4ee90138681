//! Attaching, detaching and changing devices.

use super::domains::Described;
use super::request::Form;
use super::{XendLayer, cannot, check_flags, is_for_running};
use crate::backend::DomainDevices;
use crate::backend::xen::native::describe::Image;
use crate::backend::xen::native::request::{self, DISK_CLASSES};
use crate::backend::xen::sxp::Sxp;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::xml::{self, Element};

/// The flags that say which of a domain's two definitions a change is for.
const IMPACT: u32 = DOMAIN_DEVICE_MODIFY_LIVE | DOMAIN_DEVICE_MODIFY_CONFIG;

impl DomainDevices for XendLayer {
    fn attach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainAttachDeviceFlags")?;
        let described = self.find(domain)?;
        let running = is_for_running(described.is_active(), flags)?;
        let device = self.device(&described, xml)?;
        if let Some(taken) = find_like(&described.sxp, &device) {
            let what = taken.get("dev").map(|dev| bare(&dev).to_string()).or_else(|| taken.get("mac"));
            let detail = format!("target {} already exists", what.unwrap_or_default());
            return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
        }
        match running {
            true if device.is_headed("pci") => {
                Err(cannot("virDomainAttachDeviceFlags", "xend gives no host device to a domain that runs"))
            }
            true => self.ask(&described, &Form::new("device_create").with_config(&device)).map(|_| ()),
            false => self.redefine(&described, |sxp| {
                sxp.push(Sxp::list("device", [device]));
                Ok(())
            }),
        }
    }

    fn detach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainDetachDeviceFlags")?;
        let described = self.find(domain)?;
        let running = is_for_running(described.is_active(), flags)?;
        let device = self.device(&described, xml)?;
        let Some(found) = find_like(&described.sxp, &device).cloned() else {
            return Err(no_device(&device));
        };
        if running {
            let form = Form::new("device_destroy")
                .with("type", found.head().unwrap_or_default())
                .with("dev", self.number(&described, &found)?)
                .with("force", 0)
                .with("rm_cfg", 1);
            return self.ask(&described, &form).map(|_| ());
        }
        self.redefine(&described, |sxp| {
            if let Sxp::List(items) = sxp {
                items.retain(|item| !item.is_headed("device") || item.value() != Some(&found));
            }
            Ok(())
        })
    }

    fn update_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, IMPACT | DOMAIN_DEVICE_MODIFY_FORCE, "virDomainUpdateDeviceFlags")?;
        let described = self.find(domain)?;
        let running = is_for_running(described.is_active(), flags)?;
        let device = self.device(&described, xml)?;
        let Some(found) = find_like(&described.sxp, &device).cloned() else {
            return Err(no_device(&device));
        };
        if !running {
            return self.redefine(&described, |sxp| {
                for item in items_mut(sxp).iter_mut().filter(|item| item.value() == Some(&found)) {
                    *item = Sxp::list("device", [device.clone()]);
                }
                Ok(())
            });
        }
        let dev = found.get("dev").unwrap_or_default();
        if !dev.ends_with(":cdrom") {
            return Err(cannot(
                "virDomainUpdateDeviceFlags",
                "xend changes nothing but the medium of a CD-ROM drive",
            ));
        }
        if !self.requests.release.changes_media() {
            let why = format!("xend {} finds no drive over HTTP", self.requests.release);
            return Err(cannot("virDomainUpdateDeviceFlags", why));
        }
        let form = Form::new("device_configure").with_config(&device).with("dev", bare(&dev));
        self.ask(&described, &form).map(|_| ())
    }
}

impl XendLayer {
    /// A device of a document in the form in which it is plugged in.
    fn device(&self, described: &Described, document: &str) -> Result<Sxp> {
        let mut device = xml::parse(document, "device_definition")?;
        xml::domain::complete_device(&mut device)?;
        settle_bus(&mut device);
        request::device(&device, Image::of(&described.sxp).is_hvm, self.abilities())
    }

    /// What xend calls a device of a running domain: the name of a disk, the number of an interface.
    fn number(&self, described: &Described, device: &Sxp) -> Result<String> {
        if let Some(dev) = device.get("dev") {
            return Ok(bare(&dev).to_string());
        }
        let class = device.head().unwrap_or_default();
        let listed = self.ask(described, &Form::new("devices").with("type", &class))?;
        let mac = device.get("mac").unwrap_or_default();
        let numbered = listed.iter().flat_map(Sxp::items).find(|entry| {
            let settings = entry.value();
            settings
                .and_then(|settings| settings.get("mac"))
                .is_some_and(|own| own.eq_ignore_ascii_case(&mac))
        });
        let number = numbered.and_then(|entry| entry.items().first()).and_then(Sxp::text);
        number.ok_or_else(|| no_device(device))
    }
}

fn items_mut(list: &mut Sxp) -> &mut [Sxp] {
    match list {
        Sxp::List(items) => items,
        Sxp::Atom(_) => &mut [],
    }
}

/// A disk without a bus has that which its name says.
fn settle_bus(device: &mut Element) {
    if device.name != "disk" {
        return;
    }
    if let Some(target) = device.child_mut("target").filter(|target| target.attribute("bus").is_none()) {
        let bus = match target.attribute("dev").and_then(|dev| dev.get(..2)) {
            Some("hd") => "ide",
            Some("sd") => "scsi",
            _ => "xen",
        };
        target.set("bus", bus);
    }
}

/// The name of a drive without its kind.
fn bare(dev: &str) -> &str {
    let dev = dev.strip_prefix("ioemu:").unwrap_or(dev);
    dev.split(':').next().unwrap_or(dev)
}

/// The device of a domain that is meant by another one: a disk of the same name, an interface of the same address.
fn find_like<'a>(domain: &'a Sxp, like: &Sxp) -> Option<&'a Sxp> {
    let class = |device: &Sxp| device.head().filter(|head| DISK_CLASSES.contains(&head.as_str())).is_some();
    domain.all("device").filter_map(Sxp::value).find(|device| match like.head().as_deref() {
        Some("vif") => {
            device.is_headed("vif")
                && device.get("mac").zip(like.get("mac")).is_some_and(|(a, b)| a.eq_ignore_ascii_case(&b))
        }
        Some("pci") => device.is_headed("pci") && device.child("dev") == like.child("dev"),
        _ => {
            let names = device.get("dev").zip(like.get("dev"));
            class(device) && class(like) && names.is_some_and(|(a, b)| bare(&a) == bare(&b))
        }
    })
}

fn no_device(like: &Sxp) -> Error {
    let detail = match like.get("dev") {
        Some(dev) => format!("disk {} not found", bare(&dev)),
        None => format!("no device matching MAC address {} found", like.get("mac").unwrap_or_default()),
    };
    Error::new(ErrorCode::DEVICE_MISSING, detail).from_origin(ErrorOrigin::XEN)
}
