//! `-cpu`: the model, the features, and what else of the definition the processor carries.

use super::builder::Builder;
use super::properties::switch;
use crate::error::{Error, Result};
use crate::qemud::capabilities::Accelerator;
use crate::qemud::define::number;
use crate::xml::Element;

/// The argument; none when QEMU's own choice is wanted.
pub fn argument(builder: &Builder<'_>) -> Result<Option<String>> {
    let Some(mut text) = model(builder)? else {
        return Ok(None);
    };
    let cpu = builder.active.child("cpu");
    for feature in cpu.into_iter().flat_map(|cpu| cpu.children("feature")) {
        let name = feature.attribute("name").unwrap_or_default().replace('_', "-");
        match feature.attribute("policy") {
            Some("disable" | "forbid") => text.push_str(&format!(",{name}=off")),
            Some("optional") => {}
            _ => text.push_str(&format!(",{name}=on")),
        }
    }
    match cpu.and_then(|cpu| cpu.child_attribute("cache", "mode")) {
        Some("passthrough") => text.push_str(",host-cache-info=on,l3-cache=off"),
        Some("disable") => text.push_str(",l3-cache=off"),
        _ => {}
    }
    if let Some(bits) = cpu.and_then(|cpu| cpu.child("maxphysaddr")) {
        match (bits.attribute("mode"), bits.attribute("bits")) {
            (Some("passthrough"), _) => text.push_str(",host-phys-bits=on"),
            (_, Some(bits)) => text.push_str(&format!(",phys-bits={bits}")),
            _ => {}
        }
    }
    if builder.board.arch.is_x86 {
        timers(builder.active, &mut text);
        features(builder.active, &mut text);
        if builder.devices("panic").any(|panic| panic.attribute("model") == Some("hyperv")) {
            text.push_str(",hv-crash");
        }
    } else if let Some(pmu) = builder.active.find("features/pmu") {
        text.push_str(&format!(",pmu={}", pmu.attribute("state").unwrap_or("on")));
    }
    Ok(Some(text))
}

fn model(builder: &Builder<'_>) -> Result<Option<String>> {
    let Some(cpu) = builder.active.child("cpu") else {
        return Ok(None);
    };
    let accelerated = builder.is_accelerated();
    match cpu.attribute("mode") {
        Some("host-passthrough") if !accelerated => {
            let arch = builder.board.arch.name;
            Err(Error::unsupported_configuration(format!(
                "CPU mode 'host-passthrough' for {arch} qemu domain on {} host is not supported by hypervisor",
                crate::qemud::capabilities::architecture::host()
            )))
        }
        Some("host-passthrough") => {
            let migratable = match cpu.attribute("migratable") {
                Some(state) if builder.board.arch.is_x86 => format!(",migratable={state}"),
                _ => String::new(),
            };
            Ok(Some(format!("host{migratable}")))
        }
        // The nearest to the host's model that the accelerator can run; features that cannot migrate are left out.
        Some("host-model") if accelerated && builder.board.arch.is_x86 => {
            Ok(Some("host,migratable=on".into()))
        }
        Some("host-model") if accelerated => Ok(Some("host".into())),
        Some("maximum") => {
            let migratable = cpu.attribute("migratable").map(|state| format!(",migratable={state}"));
            Ok(Some(format!("max{}", migratable.unwrap_or_default())))
        }
        Some("host-model") => Ok(Some("max".into())),
        _ => named(builder, cpu),
    }
}

fn named(builder: &Builder<'_>, cpu: &Element) -> Result<Option<String>> {
    let Some(name) = cpu.child_text("model").filter(|name| !name.is_empty()) else {
        return Ok(None);
    };
    // The machine's own model needs no asking, which spares most guests the list.
    let machine = builder.capabilities.machine(builder.machine());
    let own = machine.and_then(|machine| machine.default_cpu_type.as_deref());
    if own.and_then(|own| own.strip_suffix(builder.board.arch.cpu_suffix)) == Some(name.as_str()) {
        return Ok(Some(name));
    }
    let accelerator = if builder.is_accelerated() { Accelerator::Kvm } else { Accelerator::Tcg };
    let models = builder.capabilities.cpu_models(accelerator)?;
    if models.model(&name).is_none() {
        return Err(Error::internal(format!("Unknown CPU model {name}")));
    }
    Ok(Some(name))
}

fn timers(active: &Element, text: &mut String) {
    for timer in active.child("clock").into_iter().flat_map(|clock| clock.children("timer")) {
        let present = switch(timer.attribute("present"));
        match (timer.attribute("name"), present) {
            (Some("kvmclock"), Some(false)) => text.push_str(",kvmclock=off"),
            (Some("kvmclock"), _) => text.push_str(",kvmclock=on"),
            (Some("hypervclock"), Some(true) | None) => text.push_str(",hv-time=on"),
            (Some("tsc"), _) => {
                if let Some(frequency) = timer.attribute("frequency") {
                    text.push_str(&format!(",tsc-frequency={frequency}"));
                }
            }
            _ => {}
        }
    }
}

fn features(active: &Element, text: &mut String) {
    let Some(features) = active.child("features") else {
        return;
    };
    if let Some(eoi) = features.child_attribute("apic", "eoi") {
        text.push_str(&format!(",kvm-pv-eoi={eoi}"));
    }
    if let Some(hyperv) = features.child("hyperv") {
        if hyperv.attribute("mode") == Some("passthrough") {
            text.push_str(",hv-passthrough=on");
        }
        for enlightenment in
            hyperv.elements().filter(|element| switch(element.attribute("state")) == Some(true))
        {
            hyper_v(enlightenment, text);
        }
    }
    if let Some(kvm) = features.child("kvm") {
        for (feature, flag) in [("hidden", "kvm=off"), ("hint-dedicated", "kvm-hint-dedicated=on")] {
            if switch(kvm.child_attribute(feature, "state")) == Some(true) {
                text.push_str(&format!(",{flag}"));
            }
        }
    }
    if let Some(state) = features.child_attribute("pmu", "state") {
        text.push_str(&format!(",pmu={state}"));
    }
}

fn hyper_v(enlightenment: &Element, text: &mut String) {
    let name = enlightenment.name.replace('_', "-");
    match enlightenment.name.as_str() {
        "spinlocks" => {
            let retries = number(enlightenment.attribute("retries")).unwrap_or(4095);
            text.push_str(&format!(",hv-spinlocks=0x{retries:x}"));
        }
        "vendor_id" => {
            text.push_str(&format!(",hv-vendor-id={}", enlightenment.attribute("value").unwrap_or_default()))
        }
        _ => text.push_str(&format!(",hv-{name}=on")),
    }
    if enlightenment.name == "stimer"
        && switch(enlightenment.child_attribute("direct", "state")) == Some(true)
    {
        text.push_str(",hv-stimer-direct=on");
    }
}
