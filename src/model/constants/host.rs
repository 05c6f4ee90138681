//! The node, its CPUs, devices and secrets. Names and numbers of the public interface, less the `VIR_` prefix.

// virConnectCloseReason
pub const CONNECT_CLOSE_REASON_ERROR: i32 = 0;
pub const CONNECT_CLOSE_REASON_EOF: i32 = 1;
pub const CONNECT_CLOSE_REASON_KEEPALIVE: i32 = 2;
pub const CONNECT_CLOSE_REASON_CLIENT: i32 = 3;

// virTypedParameterFlags
pub const TYPED_PARAM_STRING_OKAY: u32 = 4;

// virNodeSuspendTarget
pub const NODE_SUSPEND_TARGET_MEM: u32 = 0;
pub const NODE_SUSPEND_TARGET_DISK: u32 = 1;
pub const NODE_SUSPEND_TARGET_HYBRID: u32 = 2;

// virNodeGetCPUStatsAllCPUs
pub const NODE_CPU_STATS_ALL_CPUS: i32 = -1;

// virNodeGetMemoryStatsAllCells
pub const NODE_MEMORY_STATS_ALL_CELLS: i32 = -1;

// virConnectFlags
pub const CONNECT_RO: u32 = 1;
pub const CONNECT_NO_ALIASES: u32 = 2;

// virCPUCompareResult
pub const CPU_COMPARE_ERROR: i32 = -1;
pub const CPU_COMPARE_INCOMPATIBLE: i32 = 0;
pub const CPU_COMPARE_IDENTICAL: i32 = 1;
pub const CPU_COMPARE_SUPERSET: i32 = 2;

// virConnectCompareCPUFlags
pub const CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE: u32 = 1;
pub const CONNECT_COMPARE_CPU_VALIDATE_XML: u32 = 2;

// virConnectBaselineCPUFlags
pub const CONNECT_BASELINE_CPU_EXPAND_FEATURES: u32 = 1;
pub const CONNECT_BASELINE_CPU_MIGRATABLE: u32 = 2;

// virNodeAllocPagesFlags
pub const NODE_ALLOC_PAGES_ADD: u32 = 0;
pub const NODE_ALLOC_PAGES_SET: u32 = 1;

// virConnectListAllNodeDeviceFlags
pub const CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM: u32 = 1;
pub const CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV: u32 = 2;
pub const CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV: u32 = 4;
pub const CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE: u32 = 8;
pub const CONNECT_LIST_NODE_DEVICES_CAP_NET: u32 = 1 << 4;
pub const CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST: u32 = 1 << 5;
pub const CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET: u32 = 1 << 6;
pub const CONNECT_LIST_NODE_DEVICES_CAP_SCSI: u32 = 1 << 7;
pub const CONNECT_LIST_NODE_DEVICES_CAP_STORAGE: u32 = 1 << 8;
pub const CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST: u32 = 1 << 9;
pub const CONNECT_LIST_NODE_DEVICES_CAP_VPORTS: u32 = 1 << 10;
pub const CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC: u32 = 1 << 11;
pub const CONNECT_LIST_NODE_DEVICES_CAP_DRM: u32 = 1 << 12;
pub const CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES: u32 = 1 << 13;
pub const CONNECT_LIST_NODE_DEVICES_CAP_MDEV: u32 = 1 << 14;
pub const CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV: u32 = 1 << 15;
pub const CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV: u32 = 1 << 16;
pub const CONNECT_LIST_NODE_DEVICES_CAP_VDPA: u32 = 1 << 17;
pub const CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD: u32 = 1 << 18;
pub const CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE: u32 = 1 << 19;
pub const CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX: u32 = 1 << 20;
pub const CONNECT_LIST_NODE_DEVICES_CAP_VPD: u32 = 1 << 21;
pub const CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_DEV: u32 = 1 << 22;
pub const CONNECT_LIST_NODE_DEVICES_CAP_CCWGROUP_MEMBER: u32 = 1 << 23;
pub const CONNECT_LIST_NODE_DEVICES_PERSISTENT: u32 = 1 << 28;
pub const CONNECT_LIST_NODE_DEVICES_TRANSIENT: u32 = 1 << 29;
pub const CONNECT_LIST_NODE_DEVICES_INACTIVE: u32 = 1 << 30;
pub const CONNECT_LIST_NODE_DEVICES_ACTIVE: u32 = 1 << 31;

// virNodeDeviceXMLFlags
pub const NODE_DEVICE_XML_INACTIVE: u32 = 1;

// virNodeDeviceCreateXMLFlags
pub const NODE_DEVICE_CREATE_XML_VALIDATE: u32 = 1;

// virNodeDeviceDefineXMLFlags
pub const NODE_DEVICE_DEFINE_XML_VALIDATE: u32 = 1;

// virNodeDeviceUpdateFlags
pub const NODE_DEVICE_UPDATE_AFFECT_CURRENT: u32 = 0;
pub const NODE_DEVICE_UPDATE_AFFECT_LIVE: u32 = 1;
pub const NODE_DEVICE_UPDATE_AFFECT_CONFIG: u32 = 2;

// virSecretUsageType
pub const SECRET_USAGE_TYPE_NONE: i32 = 0;
pub const SECRET_USAGE_TYPE_VOLUME: i32 = 1;
pub const SECRET_USAGE_TYPE_CEPH: i32 = 2;
pub const SECRET_USAGE_TYPE_ISCSI: i32 = 3;
pub const SECRET_USAGE_TYPE_TLS: i32 = 4;
pub const SECRET_USAGE_TYPE_VTPM: i32 = 5;

// virConnectListAllSecretsFlags
pub const CONNECT_LIST_SECRETS_EPHEMERAL: u32 = 1;
pub const CONNECT_LIST_SECRETS_NO_EPHEMERAL: u32 = 2;
pub const CONNECT_LIST_SECRETS_PRIVATE: u32 = 4;
pub const CONNECT_LIST_SECRETS_NO_PRIVATE: u32 = 8;

// virSecretDefineFlags
pub const SECRET_DEFINE_VALIDATE: u32 = 1;

// virStreamFlags
pub const STREAM_NONBLOCK: u32 = 1;

// virStreamRecvFlagsValues
pub const STREAM_RECV_STOP_AT_HOLE: u32 = 1;
