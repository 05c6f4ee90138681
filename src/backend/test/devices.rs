//! Attaching, changing and tuning the devices of a domain.

use super::memory::{Kind, known_parameters};
use super::state::{Guest, exclusive_impact};
use super::*;
use super::{bandwidth, definition, throttle};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::event::DomainEvent;
use crate::xml::domain::devices::DEVICES;
use crate::xml::{self, Element};

/// What a refusal calls a SCSI, USB, … host device.
const HOST_DEVICE_WORDS: [(&str, &str); 5] =
    [("usb", "default"), ("pci", "kvm"), ("scsi", "vfio"), ("scsi_host", "xen"), ("mdev", "(null)")];

fn unsupported(detail: String) -> Error {
    Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail)
}

/// Reads a device's document.
fn read(text: &str) -> Result<Element> {
    let device = xml::parse(text, "device_definition")?;
    if DEVICES.child(&device.name).is_some() && !matches!(device.name.as_str(), "emulator" | "redirfilter") {
        return Ok(device);
    }
    let detail = format!("unknown device type '{}'", device.name);
    Err(Error::unsupported_configuration(detail))
}

/// What messages call a device: all character devices are one kind to them.
fn kind_word(device: &Element) -> &str {
    match device.name.as_str() {
        "serial" | "parallel" | "console" | "channel" => "chr",
        name => name,
    }
}

fn bus_of(disk: &Element) -> &str {
    disk.child_attribute("target", "bus").unwrap_or_default()
}

fn alias_of(device: &Element) -> Option<&str> {
    device.child_attribute("alias", "name")
}

/// One more device, complete, and the place it takes among the tree's devices, checked together with them.
fn completed(tree: &Element, device: Element) -> Result<(usize, Element)> {
    let mut changed = tree.clone();
    let kind = device.name.clone();
    definition::part(&mut changed, "devices").push(device);
    definition::complete_without_names(&mut changed)?;
    let known: Vec<&Element> = definition::devices(tree, &kind).collect();
    let devices = changed.child("devices").into_iter().flat_map(Element::elements);
    let mut new = devices.enumerate().filter(|(_, device)| device.name == kind);
    let found = new.find(|(_, device)| !known.iter().any(|known| same_but_alias(known, device)));
    // A device that came out like one that was there before cannot be told from it, and stands beside it.
    let (place, device) = match found {
        Some(found) => found,
        None => match last_of(&changed, &kind) {
            Some(last) => last,
            None => return Err(Error::internal(format!("the new {kind} was lost"))),
        },
    };
    Ok((place, device.clone()))
}

fn last_of<'a>(tree: &'a Element, kind: &str) -> Option<(usize, &'a Element)> {
    let devices = tree.child("devices").into_iter().flat_map(Element::elements).enumerate();
    devices.filter(|(_, device)| device.name == kind).last()
}

/// Whether two devices differ only in the alias that completing takes away from running ones.
fn same_but_alias(one: &Element, other: &Element) -> bool {
    let plain = |device: &Element| {
        let mut device = device.clone();
        device.remove("alias");
        device.to_string()
    };
    one == other || plain(one) == plain(other)
}

/// Whether a running domain can get this (complete) device.
fn check_attach(device: &Element) -> Result<()> {
    match device.name.as_str() {
        "disk" => match (device.attribute("device"), bus_of(device)) {
            (Some("cdrom"), "virtio") => {
                Err(unsupported("cdrom device with virtio bus isn't supported".to_string()))
            }
            (Some("floppy"), _) => Err(unsupported("floppy device hotplug isn't supported".to_string())),
            (_, "virtio" | "usb") => Ok(()),
            (_, bus) => Err(unsupported(format!("disk bus '{bus}' cannot be hotplugged."))),
        },
        "interface" => match device.attribute("type").unwrap_or_default() {
            "bridge" | "ethernet" => Ok(()),
            kind => Err(unsupported(format!("hotplug of interface type of {kind} is not implemented yet"))),
        },
        "memory" if matches!(device.attribute("model"), Some("virtio-pmem" | "sgx-epc")) => {
            let detail = "cannot use/hotplug a memory device when domain 'maxMemory' is not defined";
            Err(Error::unsupported_configuration(detail))
        }
        "hostdev" => match (device.attribute("mode"), device.attribute("type").unwrap_or_default()) {
            (Some("capabilities"), _) => Err(Error::unsupported_configuration(
                "hotplug is not supported for hostdev mode 'capabilities'",
            )),
            (_, "pci") => Ok(()),
            (_, kind) => {
                let word = HOST_DEVICE_WORDS.iter().find(|(known, _)| *known == kind);
                let word = word.map_or(kind, |(_, word)| word);
                let detail = format!("hotplug is not supported for hostdev subsys type '{word}'");
                Err(Error::unsupported_configuration(detail))
            }
        },
        _ => {
            let kind = kind_word(device);
            Err(unsupported(format!("live attach of device '{kind}' is not supported")))
        }
    }
}

/// Whether a running domain can lose this device.
fn check_detach(device: &Element) -> Result<()> {
    match device.name.as_str() {
        "disk" => match (device.attribute("device"), bus_of(device)) {
            (Some("floppy"), _) => {
                Err(unsupported("disk device type 'floppy' cannot be detached".to_string()))
            }
            (_, "virtio" | "usb" | "scsi") => Ok(()),
            _ => Err(unsupported("This type of disk cannot be hot unplugged".to_string())),
        },
        "interface" => match device.attribute("type").unwrap_or_default() {
            "bridge" | "ethernet" => Ok(()),
            kind => {
                let detail = format!("live detach of interface type {kind} is not implemented yet");
                Err(unsupported(detail))
            }
        },
        "hostdev" => Ok(()),
        _ => {
            let kind = kind_word(device);
            Err(unsupported(format!("live detach of device '{kind}' is not supported")))
        }
    }
}

/// The first name `netN` that no device has.
fn free_alias(tree: &Element) -> String {
    let mut number = 0;
    let taken = |alias: &str| {
        let devices = tree.child("devices").into_iter().flat_map(Element::elements);
        devices.filter_map(alias_of).any(|known| known == alias)
    };
    loop {
        let alias = format!("net{number}");
        if !taken(&alias) {
            return alias;
        }
        number += 1;
    }
}

/// Names a new device as running ones are named: cards in turn, disks by their bus and place.
fn give_alias(tree: &Element, new: &mut Element) {
    let (alias, shape) = match new.name.as_str() {
        "interface" => (free_alias(tree), &xml::domain::devices::interface::INTERFACE),
        "disk" => {
            let target = new.child_attribute("target", "dev").unwrap_or_default();
            let Some(index) = xml::domain::devices::disk::index_of(target) else {
                return;
            };
            (format!("{}-disk{index}", bus_of(new)), &xml::domain::devices::disk::DISK)
        }
        _ => return,
    };
    new.push(Element::new("alias").with("name", alias));
    shape.arrange(new);
}

/// Only running domains gain and lose devices; a definition is as unwelcome as an unknown flag.
fn expect_live(guest: &Guest, flags: u32, function: &str) -> Result<()> {
    match guest.impact(flags)? {
        (_, true) => only_flags(DOMAIN_AFFECT_CONFIG, DOMAIN_AFFECT_LIVE, function),
        _ => only_flags(flags, DOMAIN_AFFECT_LIVE, function),
    }
}

impl DomainDevices for TestConnection {
    fn attach_device(&self, domain: &DomainRef, text: &str, flags: u32) -> Result<()> {
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        expect_live(guest, flags, "testDomainAttachDeviceLiveAndConfig")?;
        let device = read(text)?;
        definition::check_device(&device)?;
        let (place, mut new) = completed(&guest.current, device)?;
        check_attach(&new)?;
        if alias_of(&new).is_none() {
            give_alias(&guest.current, &mut new);
        }
        let alias = alias_of(&new).unwrap_or_default().to_string();
        let devices = definition::part(&mut guest.current, "devices");
        devices.nodes.retain(|node| matches!(node, xml::Node::Element(_)));
        let place = place.min(devices.nodes.len());
        devices.nodes.insert(place, xml::Node::Element(new));
        self.tell(domain, DomainEvent::DeviceAdded { alias });
        Ok(())
    }

    fn detach_device_alias(&self, domain: &DomainRef, alias: &str, flags: u32) -> Result<()> {
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        expect_live(guest, flags, "testDomainDetachDeviceAliasLiveAndConfig")?;
        let devices = definition::part(&mut guest.current, "devices");
        let found = devices.elements().find(|device| alias_of(device) == Some(alias));
        let Some(device) = found else {
            return Err(Error::internal(format!("no device found with alias {alias}")));
        };
        check_detach(device)?;
        devices.retain(|device| alias_of(device) != Some(alias));
        let alias = alias.to_string();
        self.tell(domain, DomainEvent::DeviceRemoved { alias });
        Ok(())
    }

    fn update_device(&self, domain: &DomainRef, text: &str, flags: u32) -> Result<()> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
        only_flags(flags, allowed, "testDomainUpdateDeviceFlags")?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let device = read(text)?;
        definition::check_device(&device)?;
        let mut changes = Vec::new();
        for tree in guest.affected(flags)? {
            let changed = updated(tree, &device)?;
            changes.push((tree, changed));
        }
        for (tree, changed) in changes {
            *tree = changed;
        }
        Ok(())
    }

    fn block_io_tune(&self, domain: &DomainRef, disk: Option<&str>, flags: u32) -> Result<Vec<TypedParam>> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG | TYPED_PARAM_STRING_OKAY;
        only_flags(flags, allowed, "testDomainGetBlockIoTune")?;
        exclusive_impact(flags)?;
        if disk.is_none() {
            return Ok(throttle::none());
        }
        let state = self.state();
        let tree = state.guest(domain)?.chosen(flags)?;
        match disk {
            Some(disk) => throttle::read(tree, disk),
            None => Ok(throttle::none()),
        }
    }

    fn set_block_io_tune(
        &self,
        domain: &DomainRef,
        disk: &str,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
        only_flags(flags, allowed, "testDomainSetBlockIoTune")?;
        exclusive_impact(flags)?;
        throttle::check(params)?;
        let mut state = self.state();
        let guest = state.guest_mut(domain)?;
        let mut target = String::new();
        for tree in guest.affected(flags)? {
            target = throttle::write(tree, disk, params)?;
        }
        let mut told = vec![TypedParam::new("blkdeviotune.disk", target)];
        let renamed = params.iter().map(|param| TypedParam {
            name: format!("blkdeviotune.{}", param.name),
            value: param.value.clone(),
        });
        told.extend(renamed);
        self.tell(domain, DomainEvent::Tunable { params: told });
        Ok(())
    }

    fn interface_parameters(&self, domain: &DomainRef, device: &str, flags: u32) -> Result<Vec<TypedParam>> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG | TYPED_PARAM_STRING_OKAY;
        only_flags(flags, allowed, "testDomainGetInterfaceParameters")?;
        let state = self.state();
        bandwidth::read(state.guest(domain)?.chosen(flags)?, device)
    }

    fn set_interface_parameters(
        &self,
        domain: &DomainRef,
        device: &str,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        let allowed = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
        only_flags(flags, allowed, "testDomainSetInterfaceParameters")?;
        let known = bandwidth::NAMES.map(|name| (name, Kind::UInt));
        known_parameters(params, &known)?;
        let mut state = self.state();
        let mut affected = state.guest_mut(domain)?.affected(flags)?;
        for tree in &affected {
            bandwidth::read(tree, device)?;
        }
        for tree in &mut affected {
            bandwidth::write(tree, device, params);
        }
        Ok(())
    }
}

/// The tree with a disk replaced by a new one for the same target.
fn updated(tree: &Element, device: &Element) -> Result<Element> {
    if device.name != "disk" {
        let kind = kind_word(device);
        return Err(unsupported(format!("persistent update of device '{kind}' is not supported")));
    }
    let target = device.child_attribute("target", "dev").unwrap_or_default();
    let is_it = |disk: &Element| disk.name == "disk" && disk.child_attribute("target", "dev") == Some(target);
    let mut changed = tree.clone();
    let devices = definition::part(&mut changed, "devices");
    let Some(old) = devices.elements_mut().find(|disk| is_it(disk)) else {
        return Err(Error::invalid_argument(format!("target {target} doesn't exist.")));
    };
    *old = device.clone();
    let mut complete = changed.clone();
    definition::complete_without_names(&mut complete)?;
    // Only the new disk is taken over: the others keep what running devices have.
    let completed =
        complete.child("devices").into_iter().flat_map(Element::elements).find(|disk| is_it(disk));
    let devices = definition::part(&mut changed, "devices");
    if let (Some(old), Some(completed)) = (devices.elements_mut().find(|disk| is_it(disk)), completed) {
        *old = completed.clone();
    }
    Ok(changed)
}
