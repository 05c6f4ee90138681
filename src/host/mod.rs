//! Facts about a Linux host, and the few things of it that can be changed: what any local driver may lend.
//!
//! Everything is read from `/proc` and `/sys` each time it is asked for; nothing is remembered.

mod cpu;
pub mod durable;
mod ksm;
mod layout;
pub mod listener;
mod memory;
mod sysinfo;

pub use layout::{CacheBank, CpuPlace};

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::NodeInfo;
use std::path::{Path, PathBuf};

/// A host, by the folder its file systems are mounted under.
#[derive(Clone, Debug)]
pub struct Node {
    root: PathBuf,
}

impl Default for Node {
    fn default() -> Node {
        Node::below(Path::new("/"))
    }
}

impl Node {
    /// The host whose `proc` and `sys` are below `root`.
    pub fn below(root: &Path) -> Node {
        Node { root: root.to_path_buf() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Reads a small file; `None` where the kernel has no such fact.
    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// Reads a file that every Linux has.
    fn require(&self, name: &str) -> Result<String> {
        let path = self.path(name);
        std::fs::read_to_string(&path)
            .map_err(|cause| Error::system(format!("cannot read '{}'", path.display()), &cause))
    }

    /// Reads a file that holds one number.
    fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.read(name)?.trim().parse().ok()
    }

    /// The host's name.
    pub fn hostname(&self) -> Result<String> {
        let name = nix::unistd::gethostname()
            .map_err(|errno| Error::system("failed to determine host name", &errno.into()))?;
        Ok(name.to_string_lossy().into_owned())
    }

    /// The machine's name as `uname -m` has it.
    pub fn machine(&self) -> String {
        match nix::sys::utsname::uname() {
            Ok(name) => name.machine().to_string_lossy().into_owned(),
            Err(_) => std::env::consts::ARCH.to_string(),
        }
    }

    /// What `nodeinfo` shows: CPUs, their topology, memory (`virNodeGetInfo`).
    pub fn node_info(&self) -> Result<NodeInfo> {
        let topology = self.topology()?;
        let mut info = NodeInfo {
            model: self.machine(),
            memory: self.installed_memory()?,
            cpus: count(topology.online),
            mhz: self.frequency(),
            nodes: count(self.cells().len().max(1)),
            sockets: count(topology.sockets),
            cores: count(topology.cores),
            threads: count(topology.threads),
        };
        // A topology that is not the same everywhere is told as so many single cores in one place.
        if info.nodes * info.sockets * info.cores * info.threads != info.cpus {
            (info.nodes, info.sockets, info.cores, info.threads) = (1, 1, info.cpus, 1);
        }
        Ok(info)
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// An *invalid argument* whose message stands without the usual prefix, as libvirt has it for these.
fn bare_invalid(message: String) -> Error {
    Error::from_wire(ErrorCode::INVALID_ARGUMENT.0, ErrorOrigin::NONE.0, message)
}

/// Reads the kernel's lists of numbers, such as `0-3,8`.
fn parse_list(text: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) {
            // No kernel has more CPUs than this; a wrong file must not cost memory.
            numbers.extend(first..=last.min(first.saturating_add(65_535)));
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir_all, write};

    /// A made-up host: two cells, two sockets of two cores with two threads, one CPU off line.
    pub(super) fn made_up_host() -> (tempfile::TempDir, Node) {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            create_dir_all(path.parent().unwrap()).unwrap();
            write(path, text).unwrap();
        };
        put("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 1500 kB\nBuffers: 7 kB\nCached: 9 kB\n");
        put("proc/cpuinfo", "model name : X\ncpu MHz\t\t: 2596.138\n");
        put(
            "proc/stat",
            "cpu  10 1 5 100 2 1 9 0 0 0\ncpu0 6 1 3 50 1 1 5 0 0 0\ncpu1 4 0 2 50 1 0 4 0 0 0\nintr 1\n",
        );
        put("sys/devices/system/cpu/present", "0-7\n");
        put("sys/devices/system/cpu/online", "0-7\n");
        for cpu in 0..8 {
            let base = format!("sys/devices/system/cpu/cpu{cpu}/topology");
            put(&format!("{base}/physical_package_id"), &format!("{}\n", cpu / 4));
            put(&format!("{base}/die_id"), "0\n");
            put(&format!("{base}/core_id"), &format!("{}\n", cpu / 2 % 2));
            create_dir_all(folder.path().join(format!("sys/devices/system/node/node{}/cpu{cpu}", cpu / 4)))
                .unwrap();
        }
        for (cell, free) in [(0, 1000), (1, 500)] {
            let base = format!("sys/devices/system/node/node{cell}");
            let text = format!("Node {cell} MemTotal: 1900 kB\nNode {cell} MemFree: {free} kB\n");
            put(&format!("{base}/meminfo"), &text);
            put(&format!("{base}/hugepages/hugepages-2048kB/free_hugepages"), "3\n");
            put(&format!("{base}/hugepages/hugepages-2048kB/nr_hugepages"), "5\n");
        }
        put("sys/devices/system/node/online", "0-1\n");
        let node = Node::below(folder.path());
        (folder, node)
    }

    #[test]
    fn the_topology_is_counted_per_cell() {
        let (_folder, node) = made_up_host();
        let info = node.node_info().unwrap();
        assert_eq!((info.cpus, info.nodes, info.sockets, info.cores, info.threads), (8, 2, 1, 2, 2));
        assert_eq!((info.memory, info.mhz), (3800, 2596));
    }

    #[test]
    fn an_uneven_topology_is_told_as_single_cores() {
        let (folder, node) = made_up_host();
        write(folder.path().join("sys/devices/system/cpu/online"), "0-6\n").unwrap();
        let info = node.node_info().unwrap();
        assert_eq!((info.cpus, info.nodes, info.sockets, info.cores, info.threads), (7, 1, 1, 7, 1));
    }

    #[test]
    fn lists_of_the_kernel_are_read() {
        assert_eq!(parse_list("0-2,7\n"), [0, 1, 2, 7]);
        assert_eq!(parse_list("\n"), [0; 0]);
    }

    #[test]
    fn this_host_has_facts() {
        let info = Node::default().node_info().unwrap();
        assert!(info.cpus > 0 && info.memory > 0 && info.cores > 0, "{info:?}");
    }
}
