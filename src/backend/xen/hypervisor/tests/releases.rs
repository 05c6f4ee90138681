//! The same questions and changes on every release.

use super::played::{Played, domain};
use crate::backend::xen::hypervisor::*;
use crate::model::StateReason;
use uuid::Uuid;

fn open(played: &Played) -> Hypervisor {
    Hypervisor::behind(Box::new(played.clone()))
        .unwrap_or_else(|error| panic!("{:?}: {error}", played.release))
}

#[test]
fn each_release_is_recognized_without_a_harmful_question() {
    for played in Played::all() {
        let hypervisor = open(&played);
        assert_eq!(hypervisor.numbers(), played.release);
        let expected = match (played.sysctl, played.domctl) {
            (Some(sysctl), Some(domctl)) => Interface::Control { sysctl, domctl },
            _ => Interface::Dom0,
        };
        assert_eq!(hypervisor.interface(), expected);
        let asked = played.inside.lock().unwrap().asked.clone();
        // Of 3.0 the old form is tried first; no other release is ever asked in it.
        assert_eq!(asked.iter().any(|(number, ..)| *number == 7), played.release == (3, 0));
        assert!(asked.len() <= 8, "{:?}: {asked:x?}", played.release);
    }
}

#[test]
fn each_release_tells_its_domains() {
    for played in Played::all() {
        let hypervisor = open(&played);
        let domains = hypervisor.domains().unwrap();
        assert_eq!(
            domains.iter().map(|domain| domain.id).collect::<Vec<_>>(),
            [0, 1, 5],
            "{:?}",
            played.release
        );
        let one = &domains[1];
        assert_eq!(one.uuid, Uuid::from_bytes([1; 16]));
        assert_eq!((one.total_pages, one.max_pages, one.cpu_time), (32768, 33024, 11_000_000_000));
        assert_eq!((one.memory(), one.max_memory()), (131_072, Some(132_096)));
        assert_eq!((one.online_vcpus, one.vcpus), (1, 2));
        assert_eq!((one.kind, one.blocked, one.paused, one.shutdown), (Kind::Pv, true, false, None));
        assert_eq!(one.shared_pages, if played.release >= (4, 0) { 5 } else { 0 });
        assert_eq!(one.paged_pages, if played.release >= (4, 2) { 7 } else { 0 });
        assert_eq!(one.outstanding_pages, if played.release >= (4, 3) { 3 } else { 0 });
        assert_eq!(one.cpupool, (played.release >= (4, 1)).then_some(0));
        assert_eq!(hypervisor.domain(5).unwrap().map(|domain| domain.id), Some(5));
        assert_eq!(hypervisor.domain(3).unwrap(), None, "{:?}: the next one is not the one", played.release);
        assert_eq!(hypervisor.domain(9).unwrap(), None);
        assert_eq!(hypervisor.domain(0x7ff4).unwrap(), None);
    }
}

#[test]
fn each_release_tells_the_host() {
    for played in Played::all() {
        let physical = open(&played).physical().unwrap();
        assert_eq!((physical.cpus, physical.nodes, physical.khz), (8, 1, 2_596_138), "{:?}", played.release);
        assert_eq!((physical.threads_per_core, physical.cores_per_socket), (2, 4));
        let scrubbed = if played.is_old() { 0 } else { 24 };
        assert_eq!((physical.total_pages, physical.free()), (1_000_000, (1000 + scrubbed) * 4096));
    }
}

#[test]
fn each_release_is_paused_once_and_runs_again() {
    for played in Played::all() {
        let hypervisor = open(&played);
        let one = hypervisor.domain(1).unwrap().unwrap();
        let pauses = || played.inside.lock().unwrap().domains[1].pauses;
        hypervisor.pause(&one).unwrap();
        hypervisor.pause(&one).unwrap();
        assert_eq!(pauses(), 1, "{:?}: paused already is success, and not counted", played.release);
        assert_eq!(hypervisor.domain(1).unwrap().unwrap().state(), StateReason { state: 3, reason: 0 });
        hypervisor.unpause(&one).unwrap();
        hypervisor.unpause(&one).unwrap();
        assert_eq!(pauses(), 0, "{:?}", played.release);
        played.inside.lock().unwrap().domains[1].pauses = if played.release >= (4, 5) { 3 } else { 1 };
        hypervisor.unpause(&one).unwrap();
        assert_eq!(pauses(), 0, "{:?}: every pause is taken back", played.release);
    }
}

#[test]
fn each_release_takes_a_domain_apart() {
    for played in Played::all() {
        let hypervisor = open(&played);
        let one = hypervisor.domain(1).unwrap().unwrap();
        played.inside.lock().unwrap().domains[1].reluctance = 3;
        hypervisor.destroy(&one).unwrap();
        assert_eq!(hypervisor.domains().unwrap().len(), 2, "{:?}", played.release);
        let again = hypervisor.destroy(&one).unwrap_err();
        assert_eq!(again.to_string(), "Requested operation is not valid: domain is not running");
    }
}

#[test]
fn an_id_that_another_domain_has_by_now_is_not_hit() {
    for played in Played::all() {
        let hypervisor = open(&played);
        let one = hypervisor.domain(1).unwrap().unwrap();
        played.inside.lock().unwrap().domains[1].uuid = [9; 16];
        let changes = [
            hypervisor.pause(&one),
            hypervisor.unpause(&one),
            hypervisor.destroy(&one),
            hypervisor.set_max_memory(&one, 65536),
            hypervisor.set_affinity(&one, 0, &[1]),
            hypervisor.set_weight(&one, Some(300), None),
        ];
        assert!(changes.iter().all(Result::is_err), "{:?}", played.release);
        let inside = played.inside.lock().unwrap();
        let other = &inside.domains[1];
        assert_eq!((other.pauses, other.max_kib, other.weight, other.affinity[0]), (0, 0, 256, 3));
    }
}

#[test]
fn each_release_takes_memory_affinity_and_weight() {
    for played in Played::all() {
        let hypervisor = open(&played);
        let one = hypervisor.domain(1).unwrap().unwrap();
        let vcpus = hypervisor.vcpus(&one).unwrap();
        assert_eq!(vcpus.len(), 2);
        assert_eq!(
            (vcpus[0].online, vcpus[1].online, vcpus[0].blocked, vcpus[0].cpu),
            (true, false, true, 3)
        );
        hypervisor.set_max_memory(&one, 65536).unwrap();
        hypervisor.set_affinity(&one, 0, &[6]).unwrap();
        assert_eq!(hypervisor.affinity(&one, 0, 3).unwrap(), [6]);
        assert_eq!(hypervisor.affinity(&one, 0, 2).unwrap(), [2], "no CPU beyond those asked for");
        assert_eq!(hypervisor.affinity(&one, 0, 12).unwrap(), [6, 0]);
        assert_eq!(played.inside.lock().unwrap().domains[1].max_kib, 65536);
        if played.is_old() {
            assert_eq!(hypervisor.scheduler().unwrap(), Scheduler::Sedf);
            continue;
        }
        hypervisor.set_weight(&one, Some(512), None).unwrap();
        hypervisor.set_weight(&one, None, Some(50)).unwrap();
        let told = hypervisor.parameters(&one, hypervisor.scheduler().unwrap()).unwrap();
        assert_eq!(told, Some(Parameters::Weighted { weight: 512, cap: Some(50) }), "{:?}", played.release);
    }
}

#[test]
fn flags_are_read_as_their_release_meant_them() {
    let kind = |release: &str, flags: u32, emulated: u64| {
        let played = Played::release(release);
        {
            let mut inside = played.inside.lock().unwrap();
            inside.domains[1].flags = flags;
            inside.domains[1].emulated = emulated;
        }
        open(&played).domain(1).unwrap().unwrap().kind
    };
    assert_eq!(kind("4.17.0", 2, 0x1), Kind::Pvh);
    assert_eq!(kind("4.17.0", 2, 0x17f), Kind::Hvm);
    assert_eq!(kind("4.17.0", 128, 0), Kind::Pv, "a domain with a store in it");
    assert_eq!(kind("4.7.0", 128, 0), Kind::Pvh, "the first form of such guests");
    assert_eq!(kind("4.9.0", 2, 0), Kind::Hvm);
    assert_eq!(kind("3.2.0", 0, 0), Kind::Pv);

    let state = |flags: u32| {
        let played = Played::release("4.17.0");
        played.inside.lock().unwrap().domains[1].flags = flags;
        let domain = open(&played).domain(1).unwrap().unwrap();
        (domain.state().state, domain.shutdown)
    };
    assert_eq!(state(32), (1, None));
    assert_eq!(state(16 | 0xff << 16), (1, None), "without the flag there is no reason");
    assert_eq!(state(1), (4, None));
    assert_eq!(state(4), (4, Some(ShutdownReason::Poweroff)));
    assert_eq!(state(4 | 2 << 16), (3, Some(ShutdownReason::Suspend)));
    assert_eq!(state(4 | 3 << 16), (6, Some(ShutdownReason::Crash)));
    assert_eq!(state(4 | 77 << 16), (4, Some(ShutdownReason::Other(77))));
}

#[test]
fn a_uuid_leads_to_the_domain_that_lives() {
    let played = Played::release("4.17.0");
    let hypervisor = open(&played);
    let find = |number: u8, hint| {
        let found = hypervisor.domain_by_uuid(Uuid::from_bytes([number; 16]), hint).unwrap();
        found.map(|domain| domain.id)
    };
    assert_eq!(
        (find(5, None), find(5, Some(5)), find(5, Some(1)), find(7, Some(5))),
        (Some(5), Some(5), Some(5), None)
    );
    {
        let mut inside = played.inside.lock().unwrap();
        inside.domains[1].uuid = [5; 16];
        inside.domains[1].flags = 1;
        inside.domains.push(domain(7));
        inside.domains[3].uuid = [0; 16];
    }
    assert_eq!((find(5, Some(1)), find(5, None)), (Some(5), Some(5)), "not the one that dies");
    assert_eq!(
        (find(0, None), find(0, Some(7))),
        (Some(0), Some(0)),
        "no uuid at all is the control domain's"
    );
    played.inside.lock().unwrap().domains.remove(2);
    assert_eq!(find(5, None), Some(1), "better a dying one than none");
}

#[test]
fn a_long_list_takes_a_call_for_each_256_domains() {
    let played = Played::release("4.17.0");
    played.inside.lock().unwrap().domains = (0..600).map(|id| domain(id * 3)).collect();
    let hypervisor = open(&played);
    let before = played.inside.lock().unwrap().asked.len();
    let domains = hypervisor.domains().unwrap();
    assert_eq!((domains.len(), domains[599].id), (600, 1797));
    assert_eq!(played.inside.lock().unwrap().asked.len() - before, 3);
}
