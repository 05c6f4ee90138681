//! The documents that domains are shown as.

use super::{Directory, Domain, Running, invalid};
use crate::backend::xen::definition;
use crate::backend::xen::definitions::Definition;
use crate::backend::xen::hypervisor::Kind as Virtualisation;
use crate::backend::xen::native::config::Config;
use crate::backend::xen::native::xl::{self, Use};
use crate::backend::xen::xenstore::{Disk, Display, Xenstore};
use crate::error::{Error, Result};
use crate::model::constants::*;
use crate::xml::Element;
use crate::xml::domain::variants;
use std::net::IpAddr;

impl Directory {
    /// The document of a domain, as the flags of `virDomainGetXMLDesc` want it.
    pub(super) fn document(&self, domain: &Domain, flags: u32) -> Result<String> {
        let secrets = flags & DOMAIN_XML_SECURE != 0;
        let for_next_start = flags & (DOMAIN_XML_INACTIVE | DOMAIN_XML_MIGRATABLE) != 0;
        let (tree, id) = match domain {
            Domain::Defined(definition) => (defined(definition)?, None),
            Domain::Running(running, _) if running.is_control() => {
                (control_domain(running), (!for_next_start).then_some(0))
            }
            Domain::Running(_, Some(definition)) if for_next_start => (defined(definition)?, None),
            Domain::Running(running, _) if for_next_start => (self.described(running)?, None),
            Domain::Running(running, definition) => {
                let mut tree = self.described(running)?;
                if let Some(definition) = definition {
                    copy_words(definition, &mut tree)?;
                }
                if let Some(store) = &self.sources.store {
                    add_live_details(store, running.id, &mut tree)?;
                }
                (tree, Some(running.id))
            }
        };
        Ok(variants::shown(&tree, id, secrets).to_string())
    }

    /// The definition of what runs: the toolstack's own memory of it, or what the store and the hypervisor tell.
    pub(super) fn described(&self, running: &Running) -> Result<Element> {
        let listed = match &self.sources.toolstack {
            Some(toolstack) => toolstack.config(running.id)?,
            None => None,
        };
        let mut config = match listed {
            Some(config) => config,
            None => self.observed(running)?,
        };
        // What the toolstack has read from the store may be no name; what we call the domain is one.
        config.set("name", running.name.clone());
        definition::complete(xl::domain_from_config(&config, Use::Kept)?)
    }

    /// What can be seen of a running domain from outside, without any toolstack's help.
    fn observed(&self, running: &Running) -> Result<Config> {
        let Some(store) = &self.sources.store else {
            return Err(Error::unsupported("virDomainGetXMLDesc"));
        };
        let mut config = Config::default();
        config.set("name", running.name.clone());
        config.set("uuid", running.uuid.to_string());
        let home = format!("/local/domain/{}", running.id);
        let paths = ["memory/static-max", "memory/target"].map(|node| format!("{home}/{node}"));
        let figures = store.read_many(&paths)?;
        let mut mebibytes =
            figures.iter().map(|value| value.as_ref()?.number::<i64>().map(|kib| (kib + 1023) / 1024));
        let (most, target) = (mebibytes.next().flatten(), mebibytes.next().flatten());
        let known = running.figures.as_ref();
        let has = known.map(|figures| i64::try_from(figures.memory() / 1024).unwrap_or(i64::MAX));
        let memory = target.or(has).filter(|memory| *memory > 0);
        let memory = memory.ok_or_else(|| invalid("the domain is just being made or ended; ask again"))?;
        config.set("memory", memory);
        if let Some(most) = most {
            config.set("maxmem", most);
        }
        if let Some(figures) = known {
            let kind = match figures.kind {
                Virtualisation::Pv => "pv",
                Virtualisation::Pvh => "pvh",
                Virtualisation::Hvm => "hvm",
            };
            config.set("type", kind);
            // While a domain is being made it has none yet.
            config.set("vcpus", i64::from(figures.online_vcpus.max(1)));
            config.set("maxvcpus", i64::from(figures.vcpus.max(1)));
        }
        if let Some(display) = store.display(running.id)? {
            observe_display(&mut config, &display);
        }
        let devices = store.devices(running.id)?;
        let disks: Vec<String> = devices.disks.iter().filter_map(disk_specification).collect();
        let cards: Vec<String> = devices
            .interfaces
            .iter()
            .map(|card| {
                let parts = [("mac", &card.mac), ("bridge", &card.bridge), ("ip", &card.ip)];
                let parts =
                    parts.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
                parts.collect::<Vec<_>>().join(",")
            })
            .collect();
        for (key, list) in [("disk", disks), ("vif", cards)] {
            if !list.is_empty() {
                config.set(key, list);
            }
        }
        Ok(config)
    }
}

/// A screen on the network, where its server was told to be; which port that is, is told with what is live.
fn observe_display(config: &mut Config, display: &Display) {
    let listen = display.listen.as_deref().filter(|listen| listen.parse::<IpAddr>().is_ok());
    let is_emulated = config.text("type").is_some_and(|kind| kind == "hvm");
    match (is_emulated, listen) {
        (true, listen) => {
            config.set("vnc", 1);
            if let Some(listen) = listen {
                config.set("vnclisten", listen);
            }
        }
        (false, Some(listen)) => config.set("vfb", vec![format!("vnc=1,vnclisten={listen}")]),
        (false, None) => config.set("vfb", vec!["vnc=1".to_string()]),
    }
}

fn disk_specification(disk: &Disk) -> Option<String> {
    let access = if disk.read_only { "ro" } else { "rw" };
    let mut text = format!("vdev={},access={access}", disk.target.as_ref()?);
    match &disk.format {
        Some(format) if format != "phy" => text.push_str(&format!(",format={format}")),
        _ => {}
    }
    if disk.is_cdrom {
        text.push_str(",devtype=cdrom");
    }
    text.push_str(&format!(",target={}", disk.source.as_deref().unwrap_or_default()));
    Some(text)
}

/// The definition in a file.
fn defined(definition: &Definition) -> Result<Element> {
    definition.must_be_read()?;
    let mut config = definition.config.clone();
    config.set("uuid", definition.uuid.to_string());
    definition::complete(xl::domain_from_config(&config, Use::Kept)?)
}

/// Title, description and metadata, which no toolstack keeps of what runs.
fn copy_words(definition: &Definition, tree: &mut Element) -> Result<()> {
    let defined = defined(definition)?;
    for name in ["title", "description", "metadata"] {
        if let Some(child) = defined.child(name) {
            tree.push(child.clone());
        }
    }
    crate::xml::domain::DOMAIN.arrange(tree);
    Ok(())
}

/// The control domain has no definition, only figures.
fn control_domain(running: &Running) -> Element {
    let memory = running.figures.as_ref().map_or(0, |figures| figures.memory());
    let vcpus = running.figures.as_ref().map_or(1, |figures| figures.online_vcpus);
    let kib = |name: &str| Element::new(name).with("unit", "KiB").with_text(memory);
    let mut tree = Element::new("domain").with("type", "xen");
    tree.push(Element::new("name").with_text(&running.name));
    tree.push(Element::new("uuid").with_text(running.uuid));
    tree.push(kib("memory"));
    tree.push(kib("currentMemory"));
    tree.push(Element::new("vcpu").with("placement", "static").with_text(vcpus));
    tree.push(Element::new("os").with_child(Element::new("type").with_text("linux")));
    tree.push(Element::new("clock").with("offset", "utc"));
    for event in ["on_poweroff", "on_reboot", "on_crash"] {
        tree.push(Element::new(event).with_text("destroy"));
    }
    // Written with two tags, as every definition is.
    tree.push(Element::new("devices").with_text("\n"));
    tree
}

/// What only a running domain has: terminals, ports, the host's ends of interfaces, who drives the disks.
fn add_live_details(store: &Xenstore, id: u32, tree: &mut Element) -> Result<()> {
    let (consoles, display, devices) = (store.consoles(id)?, store.display(id)?, store.devices(id)?);
    let is_hvm = tree.child_text("os/type").as_deref() == Some("hvm");
    if let Some(loader) = tree.child_mut("os").and_then(|os| os.child_mut("loader"))
        && loader.attribute("format").is_none()
    {
        loader.set("format", "raw");
    }
    let Some(list) = tree.child_mut("devices") else { return Ok(()) };
    for device in list.elements_mut() {
        match device.name.as_str() {
            "console" | "serial" => {
                let serial = consoles.serials.first().and_then(Option::as_ref);
                let terminal = if is_hvm { serial } else { consoles.console.as_ref() };
                if let Some(path) = terminal {
                    set_terminal(device, path);
                }
                if is_hvm {
                    device.child_or_new("alias").set("name", "serial0");
                }
            }
            "interface" => {
                let mac = device.child_attribute("mac", "address").unwrap_or_default().to_lowercase();
                let same = |known: &&crate::backend::xen::xenstore::Interface| {
                    known.mac.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(&mac))
                };
                if let Some(card) = devices.interfaces.iter().find(same) {
                    device.child_or_new("target").set("dev", &card.device);
                }
            }
            "disk" => {
                let target = device.child_attribute("target", "dev").unwrap_or_default().to_string();
                let same = |known: &&Disk| known.target.as_deref() == Some(&target);
                if let Some(disk) = devices.disks.iter().find(same) {
                    let driver = if disk.back_end.kind == "vbd" { "phy" } else { "qemu" };
                    let old = device.child_or_new("driver");
                    let rest =
                        std::mem::take(&mut old.attributes).into_iter().filter(|(name, _)| name != "name");
                    let name = ("name".to_string(), driver.to_string());
                    old.attributes = std::iter::once(name).chain(rest).collect();
                }
            }
            "graphics" if device.attribute("type") == Some("vnc") => {
                if let Some(display) = &display {
                    device.set("port", display.port);
                }
            }
            _ => {}
        }
        arrange(device);
    }
    Ok(())
}

fn set_terminal(device: &mut Element, path: &str) {
    if device.attribute("type").is_some_and(|kind| kind != "pty") {
        return;
    }
    if device.name == "console" {
        device.set("tty", path);
    }
    device.child_or_new("source").set("path", path);
}

/// Puts what was added to a device where it belongs.
fn arrange(device: &mut Element) {
    if let Some(shape) = crate::xml::domain::devices::DEVICES.child(&device.name) {
        shape.arrange(device);
    }
}
