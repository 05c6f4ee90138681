//! I/O threads: their numbers in a definition.

use super::definition::{self, insert_after, part};
use super::{Error, Result, cpus};
use crate::xml::Element;

/// The numbers of a definition's I/O threads: those it lists, and the lowest free ones for the rest of the count.
pub(super) fn ids(tree: &Element) -> Vec<u32> {
    let listed = tree.child("iothreadids").into_iter().flat_map(|ids| ids.children("iothread"));
    let number = |thread: &Element| thread.attribute("id").and_then(|id| id.parse().ok());
    let mut ids: Vec<u32> = listed.filter_map(number).collect();
    let count = definition::number(tree, "iothreads").unwrap_or(0) as usize;
    let mut next = 1;
    while ids.len() < count {
        if !ids.contains(&next) {
            ids.push(next);
        }
        next += 1;
    }
    ids
}

/// Writes every number out and makes the count fit.
fn write(tree: &mut Element, ids: &[u32]) {
    if ids.is_empty() {
        tree.remove("iothreads");
        tree.remove("iothreadids");
        return;
    }
    part(tree, "iothreads").set_text(ids.len());
    let held = part(tree, "iothreadids");
    held.retain(|thread| {
        let id = thread.attribute("id").and_then(|id| id.parse().ok());
        id.is_some_and(|id| ids.contains(&id))
    });
    for id in ids {
        let id = id.to_string();
        if !held.children("iothread").any(|thread| thread.attribute("id") == Some(&id)) {
            insert_after(held, Element::new("iothread").with("id", id), &["iothread"]);
        }
    }
}

/// Refuses a number that is taken.
pub(super) fn expect_free(tree: &Element, id: u32) -> Result<()> {
    match ids(tree).contains(&id) {
        true => Err(Error::invalid_argument(format!("an IOThread is already using iothread_id '{id}'"))),
        false => Ok(()),
    }
}

/// Refuses a number that no thread has.
pub(super) fn expect_known(tree: &Element, id: u32) -> Result<()> {
    match ids(tree).contains(&id) {
        true => Ok(()),
        false => Err(Error::invalid_argument(format!("cannot find IOThread '{id}' in iothreadids list"))),
    }
}

/// Adds a thread.
pub(super) fn add(tree: &mut Element, id: u32) {
    let mut all = ids(tree);
    all.push(id);
    write(tree, &all);
}

/// Takes a thread away, and its pin.
pub(super) fn remove(tree: &mut Element, id: u32) {
    let mut all = ids(tree);
    all.retain(|known| *known != id);
    write(tree, &all);
    cpus::unpin(tree, "iothreadpin", Some(("iothread", id)));
}

/// Pins a thread; what is pinned by its number is listed by it.
pub(super) fn pin(tree: &mut Element, id: u32, map: &[u8]) {
    let all = ids(tree);
    write(tree, &all);
    cpus::pin(tree, "iothreadpin", Some(("iothread", id)), map);
}
