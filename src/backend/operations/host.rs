//! Facts about the connection and the node it manages.

/// Hands the operations of [`Host`](super::Host) to the macro `$reader`.
macro_rules! host_operations {
    ($reader:ident) => {
        $reader! {
            /// Facts about the connection and the node it manages.
            trait Host in host, on REMOTE_PROGRAM {
                /// The driver's name as virsh shows it: `QEMU`, `Xen`, `TEST`. (`virConnectGetType`)
                3 read virConnectGetType fn driver_type() -> String;
                /// The hypervisor's version: major * 1,000,000 + minor * 1,000 + release; 0 if unknown. (`virConnectGetVersion`)
                4 read virConnectGetVersion fn version() -> u64;
                /// The most virtual CPUs a domain of this type may have. (`virConnectGetMaxVcpus`)
                5 read virConnectGetMaxVcpus fn max_vcpus(kind: Option<&str>) -> i32;
                /// The node's hardware in figures. (`virNodeGetInfo`)
                6 read virNodeGetInfo fn node_info() -> NodeInfo;
                /// What host and guests can do, as `<capabilities>` XML. (`virConnectGetCapabilities`)
                7 read virConnectGetCapabilities fn capabilities() -> String;
                /// The node's name. (`virConnectGetHostname`)
                59 read virConnectGetHostname fn hostname() -> String;
                /// Whether the driver can do what `feature` stands for, by its number on the wire. (`virConnectSupportsFeature`)
                60 read virConnectSupportsFeature fn supports_feature(feature: i32) -> bool;
                /// Free memory in bytes of NUMA cells, from `start_cell` on, at most `maxcells` of them. (`virNodeGetCellsFreeMemory`)
                101 read virNodeGetCellsFreeMemory fn node_cells_free_memory(start_cell: i32, maxcells: i32) -> Vec<u64>;
                /// Free memory of the node in bytes. (`virNodeGetFreeMemory`)
                102 read virNodeGetFreeMemory fn node_free_memory() -> u64;
                /// The URI that leads to this driver again. (`virConnectGetURI`)
                110 read virConnectGetURI fn uri() -> String;
                /// The security model that confines guests; empty if none. (`virNodeGetSecurityModel`)
                122 read virNodeGetSecurityModel fn node_security_model() -> SecurityModel;
                /// The version of the management side, counted as in `version`; clients refuse below 8.0.0. (`virConnectGetLibVersion`)
                157 read virConnectGetLibVersion fn lib_version() -> u64;
                /// Compares a CPU's XML with the host's CPU (`virCPUCompareResult`). (`virConnectCompareCPU`)
                158 read virConnectCompareCPU fn compare_cpu(xml: &str, flags: u32) -> i32;
                /// The richest CPU that all the given ones can run. (`virConnectBaselineCPU`)
                162 read virConnectBaselineCPU fn baseline_cpu(cpus: &[String], flags: u32) -> String;
                /// The node's SMBIOS data as `<sysinfo>` XML. (`virConnectGetSysinfo`)
                203 read virConnectGetSysinfo fn sysinfo(flags: u32) -> String;
                /// CPU times of one host CPU, or of all (-1), in nanoseconds. (`virNodeGetCPUStats`)
                227 read virNodeGetCPUStats fn node_cpu_stats(cpu_num: i32) [16] (flags: u32) -> Counted<NodeStat>;
                /// Memory figures of one NUMA cell, or of all (-1), in KiB. (`virNodeGetMemoryStats`)
                228 read virNodeGetMemoryStats fn node_memory_stats() [16] (cell_num: i32, flags: u32) -> Counted<NodeStat>;
                /// Sends the node to sleep and wakes it after `duration` seconds. (`virNodeSuspendForDuration`)
                250 write virNodeSuspendForDuration fn node_suspend_for_duration(target: u32, duration: u64, flags: u32) -> ();
                /// Changes the node's page sharing. (`virNodeSetMemoryParameters`)
                288 write virNodeSetMemoryParameters fn node_set_memory_parameters(params: &[TypedParam], flags: u32) -> ();
                /// The settings and counters of the node's page sharing. (`virNodeGetMemoryParameters`)
                289 read virNodeGetMemoryParameters fn node_memory_parameters() [64] (flags: u32) -> Counted<TypedParam>;
                /// Which host CPUs exist and are online. (`virNodeGetCPUMap`)
                293 read virNodeGetCPUMap fn node_cpu_map(need_map: bool, need_online: bool, flags: u32) -> CpuMap;
                /// The CPU models known for an architecture. (`virConnectGetCPUModelNames`)
                312 read virConnectGetCPUModelNames fn cpu_model_names(arch: &str) [1] (flags: u32) -> Counted<String>;
                /// Free pages of the given sizes (KiB) for each of `cell_count` cells, cell by cell. (`virNodeGetFreePages`)
                340 read virNodeGetFreePages fn node_free_pages(pages: &[u32], start_cell: i32, cell_count: u32, flags: u32) -> Vec<u64>;
                /// What one emulator, architecture, machine and virtualization type can do, as XML. (`virConnectGetDomainCapabilities`)
                342 write virConnectGetDomainCapabilities fn domain_capabilities(emulatorbin: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, flags: u32) -> String;
                /// Sets or adds to the pool of huge pages; answers with the number of pools changed. (`virNodeAllocPages`)
                347 write virNodeAllocPages fn node_alloc_pages(page_sizes: &[u32], page_counts: &[u64], start_cell: i32, cell_count: u32, flags: u32) -> i32;
                /// Compares a CPU's XML with what a hypervisor can give (`virCPUCompareResult`). (`virConnectCompareHypervisorCPU`)
                393 write virConnectCompareHypervisorCPU fn compare_hypervisor_cpu(emulator: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, xml_cpu: &str, flags: u32) -> i32;
                /// The richest CPU that all the given ones can run under a hypervisor. (`virConnectBaselineHypervisorCPU`)
                394 write virConnectBaselineHypervisorCPU fn baseline_hypervisor_cpu(emulator: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, cpus: &[String], flags: u32) -> String;
                /// The platform's AMD SEV data. (`virNodeGetSEVInfo`)
                395 write virNodeGetSEVInfo fn node_sev_info() [64] (flags: u32) -> Counted<TypedParam>;
            }
        }
    };
}
pub(crate) use host_operations;
