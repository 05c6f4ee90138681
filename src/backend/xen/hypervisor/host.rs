//! The host as the hypervisor sees it: CPUs, memory, NUMA nodes. The control domain's kernel knows its own share only.

use super::Hypervisor;
use super::calls::{Command, Payload, refused};
use super::interface::Interface;
use super::layouts::*;
use super::probe::strange;
use crate::error::Result;
use nix::errno::Errno;

/// Operations of `sysctl`.
mod operation {
    pub(super) const PHYSICAL: u32 = 3;
    pub(super) const CPU_INFO: u32 = 8;
    pub(super) const AVAILABLE_HEAP: u32 = 9;
    pub(super) const TOPOLOGY: u32 = 16;
    pub(super) const NUMA: u32 = 17;
}
/// `physinfo` of `dom0_op`.
const PHYSICAL_DOM0: u32 = 22;
/// More CPUs than this are not believed.
pub(super) const CPU_MAX: u32 = 8192;
/// More nodes than this are not believed.
const NODE_MAX: u32 = 1024;
/// What stands for a CPU or node that is not there.
const ABSENT: u32 = u32::MAX;

/// The hardware in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Physical {
    /// Threads of a core.
    pub threads_per_core: u32,
    /// Cores of a socket.
    pub cores_per_socket: u32,
    /// CPUs in use.
    pub cpus: u32,
    /// NUMA nodes, at least one.
    pub nodes: u32,
    /// Frequency in kHz.
    pub khz: u32,
    /// All pages.
    pub total_pages: u64,
    /// Pages that nobody has.
    pub free_pages: u64,
    /// Free pages that must be wiped first (before 4.0).
    pub scrub_pages: u64,
    /// Pages promised to domains (4.3 and later).
    pub outstanding_pages: u64,
    /// What the host can do, bit by bit (3.3 and later).
    pub capabilities: u32,
    /// The CPUs' features, word by word, as the processor reports them.
    pub features: [u32; 8],
}

/// Where a CPU sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuPlace {
    /// The CPU's number.
    pub cpu: u32,
    /// Its core.
    pub core: u32,
    /// Its socket.
    pub socket: u32,
    /// Its NUMA node.
    pub node: u32,
}

/// A NUMA node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumaNode {
    /// Its number.
    pub node: u32,
    /// Its memory in bytes.
    pub memory: u64,
    /// Memory that nobody has, in bytes.
    pub free: u64,
    /// How far it is to each node, by number; [`u32::MAX`] where that is not known.
    pub distances: Vec<u32>,
}

/// The little-endian words of a buffer.
fn words(bytes: &[u8]) -> Vec<u32> {
    bytes
        .chunks_exact(4)
        .map(|word| word.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
        .collect()
}

/// The little-endian double words of a buffer.
fn double_words(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks_exact(8)
        .map(|word| word.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
        .collect()
}

impl Physical {
    /// The figures in an answer of this interface.
    fn decode(interface: Interface, answer: &Payload) -> Physical {
        let layout = interface.physical();
        let small = |field| answer.small(field);
        let (threads_per_core, cores_per_socket) = (small("threads_per_core"), small("cores_per_socket"));
        let nodes = match (layout.field("nr_nodes"), layout.field("max_node_id")) {
            (None, Some(_)) => small("max_node_id").saturating_add(1),
            _ => small("nr_nodes"),
        };
        let nodes = nodes.clamp(1, NODE_MAX);
        let cpus = match layout.field("nr_cpus") {
            Some(_) => small("nr_cpus"),
            None => [threads_per_core, cores_per_socket, small("sockets_per_node"), nodes]
                .into_iter()
                .fold(1, |product: u32, factor| product.saturating_mul(factor)),
        };
        let mut features = [0; 8];
        let range = layout.field("hw_cap").unwrap_or(0..0);
        for (slot, word) in features.iter_mut().zip(words(answer.bytes().get(range).unwrap_or(&[]))) {
            *slot = word;
        }
        Physical {
            threads_per_core: threads_per_core.max(1),
            cores_per_socket: cores_per_socket.max(1),
            cpus: cpus.min(CPU_MAX),
            nodes,
            khz: small("cpu_khz"),
            total_pages: answer.number("total_pages"),
            free_pages: answer.number("free_pages"),
            scrub_pages: answer.number("scrub_pages"),
            outstanding_pages: answer.number("outstanding_pages"),
            capabilities: small("capabilities"),
            features,
        }
    }

    /// Free memory in bytes.
    pub fn free(&self) -> u64 {
        self.free_pages.saturating_add(self.scrub_pages).saturating_mul(4096)
    }
}

impl Hypervisor {
    /// The hardware in figures.
    pub fn physical(&self) -> Result<Physical> {
        let interface = self.interface();
        let command = match interface {
            Interface::Dom0 => Command::Dom0(PHYSICAL_DOM0),
            Interface::Control { .. } => Command::Sysctl(operation::PHYSICAL),
        };
        let answer = self.run(command, Payload::new(interface.physical()));
        let answer = answer.map_err(|errno| refused("physical information", errno))?;
        Ok(Physical::decode(interface, &answer))
    }

    /// Free memory in bytes, of one node or of all (3.2 and later).
    pub fn free_memory(&self, node: Option<u32>) -> Result<u64> {
        if self.interface().sysctl() < 0x6 {
            return Err(refused("free memory", Errno::ENOSYS));
        }
        let node = node.map_or(u64::from(ABSENT), u64::from);
        let payload = Payload::new(&AVAILHEAP).with("node", node);
        let answer = self.run(Command::Sysctl(operation::AVAILABLE_HEAP), payload);
        Ok(answer.map_err(|errno| refused("free memory", errno))?.number("avail_bytes"))
    }

    /// How long each CPU was idle, in nanoseconds (3.2 and later).
    pub fn idle_times(&self) -> Result<Vec<u64>> {
        if self.interface().sysctl() < 0x6 {
            return Err(refused("CPU times", Errno::ENOSYS));
        }
        let asked = self.physical()?.cpus.max(1);
        let payload = Payload::new(&GETCPUINFO)
            .with("max_cpus", u64::from(asked))
            .pointing("info", vec![0; CPUINFO.size * asked as usize]);
        let answer = self.run(Command::Sysctl(operation::CPU_INFO), payload);
        let answer = answer.map_err(|errno| refused("CPU times", errno))?;
        let count = answer.small("nr_cpus").min(asked) as usize;
        Ok(double_words(answer.buffer(0)).into_iter().take(count).collect())
    }

    /// Where each CPU sits (4.1 and later); CPUs that are not there are left out.
    pub fn topology(&self) -> Result<Vec<CpuPlace>> {
        const ASKED: &str = "topology";
        let layout = self.interface().topology().ok_or_else(|| refused(ASKED, Errno::ENOSYS))?;
        let by_array = layout.field("cpu_to_core").is_some();
        // The first form gives a highest number, the other one a count, and tells it when asked for nothing.
        let payload = Payload::new(layout);
        let asked = match by_array {
            true => CPU_MAX,
            false => {
                let answer = self.run(Command::Sysctl(operation::TOPOLOGY), payload);
                answer.map_err(|errno| refused(ASKED, errno))?.small("num_cpus").min(CPU_MAX)
            }
        };
        let room = asked as usize;
        let payload = match by_array {
            true => Payload::new(layout)
                .with("max_cpu_index", u64::from(asked - 1))
                .pointing("cpu_to_core", vec![0xff; room * 4])
                .pointing("cpu_to_socket", vec![0xff; room * 4])
                .pointing("cpu_to_node", vec![0xff; room * 4]),
            false => Payload::new(layout)
                .with("num_cpus", u64::from(asked))
                .pointing("cputopo", vec![0xff; room * CPUTOPO.size]),
        };
        let answer = self.run(Command::Sysctl(operation::TOPOLOGY), payload);
        let answer = answer.map_err(|errno| refused(ASKED, errno))?;
        let places: Vec<[u32; 3]> = match by_array {
            true => {
                let arrays = [words(answer.buffer(0)), words(answer.buffer(1)), words(answer.buffer(2))];
                let count = (answer.small("max_cpu_index").saturating_add(1) as usize).min(room);
                (0..count).map(|cpu| [arrays[0][cpu], arrays[1][cpu], arrays[2][cpu]]).collect()
            }
            false => {
                let count = answer.small("num_cpus").min(asked) as usize;
                words(answer.buffer(0))
                    .chunks_exact(3)
                    .take(count)
                    .map(|place| [place[0], place[1], place[2]])
                    .collect()
            }
        };
        let place = |(cpu, [core, socket, node]): (usize, [u32; 3])| {
            (socket != ABSENT && core != ABSENT).then_some(CpuPlace { cpu: cpu as u32, core, socket, node })
        };
        Ok(places.into_iter().enumerate().filter_map(place).collect())
    }

    /// The NUMA nodes (4.1 and later); nodes without memory are left out.
    pub fn numa(&self) -> Result<Vec<NumaNode>> {
        const ASKED: &str = "NUMA information";
        let layout = self.interface().numa().ok_or_else(|| refused(ASKED, Errno::ENOSYS))?;
        let asked = self.physical()?.nodes;
        let room = asked as usize;
        let by_array = layout.field("max_node_index").is_some();
        let payload = match by_array {
            true => Payload::new(layout)
                .with("max_node_index", u64::from(asked - 1))
                .pointing("node_to_memsize", vec![0; room * 8])
                .pointing("node_to_memfree", vec![0; room * 8])
                .pointing("node_to_node_distance", vec![0xff; room * room * 4]),
            false => Payload::new(layout)
                .with("num_nodes", u64::from(asked))
                .pointing("meminfo", vec![0; room * MEMINFO.size])
                .pointing("distance", vec![0xff; room * room * 4]),
        };
        let answer = self.run(Command::Sysctl(operation::NUMA), payload);
        let answer = answer.map_err(|errno| refused(ASKED, errno))?;
        let (sizes, count): (Vec<[u64; 2]>, u32) = match by_array {
            true => {
                let free = double_words(answer.buffer(1));
                let pairs =
                    double_words(answer.buffer(0)).into_iter().zip(free).map(|(size, free)| [size, free]);
                (pairs.collect(), answer.small("max_node_index").saturating_add(1))
            }
            false => {
                let pairs =
                    double_words(answer.buffer(0)).chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect();
                (pairs, answer.small("num_nodes"))
            }
        };
        let count = count.min(asked) as usize;
        let distances = words(answer.buffer(if by_array { 2 } else { 1 }));
        // The rows are as long as the number of nodes that came back.
        let row = |node: usize| distances.get(node * count..(node + 1) * count).unwrap_or(&[]).to_vec();
        let nodes = sizes.into_iter().take(count).enumerate();
        let there = nodes.filter(|(_, [memory, _])| *memory != 0 && *memory != u64::from(ABSENT));
        let nodes: Vec<NumaNode> = there
            .map(|(node, [memory, free])| NumaNode { node: node as u32, memory, free, distances: row(node) })
            .collect();
        if nodes.is_empty() { Err(strange("no NUMA node with memory".to_string())) } else { Ok(nodes) }
    }
}
