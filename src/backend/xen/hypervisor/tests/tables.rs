//! The layer's tables against the measured ones: every size and every offset.

use super::played::{Shape, facts};
use crate::backend::xen::hypervisor::interface::{Interface, candidates};
use crate::backend::xen::hypervisor::layouts::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// The structures that have one shape only, in every release that has them.
fn constant() -> Vec<&'static Layout> {
    vec![
        &SYSCTL,
        &DOMCTL,
        &DOM0_OP,
        &GETDOMAININFOLIST,
        &GETCPUINFO,
        &CPUINFO,
        &TOPOLOGYINFO,
        &CPUTOPOINFO,
        &CPUTOPO,
        &MEMINFO,
        &SCHED_ID,
        &AVAILHEAP,
        &COMPILE_INFO,
        &DOM0_DOMAIN,
    ]
}

/// The shapes that an interface chooses.
fn chosen(interface: Interface) -> Vec<&'static Layout> {
    let mut shapes = vec![
        interface.domain_info(),
        interface.physical(),
        interface.affinity(),
        interface.vcpu_info(),
        interface.max_memory(),
        interface.scheduler(),
    ];
    shapes.extend(interface.topology());
    shapes.extend(interface.numa());
    shapes
}

/// What differs between a shape of ours and a measured one.
fn differences(ours: &Layout, measured: &Shape) -> Vec<String> {
    let outer = |name: &str| measured.fields.keys().any(|field| field.starts_with(&format!("{name}.")));
    let ignored = |name: &str| {
        let last = name.rsplit('.').next().unwrap_or(name);
        outer(name) || last.starts_with("pad") || last == "_pad" || name.starts_with("u.v.")
            // The union that only holds others.
            || (name == "u" && ours.name.contains("scheduler"))
    };
    // The same field under an older name.
    let renamed = |name: &str| name.replace("cpumap.nr_cpus", "cpumap.nr_bits");
    let measured_fields: BTreeSet<(String, usize, usize)> = measured
        .fields
        .iter()
        .filter(|(name, _)| !ignored(name))
        .map(|(name, (offset, size))| (renamed(name), *offset, *size))
        .collect();
    let our_fields: BTreeSet<(String, usize, usize)> =
        ours.fields.iter().map(|(name, offset, size)| (name.to_string(), *offset, *size)).collect();
    let mut found: Vec<String> = measured_fields
        .symmetric_difference(&our_fields)
        .map(|field| format!("{}: {field:?}", ours.name))
        .collect();
    if ours.size != measured.size {
        found.push(format!("{}: {} bytes, measured {}", ours.name, ours.size, measured.size));
    }
    found
}

fn version(value: &Value) -> Option<u32> {
    value.as_str().map(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap())
}

fn interface(release: &Value) -> Interface {
    match (version(&release["sysctl"]), version(&release["domctl"])) {
        (Some(sysctl), Some(domctl)) => Interface::Control { sysctl, domctl },
        _ => Interface::Dom0,
    }
}

#[test]
fn every_release_has_the_shapes_that_its_interface_chooses() {
    let facts = facts();
    let mut compared = 0;
    for release in facts["releases"].as_array().unwrap() {
        for id in release["layouts"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()) {
            let name = id.rsplit_once('.').unwrap().0;
            let interface = interface(release);
            let Some(ours) = chosen(interface).into_iter().find(|layout| layout.name == name) else {
                continue;
            };
            let found = differences(ours, &Shape::of(&facts["layouts"][id]));
            compared += 1;
            match id {
                // The newer of two shapes under one version only adds to the older one.
                "xen_sysctl_physinfo.2" => assert_eq!(found.len(), 2, "{found:?}"),
                "xen_domctl_scheduler_op.5" if interface.domctl() == 0xb => {
                    assert_eq!(found.len(), 1, "{found:?}")
                }
                _ => assert!(found.is_empty(), "{}: {found:?}", release["first"]),
            }
        }
    }
    assert!(compared > 180, "{compared} compared");
}

#[test]
fn structures_of_one_shape_have_it_in_every_release() {
    let facts = facts();
    let layouts = facts["layouts"].as_object().unwrap();
    for ours in constant() {
        let measured: Vec<_> =
            layouts.iter().filter(|(id, _)| id.rsplit_once('.').unwrap().0 == ours.name).collect();
        assert!(!measured.is_empty(), "{}", ours.name);
        for (id, shape) in measured {
            let found = differences(ours, &Shape::of(shape));
            assert!(found.is_empty(), "{id}: {found:?}");
        }
    }
    // The old orders about a domain, and the old list, are the same under their own names.
    let same = |name: &str, ours: &Layout| differences(ours, &Shape::of(&facts["layouts"][name])).is_empty();
    assert!(same("dom0_destroydomain.1", &DOM0_DOMAIN) && same("dom0_unpausedomain.1", &DOM0_DOMAIN));
    assert!(same("dom0_getdomaininfolist.1", &GETDOMAININFOLIST) && same("dom0_sched_id.1", &SCHED_ID));
}

#[test]
fn every_structure_that_was_measured_is_compared() {
    let facts = facts();
    let mut known: BTreeSet<&str> = constant().iter().map(|layout| layout.name).collect();
    for release in facts["releases"].as_array().unwrap() {
        known.extend(chosen(interface(release)).iter().map(|layout| layout.name));
    }
    known.extend(["dom0_destroydomain", "dom0_unpausedomain", "dom0_getdomaininfolist", "dom0_sched_id"]);
    for id in facts["layouts"].as_object().unwrap().keys() {
        assert!(known.contains(id.rsplit_once('.').unwrap().0), "{id}");
    }
}

#[test]
fn the_interface_of_every_release_is_tried_before_all_others() {
    let facts = facts();
    for release in facts["releases"].as_array().unwrap().iter().filter(|release| !release["sysctl"].is_null())
    {
        let numbers: Vec<u32> =
            release["first"].as_str().unwrap().split('.').map(|number| number.parse().unwrap()).collect();
        let pair = (version(&release["sysctl"]).unwrap(), version(&release["domctl"]).unwrap());
        let place = candidates((numbers[0], numbers[1])).position(|candidate| candidate == pair);
        assert!(place.is_some_and(|place| place < 2), "{}: {place:?}", release["first"]);
    }
    let all: Vec<_> = candidates((9, 9)).collect();
    for pair in facts["pairs"].as_array().unwrap() {
        let pair = (version(&pair[0]).unwrap(), version(&pair[1]).unwrap());
        assert!(all.contains(&pair), "{pair:x?}");
    }
    assert_eq!(all[0], (0x16, 0x18), "the newest is tried first");
}
