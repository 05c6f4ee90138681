//! The targets: a row each with what differs between them.

use crate::error::{Error, Result};

/// What a definition of an architecture gets when it does not say.
pub struct Architecture {
    /// libvirt's name.
    pub name: &'static str,
    /// What QEMU calls the target, and what its binary's name ends in.
    pub target: &'static str,
    /// Bits of an address.
    pub word_size: u32,
    /// The machine libvirt takes when none is named; none: QEMU's own default.
    pub default_machine: Option<&'static str>,
    /// What QOM type names of CPUs end in, after the model.
    pub cpu_suffix: &'static str,
    /// Whether it is a PC: ISA and PS/2 devices, ACPI without UEFI, x86 features.
    pub is_x86: bool,
    /// The model of the serial port on the board, by machines without ISA.
    pub board_serial: Option<&'static str>,
}

/// All targets known.
pub const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "x86_64",
        target: "x86_64",
        word_size: 64,
        default_machine: Some("pc"),
        cpu_suffix: "-x86_64-cpu",
        is_x86: true,
        board_serial: None,
    },
    Architecture {
        name: "i686",
        target: "i386",
        word_size: 32,
        default_machine: Some("pc"),
        cpu_suffix: "-i386-cpu",
        is_x86: true,
        board_serial: None,
    },
    Architecture {
        name: "aarch64",
        target: "aarch64",
        word_size: 64,
        default_machine: Some("virt"),
        cpu_suffix: "-arm-cpu",
        is_x86: false,
        board_serial: Some("pl011"),
    },
    Architecture {
        name: "armv7l",
        target: "arm",
        word_size: 32,
        default_machine: Some("virt"),
        cpu_suffix: "-arm-cpu",
        is_x86: false,
        board_serial: Some("pl011"),
    },
    Architecture {
        name: "riscv64",
        target: "riscv64",
        word_size: 64,
        default_machine: Some("virt"),
        cpu_suffix: "-riscv-cpu",
        is_x86: false,
        board_serial: Some("16550a"),
    },
    Architecture {
        name: "loongarch64",
        target: "loongarch64",
        word_size: 64,
        default_machine: Some("virt"),
        cpu_suffix: "-loongarch-cpu",
        is_x86: false,
        board_serial: Some("16550a"),
    },
];

/// The row of an architecture.
pub fn row(name: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|row| row.name == name)
}

/// Architectures that definitions may name but that have no row here.
const UNSERVED: &[&str] = &[
    "alpha",
    "armv6l",
    "armv7b",
    "cris",
    "itanium",
    "lm32",
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
    "s390",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "unicore32",
    "xtensa",
    "xtensaeb",
];

/// The row of an architecture, or why there is none.
pub fn known(name: &str) -> Result<&'static Architecture> {
    row(name).ok_or_else(|| {
        Error::unsupported_configuration(match UNSERVED.contains(&name) {
            true => format!("No emulator found for arch '{name}'"),
            false => format!("Unknown architecture {name}"),
        })
    })
}

/// The row of a QEMU target.
pub fn of_target(target: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|row| row.target == target)
}

/// libvirt's name of the architecture this program runs on.
pub fn host() -> &'static str {
    match std::env::consts::ARCH {
        "x86" => "i686",
        "arm" => "armv7l",
        other => other,
    }
}

/// Whether the host's processor runs the architecture's instructions.
pub fn runs_natively(name: &str) -> bool {
    name == host() || (name == "i686" && host() == "x86_64")
}
