//! Block jobs, migration and job flags. Names and numbers of the public interface, less the `VIR_` prefix.

// virDomainBlockedReason
pub const DOMAIN_BLOCKED_UNKNOWN: i32 = 0;

// virDomainMigrateFlags
pub const MIGRATE_LIVE: u32 = 1;
pub const MIGRATE_PEER2PEER: u32 = 2;
pub const MIGRATE_TUNNELLED: u32 = 4;
pub const MIGRATE_PERSIST_DEST: u32 = 8;
pub const MIGRATE_UNDEFINE_SOURCE: u32 = 1 << 4;
pub const MIGRATE_PAUSED: u32 = 1 << 5;
pub const MIGRATE_NON_SHARED_DISK: u32 = 1 << 6;
pub const MIGRATE_NON_SHARED_INC: u32 = 1 << 7;
pub const MIGRATE_CHANGE_PROTECTION: u32 = 1 << 8;
pub const MIGRATE_UNSAFE: u32 = 1 << 9;
pub const MIGRATE_OFFLINE: u32 = 1 << 10;
pub const MIGRATE_COMPRESSED: u32 = 1 << 11;
pub const MIGRATE_ABORT_ON_ERROR: u32 = 1 << 12;
pub const MIGRATE_AUTO_CONVERGE: u32 = 1 << 13;
pub const MIGRATE_RDMA_PIN_ALL: u32 = 1 << 14;
pub const MIGRATE_POSTCOPY: u32 = 1 << 15;
pub const MIGRATE_TLS: u32 = 1 << 16;
pub const MIGRATE_PARALLEL: u32 = 1 << 17;
pub const MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES: u32 = 1 << 18;
pub const MIGRATE_POSTCOPY_RESUME: u32 = 1 << 19;
pub const MIGRATE_ZEROCOPY: u32 = 1 << 20;

// virDomainMigrateMaxSpeedFlags
pub const DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY: u32 = 1;

// virDomainBlockResizeFlags
pub const DOMAIN_BLOCK_RESIZE_BYTES: u32 = 1;
pub const DOMAIN_BLOCK_RESIZE_CAPACITY: u32 = 2;

// virDomainBlockJobType
pub const DOMAIN_BLOCK_JOB_TYPE_UNKNOWN: i32 = 0;
pub const DOMAIN_BLOCK_JOB_TYPE_PULL: i32 = 1;
pub const DOMAIN_BLOCK_JOB_TYPE_COPY: i32 = 2;
pub const DOMAIN_BLOCK_JOB_TYPE_COMMIT: i32 = 3;
pub const DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT: i32 = 4;
pub const DOMAIN_BLOCK_JOB_TYPE_BACKUP: i32 = 5;

// virDomainBlockJobAbortFlags
pub const DOMAIN_BLOCK_JOB_ABORT_ASYNC: u32 = 1;
pub const DOMAIN_BLOCK_JOB_ABORT_PIVOT: u32 = 2;

// virDomainBlockJobInfoFlags
pub const DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES: u32 = 1;

// virDomainBlockJobSetSpeedFlags
pub const DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES: u32 = 1;

// virDomainBlockPullFlags
pub const DOMAIN_BLOCK_PULL_BANDWIDTH_BYTES: u32 = 1 << 6;

// virDomainBlockRebaseFlags
pub const DOMAIN_BLOCK_REBASE_SHALLOW: u32 = 1;
pub const DOMAIN_BLOCK_REBASE_REUSE_EXT: u32 = 2;
pub const DOMAIN_BLOCK_REBASE_COPY_RAW: u32 = 4;
pub const DOMAIN_BLOCK_REBASE_COPY: u32 = 8;
pub const DOMAIN_BLOCK_REBASE_RELATIVE: u32 = 1 << 4;
pub const DOMAIN_BLOCK_REBASE_COPY_DEV: u32 = 1 << 5;
pub const DOMAIN_BLOCK_REBASE_BANDWIDTH_BYTES: u32 = 1 << 6;

// virDomainBlockCopyFlags
pub const DOMAIN_BLOCK_COPY_SHALLOW: u32 = 1;
pub const DOMAIN_BLOCK_COPY_REUSE_EXT: u32 = 2;
pub const DOMAIN_BLOCK_COPY_TRANSIENT_JOB: u32 = 4;
pub const DOMAIN_BLOCK_COPY_SYNCHRONOUS_WRITES: u32 = 8;

// virDomainBlockCommitFlags
pub const DOMAIN_BLOCK_COMMIT_SHALLOW: u32 = 1;
pub const DOMAIN_BLOCK_COMMIT_DELETE: u32 = 2;
pub const DOMAIN_BLOCK_COMMIT_ACTIVE: u32 = 4;
pub const DOMAIN_BLOCK_COMMIT_RELATIVE: u32 = 8;
pub const DOMAIN_BLOCK_COMMIT_BANDWIDTH_BYTES: u32 = 1 << 4;

// virDomainJobType
pub const DOMAIN_JOB_NONE: i32 = 0;
pub const DOMAIN_JOB_BOUNDED: i32 = 1;
pub const DOMAIN_JOB_UNBOUNDED: i32 = 2;
pub const DOMAIN_JOB_COMPLETED: i32 = 3;
pub const DOMAIN_JOB_FAILED: i32 = 4;
pub const DOMAIN_JOB_CANCELLED: i32 = 5;

// virDomainGetJobStatsFlags
pub const DOMAIN_JOB_STATS_COMPLETED: u32 = 1;
pub const DOMAIN_JOB_STATS_KEEP_COMPLETED: u32 = 2;

// virDomainAbortJobFlagsValues
pub const DOMAIN_ABORT_JOB_POSTCOPY: u32 = 1;

// virDomainJobOperation
pub const DOMAIN_JOB_OPERATION_UNKNOWN: i32 = 0;
pub const DOMAIN_JOB_OPERATION_START: i32 = 1;
pub const DOMAIN_JOB_OPERATION_SAVE: i32 = 2;
pub const DOMAIN_JOB_OPERATION_RESTORE: i32 = 3;
pub const DOMAIN_JOB_OPERATION_MIGRATION_IN: i32 = 4;
pub const DOMAIN_JOB_OPERATION_MIGRATION_OUT: i32 = 5;
pub const DOMAIN_JOB_OPERATION_SNAPSHOT: i32 = 6;
pub const DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: i32 = 7;
pub const DOMAIN_JOB_OPERATION_DUMP: i32 = 8;
pub const DOMAIN_JOB_OPERATION_BACKUP: i32 = 9;
pub const DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE: i32 = 10;
