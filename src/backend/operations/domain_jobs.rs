//! Jobs that take their time: watching and ending them, block jobs, migration, backup.

/// Hands the operations of [`DomainJobs`](super::DomainJobs) to the macro `$reader`.
macro_rules! domain_jobs_operations {
    ($reader:ident) => {
        $reader! {
            /// Jobs that take their time: watching and ending them, block jobs, migration, backup.
            trait DomainJobs in domains, on REMOTE_PROGRAM {
                /// The progress of the running job, in fixed fields. (`virDomainGetJobInfo`)
                163 read virDomainGetJobInfo fn job_info(domain: &DomainRef) -> JobInfo;
                /// Sets how long, in milliseconds, a migration may halt the guest. (`virDomainMigrateSetMaxDowntime`)
                166 write virDomainMigrateSetMaxDowntime fn migrate_set_max_downtime(domain: &DomainRef, downtime: u64, flags: u32) -> ();
                /// Limits migration in MiB/s. (`virDomainMigrateSetMaxSpeed`)
                207 write virDomainMigrateSetMaxSpeed fn migrate_set_max_speed(domain: &DomainRef, bandwidth: u64, flags: u32) -> ();
                /// Ends the block job on a disk, or pivots to its copy by the flags. (`virDomainBlockJobAbort`)
                237 write virDomainBlockJobAbort fn block_job_abort(domain: &DomainRef, path: &str, flags: u32) -> ();
                /// The block job on a disk, if there is one. (`virDomainGetBlockJobInfo`)
                238 read virDomainGetBlockJobInfo fn block_job_info(domain: &DomainRef, path: &str, flags: u32) -> BlockJobInfo;
                /// Limits a block job; MiB/s, or bytes/s by the flags. (`virDomainBlockJobSetSpeed`)
                239 write virDomainBlockJobSetSpeed fn block_job_set_speed(domain: &DomainRef, path: &str, bandwidth: u64, flags: u32) -> ();
                /// Copies the backing chain into the disk. (`virDomainBlockPull`)
                240 write virDomainBlockPull fn block_pull(domain: &DomainRef, path: &str, bandwidth: u64, flags: u32) -> ();
                /// The limit of migration in MiB/s. (`virDomainMigrateGetMaxSpeed`)
                242 write virDomainMigrateGetMaxSpeed fn migrate_max_speed(domain: &DomainRef, flags: u32) -> u64;
                /// Copies part of the backing chain, or the whole disk elsewhere by the flags. (`virDomainBlockRebase`)
                266 write virDomainBlockRebase fn block_rebase(domain: &DomainRef, path: &str, base: Option<&str>, bandwidth: u64, flags: u32) -> ();
                /// Merges a part of the backing chain down into its base. (`virDomainBlockCommit`)
                290 write virDomainBlockCommit fn block_commit(domain: &DomainRef, disk: &str, base: Option<&str>, top: Option<&str>, bandwidth: u64, flags: u32) -> ();
                /// The progress of the running or last job, by name. (`virDomainGetJobStats`)
                298 read virDomainGetJobStats fn job_stats(domain: &DomainRef, flags: u32) -> (i32, Vec<TypedParam>);
                /// The size of the page cache for compressed migration, in bytes. (`virDomainMigrateGetCompressionCache`)
                299 read virDomainMigrateGetCompressionCache fn migrate_compression_cache(domain: &DomainRef, flags: u32) -> u64;
                /// Sets the size of the page cache for compressed migration, in bytes. (`virDomainMigrateSetCompressionCache`)
                300 write virDomainMigrateSetCompressionCache fn migrate_set_compression_cache(domain: &DomainRef, cache_size: u64, flags: u32) -> ();
                /// First step of a migration, on the source: its XML and cookie. (`virDomainMigrateBegin3Params`)
                302 write virDomainMigrateBegin3Params fn migrate_begin3_params(domain: &DomainRef, params: &[TypedParam], flags: u32) -> (Vec<u8>, String);
                /// Second step, on the destination: waits for the guest. (`virDomainMigratePrepare3Params`)
                303 write virDomainMigratePrepare3Params fn migrate_prepare3_params(params: &[TypedParam], cookie_in: &[u8], flags: u32) -> (Vec<u8>, Option<String>);
                /// Third step, on the source: moves the guest. (`virDomainMigratePerform3Params`)
                305 write virDomainMigratePerform3Params fn migrate_perform3_params(domain: &DomainRef, dconnuri: Option<&str>, params: &[TypedParam], cookie_in: &[u8], flags: u32) -> Vec<u8>;
                /// Fourth step, on the destination: lets it run, or gives up. (`virDomainMigrateFinish3Params`)
                306 write virDomainMigrateFinish3Params fn migrate_finish3_params(params: &[TypedParam], cookie_in: &[u8], flags: u32, cancelled: bool) -> (DomainRef, Vec<u8>);
                /// Last step, on the source: lets go of it, or takes it back. (`virDomainMigrateConfirm3Params`)
                307 write virDomainMigrateConfirm3Params fn migrate_confirm3_params(domain: &DomainRef, params: &[TypedParam], cookie_in: &[u8], flags: u32, cancelled: bool) -> ();
                /// Mirrors a disk to the destination that XML describes. (`virDomainBlockCopy`)
                345 write virDomainBlockCopy fn block_copy(domain: &DomainRef, path: &str, destxml: &str, params: &[TypedParam], flags: u32) -> ();
                /// Lets the guest run on the destination before all of its memory is there. (`virDomainMigrateStartPostCopy`)
                364 write virDomainMigrateStartPostCopy fn migrate_start_post_copy(domain: &DomainRef, flags: u32) -> ();
                /// How long, in milliseconds, a migration may halt the guest. (`virDomainMigrateGetMaxDowntime`)
                387 read virDomainMigrateGetMaxDowntime fn migrate_max_downtime(domain: &DomainRef, flags: u32) -> u64;
                /// Begins a backup of the disks that XML names, with a checkpoint if given. (`virDomainBackupBegin`)
                421 write virDomainBackupBegin fn backup_begin(domain: &DomainRef, backup_xml: &str, checkpoint_xml: Option<&str>, flags: u32) -> ();
                /// The running backup as XML. (`virDomainBackupGetXMLDesc`)
                422 read virDomainBackupGetXMLDesc fn backup_xml(domain: &DomainRef, flags: u32) -> String;
                /// Ends the running job; the guest goes on as before it. (`virDomainAbortJobFlags`)
                442 write virDomainAbortJobFlags fn abort_job(domain: &DomainRef, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_jobs_operations;
