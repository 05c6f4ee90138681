//! `<controller>`: what other devices are plugged into.

use super::address::ADDRESS;
use super::{ACPI, ALIAS};
use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, invalid_attribute, on_off, one, one_of, shape, text, unsigned};

/// `<controller>`.
pub static CONTROLLER: Shape = shape("controller")
    .attributes(&[
        one_of("type", TYPES).required(),
        unsigned("index"),
        text("model"),
        unsigned("ports"),
        unsigned("vectors"),
        unsigned("maxGrantFrames"),
        unsigned("maxEventChannels"),
    ])
    .children(&[
        one(&MODEL),
        one(&TARGET),
        one(&DRIVER),
        one(&PCI_HOLE),
        one(&ALIAS),
        one(&MASTER),
        one(&ACPI),
        one(&ADDRESS),
    ])
    .after(check);

const TYPES: &[&str] =
    &["ide", "fdc", "scsi", "sata", "virtio-serial", "ccid", "usb", "pci", "xenbus", "isa", "nvme"];

static MODEL: Shape = shape("model").attributes(&[text("name")]);
static TARGET: Shape = shape("target")
    .attributes(&[
        unsigned("chassisNr"),
        unsigned("chassis"),
        text("port"),
        unsigned("busNr"),
        unsigned("index"),
        on_off("hotplug"),
        on_off("memReserve"),
    ])
    .children(&[one(&NODE)])
    .unless_empty();
static NODE: Shape = shape("node").with_text();
static DRIVER: Shape = shape("driver")
    .attributes(&[
        unsigned("queues").omit("0"),
        unsigned("cmd_per_lun").omit("0"),
        unsigned("max_sectors").omit("0"),
        on_off("ioeventfd"),
        unsigned("iothread").omit("0"),
        on_off("iommu"),
        on_off("ats"),
        on_off("packed"),
        on_off("page_per_vq"),
    ])
    .unless_empty();
static PCI_HOLE: Shape = shape("pcihole64")
    .attributes(&[text("unit")])
    .with_text()
    .after(|hole| crate::xml::domain::memory::rescale(hole, 1024, "KiB", 1024));
static MASTER: Shape = shape("master").attributes(&[unsigned("startport")]);

/// The models a kind of controller comes in; an empty list leaves them open.
fn models(kind: &str) -> &'static [&'static str] {
    match kind {
        "usb" => &[
            "piix3-uhci",
            "piix4-uhci",
            "ehci",
            "ich9-ehci1",
            "ich9-uhci1",
            "ich9-uhci2",
            "ich9-uhci3",
            "vt82c686b-uhci",
            "pci-ohci",
            "nec-xhci",
            "qusb1",
            "qusb2",
            "qemu-xhci",
            "none",
        ],
        "scsi" => &[
            "auto",
            "buslogic",
            "lsilogic",
            "lsisas1068",
            "vmpvscsi",
            "ibmvscsi",
            "virtio-scsi",
            "lsisas1078",
            "virtio-transitional",
            "virtio-non-transitional",
            "ncr53c90",
            "dc390",
            "am53c974",
        ],
        "pci" => &[
            "pci-root",
            "pcie-root",
            "pci-bridge",
            "dmi-to-pci-bridge",
            "pcie-to-pci-bridge",
            "pcie-root-port",
            "pcie-switch-upstream-port",
            "pcie-switch-downstream-port",
            "pci-expander-bus",
            "pcie-expander-bus",
        ],
        "ide" => &["piix3", "piix4", "ich6"],
        "virtio-serial" => &["virtio", "virtio-transitional", "virtio-non-transitional"],
        _ => &[],
    }
}

fn check(controller: &mut Element) -> Result<()> {
    let kind = controller.attribute("type").unwrap_or_default().to_string();
    if let Some(model) = controller.attribute("model") {
        let known = models(&kind);
        if known.is_empty() {
            return Err(invalid_attribute("controller", "model", model));
        }
        if !known.contains(&model) {
            return Err(Error::xml(format!("Unknown model type '{model}'")));
        }
    }
    let (has_ports, has_vectors) = (kind == "virtio-serial" || kind == "usb", kind == "virtio-serial");
    if !has_ports {
        controller.unset("ports");
    }
    if !has_vectors {
        controller.unset("vectors");
    }
    if kind != "xenbus" {
        controller.unset("maxGrantFrames");
        controller.unset("maxEventChannels");
    }
    if let Some(target) = controller.child_mut("target") {
        if let Some(port) = target.attribute("port").and_then(crate::xml::shape::parse_number) {
            target.set("port", format!("0x{port:x}"));
        }
    }
    Ok(())
}
