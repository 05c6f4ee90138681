//! Which devices can be honoured; disks have a file of their own.

use super::board::Board;
use super::devices::{Devices, model, number};
use super::refuse;
use super::supported::{one_of, only};
use crate::error::{Error, Result};
use crate::qemud::capabilities::QemuCapabilities;
use crate::xml::Element;

const DEVICES: &[&str] = &[
    "emulator",
    "disk",
    "controller",
    "interface",
    "serial",
    "console",
    "channel",
    "input",
    "tpm",
    "graphics",
    "sound",
    "audio",
    "video",
    "hub",
    "watchdog",
    "memballoon",
    "rng",
    "panic",
    "vsock",
    "redirdev",
    "smartcard",
];

/// Checks everything inside `<devices>`.
pub fn check(tree: &Element, devices: &Devices, board: Board, capabilities: &QemuCapabilities) -> Result<()> {
    for device in &devices.items {
        if !DEVICES.contains(&device.name.as_str()) {
            return Err(refuse::element(device));
        }
        match device.name.as_str() {
            "disk" => super::supported_disk::check(device, board, capabilities)?,
            "interface" => interface(device)?,
            "serial" | "console" | "channel" => chardev(device)?,
            "graphics" => graphics(device, capabilities)?,
            "video" => video(device, capabilities)?,
            "input" => {
                one_of(device, "type", &["mouse", "tablet", "keyboard"])?;
                one_of(device, "bus", &["ps2", "usb", "virtio"])?;
            }
            "watchdog" => watchdog(device, board)?,
            "memballoon" => one_of(
                device,
                "model",
                &["virtio", "none", "virtio-non-transitional", "virtio-transitional"],
            )?,
            "rng" => rng(device)?,
            "panic" => panic_device(device, capabilities)?,
            "tpm" => tpm(device)?,
            "audio" => one_of(device, "type", &["none", "spice"])?,
            "redirdev" => {
                one_of(device, "bus", &["usb"])?;
                one_of(device, "type", &["spicevmc"])?;
            }
            "smartcard" => {
                one_of(device, "mode", &["passthrough"])?;
                one_of(device, "type", &["spicevmc"])?;
            }
            "sound" => one_of(device, "model", &["ich6", "ich9", "ac97", "es1370", "usb"])?,
            "hub" => one_of(device, "type", &["usb"])?,
            "vsock" => {
                one_of(device, "model", &["virtio", "virtio-non-transitional", "virtio-transitional"])?
            }
            _ => {}
        }
    }
    iothreads(tree, devices)
}

fn interface(device: &Element) -> Result<()> {
    one_of(device, "type", &["user", "bridge", "ethernet", "network"])?;
    if device.attribute("type") == Some("bridge") && device.child_attribute("source", "bridge").is_none() {
        return Err(Error::xml("No <source> 'bridge' attribute specified with <interface type='bridge'/>"));
    }
    let models = [
        "",
        "virtio",
        "virtio-non-transitional",
        "virtio-transitional",
        "e1000e",
        "e1000",
        "rtl8139",
        "ne2k_pci",
        "pcnet",
        "vmxnet3",
        "igb",
    ];
    if !models.contains(&model(device)) {
        return Err(refuse::value(device, "model", model(device)));
    }
    only(
        device,
        &[
            "mac",
            "source",
            "target",
            "model",
            "driver",
            "backend",
            "portForward",
            "mtu",
            "link",
            "boot",
            "alias",
            "address",
            "guest",
            "rom",
            "ip",
        ],
    )?;
    if let Some(backend) = device.child("backend") {
        one_of(backend, "type", &["passt", "default"])?;
        if device.attribute("type") != Some("user") && backend.attribute("type") == Some("passt") {
            return Err(refuse::because(
                backend,
                "The 'passt' backend can only be used with interface type='user'",
            ));
        }
    }
    if let Some(driver) = device.child("driver") {
        one_of(driver, "name", &["qemu", "vhost"])?;
    }
    Ok(())
}

fn chardev(device: &Element) -> Result<()> {
    match device.attribute("type") {
        // Where a viewer of the screen is the other end.
        Some("spicevmc") if device.name == "channel" => {}
        _ => one_of(device, "type", &["pty", "unix", "tcp", "file", "null", "udp", "pipe", "dev"])?,
    }
    if device.attribute("type") == Some("tcp") {
        if let Some(other @ ("telnets" | "tls")) = device.child_attribute("protocol", "type") {
            let detail = format!("tcp chardev protocol '{other}' not supported");
            return Err(Error::unsupported_configuration(detail));
        }
        if let Some(source) = device.children("source").find(|source| source.attribute("tls") == Some("yes"))
        {
            return Err(refuse::value(source, "tls", "yes"));
        }
    }
    let path_needed = matches!(device.attribute("type"), Some("file" | "pipe" | "dev"));
    if path_needed && device.child_attribute("source", "path").is_none() {
        return Err(Error::xml(format!("Missing source path attribute for char device ({})", device.name)));
    }
    let Some(target) = device.child("target") else {
        return Ok(());
    };
    let known: &[&str] = match device.name.as_str() {
        "serial" => &["isa-serial", "pci-serial", "usb-serial", "system-serial", "none"],
        "console" => &["serial", "virtio"],
        _ => &["virtio"],
    };
    one_of(target, "type", known)
}

fn graphics(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    one_of(device, "type", &["vnc", "spice", "egl-headless"])?;
    match device.attribute("type") {
        Some("vnc") if !capabilities.has_command("query-vnc") => {
            Err(Error::unsupported_configuration("vnc graphics are not supported with this QEMU"))
        }
        // The question alone is there without the module that shows anything.
        Some("spice") if !capabilities.has_option("spice") => {
            Err(Error::unsupported_configuration("spice graphics are not supported with this QEMU"))
        }
        _ => Ok(()),
    }?;
    if let Some(port) =
        device.attribute("tlsPort").filter(|port| number(Some(port)).is_some_and(|port| port > 0))
    {
        return Err(refuse::value(device, "tlsPort", port));
    }
    if let Some(channel) =
        device.child("channel").filter(|channel| channel.attribute("mode") == Some("secure"))
    {
        return Err(refuse::value(channel, "mode", "secure"));
    }
    if let Some(gl) = device.child("gl").filter(|gl| gl.attribute("enable") == Some("yes")) {
        return Err(refuse::value(gl, "enable", "yes"));
    }
    match device.child("listen") {
        Some(listen) => one_of(listen, "type", &["address", "socket", "none"]),
        None => Ok(()),
    }
}

fn panic_device(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    one_of(device, "model", &["isa", "pvpanic", "hyperv"])?;
    let (name, kind) = match device.attribute("model") {
        Some("isa") => ("ISA panic", "pvpanic"),
        Some("pvpanic") => ("PCI panic", "pvpanic-pci"),
        _ => return Ok(()),
    };
    match capabilities.has_type(kind) {
        true => Ok(()),
        false => Err(Error::unsupported_configuration(format!(
            "the QEMU binary does not support the {name} device"
        ))),
    }
}

fn video(device: &Element, capabilities: &QemuCapabilities) -> Result<()> {
    let Some(model) = device.child("model") else {
        return Err(refuse::because(device, "video device without a model"));
    };
    one_of(model, "type", &["virtio", "qxl", "vga", "bochs", "cirrus", "vmvga", "none", "ramfb"])?;
    let kind = model.attribute("type").unwrap_or_default();
    let built_in = match kind {
        "virtio" => capabilities.has_type("virtio-gpu-device"),
        "qxl" => capabilities.has_type("qxl"),
        "vga" => capabilities.has_type("VGA"),
        "bochs" => capabilities.has_type("bochs-display"),
        "cirrus" => capabilities.has_type("cirrus-vga"),
        "vmvga" => capabilities.has_type("vmware-svga"),
        "ramfb" => capabilities.has_type("ramfb"),
        _ => true,
    };
    if !built_in {
        return Err(Error::unsupported_configuration(format!(
            "domain configuration does not support video model '{kind}'"
        )));
    }
    match model.child_attribute("acceleration", "accel3d") {
        Some("yes") => Err(refuse::because(model, "3D acceleration is not supported by this driver")),
        _ => Ok(()),
    }
}

fn watchdog(device: &Element, board: Board) -> Result<()> {
    one_of(device, "model", &["itco", "i6300esb", "ib700"])?;
    one_of(device, "action", &["reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi"])?;
    match device.attribute("model") {
        Some("itco") if !board.family.is_q35 => {
            Err(Error::unsupported_configuration("itco model of watchdog is only part of q35 machine"))
        }
        Some("ib700") if !board.family.is_i440fx => Err(Error::unsupported_configuration(
            "ib700 model of watchdog cannot be used with this machine type",
        )),
        _ => Ok(()),
    }
}

fn rng(device: &Element) -> Result<()> {
    one_of(device, "model", &["virtio", "virtio-non-transitional", "virtio-transitional"])?;
    match device.child("backend") {
        Some(backend) => one_of(backend, "model", &["random", "builtin"]),
        None => Err(Error::xml("missing RNG backend")),
    }
}

fn tpm(device: &Element) -> Result<()> {
    one_of(device, "model", &["tpm-tis", "tpm-crb"])?;
    match device.child("backend") {
        Some(backend) => {
            only(backend, &["source"])?;
            one_of(backend, "type", &["emulator"])?;
            one_of(backend, "version", &["1.2", "2.0", "default"])?;
            if device.attribute("model") == Some("tpm-crb") && backend.attribute("version") == Some("1.2") {
                let detail = "TPM 1.2 is not supported for model 'tpm-crb'";
                return Err(Error::unsupported_configuration(detail));
            }
            Ok(())
        }
        None => Err(Error::xml("missing TPM device backend")),
    }
}

/// Disks may only name threads that are defined.
fn iothreads(tree: &Element, devices: &Devices) -> Result<()> {
    let count = tree.child_text("iothreads").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let named: Vec<u32> = tree
        .find("iothreadids")
        .into_iter()
        .flat_map(|ids| ids.children("iothread"))
        .filter_map(|thread| number(thread.attribute("id")))
        .collect();
    let threads = count.max(named.len() as u32);
    for disk in devices.of("disk") {
        let Some(thread) = number(disk.child_attribute("driver", "iothread")) else {
            continue;
        };
        let known =
            thread > 0 && (named.contains(&thread) || (named.len() < threads as usize && thread <= threads));
        if !known {
            return Err(Error::unsupported_configuration(format!(
                "Disk iothread '{thread}' not defined in iothreadid"
            )));
        }
    }
    Ok(())
}
