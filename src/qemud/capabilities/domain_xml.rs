//! `<domainCapabilities>`: what a guest of one binary, machine and accelerator may have — by this driver, not merely
//! by the binary: what a definition would be refused for is not offered.

use super::cpu::CpuModels;
use super::{Accelerator, Machine, QemuCapabilities, architecture};
use crate::error::{Error, ErrorCode, Result};
use crate::qemud::define::{self, Board};
use crate::xml::Element;
use std::path::Path;
use std::sync::Arc;

/// What is asked for; what is not said is chosen.
#[derive(Clone, Copy, Default)]
pub struct Question<'a> {
    /// The binary.
    pub emulator: Option<&'a str>,
    /// The architecture.
    pub arch: Option<&'a str>,
    /// The machine type.
    pub machine: Option<&'a str>,
    /// The domain's type.
    pub virt_type: Option<&'a str>,
}

/// The document that answers a question.
pub fn domain_capabilities(question: &Question<'_>) -> Result<String> {
    let (facts, arch) = binary(question)?;
    let accelerator = accelerator(question, &facts)?;
    let machine = match question.machine {
        Some(name) => facts.machine(name).ok_or_else(|| {
            let binary = facts.binary.display();
            Error::invalid_argument(format!("the machine '{name}' is not supported by emulator '{binary}'"))
        })?,
        None => facts.default_machine().ok_or_else(|| {
            Error::invalid_argument(format!("architecture '{arch}' has no default machine, name one"))
        })?,
    };
    let models = facts.cpu_models(accelerator)?;
    let board = Board::named(&arch, &machine.name).ok();
    let offer = Offer { facts: &facts, machine, board, accelerator };
    let text = |name: &str, text: &str| Element::new(name).with_text(text);
    let most = match accelerator {
        Accelerator::Kvm => machine.cpu_max.min(KVM_VCPUS),
        Accelerator::Tcg => machine.cpu_max,
    };
    let document = Element::new("domainCapabilities")
        .with_child(text("path", &facts.binary.display().to_string()))
        .with_child(text("domain", if accelerator == Accelerator::Kvm { "kvm" } else { "qemu" }))
        .with_child(text("machine", &machine.name))
        .with_child(text("arch", &arch))
        .with_child(Element::new("vcpu").with("max", most))
        .with_child(supported("iothreads", facts.has_type("iothread")))
        .with_child(offer.os())
        .with_child(offer.cpu(&models))
        .with_child(offer.memory_backing())
        .with_child(offer.devices())
        .with_child(offer.features());
    Ok(document.to_string())
}

/// KVM's own limit on x86 and ARM hosts.
const KVM_VCPUS: u32 = 4096;

fn binary(question: &Question<'_>) -> Result<(Arc<QemuCapabilities>, String)> {
    if let Some(path) = question.emulator {
        let facts = QemuCapabilities::of(Path::new(path))?;
        let arch = question.arch.unwrap_or(&facts.arch).to_string();
        if arch != facts.arch && !(arch == "i686" && facts.arch == "x86_64") {
            return Err(Error::invalid_argument(format!(
                "architecture from emulator '{}' doesn't match given architecture '{arch}'",
                facts.arch
            )));
        }
        return Ok((facts, arch));
    }
    let arch = question.arch.unwrap_or(architecture::host()).to_string();
    if let Err(error) = architecture::known(&arch)
        && error.message.contains("Unknown")
    {
        return Err(Error::invalid_argument(format!("unknown architecture: {arch}")));
    }
    let path = define::emulator_of(&arch).map_err(|_| {
        Error::unsupported_configuration(format!(
            "unable to find any emulator to serve '{arch}' architecture"
        ))
    })?;
    Ok((QemuCapabilities::of(&path)?, arch))
}

fn accelerator(question: &Question<'_>, facts: &QemuCapabilities) -> Result<Accelerator> {
    let known = [
        "qemu", "kvm", "xen", "lxc", "test", "vmware", "hyperv", "vbox", "vz", "bhyve", "hvf", "uml",
        "openvz",
    ];
    let wanted = match question.virt_type {
        None if facts.kvm_usable().is_ok() => return Ok(Accelerator::Kvm),
        None => return Ok(Accelerator::Tcg),
        Some(wanted) => wanted,
    };
    if !known.contains(&wanted) {
        return Err(Error::invalid_argument(format!("unknown virttype: {wanted}")));
    }
    let binary = facts.binary.display();
    match Accelerator::of_domain_type(wanted) {
        None => {
            Err(Error::invalid_argument(format!("Emulator '{binary}' does not support virt type '{wanted}'")))
        }
        Some(Accelerator::Kvm) => match facts.kvm_usable() {
            Ok(()) => Ok(Accelerator::Kvm),
            Err(cause) => Err(Error::new(
                ErrorCode::INVALID_ARGUMENT,
                format!("the accel 'kvm' is not supported by '{binary}' on this host: {cause}"),
            )),
        },
        Some(Accelerator::Tcg) => Ok(Accelerator::Tcg),
    }
}

fn supported(name: &str, is: bool) -> Element {
    Element::new(name).with("supported", if is { "yes" } else { "no" })
}

/// An enumeration of values.
fn values<'a>(name: &str, values: impl IntoIterator<Item = &'a str>) -> Element {
    let mut element = Element::new("enum").with("name", name);
    for value in values {
        element.push(Element::new("value").with_text(value));
    }
    element
}

/// The facts an offer is made from.
struct Offer<'a> {
    facts: &'a QemuCapabilities,
    machine: &'a Machine,
    board: Option<Board>,
    accelerator: Accelerator,
}

impl Offer<'_> {
    /// The values whose QOM type exists.
    fn existing<'b>(&self, pairs: &[(&'b str, &str)]) -> Vec<&'b str> {
        pairs.iter().filter(|(_, kind)| self.facts.has_type(kind)).map(|(value, _)| *value).collect()
    }

    fn is_x86(&self) -> bool {
        self.board.is_some_and(|board| board.arch.is_x86)
    }

    fn os(&self) -> Element {
        let interfaces = self
            .board
            .map(|board| define::firmware::available(board, &self.machine.name))
            .unwrap_or_default();
        let secure: &[&str] = if interfaces.secure { &["yes", "no"] } else { &["no"] };
        let mut loader = supported("loader", true);
        for file in &interfaces.images {
            loader.push(Element::new("value").with_text(file.display()));
        }
        loader.push(values("type", ["rom", "pflash"]));
        loader.push(values("readonly", ["yes", "no"]));
        loader.push(values("secure", secure.iter().copied()));
        supported("os", true)
            .with_child(values("firmware", interfaces.kinds.iter().map(String::as_str)))
            .with_child(loader)
    }

    fn cpu(&self, models: &CpuModels) -> Element {
        let accelerated = self.accelerator == Accelerator::Kvm;
        let mode = |name: &str, is: bool| {
            Element::new("mode").with("name", name).with("supported", if is { "yes" } else { "no" })
        };
        let mut passthrough = mode("host-passthrough", accelerated);
        if accelerated {
            passthrough.push(values("hostPassthroughMigratable", ["on", "off"]));
        }
        let maximum = mode("maximum", true).with_child(values("maximumMigratable", ["on", "off"]));
        let mut custom = mode("custom", true);
        for model in &models.models {
            custom.push(model.element());
            if let Some(blockers) = model.blockers() {
                custom.push(blockers);
            }
        }
        Element::new("cpu")
            .with_child(passthrough)
            .with_child(maximum)
            .with_child(mode("host-model", accelerated))
            .with_child(custom)
    }

    fn memory_backing(&self) -> Element {
        let sources =
            self.existing(&[("anonymous", "memory-backend-ram"), ("memfd", "memory-backend-memfd")]);
        supported("memoryBacking", true).with_child(values("sourceType", sources))
    }

    fn devices(&self) -> Element {
        Element::new("devices")
            .with_child(self.disk())
            .with_child(self.graphics())
            .with_child(self.video())
            .with_child(supported("hostdev", false))
            .with_child(self.rng())
            .with_child(supported("filesystem", false))
            .with_child(self.tpm())
            .with_child(supported("redirdev", false))
            .with_child(supported("channel", true).with_child(values("type", ["pty", "unix"])))
            .with_child(supported("crypto", false))
            .with_child(self.interface())
            .with_child(self.panic())
    }

    fn disk(&self) -> Element {
        let ide = self.board.is_some_and(|board| board.family.is_i440fx);
        let buses: Vec<&str> = ide
            .then_some("ide")
            .into_iter()
            .chain(self.existing(&[
                ("fdc", "isa-fdc"),
                ("scsi", "scsi-hd"),
                ("virtio", "virtio-blk-device"),
                ("usb", "usb-storage"),
                ("sata", "ich9-ahci"),
            ]))
            .collect();
        supported("disk", true)
            .with_child(values("diskDevice", ["disk", "cdrom", "floppy"]))
            .with_child(values("bus", buses))
            .with_child(values("model", self.virtio_models("virtio-blk")))
    }

    fn virtio_models(&self, stem: &str) -> Vec<&'static str> {
        let has = |transport: &str| self.facts.has_type(&format!("{stem}-{transport}"));
        [
            ("virtio", "device"),
            ("virtio-transitional", "pci-transitional"),
            ("virtio-non-transitional", "pci-non-transitional"),
        ]
        .into_iter()
        .filter(|(_, transport)| has(transport))
        .map(|(model, _)| model)
        .collect()
    }

    fn graphics(&self) -> Element {
        let kinds = ["vnc", "spice"].into_iter();
        let kinds: Vec<&str> = kinds.filter(|kind| self.facts.has_option(kind)).collect();
        supported("graphics", !kinds.is_empty()).with_child(values("type", kinds))
    }

    fn video(&self) -> Element {
        let mut models = self.existing(&[
            ("vga", "VGA"),
            ("cirrus", "cirrus-vga"),
            ("qxl", "qxl"),
            ("virtio", "virtio-gpu-device"),
        ]);
        models.push("none");
        models.extend(self.existing(&[("bochs", "bochs-display"), ("ramfb", "ramfb")]));
        supported("video", true).with_child(values("modelType", models))
    }

    fn rng(&self) -> Element {
        let models = self.virtio_models("virtio-rng");
        let backends = self.existing(&[("random", "rng-random"), ("builtin", "rng-builtin")]);
        supported("rng", !models.is_empty())
            .with_child(values("model", models))
            .with_child(values("backendModel", backends))
    }

    fn tpm(&self) -> Element {
        let models =
            self.facts.tpm_models.iter().filter(|model| !model.contains("spapr")).map(String::as_str);
        let mut models: Vec<&str> = models.collect();
        models.sort_by_key(|model| *model != "tpm-tis");
        let is = self.facts.tpm_types.contains("emulator") && !models.is_empty();
        let element = supported("tpm", is);
        match is {
            true => element
                .with_child(values("model", models))
                .with_child(values("backendModel", ["emulator"]))
                .with_child(values("backendVersion", ["1.2", "2.0"])),
            false => element,
        }
    }

    fn interface(&self) -> Element {
        let slirp = self.facts.has_netdev("user").then_some("default");
        let passt = self.facts.has_netdev("stream").then_some("passt");
        supported("interface", true).with_child(values("backendType", slirp.into_iter().chain(passt)))
    }

    fn panic(&self) -> Element {
        let isa = self.board.is_some_and(|board| board.family.isa) && self.facts.has_type("pvpanic");
        let models =
            [("isa", isa), ("hyperv", self.is_x86()), ("pvpanic", self.facts.has_type("pvpanic-pci"))];
        let models: Vec<&str> = models.into_iter().filter(|(_, is)| *is).map(|(model, _)| model).collect();
        supported("panic", !models.is_empty()).with_child(values("model", models))
    }

    fn features(&self) -> Element {
        let gic = self.board.is_some_and(|board| board.is_arm_virt());
        let mut versions = supported("gic", gic);
        if gic {
            versions.push(values("version", ["2", "3"]));
        }
        let ps2 = self.board.is_some_and(|board| board.family.ps2);
        let mut features = Element::new("features")
            .with_child(versions)
            .with_child(supported("vmcoreinfo", false))
            .with_child(supported("genid", self.facts.has_type("vmgenid")))
            .with_child(supported("backingStoreInput", true))
            .with_child(supported("backup", false))
            .with_child(supported("async-teardown", false))
            .with_child(supported("ps2", ps2))
            .with_child(supported("sev", false))
            .with_child(supported("sgx", false));
        if self.is_x86() {
            let enlightenments: &[&str] = match self.accelerator {
                Accelerator::Kvm => &[
                    "relaxed",
                    "vapic",
                    "spinlocks",
                    "vpindex",
                    "runtime",
                    "synic",
                    "stimer",
                    "reset",
                    "vendor_id",
                    "frequencies",
                    "reenlightenment",
                    "tlbflush",
                    "ipi",
                    "avic",
                    "emsr_bitmap",
                    "xmm_input",
                ],
                Accelerator::Tcg => &["spinlocks", "vendor_id"],
            };
            features.push(
                supported("hyperv", true).with_child(values("features", enlightenments.iter().copied())),
            );
        }
        features.push(supported("launchSecurity", false));
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offer_names_machine_models_and_buses() {
        if define::emulator_of("x86_64").is_err() {
            eprintln!("skipped: no emulator for x86_64");
            return;
        }
        let question = Question { machine: Some("q35"), virt_type: Some("qemu"), ..Question::default() };
        let question = Question { arch: Some("x86_64"), ..question };
        let document = domain_capabilities(&question).unwrap();
        let tree = crate::xml::parse(&document, "test").unwrap();
        assert!(tree.child_text("machine").unwrap().starts_with("pc-q35-"));
        assert_eq!(tree.child_text("domain").unwrap(), "qemu");
        assert!(document.contains("<value>sata</value>") && !document.contains("<value>ide</value>"));
        assert!(document.contains(">Nehalem</model>"));
        assert!(tree.find("features/gic").unwrap().attribute("supported") == Some("no"));
    }

    #[test]
    fn a_question_without_an_answer_is_refused() {
        let ask = |question: Question<'_>| domain_capabilities(&question).unwrap_err().to_string();
        assert_eq!(
            ask(Question { arch: Some("nonesuch"), ..Question::default() }),
            "invalid argument: unknown architecture: nonesuch"
        );
        assert_eq!(
            ask(Question { arch: Some("ppc64"), ..Question::default() }),
            "unsupported configuration: unable to find any emulator to serve 'ppc64' architecture"
        );
    }
}
