//! Memory, virtual CPUs, pinning and every tunable of a domain.

/// Hands the operations of [`DomainTuning`](super::DomainTuning) to the macro `$reader`.
macro_rules! domain_tuning_operations {
    ($reader:ident) => {
        $reader! {
            /// Memory, virtual CPUs, pinning and every tunable of a domain.
            trait DomainTuning in domains, on REMOTE_PROGRAM {
                /// The most memory the domain may have, in KiB. (`virDomainGetMaxMemory`)
                17 read virDomainGetMaxMemory fn max_memory(domain: &DomainRef) -> u64;
                /// The most virtual CPUs of the running domain, or of the driver for an inactive one. (`virDomainGetMaxVcpus`)
                18 read virDomainGetMaxVcpus fn max_vcpus(domain: &DomainRef) -> i32;
                /// Each virtual CPU's state and, in one run, a host CPU map of `maplen` bytes each. (`virDomainGetVcpus`)
                20 read virDomainGetVcpus fn vcpu_info(domain: &DomainRef, maxinfo: i32, maplen: i32) -> (Vec<VcpuInfo>, Vec<u8>);
                /// Sets the most memory the domain may have, in KiB. (`virDomainSetMaxMemory`)
                30 write virDomainSetMaxMemory fn set_max_memory(domain: &DomainRef, memory: u64) -> ();
                /// The host's scheduler and how many parameters it has. (`virDomainGetSchedulerType`)
                56 read virDomainGetSchedulerType fn scheduler_type(domain: &DomainRef) -> (String, i32);
                /// Sets memory limits (KiB), now or for the next start by the flags. (`virDomainSetMemoryParameters`)
                197 write virDomainSetMemoryParameters fn set_memory_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// The memory limits in KiB. (`virDomainGetMemoryParameters`)
                198 read virDomainGetMemoryParameters fn memory_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// Sets the number of virtual CPUs: in use, the maximum, or in the guest, by the flags. (`virDomainSetVcpusFlags`)
                199 write virDomainSetVcpusFlags fn set_vcpus(domain: &DomainRef, nvcpus: u32, flags: u32) -> ();
                /// The number of virtual CPUs: in use, the maximum, or in the guest, by the flags. (`virDomainGetVcpusFlags`)
                200 read virDomainGetVcpusFlags fn vcpu_count(domain: &DomainRef, flags: u32) -> i32;
                /// Sets the memory of the domain in KiB: the balloon now, or the next start, by the flags. (`virDomainSetMemoryFlags`)
                204 write virDomainSetMemoryFlags fn set_memory(domain: &DomainRef, memory: u64, flags: u32) -> ();
                /// Sets block I/O weights and limits. (`virDomainSetBlkioParameters`)
                205 write virDomainSetBlkioParameters fn set_blkio_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// The block I/O weights and limits. (`virDomainGetBlkioParameters`)
                206 read virDomainGetBlkioParameters fn blkio_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// Sets CPU shares, quotas, weights. (`virDomainSetSchedulerParametersFlags`)
                219 write virDomainSetSchedulerParametersFlags fn set_scheduler_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// The CPU shares, quotas, weights. (`virDomainGetSchedulerParametersFlags`)
                223 read virDomainGetSchedulerParametersFlags fn scheduler_parameters(domain: &DomainRef) [16] (flags: u32) -> Items<TypedParam>;
                /// Ties a virtual CPU to host CPUs. (`virDomainPinVcpuFlags`)
                225 write virDomainPinVcpuFlags fn pin_vcpu(domain: &DomainRef, vcpu: u32, cpumap: &[u8], flags: u32) -> ();
                /// To which host CPUs each virtual CPU is tied: `maplen` bytes each. (`virDomainGetVcpuPinInfo`)
                230 read virDomainGetVcpuPinInfo fn vcpu_pin_info(domain: &DomainRef, ncpumaps: i32, maplen: i32, flags: u32) -> (Vec<u8>, i32);
                /// Sets the NUMA mode and nodes. (`virDomainSetNumaParameters`)
                254 write virDomainSetNumaParameters fn set_numa_parameters(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// The NUMA mode and nodes. (`virDomainGetNumaParameters`)
                255 read virDomainGetNumaParameters fn numa_parameters(domain: &DomainRef) [16] (flags: u32) -> Counted<TypedParam>;
                /// Ties the emulator's own threads to host CPUs. (`virDomainPinEmulator`)
                279 write virDomainPinEmulator fn pin_emulator(domain: &DomainRef, cpumap: &[u8], flags: u32) -> ();
                /// To which host CPUs the emulator is tied. (`virDomainGetEmulatorPinInfo`)
                280 read virDomainGetEmulatorPinInfo fn emulator_pin_info(domain: &DomainRef, maplen: i32, flags: u32) -> (Vec<u8>, i32);
                /// Sets how often, in seconds, the balloon driver reports. (`virDomainSetMemoryStatsPeriod`)
                308 write virDomainSetMemoryStatsPeriod fn set_memory_stats_period(domain: &DomainRef, period: i32, flags: u32) -> ();
                /// The I/O threads and their host CPUs. (`virDomainGetIOThreadInfo`)
                351 read virDomainGetIOThreadInfo fn iothread_info(domain: &DomainRef, flags: u32) -> Counted<IoThreadInfo>;
                /// Ties an I/O thread to host CPUs. (`virDomainPinIOThread`)
                352 write virDomainPinIOThread fn pin_iothread(domain: &DomainRef, iothreads_id: u32, cpumap: &[u8], flags: u32) -> ();
                /// Adds an I/O thread. (`virDomainAddIOThread`)
                355 write virDomainAddIOThread fn add_iothread(domain: &DomainRef, iothread_id: u32, flags: u32) -> ();
                /// Removes an I/O thread that nothing uses. (`virDomainDelIOThread`)
                356 write virDomainDelIOThread fn del_iothread(domain: &DomainRef, iothread_id: u32, flags: u32) -> ();
                /// Which performance events are on. (`virDomainGetPerfEvents`)
                365 read virDomainGetPerfEvents fn perf_events(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// Turns performance events on or off. (`virDomainSetPerfEvents`)
                366 write virDomainSetPerfEvents fn set_perf_events(domain: &DomainRef, params: &[TypedParam], flags: u32) -> ();
                /// What the guest's agent says of its CPUs. (`virDomainGetGuestVcpus`)
                371 write virDomainGetGuestVcpus fn guest_vcpus(domain: &DomainRef, flags: u32) -> Vec<TypedParam>;
                /// Turns CPUs on or off inside the guest, by its agent. (`virDomainSetGuestVcpus`)
                372 write virDomainSetGuestVcpus fn set_guest_vcpus(domain: &DomainRef, cpumap: &str, state: i32, flags: u32) -> ();
                /// Plugs or unplugs the named virtual CPUs. (`virDomainSetVcpu`)
                384 write virDomainSetVcpu fn set_vcpu(domain: &DomainRef, cpumap: &str, state: i32, flags: u32) -> ();
                /// Tunes an I/O thread's polling. (`virDomainSetIOThreadParams`)
                402 write virDomainSetIOThreadParams fn set_iothread_params(domain: &DomainRef, iothread_id: u32, params: &[TypedParam], flags: u32) -> ();
            }
        }
    };
}
pub(crate) use domain_tuning_operations;
