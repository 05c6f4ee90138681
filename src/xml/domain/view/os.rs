//! The view of `<os>`.

use super::{switch, word};
use crate::xml::Element;

/// What the machine is and how it boots.
#[derive(Clone, Debug, Default)]
pub struct Os {
    /// `hvm` for a whole machine.
    pub kind: String,
    /// Its architecture, such as `x86_64`.
    pub architecture: String,
    /// Its machine.
    pub machine: Option<String>,
    /// Which firmware is to be chosen for it.
    pub firmware: Option<OsFirmware>,
    /// What that firmware must and must not do.
    pub firmware_features: Vec<(String, bool)>,
    /// The firmware's code.
    pub loader: Option<Loader>,
    /// The firmware's variables.
    pub nvram: Option<Nvram>,
    /// The kernel to boot directly.
    pub kernel: Option<String>,
    /// The initial ramdisk.
    pub initrd: Option<String>,
    /// The kernel's command line.
    pub command_line: Option<String>,
    /// The device tree.
    pub device_tree: Option<String>,
    /// The kinds of devices to boot from, in their order: `hd`, `cdrom`, `network`, `fd`.
    pub boot: Vec<String>,
    /// Whether the firmware shows a menu.
    pub boot_menu: Option<bool>,
    /// How long it shows it, in milliseconds.
    pub boot_menu_timeout: Option<u32>,
    /// Whether the firmware talks on the serial port.
    pub bios_on_serial: Option<bool>,
    /// After how many milliseconds a machine without a boot device reboots; -1 is never.
    pub reboot_timeout: Option<i32>,
    /// Where the SMBIOS tables come from: `emulate`, `host`, `sysinfo`.
    pub smbios: Option<String>,
    /// An ACPI table to add: its type and its file.
    pub acpi_tables: Vec<(String, String)>,
}

/// The firmware a definition asks for by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OsFirmware {
    /// The machine's BIOS.
    Bios,
    /// UEFI.
    Efi,
}

/// The firmware's code.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// The file; none if the driver is to choose.
    pub path: Option<String>,
    /// Whether it is not written to.
    pub readonly: Option<bool>,
    /// Whether it sits in flash memory rather than in ROM.
    pub is_flash: bool,
    /// Whether it guards its variables.
    pub secure: Option<bool>,
    /// Whether it has no variables.
    pub stateless: Option<bool>,
    /// The format of the file.
    pub format: Option<String>,
}

/// The firmware's variables.
#[derive(Clone, Debug, Default)]
pub struct Nvram {
    /// The file; none if the driver is to choose.
    pub path: Option<String>,
    /// What it is copied from when it is not there yet.
    pub template: Option<String>,
    /// The format of the file.
    pub format: Option<String>,
    /// The format of the template.
    pub template_format: Option<String>,
}

impl Os {
    pub(super) fn parse(tree: &Element) -> Os {
        let Some(os) = tree.child("os") else {
            return Os::default();
        };
        let filled = |name: &str| os.child_text(name).filter(|text| !text.is_empty());
        let feature = |feature: &Element| Some((word(feature, "name")?, switch(feature, "enabled")?));
        Os {
            kind: os.child_text("type").unwrap_or_default(),
            architecture: os.child_attribute("type", "arch").unwrap_or_default().to_string(),
            machine: os.child_attribute("type", "machine").map(str::to_string),
            firmware: match os.attribute("firmware") {
                Some("bios") => Some(OsFirmware::Bios),
                Some("efi") => Some(OsFirmware::Efi),
                _ => None,
            },
            firmware_features: os
                .child("firmware")
                .into_iter()
                .flat_map(|firmware| firmware.children("feature"))
                .filter_map(feature)
                .collect(),
            loader: os.child("loader").map(Loader::parse),
            nvram: os.child("nvram").map(Nvram::parse),
            kernel: filled("kernel"),
            initrd: filled("initrd"),
            command_line: filled("cmdline"),
            device_tree: filled("dtb"),
            boot: os.children("boot").filter_map(|boot| word(boot, "dev")).collect(),
            boot_menu: os.child("bootmenu").and_then(|menu| switch(menu, "enable")),
            boot_menu_timeout: os.child("bootmenu").and_then(|menu| super::number(menu, "timeout")),
            bios_on_serial: os.child("bios").and_then(|bios| switch(bios, "useserial")),
            reboot_timeout: os.child("bios").and_then(|bios| super::number(bios, "rebootTimeout")),
            smbios: os.child_attribute("smbios", "mode").map(str::to_string),
            acpi_tables: os
                .child("acpi")
                .into_iter()
                .flat_map(|acpi| acpi.children("table"))
                .filter_map(|table| Some((word(table, "type")?, table.text().trim().to_string())))
                .collect(),
        }
    }
}

impl Loader {
    fn parse(loader: &Element) -> Loader {
        Loader {
            path: Some(loader.text().trim().to_string()).filter(|path| !path.is_empty()),
            readonly: switch(loader, "readonly"),
            is_flash: loader.attribute("type") == Some("pflash"),
            secure: switch(loader, "secure"),
            stateless: switch(loader, "stateless"),
            format: word(loader, "format"),
        }
    }
}

impl Nvram {
    fn parse(nvram: &Element) -> Nvram {
        let path = nvram
            .child_attribute("source", "file")
            .map(str::to_string)
            .unwrap_or_else(|| nvram.text().trim().to_string());
        Nvram {
            path: Some(path).filter(|path| !path.is_empty()),
            template: word(nvram, "template"),
            format: word(nvram, "format"),
            template_format: word(nvram, "templateFormat"),
        }
    }
}
