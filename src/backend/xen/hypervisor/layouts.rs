//! Where the fields of the hypervisor's structures lie, for every released interface.
//!
//! The names are Xen's own. An interface is a pair of versions: `sysctl` for questions about the host, `domctl` for
//! those about one domain (and for the elements of the list of domains, which travels in a `sysctl`); releases before
//! 3.0.3 have `dom0_op` instead of both.

/// A field: its name, where it begins and how many bytes it has.
pub(super) type Field = (&'static str, usize, usize);

/// One shape of a structure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The structure's name.
    pub(super) name: &'static str,
    /// Its size in bytes.
    pub(super) size: usize,
    /// Its fields, without padding.
    pub(super) fields: &'static [Field],
}

impl Layout {
    /// Where a field lies, if this shape has it.
    pub(super) fn field(&self, name: &str) -> Option<std::ops::Range<usize>> {
        let (_, offset, size) = self.fields.iter().find(|(field, ..)| *field == name)?;
        Some(*offset..offset + size)
    }

    /// The little-endian number in a field of `bytes`; `None` if this shape has no such field.
    pub(super) fn number(&self, bytes: &[u8], name: &str) -> Option<u64> {
        let bytes = bytes.get(self.field(name)?)?;
        (bytes.len() <= 8).then(|| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Writes a number into a field of `bytes`; a shape without that field is a mistake of the caller.
    pub(super) fn put(&self, bytes: &mut [u8], name: &str, value: u64) {
        let place = self.field(name).and_then(|range| bytes.get_mut(range));
        debug_assert!(place.is_some(), "{} has no {name}", self.name);
        for (byte, part) in place.into_iter().flatten().zip(value.to_le_bytes()) {
            *byte = part;
        }
    }
}

macro_rules! layouts {
    ($($constant:ident = $name:literal $size:literal { $($field:literal $offset:literal $width:literal),* })*) => {
        $(
            #[doc = $name]
            pub(super) static $constant: Layout =
                Layout { name: $name, size: $size, fields: &[$(($field, $offset, $width)),*] };
        )*
    };
}

/// The payload of an order that needs nothing but its header.
pub(super) static NOTHING: Layout = Layout { name: "", size: 0, fields: &[] };

/// The payload of the old orders that take a domain and nothing else: `dom0_pausedomain` and its like.
pub(super) static DOM0_DOMAIN: Layout =
    Layout { name: "dom0_pausedomain", size: 2, fields: &[("domain", 0, 2)] };

layouts! {
    SYSCTL = "xen_sysctl" 136 {
        "cmd" 0 4, "interface_version" 4 4, "u" 8 128
    }
    DOMCTL = "xen_domctl" 144 {
        "cmd" 0 4, "interface_version" 4 4, "domain" 8 2, "u" 16 128
    }
    DOM0_OP = "dom0_op" 136 {
        "cmd" 0 4, "interface_version" 4 4, "u" 8 128
    }
    GETDOMAININFOLIST = "xen_sysctl_getdomaininfolist" 24 {
        "first_domain" 0 2, "max_domains" 4 4, "buffer" 8 8, "num_domains" 16 4
    }
    DOM0_GETDOMAININFO = "dom0_getdomaininfo" 72 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "shared_info_frame" 24 8,
        "cpu_time" 32 8, "nr_online_vcpus" 40 4, "max_vcpu_id" 44 4, "ssidref" 48 4, "handle" 52 16
    }
    GETDOMAININFO_1 = "xen_domctl_getdomaininfo" 72 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "shared_info_frame" 24 8,
        "cpu_time" 32 8, "nr_online_vcpus" 40 4, "max_vcpu_id" 44 4, "ssidref" 48 4, "handle" 52 16
    }
    GETDOMAININFO_2 = "xen_domctl_getdomaininfo" 80 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "shr_pages" 24 8,
        "shared_info_frame" 32 8, "cpu_time" 40 8, "nr_online_vcpus" 48 4, "max_vcpu_id" 52 4,
        "ssidref" 56 4, "handle" 60 16
    }
    GETDOMAININFO_3 = "xen_domctl_getdomaininfo" 80 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "shr_pages" 24 8,
        "shared_info_frame" 32 8, "cpu_time" 40 8, "nr_online_vcpus" 48 4, "max_vcpu_id" 52 4,
        "ssidref" 56 4, "handle" 60 16, "cpupool" 76 4
    }
    GETDOMAININFO_4 = "xen_domctl_getdomaininfo" 88 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "shr_pages" 24 8, "paged_pages" 32 8,
        "shared_info_frame" 40 8, "cpu_time" 48 8, "nr_online_vcpus" 56 4, "max_vcpu_id" 60 4,
        "ssidref" 64 4, "handle" 68 16, "cpupool" 84 4
    }
    GETDOMAININFO_5 = "xen_domctl_getdomaininfo" 96 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "outstanding_pages" 24 8,
        "shr_pages" 32 8, "paged_pages" 40 8, "shared_info_frame" 48 8, "cpu_time" 56 8,
        "nr_online_vcpus" 64 4, "max_vcpu_id" 68 4, "ssidref" 72 4, "handle" 76 16, "cpupool" 92 4
    }
    GETDOMAININFO_6 = "xen_domctl_getdomaininfo" 104 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "outstanding_pages" 24 8,
        "shr_pages" 32 8, "paged_pages" 40 8, "shared_info_frame" 48 8, "cpu_time" 56 8,
        "nr_online_vcpus" 64 4, "max_vcpu_id" 68 4, "ssidref" 72 4, "handle" 76 16, "cpupool" 92 4,
        "arch_config.emulation_flags" 96 4
    }
    GETDOMAININFO_7 = "xen_domctl_getdomaininfo" 104 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "outstanding_pages" 24 8,
        "shr_pages" 32 8, "paged_pages" 40 8, "shared_info_frame" 48 8, "cpu_time" 56 8,
        "nr_online_vcpus" 64 4, "max_vcpu_id" 68 4, "ssidref" 72 4, "handle" 76 16, "cpupool" 92 4,
        "arch_config.emulation_flags" 96 4, "arch_config.misc_flags" 100 4
    }
    GETDOMAININFO_8 = "xen_domctl_getdomaininfo" 112 {
        "domain" 0 2, "flags" 4 4, "tot_pages" 8 8, "max_pages" 16 8, "outstanding_pages" 24 8,
        "shr_pages" 32 8, "paged_pages" 40 8, "shared_info_frame" 48 8, "cpu_time" 56 8,
        "nr_online_vcpus" 64 4, "max_vcpu_id" 68 4, "ssidref" 72 4, "handle" 76 16, "cpupool" 92 4,
        "gpaddr_bits" 96 1, "arch_config.emulation_flags" 104 4, "arch_config.misc_flags" 108 4
    }
    DOM0_PHYSINFO = "dom0_physinfo" 72 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "sockets_per_node" 8 4, "nr_nodes" 12 4,
        "cpu_khz" 16 4, "total_pages" 24 8, "free_pages" 32 8, "hw_cap" 40 32
    }
    PHYSINFO_1 = "xen_sysctl_physinfo" 80 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "sockets_per_node" 8 4, "nr_nodes" 12 4,
        "cpu_khz" 16 4, "total_pages" 24 8, "free_pages" 32 8, "scrub_pages" 40 8, "hw_cap" 48 32
    }
    PHYSINFO_3 = "xen_sysctl_physinfo" 104 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "nr_nodes" 12 4, "cpu_khz" 16 4,
        "total_pages" 24 8, "free_pages" 32 8, "scrub_pages" 40 8, "hw_cap" 48 32, "max_cpu_id" 80 4,
        "cpu_to_node" 88 8, "capabilities" 96 4
    }
    PHYSINFO_4 = "xen_sysctl_physinfo" 104 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "max_node_id" 12 4, "cpu_khz" 16 4,
        "total_pages" 24 8, "free_pages" 32 8, "scrub_pages" 40 8, "hw_cap" 48 32, "max_cpu_id" 80 4,
        "cpu_to_node" 88 8, "capabilities" 96 4
    }
    PHYSINFO_5 = "xen_sysctl_physinfo" 96 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "max_cpu_id" 12 4, "nr_nodes" 16 4,
        "max_node_id" 20 4, "cpu_khz" 24 4, "total_pages" 32 8, "free_pages" 40 8, "scrub_pages" 48 8,
        "hw_cap" 56 32, "capabilities" 88 4
    }
    PHYSINFO_6 = "xen_sysctl_physinfo" 104 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "max_cpu_id" 12 4, "nr_nodes" 16 4,
        "max_node_id" 20 4, "cpu_khz" 24 4, "total_pages" 32 8, "free_pages" 40 8, "scrub_pages" 48 8,
        "outstanding_pages" 56 8, "hw_cap" 64 32, "capabilities" 96 4
    }
    PHYSINFO_7 = "xen_sysctl_physinfo" 104 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "max_cpu_id" 12 4, "nr_nodes" 16 4,
        "max_node_id" 20 4, "cpu_khz" 24 4, "capabilities" 28 4, "total_pages" 32 8, "free_pages" 40 8,
        "scrub_pages" 48 8, "outstanding_pages" 56 8, "max_mfn" 64 8, "hw_cap" 72 32
    }
    PHYSINFO_8 = "xen_sysctl_physinfo" 112 {
        "threads_per_core" 0 4, "cores_per_socket" 4 4, "nr_cpus" 8 4, "max_cpu_id" 12 4, "nr_nodes" 16 4,
        "max_node_id" 20 4, "cpu_khz" 24 4, "capabilities" 28 4, "arch_capabilities" 32 4,
        "total_pages" 40 8, "free_pages" 48 8, "scrub_pages" 56 8, "outstanding_pages" 64 8, "max_mfn" 72 8,
        "hw_cap" 80 32
    }
    GETCPUINFO = "xen_sysctl_getcpuinfo" 24 {
        "max_cpus" 0 4, "info" 8 8, "nr_cpus" 16 4
    }
    CPUINFO = "xen_sysctl_cpuinfo" 8 {
        "idletime" 0 8
    }
    TOPOLOGYINFO = "xen_sysctl_topologyinfo" 32 {
        "max_cpu_index" 0 4, "cpu_to_core" 8 8, "cpu_to_socket" 16 8, "cpu_to_node" 24 8
    }
    CPUTOPOINFO = "xen_sysctl_cputopoinfo" 16 {
        "num_cpus" 0 4, "cputopo" 8 8
    }
    CPUTOPO = "xen_sysctl_cputopo" 12 {
        "core" 0 4, "socket" 4 4, "node" 8 4
    }
    NUMAINFO_1 = "xen_sysctl_numainfo" 32 {
        "max_node_index" 0 4, "node_to_memsize" 8 8, "node_to_memfree" 16 8, "node_to_node_distance" 24 8
    }
    NUMAINFO_2 = "xen_sysctl_numainfo" 24 {
        "num_nodes" 0 4, "meminfo" 8 8, "distance" 16 8
    }
    MEMINFO = "xen_sysctl_meminfo" 16 {
        "memsize" 0 8, "memfree" 8 8
    }
    SCHED_ID = "xen_sysctl_sched_id" 4 {
        "sched_id" 0 4
    }
    AVAILHEAP = "xen_sysctl_availheap" 24 {
        "min_bitwidth" 0 4, "max_bitwidth" 4 4, "node" 8 4, "avail_bytes" 16 8
    }
    GETVCPUINFO = "xen_domctl_getvcpuinfo" 24 {
        "vcpu" 0 4, "online" 4 1, "blocked" 5 1, "running" 6 1, "cpu_time" 8 8, "cpu" 16 4
    }
    DOM0_GETVCPUINFO = "dom0_getvcpuinfo" 40 {
        "domain" 0 2, "vcpu" 4 4, "online" 8 1, "blocked" 9 1, "running" 10 1, "cpu_time" 16 8, "cpu" 24 4,
        "cpumap" 32 8
    }
    VCPUAFFINITY_OLD = "xen_domctl_vcpuaffinity" 24 {
        "vcpu" 0 4, "cpumap.bitmap" 8 8, "cpumap.nr_bits" 16 4
    }
    VCPUAFFINITY = "xen_domctl_vcpuaffinity" 40 {
        "vcpu" 0 4, "flags" 4 4, "cpumap_hard.bitmap" 8 8, "cpumap_hard.nr_bits" 16 4,
        "cpumap_soft.bitmap" 24 8, "cpumap_soft.nr_bits" 32 4
    }
    DOM0_SETVCPUAFFINITY = "dom0_setvcpuaffinity" 16 {
        "domain" 0 2, "vcpu" 4 4, "cpumap" 8 8
    }
    MAX_MEM = "xen_domctl_max_mem" 8 {
        "max_memkb" 0 8
    }
    DOM0_SETDOMAINMAXMEM = "dom0_setdomainmaxmem" 16 {
        "domain" 0 2, "max_memkb" 8 8
    }
    SCHEDULER_OP_1 = "xen_domctl_scheduler_op" 40 {
        "sched_id" 0 4, "cmd" 4 4, "u.sedf.period" 8 8, "u.sedf.slice" 16 8, "u.sedf.latency" 24 8,
        "u.sedf.extratime" 32 4, "u.sedf.weight" 36 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2
    }
    SCHEDULER_OP_2 = "xen_domctl_scheduler_op" 40 {
        "sched_id" 0 4, "cmd" 4 4, "u.sedf.period" 8 8, "u.sedf.slice" 16 8, "u.sedf.latency" 24 8,
        "u.sedf.extratime" 32 4, "u.sedf.weight" 36 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2,
        "u.credit2.weight" 8 2
    }
    SCHEDULER_OP_3 = "xen_domctl_scheduler_op" 40 {
        "sched_id" 0 4, "cmd" 4 4, "u.sedf.period" 8 8, "u.sedf.slice" 16 8, "u.sedf.latency" 24 8,
        "u.sedf.extratime" 32 4, "u.sedf.weight" 36 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2,
        "u.credit2.weight" 8 2, "u.rtds.period" 8 4, "u.rtds.budget" 12 4
    }
    SCHEDULER_OP_4 = "xen_domctl_scheduler_op" 16 {
        "sched_id" 0 4, "cmd" 4 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2, "u.credit2.weight" 8 2,
        "u.rtds.period" 8 4, "u.rtds.budget" 12 4
    }
    SCHEDULER_OP_5 = "xen_domctl_scheduler_op" 24 {
        "sched_id" 0 4, "cmd" 4 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2, "u.credit2.weight" 8 2,
        "u.rtds.period" 8 4, "u.rtds.budget" 12 4
    }
    SCHEDULER_OP_6 = "xen_domctl_scheduler_op" 24 {
        "sched_id" 0 4, "cmd" 4 4, "u.credit.weight" 8 2, "u.credit.cap" 10 2, "u.credit2.weight" 8 2,
        "u.credit2.cap" 10 2, "u.rtds.period" 8 4, "u.rtds.budget" 12 4, "u.rtds.flags" 16 4
    }
    SCHED_ADJDOM_CMD = "sched_adjdom_cmd" 48 {
        "sched_id" 0 4, "direction" 4 4, "domain" 8 2, "u.bvt.mcu_adv" 16 4, "u.bvt.warpback" 20 4,
        "u.bvt.warpvalue" 24 4, "u.bvt.warpl" 32 8, "u.bvt.warpu" 40 8, "u.sedf.period" 16 8,
        "u.sedf.slice" 24 8, "u.sedf.latency" 32 8, "u.sedf.extratime" 40 4, "u.sedf.weight" 44 4
    }
    COMPILE_INFO = "xen_compile_info" 144 {
        "compiler" 0 64, "compile_by" 64 16, "compile_domain" 80 32, "compile_date" 112 32
    }
}
