//! The operations that the layer serves, as the union asks for them.

use super::played::Played;
use crate::backend::xen::hypervisor::*;
use crate::backend::{DomainLifecycle, DomainLookup, DomainStats, DomainTuning, Host};
use crate::model::constants::*;
use crate::model::{DomainRef, StateReason, TypedParam};
use std::sync::Arc;
use uuid::Uuid;

fn layer() -> (Played, HypervisorLayer) {
    let played = Played::release("4.17.0");
    let hypervisor = Hypervisor::behind(Box::new(played.clone())).unwrap();
    (played, HypervisorLayer::new(Arc::new(hypervisor)))
}

fn reference(number: u8, id: Option<u32>) -> DomainRef {
    DomainRef { name: format!("guest{number}"), uuid: Uuid::from_bytes([number; 16]), id }
}

#[test]
fn a_running_domain_is_read_by_its_uuid() {
    let (_, layer) = layer();
    for hint in [None, Some(1), Some(5), Some(99)] {
        let one = reference(1, hint);
        let info = layer.info(&one).unwrap();
        assert_eq!((info.state, info.memory, info.max_memory, info.vcpus), (1, 131_072, 132_096, 1));
        assert_eq!(layer.state(&one, 0).unwrap(), StateReason { state: 1, reason: 0 });
        assert_eq!(layer.vcpu_count(&one, DOMAIN_VCPU_LIVE).unwrap(), 1);
        assert_eq!(layer.vcpu_count(&one, DOMAIN_VCPU_LIVE | DOMAIN_VCPU_MAXIMUM).unwrap(), 2);
        let (vcpus, maps) = layer.vcpu_info(&one, 16, 1).unwrap();
        assert_eq!((vcpus.len(), vcpus[0].state, vcpus[0].cpu, maps), (1, 2, 3, vec![3]));
        assert_eq!(layer.vcpu_pin_info(&one, 16, 2, 0).unwrap(), (vec![3, 0, 3, 0], 2));
        assert_eq!(
            layer.cpu_stats(&one, 1, -1, 1, 0).unwrap().0,
            [TypedParam::new("cpu_time", 11_000_000_000_u64)]
        );
    }
}

#[test]
fn what_does_not_run_is_left_to_others() {
    let (_, layer) = layer();
    let gone = reference(7, Some(1));
    assert!(layer.info(&gone).unwrap_err().is_unsupported());
    assert!(layer.vcpu_count(&reference(1, None), DOMAIN_VCPU_CONFIG).unwrap_err().is_unsupported());
    let message = "Requested operation is not valid: domain is not running";
    assert_eq!(layer.suspend(&gone).unwrap_err().to_string(), message);
    assert_eq!(layer.destroy(&gone, 0).unwrap_err().to_string(), message);
    assert!(layer.destroy(&reference(1, None), DOMAIN_DESTROY_GRACEFUL).unwrap_err().is_unsupported());
}

#[test]
fn the_control_domain_is_not_stopped() {
    let (played, layer) = layer();
    let control = DomainRef { name: "Domain-0".to_string(), uuid: Uuid::nil(), id: Some(0) };
    let message = "Requested operation is not valid: Domain-0 does not support requested operation";
    assert_eq!(layer.suspend(&control).unwrap_err().to_string(), message);
    assert_eq!(layer.destroy(&control, 0).unwrap_err().to_string(), message);
    assert_eq!(played.inside.lock().unwrap().domains.len(), 3);
}

#[test]
fn changes_reach_the_hypervisor() {
    let (played, layer) = layer();
    let one = reference(1, None);
    layer.suspend(&one).unwrap();
    assert_eq!(layer.state(&one, 0).unwrap().state, DOMAIN_PAUSED);
    layer.resume(&one).unwrap();
    layer.pin_vcpu(&one, 1, &[2], DOMAIN_AFFECT_LIVE).unwrap();
    assert_eq!(
        layer.pin_vcpu(&one, 7, &[2], 0).unwrap_err().to_string(),
        "invalid argument: vcpu '7' is not active"
    );
    assert_eq!(layer.scheduler_type(&one).unwrap(), ("credit".to_string(), 2));
    layer
        .set_scheduler_parameters(
            &one,
            &[TypedParam::new("weight", 300_u32), TypedParam::new("cap", 50_u32)],
            0,
        )
        .unwrap();
    let told = layer.scheduler_parameters(&one, 0).unwrap();
    assert_eq!(told, [TypedParam::new("weight", 300_u32), TypedParam::new("cap", 50_u32)]);
    for (name, value) in [("weight", 0_u32), ("weight", 70_000), ("cap", 70_000), ("foo", 1)] {
        assert!(
            layer.set_scheduler_parameters(&one, &[TypedParam::new(name, value)], 0).is_err(),
            "{name} {value}"
        );
    }
    assert_eq!(layer.scheduler_parameters(&one, 0).unwrap(), told, "a wrong value changes nothing");
    layer.destroy(&one, 0).unwrap();
    assert_eq!(played.inside.lock().unwrap().domains.len(), 2);
}

#[test]
fn statistics_are_told_of_the_domains_that_are_named() {
    let (_, layer) = layer();
    let named = [reference(1, Some(1)), reference(7, None)];
    let records = layer.all_domain_stats(&named, 0, 0).unwrap();
    assert_eq!(records.len(), 1);
    let names: Vec<&str> = records[0].params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "state.state",
            "state.reason",
            "cpu.time",
            "balloon.current",
            "balloon.maximum",
            "vcpu.current",
            "vcpu.maximum",
            "vcpu.0.state",
            "vcpu.0.time",
        ]
    );
    assert!(layer.all_domain_stats(&[], 0, 0).unwrap_err().is_unsupported());
}

#[test]
fn the_host_is_the_whole_machine() {
    let (_, layer) = layer();
    let info = layer.node_info().unwrap();
    assert_eq!((info.memory, info.cpus, info.mhz), (4_000_000, 8, 2596));
    assert_eq!((info.nodes, info.sockets, info.cores, info.threads), (1, 1, 4, 2));
    assert_eq!(layer.version().unwrap(), 4_017_000);
    assert_eq!(layer.node_free_memory().unwrap(), 1024 * 4096);
    assert_eq!(layer.node_cells_free_memory(0, 5).unwrap(), [1024 * 4096]);
    assert!(layer.node_cells_free_memory(1, 1).is_err() && layer.node_cells_free_memory(-1, 1).is_err());
    let stats: Vec<_> =
        layer.node_memory_stats(-1, 0).unwrap().into_iter().map(|stat| (stat.name, stat.value)).collect();
    assert_eq!(stats, [("total".to_string(), 4_000_000), ("free".to_string(), 4096)]);
    assert_eq!(layer.node_cpu_map(true, true, 0).unwrap().map, [0xff]);
}
