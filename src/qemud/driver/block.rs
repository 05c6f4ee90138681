//! What is changed about a disk while its guest runs: its size, its limits, the mark that it may not write past in silence.

use super::QemuConnection;
use super::change::{asked_definition, edit_config, edit_live, impact};
use super::stats::{disks, stats_of};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::event::DomainEvent;
use crate::model::{DomainRef, TypedParam};
use crate::qemud::argv::throttle::{self, LIMITS};
use crate::xml::Element;
use serde_json::{Value, json};

fn bad(detail: impl std::fmt::Display) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU)
}

/// The disk of this target.
fn disk_of<'a>(tree: &'a Element, target: &str) -> Option<&'a Element> {
    disks(tree).find(|disk| disk.child_attribute("target", "dev") == Some(target))
}

/// The disk a client means, by target or by source.
fn disk_named<'a>(tree: &'a Element, name: &str) -> Option<&'a Element> {
    let source = |disk: &Element| {
        ["file", "dev"].iter().any(|attribute| disk.child_attribute("source", attribute) == Some(name))
    };
    disk_of(tree, name).or_else(|| disks(tree).find(|disk| source(disk)))
}

/// The node that stands for the file of an image, from an entry of `query-blockstats`: below its format, if it has one.
fn storage_node(entry: &Value) -> Option<&str> {
    let below = entry.pointer("/parent/node-name").and_then(Value::as_str);
    below.or_else(|| entry.get("node-name").and_then(Value::as_str))
}

impl QemuConnection {
    pub(super) fn resize_disk(&self, domain: &DomainRef, name: &str, size: u64, flags: u32) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainBlockResize")?;
        let tree = guest.lock().running()?.definition.tree()?;
        let disk = disk_named(&tree, name);
        let disk = disk.ok_or_else(|| bad(format!("disk '{name}' was not found in the domain config")))?;
        let raw = disk.child_attribute("driver", "type").unwrap_or("raw") == "raw";
        let mut bytes = if flags & DOMAIN_BLOCK_RESIZE_BYTES != 0 {
            size
        } else {
            size.checked_mul(1024)
                .ok_or_else(|| bad(format!("size must be less than {}", u64::MAX / 1024)))?
        };
        if flags & DOMAIN_BLOCK_RESIZE_CAPACITY != 0 {
            let source = disk.child_attribute("source", "dev").filter(|_| raw);
            let whole = source.and_then(|source| super::stats_all::file_facts(source).ok());
            let whole = whole.ok_or_else(|| {
                let detail =
                    "block resize to full capacity supported only with 'raw' local block-based disks";
                Error::new(ErrorCode::OPERATION_UNSUPPORTED, detail).from_origin(ErrorOrigin::QEMU)
            })?;
            if size != 0 && bytes != whole.length {
                let detail = format!("Requested resize to '{bytes}' but device size is '{}'", whole.length);
                return Err(bad(detail));
            }
            bytes = whole.length;
        }
        if !raw {
            // Formats count in sectors.
            bytes = bytes.div_ceil(512).saturating_mul(512);
        }
        let answer = guest.monitor()?.query("query-blockstats")?;
        let node = stats_of(&answer, disk).and_then(|entry| entry.get("node-name")?.as_str());
        let node = node.ok_or_else(|| bad(format!("disk '{name}' is empty")))?;
        guest.monitor()?.execute("block_resize", json!({ "node-name": node, "size": bytes }))?;
        Ok(())
    }

    pub(super) fn mark_disk(&self, domain: &DomainRef, name: &str, threshold: u64) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetBlockThreshold")?;
        let tree = guest.lock().running()?.definition.tree()?;
        let (target, wanted) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((target, index)) => (target, Some(index)),
            None => (name, None),
        };
        let disk = disk_of(&tree, target);
        let disk = disk.ok_or_else(|| bad(format!("failed to find disk '{target}'")))?;
        let mut sources = std::iter::once(disk.child("source")).chain(backing_sources(disk)).flatten();
        let is_meant =
            |source: &&Element| wanted.is_none_or(|wanted| source.attribute("index") == Some(wanted));
        let source = sources.find(is_meant).ok_or_else(|| bad(format!("failed to find disk '{name}'")))?;
        let index = source.attribute("index").unwrap_or_default();
        let monitor = guest.monitor()?;
        let answer = monitor.query("query-blockstats")?;
        let node = match disk.child("source") == Some(source) {
            true => stats_of(&answer, disk).and_then(storage_node).map(str::to_string),
            false => Some(format!("libvirt-{index}-storage")),
        };
        let node = node.ok_or_else(|| bad(format!("disk '{target}' is empty")))?;
        let path = source.attribute("file").or(source.attribute("dev")).unwrap_or_default().to_string();
        let mut names = vec![(format!("{target}[{index}]"), path.clone())];
        if wanted.is_none() {
            names.insert(0, (target.to_string(), path));
        }
        // Kept before QEMU is asked: its event may come before its answer.
        guest.lock().running_mut()?.marked_disks.insert(node.clone(), names);
        monitor.execute(
            "block-set-write-threshold",
            json!({ "node-name": node, "write-threshold": threshold }),
        )?;
        Ok(())
    }

    /// The limits of a disk; of none, as who only asks how many there are names none, all unset.
    pub(super) fn disk_limits(
        &self,
        domain: &DomainRef,
        name: Option<&str>,
        flags: u32,
    ) -> Result<Vec<TypedParam>> {
        let guest = self.find(domain)?;
        let live = impact(&guest.lock(), flags)?.live;
        let tree = asked_definition(&guest.lock(), flags)?.tree()?;
        let set = match name {
            None => throttle::Limits::default(),
            Some(name) => {
                let disk = disk_named(&tree, name);
                let disk = disk.ok_or_else(|| bad(format!("disk '{name}' not found in domain")))?;
                if live {
                    let answer = guest.monitor()?.query("query-block")?;
                    let inserted = stats_of(&answer, disk).and_then(|entry| entry.get("inserted")).cloned();
                    throttle::from_qemu(&inserted.unwrap_or(Value::Null))
                } else {
                    throttle::from_definition(disk)
                }
            }
        };
        Ok(LIMITS
            .iter()
            .map(|limit| match limit.name {
                "group_name" => TypedParam::new(limit.name, set.group.as_deref().unwrap_or("")),
                name => TypedParam::new(name, set.number(name)),
            })
            .collect())
    }

    pub(super) fn limit_disk(
        &self,
        domain: &DomainRef,
        name: &str,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetBlockIoTune")?;
        let impact = impact(&guest.lock(), flags)?;
        let changed = |tree: &Element| -> Result<(String, throttle::Limits)> {
            let disk = disk_named(tree, name);
            let disk = disk.ok_or_else(|| bad(format!("disk '{name}' not found in domain")))?;
            let limits = throttle::from_definition(disk).changed(params)?;
            Ok((disk.child_attribute("target", "dev").unwrap_or_default().to_string(), limits))
        };
        // Both must be possible before either is done.
        let config = match impact.config {
            true => Some(changed(&asked_definition(&guest.lock(), DOMAIN_AFFECT_CONFIG)?.tree()?)?),
            false => None,
        };
        if impact.live {
            let tree = guest.lock().running()?.definition.tree()?;
            let (target, limits) = changed(&tree)?;
            if let Some(disk) = disk_of(&tree, &target) {
                guest.monitor()?.execute("block_set_io_throttle", limits.command(disk))?;
            }
            edit_live(self.inventory(), &guest, |tree| {
                limits.write(tree, &target);
                Ok(())
            })?;
            let mut told = vec![TypedParam::new("blkdeviotune.disk", target.as_str())];
            told.extend(params.iter().map(|param| {
                let mut told = param.clone();
                told.name = format!("blkdeviotune.{}", param.name);
                told
            }));
            self.inventory().tell(guest.lock().reference(), DomainEvent::Tunable { params: told });
        }
        if let Some((target, limits)) = config {
            edit_config(self.inventory(), &guest, |tree| {
                limits.write(tree, &target);
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// The images below a disk's own.
fn backing_sources(disk: &Element) -> impl Iterator<Item = Option<&Element>> {
    std::iter::successors(disk.child("backingStore"), |store| store.child("backingStore"))
        .map(|store| store.child("source"))
}
