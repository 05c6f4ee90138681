//! Facts about the host, of which the control domain's kernel sees its own share only.

use super::HypervisorLayer;
use super::{capabilities, domain_capabilities};
use crate::backend::Host;
use crate::backend::xen::hypervisor::{NumaNode, Physical};
use crate::error::{Error, Result};
use crate::model::constants::NODE_MEMORY_STATS_ALL_CELLS;
use crate::model::{CpuMap, NodeInfo, NodeStat};

/// The most virtual CPUs of a guest without an emulated machine.
pub(super) const VCPUS_MAX: i32 = 512;

/// A number as the records have it.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The node's hardware in figures; the sockets are those of one NUMA node.
pub(super) fn node_info(physical: &Physical, machine: String) -> NodeInfo {
    let in_socket = physical.cores_per_socket.saturating_mul(physical.threads_per_core);
    let in_sockets = in_socket.saturating_mul(physical.nodes).max(1);
    NodeInfo {
        model: machine,
        memory: physical.total_pages.saturating_mul(4),
        cpus: count(physical.cpus),
        mhz: count(physical.khz / 1000),
        nodes: count(physical.nodes),
        sockets: count((physical.cpus / in_sockets).max(1)),
        cores: count(physical.cores_per_socket),
        threads: count(physical.threads_per_core),
    }
}

impl HypervisorLayer {
    /// The NUMA nodes, or one made of the whole host where the hypervisor is too old to tell.
    pub(super) fn cells(&self) -> Result<Vec<NumaNode>> {
        match self.hypervisor.numa() {
            Ok(nodes) => Ok(nodes),
            Err(_) => {
                let physical = self.hypervisor.physical()?;
                let memory = physical.total_pages.saturating_mul(4096);
                Ok(vec![NumaNode { node: 0, memory, free: physical.free(), distances: vec![10] }])
            }
        }
    }
}

impl Host for HypervisorLayer {
    fn version(&self) -> Result<u64> {
        let (major, minor) = self.hypervisor.numbers();
        Ok(u64::from(major) * 1_000_000 + u64::from(minor) * 1000)
    }

    /// As many as there are CPUs; what a kind of guest may have stands in its capabilities.
    fn max_vcpus(&self, _kind: Option<&str>) -> Result<i32> {
        Ok(count(self.hypervisor.physical()?.cpus))
    }

    fn node_info(&self) -> Result<NodeInfo> {
        Ok(node_info(&self.hypervisor.physical()?, self.node.machine()))
    }

    fn capabilities(&self) -> Result<String> {
        let physical = self.hypervisor.physical()?;
        let topology = self.hypervisor.topology().unwrap_or_default();
        let guests = self.hypervisor.capabilities()?;
        let facts = capabilities::Facts {
            machine: self.node.machine(),
            release: self.hypervisor.numbers(),
            physical: &physical,
            cells: &self.cells()?,
            topology: &topology,
            guests: &guests,
        };
        Ok(capabilities::document(&facts))
    }

    fn domain_capabilities(
        &self,
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        virttype: Option<&str>,
        flags: u32,
    ) -> Result<String> {
        super::only_flags(flags, 0, "virConnectGetDomainCapabilities")?;
        let native = self.node.machine();
        domain_capabilities::document(emulator, arch.unwrap_or(&native), machine, virttype)
    }

    fn node_free_memory(&self) -> Result<u64> {
        Ok(self.hypervisor.physical()?.free())
    }

    fn node_cells_free_memory(&self, start_cell: i32, maxcells: i32) -> Result<Vec<u64>> {
        let cells = self.cells()?;
        let last = cells.iter().map(|cell| cell.node).max().unwrap_or(0);
        let first = u32::try_from(start_cell).ok().filter(|first| *first <= last);
        let Some(first) = first else {
            let detail = format!("start cell {start_cell} out of range (0-{last})");
            return Err(Error::internal(detail));
        };
        let wanted = usize::try_from(maxcells).unwrap_or(0);
        let free = |number| cells.iter().find(|cell| cell.node == number).map_or(0, |cell| cell.free);
        Ok((first..=last).take(wanted).map(free).collect())
    }

    fn node_memory_stats(&self, cell: i32, flags: u32) -> Result<Vec<NodeStat>> {
        super::only_flags(flags, 0, "virNodeGetMemoryStats")?;
        let (total, free) = if cell == NODE_MEMORY_STATS_ALL_CELLS {
            let physical = self.hypervisor.physical()?;
            (physical.total_pages.saturating_mul(4), physical.free() / 1024)
        } else {
            let cells = self.cells()?;
            let wanted = u32::try_from(cell).ok();
            let found = cells.iter().find(|found| Some(found.node) == wanted);
            let found = found.ok_or_else(|| {
                let last = cells.iter().map(|cell| cell.node).max().unwrap_or(0);
                Error::invalid_argument(format!(
                    "cellNum in virNodeGetMemoryStats must be less than or equal to {last}"
                ))
            })?;
            (found.memory / 1024, found.free / 1024)
        };
        let stat = |name: &str, value| NodeStat { name: name.to_string(), value };
        Ok(vec![stat("total", total), stat("free", free)])
    }

    fn node_cpu_map(&self, need_map: bool, _need_online: bool, flags: u32) -> Result<CpuMap> {
        super::only_flags(flags, 0, "virNodeGetCPUMap")?;
        let cpus = self.hypervisor.physical()?.cpus;
        let places = self.hypervisor.topology().unwrap_or_default();
        // The hypervisor numbers the CPUs that are online; one that sits nowhere is known by its number only.
        let numbers: Vec<u32> = match places.len() == cpus as usize {
            true => places.iter().map(|place| place.cpu).collect(),
            false => (0..cpus).collect(),
        };
        let total = numbers.last().map_or(0, |last| last + 1);
        let mut map = if need_map { vec![0; total.div_ceil(8) as usize] } else { Vec::new() };
        for number in &numbers {
            if let Some(byte) = map.get_mut(*number as usize / 8) {
                *byte |= 1 << (number % 8);
            }
        }
        Ok(CpuMap { map, online: cpus, total: count(total) })
    }
}
