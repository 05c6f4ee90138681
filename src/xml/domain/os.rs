//! `<os>`: what the machine is and how it boots; `<bootloader>`, `<sysinfo>`.

use crate::error::{Error, Result};
use crate::xml::Element;
use crate::xml::shape::{Shape, many, one, one_of, shape, text, text_shape, yes_no};

/// `<os>`.
pub static OS: Shape = shape("os")
    .attributes(&[one_of("firmware", &["bios", "efi"])])
    .children(&[
        one(&TYPE),
        one(&FIRMWARE),
        one(&INIT),
        many(&INIT_ARGUMENT),
        many(&INIT_VARIABLE),
        one(&INIT_FOLDER),
        one(&INIT_USER),
        one(&INIT_GROUP),
        one(&LOADER),
        one(&NVRAM),
        one(&KERNEL),
        one(&INITRD),
        one(&COMMAND_LINE),
        one(&SHIM),
        one(&DEVICE_TREE),
        one(&ACPI),
        many(&BOOT),
        one(&BOOT_MENU),
        one(&BIOS),
        one(&SMBIOS),
    ])
    .after(complete);

static TYPE: Shape = shape("type").attributes(&[text("arch"), text("machine")]).with_text();
static FIRMWARE: Shape = shape("firmware").children(&[many(&FEATURE)]).unless_empty();
static FEATURE: Shape = shape("feature").attributes(&[yes_no("enabled").required(), text("name").required()]);
static INIT: Shape = text_shape("init");
static INIT_ARGUMENT: Shape = text_shape("initarg");
static INIT_VARIABLE: Shape = shape("initenv").attributes(&[text("name")]).with_text();
static INIT_FOLDER: Shape = text_shape("initdir");
static INIT_USER: Shape = text_shape("inituser");
static INIT_GROUP: Shape = text_shape("initgroup");
static LOADER: Shape = shape("loader")
    .attributes(&[
        yes_no("readonly"),
        yes_no("secure"),
        one_of("type", &["rom", "pflash"]),
        yes_no("stateless"),
        one_of("format", &["raw", "qcow2"]),
    ])
    .with_text()
    .unless_empty();
static NVRAM: Shape = shape("nvram")
    .attributes(&[
        text("type"),
        text("template"),
        one_of("templateFormat", &["raw", "qcow2"]),
        one_of("format", &["raw", "qcow2"]),
    ])
    .children(&[one(&super::devices::disk_source::SOURCE)])
    .with_text();
static KERNEL: Shape = text_shape("kernel");
static INITRD: Shape = text_shape("initrd");
static COMMAND_LINE: Shape = text_shape("cmdline");
static SHIM: Shape = text_shape("shim");
static DEVICE_TREE: Shape = text_shape("dtb");
static ACPI: Shape = shape("acpi").children(&[many(&TABLE)]).unless_empty();
static TABLE: Shape =
    shape("table").attributes(&[one_of("type", &["raw", "rawset", "slic", "msdm"]).required()]).with_text();
static BOOT: Shape = shape("boot").attributes(&[one_of("dev", &["fd", "hd", "cdrom", "network"]).required()]);
static BOOT_MENU: Shape = shape("bootmenu")
    .attributes(&[yes_no("enable"), text("timeout")])
    .after(|menu| {
        if menu.attribute("enable") != Some("yes") {
            menu.unset("timeout");
        }
        match menu.attribute("timeout").map(str::parse::<u16>) {
            Some(Err(_)) => Err(Error::unsupported_configuration(
                "invalid value for boot menu timeout, must be in range [0,65535]",
            )),
            _ => Ok(()),
        }
    })
    .unless_empty();
static BIOS: Shape = shape("bios")
    .attributes(&[yes_no("useserial"), text("rebootTimeout")])
    .after(|bios| match bios.attribute("rebootTimeout").map(str::parse::<i32>) {
        Some(Ok(-1..=65535)) | None => Ok(()),
        Some(_) => Err(Error::unsupported_configuration(
            "invalid value for rebootTimeout, must be in range [-1,65535]",
        )),
    })
    .unless_empty();
static SMBIOS: Shape =
    shape("smbios").attributes(&[one_of("mode", &["emulate", "host", "sysinfo"]).required()]);

fn complete(os: &mut Element) -> Result<()> {
    let has_nvram = os.child("nvram").is_some();
    let has_loader = os.child("loader").is_some();
    if has_nvram && !has_loader && os.attribute("firmware").is_none() {
        return Err(Error::new(
            crate::error::ErrorCode::XML_DETAIL,
            "no loader path specified and firmware auto selection disabled",
        ));
    }
    if let Some(loader) = os.child_mut("loader") {
        if loader.attribute("type").is_none() && !loader.text().trim().is_empty() {
            loader.set("type", "rom");
        }
        LOADER.arrange(loader);
    }
    if os.attribute("firmware").is_none() {
        os.remove("firmware");
    }
    drop_needless(os);
    Ok(())
}

/// Takes out what only containers have.
fn drop_needless(os: &mut Element) {
    let is_container = os.child_text("type").as_deref() == Some("exe");
    let container_only = ["init", "initarg", "initenv", "initdir", "inituser", "initgroup"];
    if !is_container {
        os.retain(|child| !container_only.contains(&child.name.as_str()));
    }
}

/// `<bootloader>`.
pub static BOOTLOADER: Shape = text_shape("bootloader");
/// `<bootloader_args>`.
pub static BOOTLOADER_ARGUMENTS: Shape = text_shape("bootloader_args");

/// `<sysinfo>`.
pub static SYSINFO: Shape =
    shape("sysinfo").attributes(&[one_of("type", &["smbios", "fwcfg"]).required()]).children(&[
        one(&SYSINFO_BIOS),
        one(&SYSTEM),
        many(&BASE_BOARD),
        one(&CHASSIS),
        one(&OEM_STRINGS),
        many(&ENTRY),
    ]);
static SYSINFO_BIOS: Shape = shape("bios").children(&[many(&ENTRY)]).unless_empty();
static SYSTEM: Shape = shape("system").children(&[many(&ENTRY)]).unless_empty().after(|system| {
    let known = ["manufacturer", "product", "version", "serial", "uuid", "sku", "family"];
    system.retain(|entry| entry.attribute("name").is_some_and(|name| known.contains(&name)));
    Ok(())
});
static BASE_BOARD: Shape = shape("baseBoard").children(&[many(&ENTRY)]).unless_empty();
static CHASSIS: Shape = shape("chassis").children(&[many(&ENTRY)]).unless_empty();
static OEM_STRINGS: Shape = shape("oemStrings").children(&[many(&ENTRY)]).unless_empty();
static ENTRY: Shape = shape("entry").attributes(&[text("name"), text("file")]).with_text();
