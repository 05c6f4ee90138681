//! The small devices: input, entropy, watchdog, balloon, panic, sockets to the host.

use super::builder::{Builder, alias};
use super::properties::Properties;
use crate::error::{Error, Result};
use crate::qemud::define::{address, number};
use crate::xml::Element;
use serde_json::json;

/// The arguments.
pub fn arguments(builder: &mut Builder<'_>) -> Result<()> {
    for input in builder.devices("input") {
        input_device(builder, input);
    }
    watchdogs(builder);
    for balloon in builder.devices("memballoon") {
        memory_balloon(builder, balloon);
    }
    for rng in builder.devices("rng") {
        entropy(builder, rng);
    }
    for panic in builder.devices("panic") {
        match panic.attribute("model") {
            Some("pvpanic") => {
                let properties = Properties::default().with("driver", "pvpanic-pci");
                builder.device(&properties.at(panic, &builder.buses));
            }
            Some("isa") => {
                let port = address(panic, "isa").and_then(|place| place.attribute("iobase"));
                let port = port.and_then(|port| u32::from_str_radix(port.trim_start_matches("0x"), 16).ok());
                builder.device(&Properties::default().with("driver", "pvpanic").with_some("ioport", port));
            }
            _ => {} // Hyper-V's is a feature of the processor
        }
    }
    if builder.active.child_attribute("features/vmcoreinfo", "state") == Some("on") {
        builder.device(&Properties::default().with("driver", "vmcoreinfo"));
    }
    for vsock in builder.devices("vsock") {
        if !std::path::Path::new("/dev/vhost-vsock").exists() {
            return Err(Error::unsupported_configuration("unable to open vhost-vsock device"));
        }
        let driver = builder.virtio("vhost-vsock", vsock, vsock.attribute("model"));
        let cid = number(vsock.child_attribute("cid", "address"));
        let properties =
            Properties::device(&driver, alias(vsock)).with_some("guest-cid", cid).with_virtio(vsock);
        let properties = properties.at(vsock, &builder.buses);
        builder.device(&properties);
    }
    Ok(())
}

fn input_device(builder: &mut Builder<'_>, input: &Element) {
    let kind = input.attribute("type").unwrap_or_default();
    let driver = match input.attribute("bus") {
        Some("usb") => match kind {
            "keyboard" => "usb-kbd".to_string(),
            kind => format!("usb-{kind}"),
        },
        Some("virtio") => builder.virtio(&format!("virtio-{kind}"), input, None),
        _ => return, // PS/2 ports are on the board
    };
    let properties = Properties::device(&driver, alias(input)).with_virtio(input).at(input, &builder.buses);
    builder.device(&properties);
}

fn watchdogs(builder: &mut Builder<'_>) {
    let mut action = None;
    for watchdog in builder.devices("watchdog") {
        action = action.or(watchdog.attribute("action"));
        match watchdog.attribute("model") {
            // Part of the board; it only must be told that it may act.
            Some("itco") => builder.option("-global", "ICH9-LPC.noreboot=off"),
            Some(model) => {
                let properties = Properties::device(model, alias(watchdog)).at(watchdog, &builder.buses);
                builder.device(&properties);
            }
            None => {}
        }
    }
    if let Some(action) = action {
        // A dump is the driver's work: the guest is stopped, and the event tells why.
        let action = if action == "dump" { "pause" } else { action };
        builder.option("-action", format!("watchdog={action}"));
    }
}

fn memory_balloon(builder: &mut Builder<'_>, balloon: &Element) {
    let model = balloon.attribute("model");
    if model == Some("none") {
        return;
    }
    let id = alias(balloon);
    let driver = builder.virtio("virtio-balloon", balloon, model);
    let properties = Properties::device(&driver, id)
        .with_switch("deflate-on-oom", balloon.attribute("autodeflate"))
        .with_switch("free-page-reporting", balloon.attribute("freePageReporting"))
        .with_virtio(balloon)
        .at(balloon, &builder.buses);
    builder.device(&properties);
    if let Some(period) = number(balloon.child_attribute("stats", "period")) {
        let path = format!("/machine/peripheral/{id}");
        builder.ask(
            "qom-set",
            json!({ "path": path, "property": "guest-stats-polling-interval", "value": period }),
        );
    }
    let amount = |name: &str| builder.active.child_text(name).and_then(|text| text.parse::<u64>().ok());
    if let (Some(most), Some(now)) = (amount("memory"), amount("currentMemory"))
        && now < most
    {
        builder.ask("balloon", json!({ "value": now * 1024 }));
    }
}

fn entropy(builder: &mut Builder<'_>, rng: &Element) {
    let id = alias(rng);
    let object = format!("obj{id}");
    let backend = match rng.child_attribute("backend", "model") {
        Some("builtin") => Properties::object("rng-builtin", &object),
        _ => {
            let file = rng.child_text("backend").filter(|file| !file.is_empty());
            Properties::object("rng-random", &object)
                .with("filename", file.unwrap_or_else(|| "/dev/urandom".into()))
        }
    };
    builder.object(&backend);
    let driver = builder.virtio("virtio-rng", rng, rng.attribute("model"));
    let rate = |name: &str| number(rng.child_attribute("rate", name));
    let bytes = rate("bytes");
    let properties = Properties::default()
        .with("driver", driver)
        .with("rng", object)
        .with("id", id)
        .with_some("max-bytes", bytes)
        .with_some("period", bytes.map(|_| rate("period").unwrap_or(1000)))
        .with_virtio(rng)
        .at(rng, &builder.buses);
    builder.device(&properties);
}
