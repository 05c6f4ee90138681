//! The host's CPUs: which there are, how they sit together, what they have done.

use super::{Node, bare_invalid, parse_list};
use crate::error::Result;
use crate::model::constants::NODE_CPU_STATS_ALL_CPUS;
use crate::model::{CpuMap, NodeStat};
use std::collections::{BTreeMap, BTreeSet};

/// How the CPUs sit together: the most in any one place.
pub(super) struct Topology {
    pub(super) online: usize,
    /// Sockets in a cell.
    pub(super) sockets: usize,
    /// Cores in a socket.
    pub(super) cores: usize,
    /// Threads in a core.
    pub(super) threads: usize,
}

impl Node {
    /// CPUs that are in their sockets.
    pub fn present_cpus(&self) -> Vec<u32> {
        let list = self.read("sys/devices/system/cpu/present");
        list.map_or_else(|| vec![0], |list| parse_list(&list))
    }

    /// CPUs that run.
    pub fn online_cpus(&self) -> Vec<u32> {
        match self.read("sys/devices/system/cpu/online") {
            Some(list) => parse_list(&list),
            None => self.present_cpus(),
        }
    }

    fn topology_number(&self, cpu: u32, name: &str) -> u32 {
        // Kernels say -1 for what they do not know, and some architectures say nothing.
        self.number(&format!("sys/devices/system/cpu/cpu{cpu}/topology/{name}")).unwrap_or(0)
    }

    pub(super) fn topology(&self) -> Result<Topology> {
        let online = self.online_cpus();
        let mut cells: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        let mut cores: BTreeMap<(u32, u32), BTreeSet<(u32, u32)>> = BTreeMap::new();
        let mut threads: BTreeMap<(u32, u32, u32, u32), usize> = BTreeMap::new();
        for &cpu in &online {
            let cell = self.cell_of(cpu);
            let socket = self.topology_number(cpu, "physical_package_id");
            let die = self.topology_number(cpu, "die_id");
            let core = self.topology_number(cpu, "core_id");
            cells.entry(cell).or_default().insert(socket);
            cores.entry((cell, socket)).or_default().insert((die, core));
            *threads.entry((cell, socket, die, core)).or_default() += 1;
        }
        Ok(Topology {
            online: online.len(),
            sockets: cells.values().map(BTreeSet::len).max().unwrap_or(1),
            cores: cores.values().map(BTreeSet::len).max().unwrap_or(1),
            threads: threads.values().copied().max().unwrap_or(1),
        })
    }

    /// The cell a CPU belongs to.
    fn cell_of(&self, cpu: u32) -> u32 {
        let is_in = |cell: &u32| self.path(&format!("sys/devices/system/node/node{cell}/cpu{cpu}")).exists();
        self.cells().into_iter().find(is_in).unwrap_or(0)
    }

    /// The frequency of the first CPU in MHz; zero if the kernel does not say.
    pub(super) fn frequency(&self) -> i32 {
        let text = self.read("proc/cpuinfo").unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("cpu MHz") || line.starts_with("clock"));
        let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
        let whole = value.and_then(|value| value.split('.').next());
        whole.and_then(|whole| whole.parse().ok()).unwrap_or(0)
    }

    /// Which CPUs run (`virNodeGetCPUMap`).
    pub fn node_cpu_map(&self, need_map: bool, need_online: bool) -> Result<CpuMap> {
        let (present, online) = (self.present_cpus(), self.online_cpus());
        let total = present.iter().max().map_or(0, |last| *last as usize + 1);
        let mut map = vec![0u8; total.div_ceil(8)];
        for cpu in &online {
            if let Some(byte) = map.get_mut(*cpu as usize / 8) {
                *byte |= 1 << (cpu % 8);
            }
        }
        Ok(CpuMap {
            map: if need_map { map } else { Vec::new() },
            online: if need_online { online.len() as u32 } else { 0 },
            total: super::count(total),
        })
    }

    /// What the CPUs have done, in nanoseconds; all of them or one (`virNodeGetCPUStats`).
    pub fn node_cpu_stats(&self, cpu: i32) -> Result<Vec<NodeStat>> {
        let wanted = if cpu == NODE_CPU_STATS_ALL_CPUS { "cpu".to_string() } else { format!("cpu{cpu}") };
        let text = self.require("proc/stat")?;
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(&wanted));
        let Some(line) = line else {
            return Err(bare_invalid("Invalid cpuNum in virHostCPUGetStatsLinux".to_string()));
        };
        let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
        let tick = |index: usize| ticks.get(index).copied().unwrap_or(0);
        let [user, nice, system, idle, iowait, irq] = [0, 1, 2, 3, 4, 5].map(tick);
        let a_tick = 1_000_000_000 / ticks_a_second();
        let stat = |name: &str, ticks: u64| NodeStat { name: name.to_string(), value: ticks * a_tick };
        Ok(vec![
            stat("kernel", system + irq),
            stat("user", user + nice),
            stat("idle", idle),
            stat("iowait", iowait),
        ])
    }
}

/// The kernel's unit of CPU time.
fn ticks_a_second() -> u64 {
    let known = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten();
    known.and_then(|ticks| u64::try_from(ticks).ok()).filter(|ticks| *ticks > 0).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::super::tests::made_up_host;

    #[test]
    fn cpu_times_are_nanoseconds() {
        let (_folder, node) = made_up_host();
        let all = node.node_cpu_stats(-1).unwrap();
        let named: Vec<(&str, u64)> =
            all.iter().map(|stat| (stat.name.as_str(), stat.value / 10_000_000)).collect();
        assert_eq!(named, [("kernel", 6), ("user", 11), ("idle", 100), ("iowait", 2)]);
        assert_eq!(node.node_cpu_stats(1).unwrap()[1].value, 40_000_000);
        let unknown = node.node_cpu_stats(99).unwrap_err();
        assert_eq!(unknown.to_string(), "Invalid cpuNum in virHostCPUGetStatsLinux");
    }

    #[test]
    fn the_map_has_a_bit_a_cpu() {
        let (folder, node) = made_up_host();
        std::fs::write(folder.path().join("sys/devices/system/cpu/online"), "0,2-7\n").unwrap();
        let map = node.node_cpu_map(true, true).unwrap();
        assert_eq!((map.map.as_slice(), map.online, map.total), (&[0b1111_1101][..], 7, 8));
    }
}
