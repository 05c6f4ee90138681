//! From a configuration to a definition.

use super::{Kind, Use, disk, display, interface, machine};
use crate::backend::xen::native::config::{Config, Value};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::xml::Element;

/// Keys of our own: what a definition says about a domain that the toolstack has no words for. It passes over them.
pub(super) const OWN_KEYS: [(&str, &str); 3] =
    [("hvsh_title", "title"), ("hvsh_description", "description"), ("hvsh_metadata", "metadata")];

/// The definition that a configuration means, not completed yet.
pub fn domain_from_config(config: &Config, purpose: Use) -> Result<Element> {
    let kind = Kind::of_config(config);
    let name = config.text("name").filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| refuse("the configuration gives no name"))?;
    let mut domain = Element::new("domain").with("type", "xen");
    domain.push(Element::new("name").with_text(name));
    if let Some(uuid) = config.text("uuid") {
        domain.push(Element::new("uuid").with_text(uuid));
    }
    push_own(config, &mut domain)?;
    push_memory(config, &mut domain)?;
    push_vcpus(config, &mut domain)?;
    machine::push_os(config, kind, &mut domain);
    machine::push_features(config, kind, &mut domain);
    machine::push_clock(config, &mut domain);
    for (key, default) in [("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")] {
        let action = config.text(key).unwrap_or_else(|| default.to_string());
        domain.push(Element::new(key).with_text(action));
    }
    domain.push(devices(config, kind, purpose)?);
    if purpose != Use::Kept {
        use_their_words(&mut domain, kind);
    }
    Ok(domain)
}

/// Says what others say, though it means nothing: how the clock of this kind of guest is kept, the loader's format.
pub fn use_their_words(domain: &mut Element, kind: Kind) {
    if let Some(clock) =
        domain.child_mut("clock").filter(|clock| clock.attribute("offset") != Some("variable"))
    {
        let basis = clock.attribute("offset").unwrap_or("utc").to_string();
        if kind == Kind::Hvm {
            clock.set("offset", "variable");
            clock.set("adjustment", 0);
            clock.set("basis", basis);
        } else {
            clock.set("adjustment", "reset");
        }
    }
    if let Some(loader) = domain.child_mut("os").and_then(|os| os.child_mut("loader")) {
        loader.set("format", "raw");
    }
}

fn refuse(detail: &str) -> Error {
    Error::new(ErrorCode::CONFIG_SYNTAX, detail).from_origin(ErrorOrigin::XEN)
}

fn push_own(config: &Config, domain: &mut Element) -> Result<()> {
    for (key, name) in OWN_KEYS {
        let Some(text) = config.text(key) else { continue };
        domain.push(match name {
            "metadata" => crate::xml::parse(&text, "domain_metadata")?,
            _ => Element::new(name).with_text(text),
        });
    }
    Ok(())
}

fn push_memory(config: &Config, domain: &mut Element) -> Result<()> {
    let mebibytes = |key: &str| -> Result<Option<u64>> {
        let Some(value) = config.get(key) else { return Ok(None) };
        let number = config.number(key).and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| *number < 1 << 40);
        number.map(Some).ok_or_else(|| refuse(&format!("{key} = {value}: not an amount of memory in MiB")))
    };
    let current = mebibytes("memory")?;
    let maximum = mebibytes("maxmem")?.or(current);
    let maximum = maximum.ok_or_else(|| refuse("the configuration gives no memory"))?;
    let kib = |name: &str, mebibytes: u64| Element::new(name).with("unit", "KiB").with_text(mebibytes * 1024);
    domain.push(kib("memory", maximum));
    domain.push(kib("currentMemory", current.unwrap_or(maximum).min(maximum)));
    Ok(())
}

fn push_vcpus(config: &Config, domain: &mut Element) -> Result<()> {
    let count = |key: &str| -> Result<Option<u32>> {
        let Some(value) = config.get(key) else { return Ok(None) };
        let number = config.number(key).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| (1..=4096).contains(number));
        number.map(Some).ok_or_else(|| refuse(&format!("{key} = {value}: not a number of virtual CPUs")))
    };
    let current = count("vcpus")?;
    let maximum = count("maxvcpus")?.or(current).unwrap_or(1);
    let current = current.unwrap_or(maximum).min(maximum);
    let mut vcpu = Element::new("vcpu").with("placement", "static");
    let mut pins = Element::new("cputune");
    match config.get("cpus") {
        Some(Value::List(places)) => {
            for (number, place) in places.iter().enumerate().take(maximum as usize) {
                let place = place.as_text().unwrap_or_default();
                if matches!(place.as_str(), "" | "all") {
                    continue;
                }
                pins.push(Element::new("vcpupin").with("vcpu", number).with("cpuset", place));
            }
        }
        Some(value) => {
            let text = value.as_text().unwrap_or_default();
            if text.starts_with(|c: char| c.is_ascii_digit()) {
                vcpu.set("cpuset", text);
            }
        }
        None => {}
    }
    if current < maximum {
        vcpu.set("current", current);
    }
    domain.push(vcpu.with_text(maximum));
    if pins.elements().next().is_some() {
        domain.push(pins);
    }
    Ok(())
}

fn devices(config: &Config, kind: Kind, purpose: Use) -> Result<Element> {
    let mut devices = Element::new("devices");
    if let Some(program) = config.text("device_model_override").filter(|path| !path.is_empty()) {
        devices.push(Element::new("emulator").with_text(program));
    }
    for specification in config.list("disk").iter().filter(|text| !text.trim().is_empty()) {
        devices.push(disk::element(specification, kind, purpose)?);
    }
    for specification in config.list("vif") {
        devices.push(interface::element(&specification, kind)?);
    }
    for console in display::consoles(config, kind) {
        devices.push(console);
    }
    for input in machine::inputs(config) {
        devices.push(input);
    }
    for screen in display::screens(config, kind) {
        devices.push(screen);
    }
    for device in machine::cards(config, kind)? {
        devices.push(device);
    }
    Ok(devices)
}
