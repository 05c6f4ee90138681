//! What a QEMU binary can do, asked from the binary itself over QMP and remembered until the file changes.
//!
//! Facts are probed, not derived from version numbers: a distribution leaves devices out, back-ports others, and
//! splits them into modules. Only binaries that a definition names are ever asked.

pub mod architecture;
mod cache;
pub mod cpu;
mod dialogue;
pub mod domain_xml;
pub mod host_xml;
pub mod kvm;
mod probe;

use crate::error::{Error, Result};
use crate::qemud::define;
use cpu::CpuModels;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// What executes the guest's instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Serialize, Deserialize)]
pub enum Accelerator {
    /// QEMU's own translator (`type='qemu'`).
    Tcg,
    /// The kernel's virtual machine (`type='kvm'`).
    Kvm,
}

impl Accelerator {
    /// QEMU's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Accelerator::Tcg => "tcg",
            Accelerator::Kvm => "kvm",
        }
    }

    /// The accelerator of a domain's `type`.
    pub fn of_domain_type(kind: &str) -> Option<Accelerator> {
        match kind {
            "qemu" => Some(Accelerator::Tcg),
            "kvm" => Some(Accelerator::Kvm),
            _ => None,
        }
    }
}

/// A machine type of the binary.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// Its versioned name (`pc-q35-10.0`).
    pub name: String,
    /// Its short name (`q35`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Whether QEMU takes it when none is named.
    #[serde(default)]
    pub is_default: bool,
    /// The largest number of virtual CPUs.
    pub cpu_max: u32,
    /// Whether CPUs can come and go.
    #[serde(default)]
    pub hotpluggable_cpus: bool,
    /// Whether memory can be split over NUMA cells.
    #[serde(default)]
    pub numa_mem_supported: bool,
    /// Whether QEMU's makers advise against it.
    #[serde(default)]
    pub deprecated: bool,
    /// The QOM type of the CPU it has when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_cpu_type: Option<String>,
    /// The id its main memory has for migration (`pc.ram`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_ram_id: Option<String>,
}

/// The version of a binary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub micro: u32,
}

impl Version {
    /// libvirt's one-number form.
    pub fn as_number(self) -> u64 {
        u64::from(self.major) * 1_000_000 + u64::from(self.minor) * 1_000 + u64::from(self.micro)
    }
}

/// The oldest QEMU that is served.
const OLDEST: Version = Version { major: 6, minor: 2, micro: 0 };

/// The facts of one binary.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QemuCapabilities {
    /// The binary asked.
    pub binary: PathBuf,
    /// Its target, in libvirt's words (`x86_64`).
    pub arch: String,
    /// Its version.
    pub version: Version,
    /// The distribution's name for it, perhaps empty.
    pub package: String,
    /// Its machine types, in its own order.
    pub machines: Vec<Machine>,
    /// Whether KVM is built in and worked when it was asked.
    pub kvm: bool,
    /// Whether its own translator is built in.
    pub tcg: bool,
    /// The QOM types that can be made: devices, back ends, objects.
    types: BTreeSet<String>,
    /// The names of its command line options that take several keys.
    options: BTreeSet<String>,
    /// The names of its monitor commands.
    commands: BTreeSet<String>,
    /// The kinds of network back ends.
    netdevs: BTreeSet<String>,
    /// The properties of the machines that have an alias.
    machine_properties: BTreeMap<String, BTreeSet<String>>,
    /// The kinds of TPM devices.
    pub tpm_models: BTreeSet<String>,
    /// The kinds of TPM back ends.
    pub tpm_types: BTreeSet<String>,
    /// CPU models by accelerator, asked when first needed.
    #[serde(skip)]
    cpu_models: [OnceLock<Arc<CpuModels>>; 2],
}

impl QemuCapabilities {
    /// The facts of `binary`, from memory, from disk, or from the binary.
    pub fn of(binary: &Path) -> Result<Arc<QemuCapabilities>> {
        cache::look_up(binary)
    }

    /// Asks the binary, whatever is remembered.
    fn probe(binary: &Path) -> Result<QemuCapabilities> {
        let found = probe::probe(binary)?;
        if found.version < OLDEST {
            return Err(Error::unsupported_configuration(format!(
                "QEMU binary '{}' is version {}.{}.{}, older than {}.{}",
                binary.display(),
                found.version.major,
                found.version.minor,
                found.version.micro,
                OLDEST.major,
                OLDEST.minor
            )));
        }
        Ok(found)
    }

    /// Whether the QOM type `name` (a device, a back end) exists.
    pub fn has_type(&self, name: &str) -> bool {
        self.types.contains(name)
    }

    /// Whether the command line option with keys `name` exists.
    pub fn has_option(&self, name: &str) -> bool {
        self.options.contains(name)
    }

    /// Whether the monitor command `name` exists.
    pub fn has_command(&self, name: &str) -> bool {
        self.commands.contains(name)
    }

    /// Whether the network back end `name` exists.
    pub fn has_netdev(&self, name: &str) -> bool {
        self.netdevs.contains(name)
    }

    /// Whether `-netdev` takes JSON: QEMU learned that together with the `dgram` back end.
    pub fn takes_json_netdev(&self) -> bool {
        self.has_netdev("dgram")
    }

    /// Whether the machine `name` (either form) has `property`; unknown for machines without an alias, then no.
    pub fn machine_has(&self, name: &str, property: &str) -> bool {
        let family = |machine: &str| -> Option<&BTreeSet<String>> { self.machine_properties.get(machine) };
        let exact = self.machine(name).and_then(|machine| family(&machine.name));
        // An older version of a family differs in defaults, hardly ever in the properties' names.
        let related = || {
            let stem = machine_stem(name);
            let mut related = self.machine_properties.iter();
            related.find(|(known, _)| machine_stem(known) == stem).map(|(_, properties)| properties)
        };
        exact.or_else(related).is_some_and(|properties| properties.contains(property))
    }

    /// The machine of a name or an alias.
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        let by_name = self.machines.iter().find(|machine| machine.name == name);
        by_name.or_else(|| self.machines.iter().find(|machine| machine.alias.as_deref() == Some(name)))
    }

    /// The machine taken when a definition names none: libvirt's choice for the architecture, else QEMU's.
    pub fn default_machine(&self) -> Option<&Machine> {
        let preferred = architecture::row(&self.arch).and_then(|row| row.default_machine);
        let preferred = preferred.and_then(|name| self.machine(name));
        preferred.or_else(|| self.machines.iter().find(|machine| machine.is_default))
    }

    /// The CPU models under an accelerator.
    pub fn cpu_models(&self, accelerator: Accelerator) -> Result<Arc<CpuModels>> {
        let slot = &self.cpu_models[accelerator as usize];
        if let Some(known) = slot.get() {
            return Ok(Arc::clone(known));
        }
        let asked = Arc::new(cache::cpu_models(&self.binary, accelerator)?);
        Ok(Arc::clone(slot.get_or_init(|| asked)))
    }

    /// Whether guests of `type='kvm'` can run with this binary here and now; the cause if not.
    pub fn kvm_usable(&self) -> std::result::Result<(), String> {
        if !architecture::runs_natively(&self.arch) {
            let host = std::env::consts::ARCH;
            return Err(format!("'{}' guests cannot run by KVM on an '{host}' host", self.arch));
        }
        if !self.kvm_built_in() {
            return Err(format!("'{}' is built without KVM", self.binary.display()));
        }
        kvm::usable()
    }

    /// Whether KVM is built into the binary, whether or not it can be used now.
    pub fn kvm_built_in(&self) -> bool {
        self.kvm || self.has_type("kvm-accel")
    }
}

/// The most virtual CPUs of a guest of the host's architecture on its default machine.
pub fn max_vcpus(kind: Option<&str>) -> Result<i32> {
    if let Some(kind) = kind
        && Accelerator::of_domain_type(kind).is_none()
    {
        return Err(Error::invalid_argument(format!("unknown type '{kind}'")));
    }
    let facts = QemuCapabilities::of(&define::emulator_of(architecture::host())?)?;
    let most = facts.default_machine().map_or(1, |machine| machine.cpu_max);
    Ok(i32::try_from(most).unwrap_or(i32::MAX))
}

/// The CPU models a definition of an architecture may name.
pub fn cpu_model_names(arch: &str) -> Result<Vec<String>> {
    if architecture::known(arch).is_err_and(|error| error.message.contains("Unknown")) {
        return Err(Error::invalid_argument(format!("cannot find architecture {arch}")));
    }
    let facts = QemuCapabilities::of(&define::emulator_of(arch)?)?;
    let accelerator = if facts.tcg { Accelerator::Tcg } else { Accelerator::Kvm };
    let models = facts.cpu_models(accelerator)?;
    Ok(models.models.iter().map(|model| model.name.clone()).collect())
}

/// The name of a machine without its version: `pc-q35-7.2` → `pc-q35`.
fn machine_stem(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stem, version)) if version.starts_with(|first: char| first.is_ascii_digit()) => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_binary_tells_its_machines_and_devices() {
        let binary = Path::new("/usr/bin/qemu-system-x86_64");
        if !binary.exists() {
            eprintln!("skipped: {} is not installed", binary.display());
            return;
        }
        let facts = QemuCapabilities::probe(binary).unwrap();
        assert_eq!(facts.arch, "x86_64");
        assert!(facts.version >= OLDEST);
        let q35 = facts.machine("q35").unwrap();
        assert!(q35.name.starts_with("pc-q35-"), "{q35:?}");
        assert_eq!(q35.default_ram_id.as_deref(), Some("pc.ram"));
        assert!(facts.has_type("virtio-blk-pci"));
        assert!(facts.has_type("rng-random"));
        assert!(!facts.has_type("no-such-device"));
        assert!(facts.machine_has("q35", "smm"));
        assert!(facts.has_netdev("tap"));
        let models = facts.cpu_models(Accelerator::Tcg).unwrap();
        assert!(models.model("Nehalem").is_some());
    }

    #[test]
    fn something_that_is_not_qemu_is_refused_with_its_name() {
        let error = QemuCapabilities::of(Path::new("/bin/true")).unwrap_err().to_string();
        assert!(error.contains("/bin/true"), "{error}");
        let error = QemuCapabilities::of(Path::new("/nonesuch")).unwrap_err().to_string();
        assert_eq!(error, "Cannot check QEMU binary /nonesuch: No such file or directory");
    }

    #[test]
    fn a_machines_stem_has_no_version() {
        assert_eq!(machine_stem("pc-i440fx-10.0"), "pc-i440fx");
        assert_eq!(machine_stem("microvm"), "microvm");
    }
}
