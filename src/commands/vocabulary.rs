//! Words that several commands take for the same thing, for completion.

/// The names of pairs that stand at their numbers, the first `N` of them.
pub const fn names<T, const N: usize>(pairs: &[(&'static str, T)]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut place = 0;
    while place < N {
        names[place] = pairs[place].0;
        place += 1;
    }
    names
}

/// Architectures of guests.
pub const ARCHITECTURES: &[&str] = &[
    "x86_64",
    "i686",
    "aarch64",
    "alpha",
    "armv6l",
    "armv7l",
    "armv7b",
    "cris",
    "ia64",
    "lm32",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mipsel",
    "mips64",
    "mips64el",
    "openrisc",
    "parisc",
    "parisc64",
    "ppc",
    "ppcle",
    "ppc64",
    "ppc64le",
    "ppcemb",
    "riscv32",
    "riscv64",
    "s390",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "unicore32",
    "xtensa",
    "xtensaeb",
    "none",
];

/// Hypervisors, as the type of a domain names them.
pub const HYPERVISORS: &[&str] = &[
    "kvm",
    "qemu",
    "xen",
    "test",
    "kqemu",
    "lxc",
    "uml",
    "openvz",
    "vmware",
    "hyperv",
    "vbox",
    "phyp",
    "parallels",
    "bhyve",
    "vz",
    "hvf",
    "none",
];

/// Formats of disk images.
pub const IMAGE_FORMATS: &[&str] = &[
    "raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhd", "bochs", "cloop", "cow", "dir", "dmg", "fat",
    "iso", "ploop", "none",
];

/// Events that the hardware counts.
pub const PERFORMANCE_EVENTS: &[&str] = &[
    "cmt",
    "mbmt",
    "mbml",
    "cpu_cycles",
    "instructions",
    "cache_references",
    "cache_misses",
    "branch_instructions",
    "branch_misses",
    "bus_cycles",
    "stalled_cycles_frontend",
    "stalled_cycles_backend",
    "ref_cpu_cycles",
    "cpu_clock",
    "task_clock",
    "page_faults",
    "context_switches",
    "cpu_migrations",
    "page_faults_min",
    "page_faults_maj",
    "alignment_faults",
    "emulation_faults",
];
