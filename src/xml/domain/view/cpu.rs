//! The view of `<cpu>`.

use super::{number, switch, word};
use crate::xml::Element;

/// The processor a guest sees.
#[derive(Clone, Debug, Default)]
pub struct Cpu {
    /// How it is described: `custom`, `host-model`, `host-passthrough`, `maximum`; none for a mere topology.
    pub mode: Option<String>,
    /// How closely the host must match: `exact`, `minimum`, `strict`.
    pub matching: Option<String>,
    /// How closely that is checked.
    pub check: Option<String>,
    /// Whether the guest may move to another host.
    pub migratable: Option<bool>,
    /// The model's name.
    pub model: Option<String>,
    /// The vendor shown to the guest.
    pub vendor_id: Option<String>,
    /// How processors are put together.
    pub topology: Option<Topology>,
    /// The level and mode of the cache shown.
    pub cache: Option<(Option<u32>, String)>,
    /// How many bits a physical address has; none if the host says.
    pub address_bits: Option<(String, Option<u32>)>,
    /// Features asked for or not wanted.
    pub features: Vec<CpuFeature>,
    /// The cells of the guest's memory.
    pub cells: Vec<NumaCell>,
}

/// How processors are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Topology {
    /// Sockets.
    pub sockets: u32,
    /// Dies a socket.
    pub dies: u32,
    /// Clusters a die.
    pub clusters: u32,
    /// Cores a cluster.
    pub cores: u32,
    /// Threads a core.
    pub threads: u32,
}

/// A feature of a processor.
#[derive(Clone, Debug)]
pub struct CpuFeature {
    /// Which.
    pub name: String,
    /// `force`, `require`, `optional`, `disable` or `forbid`.
    pub policy: String,
}

/// A cell: processors and the memory near them.
#[derive(Clone, Debug, Default)]
pub struct NumaCell {
    /// Its number.
    pub id: u32,
    /// Its processors.
    pub cpus: Option<String>,
    /// Its memory in KiB.
    pub memory: u64,
    /// Whether its memory is shared with helpers.
    pub shared: Option<bool>,
    /// Whether its memory's contents are dropped at the end.
    pub discard: Option<bool>,
    /// How far the other cells are: their number and the distance.
    pub distances: Vec<(u32, u32)>,
}

impl Cpu {
    pub(super) fn parse(cpu: &Element) -> Cpu {
        let model = cpu.child("model");
        let cache = |cache: &Element| Some((number(cache, "level"), word(cache, "mode")?));
        let bits = |bits: &Element| Some((word(bits, "mode")?, number(bits, "bits")));
        let feature = |feature: &Element| {
            Some(CpuFeature {
                name: word(feature, "name")?,
                policy: word(feature, "policy").unwrap_or_else(|| "require".to_string()),
            })
        };
        Cpu {
            mode: word(cpu, "mode"),
            matching: word(cpu, "match"),
            check: word(cpu, "check"),
            migratable: switch(cpu, "migratable"),
            model: model.map(|model| model.text().trim().to_string()).filter(|name| !name.is_empty()),
            vendor_id: model.and_then(|model| word(model, "vendor_id")),
            topology: cpu.child("topology").map(Topology::parse),
            cache: cpu.child("cache").and_then(cache),
            address_bits: cpu.child("maxphysaddr").and_then(bits),
            features: cpu.children("feature").filter_map(feature).collect(),
            cells: cpu
                .child("numa")
                .into_iter()
                .flat_map(|numa| numa.children("cell"))
                .map(NumaCell::parse)
                .collect(),
        }
    }
}

impl Topology {
    fn parse(topology: &Element) -> Topology {
        let part = |name: &str| number(topology, name).unwrap_or(1);
        Topology {
            sockets: part("sockets"),
            dies: part("dies"),
            clusters: part("clusters"),
            cores: part("cores"),
            threads: part("threads"),
        }
    }
}

impl NumaCell {
    fn parse(cell: &Element) -> NumaCell {
        let sibling = |sibling: &Element| Some((number(sibling, "id")?, number(sibling, "value")?));
        NumaCell {
            id: number(cell, "id").unwrap_or(0),
            cpus: word(cell, "cpus"),
            memory: number(cell, "memory").unwrap_or(0),
            shared: cell.attribute("memAccess").map(|access| access == "shared"),
            discard: switch(cell, "discard"),
            distances: cell
                .child("distances")
                .into_iter()
                .flat_map(|distances| distances.children("sibling"))
                .filter_map(sibling)
                .collect(),
        }
    }
}
