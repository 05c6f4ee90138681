//! Events on the wire: written and read back.

use super::*;
use crate::model::TypedParam;
use crate::model::event::GraphicsAddress;
use crate::rpc::frame::{Header, Kind, PROGRAM_VERSION, Status};
use proptest::prelude::*;

fn text(name: &str) -> String {
    name.to_string()
}

/// One event of each kind, in the order of their numbers.
fn domain_events() -> Vec<DomainEvent> {
    let mut all = older_domain_events();
    all.extend(newer_domain_events());
    all
}

fn older_domain_events() -> Vec<DomainEvent> {
    use DomainEvent::*;
    let (alias, reason, kind, status) = (text("net0"), 3, 4, 5);
    let end = GraphicsAddress { family: 1, node: text("::1"), service: text("5900") };
    vec![
        Lifecycle { event: 5, detail: 1 },
        Reboot,
        RtcChange { offset: -7 },
        Watchdog { action: 2 },
        IoError { source: text("/d"), alias: alias.clone(), action: 1 },
        Graphics {
            phase: 1,
            local: end.clone(),
            remote: end,
            auth_scheme: text("vnc"),
            subject: vec![(text("x509"), text("me"))],
        },
        IoErrorReason { source: text("/d"), alias: alias.clone(), action: 1, reason: text("enospc") },
        ControlError,
        BlockJob { path: text("/d"), kind, status },
        DiskChange { old: None, new: Some(text("/n")), alias: alias.clone(), reason },
        TrayChange { alias: alias.clone(), reason },
        PmWakeup { reason },
        PmSuspend { reason },
    ]
}

fn newer_domain_events() -> Vec<DomainEvent> {
    use DomainEvent::*;
    let (alias, reason, kind, status) = (text("net0"), 3, 4, 5);
    let params = vec![TypedParam::new("cpu_shares", 7u64), TypedParam::new("name", "x")];
    vec![
        BalloonChange { actual: 1 << 40 },
        PmSuspendDisk { reason },
        DeviceRemoved { alias: alias.clone() },
        BlockJob2 { target: text("vda"), kind, status },
        Tunable { params: params.clone() },
        AgentLifecycle { state: 1, reason },
        DeviceAdded { alias: alias.clone() },
        MigrationIteration { iteration: 9 },
        JobCompleted { params },
        DeviceRemovalFailed { alias: alias.clone() },
        MetadataChange { kind, uri: Some(text("urn:x")) },
        BlockThreshold { device: text("vda"), path: None, threshold: 8, excess: 9 },
        MemoryFailure { recipient: 1, action: 2, flags: 3 },
        MemoryDeviceSizeChange { alias: alias.clone(), size: 10 },
        NicMacChange { alias, old: text("a"), new: text("b") },
    ]
}

fn some_domain() -> DomainRef {
    DomainRef { name: text("d"), uuid: uuid::Uuid::from_u128(9), id: Some(3) }
}

fn as_frame((program, procedure, payload): Unaddressed) -> Frame {
    let header = Header {
        program,
        version: PROGRAM_VERSION,
        procedure,
        kind: Kind::Message,
        serial: 0,
        status: Status::Ok,
    };
    Frame { header, payload }
}

#[test]
fn every_domain_event_travels_and_has_a_message_of_its_own() {
    let mut procedures = std::collections::HashSet::new();
    for (id, what) in domain_events().into_iter().enumerate() {
        assert_eq!(what.id() as usize, id);
        let event = Event::Domain(some_domain(), what);
        let message = encode(42, &event);
        assert!(procedures.insert(message.1), "two events share {}", message.1);
        assert_eq!(decode(&as_frame(message)).unwrap(), Some((42, event)));
    }
    assert_eq!(procedures.len(), 28);
}

#[test]
fn the_older_messages_lack_number_and_reason() {
    let event = Event::Domain(some_domain(), DomainEvent::PmWakeup { reason: 3 });
    let (_, procedure, payload) = encode_unnumbered(&event).unwrap();
    assert_eq!((procedure, payload), (DOMAIN_EVENT_PMWAKEUP, to_bytes(&some_domain())));
    let newer = DomainEvent::DeviceAdded { alias: text("x") };
    assert_eq!(encode_unnumbered(&Event::Domain(some_domain(), newer)), None);
}

#[test]
fn events_of_other_objects_travel() {
    let lifecycle = ObjectEvent::Lifecycle { event: 2, detail: 0 };
    let uuid = uuid::Uuid::from_u128(1);
    let network = || NetworkRef { name: text("n"), uuid };
    let secret = || SecretRef { uuid, usage_type: 1, usage_id: text("u") };
    let change = ObjectEvent::MetadataChange { kind: 2, uri: None };
    let monitor = MonitorEvent { name: text("STOP"), seconds: 5, micros: 6, details: Some(text("{}")) };
    let events = [
        Event::Network(network(), lifecycle.clone()),
        Event::Network(network(), change),
        Event::Pool(PoolRef { name: text("p"), uuid }, lifecycle.clone()),
        Event::Pool(PoolRef { name: text("p"), uuid }, ObjectEvent::Refresh),
        Event::NodeDevice(NodeDeviceRef { name: text("d") }, lifecycle.clone()),
        Event::NodeDevice(NodeDeviceRef { name: text("d") }, ObjectEvent::Update),
        Event::Secret(secret(), lifecycle),
        Event::Secret(secret(), ObjectEvent::ValueChanged),
        Event::Monitor(some_domain(), monitor),
    ];
    for event in events {
        assert_eq!(decode(&as_frame(encode(7, &event))).unwrap(), Some((7, event)));
    }
}

#[test]
fn registrations_are_read_as_they_are_written() {
    let filters = [
        EventFilter::Domain { id: 3, domain: Some(some_domain()) },
        EventFilter::Network { id: 0, network: None },
        EventFilter::Pool { id: 1, pool: None },
        EventFilter::NodeDevice { id: 0, device: Some(NodeDeviceRef { name: text("d") }) },
        EventFilter::Secret { id: 1, secret: None },
        EventFilter::Monitor { domain: None, event: Some(text("S.*")), flags: 1 },
    ];
    for filter in filters {
        let (program, procedure, payload) = registration(&filter);
        assert_eq!(parse_registration(program, procedure, &payload).unwrap().unwrap(), filter);
        let (program, procedure, _) = deregistration(&filter, 1);
        assert!(
            is_deregistration(program, procedure) && parse_registration(program, procedure, &[]).is_none()
        );
    }
}

proptest! {
    #[test]
    fn noise_never_panics(procedure in 100i32..460, payload: Vec<u8>) {
        for program in [REMOTE_PROGRAM, QEMU_PROGRAM] {
            let _ = decode(&as_frame((program, procedure % 454, payload.clone())));
            let _ = parse_registration(program, procedure, &payload);
        }
    }
}
