//! Events: what a driver tells those who watch.

use super::{DomainRef, NetworkRef, NodeDeviceRef, PoolRef, SecretRef, TypedParam};

/// What a subscription watches. The numbers are `virDomainEventID` and its siblings.
#[derive(Clone, PartialEq, Debug)]
pub enum EventFilter {
    /// One kind of event of a domain, or of all.
    Domain {
        /// `virDomainEventID`.
        id: i32,
        /// Only this domain's.
        domain: Option<DomainRef>,
    },
    /// One kind of event of a network, or of all.
    Network {
        /// `virNetworkEventID`.
        id: i32,
        /// Only this network's.
        network: Option<NetworkRef>,
    },
    /// One kind of event of a storage pool, or of all.
    Pool {
        /// `virStoragePoolEventID`.
        id: i32,
        /// Only this pool's.
        pool: Option<PoolRef>,
    },
    /// One kind of event of a node device, or of all.
    NodeDevice {
        /// `virNodeDeviceEventID`.
        id: i32,
        /// Only this device's.
        device: Option<NodeDeviceRef>,
    },
    /// One kind of event of a secret, or of all.
    Secret {
        /// `virSecretEventID`.
        id: i32,
        /// Only this secret's.
        secret: Option<SecretRef>,
    },
    /// QEMU's own monitor events.
    Monitor {
        /// Only this domain's.
        domain: Option<DomainRef>,
        /// Only events of this name.
        event: Option<String>,
        /// `virConnectDomainQemuMonitorEventRegisterFlags`.
        flags: u32,
    },
}

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// To a domain.
    Domain(DomainRef, DomainEvent),
    /// To a network.
    Network(NetworkRef, ObjectEvent),
    /// To a storage pool.
    Pool(PoolRef, ObjectEvent),
    /// To a node device.
    NodeDevice(NodeDeviceRef, ObjectEvent),
    /// To a secret.
    Secret(SecretRef, ObjectEvent),
    /// QEMU's own event.
    Monitor(DomainRef, MonitorEvent),
}

/// An event of QEMU's monitor, passed on as it came.
#[derive(Clone, PartialEq, Debug)]
pub struct MonitorEvent {
    /// Its name, such as `RTC_CHANGE`.
    pub name: String,
    /// Seconds since 1970 when it happened.
    pub seconds: i64,
    /// Microseconds within the second.
    pub micros: u32,
    /// Its data as JSON.
    pub details: Option<String>,
}

/// What can happen to the objects that are not domains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectEvent {
    /// Defined, started, stopped and so on: the kind's own lifecycle numbers.
    Lifecycle {
        /// What happened.
        event: i32,
        /// Why.
        detail: i32,
    },
    /// A pool was refreshed.
    Refresh,
    /// A node device was updated.
    Update,
    /// A secret's value changed.
    ValueChanged,
    /// A network's metadata changed.
    MetadataChange {
        /// `virNetworkMetadataType`.
        kind: i32,
        /// The namespace of an element.
        uri: Option<String>,
    },
}

/// One end of a graphics connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GraphicsAddress {
    /// `virDomainEventGraphicsAddressType`.
    pub family: i32,
    /// Host or path.
    pub node: String,
    /// Port.
    pub service: String,
}

/// What can happen to a domain, by `virDomainEventID`.
#[derive(Clone, PartialEq, Debug)]
#[allow(missing_docs)] // the fields carry the names and numbers of the public interface
pub enum DomainEvent {
    /// `virDomainEventType` and its detail.
    Lifecycle { event: i32, detail: i32 },
    /// The guest rebooted.
    Reboot,
    /// The guest set its clock; the offset from UTC in seconds.
    RtcChange { offset: i64 },
    /// The watchdog fired (`virDomainEventWatchdogAction`).
    Watchdog { action: i32 },
    /// A disk met an error.
    IoError { source: String, alias: String, action: i32 },
    /// A graphics client came or went.
    Graphics {
        phase: i32,
        local: GraphicsAddress,
        remote: GraphicsAddress,
        auth_scheme: String,
        subject: Vec<(String, String)>,
    },
    /// A disk met an error, with its reason.
    IoErrorReason { source: String, alias: String, action: i32, reason: String },
    /// The control channel broke.
    ControlError,
    /// A block job ended or became ready; the disk by its source path.
    BlockJob { path: String, kind: i32, status: i32 },
    /// A disk's medium changed.
    DiskChange { old: Option<String>, new: Option<String>, alias: String, reason: i32 },
    /// A tray opened or closed.
    TrayChange { alias: String, reason: i32 },
    /// The guest woke up.
    PmWakeup { reason: i32 },
    /// The guest suspended to memory.
    PmSuspend { reason: i32 },
    /// The balloon's size changed, in KiB.
    BalloonChange { actual: u64 },
    /// The guest suspended to disk.
    PmSuspendDisk { reason: i32 },
    /// A device is gone.
    DeviceRemoved { alias: String },
    /// A block job ended or became ready; the disk by its target.
    BlockJob2 { target: String, kind: i32, status: i32 },
    /// Tunables changed.
    Tunable { params: Vec<TypedParam> },
    /// The guest's agent came or went.
    AgentLifecycle { state: i32, reason: i32 },
    /// A device came.
    DeviceAdded { alias: String },
    /// Migration began another pass.
    MigrationIteration { iteration: i32 },
    /// A job ended; its final statistics.
    JobCompleted { params: Vec<TypedParam> },
    /// A device would not go.
    DeviceRemovalFailed { alias: String },
    /// Title, description or an element of the metadata changed.
    MetadataChange { kind: i32, uri: Option<String> },
    /// A disk grew over its threshold.
    BlockThreshold { device: String, path: Option<String>, threshold: u64, excess: u64 },
    /// A memory error (`virDomainMemoryFailure…`).
    MemoryFailure { recipient: i32, action: i32, flags: u32 },
    /// A memory device changed its size, in KiB.
    MemoryDeviceSizeChange { alias: String, size: u64 },
    /// The guest changed a card's MAC address.
    NicMacChange { alias: String, old: String, new: String },
}

impl DomainEvent {
    /// The event's `virDomainEventID`.
    pub fn id(&self) -> i32 {
        match self {
            DomainEvent::Lifecycle { .. } => 0,
            DomainEvent::Reboot => 1,
            DomainEvent::RtcChange { .. } => 2,
            DomainEvent::Watchdog { .. } => 3,
            DomainEvent::IoError { .. } => 4,
            DomainEvent::Graphics { .. } => 5,
            DomainEvent::IoErrorReason { .. } => 6,
            DomainEvent::ControlError => 7,
            DomainEvent::BlockJob { .. } => 8,
            DomainEvent::DiskChange { .. } => 9,
            DomainEvent::TrayChange { .. } => 10,
            DomainEvent::PmWakeup { .. } => 11,
            DomainEvent::PmSuspend { .. } => 12,
            DomainEvent::BalloonChange { .. } => 13,
            DomainEvent::PmSuspendDisk { .. } => 14,
            DomainEvent::DeviceRemoved { .. } => 15,
            DomainEvent::BlockJob2 { .. } => 16,
            DomainEvent::Tunable { .. } => 17,
            DomainEvent::AgentLifecycle { .. } => 18,
            DomainEvent::DeviceAdded { .. } => 19,
            DomainEvent::MigrationIteration { .. } => 20,
            DomainEvent::JobCompleted { .. } => 21,
            DomainEvent::DeviceRemovalFailed { .. } => 22,
            DomainEvent::MetadataChange { .. } => 23,
            DomainEvent::BlockThreshold { .. } => 24,
            DomainEvent::MemoryFailure { .. } => 25,
            DomainEvent::MemoryDeviceSizeChange { .. } => 26,
            DomainEvent::NicMacChange { .. } => 27,
        }
    }
}

impl EventFilter {
    /// Whether a subscription with this filter is to see `event`.
    pub fn matches(&self, event: &Event) -> bool {
        let chosen =
            |wanted: &Option<uuid::Uuid>, uuid: uuid::Uuid| wanted.is_none_or(|wanted| wanted == uuid);
        match (self, event) {
            (EventFilter::Domain { id, domain }, Event::Domain(subject, what)) => {
                *id == what.id() && chosen(&domain.as_ref().map(|d| d.uuid), subject.uuid)
            }
            (EventFilter::Network { id, network }, Event::Network(subject, what)) => {
                *id == what.id() && chosen(&network.as_ref().map(|n| n.uuid), subject.uuid)
            }
            (EventFilter::Pool { id, pool }, Event::Pool(subject, what)) => {
                *id == what.id() && chosen(&pool.as_ref().map(|p| p.uuid), subject.uuid)
            }
            (EventFilter::NodeDevice { id, device }, Event::NodeDevice(subject, what)) => {
                *id == what.id() && device.as_ref().is_none_or(|wanted| wanted == subject)
            }
            (EventFilter::Secret { id, secret }, Event::Secret(subject, what)) => {
                *id == what.id() && chosen(&secret.as_ref().map(|s| s.uuid), subject.uuid)
            }
            // Flags ask for patterns instead of names; drivers that know them filter further themselves.
            (EventFilter::Monitor { domain, event, flags }, Event::Monitor(subject, what)) => {
                chosen(&domain.as_ref().map(|d| d.uuid), subject.uuid)
                    && (*flags != 0 || event.as_ref().is_none_or(|name| *name == what.name))
            }
            _ => false,
        }
    }
}

impl ObjectEvent {
    /// The event's number among those of its kind of object.
    pub fn id(&self) -> i32 {
        match self {
            ObjectEvent::Lifecycle { .. } => 0,
            _ => 1,
        }
    }
}
