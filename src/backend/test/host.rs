//! Facts about the node.

use super::*;

/// The hypervisor's own version.
const HYPERVISOR_VERSION: u64 = 2;
/// The most virtual CPUs a domain may have.
pub(super) const VCPUS_MAX: u32 = 32;
/// The CPUs the node says it has, and which of them are online.
const CPU_MAP: (i32, u8) = (8, 0b0001_0101);

impl Host for TestConnection {
    fn driver_type(&self) -> Result<String> {
        Ok("TEST".to_string())
    }

    fn version(&self) -> Result<u64> {
        Ok(HYPERVISOR_VERSION)
    }

    fn lib_version(&self) -> Result<u64> {
        Ok(LIBRARY_VERSION)
    }

    fn uri(&self) -> Result<String> {
        Ok(self.uri.clone())
    }

    fn hostname(&self) -> Result<String> {
        let name = nix::unistd::gethostname().map_err(|errno| {
            let cause = std::io::Error::from_raw_os_error(errno as i32);
            Error::system("failed to determine host name", &cause)
        })?;
        Ok(name.to_string_lossy().into_owned())
    }

    fn max_vcpus(&self, _kind: Option<&str>) -> Result<i32> {
        Ok(VCPUS_MAX as i32)
    }

    fn node_info(&self) -> Result<NodeInfo> {
        Ok(self.state().node.clone())
    }

    fn capabilities(&self) -> Result<String> {
        Ok(capabilities::host(&self.state()))
    }

    fn domain_capabilities(
        &self,
        emulator: Option<&str>,
        arch: Option<&str>,
        machine: Option<&str>,
        virttype: Option<&str>,
        flags: u32,
    ) -> Result<String> {
        only_flags(flags, 0, "testConnectGetDomainCapabilities")?;
        capabilities::domain(emulator, arch, machine, virttype)
    }

    fn node_free_memory(&self) -> Result<u64> {
        // Half of everything is in use. The numbers of KiB stand for as many bytes, here and below.
        let cells = self.state().cells;
        match cells.iter().map(|cell| cell.memory).sum::<u64>() {
            0 => Err(bare("An error occurred, but the cause is unknown".to_string())),
            memory => Ok(memory / 2),
        }
    }

    fn node_cells_free_memory(&self, start_cell: i32, maxcells: i32) -> Result<Vec<u64>> {
        let cells = self.state().cells;
        let start = usize::try_from(start_cell).unwrap_or(usize::MAX);
        if start >= cells.len() {
            return Err(Error::invalid_argument("Range exceeds available cells"));
        }
        let asked = cells[start..].iter().take(usize::try_from(maxcells).unwrap_or(0));
        Ok(asked.map(|cell| cell.memory).collect())
    }

    fn node_free_pages(
        &self,
        pages: &[u32],
        start_cell: i32,
        cell_count: u32,
        flags: u32,
    ) -> Result<Vec<u64>> {
        only_flags(flags, 0, "testNodeGetFreePages")?;
        // Numbers that look alive: more for every further cell and size.
        let first = 7 + 12 * i64::from(start_cell);
        let numbers = std::iter::successors(Some(first), |number| number.checked_mul(2)?.checked_add(7));
        let wanted = pages.len().saturating_mul(cell_count as usize);
        Ok(numbers.take(wanted).map(|number| number as u64).collect())
    }

    fn node_security_model(&self) -> Result<SecurityModel> {
        Ok(SecurityModel { model: "testSecurity".to_string(), doi: String::new() })
    }

    fn sysinfo(&self, flags: u32) -> Result<String> {
        only_flags(flags, 0, "testConnectGetSysinfo")?;
        Ok(SYSINFO.to_string())
    }

    fn node_cpu_stats(&self, _cpu_num: i32, flags: u32) -> Result<Vec<NodeStat>> {
        only_flags(flags, 0, "testNodeGetCPUStats")?;
        let counters = [
            ("user", 9_797_400_000),
            ("kernel", 34_678_723_400_000),
            ("idle", 87_264_900_000),
            ("iowait", 763_600_000),
        ];
        let stat = |(name, value): (&str, u64)| NodeStat { name: name.to_string(), value };
        Ok(counters.into_iter().map(stat).collect())
    }

    fn node_cpu_map(&self, need_map: bool, need_online: bool, flags: u32) -> Result<CpuMap> {
        only_flags(flags, 0, "testNodeGetCPUMap")?;
        let (total, map) = CPU_MAP;
        Ok(CpuMap {
            map: if need_map { vec![map] } else { Vec::new() },
            online: if need_online { map.count_ones() } else { 0 },
            total,
        })
    }

    fn cpu_model_names(&self, arch: &str, flags: u32) -> Result<Vec<String>> {
        only_flags(flags, 0, "testConnectGetCPUModelNames")?;
        cpu_models::names(arch, capabilities::is_architecture(arch))
    }

    fn compare_cpu(&self, _xml: &str, _flags: u32) -> Result<i32> {
        Err(Error::unsupported("virConnectCompareCPU"))
    }
}

/// The BIOS of a laptop that this driver has claimed to run on for years.
const SYSINFO: &str = "\
<sysinfo type='smbios'>
  <bios>
    <entry name='vendor'>LENOVO</entry>
    <entry name='version'>G4ETA1WW (2.61 )</entry>
    <entry name='date'>05/07/2014</entry>
    <entry name='release'>2.61</entry>
  </bios>
</sysinfo>
";
