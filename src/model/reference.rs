//! References: how one side names an object of the other.

use uuid::Uuid;

/// Names a domain. Two references are to the same domain when their uuids are equal.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct DomainRef {
    /// Its name when the reference was made.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
    /// Its id while it runs; `None` while it does not.
    pub id: Option<u32>,
}

/// Names a virtual network.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct NetworkRef {
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
}

/// Names a port of a virtual network.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct NetworkPortRef {
    /// The network it belongs to.
    pub network: NetworkRef,
    /// What identifies the port.
    pub uuid: Uuid,
}

/// Names a network filter.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct FilterRef {
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
}

/// Names the binding of a filter to a port.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct FilterBindingRef {
    /// The network device the filter is bound to.
    pub port_device: String,
    /// The filter's name.
    pub filter_name: String,
}

/// Names a network interface of the host.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct InterfaceRef {
    /// Its name.
    pub name: String,
    /// Its MAC address; empty if it has none.
    pub mac: String,
}

/// Names a storage pool.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct PoolRef {
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
}

/// Names a storage volume.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct VolumeRef {
    /// The pool it lies in.
    pub pool: String,
    /// Its name within the pool.
    pub name: String,
    /// What identifies it on this host, mostly its path.
    pub key: String,
}

/// Names a device of the host.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct NodeDeviceRef {
    /// Its name.
    pub name: String,
}

/// Names a secret.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct SecretRef {
    /// What identifies it.
    pub uuid: Uuid,
    /// What it is for (`virSecretUsageType`).
    pub usage_type: i32,
    /// Which one of that usage.
    pub usage_id: String,
}

/// Names a snapshot of a domain.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct SnapshotRef {
    /// Its name.
    pub name: String,
    /// Whose snapshot it is.
    pub domain: DomainRef,
}

/// Names a checkpoint of a domain.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct CheckpointRef {
    /// Its name.
    pub name: String,
    /// Whose checkpoint it is.
    pub domain: DomainRef,
}
