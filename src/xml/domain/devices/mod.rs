//! `<devices>`: a file per device kind, and what all kinds share.

pub mod address;
pub mod chardev;
pub mod controller;
pub mod disk;
mod disk_limits;
pub mod disk_source;
pub mod filesystem;
pub mod graphics;
pub mod hostdev;
pub mod input;
pub mod interface;
pub mod memory;
pub mod security;
pub mod sound;
pub mod usb;
pub mod video;
pub mod watchdog;
mod wording;

use crate::error::Result;
use crate::xml::Element;
use crate::xml::shape::{Shape, many, on_off, one, positive, shape, text, text_shape, unsigned, yes_no};

/// `<devices>` in libvirt's order.
pub static DEVICES: Shape = shape("devices")
    .children(&[
        one(&EMULATOR),
        many(&disk::DISK),
        many(&controller::CONTROLLER),
        many(&filesystem::LEASE),
        many(&filesystem::FILESYSTEM),
        many(&interface::INTERFACE),
        many(&usb::SMARTCARD),
        many(&chardev::SERIAL),
        many(&chardev::PARALLEL),
        many(&chardev::CONSOLE),
        many(&chardev::CHANNEL),
        many(&input::INPUT),
        many(&security::TPM),
        many(&graphics::GRAPHICS),
        many(&sound::SOUND),
        many(&sound::AUDIO),
        many(&video::VIDEO),
        many(&hostdev::HOSTDEV),
        many(&usb::REDIRDEV),
        one(&usb::REDIRFILTER),
        many(&usb::HUB),
        many(&watchdog::WATCHDOG),
        one(&memory::MEMBALLOON),
        many(&security::RNG),
        one(&memory::NVRAM),
        many(&watchdog::PANIC),
        many(&memory::SHMEM),
        many(&memory::MEMORY),
        one(&security::VSOCK),
        many(&security::CRYPTO),
        many(&security::IOMMU),
        one(&memory::PSTORE),
    ])
    .before(super::order::as_written);

static EMULATOR: Shape = text_shape("emulator");

/// `<boot order=…>` of a device.
pub(super) static BOOT: Shape =
    shape("boot").attributes(&[positive("order").required(), unsigned("loadparm")]);
/// `<alias>`: only aliases given by the user outlive a definition.
pub(super) static ALIAS: Shape =
    shape("alias").attributes(&[text("name")]).unless_empty().after(keep_user_alias);
/// `<rom>` of a PCI device.
pub(super) static ROM: Shape =
    shape("rom").attributes(&[yes_no("enabled"), on_off("bar"), text("file")]).unless_empty();
/// `<acpi index=…>` of a device.
pub(super) static ACPI: Shape = shape("acpi").attributes(&[unsigned("index")]).unless_empty();

/// `<driver>` of a virtio device that has nothing but the common options.
pub(super) static VIRTIO_DRIVER: Shape = shape("driver")
    .attributes(&[on_off("iommu"), on_off("ats"), on_off("packed"), on_off("page_per_vq")])
    .unless_empty();

fn keep_user_alias(alias: &mut Element) -> Result<()> {
    if !alias.attribute("name").is_some_and(|name| name.starts_with("ua-")) {
        alias.unset("name");
    }
    Ok(())
}
