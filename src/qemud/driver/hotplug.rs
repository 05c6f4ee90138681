//! Plugging devices into running guests and out of them.
//!
//! What a device needs is what a start with it would pass to QEMU and a start without it would not: both sets of
//! arguments are made, and the difference goes through the monitor instead. So a plugged device is exactly what
//! it will be at the next start.

use super::QemuConnection;
use super::change::keep_live;
use super::devices::{is_same, take_out};
use super::pluggable::{check_pluggable, check_unpluggable};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::event::DomainEvent;
use crate::qemud::argv::{self, LaunchRequest, Preparation};
use crate::qemud::define;
use crate::qemud::qmp::Monitor;
use crate::qemud::vm::guest::Guest;
use crate::qemud::vm::stop;
use crate::xml::domain::variants::insert_device;
use crate::xml::{Element, Node};
use serde_json::{Value, json};
use std::sync::Arc;

/// The parts of a guest that can come and go, in the order they are passed.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    /// `-blockdev`, `-netdev`, `-object`, `-chardev` or `-device`.
    option: String,
    value: Value,
}

impl Part {
    /// The command that makes it.
    fn add(&self) -> &'static str {
        match self.option.as_str() {
            "-blockdev" => "blockdev-add",
            "-netdev" => "netdev_add",
            "-object" => "object-add",
            "-chardev" => "chardev-add",
            _ => "device_add",
        }
    }

    /// The command that takes it away, and its arguments.
    fn remove(&self) -> (&'static str, Value) {
        let field = |name: &str| self.value.get(name).cloned().unwrap_or(Value::Null);
        match self.option.as_str() {
            "-blockdev" => ("blockdev-del", json!({ "node-name": field("node-name") })),
            "-netdev" => ("netdev_del", json!({ "id": field("id") })),
            "-object" => ("object-del", json!({ "id": field("id") })),
            "-chardev" => ("chardev-remove", json!({ "id": field("id") })),
            _ => ("device_del", json!({ "id": field("id") })),
        }
    }
}

/// A start as far as devices are concerned, and the tree it would show.
struct Parts {
    parts: Vec<Part>,
    active: Element,
    beside: usize,
    prepare: Vec<Preparation>,
    clean_up: Vec<Vec<String>>,
}

/// What this driver does not do.
pub(super) fn unsupported(detail: impl std::fmt::Display) -> Error {
    Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU)
}

/// The parts a start from this tree would pass.
fn parts_of(tree: &Element, guest: &Guest, folder: &std::path::Path) -> Result<Parts> {
    let id = guest.lock().running()?.id;
    let request = LaunchRequest {
        definition: tree,
        capabilities: define::capabilities_for(tree)?,
        runtime: folder,
        id,
        incoming: false,
        live: true,
        monitor_fd: None,
    };
    let launch = argv::launch(&request)?;
    let mut parts = Vec::new();
    for pair in launch.arguments.windows(2) {
        let pluggable = matches!(pair[0].as_str(), "-blockdev" | "-netdev" | "-object" | "-device");
        if pluggable && let Ok(value @ Value::Object(_)) = serde_json::from_str(&pair[1]) {
            parts.push(Part { option: pair[0].clone(), value });
        }
    }
    Ok(Parts {
        parts,
        active: launch.active,
        beside: launch.side_processes.len(),
        prepare: launch.prepare,
        clean_up: launch.clean_up,
    })
}

/// What is in `more` and not in `less`.
fn difference(more: &Parts, less: &Parts) -> Vec<Part> {
    more.parts.iter().filter(|part| !less.parts.contains(part)).cloned().collect()
}

/// The parts of one device: itself, last, and what stands behind it, in the order they are passed.
fn belongings(parts: &[Part], alias: &str) -> Vec<Part> {
    let text = |part: &Part, field: &str| part.value.get(field).and_then(Value::as_str).map(str::to_string);
    let own = parts.iter().find(|p| p.option == "-device" && text(p, "id").as_deref() == Some(alias));
    let Some(own) = own else { return Vec::new() };
    let fields = ["drive", "netdev", "rng"];
    let mut wanted: Vec<String> = fields.iter().filter_map(|field| text(own, field)).collect();
    let mut found: Vec<Part> = vec![own.clone()];
    // Each part is passed before the one that refers to it.
    for part in parts.iter().rev().filter(|part| part.option != "-device") {
        let name = text(part, "node-name").or_else(|| text(part, "id"));
        if name.is_some_and(|name| wanted.contains(&name)) {
            wanted.extend(["file", "backing"].iter().filter_map(|field| text(part, field)));
            found.insert(0, part.clone());
        }
    }
    found
}

/// The alias itself if nobody has it, else the first of its kind that is free.
fn free_alias(tree: &Element, alias: &str) -> String {
    let devices = tree.child("devices").into_iter().flat_map(Element::elements);
    let taken: Vec<&str> = devices.filter_map(|device| device.child_attribute("alias", "name")).collect();
    let stem = alias.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = (0..=taken.len()).map(|number| format!("{stem}{number}"));
    let mut choices = std::iter::once(alias.to_string()).chain(numbered);
    let free = choices.find(|choice| !taken.contains(&choice.as_str()));
    free.unwrap_or_else(|| alias.to_string())
}

/// Gives the parts of a device its alias, and its nodes names that no other has or will have.
fn rename_parts(parts: &mut [Part], passed: &str, alias: &str) {
    let token = uuid::Uuid::new_v4().simple().to_string();
    let mut names: Vec<(String, String)> = vec![(passed.to_string(), alias.to_string())];
    for (number, part) in parts.iter().enumerate() {
        if let Some(node) = part.value.get("node-name").and_then(Value::as_str) {
            names.push((node.to_string(), format!("plug-{}-{number}", &token[..12])));
        }
    }
    for kind in ["host", "obj", "char"] {
        names.push((format!("{kind}{passed}"), format!("{kind}{alias}")));
    }
    for part in parts {
        for field in ["id", "node-name", "drive", "netdev", "rng", "chardev", "file", "backing"] {
            let Some(value) = part.value.get_mut(field) else {
                continue;
            };
            if let Some((_, new)) = names.iter().find(|(old, _)| value.as_str() == Some(old)) {
                *value = json!(new);
            }
        }
    }
}

/// Deletes block nodes that nothing uses any more; QEMU itself refuses those in use.
fn collect_nodes(monitor: &Monitor) -> Result<()> {
    loop {
        let nodes = monitor.execute("query-named-block-nodes", json!({ "flat": true }))?;
        let names = nodes.as_array().into_iter().flatten();
        let names = names.filter_map(|node| node.get("node-name")?.as_str());
        let deleted = names.filter(|name| {
            let answer = monitor.execute("blockdev-del", json!({ "node-name": name }));
            answer.is_ok()
        });
        if deleted.count() == 0 {
            return Ok(());
        }
    }
}

/// Makes parts one by one; when one fails, those made before are taken away again. Answers the terminal of the
/// character device among them, if it is one.
fn add_all(monitor: &Monitor, parts: &[Part]) -> Result<Option<String>> {
    let mut terminal = None;
    for (made, part) in parts.iter().enumerate() {
        match monitor.execute(part.add(), part.value.clone()) {
            Ok(answer) => {
                let path = answer.get("pty").and_then(Value::as_str);
                terminal = path.map(str::to_string).or(terminal);
            }
            Err(error) => {
                remove_all(monitor, &parts[..made]);
                return Err(error.into());
            }
        }
    }
    Ok(terminal)
}

/// Takes parts away, the last first. What will not go is logged: the guest itself is unharmed.
fn remove_all(monitor: &Monitor, parts: &[Part]) {
    for part in parts.iter().rev() {
        let (command, arguments) = part.remove();
        if let Err(error) = monitor.execute(command, arguments) {
            tracing::warn!("a part of an unplugged device stays: {}", Error::from(error));
        }
    }
}

impl QemuConnection {
    fn live_trees(&self, guest: &Guest) -> Result<(Arc<Monitor>, Element, Element)> {
        let condition = guest.lock();
        let active = condition.running()?;
        Ok((active.monitor.clone(), active.definition.tree()?, active.base.tree()?))
    }

    /// Plugs a device into a running guest.
    pub(super) fn plug(&self, guest: &Arc<Guest>, device: &Element) -> Result<()> {
        let (monitor, active, base) = self.live_trees(guest)?;
        check_pluggable(&active, device)?;
        let completed = self.completed_with(&base, device)?;
        let mut with = active.clone();
        let all = || completed.controllers.iter().chain(std::iter::once(&completed.device));
        all().for_each(|device| insert_device(&mut with, device.clone()));
        let folder = self.inventory().store.paths.guest(guest.uuid);
        let less = parts_of(&active, guest, &folder)?;
        let more = parts_of(&with, guest, &folder)?;
        if more.beside > less.beside {
            let words = "a device that needs a process beside QEMU cannot be plugged in live";
            return Err(unsupported(words));
        }
        for preparation in more.prepare.iter().filter(|step| !less.prepare.contains(step)) {
            super::blueprint::prepare(preparation)?;
        }
        let undo: Vec<Vec<String>> =
            more.clean_up.iter().filter(|step| !less.clean_up.contains(step)).cloned().collect();
        let mut active = active;
        let mut alias = String::new();
        for device in all() {
            let added = self.add_parts(&monitor, &mut active, &more, device);
            alias = added.inspect_err(|_| stop::clean_up(&undo))?;
        }
        keep_live(self.inventory(), guest, &active, &completed.base)?;
        if !undo.is_empty() {
            let mut condition = guest.lock();
            condition.running_mut()?.clean_up.extend(undo);
            self.inventory().write_status(&condition);
        }
        self.inventory().tell(guest.lock().reference(), DomainEvent::DeviceAdded { alias });
        Ok(())
    }

    /// Makes what QEMU needs for one device, and writes the device into the active definition; answers its alias.
    fn add_parts(
        &self,
        monitor: &Monitor,
        active: &mut Element,
        more: &Parts,
        device: &Element,
    ) -> Result<String> {
        let devices = more.active.child("devices").into_iter().flat_map(Element::elements);
        let shown = devices.filter(|known| is_same(known, device)).last();
        let mut shown = shown.cloned().unwrap_or_else(|| device.clone());
        let passed = shown.child_attribute("alias", "name").unwrap_or("").to_string();
        let mut parts = belongings(&more.parts, &passed);
        if parts.is_empty() {
            let name = &device.name;
            return Err(unsupported(format!("live attach of this '{name}' is not supported")));
        }
        // Names go by the order of devices, and a running guest may have a gap: what is taken is not taken twice.
        let alias = match device.name.as_str() {
            "controller" => passed.clone(),
            _ => free_alias(active, &passed),
        };
        rename_parts(&mut parts, &passed, &alias);
        shown.child_or_new("alias").set("name", &alias);
        if parts.last().is_some_and(|own| own.value.get("chardev").is_some()) {
            let value = argv::backend_object(&shown, &format!("char{alias}"))?;
            parts.insert(0, Part { option: "-chardev".to_string(), value });
        }
        if let Some(terminal) = add_all(monitor, &parts)? {
            shown.remove("source");
            shown.nodes.insert(0, Node::Element(Element::new("source").with("path", terminal)));
        }
        for (command, arguments) in argv::commands_for(&shown) {
            if let Err(error) = monitor.execute(command, arguments) {
                remove_all(monitor, &parts);
                return Err(error.into());
            }
        }
        insert_device(active, shown);
        Ok(alias)
    }

    /// Takes a device out of a running guest, which must let go of it.
    pub(super) fn unplug(
        &self,
        guest: &Arc<Guest>,
        is_meant: &dyn Fn(&Element) -> bool,
        gone: impl Fn() -> Error,
    ) -> Result<()> {
        let (monitor, active, mut base) = self.live_trees(guest)?;
        let meant =
            active.child("devices").into_iter().flat_map(Element::elements).find(|known| is_meant(known));
        let meant = meant.cloned().ok_or_else(&gone)?;
        let alias = meant.child_attribute("alias", "name").map(str::to_string).ok_or_else(gone)?;
        let mut without = active.clone();
        take_out(&mut without, &|known| *known == meant);
        check_unpluggable(&meant)?;
        monitor.execute("device_del", json!({ "id": alias }))?;
        self.wait_for_removal(guest, &alias, "device")?;
        match meant.name.as_str() {
            "disk" => collect_nodes(&monitor)?,
            // What is behind the device bears its name; a device without such a part has none to lose.
            "interface" => drop(monitor.execute("netdev_del", json!({ "id": format!("host{alias}") }))),
            "channel" | "console" | "serial" => {
                drop(monitor.execute("chardev-remove", json!({ "id": format!("char{alias}") })));
            }
            "input" | "controller" | "watchdog" | "vsock" => {}
            _ => drop(monitor.execute("object-del", json!({ "id": format!("obj{alias}") }))),
        }
        take_out(&mut base, &|known| is_same(known, &meant));
        keep_live(self.inventory(), guest, &without, &base)?;
        if let Some(tap) = meant.child_attribute("target", "dev").filter(|_| meant.name == "interface") {
            let mut condition = guest.lock();
            let clean_up = &mut condition.running_mut()?.clean_up;
            let of_it = |step: &Vec<String>| step.last().is_some_and(|last| last == tap);
            let (now, later) = std::mem::take(clean_up).into_iter().partition(of_it);
            *clean_up = later;
            self.inventory().write_status(&condition);
            drop(condition);
            stop::clean_up(&now);
        }
        Ok(())
    }
}

/// A drive's medium about to be changed.
pub struct Swap<'a> {
    /// The guest.
    pub guest: &'a Arc<Guest>,
    /// What it runs as now.
    pub old: &'a Element,
    /// What it is to run as.
    pub new: &'a Element,
    /// The drive with its new medium.
    pub device: &'a Element,
}

impl Swap<'_> {
    /// Changes the medium; a tray the guest has locked is opened only by force.
    pub fn run(&self, force: bool) -> Result<()> {
        let monitor = self.guest.monitor()?;
        let folder = std::path::Path::new("/nonexistent");
        let (old, new) = (parts_of(self.old, self.guest, folder)?, parts_of(self.new, self.guest, folder)?);
        let nodes =
            |parts: Vec<Part>| parts.into_iter().filter(|p| p.option == "-blockdev").collect::<Vec<_>>();
        let (out, into) = (nodes(difference(&old, &new)), nodes(difference(&new, &old)));
        let devices = self.old.child("devices").into_iter().flat_map(Element::elements);
        let mut drives = devices.filter(|known| is_same(known, self.device));
        let alias = drives.next().and_then(|drive| drive.child_attribute("alias", "name"));
        let alias = alias.ok_or_else(|| unsupported("this drive has no name in QEMU"))?;
        monitor.execute("blockdev-open-tray", json!({ "id": alias, "force": force }))?;
        if !out.is_empty() {
            monitor.execute("blockdev-remove-medium", json!({ "id": alias }))?;
            remove_all(&monitor, &out);
        }
        if let Some(top) = into.last() {
            let added = add_all(&monitor, &into).and_then(|_| {
                let node = top.value.get("node-name").cloned().unwrap_or(Value::Null);
                let inserted =
                    monitor.execute("blockdev-insert-medium", json!({ "id": alias, "node-name": node }));
                inserted.map(|_| ()).map_err(|error| {
                    remove_all(&monitor, &into);
                    error.into()
                })
            });
            if let Err(error) = added {
                self.put_back(&monitor, alias, &out);
                return Err(error);
            }
        }
        monitor.execute("blockdev-close-tray", json!({ "id": alias }))?;
        Ok(())
    }

    /// The new medium could not be put in: the old one returns.
    fn put_back(&self, monitor: &Monitor, alias: &str, old: &[Part]) {
        let put = || -> Result<()> {
            if let Some(top) = old.last() {
                add_all(monitor, old)?;
                let node = top.value.get("node-name").cloned().unwrap_or(Value::Null);
                monitor.execute("blockdev-insert-medium", json!({ "id": alias, "node-name": node }))?;
            }
            monitor.execute("blockdev-close-tray", json!({ "id": alias }))?;
            Ok(())
        };
        if let Err(error) = put() {
            tracing::error!("drive '{alias}' stays empty: {error}");
        }
    }
}
