//! From QEMU's events to the state machine and to those who watch.
//!
//! Runs on the guest's reader thread, so it never waits for QEMU: commands that follow from an event are posted
//! without waiting for their replies.

use super::dump;
use super::guest::{Condition, Guest};
use super::inventory::Inventory;
use super::state::Happening;
use crate::model::constants::*;
use crate::model::event::{DomainEvent, Event, GraphicsAddress, MonitorEvent};
use crate::qemud::qmp::{EventSink, Monitor, QmpEvent};
use serde_json::{Value, json};
use std::sync::Arc;

/// Listens to one guest.
pub struct Listener {
    /// All domains.
    pub inventory: Arc<Inventory>,
    /// This one.
    pub guest: Arc<Guest>,
    /// Its monitor.
    pub monitor: Arc<Monitor>,
}

impl EventSink for Listener {
    fn event(&self, event: QmpEvent) {
        let mut condition = self.guest.lock();
        let ours = condition.active.as_ref();
        if !ours.is_some_and(|active| Arc::ptr_eq(&active.monitor, &self.monitor)) {
            return;
        }
        self.pass_on(&condition, &event);
        if !self.of_the_machine(&mut condition, &event) && !self.of_a_job(&mut condition, &event) {
            let told = of_a_device(&mut condition, &event);
            for event in told {
                self.inventory.tell(condition.reference(), event);
            }
        }
        drop(condition);
        self.guest.announce();
    }

    fn closed(&self) {
        if self.inventory.is_released() {
            return;
        }
        let condition = self.guest.lock();
        let expected = condition.active.as_ref().is_some_and(|a| a.expected_end.is_some());
        if condition.is_active() && !expected {
            self.inventory.tell(condition.reference(), DomainEvent::ControlError);
        }
        drop(condition);
        self.guest.announce();
    }
}

impl Listener {
    /// Everything also goes to who watches the monitor itself.
    fn pass_on(&self, condition: &Condition, event: &QmpEvent) {
        let details = (!event.data.is_null()).then(|| event.data.to_string());
        let passed =
            MonitorEvent { name: event.name.clone(), seconds: event.seconds, micros: event.micros, details };
        self.inventory.bus.publish(&Event::Monitor(condition.reference(), passed));
    }

    fn post(&self, command: &str, arguments: Value) {
        if self.monitor.post(command, arguments).is_err() {
            tracing::warn!("the monitor closed before '{command}' could be sent");
        }
    }

    /// Events of the machine as a whole; `false` if this is none.
    fn of_the_machine(&self, condition: &mut Condition, event: &QmpEvent) -> bool {
        let Some(active) = condition.active.as_mut() else {
            return true;
        };
        match event.name.as_str() {
            "STOP" if active.restarting => {}
            "STOP" => {
                let reason = active.expected_stop.take().unwrap_or(DOMAIN_PAUSED_UNKNOWN);
                self.inventory.follow(condition, Happening::Stopped(reason));
            }
            "RESUME" => {
                active.restarting = false;
                let reason = active.expected_resume.take().unwrap_or(DOMAIN_RUNNING_UNPAUSED);
                self.inventory.follow(condition, Happening::Resumed(reason));
            }
            "SHUTDOWN" => self.powering_off(condition, event),
            "RESET" => self.inventory.tell(condition.reference(), DomainEvent::Reboot),
            "GUEST_PANICKED" => self.panicked(condition),
            "SUSPEND" => {
                self.inventory.follow(condition, Happening::Suspended { to_disk: false });
                self.inventory.tell(condition.reference(), DomainEvent::PmSuspend { reason: 0 });
            }
            "SUSPEND_DISK" => {
                self.inventory.follow(condition, Happening::Suspended { to_disk: true });
                self.inventory.tell(condition.reference(), DomainEvent::PmSuspendDisk { reason: 0 });
            }
            "WAKEUP" => {
                self.inventory.follow(condition, Happening::Woken);
                self.inventory.tell(condition.reference(), DomainEvent::PmWakeup { reason: 0 });
            }
            _ => return false,
        }
        true
    }

    /// The guest is off, or QEMU was told to leave. QEMU runs with `-no-shutdown`, so it waits for us.
    fn powering_off(&self, condition: &mut Condition, event: &QmpEvent) {
        let by_guest = event.flag("guest");
        let Some(active) = condition.active.as_mut() else {
            return;
        };
        let wants_restart = active.action("on_poweroff").as_deref() == Some("restart");
        let reset_means_end = event.text("reason") == Some("guest-reset");
        if by_guest && !reset_means_end && (active.reboot_pending || wants_restart) {
            active.reboot_pending = false;
            self.start_over(condition, DOMAIN_RUNNING_BOOTED);
            return;
        }
        let preserve = active.action("on_poweroff").as_deref() == Some("preserve");
        let process = active.process.clone();
        self.inventory.follow(condition, Happening::PoweringOff { by_guest });
        if by_guest && !preserve {
            process.terminate();
        }
    }

    /// Resets the machine and lets it run again.
    fn start_over(&self, condition: &mut Condition, reason: i32) {
        if let Some(active) = condition.active.as_mut() {
            active.expected_resume = Some(reason);
            active.restarting = true;
        }
        self.inventory.write_status(condition);
        self.post("system_reset", Value::Null);
        self.post("cont", Value::Null);
    }

    /// The guest's kernel panicked: does what its definition says.
    fn panicked(&self, condition: &mut Condition) {
        let Some(active) = condition.active.as_mut() else {
            return;
        };
        let action = active.action("on_crash").unwrap_or_default();
        let process = active.process.clone();
        self.inventory.follow(condition, Happening::Panicked);
        match action.as_str() {
            "preserve" => {}
            "restart" | "rename-restart" => self.start_over(condition, DOMAIN_RUNNING_CRASHED),
            "coredump-destroy" | "coredump-restart" => {
                dump::dump_crashed(
                    &self.inventory,
                    &self.guest,
                    &condition.name,
                    action == "coredump-restart",
                );
            }
            _ => {
                if let Some(active) = condition.active.as_mut() {
                    active.expected_end = Some(DOMAIN_SHUTOFF_CRASHED);
                }
                process.terminate();
            }
        }
    }

    /// Events of work QEMU does in the background; `false` if this is none.
    fn of_a_job(&self, condition: &mut Condition, event: &QmpEvent) -> bool {
        let Some(active) = condition.active.as_mut() else {
            return true;
        };
        match event.name.as_str() {
            "MIGRATION" => active.migration = event.text("status").map(str::to_string),
            "MIGRATION_PASS" => {
                let iteration = i32::try_from(event.number("pass").unwrap_or(0)).unwrap_or(i32::MAX);
                let told = DomainEvent::MigrationIteration { iteration };
                self.inventory.tell(condition.reference(), told);
            }
            "DUMP_COMPLETED" => {
                let error = event.text("error").map(str::to_string);
                active.dump = Some(error.map_or(Ok(()), Err));
            }
            "BLOCK_JOB_COMPLETED" | "BLOCK_JOB_CANCELLED" | "BLOCK_JOB_READY" => {
                self.block_job(condition, event);
            }
            _ => return false,
        }
        true
    }

    fn block_job(&self, condition: &Condition, event: &QmpEvent) {
        let status = match event.name.as_str() {
            "BLOCK_JOB_READY" => DOMAIN_BLOCK_JOB_READY,
            "BLOCK_JOB_CANCELLED" => DOMAIN_BLOCK_JOB_CANCELED,
            _ if event.text("error").is_some() => DOMAIN_BLOCK_JOB_FAILED,
            _ => DOMAIN_BLOCK_JOB_COMPLETED,
        };
        let kind = match event.text("type") {
            Some("stream") => DOMAIN_BLOCK_JOB_TYPE_PULL,
            Some("mirror") => DOMAIN_BLOCK_JOB_TYPE_COPY,
            Some("commit") => DOMAIN_BLOCK_JOB_TYPE_COMMIT,
            Some("backup") => DOMAIN_BLOCK_JOB_TYPE_BACKUP,
            _ => DOMAIN_BLOCK_JOB_TYPE_UNKNOWN,
        };
        let Some(device) = event.text("device") else {
            return;
        };
        let (target, path) = disk_names(condition, device);
        let reference = condition.reference();
        self.inventory.tell(reference.clone(), DomainEvent::BlockJob { path, kind, status });
        self.inventory.tell(reference, DomainEvent::BlockJob2 { target, kind, status });
    }
}

/// A disk's target and source path by its alias, or the alias itself where it is unknown.
fn disk_names(condition: &Condition, alias: &str) -> (String, String) {
    let tree = condition.current().and_then(|definition| definition.tree().ok());
    let found = tree.as_ref().and_then(|tree| {
        let devices = tree.child("devices")?;
        let mut disks = devices.children("disk");
        disks.find(|disk| {
            let known = disk.child_attribute("alias", "name").unwrap_or("");
            known == alias || alias.ends_with(&format!("-{known}")) && !known.is_empty()
        })
    });
    let attribute = |path: &str, name: &str| found.and_then(|disk| disk.child_attribute(path, name));
    let target = attribute("target", "dev").unwrap_or(alias).to_string();
    let source = attribute("source", "file").or_else(|| attribute("source", "dev"));
    (target, source.unwrap_or("").to_string())
}

/// Events of single devices.
fn of_a_device(condition: &mut Condition, event: &QmpEvent) -> Vec<DomainEvent> {
    let Some(active) = condition.active.as_mut() else {
        return Vec::new();
    };
    let text = |field: &str| event.text(field).unwrap_or("").to_string();
    match event.name.as_str() {
        "BALLOON_CHANGE" => {
            active.balloon = u64::try_from(event.number("actual").unwrap_or(0)).unwrap_or(0) / 1024;
            vec![DomainEvent::BalloonChange { actual: active.balloon }]
        }
        "RTC_CHANGE" => vec![DomainEvent::RtcChange { offset: event.number("offset").unwrap_or(0) }],
        "WATCHDOG" => watchdog(condition, event),
        "BLOCK_IO_ERROR" => io_error(condition, event),
        "DEVICE_DELETED" => match event.text("device") {
            Some(alias) => vec![DomainEvent::DeviceRemoved { alias: alias.to_string() }],
            None => Vec::new(),
        },
        "DEVICE_UNPLUG_GUEST_ERROR" => vec![DomainEvent::DeviceRemovalFailed { alias: text("device") }],
        "DEVICE_TRAY_MOVED" => {
            let reason = i32::from(!event.flag("tray-open"));
            vec![DomainEvent::TrayChange { alias: text("id"), reason }]
        }
        "VSERPORT_CHANGE" => agent_channel(condition, event),
        "VNC_CONNECTED" | "SPICE_CONNECTED" => vec![graphics(event, DOMAIN_EVENT_GRAPHICS_CONNECT)],
        "VNC_INITIALIZED" | "SPICE_INITIALIZED" => vec![graphics(event, DOMAIN_EVENT_GRAPHICS_INITIALIZE)],
        "VNC_DISCONNECTED" | "SPICE_DISCONNECTED" => vec![graphics(event, DOMAIN_EVENT_GRAPHICS_DISCONNECT)],
        "BLOCK_WRITE_THRESHOLD" => {
            let number = |field: &str| u64::try_from(event.number(field).unwrap_or(0)).unwrap_or(0);
            let (threshold, excess) = (number("write-threshold"), number("amount-exceeded"));
            let node = text("node-name");
            // One that an earlier helper set is told of under the node's own name.
            let devices = active.marked_disks.remove(&node).unwrap_or_else(|| vec![(node, String::new())]);
            let told = devices.into_iter().map(|(device, path)| DomainEvent::BlockThreshold {
                device,
                path: Some(path),
                threshold,
                excess,
            });
            told.collect()
        }
        "MEMORY_DEVICE_SIZE_CHANGE" => {
            let size = u64::try_from(event.number("size").unwrap_or(0)).unwrap_or(0) / 1024;
            vec![DomainEvent::MemoryDeviceSizeChange { alias: text("id"), size }]
        }
        _ => Vec::new(),
    }
}

fn watchdog(condition: &mut Condition, event: &QmpEvent) -> Vec<DomainEvent> {
    let action = match event.text("action") {
        Some("pause") => DOMAIN_EVENT_WATCHDOG_PAUSE,
        Some("reset") => DOMAIN_EVENT_WATCHDOG_RESET,
        Some("poweroff") => DOMAIN_EVENT_WATCHDOG_POWEROFF,
        Some("shutdown") => DOMAIN_EVENT_WATCHDOG_SHUTDOWN,
        Some("debug") => DOMAIN_EVENT_WATCHDOG_DEBUG,
        Some("inject-nmi") => DOMAIN_EVENT_WATCHDOG_INJECTNMI,
        _ => DOMAIN_EVENT_WATCHDOG_NONE,
    };
    if action == DOMAIN_EVENT_WATCHDOG_PAUSE
        && let Some(active) = condition.active.as_mut()
    {
        active.expected_stop = Some(DOMAIN_PAUSED_WATCHDOG);
    }
    vec![DomainEvent::Watchdog { action }]
}

fn io_error(condition: &mut Condition, event: &QmpEvent) -> Vec<DomainEvent> {
    let action = match event.text("action") {
        Some("stop") => DOMAIN_EVENT_IO_ERROR_PAUSE,
        Some("report") => DOMAIN_EVENT_IO_ERROR_REPORT,
        _ => DOMAIN_EVENT_IO_ERROR_NONE,
    };
    if action == DOMAIN_EVENT_IO_ERROR_PAUSE
        && let Some(active) = condition.active.as_mut()
    {
        active.expected_stop = Some(DOMAIN_PAUSED_IOERROR);
    }
    let alias = event
        .text("qom-path")
        .and_then(|path| path.strip_prefix("/machine/peripheral/"))
        .and_then(|path| path.split('/').next())
        .or(event.text("device").filter(|device| !device.is_empty()))
        .or(event.text("node-name"))
        .unwrap_or("")
        .to_string();
    let (_, source) = disk_names(condition, &alias);
    let reason = if event.flag("nospace") { "enospc" } else { "" }.to_string();
    vec![
        DomainEvent::IoError { source: source.clone(), alias: alias.clone(), action },
        DomainEvent::IoErrorReason { source, alias, action, reason },
    ]
}

/// A guest opened or closed a port of virtio-serial; the agent's is told to watchers.
fn agent_channel(condition: &mut Condition, event: &QmpEvent) -> Vec<DomainEvent> {
    let connected = event.flag("open");
    let Some(tree) = condition.active.as_ref().and_then(|active| active.definition.tree().ok()) else {
        return Vec::new();
    };
    let id = event.text("id").unwrap_or("");
    let channels = tree.child("devices").into_iter().flat_map(|devices| devices.children("channel"));
    let mut of_the_agent = channels.filter(|channel| {
        channel.child_attribute("alias", "name") == Some(id)
            && channel.child_attribute("target", "name") == Some(super::agent::CHANNEL)
    });
    let Some(active) = condition.active.as_mut().filter(|_| of_the_agent.next().is_some()) else {
        return Vec::new();
    };
    active.agent_connected = connected;
    let state = if connected {
        CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
    } else {
        CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED
    };
    let reason = CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL;
    vec![DomainEvent::AgentLifecycle { state, reason }]
}

fn graphics(event: &QmpEvent, phase: i32) -> DomainEvent {
    let nothing = json!({});
    let end = |side: &str| {
        let end = event.data.get(side).unwrap_or(&nothing);
        let text = |field: &str| end.get(field).and_then(Value::as_str).unwrap_or("").to_string();
        let family = match end.get("family").and_then(Value::as_str) {
            Some("ipv6") => DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV6,
            Some("unix") => DOMAIN_EVENT_GRAPHICS_ADDRESS_UNIX,
            _ => DOMAIN_EVENT_GRAPHICS_ADDRESS_IPV4,
        };
        let port = end.get("port").map(|port| port.as_str().map_or(port.to_string(), str::to_string));
        GraphicsAddress { family, node: text("host"), service: port.unwrap_or_else(|| text("service")) }
    };
    let field = |side: &str, field: &str| {
        let value = event.data.get(side).and_then(|side| side.get(field));
        value.and_then(Value::as_str).map(str::to_string)
    };
    let subject = ["x509_dname", "sasl_username"];
    let subject = subject.iter().filter_map(|kind| {
        let shown = if *kind == "x509_dname" { "x509dname" } else { "saslUsername" };
        Some((shown.to_string(), field("client", kind)?))
    });
    DomainEvent::Graphics {
        phase,
        local: end("server"),
        remote: end("client"),
        auth_scheme: field("server", "auth").unwrap_or_default(),
        subject: subject.collect(),
    }
}
