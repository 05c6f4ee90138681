//! Definitions that come, change and go: files, looked at anew only when the time or size of one is another.

use crate::backend::xen::definitions::{Definitions, Stamp};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::model::event::{DomainEvent, Event};
use std::collections::BTreeMap;
use std::path::PathBuf;
use uuid::Uuid;

/// What is remembered of a definition.
#[derive(Clone, PartialEq, Eq)]
struct Known {
    name: String,
    path: PathBuf,
    stamp: Option<Stamp>,
}

/// The definitions at the last look.
pub(super) struct Shelf {
    definitions: Definitions,
    stamps: BTreeMap<PathBuf, Stamp>,
    known: BTreeMap<Uuid, Known>,
}

fn lifecycle(uuid: Uuid, name: &str, event: i32, detail: i32) -> Event {
    let domain = DomainRef { name: name.to_string(), uuid, id: None };
    Event::Domain(domain, DomainEvent::Lifecycle { event, detail })
}

impl Shelf {
    /// Takes a first look, which tells nothing.
    pub(super) fn new(definitions: Definitions) -> Shelf {
        let mut shelf = Shelf { definitions, stamps: BTreeMap::new(), known: BTreeMap::new() };
        shelf.look();
        shelf
    }

    /// Takes a new look and tells what happened since the last one.
    pub(super) fn look(&mut self) -> Vec<Event> {
        let stamps = self.definitions.stamps();
        if stamps == self.stamps {
            return Vec::new();
        }
        let all = self.definitions.all().into_iter().map(|definition| {
            let stamp = stamps.get(&definition.path).copied();
            (definition.uuid, Known { name: definition.name, path: definition.path, stamp })
        });
        let now: BTreeMap<Uuid, Known> = all.collect();
        let mut events = Vec::new();
        for (uuid, old) in self.known.iter().filter(|(uuid, _)| !now.contains_key(*uuid)) {
            events.push(lifecycle(*uuid, &old.name, DOMAIN_EVENT_UNDEFINED, DOMAIN_EVENT_UNDEFINED_REMOVED));
        }
        for (uuid, new) in &now {
            let detail = match self.known.get(uuid) {
                Some(old) if old == new => continue,
                Some(old) if old.name != new.name => {
                    let renamed = DOMAIN_EVENT_UNDEFINED_RENAMED;
                    events.push(lifecycle(*uuid, &old.name, DOMAIN_EVENT_UNDEFINED, renamed));
                    DOMAIN_EVENT_DEFINED_RENAMED
                }
                Some(_) => DOMAIN_EVENT_DEFINED_UPDATED,
                None => DOMAIN_EVENT_DEFINED_ADDED,
            };
            events.push(lifecycle(*uuid, &new.name, DOMAIN_EVENT_DEFINED, detail));
        }
        (self.stamps, self.known) = (stamps, now);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// The events of a look, as name, event and detail.
    fn seen(shelf: &mut Shelf) -> Vec<(String, i32, i32)> {
        let told = shelf.look().into_iter().map(|event| match event {
            Event::Domain(domain, DomainEvent::Lifecycle { event, detail }) => (domain.name, event, detail),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn files_that_come_change_and_go_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let put = |file: &str, name: &str, more: &str| {
            let uuid = "0badcafe-0000-4000-8000-000000000001";
            let text = format!("name = '{name}'\nuuid = '{uuid}'\nmemory = 64\n{more}");
            fs::write(folder.path().join(file), text).unwrap();
        };
        fs::write(folder.path().join("old"), "name = 'old'\nmemory = 64\n").unwrap();
        let mut shelf = Shelf::new(Definitions::of_xm(folder.path()));
        assert_eq!(seen(&mut shelf), []);
        put("one.cfg", "one", "");
        assert_eq!(seen(&mut shelf), [("one".to_string(), 0, 0)]);
        assert_eq!(seen(&mut shelf), []);
        put("one.cfg", "one", "vcpus = 2\n");
        assert_eq!(seen(&mut shelf), [("one".to_string(), 0, 1)]);
        put("one.cfg", "other", "vcpus = 2\n");
        assert_eq!(seen(&mut shelf), [("one".to_string(), 1, 1), ("other".to_string(), 0, 2)]);
        fs::write(folder.path().join("notes"), "no configuration").unwrap();
        assert_eq!(seen(&mut shelf), []);
        fs::remove_file(folder.path().join("one.cfg")).unwrap();
        fs::remove_file(folder.path().join("old")).unwrap();
        let mut gone = seen(&mut shelf);
        gone.sort();
        assert_eq!(gone, [("old".to_string(), 1, 0), ("other".to_string(), 1, 0)]);
    }
}
