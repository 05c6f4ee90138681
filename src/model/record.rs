//! Records: answers that have more than one part.

use super::{DomainRef, TypedParam};

/// The node's hardware (`virNodeInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeInfo {
    /// The CPU model's name, at most 31 bytes.
    pub model: String,
    /// Memory in KiB.
    pub memory: u64,
    /// Active CPUs.
    pub cpus: i32,
    /// Expected frequency in MHz; 0 if unknown.
    pub mhz: i32,
    /// NUMA cells.
    pub nodes: i32,
    /// Sockets per cell.
    pub sockets: i32,
    /// Cores per socket.
    pub cores: i32,
    /// Threads per core.
    pub threads: i32,
}

/// The node's CPU map: which CPUs exist and are online.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CpuMap {
    /// One bit a CPU, the lowest first; set if online. Empty if it was not asked for.
    pub map: Vec<u8>,
    /// How many CPUs are online.
    pub online: u32,
    /// How many CPUs there are.
    pub total: i32,
}

/// A counter of the node (`virNodeCPUStats`, `virNodeMemoryStats`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeStat {
    /// The counter's name.
    pub name: String,
    /// Nanoseconds for CPUs, KiB for memory.
    pub value: u64,
}

/// The node's security model.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecurityModel {
    /// Its name, empty if there is none.
    pub model: String,
    /// Its domain of interpretation.
    pub doi: String,
}

/// A domain's basic figures (`virDomainInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DomainInfo {
    /// Its state (`virDomainState`).
    pub state: u8,
    /// The most memory it may have, in KiB.
    pub max_memory: u64,
    /// The memory it has, in KiB.
    pub memory: u64,
    /// Its virtual CPUs.
    pub vcpus: u16,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
}

/// A state and why it came to be (`virDomainState`, `virDomain*Reason`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StateReason {
    /// The state.
    pub state: i32,
    /// The reason, whose meaning depends on the state.
    pub reason: i32,
}

/// How the control channel to a domain fares (`virDomainControlInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ControlInfo {
    /// `virDomainControlState`.
    pub state: u32,
    /// `virDomainControlErrorReason`.
    pub details: u32,
    /// Milliseconds since the state was entered.
    pub state_time: u64,
}

/// One virtual CPU (`virVcpuInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VcpuInfo {
    /// Its number.
    pub number: u32,
    /// `virVcpuState`.
    pub state: i32,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
    /// The host CPU it runs on, or a negative `virVcpuHostCpuState`.
    pub cpu: i32,
}

/// An I/O thread and its affinity.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IoThreadInfo {
    /// Its id.
    pub id: u32,
    /// One bit a host CPU.
    pub cpumap: Vec<u8>,
}

/// Counters of a disk (`virDomainBlockStatsStruct`); -1 where unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockStats {
    /// Read requests.
    pub read_requests: i64,
    /// Bytes read.
    pub read_bytes: i64,
    /// Write requests.
    pub write_requests: i64,
    /// Bytes written.
    pub write_bytes: i64,
    /// Errors (Xen only).
    pub errors: i64,
}

/// Sizes of a disk in bytes (`virDomainBlockInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockInfo {
    /// Highest byte in use.
    pub allocation: u64,
    /// What the guest sees.
    pub capacity: u64,
    /// What it takes on the host.
    pub physical: u64,
}

/// A running block job (`virDomainBlockJobInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockJobInfo {
    /// Whether there is a job at all.
    pub found: bool,
    /// `virDomainBlockJobType`.
    pub kind: i32,
    /// Its limit, in MiB/s or bytes/s as asked.
    pub bandwidth: u64,
    /// How far it is.
    pub current: u64,
    /// Where it ends.
    pub end: u64,
}

/// A disk that met an error (`virDomainDiskError`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskError {
    /// The disk's target.
    pub disk: String,
    /// `virDomainDiskErrorCode`.
    pub error: i32,
}

/// Counters of a network interface (`virDomainInterfaceStatsStruct`); -1 where unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct InterfaceStats {
    /// Bytes received.
    pub rx_bytes: i64,
    /// Packets received.
    pub rx_packets: i64,
    /// Errors on receive.
    pub rx_errors: i64,
    /// Packets dropped on receive.
    pub rx_drops: i64,
    /// Bytes sent.
    pub tx_bytes: i64,
    /// Packets sent.
    pub tx_packets: i64,
    /// Errors on send.
    pub tx_errors: i64,
    /// Packets dropped on send.
    pub tx_drops: i64,
}

/// One figure of a guest's memory (`virDomainMemoryStat`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryStat {
    /// `virDomainMemoryStatTags`.
    pub tag: i32,
    /// Mostly KiB, depending on the tag.
    pub value: u64,
}

/// The statistics of one domain, by name.
#[derive(Clone, PartialEq, Debug)]
pub struct DomainStatsRecord {
    /// Whose they are.
    pub domain: DomainRef,
    /// `state.state`, `cpu.time`, …
    pub params: Vec<TypedParam>,
}

/// The progress of a job (`virDomainJobInfo`); sizes in bytes, times in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobInfo {
    /// `virDomainJobType`.
    pub kind: i32,
    /// Time since it began.
    pub time_elapsed: u64,
    /// Estimated time left; 0 if unknown.
    pub time_remaining: u64,
    /// All data to move.
    pub data_total: u64,
    /// Data moved.
    pub data_processed: u64,
    /// Data left.
    pub data_remaining: u64,
    /// All memory to move.
    pub memory_total: u64,
    /// Memory moved.
    pub memory_processed: u64,
    /// Memory left.
    pub memory_remaining: u64,
    /// All file data to move.
    pub file_total: u64,
    /// File data moved.
    pub file_processed: u64,
    /// File data left.
    pub file_remaining: u64,
}

/// A domain's security label.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecurityLabel {
    /// The label, empty if there is none.
    pub label: String,
    /// Whether it is enforced.
    pub enforcing: bool,
}

/// A filesystem mounted in a guest (`virDomainFSInfo`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilesystemInfo {
    /// Where it is mounted.
    pub mountpoint: String,
    /// The device's name in the guest.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// Targets of the disks it lies on.
    pub devices: Vec<String>,
}

/// An address of a guest's interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuestAddress {
    /// `virIPAddrType`.
    pub kind: i32,
    /// The address.
    pub address: String,
    /// The length of its prefix.
    pub prefix: u32,
}

/// A guest's interface and its addresses (`virDomainInterface`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GuestInterface {
    /// Its name.
    pub name: String,
    /// Its MAC address.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<GuestAddress>,
}

/// A lease of a network's DHCP server (`virNetworkDHCPLease`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DhcpLease {
    /// The network's bridge.
    pub interface: String,
    /// When it ends, in seconds since 1970; 0 never.
    pub expiry: i64,
    /// `virIPAddrType`.
    pub kind: i32,
    /// The client's MAC address.
    pub mac: Option<String>,
    /// The identity association of an IPv6 client.
    pub iaid: Option<String>,
    /// The address.
    pub address: String,
    /// The length of its prefix.
    pub prefix: u32,
    /// The client's name.
    pub hostname: Option<String>,
    /// The client's id or DUID.
    pub client_id: Option<String>,
}

/// A storage pool's figures in bytes (`virStoragePoolInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PoolInfo {
    /// `virStoragePoolState`.
    pub state: u8,
    /// All it can hold.
    pub capacity: u64,
    /// What is given to volumes.
    pub allocation: u64,
    /// What is free.
    pub available: u64,
}

/// A volume's figures in bytes (`virStorageVolInfo`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct VolumeInfo {
    /// `virStorageVolType`.
    pub kind: i8,
    /// Its logical size.
    pub capacity: u64,
    /// What it takes.
    pub allocation: u64,
}
