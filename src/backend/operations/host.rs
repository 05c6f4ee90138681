//! Facts about the connection and the node it manages.

/// Hands the operations of [`Host`](super::Host) to the macro `$reader`.
macro_rules! host_operations {
    ($reader:ident) => {
        $reader! {
            /// Facts about the connection and the node it manages.
            trait Host in host, on REMOTE_PROGRAM {
                /// `virConnectGetType`.
                3 read virConnectGetType fn driver_type() -> String;
                /// `virConnectGetVersion`.
                4 read virConnectGetVersion fn version() -> u64;
                /// `virConnectGetMaxVcpus`.
                5 read virConnectGetMaxVcpus fn max_vcpus(kind: Option<&str>) -> i32;
                /// `virNodeGetInfo`.
                6 read virNodeGetInfo fn node_info() -> NodeInfo;
                /// `virConnectGetCapabilities`.
                7 read virConnectGetCapabilities fn capabilities() -> String;
                /// `virConnectGetHostname`.
                59 read virConnectGetHostname fn hostname() -> String;
                /// `virNodeGetCellsFreeMemory`.
                101 read virNodeGetCellsFreeMemory fn node_cells_free_memory(start_cell: i32, maxcells: i32) -> Vec<u64>;
                /// `virNodeGetFreeMemory`.
                102 read virNodeGetFreeMemory fn node_free_memory() -> u64;
                /// `virConnectGetURI`.
                110 read virConnectGetURI fn uri() -> String;
                /// `virNodeGetSecurityModel`.
                122 read virNodeGetSecurityModel fn node_security_model() -> SecurityModel;
                /// `virConnectGetLibVersion`.
                157 read virConnectGetLibVersion fn lib_version() -> u64;
                /// `virConnectCompareCPU`.
                158 read virConnectCompareCPU fn compare_cpu(xml: &str, flags: u32) -> i32;
                /// `virConnectBaselineCPU`.
                162 read virConnectBaselineCPU fn baseline_cpu(cpus: &[String], flags: u32) -> String;
                /// `virConnectGetSysinfo`.
                203 read virConnectGetSysinfo fn sysinfo(flags: u32) -> String;
                /// `virNodeGetCPUStats`.
                227 read virNodeGetCPUStats fn node_cpu_stats(cpu_num: i32) [16] (flags: u32) -> Counted<NodeStat>;
                /// `virNodeGetMemoryStats`.
                228 read virNodeGetMemoryStats fn node_memory_stats() [16] (cell_num: i32, flags: u32) -> Counted<NodeStat>;
                /// `virNodeSuspendForDuration`.
                250 write virNodeSuspendForDuration fn node_suspend_for_duration(target: u32, duration: u64, flags: u32) -> ();
                /// `virNodeSetMemoryParameters`.
                288 write virNodeSetMemoryParameters fn node_set_memory_parameters(params: &[TypedParam], flags: u32) -> ();
                /// `virNodeGetMemoryParameters`.
                289 read virNodeGetMemoryParameters fn node_memory_parameters() [64] (flags: u32) -> Counted<TypedParam>;
                /// `virNodeGetCPUMap`.
                293 read virNodeGetCPUMap fn node_cpu_map(need_map: bool, need_online: bool, flags: u32) -> CpuMap;
                /// `virConnectGetCPUModelNames`.
                312 read virConnectGetCPUModelNames fn cpu_model_names(arch: &str) [1] (flags: u32) -> Counted<String>;
                /// `virNodeGetFreePages`.
                340 read virNodeGetFreePages fn node_free_pages(pages: &[u32], start_cell: i32, cell_count: u32, flags: u32) -> Vec<u64>;
                /// `virConnectGetDomainCapabilities`.
                342 write virConnectGetDomainCapabilities fn domain_capabilities(emulatorbin: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, flags: u32) -> String;
                /// `virNodeAllocPages`.
                347 write virNodeAllocPages fn node_alloc_pages(page_sizes: &[u32], page_counts: &[u64], start_cell: i32, cell_count: u32, flags: u32) -> i32;
                /// `virConnectCompareHypervisorCPU`.
                393 write virConnectCompareHypervisorCPU fn compare_hypervisor_cpu(emulator: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, xml_cpu: &str, flags: u32) -> i32;
                /// `virConnectBaselineHypervisorCPU`.
                394 write virConnectBaselineHypervisorCPU fn baseline_hypervisor_cpu(emulator: Option<&str>, arch: Option<&str>, machine: Option<&str>, virttype: Option<&str>, cpus: &[String], flags: u32) -> String;
                /// `virNodeGetSEVInfo`.
                395 read virNodeGetSEVInfo fn node_sev_info() [64] (flags: u32) -> Counted<TypedParam>;
            }
        }
    };
}
pub(crate) use host_operations;
