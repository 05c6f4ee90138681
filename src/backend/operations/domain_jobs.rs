//! Jobs that take their time: watching and ending them, block jobs, migration, backup.

/// Hands the operations of [`DomainJobs`](super::DomainJobs) to the macro `$reader`.
macro_rules! domain_jobs_operations {
    ($reader:ident) => {
        $reader! {
            /// Jobs that take their time: watching and ending them, block jobs, migration, backup.
            trait DomainJobs in domains, on REMOTE_PROGRAM {
                /// `virDomainGetJobInfo`.
                163 read virDomainGetJobInfo fn job_info(domain: &DomainRef) -> JobInfo;
                /// `virDomainMigrateSetMaxDowntime`.
                166 write virDomainMigrateSetMaxDowntime fn migrate_set_max_downtime(domain: &DomainRef, downtime: u64, flags: u32) -> ();
                /// `virDomainMigrateSetMaxSpeed`.
                207 write virDomainMigrateSetMaxSpeed fn migrate_set_max_speed(domain: &DomainRef, bandwidth: u64, flags: u32) -> ();
                /// `virDomainBlockJobAbort`.
                237 write virDomainBlockJobAbort fn block_job_abort(domain: &DomainRef, path: &str, flags: u32) -> ();
                /// `virDomainGetBlockJobInfo`.
                238 read virDomainGetBlockJobInfo fn block_job_info(domain: &DomainRef, path: &str, flags: u32) -> BlockJobInfo;
                /// `virDomainBlockJobSetSpeed`.
                239 write virDomainBlockJobSetSpeed fn block_job_set_speed(domain: &DomainRef, path: &str, bandwidth: u64, flags: u32) -> ();
                /// `virDomainBlockPull`.
                240 write virDomainBlockPull fn block_pull(domain: &DomainRef, path: &str, bandwidth: u64, flags: u32) -> ();
                /// `virDomainMigrateGetMaxSpeed`.
                242 write virDomainMigrateGetMaxSpeed fn migrate_max_speed(domain: &DomainRef, flags: u32) -> u64;
                /// `virDomainBlockRebase`.
                266 write virDomainBlockRebase fn block_rebase(domain: &DomainRef, path: &str, base: Option<&str>, bandwidth: u64, flags: u32) -> ();
                /// `virDomainBlockCommit`.
                290 write virDomainBlockCommit fn block_commit(domain: &DomainRef, disk: &str, base: Option<&str>, top: Option<&str>, bandwidth: u64, flags: u32) -> ();
                /// `virDomainGetJobStats`.
                298 read virDomainGetJobStats fn job_stats(domain: &DomainRef, flags: u32) -> (i32, Vec<TypedParam>);
                /// `virDomainMigrateGetCompressionCache`.
                299 write virDomainMigrateGetCompressionCache fn migrate_compression_cache(domain: &DomainRef, flags: u32) -> u64;
                /// `virDomainMigrateSetCompressionCache`.
                300 write virDomainMigrateSetCompressionCache fn migrate_set_compression_cache(domain: &DomainRef, cache_size: u64, flags: u32) -> ();
                /// `virDomainMigrateBegin3Params`.
                302 write virDomainMigrateBegin3Params fn migrate_begin3_params(domain: &DomainRef, params: &[TypedParam], flags: u32) -> (Vec<u8>, String);
                /// `virDomainMigratePrepare3Params`.
                303 write virDomainMigratePrepare3Params fn migrate_prepare3_params(params: &[TypedParam], cookie_in: &[u8], flags: u32) -> (Vec<u8>, Option<String>);
                /// `virDomainMigratePerform3Params`.
                305 write virDomainMigratePerform3Params fn migrate_perform3_params(domain: &DomainRef, dconnuri: Option<&str>, params: &[TypedParam], cookie_in: &[u8], flags: u32) -> Vec<u8>;
                /// `virDomainMigrateFinish3Params`.
                306 write virDomainMigrateFinish3Params fn migrate_finish3_params(params: &[TypedParam], cookie_in: &[u8], flags: u32, cancelled: bool) -> (DomainRef, Vec<u8>);
                /// `virDomainMigrateConfirm3Params`.
                307 write virDomainMigrateConfirm3Params fn migrate_confirm3_params(domain: &DomainRef, params: &[TypedParam], cookie_in: &[u8], flags: u32, cancelled: bool) -> ();
                /// `virDomainBlockCopy`.
                345 write virDomainBlockCopy fn block_copy(domain: &DomainRef, path: &str, destxml: &str, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainMigrateStartPostCopy`.
                364 write virDomainMigrateStartPostCopy fn migrate_start_post_copy(domain: &DomainRef, flags: u32) -> ();
                /// `virDomainMigrateGetMaxDowntime`.
                387 write virDomainMigrateGetMaxDowntime fn migrate_max_downtime(domain: &DomainRef, flags: u32) -> u64;
                /// `virDomainBackupBegin`.
                421 write virDomainBackupBegin fn backup_begin(domain: &DomainRef, backup_xml: &str, checkpoint_xml: Option<&str>, flags: u32) -> ();
                /// `virDomainBackupGetXMLDesc`.
                422 read virDomainBackupGetXMLDesc fn backup_xml(domain: &DomainRef, flags: u32) -> String;
                /// `virDomainAbortJobFlags`.
                442 write virDomainAbortJobFlags fn abort_job(domain: &DomainRef, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_jobs_operations;
