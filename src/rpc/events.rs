//! Events on the wire: how a subscription is asked for, and the message each kind of event travels in.

use super::frame::{Frame, QEMU_PROGRAM, REMOTE_PROGRAM};
use super::procedure::*;
use super::xdr::{Reader, Writer, Xdr, from_bytes, to_bytes};
use crate::error::Result;
use crate::model::event::{DomainEvent, Event, EventFilter, MonitorEvent, ObjectEvent};
use crate::model::{DomainRef, NetworkRef, NodeDeviceRef, PoolRef, SecretRef};

/// A call or a message before it has a serial: its program, its procedure and its encoded payload.
pub type Unaddressed = (u32, i32, Vec<u8>);

/// Hands the table of domain events to the macro `$reader`: number of `virDomainEventID`, variant, procedure of
/// its message, procedure of its older message without a subscription (zero: none), what stands before the
/// domain, what stands after it.
macro_rules! for_each_domain_event {
    ($reader:ident) => {
        $reader! {
            Lifecycle 318 107 {} {event, detail};
            Reboot 319 169 {} {};
            RtcChange 320 170 {} {offset};
            Watchdog 321 171 {} {action};
            IoError 322 172 {} {source, alias, action};
            Graphics 323 173 {} {phase, local, remote, auth_scheme, subject};
            IoErrorReason 324 195 {} {source, alias, action, reason};
            ControlError 325 224 {} {};
            BlockJob 326 241 {} {path, kind, status};
            DiskChange 327 248 {} {old, new, alias, reason};
            TrayChange 328 268 {} {alias, reason};
            PmWakeup 329 269 {reason} {};
            PmSuspend 330 270 {reason} {};
            BalloonChange 331 276 {} {actual};
            PmSuspendDisk 332 292 {reason} {};
            DeviceRemoved 333 311 {} {alias};
            BlockJob2 339 0 {} {target, kind, status};
            Tunable 346 0 {} {params};
            AgentLifecycle 348 0 {} {state, reason};
            DeviceAdded 354 0 {} {alias};
            MigrationIteration 359 0 {} {iteration};
            JobCompleted 363 0 {} {params};
            DeviceRemovalFailed 367 0 {} {alias};
            MetadataChange 379 0 {} {kind, uri};
            BlockThreshold 385 0 {} {device, path, threshold, excess};
            MemoryFailure 423 0 {} {recipient, action, flags};
            MemoryDeviceSizeChange 438 0 {} {alias, size};
            NicMacChange 453 0 {} {alias, old, new};
        }
    };
}

/// The message for a subscriber that knows its subscription by a number.
pub fn encode(subscription: i32, event: &Event) -> Unaddressed {
    let mut out = Writer::default();
    subscription.encode(&mut out);
    let (program, procedure) = match event {
        Event::Domain(domain, what) => (REMOTE_PROGRAM, encode_domain(domain, what, &mut out, true)),
        Event::Network(subject, what) => (
            REMOTE_PROGRAM,
            encode_object(
                subject,
                what,
                [NETWORK_EVENT_LIFECYCLE, NETWORK_EVENT_CALLBACK_METADATA_CHANGE],
                &mut out,
            ),
        ),
        Event::Pool(subject, what) => (
            REMOTE_PROGRAM,
            encode_object(
                subject,
                what,
                [STORAGE_POOL_EVENT_LIFECYCLE, STORAGE_POOL_EVENT_REFRESH],
                &mut out,
            ),
        ),
        Event::NodeDevice(subject, what) => (
            REMOTE_PROGRAM,
            encode_object(subject, what, [NODE_DEVICE_EVENT_LIFECYCLE, NODE_DEVICE_EVENT_UPDATE], &mut out),
        ),
        Event::Secret(subject, what) => (
            REMOTE_PROGRAM,
            encode_object(subject, what, [SECRET_EVENT_LIFECYCLE, SECRET_EVENT_VALUE_CHANGED], &mut out),
        ),
        Event::Monitor(domain, what) => {
            domain.encode(&mut out);
            what.name.encode(&mut out);
            (what.seconds, what.micros, what.details.clone()).encode(&mut out);
            (QEMU_PROGRAM, QEMU_DOMAIN_MONITOR_EVENT)
        }
    };
    (program, procedure, out.into_bytes())
}

/// The message for a subscriber of the older kind; `None` where there never was one.
pub fn encode_unnumbered(event: &Event) -> Option<Unaddressed> {
    let Event::Domain(domain, what) = event else {
        return None;
    };
    let mut out = Writer::default();
    let procedure = encode_domain(domain, what, &mut out, false);
    (procedure != 0).then(|| (REMOTE_PROGRAM, procedure, out.into_bytes()))
}

/// Appends a domain's event; answers with its message's procedure. The older messages lack the reasons of
/// waking and sleeping.
fn encode_domain(domain: &DomainRef, event: &DomainEvent, out: &mut Writer, numbered: bool) -> i32 {
    macro_rules! encode_each {
        ($($variant:ident $procedure:literal $older:literal {$($before:ident),*} {$($after:ident),*};)*) => {
            match event {
                $(DomainEvent::$variant { $($before,)* $($after,)* } => {
                    $(if numbered { $before.encode(out); })*
                    domain.encode(out);
                    $($after.encode(out);)*
                    if numbered { $procedure } else { $older }
                })*
            }
        };
    }
    for_each_domain_event!(encode_each)
}

/// Appends another object's event; `[lifecycle, other]` are the procedures of the kind's messages.
fn encode_object(subject: &impl Xdr, event: &ObjectEvent, procedures: [i32; 2], out: &mut Writer) -> i32 {
    subject.encode(out);
    match event {
        ObjectEvent::Lifecycle { event, detail } => {
            (*event, *detail).encode(out);
            procedures[0]
        }
        ObjectEvent::MetadataChange { kind, uri } => {
            (*kind, uri.clone()).encode(out);
            procedures[1]
        }
        ObjectEvent::Refresh | ObjectEvent::Update | ObjectEvent::ValueChanged => procedures[1],
    }
}

/// Reads a message; `None` if it is of a kind this release does not know.
pub fn decode(frame: &Frame) -> Result<Option<(i32, Event)>> {
    let mut input = Reader::new(&frame.payload);
    let input = &mut input;
    let procedure = frame.header.procedure;
    if frame.header.program == QEMU_PROGRAM && procedure == QEMU_DOMAIN_MONITOR_EVENT {
        return decode_monitor(input).map(Some);
    }
    if frame.header.program != REMOTE_PROGRAM {
        return Ok(None);
    }
    if let Some(event) = decode_domain(procedure, input)? {
        return Ok(Some(event));
    }
    if !OBJECT_MESSAGES.contains(&procedure) {
        return Ok(None);
    }
    let subscription = i32::decode(input)?;
    let event = match procedure {
        NETWORK_EVENT_LIFECYCLE => Event::Network(NetworkRef::decode(input)?, decode_lifecycle(input)?),
        NETWORK_EVENT_CALLBACK_METADATA_CHANGE => {
            let network = NetworkRef::decode(input)?;
            let (kind, uri) = Xdr::decode(input)?;
            Event::Network(network, ObjectEvent::MetadataChange { kind, uri })
        }
        STORAGE_POOL_EVENT_LIFECYCLE => Event::Pool(PoolRef::decode(input)?, decode_lifecycle(input)?),
        STORAGE_POOL_EVENT_REFRESH => Event::Pool(PoolRef::decode(input)?, ObjectEvent::Refresh),
        NODE_DEVICE_EVENT_LIFECYCLE => {
            Event::NodeDevice(NodeDeviceRef::decode(input)?, decode_lifecycle(input)?)
        }
        NODE_DEVICE_EVENT_UPDATE => Event::NodeDevice(NodeDeviceRef::decode(input)?, ObjectEvent::Update),
        SECRET_EVENT_LIFECYCLE => Event::Secret(SecretRef::decode(input)?, decode_lifecycle(input)?),
        _ => Event::Secret(SecretRef::decode(input)?, ObjectEvent::ValueChanged),
    };
    Ok(Some((subscription, event)))
}

const OBJECT_MESSAGES: &[i32] = &[
    NETWORK_EVENT_LIFECYCLE,
    NETWORK_EVENT_CALLBACK_METADATA_CHANGE,
    STORAGE_POOL_EVENT_LIFECYCLE,
    STORAGE_POOL_EVENT_REFRESH,
    NODE_DEVICE_EVENT_LIFECYCLE,
    NODE_DEVICE_EVENT_UPDATE,
    SECRET_EVENT_LIFECYCLE,
    SECRET_EVENT_VALUE_CHANGED,
];

fn decode_lifecycle(input: &mut Reader<'_>) -> Result<ObjectEvent> {
    let (event, detail) = Xdr::decode(input)?;
    Ok(ObjectEvent::Lifecycle { event, detail })
}

fn decode_monitor(input: &mut Reader<'_>) -> Result<(i32, Event)> {
    let (subscription, domain, name) = <(i32, DomainRef, String)>::decode(input)?;
    let (seconds, micros, details) = Xdr::decode(input)?;
    let event = MonitorEvent { name, seconds, micros, details };
    Ok((subscription, Event::Monitor(domain, event)))
}

fn decode_domain(procedure: i32, input: &mut Reader<'_>) -> Result<Option<(i32, Event)>> {
    macro_rules! decode_each {
        ($($variant:ident $number:literal $older:literal {$($before:ident),*} {$($after:ident),*};)*) => {
            match procedure {
                $($number => {
                    let subscription = i32::decode(input)?;
                    $(let $before = Xdr::decode(input)?;)*
                    let domain = DomainRef::decode(input)?;
                    $(let $after = Xdr::decode(input)?;)*
                    let event = DomainEvent::$variant { $($before,)* $($after,)* };
                    Ok(Some((subscription, Event::Domain(domain, event))))
                })*
                _ => Ok(None),
            }
        };
    }
    for_each_domain_event!(decode_each)
}

/// The call that asks for a subscription.
pub fn registration(filter: &EventFilter) -> Unaddressed {
    let remote = |procedure, payload| (REMOTE_PROGRAM, procedure, payload);
    match filter {
        EventFilter::Domain { id, domain } => {
            remote(CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY, to_bytes(&(*id, domain.clone())))
        }
        EventFilter::Network { id, network } => {
            remote(CONNECT_NETWORK_EVENT_REGISTER_ANY, to_bytes(&(*id, network.clone())))
        }
        EventFilter::Pool { id, pool } => {
            remote(CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY, to_bytes(&(*id, pool.clone())))
        }
        EventFilter::NodeDevice { id, device } => {
            remote(CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY, to_bytes(&(*id, device.clone())))
        }
        EventFilter::Secret { id, secret } => {
            remote(CONNECT_SECRET_EVENT_REGISTER_ANY, to_bytes(&(*id, secret.clone())))
        }
        EventFilter::Monitor { domain, event, flags } => {
            let payload = to_bytes(&(domain.clone(), event.clone(), *flags));
            (QEMU_PROGRAM, QEMU_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER, payload)
        }
    }
}

/// The call that ends a subscription.
pub fn deregistration(filter: &EventFilter, subscription: i32) -> Unaddressed {
    let (program, procedure) = match filter {
        EventFilter::Domain { .. } => (REMOTE_PROGRAM, CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY),
        EventFilter::Network { .. } => (REMOTE_PROGRAM, CONNECT_NETWORK_EVENT_DEREGISTER_ANY),
        EventFilter::Pool { .. } => (REMOTE_PROGRAM, CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY),
        EventFilter::NodeDevice { .. } => (REMOTE_PROGRAM, CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY),
        EventFilter::Secret { .. } => (REMOTE_PROGRAM, CONNECT_SECRET_EVENT_DEREGISTER_ANY),
        EventFilter::Monitor { .. } => (QEMU_PROGRAM, QEMU_CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER),
    };
    (program, procedure, to_bytes(&subscription))
}

/// Reads a call that asks for a subscription; `None` if it is another call.
pub fn parse_registration(program: u32, procedure: i32, payload: &[u8]) -> Option<Result<EventFilter>> {
    fn read<T: Xdr>(payload: &[u8], make: impl Fn(i32, Option<T>) -> EventFilter) -> Result<EventFilter> {
        from_bytes::<(i32, Option<T>)>(payload).map(|(id, subject)| make(id, subject))
    }
    if program == QEMU_PROGRAM {
        return (procedure == QEMU_CONNECT_DOMAIN_MONITOR_EVENT_REGISTER).then(|| {
            from_bytes(payload).map(|(domain, event, flags)| EventFilter::Monitor { domain, event, flags })
        });
    }
    Some(match procedure {
        CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY => {
            read(payload, |id, domain| EventFilter::Domain { id, domain })
        }
        CONNECT_NETWORK_EVENT_REGISTER_ANY => {
            read(payload, |id, network| EventFilter::Network { id, network })
        }
        CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY => read(payload, |id, pool| EventFilter::Pool { id, pool }),
        CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY => {
            read(payload, |id, device| EventFilter::NodeDevice { id, device })
        }
        CONNECT_SECRET_EVENT_REGISTER_ANY => read(payload, |id, secret| EventFilter::Secret { id, secret }),
        _ => return None,
    })
}

/// Whether a call ends a subscription.
pub fn is_deregistration(program: u32, procedure: i32) -> bool {
    match program {
        QEMU_PROGRAM => procedure == QEMU_CONNECT_DOMAIN_MONITOR_EVENT_DEREGISTER,
        REMOTE_PROGRAM => matches!(
            procedure,
            CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY
                | CONNECT_NETWORK_EVENT_DEREGISTER_ANY
                | CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY
                | CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY
                | CONNECT_SECRET_EVENT_DEREGISTER_ANY
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
