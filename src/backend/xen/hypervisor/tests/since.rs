//! From which release on the layer serves what: tried on each, and written down in COMPATIBILITY.md.
//!
//! `HVSH_BLESS=1 cargo test --lib since` writes it anew.

use super::played::Played;
use crate::backend::xen::hypervisor::*;
use crate::backend::{DomainLifecycle, DomainLookup, DomainStats, DomainTuning, Host};
use crate::error::Result;
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const BEGIN: &str = "<!-- hypervisor: begin -->\n";
const END: &str = "<!-- hypervisor: end -->\n";

/// Tries an operation on a domain that runs.
type Try = fn(&HypervisorLayer, &DomainRef) -> Result<()>;

const TRIES: &[(&str, Try)] = &[
    ("version", |on, _| on.version().map(drop)),
    ("nodeinfo, freecell, nodememstats, nodecpumap", |on, _| {
        on.node_info()?;
        on.node_free_memory()?;
        on.node_cells_free_memory(0, 1)?;
        on.node_memory_stats(-1, 0)?;
        on.node_cpu_map(true, true, 0).map(drop)
    }),
    ("maxvcpus", |on, _| Host::max_vcpus(on, None).map(drop)),
    ("dominfo, domstate", |on, it| on.info(it).and(on.state(it, 0)).map(drop)),
    ("domstats, cpu-stats", |on, it| {
        on.all_domain_stats(std::slice::from_ref(it), 0, 0)?;
        on.cpu_stats(it, 1, -1, 1, 0).map(drop)
    }),
    ("vcpuinfo, vcpucount", |on, it| {
        on.vcpu_info(it, 16, 1)?;
        on.vcpu_count(it, DOMAIN_VCPU_LIVE).map(drop)
    }),
    ("vcpupin", |on, it| {
        on.pin_vcpu(it, 0, &[2], DOMAIN_AFFECT_LIVE).and(on.vcpu_pin_info(it, 1, 1, 0)).map(drop)
    }),
    ("suspend, resume", |on, it| on.suspend(it).and_then(|()| on.resume(it))),
    ("destroy", |on, it| on.destroy(it, 0)),
    ("setmaxmem", |on, it| on.set_max_memory(it, 65536)),
    ("schedinfo", |on, it| on.scheduler_type(it).and(on.scheduler_parameters(it, 0)).map(drop)),
    ("schedinfo --weight, --cap", |on, it| {
        let params = [TypedParam::new("weight", 300_u32), TypedParam::new("cap", 50_u32)];
        on.set_scheduler_parameters(it, &params, 0)
    }),
];

/// The releases on which an operation works, as ranges.
fn ranges(attempt: Try) -> String {
    let one = DomainRef { name: "one".to_string(), uuid: Uuid::from_bytes([1; 16]), id: None };
    let mut found: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for played in Played::all() {
        let hypervisor = Hypervisor::behind(Box::new(played.clone())).unwrap();
        let works = attempt(&HypervisorLayer::new(Arc::new(hypervisor)), &one).is_ok();
        match found.last_mut().filter(|_| goes_on && works) {
            Some(range) => range.1.clone_from(&played.span.1),
            None if works => found.push(played.span.clone()),
            None => {}
        }
        goes_on = works;
    }
    // What comes after the last release is read as it, until one comes that is another.
    let ranges = found.into_iter().map(|(first, last)| match last.strip_prefix("staging-") {
        Some(_) => format!("{first} and later"),
        None => format!("{first} to {last}"),
    });
    ranges.collect::<Vec<_>>().join(", ")
}

#[test]
fn what_works_since_when_is_what_the_document_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("COMPATIBILITY.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (found, tail) = rest.split_once(END).unwrap();
    let mut wanted = "| operation | hypervisor |\n| --- | --- |\n".to_string();
    for (name, attempt) in TRIES {
        wanted += &format!("| {name} | {} |\n", ranges(*attempt));
    }
    if std::env::var_os("HVSH_BLESS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
    } else {
        assert_eq!(found, wanted, "COMPATIBILITY.md is out of date: HVSH_BLESS=1 cargo test --lib since");
    }
}
