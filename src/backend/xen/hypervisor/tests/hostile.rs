//! Answers that no hypervisor should give.

use super::played::{Played, domain};
use crate::backend::xen::hypervisor::door::{Argument, Door, Region};
use crate::backend::xen::hypervisor::*;
use nix::errno::Errno;

fn open(played: &Played) -> crate::error::Result<Hypervisor> {
    Hypervisor::behind(Box::new(played.clone()))
}

#[test]
fn a_count_is_cut_to_what_was_asked_for() {
    let played = Played::release("4.17.0");
    let hypervisor = open(&played).unwrap();
    played.inside.lock().unwrap().domains = (0..3).map(domain).collect();
    played.inside.lock().unwrap().claimed = Some(u32::MAX);
    // What lies behind the real elements is no domain: its ids do not ascend.
    let error = hypervisor.domains().unwrap_err();
    assert!(error.to_string().contains("unknown hypervisor: domain 0 in a list from 3 on"), "{error}");
}

#[test]
fn elements_of_another_size_are_not_decoded() {
    for longer in [8, 500] {
        let played = Played::release("4.17.0");
        played.inside.lock().unwrap().longer = longer;
        let error = open(&played).err().unwrap();
        let expected = format!("domains of {} bytes in a list, 112 expected", 112 + longer);
        assert!(error.to_string().contains(&expected), "{error}");
    }
}

#[test]
fn a_newer_hypervisor_is_read_and_not_changed() {
    let mut played = Played::release("4.22.0");
    played.release = (4, 30);
    played.sysctl = Some(0x18);
    played.domctl = Some(0x1a);
    let hypervisor = open(&played).unwrap();
    assert_eq!(hypervisor.domains().unwrap().len(), 3);
    let one = hypervisor.domain(1).unwrap().unwrap();
    let error = hypervisor.destroy(&one).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Operation not supported: destroy: the hypervisor speaks sysctl 0x18, domctl 0x1a, newer than what is known here"
    );
    assert_eq!(hypervisor.domains().unwrap().len(), 3);
}

#[test]
fn nobody_is_told_of_a_domain_that_has_the_id_by_now() {
    for played in Played::all() {
        let hypervisor = open(&played).unwrap();
        let one = hypervisor.domain(1).unwrap().unwrap();
        let scheduler = hypervisor.scheduler().unwrap();
        let replace_in = |commands| {
            let mut inside = played.inside.lock().unwrap();
            inside.domains[1].uuid = [1; 16];
            inside.replaced_in = Some(commands);
        };
        let gone = |error: crate::error::Error| {
            assert_eq!(error.to_string(), "Requested operation is not valid: domain is not running");
        };
        replace_in(1);
        gone(hypervisor.vcpus(&one).unwrap_err());
        replace_in(0);
        gone(hypervisor.affinity(&one, 0, 8).unwrap_err());
        if !played.is_old() {
            replace_in(0);
            gone(hypervisor.parameters(&one, scheduler).unwrap_err());
        }
        played.inside.lock().unwrap().domains.remove(1);
        gone(hypervisor.vcpus(&one).unwrap_err());
    }
}

/// Refuses everything but the question for its release.
struct Refusing(i32, Errno);

impl Door for Refusing {
    fn call(&self, number: u64, _: &[Argument], _: &mut [Region]) -> std::result::Result<i32, Errno> {
        if number == 17 { Ok(self.0) } else { Err(self.1) }
    }
}

#[test]
fn who_may_not_ask_is_told_so() {
    let open =
        |release, errno| Hypervisor::behind(Box::new(Refusing(release, errno))).err().unwrap().to_string();
    assert_eq!(
        open(4 << 16 | 17, Errno::EPERM),
        "hypervisor: list of domains: Operation not permitted: only the control domain may ask this"
    );
    assert!(
        open(4 << 16 | 17, Errno::EACCES).contains("release 4.17 accepts no known version of its interface")
    );
    assert!(open(3 << 16, Errno::EFAULT).contains("hypervisor: list of domains: Bad address"));
    assert!(open(2 << 16, Errno::EACCES).contains("release 2.0 is older than 3.0"));
    assert!(open(-1, Errno::EACCES).contains("unknown hypervisor: version -1"));
}

/// Answers every question with success and bytes of one value.
struct Full(u8);

impl Door for Full {
    fn call(&self, number: u64, _: &[Argument], regions: &mut [Region]) -> std::result::Result<i32, Errno> {
        regions.iter_mut().for_each(|region| region.bytes.fill(self.0));
        Ok(if number == 17 { 4 << 16 | 17 } else { 0 })
    }
}

#[test]
fn answers_full_of_one_byte_are_refused() {
    for byte in [0, 1, 0x55, 0x7f, 0xff] {
        assert!(Hypervisor::behind(Box::new(Full(byte))).is_err(), "{byte}");
    }
}
