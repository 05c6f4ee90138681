//! Facts about the connection, the node and its QEMU.

use super::{QemuConnection, check_flags};
use crate::backend::Host;
use crate::error::Result;
use crate::host::Node;
use crate::model::LIBRARY_VERSION;
use crate::model::constants::TYPED_PARAM_STRING_OKAY;
use crate::model::*;
use crate::qemud::capabilities::{self, QemuCapabilities, domain_xml, host_xml};
use crate::qemud::define;

impl Host for QemuConnection {
    fn driver_type(&self) -> Result<String> {
        Ok("QEMU".to_string())
    }

    fn version(&self) -> Result<u64> {
        let emulator = define::emulator_of(std::env::consts::ARCH)?;
        Ok(QemuCapabilities::of(&emulator)?.version.as_number())
    }

    fn lib_version(&self) -> Result<u64> {
        Ok(LIBRARY_VERSION)
    }

    fn uri(&self) -> Result<String> {
        Ok(self.uri.clone())
    }

    fn hostname(&self) -> Result<String> {
        Node::default().hostname()
    }

    fn max_vcpus(&self, kind: Option<&str>) -> Result<i32> {
        capabilities::max_vcpus(kind)
    }

    fn capabilities(&self) -> Result<String> {
        host_xml::host_capabilities(&Node::default())
    }

    fn cpu_model_names(&self, arch: &str, flags: u32) -> Result<Vec<String>> {
        check_flags(flags, 0, "virConnectGetCPUModelNames")?;
        capabilities::cpu_model_names(arch)
    }

    fn domain_capabilities(
        &self,
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        virt_type: Option<&str>,
        flags: u32,
    ) -> Result<String> {
        check_flags(flags, 0, "virConnectGetDomainCapabilities")?;
        domain_xml::domain_capabilities(&domain_xml::Question { emulator, arch, machine, virt_type })
    }

    fn node_info(&self) -> Result<NodeInfo> {
        Node::default().node_info()
    }

    fn node_cells_free_memory(&self, start_cell: i32, maxcells: i32) -> Result<Vec<u64>> {
        Node::default().node_cells_free_memory(start_cell, maxcells)
    }

    fn node_free_memory(&self) -> Result<u64> {
        Node::default().node_free_memory()
    }

    fn node_security_model(&self) -> Result<SecurityModel> {
        Ok(SecurityModel { model: "none".to_string(), doi: "0".to_string() })
    }

    fn sysinfo(&self, flags: u32) -> Result<String> {
        check_flags(flags, 0, "virConnectGetSysinfo")?;
        Node::default().sysinfo()
    }

    fn node_cpu_stats(&self, cpu_num: i32, flags: u32) -> Result<Vec<NodeStat>> {
        check_flags(flags, 0, "virNodeGetCPUStats")?;
        Node::default().node_cpu_stats(cpu_num)
    }

    fn node_memory_stats(&self, cell_num: i32, flags: u32) -> Result<Vec<NodeStat>> {
        check_flags(flags, 0, "virNodeGetMemoryStats")?;
        Node::default().node_memory_stats(cell_num)
    }

    fn node_cpu_map(&self, need_map: bool, need_online: bool, flags: u32) -> Result<CpuMap> {
        check_flags(flags, 0, "virNodeGetCPUMap")?;
        let _ = need_online;
        Node::default().node_cpu_map(need_map, need_online)
    }

    fn node_memory_parameters(&self, flags: u32) -> Result<Vec<TypedParam>> {
        check_flags(flags, TYPED_PARAM_STRING_OKAY, "virNodeGetMemoryParameters")?;
        Node::default().node_memory_parameters()
    }

    fn node_set_memory_parameters(&self, params: &[TypedParam], flags: u32) -> Result<()> {
        check_flags(flags, 0, "virNodeSetMemoryParameters")?;
        Node::default().node_set_memory_parameters(params)
    }

    fn node_free_pages(
        &self,
        pages: &[u32],
        start_cell: i32,
        cell_count: u32,
        flags: u32,
    ) -> Result<Vec<u64>> {
        check_flags(flags, 0, "virNodeGetFreePages")?;
        Node::default().node_free_pages(pages, start_cell, cell_count)
    }
}
