//! Where the host's CPUs sit, and what they share: cells, caches, and what `/proc/cpuinfo` says of the first.

use super::{Node, parse_list};
use std::collections::BTreeMap;

/// Where one CPU sits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CpuPlace {
    /// Its socket.
    pub socket: i32,
    /// Its die.
    pub die: i32,
    /// Its cluster; 65535 where the hardware has none.
    pub cluster: i32,
    /// Its core.
    pub core: i32,
    /// The CPUs of the same core, as the kernel lists them.
    pub siblings: String,
}

/// One cache bank.
#[derive(Clone, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct CacheBank {
    /// Its level.
    pub level: u32,
    /// Its number in its level.
    pub id: u32,
    /// `both`, `code` or `data`.
    pub kind: &'static str,
    /// Its size in KiB.
    pub size: u64,
    /// The CPUs that share it, as the kernel lists them.
    pub cpus: String,
}

impl Node {
    /// The CPUs of a cell.
    pub fn cell_cpus(&self, cell: u32) -> Vec<u32> {
        match self.read(&format!("sys/devices/system/node/node{cell}/cpulist")) {
            Some(list) => parse_list(&list),
            None => self.online_cpus(),
        }
    }

    /// How far the cells are from one.
    pub fn cell_distances(&self, cell: u32) -> Vec<u32> {
        let text = self.read(&format!("sys/devices/system/node/node{cell}/distance")).unwrap_or_default();
        text.split_whitespace().filter_map(|distance| distance.parse().ok()).collect()
    }

    /// How many huge pages of a size (in KiB) a cell has.
    pub fn cell_huge_pages(&self, cell: u32, size: u32) -> u64 {
        let file = format!("sys/devices/system/node/node{cell}/hugepages/hugepages-{size}kB/nr_hugepages");
        self.number(&file).unwrap_or(0)
    }

    /// Where a CPU sits.
    pub fn cpu_place(&self, cpu: u32) -> CpuPlace {
        let base = format!("sys/devices/system/cpu/cpu{cpu}/topology");
        let number = |name: &str, missing: i32| {
            self.number(&format!("{base}/{name}")).filter(|number| *number >= 0).unwrap_or(missing)
        };
        let siblings = self.read(&format!("{base}/thread_siblings_list")).unwrap_or_else(|| cpu.to_string());
        CpuPlace {
            socket: number("physical_package_id", 0),
            die: number("die_id", 0),
            cluster: number("cluster_id", 0),
            core: number("core_id", 0),
            siblings: siblings.trim().to_string(),
        }
    }

    /// The caches from the second level on, each once.
    pub fn cache_banks(&self) -> Vec<CacheBank> {
        let mut banks = Vec::new();
        for cpu in self.online_cpus() {
            for index in 0..8 {
                if let Some(bank) = self.cache_bank(cpu, index)
                    && bank.level > 1
                    && !banks.contains(&bank)
                {
                    banks.push(bank);
                }
            }
        }
        banks.sort();
        banks
    }

    fn cache_bank(&self, cpu: u32, index: u32) -> Option<CacheBank> {
        let base = format!("sys/devices/system/cpu/cpu{cpu}/cache/index{index}");
        let read = |name: &str| self.read(&format!("{base}/{name}")).map(|text| text.trim().to_string());
        let size = read("size")?;
        let size = size.strip_suffix('K').and_then(|size| size.parse().ok()).unwrap_or(0);
        let kind = match read("type")?.as_str() {
            "Data" => "data",
            "Instruction" => "code",
            _ => "both",
        };
        Some(CacheBank {
            level: read("level")?.parse().ok()?,
            id: read("id").and_then(|id| id.parse().ok()).unwrap_or(0),
            kind,
            size,
            cpus: read("shared_cpu_list")?,
        })
    }

    /// What `/proc/cpuinfo` says of the first CPU.
    pub fn first_cpu(&self) -> BTreeMap<String, String> {
        let text = self.read("proc/cpuinfo").unwrap_or_default();
        let lines = text.lines().take_while(|line| !line.trim().is_empty());
        let pairs = lines.filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name.trim().to_string(), value.trim().to_string())).collect()
    }

    /// The identity of this machine: the firmware's, else that of its installation, always the same.
    pub fn identity(&self) -> Option<uuid::Uuid> {
        let firmware = self.read("sys/class/dmi/id/product_uuid");
        let installation = self.read("etc/machine-id");
        let known = [firmware, installation].into_iter().flatten();
        let mut known = known.filter_map(|text| uuid::Uuid::try_parse(text.trim()).ok());
        known.find(|id| !id.is_nil() && !id.is_max())
    }
}
