//! Drive addresses: which controller, bus, target and unit a disk's target name means.

use super::devices::{Devices, has_address, index_of, model};
use crate::error::{Error, Result};
use crate::xml::Element;

/// Gives every disk on an IDE, SATA, SCSI or floppy bus its drive address.
pub fn assign(devices: &mut Devices) -> Result<()> {
    let wide: Vec<u32> = {
        let modern = |controller: &&Element| !matches!(model(controller), "lsilogic" | "");
        devices.controllers("scsi").filter(modern).map(index_of).collect()
    };
    for disk in devices.of_mut("disk") {
        let bus = disk.child_attribute("target", "bus").unwrap_or_default().to_string();
        if !matches!(bus.as_str(), "ide" | "sata" | "scsi" | "fdc") || has_address(disk) {
            continue;
        }
        let name = disk.child_attribute("target", "dev").unwrap_or_default();
        let index = disk_index(name)
            .ok_or_else(|| Error::internal(format!("Unknown disk name '{name}' and no address specified")))?;
        let [controller, bus, unit] = match bus.as_str() {
            "ide" => [index / 4, index % 4 / 2, index % 2],
            "sata" => [index / 6, 0, index % 6],
            "fdc" => [index / 2, 0, index % 2],
            // A narrow SCSI bus has eight places, one of them the controller's own.
            _ if !wide.contains(&(index / 15)) => [index / 7, 0, index % 7],
            _ => {
                let unit = index % 15;
                [index / 15, 0, if unit >= 7 { unit + 1 } else { unit }]
            }
        };
        let address = Element::new("address")
            .with("type", "drive")
            .with("controller", controller)
            .with("bus", bus)
            .with("target", 0)
            .with("unit", unit);
        disk.remove("address");
        disk.push(address);
    }
    Ok(())
}

/// The number in a target's name: `vda` → 0, `sdaa` → 26.
pub fn disk_index(name: &str) -> Option<u32> {
    let prefixes = ["ubd", "fd", "hd", "vd", "sd", "xvd"];
    let letters = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix))?;
    let letters = letters.trim_end_matches(|last: char| last.is_ascii_digit());
    if letters.is_empty() || letters.len() > 5 {
        return None;
    }
    let mut index = 0;
    for letter in letters.bytes() {
        if !letter.is_ascii_lowercase() {
            return None;
        }
        index = index * 26 + u32::from(letter - b'a') + 1;
    }
    Some(index - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_names_are_numbers_in_letters() {
        assert_eq!(disk_index("vda"), Some(0));
        assert_eq!(disk_index("sdz"), Some(25));
        assert_eq!(disk_index("vdaa"), Some(26));
        assert_eq!(disk_index("hda1"), Some(0));
        assert_eq!(disk_index("sd"), None);
        assert_eq!(disk_index("sdA"), None);
    }
}
