//! The host's own description of its firmware, boards, processors and memory, as `sysinfo` shows it.
//!
//! All of it is in the SMBIOS tables, which only root may read and which are full of numbers with names from a standard;
//! `dmidecode` knows them. Without it, or without root, the kernel still tells the main strings in files of their own.

use super::Node;
use crate::error::{Error, Result};
use crate::xml::Element;
use std::process::{Command, Stdio};

/// A block of the description: its element, the heading `dmidecode` gives it, and its entries with their words there.
type Block = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Everything `dmidecode` is asked for, in the order in which it is shown.
const DECODED: &[Block] = &[
    (
        "bios",
        "BIOS Information",
        &[
            ("vendor", "Vendor"),
            ("version", "Version"),
            ("date", "Release Date"),
            ("release", "BIOS Revision"),
        ],
    ),
    (
        "system",
        "System Information",
        &[
            ("manufacturer", "Manufacturer"),
            ("product", "Product Name"),
            ("version", "Version"),
            ("serial", "Serial Number"),
            ("uuid", "UUID"),
            ("sku", "SKU Number"),
            ("family", "Family"),
        ],
    ),
    (
        "baseBoard",
        "Base Board Information",
        &[
            ("manufacturer", "Manufacturer"),
            ("product", "Product Name"),
            ("version", "Version"),
            ("serial", "Serial Number"),
            ("asset", "Asset Tag"),
            ("location", "Location In Chassis"),
        ],
    ),
    (
        "chassis",
        "Chassis Information",
        &[
            ("manufacturer", "Manufacturer"),
            ("version", "Version"),
            ("serial", "Serial Number"),
            ("asset", "Asset Tag"),
            ("sku", "SKU Number"),
        ],
    ),
    (
        "processor",
        "Processor Information",
        &[
            ("socket_destination", "Socket Designation"),
            ("type", "Type"),
            ("family", "Family"),
            ("manufacturer", "Manufacturer"),
            ("signature", "Signature"),
            ("version", "Version"),
            ("external_clock", "External Clock"),
            ("max_speed", "Max Speed"),
            ("status", "Status"),
            ("serial_number", "Serial Number"),
            ("part_number", "Part Number"),
        ],
    ),
    (
        "memory_device",
        "Memory Device",
        &[
            ("size", "Size"),
            ("form_factor", "Form Factor"),
            ("locator", "Locator"),
            ("bank_locator", "Bank Locator"),
            ("type", "Type"),
            ("type_detail", "Type Detail"),
            ("speed", "Speed"),
            ("manufacturer", "Manufacturer"),
            ("serial_number", "Serial Number"),
            ("part_number", "Part Number"),
        ],
    ),
];
/// The heading of the strings a vendor may leave.
const OEM_STRINGS: &str = "OEM Strings";
/// What an empty socket says its memory is.
const NO_MODULE: &str = "No Module Installed";

/// Each block of the description and its entries, with the kernel's file for each.
const BLOCKS: &[(&str, &[(&str, &str)])] = &[
    (
        "bios",
        &[
            ("vendor", "bios_vendor"),
            ("version", "bios_version"),
            ("date", "bios_date"),
            ("release", "bios_release"),
        ],
    ),
    (
        "system",
        &[
            ("manufacturer", "sys_vendor"),
            ("product", "product_name"),
            ("version", "product_version"),
            ("serial", "product_serial"),
            ("uuid", "product_uuid"),
            ("sku", "product_sku"),
            ("family", "product_family"),
        ],
    ),
    (
        "baseBoard",
        &[
            ("manufacturer", "board_vendor"),
            ("product", "board_name"),
            ("version", "board_version"),
            ("serial", "board_serial"),
            ("asset", "board_asset_tag"),
        ],
    ),
    (
        "chassis",
        &[
            ("manufacturer", "chassis_vendor"),
            ("version", "chassis_version"),
            ("serial", "chassis_serial"),
            ("asset", "chassis_asset_tag"),
        ],
    ),
];

impl Node {
    /// Firmware, system, boards, chassis, processors and memory, as far as the helper's user may know them
    /// (`virConnectGetSysinfo`).
    pub fn sysinfo(&self) -> Result<String> {
        let told = self.decoded().unwrap_or_else(|| self.told_by_the_kernel());
        if told.elements().next().is_none() {
            let what = "Host SMBIOS information is not available";
            return Err(Error::unsupported_configuration(what));
        }
        Ok(told.to_string())
    }

    /// What `dmidecode` makes of the tables, if it is there and may read them.
    fn decoded(&self) -> Option<Element> {
        let tables = self.path("sys/firmware/dmi/tables/DMI");
        std::fs::File::open(tables).ok()?;
        let mut command = Command::new("dmidecode");
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin")).env("LC_ALL", "C").stdin(Stdio::null());
        let output = command.args(["-q", "-t", "0,1,2,3,4,11,17"]).output().ok()?;
        let told = described(&String::from_utf8_lossy(&output.stdout));
        (output.status.success() && told.elements().next().is_some()).then_some(told)
    }

    fn told_by_the_kernel(&self) -> Element {
        let mut sysinfo = Element::new("sysinfo").with("type", "smbios");
        for (block, entries) in BLOCKS {
            let mut element = Element::new(*block);
            for (name, file) in *entries {
                let value = self.read(&format!("sys/class/dmi/id/{file}")).unwrap_or_default();
                if !value.trim().is_empty() {
                    element.push(Element::new("entry").with("name", name).with_text(value.trim()));
                }
            }
            if element.elements().next().is_some() {
                sysinfo.push(element);
            }
        }
        sysinfo
    }
}

/// Puts the output of `dmidecode -q` into libvirt's form.
fn described(text: &str) -> Element {
    let mut sysinfo = Element::new("sysinfo").with("type", "smbios");
    let sections: Vec<(&str, Vec<(&str, &str)>)> = text.split("\n\n").filter_map(section).collect();
    for (element, heading, entries) in DECODED {
        for (_, lines) in sections.iter().filter(|(title, _)| title == heading) {
            let said = |word: &str| lines.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
            if said("Size") == Some(NO_MODULE) {
                continue;
            }
            let entries = entries.iter().filter_map(|(name, word)| {
                Some(Element::new("entry").with("name", name).with_text(said(word)?))
            });
            let block = entries.fold(Element::new(*element), Element::with_child);
            if block.elements().next().is_some() {
                sysinfo.push(block);
            }
        }
    }
    for (_, lines) in sections.iter().filter(|(title, _)| *title == OEM_STRINGS) {
        let strings = lines.iter().map(|(_, value)| Element::new("entry").with_text(value));
        sysinfo.push(strings.fold(Element::new("oemStrings"), Element::with_child));
    }
    sysinfo
}

/// The heading of a section and its lines, each a name and a value; lines of longer lists are left out.
fn section(text: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let mut lines = text.trim_start_matches('\n').lines().filter(|line| !line.starts_with('#'));
    let heading = lines.next()?;
    let own = lines.filter_map(|line| line.strip_prefix('\t').filter(|line| !line.starts_with('\t')));
    let named = own.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name, value.trim_end()));
    Some((heading, named.filter(|(_, value)| !value.is_empty()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_firmware_says_is_told_in_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::below(folder.path());
        let missing = node.sysinfo().unwrap_err();
        assert_eq!(
            missing.to_string(),
            "unsupported configuration: Host SMBIOS information is not available"
        );
        let dmi = folder.path().join("sys/class/dmi/id");
        std::fs::create_dir_all(&dmi).unwrap();
        std::fs::write(dmi.join("bios_vendor"), "A & B\n").unwrap();
        std::fs::write(dmi.join("product_name"), "\n").unwrap();
        assert_eq!(
            node.sysinfo().unwrap(),
            "<sysinfo type='smbios'>\n  <bios>\n    <entry name='vendor'>A &amp; B</entry>\n  </bios>\n</sysinfo>\n"
        );
    }

    #[test]
    fn decoded_tables_are_told_in_libvirts_form() {
        let text = "BIOS Information\n\tVendor: A <Co>\n\tCharacteristics:\n\t\tUEFI is supported\n\tBIOS Revision: 4.7\n\n\
            Processor Information\n\tSocket Designation: P0\n\tType: Central Processor\n\tFlags:\n\t\tFPU (on-chip)\n\
            \tVersion: Fast One\n\tVoltage: 1.1 V\n\tMax Speed: 3000 MHz\n\n\
            OEM Strings\n\tString 1: hello\n\tString 2:  x \n\n\
            Memory Device\n\tSize: 16 GB\n\tLocator: A1\n\n\
            Memory Device\n\tSize: No Module Installed\n\tLocator: A2\n\n";
        let entry = |name: &str, value: &str| format!("    <entry name='{name}'>{value}</entry>\n");
        let wanted = [
            "<sysinfo type='smbios'>\n  <bios>\n".to_string(),
            entry("vendor", "A &lt;Co&gt;"),
            entry("release", "4.7"),
            "  </bios>\n  <processor>\n".to_string(),
            entry("socket_destination", "P0"),
            entry("type", "Central Processor"),
            entry("version", "Fast One"),
            entry("max_speed", "3000 MHz"),
            "  </processor>\n  <memory_device>\n".to_string(),
            entry("size", "16 GB"),
            entry("locator", "A1"),
            "  </memory_device>\n  <oemStrings>\n    <entry>hello</entry>\n    <entry> x</entry>\n"
                .to_string(),
            "  </oemStrings>\n</sysinfo>\n".to_string(),
        ];
        assert_eq!(described(text).to_string(), wanted.concat());
        assert_eq!(described("# no tables\n").elements().count(), 0);
    }
}
