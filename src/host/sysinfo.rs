//! The host's own description of its firmware and boards, as `sysinfo` shows it.

use super::Node;
use crate::error::{Error, Result};
use crate::xml::Element;

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
    /// Firmware, system, board and chassis, as far as the kernel tells them to the helper's user
    /// (`virConnectGetSysinfo`).
    pub fn sysinfo(&self) -> Result<String> {
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
        if sysinfo.elements().next().is_none() {
            let what = "Host SMBIOS information is not available";
            return Err(Error::unsupported_configuration(what));
        }
        Ok(sysinfo.to_string())
    }
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
}
