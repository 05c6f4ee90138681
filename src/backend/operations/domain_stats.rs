//! Counters and sizes of a running domain and its devices.

/// Hands the operations of [`DomainStats`](super::DomainStats) to the macro `$reader`.
macro_rules! domain_stats_operations {
    ($reader:ident) => {
        $reader! {
            /// Counters and sizes of a running domain and its devices.
            trait DomainStats in domains, on REMOTE_PROGRAM {
                /// Counters of a disk, by its target or source. (`virDomainBlockStats`)
                64 read virDomainBlockStats fn block_stats(domain: &DomainRef, path: &str) -> BlockStats;
                /// Counters of an interface, by its MAC address or host device. (`virDomainInterfaceStats`)
                65 read virDomainInterfaceStats fn interface_stats(domain: &DomainRef, device: &str) -> InterfaceStats;
                /// Reads up to 4 MiB of a disk's contents. (`virDomainBlockPeek`)
                103 write virDomainBlockPeek fn block_peek(domain: &DomainRef, path: &str, offset: u64, size: u32, flags: u32) -> Vec<u8>;
                /// Reads up to 4 MiB of the guest's memory. (`virDomainMemoryPeek`)
                104 write virDomainMemoryPeek fn memory_peek(domain: &DomainRef, offset: u64, size: u32, flags: u32) -> Vec<u8>;
                /// What the balloon driver and the host know of the guest's memory. (`virDomainMemoryStats`)
                159 read virDomainMemoryStats fn memory_stats(domain: &DomainRef) [1024] (flags: u32) -> Items<MemoryStat>;
                /// The sizes of a disk in bytes. (`virDomainGetBlockInfo`)
                194 read virDomainGetBlockInfo fn block_info(domain: &DomainRef, path: &str, flags: u32) -> BlockInfo;
                /// Counters of a disk, by name. (`virDomainBlockStatsFlags`)
                243 read virDomainBlockStatsFlags fn block_stats_params(domain: &DomainRef, path: &str) [16] (flags: u32) -> Counted<TypedParam>;
                /// CPU times by host CPU from `start_cpu` on, or of all together (-1); asked with zeros, only the numbers. (`virDomainGetCPUStats`)
                262 read virDomainGetCPUStats fn cpu_stats(domain: &DomainRef, nparams: u32, start_cpu: i32, ncpus: u32, flags: u32) -> (Vec<TypedParam>, i32);
                /// The disks that met an error. (`virDomainGetDiskErrors`)
                263 read virDomainGetDiskErrors fn disk_errors(domain: &DomainRef) [256] (flags: u32) -> Counted<DiskError>;
                /// Statistics of the given domains, or of all that the flags leave, in one answer. (`virConnectGetAllDomainStats`)
                344 read virConnectGetAllDomainStats fn all_domain_stats(doms: &[DomainRef], stats: u32, flags: u32) -> Vec<DomainStatsRecord>;
                /// Begins to measure for `seconds` how fast the guest writes its memory. (`virDomainStartDirtyRateCalc`)
                427 write virDomainStartDirtyRateCalc fn start_dirty_rate_calc(domain: &DomainRef, seconds: i32, flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_stats_operations;
