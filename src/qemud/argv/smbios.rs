//! What the guest's firmware tells about the machine: SMBIOS tables, firmware files, the generation id.

use super::builder::Builder;
use super::properties::{Properties, comma};
use crate::error::Result;
use crate::host::Node;
use crate::xml::Element;

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    let active = builder.active;
    let mode = active.child_attribute("os/smbios", "mode");
    if mode == Some("host") {
        let told = crate::xml::parse(&Node::default().sysinfo()?, "sysinfo")?;
        tables(builder, &told);
    }
    let wanted = mode == Some("sysinfo");
    for sysinfo in active.children("sysinfo") {
        match sysinfo.attribute("type") {
            Some("smbios") if wanted => tables(builder, sysinfo),
            Some("fwcfg") => firmware_files(builder, sysinfo),
            _ => {}
        }
    }
    if let Some(id) = active.child_text("genid") {
        builder
            .device(&Properties::default().with("driver", "vmgenid").with("guid", id).with("id", "vmgenid0"));
    }
    Ok(())
}

/// A table's element, its number, and its entries with the keys QEMU has for them.
type Table = (&'static str, u32, &'static [(&'static str, &'static str)]);

/// The tables whose entries QEMU takes by name.
const TABLES: [Table; 4] = [
    ("bios", 0, &[("vendor", "vendor"), ("version", "version"), ("date", "date"), ("release", "release")]),
    (
        "system",
        1,
        &[
            ("manufacturer", "manufacturer"),
            ("product", "product"),
            ("version", "version"),
            ("serial", "serial"),
            ("uuid", "uuid"),
            ("sku", "sku"),
            ("family", "family"),
        ],
    ),
    (
        "baseBoard",
        2,
        &[
            ("manufacturer", "manufacturer"),
            ("product", "product"),
            ("version", "version"),
            ("serial", "serial"),
            ("asset", "asset"),
            ("location", "location"),
        ],
    ),
    (
        "chassis",
        3,
        &[
            ("manufacturer", "manufacturer"),
            ("version", "version"),
            ("serial", "serial"),
            ("asset", "asset"),
            ("sku", "sku"),
        ],
    ),
];

fn tables(builder: &mut Builder<'_>, sysinfo: &Element) {
    for (name, number, fields) in TABLES {
        for table in sysinfo.children(name) {
            let mut text = format!("type={number}");
            for (entry, field) in fields {
                let mut entries = table.children("entry");
                if let Some(found) = entries.find(|found| found.attribute("name") == Some(entry)) {
                    text.push_str(&format!(",{field}={}", comma(found.text().trim())));
                }
            }
            builder.option("-smbios", text);
        }
    }
    if let Some(strings) = sysinfo.child("oemStrings") {
        let values = strings.children("entry").map(|entry| format!(",value={}", comma(entry.text().trim())));
        let values: String = values.collect();
        builder.option("-smbios", format!("type=11{values}"));
    }
}

fn firmware_files(builder: &mut Builder<'_>, sysinfo: &Element) {
    for entry in sysinfo.children("entry") {
        let name = comma(entry.attribute("name").unwrap_or_default());
        let content = match entry.attribute("file") {
            Some(file) => format!("file={}", comma(file)),
            None => format!("string={}", comma(&entry.text())),
        };
        builder.option("-fw_cfg", format!("name={name},{content}"));
    }
}
