//! Storage pools and volumes. Names and numbers of the public interface, less the `VIR_` prefix.

// virStoragePoolState
pub const STORAGE_POOL_INACTIVE: i32 = 0;
pub const STORAGE_POOL_BUILDING: i32 = 1;
pub const STORAGE_POOL_RUNNING: i32 = 2;
pub const STORAGE_POOL_DEGRADED: i32 = 3;
pub const STORAGE_POOL_INACCESSIBLE: i32 = 4;

// virStoragePoolBuildFlags
pub const STORAGE_POOL_BUILD_NEW: u32 = 0;
pub const STORAGE_POOL_BUILD_REPAIR: u32 = 1;
pub const STORAGE_POOL_BUILD_RESIZE: u32 = 2;
pub const STORAGE_POOL_BUILD_NO_OVERWRITE: u32 = 4;
pub const STORAGE_POOL_BUILD_OVERWRITE: u32 = 8;

// virStoragePoolDeleteFlags
pub const STORAGE_POOL_DELETE_NORMAL: u32 = 0;
pub const STORAGE_POOL_DELETE_ZEROED: u32 = 1;

// virStoragePoolCreateFlags
pub const STORAGE_POOL_CREATE_NORMAL: u32 = 0;
pub const STORAGE_POOL_CREATE_WITH_BUILD: u32 = 1;
pub const STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE: u32 = 2;
pub const STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE: u32 = 4;

// virStorageVolType
pub const STORAGE_VOL_FILE: i32 = 0;
pub const STORAGE_VOL_BLOCK: i32 = 1;
pub const STORAGE_VOL_DIR: i32 = 2;
pub const STORAGE_VOL_NETWORK: i32 = 3;
pub const STORAGE_VOL_NETDIR: i32 = 4;
pub const STORAGE_VOL_PLOOP: i32 = 5;

// virStorageVolDeleteFlags
pub const STORAGE_VOL_DELETE_NORMAL: u32 = 0;
pub const STORAGE_VOL_DELETE_ZEROED: u32 = 1;
pub const STORAGE_VOL_DELETE_WITH_SNAPSHOTS: u32 = 2;

// virStorageVolWipeAlgorithm
pub const STORAGE_VOL_WIPE_ALG_ZERO: u32 = 0;
pub const STORAGE_VOL_WIPE_ALG_NNSA: u32 = 1;
pub const STORAGE_VOL_WIPE_ALG_DOD: u32 = 2;
pub const STORAGE_VOL_WIPE_ALG_BSI: u32 = 3;
pub const STORAGE_VOL_WIPE_ALG_GUTMANN: u32 = 4;
pub const STORAGE_VOL_WIPE_ALG_SCHNEIER: u32 = 5;
pub const STORAGE_VOL_WIPE_ALG_PFITZNER7: u32 = 6;
pub const STORAGE_VOL_WIPE_ALG_PFITZNER33: u32 = 7;
pub const STORAGE_VOL_WIPE_ALG_RANDOM: u32 = 8;
pub const STORAGE_VOL_WIPE_ALG_TRIM: u32 = 9;

// virStorageVolInfoFlags
pub const STORAGE_VOL_USE_ALLOCATION: u32 = 0;
pub const STORAGE_VOL_GET_PHYSICAL: u32 = 1;

// virStorageXMLFlags
pub const STORAGE_XML_INACTIVE: u32 = 1;

// virConnectListAllStoragePoolsFlags
pub const CONNECT_LIST_STORAGE_POOLS_INACTIVE: u32 = 1;
pub const CONNECT_LIST_STORAGE_POOLS_ACTIVE: u32 = 2;
pub const CONNECT_LIST_STORAGE_POOLS_PERSISTENT: u32 = 4;
pub const CONNECT_LIST_STORAGE_POOLS_TRANSIENT: u32 = 8;
pub const CONNECT_LIST_STORAGE_POOLS_AUTOSTART: u32 = 1 << 4;
pub const CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART: u32 = 1 << 5;
pub const CONNECT_LIST_STORAGE_POOLS_DIR: u32 = 1 << 6;
pub const CONNECT_LIST_STORAGE_POOLS_FS: u32 = 1 << 7;
pub const CONNECT_LIST_STORAGE_POOLS_NETFS: u32 = 1 << 8;
pub const CONNECT_LIST_STORAGE_POOLS_LOGICAL: u32 = 1 << 9;
pub const CONNECT_LIST_STORAGE_POOLS_DISK: u32 = 1 << 10;
pub const CONNECT_LIST_STORAGE_POOLS_ISCSI: u32 = 1 << 11;
pub const CONNECT_LIST_STORAGE_POOLS_SCSI: u32 = 1 << 12;
pub const CONNECT_LIST_STORAGE_POOLS_MPATH: u32 = 1 << 13;
pub const CONNECT_LIST_STORAGE_POOLS_RBD: u32 = 1 << 14;
pub const CONNECT_LIST_STORAGE_POOLS_SHEEPDOG: u32 = 1 << 15;
pub const CONNECT_LIST_STORAGE_POOLS_GLUSTER: u32 = 1 << 16;
pub const CONNECT_LIST_STORAGE_POOLS_ZFS: u32 = 1 << 17;
pub const CONNECT_LIST_STORAGE_POOLS_VSTORAGE: u32 = 1 << 18;
pub const CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT: u32 = 1 << 19;

// virStoragePoolDefineFlags
pub const STORAGE_POOL_DEFINE_VALIDATE: u32 = 1;

// virStorageVolCreateFlags
pub const STORAGE_VOL_CREATE_PREALLOC_METADATA: u32 = 1;
pub const STORAGE_VOL_CREATE_REFLINK: u32 = 2;
pub const STORAGE_VOL_CREATE_VALIDATE: u32 = 4;

// virStorageVolDownloadFlags
pub const STORAGE_VOL_DOWNLOAD_SPARSE_STREAM: u32 = 1;

// virStorageVolUploadFlags
pub const STORAGE_VOL_UPLOAD_SPARSE_STREAM: u32 = 1;

// virStorageVolResizeFlags
pub const STORAGE_VOL_RESIZE_ALLOCATE: u32 = 1;
pub const STORAGE_VOL_RESIZE_DELTA: u32 = 2;
pub const STORAGE_VOL_RESIZE_SHRINK: u32 = 4;
