//! What must have happened between two looks at the domains.

use crate::backend::xen::hypervisor::{ShutdownReason, XenDomain};
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::model::event::{DomainEvent, Event};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a new domain may stay nameless or paused before it counts as started: its toolstack builds it paused and
/// names it on the way.
const TIME_TO_BUILD: Duration = Duration::from_secs(15);

/// A domain at one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resident {
    id: u32,
    uuid: Uuid,
    paused: bool,
    dying: bool,
    shutdown: Option<ShutdownReason>,
}

impl Resident {
    /// A domain of which nothing more is known.
    pub(super) fn new(id: u32, uuid: Uuid) -> Resident {
        Resident { id, uuid, paused: false, dying: false, shutdown: None }
    }
}

impl From<XenDomain> for Resident {
    fn from(domain: XenDomain) -> Resident {
        let XenDomain { id, uuid, paused, dying, shutdown, .. } = domain;
        Resident { id, uuid, paused, dying, shutdown }
    }
}

/// What is remembered of a domain.
struct Known {
    last: Resident,
    name: Option<String>,
    /// Since when it is there and its start has not been told; `None` once it was.
    building_since: Option<Instant>,
    /// Whether it was told that it crashed and lies there.
    crash_told: bool,
}

/// The domains at the last look.
#[derive(Default)]
pub(super) struct Census {
    /// Whether there was a look before: the first one tells nothing.
    begun: bool,
    known: BTreeMap<u32, Known>,
}

fn lifecycle(known: &Known, id: Option<u32>, event: i32, detail: i32) -> Event {
    let uuid = known.last.uuid;
    let name = known.name.clone().unwrap_or_else(|| uuid.to_string());
    Event::Domain(DomainRef { name, uuid, id }, DomainEvent::Lifecycle { event, detail })
}

impl Census {
    /// Takes a new look and tells what happened since the last one. `names` asks for domains' names by their ids.
    pub(super) fn compare(
        &mut self,
        residents: Vec<Resident>,
        when: Instant,
        names: impl Fn(&[u32]) -> Vec<Option<String>>,
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let living: BTreeMap<u32, Resident> =
            residents.into_iter().filter(|domain| !domain.dying).map(|domain| (domain.id, domain)).collect();
        let is_gone =
            |known: &Known| living.get(&known.last.id).is_none_or(|now| now.uuid != known.last.uuid);
        let gone: Vec<u32> =
            self.known.values().filter(|known| is_gone(known)).map(|known| known.last.id).collect();
        for id in gone {
            if let Some(known) = self.known.remove(&id)
                && known.building_since.is_none()
            {
                events.push(lifecycle(&known, None, DOMAIN_EVENT_STOPPED, why_stopped(known.last.shutdown)));
            }
        }
        let first_look = !self.begun;
        self.begun = true;
        for now in living.values() {
            self.known.entry(now.id).or_insert_with(|| Known {
                last: now.clone(),
                name: None,
                building_since: (!first_look).then_some(when),
                crash_told: false,
            });
        }
        let nameless = self.known.values_mut().filter(|known| known.name.is_none());
        let (ids, nameless): (Vec<u32>, Vec<&mut Known>) =
            nameless.map(|known| (known.last.id, known)).unzip();
        if !ids.is_empty() {
            nameless.into_iter().zip(names(&ids)).for_each(|(known, name)| known.name = name);
        }
        for (id, now) in living {
            if let Some(known) = self.known.get_mut(&id) {
                known.look(now, when, &mut events);
            }
        }
        events
    }
}

impl Known {
    /// Tells what happened to a domain that is still there.
    fn look(&mut self, now: Resident, when: Instant, events: &mut Vec<Event>) {
        let id = Some(now.id);
        let before = std::mem::replace(&mut self.last, now);
        let mut tell = |known: &Known, event, detail| events.push(lifecycle(known, id, event, detail));
        let is_built = !self.last.paused && self.name.is_some();
        match self.building_since {
            Some(since) if !is_built && when.duration_since(since) < TIME_TO_BUILD => {}
            Some(_) => {
                self.building_since = None;
                tell(self, DOMAIN_EVENT_STARTED, DOMAIN_EVENT_STARTED_BOOTED);
                if self.last.paused {
                    tell(self, DOMAIN_EVENT_SUSPENDED, DOMAIN_EVENT_SUSPENDED_PAUSED);
                }
            }
            None if self.last.shutdown.is_some() => {
                // Its toolstack takes it away by itself; one that it leaves lying is worth a word.
                let lies = before.shutdown == Some(ShutdownReason::Crash) && !self.crash_told;
                if lies && self.last.shutdown == before.shutdown {
                    self.crash_told = true;
                    tell(self, DOMAIN_EVENT_CRASHED, DOMAIN_EVENT_CRASHED_PANICKED);
                }
            }
            None => match (before.paused, self.last.paused) {
                (false, true) => tell(self, DOMAIN_EVENT_SUSPENDED, DOMAIN_EVENT_SUSPENDED_PAUSED),
                (true, false) => tell(self, DOMAIN_EVENT_RESUMED, DOMAIN_EVENT_RESUMED_UNPAUSED),
                _ => {}
            },
        }
    }
}

/// Why a domain that is gone went, by the last that was seen of it.
fn why_stopped(shutdown: Option<ShutdownReason>) -> i32 {
    match shutdown {
        None => DOMAIN_EVENT_STOPPED_DESTROYED,
        Some(ShutdownReason::Crash | ShutdownReason::Watchdog) => DOMAIN_EVENT_STOPPED_CRASHED,
        Some(ShutdownReason::Suspend) => DOMAIN_EVENT_STOPPED_SAVED,
        Some(_) => DOMAIN_EVENT_STOPPED_SHUTDOWN,
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn domain(id: u32) -> Resident {
        Resident::new(id, Uuid::from_u128(u128::from(id) + 100))
    }

    fn told(events: Vec<Event>) -> Vec<(String, Option<u32>, i32, i32)> {
        let told = events.into_iter().map(|event| match event {
            Event::Domain(domain, DomainEvent::Lifecycle { event, detail }) => {
                (domain.name, domain.id, event, detail)
            }
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    /// Takes looks one after the other, the first one telling nothing.
    fn looks(all: Vec<Vec<Resident>>) -> Vec<(String, Option<u32>, i32, i32)> {
        let mut census = Census::default();
        let mut seen = Vec::new();
        let begun = Instant::now();
        for (number, residents) in (0..).zip(all) {
            let when = begun + number * Duration::from_secs(5);
            let names = |ids: &[u32]| ids.iter().map(|id| Some(format!("guest{id}"))).collect();
            seen.extend(told(census.compare(residents, when, names)));
        }
        seen
    }

    fn event(id: Option<u32>, event: i32, detail: i32) -> (String, Option<u32>, i32, i32) {
        ("guest1".to_string(), id, event, detail)
    }

    #[test]
    fn who_was_there_before_is_no_news() {
        assert_eq!(looks(vec![vec![domain(0), domain(1)], vec![domain(0), domain(1)]]), []);
    }

    #[test]
    fn a_domain_is_built_paused_and_starts_when_it_runs() {
        let paused = Resident { paused: true, ..domain(1) };
        let seen =
            looks(vec![vec![], vec![paused.clone()], vec![domain(1)], vec![paused.clone()], vec![domain(1)]]);
        let wanted = [
            event(Some(1), DOMAIN_EVENT_STARTED, 0),
            event(Some(1), DOMAIN_EVENT_SUSPENDED, DOMAIN_EVENT_SUSPENDED_PAUSED),
            event(Some(1), DOMAIN_EVENT_RESUMED, DOMAIN_EVENT_RESUMED_UNPAUSED),
        ];
        assert_eq!(seen, wanted);
        let stays = looks([vec![vec![]], vec![vec![paused]; 6]].concat());
        assert_eq!(stays.len(), 2, "{stays:?}");
    }

    #[test]
    fn how_a_domain_ended_is_told_when_it_is_gone() {
        for (reason, detail) in [
            (None, DOMAIN_EVENT_STOPPED_DESTROYED),
            (Some(ShutdownReason::Poweroff), DOMAIN_EVENT_STOPPED_SHUTDOWN),
            (Some(ShutdownReason::Reboot), DOMAIN_EVENT_STOPPED_SHUTDOWN),
            (Some(ShutdownReason::Crash), DOMAIN_EVENT_STOPPED_CRASHED),
            (Some(ShutdownReason::Suspend), DOMAIN_EVENT_STOPPED_SAVED),
        ] {
            let last = Resident { shutdown: reason, ..domain(1) };
            let dying = Resident { dying: true, ..last.clone() };
            let seen = looks(vec![vec![domain(1)], vec![last], vec![dying], vec![]]);
            assert_eq!(seen, [event(None, DOMAIN_EVENT_STOPPED, detail)], "{reason:?}");
        }
    }

    #[test]
    fn an_id_that_another_domain_has_by_now_is_an_end_and_a_start() {
        let other = Resident::new(1, Uuid::from_u128(7));
        let seen = looks(vec![vec![domain(1)], vec![other]]);
        let wanted = [
            event(None, DOMAIN_EVENT_STOPPED, DOMAIN_EVENT_STOPPED_DESTROYED),
            event(Some(1), DOMAIN_EVENT_STARTED, 0),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn a_domain_that_nobody_named_and_that_never_ran_leaves_no_trace() {
        let mut census = Census::default();
        let paused = Resident { paused: true, ..domain(1) };
        census.compare(Vec::new(), Instant::now(), |_| vec![None]);
        assert_eq!(census.compare(vec![paused], Instant::now(), |_| vec![None]), []);
        assert_eq!(census.compare(Vec::new(), Instant::now(), |_| vec![None]), []);
    }

    #[test]
    fn a_crashed_domain_that_is_left_lying_is_told_once() {
        let crashed = Resident { shutdown: Some(ShutdownReason::Crash), ..domain(1) };
        let seen = looks([vec![vec![domain(1)]], vec![vec![crashed]; 4]].concat());
        assert_eq!(seen, [event(Some(1), DOMAIN_EVENT_CRASHED, DOMAIN_EVENT_CRASHED_PANICKED)]);
    }
}
