//! Controllers: PCI ports and bridges first, then what hangs on them, as the buses must exist before their devices.

use super::builder::{Builder, alias, child_number};
use super::properties::Properties;
use crate::error::{Error, Result};
use crate::qemud::define::{index_of, number};
use crate::xml::Element;

/// The kinds in the order QEMU must see them.
const ORDER: &[&str] = &["pci", "usb", "scsi", "ide", "sata", "fdc", "virtio-serial", "ccid"];

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    for kind in ORDER {
        let mut controllers: Vec<&Element> = builder
            .devices("controller")
            .filter(|controller| controller.attribute("type") == Some(kind))
            .collect();
        if *kind == "pci" {
            // A bridge may sit behind a port of a higher number.
            controllers.sort_by_key(|controller| {
                (!matches!(controller.attribute("model"), Some("pcie-root-port")), index_of(controller))
            });
        }
        for controller in controllers {
            if let Some(properties) = properties(builder, controller)? {
                builder.device(&properties);
            }
        }
        if *kind == "usb" {
            for hub in builder.devices("hub") {
                let properties = Properties::device("usb-hub", alias(hub)).at(hub, &builder.buses);
                builder.device(&properties);
            }
        }
    }
    Ok(())
}

fn properties(builder: &Builder<'_>, controller: &Element) -> Result<Option<Properties>> {
    let id = alias(controller);
    let model = controller.attribute("model").unwrap_or_default();
    let device = |driver: &str| Properties::device(driver, id);
    let found = match controller.attribute("type").unwrap_or_default() {
        "pci" => pci(controller, id),
        "usb" => usb(controller, model),
        "ide" if builder.board.family.is_i440fx && index_of(controller) == 0 => None,
        "sata" if builder.board.family.is_q35 && index_of(controller) == 0 => None,
        "sata" => Some(device("ahci")),
        "ide" => Some(device("piix3-ide")),
        // The older board has one built in.
        "fdc" if builder.board.family.is_i440fx => None,
        "fdc" => Some(device("isa-fdc")),
        "scsi" => Some(scsi(builder, controller, model)?),
        "virtio-serial" => {
            let driver = builder.virtio("virtio-serial", controller, controller.attribute("model"));
            let ports = number(controller.attribute("ports"));
            let vectors = number(controller.attribute("vectors"));
            let device = device(&driver).with_some("max_ports", ports).with_some("vectors", vectors);
            Some(device.with_virtio(controller))
        }
        "ccid" => Some(device("usb-ccid")),
        _ => None,
    };
    Ok(found.map(|properties| properties.at(controller, &builder.buses)))
}

fn pci(controller: &Element, id: &str) -> Option<Properties> {
    let target = |name| child_number(controller, "target", name);
    let device = |driver: &str| Properties::device(driver, id);
    Some(match controller.attribute("model")? {
        "pcie-root-port" => {
            let driver = controller.child_attribute("model", "name").unwrap_or("pcie-root-port");
            device(driver)
                .with_some("port", target("port"))
                .with_some("chassis", target("chassis"))
                .with_switch("hotplug", controller.child_attribute("target", "hotplug"))
        }
        "pcie-switch-upstream-port" => device("x3130-upstream"),
        "pcie-switch-downstream-port" => device("xio3130-downstream")
            .with_some("port", target("port"))
            .with_some("chassis", target("chassis")),
        "pcie-to-pci-bridge" => device("pcie-pci-bridge"),
        "pci-bridge" => device("pci-bridge").with_some("chassis_nr", target("chassisNr")),
        "dmi-to-pci-bridge" => device("i82801b11-bridge"),
        _ => return None,
    })
}

fn usb(controller: &Element, model: &str) -> Option<Properties> {
    let driver = match model {
        "none" => return None,
        "piix3-uhci" => "piix3-usb-uhci",
        "piix4-uhci" => "piix4-usb-uhci",
        "ehci" => "usb-ehci",
        "ich9-ehci1" => "ich9-usb-ehci1",
        "ich9-uhci1" => "ich9-usb-uhci1",
        "ich9-uhci2" => "ich9-usb-uhci2",
        "ich9-uhci3" => "ich9-usb-uhci3",
        "vt82c686b-uhci" => "vt82c686b-usb-uhci",
        "pci-ohci" => "pci-ohci",
        "nec-xhci" => "nec-usb-xhci",
        other => other,
    };
    let ports = number(controller.attribute("ports"));
    match child_number(controller, "master", "startport") {
        // A companion has no bus of its own: it serves the slow devices of the controller of its index.
        Some(first) => {
            let master = alias(controller);
            Some(
                Properties::default()
                    .with("driver", driver)
                    .with("masterbus", format!("{master}.0"))
                    .with("firstport", first),
            )
        }
        None => {
            Some(Properties::device(driver, alias(controller)).with_some("p2", ports).with_some("p3", ports))
        }
    }
}

fn scsi(builder: &Builder<'_>, controller: &Element, model: &str) -> Result<Properties> {
    let driver = match model {
        "lsilogic" => "lsi53c895a".to_string(),
        "lsisas1068" => "mptsas1068".to_string(),
        "lsisas1078" => "megasas".to_string(),
        "vmpvscsi" => "pvscsi".to_string(),
        "am53c974" => "am53c974".to_string(),
        "dc390" => "dc-390".to_string(),
        "virtio-scsi" | "virtio-transitional" | "virtio-non-transitional" => {
            builder.virtio("virtio-scsi", controller, Some(model))
        }
        other => {
            return Err(Error::unsupported_configuration(format!(
                "SCSI controller model '{other}' is not supported by this driver"
            )));
        }
    };
    let said = |name| child_number(controller, "driver", name);
    let thread = said("iothread").map(|thread| format!("iothread{thread}"));
    let properties = Properties::device(&driver, alias(controller));
    Ok(properties
        .with_some("iothread", thread)
        .with_some("num_queues", said("queues"))
        .with_some("cmd_per_lun", said("cmd_per_lun"))
        .with_some("max_sectors", said("max_sectors"))
        .with_virtio(controller))
}
