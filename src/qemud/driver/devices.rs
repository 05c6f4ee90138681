//! Attaching, changing and detaching devices.

use super::change::{asked_definition, edit_config, impact, keep_live};
use super::{QemuConnection, check_flags, hotplug};
use crate::backend::DomainDevices;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};
use crate::qemud::vm::guest::Guest;
use crate::xml::domain::variants::insert_device;
use crate::xml::{Element, Node};
use std::sync::Arc;

const IMPACT: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG;
const FLAGS: u32 = DOMAIN_AFFECT_LIVE | DOMAIN_AFFECT_CONFIG | DOMAIN_DEVICE_MODIFY_FORCE;

impl DomainDevices for QemuConnection {
    fn attach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, FLAGS, "virDomainAttachDeviceFlags")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainAttachDevice")?;
        let impact = impact(&guest.lock(), flags)?;
        let device = parse_device(xml)?;
        // The definition's turn comes second, but what is wrong with it must be known before the guest is touched.
        let config = impact.config.then(|| self.config_with(&guest, &device)).transpose()?;
        if impact.live {
            self.plug(&guest, &device)?;
        }
        match config {
            Some(tree) => self.replace_config(&guest, tree),
            None => Ok(()),
        }
    }

    fn detach_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, FLAGS, "virDomainDetachDeviceFlags")?;
        let guest = self.find(domain)?;
        let device = parse_device(xml)?;
        self.detach(&guest, flags, &|known| is_same(known, &device), &missing(&device))
    }

    fn detach_device_alias(&self, domain: &DomainRef, alias: &str, flags: u32) -> Result<()> {
        check_flags(flags, FLAGS, "virDomainDetachDeviceAlias")?;
        let guest = self.find(domain)?;
        let words = format!("no device found with alias {alias}");
        self.detach(&guest, flags, &|known| known.child_attribute("alias", "name") == Some(alias), &words)
    }

    fn update_device(&self, domain: &DomainRef, xml: &str, flags: u32) -> Result<()> {
        check_flags(flags, FLAGS, "virDomainUpdateDeviceFlags")?;
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainUpdateDevice")?;
        let impact = impact(&guest.lock(), flags)?;
        let device = parse_device(xml)?;
        let config = impact.config.then(|| self.config_changed(&guest, &device)).transpose()?;
        if impact.live {
            if device.name == "interface" {
                self.change_link(&guest, &device)?;
            } else {
                self.change_medium(&guest, &device, flags & DOMAIN_DEVICE_MODIFY_FORCE != 0)?;
            }
        }
        match config {
            Some(tree) => self.replace_config(&guest, tree),
            None => Ok(()),
        }
    }

    fn block_resize(&self, domain: &DomainRef, disk: &str, size: u64, flags: u32) -> Result<()> {
        check_flags(flags, DOMAIN_BLOCK_RESIZE_BYTES | DOMAIN_BLOCK_RESIZE_CAPACITY, "virDomainBlockResize")?;
        self.resize_disk(domain, disk, size, flags)
    }

    fn set_block_io_tune(
        &self,
        domain: &DomainRef,
        disk: &str,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainSetBlockIoTune")?;
        self.limit_disk(domain, disk, params, flags)
    }

    fn block_io_tune(&self, domain: &DomainRef, disk: Option<&str>, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, IMPACT | TYPED_PARAM_STRING_OKAY, "virDomainGetBlockIoTune")?;
        self.disk_limits(domain, disk, flags)
    }

    fn set_block_threshold(
        &self,
        domain: &DomainRef,
        device: &str,
        threshold: u64,
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, 0, "virDomainSetBlockThreshold")?;
        self.mark_disk(domain, device, threshold)
    }

    fn set_interface_parameters(
        &self,
        domain: &DomainRef,
        device: &str,
        _params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        check_flags(flags, IMPACT, "virDomainSetInterfaceParameters")?;
        let kind = self.interface_kind(domain, device, flags)?;
        let detail = format!("setting bandwidth on interfaces of type '{kind}' is not implemented yet");
        Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::QEMU))
    }

    fn interface_parameters(&self, domain: &DomainRef, device: &str, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, IMPACT | TYPED_PARAM_STRING_OKAY, "virDomainGetInterfaceParameters")?;
        self.interface_kind(domain, device, flags)?;
        // No bandwidth can be set, so there is none.
        let names = ["inbound.average", "inbound.peak", "inbound.burst", "inbound.floor"];
        let names = names.into_iter().chain(["outbound.average", "outbound.peak", "outbound.burst"]);
        Ok(names.map(|name| TypedParam::new(name, 0u32)).collect())
    }
}

fn parse_device(xml: &str) -> Result<Element> {
    let mut device = crate::xml::parse(xml, "device_definition")?;
    crate::xml::domain::complete_device(&mut device)?;
    Ok(device)
}

/// What tells devices of a kind apart: the target of a disk, the address of a network card.
pub fn identity(device: &Element) -> Option<(&'static str, &'static str)> {
    match device.name.as_str() {
        "disk" => Some(("target", "dev")),
        "interface" => Some(("mac", "address")),
        "channel" => Some(("target", "name")),
        "serial" | "console" | "parallel" => Some(("target", "port")),
        _ => None,
    }
}

/// Whether a known device is the one that is meant.
pub fn is_same(known: &Element, meant: &Element) -> bool {
    if known.name != meant.name {
        return false;
    }
    let alias = meant.child_attribute("alias", "name");
    if alias.is_some() && known.child_attribute("alias", "name") == alias {
        return true;
    }
    match identity(meant) {
        Some((element, name)) => match meant.child_attribute(element, name) {
            Some(value) => {
                known.child_attribute(element, name).is_some_and(|own| own.eq_ignore_ascii_case(value))
            }
            None => meant.child("address").is_some_and(|address| same_place(known.child("address"), address)),
        },
        None if meant.name == "input" || meant.name == "controller" => {
            let says =
                |name: &str| meant.attribute(name).is_none_or(|value| known.attribute(name) == Some(value));
            let at = meant.child("address").is_none_or(|place| same_place(known.child("address"), place));
            ["type", "bus", "index"].iter().all(|name| says(name)) && at
        }
        None => match meant.child("address") {
            Some(address) => same_place(known.child("address"), address),
            None => known.attribute("model") == meant.attribute("model"),
        },
    }
}

fn same_place(known: Option<&Element>, meant: &Element) -> bool {
    known.is_some_and(|known| {
        meant.attributes.iter().all(|(name, value)| known.attribute(name) == Some(value))
    })
}

fn missing(device: &Element) -> String {
    match identity(device).and_then(|(element, name)| device.child_attribute(element, name)) {
        Some(value) if device.name == "disk" => format!("disk {value} not found"),
        Some(value) if device.name == "interface" => format!("no device matching MAC address {value} found"),
        _ if matches!(device.name.as_str(), "serial" | "console" | "channel" | "parallel") => {
            format!("chr type '{}' device not present in domain configuration", device.name)
        }
        Some(value) => format!("no {} device {value} found", device.name),
        None => format!("matching {} device not found", device.name),
    }
}

fn not_found(device: &Element) -> Error {
    Error::new(ErrorCode::DEVICE_MISSING, missing(device)).from_origin(ErrorOrigin::QEMU)
}

/// Takes the devices out that `is_meant` names; how many there were.
pub fn take_out(tree: &mut Element, is_meant: &dyn Fn(&Element) -> bool) -> usize {
    let Some(devices) = tree.child_mut("devices") else {
        return 0;
    };
    let before = devices.nodes.len();
    devices.retain(|device| !is_meant(device));
    before - devices.nodes.len()
}

/// Refuses a device whose target or address another has.
pub fn check_free(tree: &Element, device: &Element) -> Result<()> {
    let taken = |detail: String| Err(Error::operation_failed(detail).from_origin(ErrorOrigin::QEMU));
    let Some((element, name)) = identity(device) else {
        return Ok(());
    };
    let Some(value) = device.child_attribute(element, name) else {
        return Ok(());
    };
    let known =
        tree.child("devices").into_iter().flat_map(Element::elements).any(|known| is_same(known, device));
    match device.name.as_str() {
        "disk" if known => taken(format!("target {value} already exists")),
        "interface" if known => taken(format!("a device with mac {value} exists already")),
        _ => Ok(()),
    }
}

impl QemuConnection {
    fn config_tree(&self, guest: &Guest) -> Result<Element> {
        let definition = guest.lock().persistent.clone();
        definition.ok_or_else(crate::qemud::vm::guest::not_running)?.tree()
    }

    fn config_with(&self, guest: &Arc<Guest>, device: &Element) -> Result<Element> {
        let mut tree = self.config_tree(guest)?;
        check_free(&tree, device)?;
        insert_device(&mut tree, device.clone());
        self.complete_again(&mut tree)?;
        Ok(tree)
    }

    /// The definition with a device replaced; what only the old one says (its address, its alias) is kept.
    fn config_changed(&self, guest: &Arc<Guest>, device: &Element) -> Result<Element> {
        let mut tree = self.config_tree(guest)?;
        replace(&mut tree, device)?;
        self.complete_again(&mut tree)?;
        Ok(tree)
    }

    fn replace_config(&self, guest: &Guest, new: Element) -> Result<()> {
        edit_config(self.inventory(), guest, |tree| {
            *tree = new;
            Ok(())
        })
    }

    fn detach(
        &self,
        guest: &Arc<Guest>,
        flags: u32,
        is_meant: &dyn Fn(&Element) -> bool,
        words: &str,
    ) -> Result<()> {
        let _turn = guest.jobs.take_turn("virDomainDetachDevice")?;
        let impact = impact(&guest.lock(), flags)?;
        let gone = || Error::new(ErrorCode::DEVICE_MISSING, words).from_origin(ErrorOrigin::QEMU);
        let config = if impact.config {
            let mut tree = self.config_tree(guest)?;
            if take_out(&mut tree, is_meant) == 0 {
                return Err(gone());
            }
            Some(tree)
        } else {
            None
        };
        if impact.live {
            self.unplug(guest, is_meant, gone)?;
        }
        match config {
            Some(tree) => self.replace_config(guest, tree),
            None => Ok(()),
        }
    }

    /// The type of an interface, named by its address or by its device on the host.
    fn interface_kind(&self, domain: &DomainRef, device: &str, flags: u32) -> Result<String> {
        let guest = self.find(domain)?;
        let tree = asked_definition(&guest.lock(), flags)?.tree()?;
        let found = super::stats::find_interface(&tree, device);
        let found = found.and_then(|interface| interface.attribute("type")).map(str::to_string);
        found.ok_or_else(|| {
            let detail = format!("'{device}' is not a known interface");
            Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU)
        })
    }

    /// Pulls a network card's cable out of a running guest, or plugs it in.
    fn change_link(&self, guest: &Arc<Guest>, device: &Element) -> Result<()> {
        let (mut tree, mut base) = {
            let condition = guest.lock();
            let active = condition.running()?;
            (active.definition.tree()?, active.base.tree()?)
        };
        let devices = tree.find("devices").into_iter().flat_map(Element::elements);
        let known: Vec<&Element> = devices.filter(|known| is_same(known, device)).collect();
        let old = (*known.first().ok_or_else(|| not_found(device))?).clone();
        let text = |device: &Element, name: &str| device.child(name).map(Element::to_string);
        let differs = |name: &str| device.child(name).is_some() && text(device, name) != text(&old, name);
        let other = ["source", "model", "backend", "driver", "mtu"].into_iter().find(|name| differs(name));
        if device.attribute("type") != old.attribute("type") || other.is_some() {
            let what = other.unwrap_or("type");
            let detail = format!("cannot modify network device {what} of a running guest");
            return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU));
        }
        let state = device.child_attribute("link", "state").unwrap_or("up").to_string();
        let alias = old.child_attribute("alias", "name").unwrap_or_default();
        guest.monitor()?.execute("set_link", serde_json::json!({ "name": alias, "up": state != "down" }))?;
        for tree in [&mut tree, &mut base] {
            let devices = tree.child_mut("devices").into_iter().flat_map(Element::elements_mut);
            for interface in devices.filter(|known| is_same(known, device)) {
                interface.child_or_new("link").set("state", &state);
                if let Some(shape) = crate::xml::domain::devices::DEVICES.child("interface") {
                    shape.arrange(interface);
                }
            }
        }
        keep_live(self.inventory(), guest, &tree, &base)
    }

    /// Puts another medium into a drive of a running guest.
    fn change_medium(&self, guest: &Arc<Guest>, device: &Element, force: bool) -> Result<()> {
        let removable = matches!(device.attribute("device"), Some("cdrom" | "floppy"));
        if device.name != "disk" || !removable {
            let detail = format!("live update of device '{}' is not supported", device.name);
            return Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU));
        }
        let (mut tree, mut base) = {
            let condition = guest.lock();
            let active = condition.running()?;
            (active.definition.clone().tree()?, active.base.clone().tree()?)
        };
        let old = tree.clone();
        replace(&mut tree, device)?;
        replace(&mut base, device)?;
        let swap = hotplug::Swap { guest, old: &old, new: &tree, device };
        swap.run(force)?;
        keep_live(self.inventory(), guest, &tree, &base)
    }
}

/// Puts a device in the place of the one it is the same as.
fn replace(tree: &mut Element, device: &Element) -> Result<()> {
    let devices = tree.child_mut("devices").ok_or_else(|| not_found(device))?;
    let known = devices.elements_mut().find(|known| is_same(known, device));
    let known = known.ok_or_else(|| not_found(device))?;
    let mut new = device.clone();
    for kept in ["alias", "address"] {
        if new.child(kept).is_none()
            && let Some(own) = known.child(kept)
        {
            new.nodes.push(Node::Element(own.clone()));
        }
    }
    *known = new;
    Ok(())
}
