//! The versions an interface of the hypervisor has, and which shape of a structure belongs to which.

use super::layouts::*;
use std::fmt;

/// The interface that a hypervisor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Before 3.0.3: one hypercall for everything.
    Dom0,
    /// Since then: a version for questions about the host and one for those about a domain.
    Control {
        /// The version of `sysctl`.
        sysctl: u32,
        /// The version of `domctl`.
        domctl: u32,
    },
}

/// The only version of `dom0_op` that is safe to ask with.
pub(super) const DOM0_VERSION: u32 = 0x0300_0000;

/// A major and a minor release, or the versions of `sysctl` and `domctl`.
type Pair = (u32, u32);

/// Which versions each release may speak; the first are asked first.
const CANDIDATES: &[(Pair, &[Pair])] = &[
    ((3, 0), &[(0x2, 0x3), (0x2, 0x4)]),
    ((3, 1), &[(0x3, 0x5)]),
    ((3, 2), &[(0x6, 0x5)]),
    ((3, 3), &[(0x6, 0x5)]),
    ((3, 4), &[(0x6, 0x5)]),
    ((4, 0), &[(0x7, 0x6)]),
    ((4, 1), &[(0x8, 0x7)]),
    ((4, 2), &[(0x9, 0x8)]),
    ((4, 3), &[(0xa, 0x9)]),
    ((4, 4), &[(0xa, 0x9)]),
    ((4, 5), &[(0xb, 0xa)]),
    ((4, 6), &[(0xc, 0xb)]),
    ((4, 7), &[(0xd, 0xb)]),
    ((4, 8), &[(0xe, 0xc)]),
    ((4, 9), &[(0xf, 0xd)]),
    ((4, 10), &[(0x10, 0xf), (0x10, 0xe)]),
    ((4, 11), &[(0x11, 0x10)]),
    ((4, 12), &[(0x12, 0x11)]),
    ((4, 13), &[(0x12, 0x12)]),
    ((4, 14), &[(0x13, 0x12)]),
    ((4, 15), &[(0x13, 0x13)]),
    ((4, 16), &[(0x14, 0x14)]),
    ((4, 17), &[(0x15, 0x15)]),
    ((4, 18), &[(0x15, 0x16)]),
    ((4, 19), &[(0x15, 0x17)]),
    ((4, 20), &[(0x15, 0x17)]),
    ((4, 21), &[(0x16, 0x17)]),
    ((4, 22), &[(0x16, 0x18)]),
];

/// Every pair that a release, or a snapshot between two releases, ever spoke; the oldest first.
#[rustfmt::skip]
const PAIRS: &[Pair] = &[
    (0x1, 0x1), (0x1, 0x2), (0x2, 0x3), (0x2, 0x4), (0x3, 0x5), (0x4, 0x5), (0x5, 0x5), (0x6, 0x5), (0x6, 0x6),
    (0x7, 0x6), (0x8, 0x6), (0x8, 0x7), (0x8, 0x8), (0x9, 0x8), (0x9, 0x9), (0xa, 0x9), (0xb, 0x9), (0xb, 0xa),
    (0xb, 0xb), (0xc, 0xb), (0xd, 0xb), (0xd, 0xc), (0xe, 0xc), (0xf, 0xc), (0xf, 0xd), (0xf, 0xe), (0x10, 0xe),
    (0x10, 0xf), (0x10, 0x10), (0x11, 0x10), (0x12, 0x10), (0x12, 0x11), (0x12, 0x12), (0x13, 0x12), (0x13, 0x13),
    (0x13, 0x14), (0x14, 0x14), (0x14, 0x15), (0x15, 0x15), (0x15, 0x16), (0x15, 0x17), (0x16, 0x17), (0x16, 0x18),
];

/// The newest versions whose shapes are known.
const NEWEST: Pair = (0x16, 0x18);
/// How many versions beyond the newest are tried, for reading only.
const BEYOND: u32 = 8;

/// The versions worth trying on a release, the likeliest first, without those of `dom0_op`.
pub(super) fn candidates(release: Pair) -> impl Iterator<Item = Pair> {
    let of_release =
        CANDIDATES.iter().find(|(of, _)| *of == release).map_or(&[] as &[Pair], |(_, pairs)| *pairs);
    let newer = (0..=BEYOND).flat_map(|sysctl| (0..=BEYOND).map(move |domctl| (sysctl, domctl)));
    let newer = newer.skip(1).map(|(sysctl, domctl)| (NEWEST.0 + sysctl, NEWEST.1 + domctl));
    let others = PAIRS.iter().rev().copied().chain(newer).filter(|pair| !of_release.contains(pair));
    of_release.iter().copied().chain(others)
}

/// The last of `shapes` that begins at or before `version`.
fn shape(shapes: &[(u32, &'static Layout)], version: u32) -> Option<&'static Layout> {
    shapes.iter().rev().find(|(first, _)| *first <= version).map(|(_, layout)| *layout)
}

impl Interface {
    /// Whether every shape of this interface is known, so that changes are safe.
    pub fn is_known(self) -> bool {
        match self {
            Interface::Dom0 => true,
            Interface::Control { sysctl, domctl } => sysctl <= NEWEST.0 && domctl <= NEWEST.1,
        }
    }

    /// The version of `sysctl`, zero before there was one.
    pub(super) fn sysctl(self) -> u32 {
        match self {
            Interface::Dom0 => 0,
            Interface::Control { sysctl, .. } => sysctl,
        }
    }

    /// The version of `domctl`, zero before there was one.
    pub(super) fn domctl(self) -> u32 {
        match self {
            Interface::Dom0 => 0,
            Interface::Control { domctl, .. } => domctl,
        }
    }

    /// What the hypervisor says about a domain.
    pub(super) fn domain_info(self) -> &'static Layout {
        const SHAPES: &[(u32, &Layout)] = &[
            (0x1, &GETDOMAININFO_1),
            (0x6, &GETDOMAININFO_2),
            (0x7, &GETDOMAININFO_3),
            (0x8, &GETDOMAININFO_4),
            (0x9, &GETDOMAININFO_5),
            (0xf, &GETDOMAININFO_6),
            (0x13, &GETDOMAININFO_7),
            (0x14, &GETDOMAININFO_8),
        ];
        shape(SHAPES, self.domctl()).unwrap_or(&DOM0_GETDOMAININFO)
    }

    /// What the hypervisor says about the host. Of the two shapes of version 6 the newer one only adds a field at
    /// its end, which stays zero on a hypervisor with the older one.
    pub(super) fn physical(self) -> &'static Layout {
        const SHAPES: &[(u32, &Layout)] = &[
            (0x1, &PHYSINFO_1),
            (0x6, &PHYSINFO_3),
            (0x7, &PHYSINFO_4),
            (0x8, &PHYSINFO_5),
            (0xa, &PHYSINFO_6),
            (0x10, &PHYSINFO_7),
            (0x15, &PHYSINFO_8),
        ];
        shape(SHAPES, self.sysctl()).unwrap_or(&DOM0_PHYSINFO)
    }

    /// Where each CPU sits: three arrays at first, then one.
    pub(super) fn topology(self) -> Option<&'static Layout> {
        shape(&[(0x8, &TOPOLOGYINFO), (0xc, &CPUTOPOINFO)], self.sysctl())
    }

    /// The NUMA nodes: three arrays at first, then two.
    pub(super) fn numa(self) -> Option<&'static Layout> {
        shape(&[(0x8, &NUMAINFO_1), (0xc, &NUMAINFO_2)], self.sysctl())
    }

    /// The host CPUs that a virtual one may use.
    pub(super) fn affinity(self) -> &'static Layout {
        shape(&[(0x1, &VCPUAFFINITY_OLD), (0xa, &VCPUAFFINITY)], self.domctl())
            .unwrap_or(&DOM0_SETVCPUAFFINITY)
    }

    /// How a virtual CPU fares.
    pub(super) fn vcpu_info(self) -> &'static Layout {
        shape(&[(0x1, &GETVCPUINFO)], self.domctl()).unwrap_or(&DOM0_GETVCPUINFO)
    }

    /// The most memory of a domain.
    pub(super) fn max_memory(self) -> &'static Layout {
        shape(&[(0x1, &MAX_MEM)], self.domctl()).unwrap_or(&DOM0_SETDOMAINMAXMEM)
    }

    /// The scheduler's parameters of a domain.
    pub(super) fn scheduler(self) -> &'static Layout {
        const SHAPES: &[(u32, &Layout)] = &[
            (0x1, &SCHEDULER_OP_1),
            (0x7, &SCHEDULER_OP_2),
            (0xa, &SCHEDULER_OP_3),
            (0xb, &SCHEDULER_OP_4),
            (0xc, &SCHEDULER_OP_5),
            (0xe, &SCHEDULER_OP_6),
        ];
        shape(SHAPES, self.domctl()).unwrap_or(&SCHED_ADJDOM_CMD)
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Interface::Dom0 => write!(f, "dom0_op {DOM0_VERSION:#x}"),
            Interface::Control { sysctl, domctl } => write!(f, "sysctl {sysctl:#x}, domctl {domctl:#x}"),
        }
    }
}
