//! What a person sees and hears: video cards, VNC and SPICE, sound.

use super::active::vnc_port_of;
use super::builder::{Builder, alias, child_number};
use super::properties::{Properties, comma};
use crate::error::{Error, Result};
use crate::xml::Element;
use serde_json::json;

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    let sink = builder.devices("audio").next().and_then(|audio| audio.attribute("type")).unwrap_or("none");
    builder.option("-audiodev", format!(r#"{{"id":"audio1","driver":"{sink}"}}"#));
    for graphics in builder.devices("graphics") {
        match graphics.attribute("type").unwrap_or_default() {
            "vnc" => vnc(builder, graphics)?,
            "spice" => spice(builder, graphics),
            "egl-headless" => builder.option("-display", "egl-headless"),
            other => {
                return Err(Error::unsupported_configuration(format!(
                    "graphics type '{other}' is not supported by this driver"
                )));
            }
        }
    }
    for video in builder.devices("video") {
        card(builder, video)?;
    }
    for sound in builder.devices("sound") {
        sound_card(builder, sound);
    }
    Ok(())
}

fn vnc(builder: &mut Builder<'_>, graphics: &Element) -> Result<()> {
    let mut text = match listening_socket(builder, graphics) {
        Listening::Socket(path) => format!("unix:{}", comma(&path)),
        Listening::Nowhere => "none".to_string(),
        Listening::Address(host) => {
            let written = graphics.attribute("port").unwrap_or_default();
            let port: u16 = written.parse().ok().filter(|port| *port >= 5900).ok_or_else(|| {
                Error::unsupported_configuration(format!("vnc port {written} must be in range [5900,65535]"))
            })?;
            let host = if host.contains(':') { format!("[{host}]") } else { host };
            format!("{host}:{}", vnc_port_of(port))
        }
    };
    match graphics.attribute("sharePolicy") {
        Some("allow-exclusive") => text.push_str(",share=allow-exclusive"),
        Some("force-shared") => text.push_str(",share=force-shared"),
        Some("ignore") => text.push_str(",share=ignore"),
        _ => {}
    }
    if let Some(password) = graphics.attribute("passwd") {
        // The password itself goes over the monitor, where other users of the host cannot read it.
        text.push_str(",password=on");
        builder.ask("set_password", json!({ "protocol": "vnc", "password": password }));
    }
    if let Some(port) = graphics.attribute("websocket") {
        text.push_str(&format!(",websocket={}", comma(port)));
    }
    builder.option("-vnc", format!("{text},audiodev=audio1"));
    if let Some(keymap) = graphics.attribute("keymap") {
        builder.option("-k", keymap);
    }
    Ok(())
}

enum Listening {
    Address(String),
    Socket(String),
    Nowhere,
}

fn listening_socket(builder: &Builder<'_>, graphics: &Element) -> Listening {
    let listen = graphics.child("listen");
    let said = |name: &str| listen.and_then(|listen| listen.attribute(name));
    match said("type") {
        Some("socket") => {
            let made =
                || builder.runtime.join(format!("{}.sock", graphics.attribute("type").unwrap_or("vnc")));
            let path = said("socket").map_or_else(|| made().display().to_string(), str::to_string);
            Listening::Socket(path)
        }
        Some("none") => Listening::Nowhere,
        _ => Listening::Address(
            said("address").or(graphics.attribute("listen")).unwrap_or("127.0.0.1").to_string(),
        ),
    }
}

fn spice(builder: &mut Builder<'_>, graphics: &Element) {
    let mut parts = match listening_socket(builder, graphics) {
        Listening::Socket(path) => vec!["unix=on".to_string(), format!("addr={}", comma(&path))],
        Listening::Nowhere => vec!["port=0".to_string()],
        Listening::Address(host) => {
            vec![
                format!("port={}", graphics.attribute("port").unwrap_or("0")),
                format!("addr={}", comma(&host)),
            ]
        }
    };
    if let Some(mode) = graphics.child_attribute("mouse", "mode") {
        parts.push(format!("agent-mouse={}", if mode == "client" { "on" } else { "off" }));
    }
    match graphics.attribute("passwd") {
        Some(password) => builder.ask("set_password", json!({ "protocol": "spice", "password": password })),
        None => parts.push("disable-ticketing=on".into()),
    }
    for (child, attribute, option) in SPICE_OPTIONS {
        if let Some(value) = graphics.child_attribute(child, attribute) {
            parts.push(format!("{option}={}", comma(value)));
        }
    }
    for (child, attribute, option) in SPICE_REFUSALS {
        if graphics.child_attribute(child, attribute) == Some("no") {
            parts.push(format!("{option}=on"));
        }
    }
    parts.push("seamless-migration=on".into());
    builder.option("-spice", parts.join(","));
    if let Some(keymap) = graphics.attribute("keymap") {
        builder.option("-k", keymap);
    }
}

/// What a person may say about the pictures, and the option that carries it.
const SPICE_OPTIONS: [(&str, &str, &str); 5] = [
    ("image", "compression", "image-compression"),
    ("jpeg", "compression", "jpeg-wan-compression"),
    ("zlib", "compression", "zlib-glz-wan-compression"),
    ("playback", "compression", "playback-compression"),
    ("streaming", "mode", "streaming-video"),
];
/// What is allowed unless a person says no.
const SPICE_REFUSALS: [(&str, &str, &str); 2] =
    [("clipboard", "copypaste", "disable-copy-paste"), ("filetransfer", "enable", "disable-agent-file-xfer")];

fn card(builder: &mut Builder<'_>, video: &Element) -> Result<()> {
    let Some(model) = video.child("model") else {
        return Ok(());
    };
    let primary = model.attribute("primary") == Some("yes");
    let kind = model.attribute("type").unwrap_or_default();
    let megabytes = |name: &str| child_number(video, "model", name).map(|kib| kib / 1024);
    let heads = child_number(video, "model", "heads");
    let pc = builder.board.arch.is_x86;
    let (driver, properties) = match kind {
        "none" => return Ok(()),
        "virtio" => {
            let driver = match primary && pc && builder.capabilities.has_type("virtio-vga") {
                true => "virtio-vga".to_string(),
                false => builder.virtio("virtio-gpu", video, None),
            };
            let properties = Properties::default()
                .with_some("max_outputs", heads)
                .with_switch("blob", model.attribute("blob"))
                .with_virtio(video);
            (driver, properties)
        }
        "qxl" => {
            let bytes = |name: &str| child_number(video, "model", name).map(|kib| u64::from(kib) * 1024);
            let properties = Properties::default()
                .with_some("max_outputs", heads)
                .with_some("ram_size", bytes("ram"))
                .with_some("vram_size", bytes("vram"))
                .with_some("vram64_size_mb", megabytes("vram64").or(Some(0)))
                .with_some("vgamem_mb", megabytes("vgamem"));
            (if primary { "qxl-vga" } else { "qxl" }.to_string(), properties)
        }
        "vga" => {
            let driver = if primary { "VGA" } else { "secondary-vga" };
            (driver.to_string(), Properties::default().with_some("vgamem_mb", megabytes("vram")))
        }
        "cirrus" => ("cirrus-vga".to_string(), Properties::default()),
        "vmvga" => {
            let properties = Properties::default().with_some("vgamem_mb", megabytes("vram"));
            ("vmware-svga".to_string(), properties)
        }
        "bochs" => {
            let bytes = child_number(video, "model", "vram").map(|kib| u64::from(kib) * 1024);
            ("bochs-display".to_string(), Properties::default().with_some("vgamem", bytes))
        }
        other => (other.to_string(), Properties::default()),
    };
    if !builder.capabilities.has_type(&driver) {
        return Err(Error::unsupported_configuration(format!(
            "domain configuration does not support video model '{kind}'"
        )));
    }
    let resolution = model.child("resolution");
    let size = |name: &str| resolution.and_then(|resolution| resolution.attribute(name)?.parse::<u32>().ok());
    let mut device = Properties::device(&driver, alias(video)).merge(properties);
    device = device.with_some("xres", size("x")).with_some("yres", size("y"));
    let device = device.at(video, &builder.buses);
    builder.device(&device);
    Ok(())
}

fn sound_card(builder: &mut Builder<'_>, sound: &Element) {
    let id = alias(sound);
    let driver = match sound.attribute("model").unwrap_or_default() {
        "ich6" => "intel-hda",
        "ich9" => "ich9-intel-hda",
        "ac97" => "AC97",
        "es1370" => "ES1370",
        _ => "usb-audio",
    };
    let properties = Properties::device(driver, id);
    let has_codec = driver.ends_with("hda");
    let properties = if has_codec { properties } else { properties.with("audiodev", "audio1") };
    let properties = properties.at(sound, &builder.buses);
    builder.device(&properties);
    if !has_codec {
        return;
    }
    let written: Vec<&Element> = sound.children("codec").collect();
    let kinds: Vec<&str> = match written.is_empty() {
        true => vec!["duplex"],
        false => written.iter().map(|codec| codec.attribute("type").unwrap_or("duplex")).collect(),
    };
    for (number, kind) in kinds.iter().enumerate() {
        let codec = Properties::device(&format!("hda-{kind}"), &format!("{id}-codec{number}"))
            .with("bus", format!("{id}.0"))
            .with("cad", number)
            .with("audiodev", "audio1");
        builder.device(&codec);
    }
}
