//! Plugging devices in and out: of the domain that runs, of its definition, or of both.

use super::XlLayer;
use crate::backend::DomainDevices;
use crate::backend::xen::definition;
use crate::backend::xen::directory::{Domain, check_flags, invalid};
use crate::backend::xen::native::xl::{self, Kind, Use};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::xml::Element;
use crate::xml::domain::complete_device;

/// What a change is to touch.
struct Impact {
    live: Option<u32>,
    config: Option<crate::backend::xen::definitions::Definition>,
    kind: Kind,
}

impl XlLayer {
    fn impact(&self, domain: &DomainRef, flags: u32) -> Result<Impact> {
        let (wants_live, wants_config) =
            (flags & DOMAIN_DEVICE_MODIFY_LIVE != 0, flags & DOMAIN_DEVICE_MODIFY_CONFIG != 0);
        let found = self.directory.find(domain)?;
        let (running, definition) = match found {
            Domain::Running(running, definition) => (Some(running), definition),
            Domain::Defined(definition) => (None, Some(definition)),
        };
        if running.as_ref().is_some_and(|running| running.is_control()) {
            return Err(invalid("Domain-0 does not support requested operation"));
        }
        let is_current = !wants_live && !wants_config;
        let live = match &running {
            Some(running) if wants_live || is_current => Some(running.id),
            None if wants_live => return Err(invalid("domain is not running")),
            _ => None,
        };
        let config = match definition {
            Some(definition) if wants_config || (is_current && running.is_none()) => Some(definition),
            None if wants_config => {
                return Err(invalid("cannot change persistent config of a transient domain"));
            }
            _ => None,
        };
        let kind = match &config {
            Some(definition) => Kind::of_config(&definition.config),
            None => match self.toolstack.config(live.unwrap_or_default())? {
                Some(config) => Kind::of_config(&config),
                None => return Err(invalid("domain is not running")),
            },
        };
        Ok(Impact { live, config, kind })
    }

    /// Changes the definition of a domain by its document, so that one piece of code decides what can be said.
    fn change_definition(
        &self,
        definition: crate::backend::xen::definitions::Definition,
        change: impl FnOnce(&mut Element) -> Result<()>,
    ) -> Result<()> {
        let mut config = definition.config.clone();
        config.set("uuid", definition.uuid.to_string());
        let mut tree = definition::complete(xl::domain_from_config(&config, Use::Kept)?)?;
        change(tree.child_or_new("devices"))?;
        let tree = definition::complete(tree)?;
        self.directory.definitions().write(&tree).map(|_| ())
    }
}

fn parse(xml: &str) -> Result<Element> {
    let mut device = crate::xml::parse(xml, "device_definition")?;
    complete_device(&mut device)?;
    if !matches!(device.name.as_str(), "disk" | "interface") {
        let detail = format!("device type '{}' cannot be attached or detached", device.name);
        return Err(Error::new(ErrorCode::CONFIG_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN));
    }
    Ok(device)
}

/// Whether two devices are the same one: by target, or by address.
fn is_same(one: &Element, other: &Element) -> bool {
    let key = |device: &Element| match device.name.as_str() {
        "disk" => device.child_attribute("target", "dev").map(str::to_string),
        _ => device.child_attribute("mac", "address").map(str::to_lowercase),
    };
    one.name == other.name && key(one).is_some() && key(one) == key(other)
}

/// The name by which a device is removed and spoken of.
fn key(device: &Element) -> String {
    let (child, attribute) = if device.name == "disk" { ("target", "dev") } else { ("mac", "address") };
    device.child_attribute(child, attribute).unwrap_or_default().to_string()
}

impl XlLayer {
    fn attach_live(&self, id: u32, device: &Element, kind: Kind) -> Result<()> {
        let id = id.to_string();
        match device.name.as_str() {
            "disk" => {
                let specification = xl::disk_specification(device)?;
                self.toolstack.run(&["block-attach", &id, &specification]).map(|_| ())
            }
            _ => {
                let specification = xl::interface_specification(device, kind)?;
                let mut arguments = vec!["network-attach", &id];
                arguments.extend(specification.split(','));
                self.toolstack.run(&arguments).map(|_| ())
            }
        }
    }

    fn detach_live(&self, id: u32, device: &Element) -> Result<()> {
        let id = id.to_string();
        let verb = if device.name == "disk" { "block-detach" } else { "network-detach" };
        self.toolstack.run(&[verb, &id, &key(device)]).map(|_| ())
    }

    /// The device that is meant among those that a domain has now.
    fn find_live(&self, domain: &DomainRef, id: u32, device: &Element) -> Result<bool> {
        let Some(store) = self.directory.store() else {
            // Without the store the toolstack itself says what is missing.
            return Ok(true);
        };
        let devices = store.devices(id)?;
        let wanted = key(device);
        let _ = domain;
        Ok(match device.name.as_str() {
            "disk" => devices.disks.iter().any(|disk| disk.target.as_deref() == Some(&wanted)),
            _ => devices
                .interfaces
                .iter()
                .any(|card| card.mac.as_deref().is_some_and(|mac| mac.eq_ignore_ascii_case(&wanted))),
        })
    }
}

fn missing(device: &Element) -> Error {
    let detail = match device.name.as_str() {
        "disk" => format!("disk {} not found", key(device)),
        _ => format!("no device matching MAC address {} found", key(device)),
    };
    Error::new(ErrorCode::DEVICE_MISSING, detail).from_origin(ErrorOrigin::XEN)
}

impl DomainDevices for XlLayer {
    fn attach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        let known = DOMAIN_DEVICE_MODIFY_LIVE | DOMAIN_DEVICE_MODIFY_CONFIG;
        check_flags(flags, known, "libxlDomainAttachDeviceFlags")?;
        let device = parse(xml)?;
        let impact = self.impact(domain, flags)?;
        if let Some(id) = impact.live {
            if self.directory.store().is_some() && self.find_live(domain, id, &device)? {
                let what = if device.name == "disk" { "target" } else { "device matching mac address" };
                let detail = format!("{what} {} already exists", key(&device));
                return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
            }
        }
        if let Some(definition) = impact.config {
            self.change_definition(definition, |devices| {
                if devices.elements().any(|known| is_same(known, &device)) {
                    let detail = format!("target {} already exists", key(&device));
                    return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
                }
                devices.push(device.clone());
                Ok(())
            })?;
        }
        match impact.live {
            Some(id) => self.attach_live(id, &device, impact.kind),
            None => Ok(()),
        }
    }

    fn detach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        let known = DOMAIN_DEVICE_MODIFY_LIVE | DOMAIN_DEVICE_MODIFY_CONFIG;
        check_flags(flags, known, "libxlDomainDetachDeviceFlags")?;
        let device = parse(xml)?;
        let impact = self.impact(domain, flags)?;
        if let Some(id) = impact.live {
            if !self.find_live(domain, id, &device)? {
                return Err(missing(&device));
            }
        }
        if let Some(definition) = impact.config {
            self.change_definition(definition, |devices| {
                if !devices.elements().any(|known| is_same(known, &device)) {
                    return Err(missing(&device));
                }
                devices.retain(|known| !is_same(known, &device));
                Ok(())
            })?;
        }
        match impact.live {
            Some(id) => self.detach_live(id, &device),
            None => Ok(()),
        }
    }

    fn update_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        let known = DOMAIN_DEVICE_MODIFY_LIVE | DOMAIN_DEVICE_MODIFY_CONFIG | DOMAIN_DEVICE_MODIFY_FORCE;
        check_flags(flags, known, "libxlDomainUpdateDeviceFlags")?;
        let device = parse(xml)?;
        if device.name != "disk" || device.attribute("device") != Some("cdrom") {
            let detail = "only the medium of a CD-ROM can be changed";
            return Err(Error::new(ErrorCode::CONFIG_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN));
        }
        let impact = self.impact(domain, flags & !DOMAIN_DEVICE_MODIFY_FORCE)?;
        if let Some(id) = impact.live {
            if !self.find_live(domain, id, &device)? {
                return Err(missing(&device));
            }
            let (id, target) = (id.to_string(), key(&device));
            let medium = device
                .child("source")
                .and_then(|source| source.attribute("file").or(source.attribute("dev")));
            match medium {
                Some(path) => self.toolstack.run(&["cd-insert", &id, &target, path])?,
                None => self.toolstack.run(&["cd-eject", &id, &target])?,
            };
        }
        if let Some(definition) = impact.config {
            self.change_definition(definition, |devices| {
                match devices.elements_mut().find(|known| is_same(known, &device)) {
                    Some(known) => *known = device.clone(),
                    None => return Err(missing(&device)),
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
