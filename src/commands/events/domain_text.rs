//! Events of domains as virsh prints them.

use crate::commands::domain::tuning::parameters;
use crate::model::event::{DomainEvent, GraphicsAddress};
use crate::model::{DomainRef, ParamValue, TypedParam};
use serde_json::{Map, Value, json};

/// The kinds of events, by their numbers.
pub const NAMES: &[&str] = &[
    "lifecycle",
    "reboot",
    "rtc-change",
    "watchdog",
    "io-error",
    "graphics",
    "io-error-reason",
    "control-error",
    "block-job",
    "disk-change",
    "tray-change",
    "pm-wakeup",
    "pm-suspend",
    "balloon-change",
    "pm-suspend-disk",
    "device-removed",
    "block-job-2",
    "tunable",
    "agent-lifecycle",
    "device-added",
    "migration-iteration",
    "job-completed",
    "device-removal-failed",
    "metadata-change",
    "block-threshold",
    "memory-failure",
    "memory-device-size-change",
    "nic-mac-change",
];

const LIFECYCLE: &[(&str, &[&str])] = &[
    ("Defined", &["Added", "Updated", "Renamed", "Snapshot"]),
    ("Undefined", &["Removed", "Renamed"]),
    ("Started", &["Booted", "Migrated", "Restored", "Snapshot", "Event wakeup"]),
    (
        "Suspended",
        &[
            "Paused",
            "Migrated",
            "I/O Error",
            "Watchdog",
            "Restored",
            "Snapshot",
            "API error",
            "Post-copy",
            "Post-copy Error",
        ],
    ),
    ("Resumed", &["Unpaused", "Migrated", "Snapshot", "Post-copy", "Post-copy Error"]),
    ("Stopped", &["Shutdown", "Destroyed", "Crashed", "Migrated", "Saved", "Failed", "Snapshot"]),
    ("Shutdown", &["Finished", "Finished after guest request", "Finished after host request"]),
    ("PMSuspended", &["Memory", "Disk"]),
    ("Crashed", &["Panicked", "Crashloaded"]),
];

const WATCHDOG: &[&str] = &["none", "pause", "reset", "poweroff", "shutdown", "debug", "inject-nmi"];
const IO_ERROR: &[&str] = &["none", "pause", "report"];
const GRAPHICS_PHASE: &[&str] = &["connect", "initialize", "disconnect"];
const ADDRESS_FAMILY: &[&str] = &["IPv4", "IPv6", "unix"];
const DISK_CHANGE: &[&str] = &["changed", "dropped"];
const TRAY: &[&str] = &["opened", "closed"];
const AGENT_STATE: &[&str] = &["unknown", "connected", "disconnected"];
const AGENT_REASON: &[&str] = &["unknown", "domain started", "channel event"];
const METADATA: &[&str] = &["description", "title", "element"];
const RECIPIENT: &[&str] = &["hypervisor", "guest"];
const MEMORY_ACTION: &[&str] = &["ignore", "inject", "fatal", "reset"];
const BLOCK_JOB: &[&str] =
    &["Unknown job", "Block Pull", "Block Copy", "Block Commit", "Active Block Commit", "Backup"];
const BLOCK_STATUS: &[&str] = &["completed", "failed", "canceled", "ready"];

fn word<'a>(words: &[&'a str], number: i32, unknown: &'a str) -> &'a str {
    let place = usize::try_from(number).ok();
    place.and_then(|place| words.get(place).copied()).unwrap_or(unknown)
}

fn name(event: &DomainEvent) -> &'static str {
    word(NAMES, event.id(), "unknown")
}

/// How an event is headed; both kinds of I/O errors go by the name of the older one.
fn heading(domain: &DomainRef, event: &DomainEvent) -> String {
    let name = match event {
        DomainEvent::IoErrorReason { .. } => NAMES[4],
        _ => name(event),
    };
    format!("event '{name}' for domain '{}'", domain.name)
}

/// The line or lines of an event, without the last line's end.
pub fn text(domain: &DomainRef, event: &DomainEvent) -> String {
    let heading = heading(domain, event);
    match event {
        DomainEvent::DiskChange { old, new, alias, reason } => {
            let shown = |path: &Option<String>| path.clone().unwrap_or_else(|| "<null>".to_string());
            let reason = word(DISK_CHANGE, *reason, "unknown");
            format!("{heading} disk {alias}: {} -> {}: {reason}", shown(old), shown(new))
        }
        DomainEvent::TrayChange { alias, reason } => {
            format!("{heading} disk {alias}: {}", word(TRAY, *reason, "unknown"))
        }
        DomainEvent::Reboot
        | DomainEvent::ControlError
        | DomainEvent::PmWakeup { .. }
        | DomainEvent::PmSuspend { .. }
        | DomainEvent::PmSuspendDisk { .. } => heading,
        DomainEvent::Tunable { params } | DomainEvent::JobCompleted { params } => {
            format!("{heading}:{}", param_lines(params))
        }
        DomainEvent::MemoryFailure { .. }
        | DomainEvent::MemoryDeviceSizeChange { .. }
        | DomainEvent::NicMacChange { .. } => format!("{heading}:\n{}", details(event)),
        _ => format!("{heading}: {}", details(event)),
    }
}

/// What stands after the heading.
fn details(event: &DomainEvent) -> String {
    match event {
        DomainEvent::Lifecycle { event, detail } => {
            let known = usize::try_from(*event).ok().and_then(|event| LIFECYCLE.get(event));
            let (what, details) = known.unwrap_or(&("unknown", &[]));
            format!("{what} {}", word(details, *detail, "unknown"))
        }
        DomainEvent::RtcChange { offset } => offset.to_string(),
        DomainEvent::Watchdog { action } => word(WATCHDOG, *action, "unknown").to_string(),
        DomainEvent::IoError { source, alias, action } => {
            format!("{source} ({alias}) {}", word(IO_ERROR, *action, "unknown"))
        }
        DomainEvent::IoErrorReason { source, alias, action, reason } => {
            format!("{source} ({alias}) {} due to {reason}", word(IO_ERROR, *action, "unknown"))
        }
        DomainEvent::Graphics { phase, local, remote, auth_scheme, subject } => {
            let phase = word(GRAPHICS_PHASE, *phase, "unknown");
            let subject: String = subject.iter().map(|(kind, name)| format!("\n\t{kind}={name}")).collect();
            let (local, remote) = (address(local), address(remote));
            format!("{phase} local[{local}] remote[{remote}] {auth_scheme}{subject}")
        }
        DomainEvent::BlockJob { path, kind, status }
        | DomainEvent::BlockJob2 { target: path, kind, status } => {
            let kind = word(BLOCK_JOB, *kind, BLOCK_JOB[0]);
            format!("{kind} for {path} {}", word(BLOCK_STATUS, *status, "unknown"))
        }
        _ => further_details(event),
    }
}

/// The same for the events of newer releases.
fn further_details(event: &DomainEvent) -> String {
    match event {
        DomainEvent::BalloonChange { actual } => format!("{actual}KiB"),
        DomainEvent::DeviceRemoved { alias }
        | DomainEvent::DeviceAdded { alias }
        | DomainEvent::DeviceRemovalFailed { alias } => alias.clone(),
        DomainEvent::AgentLifecycle { state, reason } => format!(
            "state: '{}' reason: '{}'",
            word(AGENT_STATE, *state, "unsupported value"),
            word(AGENT_REASON, *reason, "unsupported value")
        ),
        DomainEvent::MigrationIteration { iteration } => format!("iteration: '{iteration}'"),
        DomainEvent::MetadataChange { kind, uri } => format!(
            "type {}, uri {}",
            word(METADATA, *kind, "unsupported value"),
            uri.as_deref().unwrap_or("<null>")
        ),
        DomainEvent::BlockThreshold { device, path, threshold, excess } => {
            format!("dev: {device}({}) {threshold} {excess}", path.as_deref().unwrap_or("<null>"))
        }
        DomainEvent::MemoryFailure { recipient, action, flags } => format!(
            "recipient: {}\naction: {}\nflags:\n\taction required: {}\n\trecursive: {}",
            word(RECIPIENT, *recipient, "unsupported value"),
            word(MEMORY_ACTION, *action, "unsupported value"),
            u8::from(flags & crate::model::constants::DOMAIN_MEMORY_FAILURE_ACTION_REQUIRED != 0),
            u8::from(flags & crate::model::constants::DOMAIN_MEMORY_FAILURE_RECURSIVE != 0)
        ),
        DomainEvent::MemoryDeviceSizeChange { alias, size } => format!("alias: {alias}\nsize: {size}"),
        DomainEvent::NicMacChange { alias, old, new } => {
            format!("alias: {alias}\noldMAC: {old}\nnewMAC: {new}")
        }
        _ => String::new(),
    }
}

fn address(address: &GraphicsAddress) -> String {
    let family = word(ADDRESS_FAMILY, address.family, "unknown");
    format!("{family} {} {}", address.node, address.service)
}

fn param_lines(params: &[TypedParam]) -> String {
    let line = |param: &TypedParam| match param.value {
        ParamValue::Boolean(value) => format!("\n\t{}: {}", param.name, u8::from(value)),
        ParamValue::Double(value) => format!("\n\t{}: {value}", param.name),
        ref value => format!("\n\t{}: {value}", param.name),
    };
    // Whether the job went well is told by its message alone.
    params.iter().map(line).collect()
}

/// An event as data: its kind, its domain, and what virsh's words say of it.
pub fn data(domain: &DomainRef, event: &DomainEvent) -> Value {
    let mut fields = Map::new();
    fields.insert("event".into(), json!(name(event)));
    fields.insert("domain".into(), json!(domain.name));
    fields.insert("uuid".into(), json!(domain.uuid.to_string()));
    match event {
        DomainEvent::Lifecycle { event, detail } => {
            let known = usize::try_from(*event).ok().and_then(|event| LIFECYCLE.get(event));
            let (what, details) = known.unwrap_or(&("unknown", &[]));
            fields.insert("what".into(), json!(what));
            fields.insert("detail".into(), json!(word(details, *detail, "unknown")));
        }
        DomainEvent::Tunable { params } | DomainEvent::JobCompleted { params } => {
            let pairs = params.iter().map(|param| (param.name.clone(), parameters::value(&param.value)));
            fields.insert("params".into(), Value::Object(pairs.collect()));
        }
        DomainEvent::RtcChange { offset } => {
            fields.insert("offset".into(), json!(offset));
        }
        DomainEvent::BalloonChange { actual } => {
            fields.insert("actual_kib".into(), json!(actual));
        }
        other => {
            let text = details(other);
            if !text.is_empty() {
                fields.insert("detail".into(), json!(text));
            }
        }
    }
    Value::Object(fields)
}
