//! I/O threads of a guest: added, taken away, tuned.

use super::QemuConnection;
use super::change::{asked_definition, edit_config, edit_live, impact};
use super::stats::disks;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};
use crate::qemud::argv;
use crate::qemud::vm::guest::Guest;
use crate::xml::domain::DOMAIN;
use crate::xml::{Element, Node};
use serde_json::json;

fn bad(detail: impl std::fmt::Display) -> Error {
    Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU)
}

/// Writes the threads into a definition.
fn write(tree: &mut Element, ids: &[u32]) {
    tree.remove("iothreads");
    let mut known = tree.child("iothreadids").cloned().unwrap_or_else(|| Element::new("iothreadids"));
    tree.remove("iothreadids");
    if !ids.is_empty() {
        let is = |element: &Element, id: u32| element.attribute("id") == Some(&id.to_string());
        known.retain(|element| ids.iter().any(|id| is(element, *id)));
        for id in ids {
            if !known.elements().any(|element| is(element, *id)) {
                known.nodes.push(Node::Element(Element::new("iothread").with("id", id)));
            }
        }
        tree.push(Element::new("iothreads").with_text(ids.len()));
        tree.push(known);
    }
    DOMAIN.arrange(tree);
}

/// The threads with one more.
fn with(tree: &Element, id: u32) -> Result<Vec<u32>> {
    let mut ids = argv::iothreads(tree);
    if ids.contains(&id) {
        return Err(bad(format!("an IOThread is already using iothread_id '{id}'")));
    }
    ids.push(id);
    Ok(ids)
}

/// The threads without one that nothing uses.
fn without(tree: &Element, id: u32) -> Result<Vec<u32>> {
    let mut ids = argv::iothreads(tree);
    if !ids.contains(&id) {
        return Err(bad(format!("cannot find IOThread '{id}' in iothreadids list")));
    }
    let uses = |device: &Element| {
        let driver = device.child("driver");
        let named = driver.and_then(|driver| driver.attribute("iothread")) == Some(&id.to_string());
        let mapped = driver.and_then(|driver| driver.child("iothreads"));
        let mut mapped = mapped.into_iter().flat_map(|list| list.children("iothread"));
        named || mapped.any(|thread| thread.attribute("id") == Some(&id.to_string()))
    };
    if let Some(disk) = disks(tree).find(|disk| uses(disk)) {
        let target = disk.child_attribute("target", "dev").unwrap_or_default();
        return Err(bad(format!("cannot remove IOThread {id} since it is being used by disk '{target}'")));
    }
    let devices = tree.child("devices");
    if devices.into_iter().flat_map(|devices| devices.children("controller")).any(uses) {
        return Err(bad(format!("cannot remove IOThread '{id}' since it is being used by controller")));
    }
    ids.retain(|known| *known != id);
    Ok(ids)
}

impl QemuConnection {
    pub(super) fn add_thread(&self, domain: &DomainRef, id: u32, flags: u32) -> Result<()> {
        self.change_threads(domain, "virDomainAddIOThread", flags, &|tree| with(tree, id), &|guest| {
            let arguments = json!({ "qom-type": "iothread", "id": format!("iothread{id}") });
            guest.monitor()?.execute("object-add", arguments)?;
            Ok(())
        })
    }

    pub(super) fn remove_thread(&self, domain: &DomainRef, id: u32, flags: u32) -> Result<()> {
        self.change_threads(domain, "virDomainDelIOThread", flags, &|tree| without(tree, id), &|guest| {
            guest.monitor()?.execute("object-del", json!({ "id": format!("iothread{id}") }))?;
            Ok(())
        })
    }

    /// Brings a running guest and its definition to the threads that `wanted` says; both must be possible first.
    fn change_threads(
        &self,
        domain: &DomainRef,
        operation: &'static str,
        flags: u32,
        wanted: &dyn Fn(&Element) -> Result<Vec<u32>>,
        act: &dyn Fn(&Guest) -> Result<()>,
    ) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn(operation)?;
        let impact = impact(&guest.lock(), flags)?;
        let asked =
            |affect: u32| -> Result<Vec<u32>> { wanted(&asked_definition(&guest.lock(), affect)?.tree()?) };
        let live = if impact.live { Some(asked(DOMAIN_AFFECT_LIVE)?) } else { None };
        let config = if impact.config { Some(asked(DOMAIN_AFFECT_CONFIG)?) } else { None };
        if let Some(ids) = live {
            act(&guest)?;
            edit_live(self.inventory(), &guest, |tree| {
                write(tree, &ids);
                Ok(())
            })?;
        }
        if let Some(ids) = config {
            edit_config(self.inventory(), &guest, |tree| {
                write(tree, &ids);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Tunes how a thread of a running guest polls.
    pub(super) fn tune_thread(
        &self,
        domain: &DomainRef,
        id: u32,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainSetIOThreadParams")?;
        if impact(&guest.lock(), flags)?.config {
            let detail = "the polling of an IOThread cannot be kept in a definition by this driver";
            return Err(Error::unsupported_configuration(detail).from_origin(ErrorOrigin::QEMU));
        }
        let tree = guest.lock().running()?.definition.tree()?;
        if !argv::iothreads(&tree).contains(&id) {
            return Err(bad(format!("cannot find IOThread '{id}' in iothreadids")));
        }
        let properties = [
            ("poll_max_ns", "poll-max-ns"),
            ("poll_grow", "poll-grow"),
            ("poll_shrink", "poll-shrink"),
            ("thread_pool_min", "thread-pool-min"),
            ("thread_pool_max", "thread-pool-max"),
        ];
        let mut wanted = Vec::new();
        for param in params {
            let known = properties.iter().find(|(name, _)| *name == param.name);
            let value = param.value.as_u64();
            let (Some((_, property)), Some(value)) = (known, value) else {
                return Err(bad(format!("parameter '{}' not supported", param.name)));
            };
            wanted.push((property, value));
        }
        for (property, value) in wanted {
            let path = format!("/objects/iothread{id}");
            let arguments = json!({ "path": path, "property": property, "value": value });
            guest.monitor()?.execute("qom-set", arguments)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_come_and_go_in_a_definition() {
        let text = "<domain><vcpu>1</vcpu><iothreads>1</iothreads><os/><devices><disk><driver iothread='1'/>\
                    <target dev='vda'/></disk></devices></domain>";
        let mut tree = crate::xml::parse(text, "x").unwrap();
        let ids = with(&tree, 7).unwrap();
        write(&mut tree, &ids);
        assert_eq!(argv::iothreads(&tree), [1, 7]);
        assert!(with(&tree, 7).is_err());
        let used = without(&tree, 1).unwrap_err().to_string();
        assert_eq!(used, "invalid argument: cannot remove IOThread 1 since it is being used by disk 'vda'");
        let ids = without(&tree, 7).unwrap();
        write(&mut tree, &ids);
        write(&mut tree, &[]);
        assert!(tree.child("iothreads").is_none() && tree.child("iothreadids").is_none());
    }
}
