//! Memory, virtual CPUs, pinning and every tunable of a domain.

/// Hands the operations of [`DomainTuning`](super::DomainTuning) to the macro `$reader`.
macro_rules! domain_tuning_operations {
    ($reader:ident) => {
        $reader! {
            /// Memory, virtual CPUs, pinning and every tunable of a domain.
            trait DomainTuning in domains, on REMOTE_PROGRAM {
                /// `virDomainGetMaxMemory`.
                17 read virDomainGetMaxMemory fn max_memory(domain: &DomainRef) -> u64;
                /// `virDomainGetMaxVcpus`.
                18 read virDomainGetMaxVcpus fn max_vcpus(domain: &DomainRef) -> i32;
                /// `virDomainGetVcpus`.
                20 read virDomainGetVcpus fn vcpu_info(domain: &DomainRef, maxinfo: i32, maplen: i32) -> (Vec<VcpuInfo>, Vec<u8>);
                /// `virDomainSetMaxMemory`.
                30 write virDomainSetMaxMemory fn set_max_memory(domain: &DomainRef, memory: u64) -> ();
                /// `virDomainGetSchedulerType`.
                56 read virDomainGetSchedulerType fn scheduler_type(domain: &DomainRef) -> (String, i32);
                /// `virDomainSetMemoryParameters`.
                197 write virDomainSetMemoryParameters fn set_memory_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainGetMemoryParameters`.
                198 read virDomainGetMemoryParameters fn memory_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// `virDomainSetVcpusFlags`.
                199 write virDomainSetVcpusFlags fn set_vcpus(domain: &DomainRef, nvcpus: u32, flags: u32) -> ();
                /// `virDomainGetVcpusFlags`.
                200 read virDomainGetVcpusFlags fn vcpu_count(domain: &DomainRef, flags: u32) -> i32;
                /// `virDomainSetMemoryFlags`.
                204 write virDomainSetMemoryFlags fn set_memory(domain: &DomainRef, memory: u64, flags: u32) -> ();
                /// `virDomainSetBlkioParameters`.
                205 write virDomainSetBlkioParameters fn set_blkio_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainGetBlkioParameters`.
                206 read virDomainGetBlkioParameters fn blkio_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// `virDomainSetSchedulerParametersFlags`.
                219 write virDomainSetSchedulerParametersFlags fn set_scheduler_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainGetSchedulerParametersFlags`.
                223 read virDomainGetSchedulerParametersFlags fn scheduler_parameters(domain: &DomainRef) [16] (flags: u32) -> Items<TypedParam>;
                /// `virDomainPinVcpuFlags`.
                225 write virDomainPinVcpuFlags fn pin_vcpu(domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> ();
                /// `virDomainGetVcpuPinInfo`.
                230 read virDomainGetVcpuPinInfo fn vcpu_pin_info(domain: &DomainRef, ncpumaps: i32, maplen: i32, flags: u32) -> (Vec<u8>, i32);
                /// `virDomainSetNumaParameters`.
                254 write virDomainSetNumaParameters fn set_numa_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainGetNumaParameters`.
                255 read virDomainGetNumaParameters fn numa_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// `virDomainPinEmulator`.
                279 write virDomainPinEmulator fn pin_emulator(domain: &DomainRef, cpumap: &[u8], flags: u32) -> ();
                /// `virDomainGetEmulatorPinInfo`.
                280 read virDomainGetEmulatorPinInfo fn emulator_pin_info(domain: &DomainRef, maplen: i32, flags: u32) -> (Vec<u8>, i32);
                /// `virDomainSetMemoryStatsPeriod`.
                308 write virDomainSetMemoryStatsPeriod fn set_memory_stats_period(domain: &DomainRef, period: i32, flags: u32) -> ();
                /// `virDomainGetIOThreadInfo`.
                351 read virDomainGetIOThreadInfo fn iothread_info(domain: &DomainRef, flags: u32) -> Counted<IoThreadInfo>;
                /// `virDomainPinIOThread`.
                352 write virDomainPinIOThread fn pin_iothread(domain: &DomainRef, iothreads_id: u32, cpumap: &[u8], flags: u32) -> ();
                /// `virDomainAddIOThread`.
                355 write virDomainAddIOThread fn add_iothread(domain: &DomainRef, iothread_id: u32, flags: u32) -> ();
                /// `virDomainDelIOThread`.
                356 write virDomainDelIOThread fn del_iothread(domain: &DomainRef, iothread_id: u32, flags: u32) -> ();
                /// `virDomainGetPerfEvents`.
                365 read virDomainGetPerfEvents fn perf_events(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// `virDomainSetPerfEvents`.
                366 write virDomainSetPerfEvents fn set_perf_events(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// `virDomainGetGuestVcpus`.
                371 write virDomainGetGuestVcpus fn guest_vcpus(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// `virDomainSetGuestVcpus`.
                372 write virDomainSetGuestVcpus fn set_guest_vcpus(domain: &DomainRef, cpumap: &str, state: i32, flags: u32) -> ();
                /// `virDomainSetVcpu`.
                384 write virDomainSetVcpu fn set_vcpu(domain: &DomainRef, cpumap: &str, state: i32, flags: u32) -> ();
                /// `virDomainSetIOThreadParams`.
                402 write virDomainSetIOThreadParams fn set_iothread_params(domain: &DomainRef, iothread_id: u32, params: &[TypedParam], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_tuning_operations;
