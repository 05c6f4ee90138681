//! The questions put to a binary, and the facts made of its answers.

use super::cpu::CpuModels;
use super::dialogue::Dialogue;
use super::{Accelerator, Machine, QemuCapabilities, architecture};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct OptionGroup {
    option: String,
}

#[derive(Deserialize)]
struct Target {
    arch: String,
}

#[derive(Deserialize, Default)]
struct Kvm {
    #[serde(default)]
    present: bool,
}

/// What is read of the schema's entries; the rest is skipped while parsing, so that it costs no memory.
#[derive(Deserialize)]
struct SchemaEntry {
    name: String,
    #[serde(default, rename = "arg-type")]
    argument_type: String,
    #[serde(default)]
    tag: String,
    #[serde(default)]
    variants: Vec<SchemaVariant>,
}

#[derive(Deserialize)]
struct SchemaVariant {
    case: String,
}

/// Asks a binary everything but its CPU models, in one process.
pub fn probe(binary: &Path) -> Result<QemuCapabilities> {
    let (mut qemu, version, package) = Dialogue::open(binary, &[Accelerator::Tcg, Accelerator::Kvm])?;
    let target: Target = qemu.ask("query-target", Value::Null)?;
    let arch = match architecture::of_target(&target.arch) {
        Some(row) => row.name.to_string(),
        None => target.arch,
    };
    let mut machines: Vec<Machine> = qemu.ask("query-machines", Value::Null)?;
    machines.retain(|machine| machine.name != "none");
    let types: Vec<Named> = qemu.ask("qom-list-types", json!({ "abstract": false }))?;
    let commands: Vec<Named> = qemu.ask("query-commands", Value::Null)?;
    let options: Vec<OptionGroup> = qemu.ask("query-command-line-options", Value::Null)?;
    let kvm: Kvm = qemu.ask_or_default("query-kvm", Value::Null);
    let schema: Vec<SchemaEntry> = qemu.ask("query-qmp-schema", Value::Null)?;
    let machine_properties = machine_properties(&mut qemu, &machines);
    let types: BTreeSet<String> = types.into_iter().map(|entry| entry.name).collect();
    Ok(QemuCapabilities {
        binary: binary.to_path_buf(),
        arch,
        version,
        package,
        machines,
        kvm: kvm.present,
        tcg: types.contains("tcg-accel"),
        options: options.into_iter().map(|group| group.option).collect(),
        commands: commands.into_iter().map(|entry| entry.name).collect(),
        netdevs: netdevs(&schema),
        machine_properties,
        tpm_models: qemu.ask_or_default("query-tpm-models", Value::Null),
        tpm_types: qemu.ask_or_default("query-tpm-types", Value::Null),
        types,
        cpu_models: [const { OnceLock::new() }; 2],
    })
}

/// The properties of each machine that has an alias, or whose name has no version.
fn machine_properties(qemu: &mut Dialogue, machines: &[Machine]) -> BTreeMap<String, BTreeSet<String>> {
    let asked = machines.iter().filter(|machine| {
        let current = machine.alias.as_deref().is_some_and(|alias| ["pc", "q35", "virt"].contains(&alias));
        current || machine.name == "microvm"
    });
    let answer = |machine: &Machine| {
        let question = json!({ "typename": format!("{}-machine", machine.name) });
        let properties: Vec<Named> = qemu.ask_or_default("qom-list-properties", question);
        let names = properties.into_iter().map(|property| property.name).collect();
        (machine.name.clone(), names)
    };
    asked.map(answer).collect()
}

/// The network back ends: the variants of `netdev_add`'s argument.
fn netdevs(schema: &[SchemaEntry]) -> BTreeSet<String> {
    let command = schema.iter().find(|entry| entry.name == "netdev_add");
    let argument = command.and_then(|command| {
        schema.iter().find(|entry| entry.name == command.argument_type && entry.tag == "type")
    });
    let cases = argument.map(|argument| argument.variants.iter().map(|variant| variant.case.clone()));
    cases.map(Iterator::collect).unwrap_or_default()
}

/// Asks a binary for its CPU models under one accelerator.
pub fn probe_cpu_models(binary: &Path, accelerator: Accelerator) -> Result<CpuModels> {
    let (mut qemu, ..) = Dialogue::open(binary, &[accelerator])?;
    let mut models: CpuModels =
        CpuModels { models: qemu.ask("query-cpu-definitions", Value::Null)?, ..CpuModels::default() };
    if models.models.is_empty() {
        return Err(Error::internal(format!("QEMU binary {} names no CPU models", binary.display())));
    }
    models.models.sort_by(|one, other| one.name.cmp(&other.name));
    let question = json!({ "type": "full", "model": { "name": "max" } });
    models.maximum =
        qemu.ask_or_default::<super::cpu::Expansion>("query-cpu-model-expansion", question).flags();
    Ok(models)
}
