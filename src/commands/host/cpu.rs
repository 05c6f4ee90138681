//! CPU models and how they compare: cpu-models, cpu-baseline, cpu-compare, hypervisor-cpu-models,
//! hypervisor-cpu-baseline, hypervisor-cpu-compare.

use crate::commands::files;
use crate::commands::vocabulary;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml::{self, Element};
use anyhow::{Context, Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("cpu-baseline", Group::Host, baseline)
.answers(shape::XML)
        .about(
            "find the CPU that all of some hosts have",
            "Reads descriptions of CPUs and prints the best one that each of them can provide.",
        )
        .options(&[FILE.required(), FEATURES, MIGRATABLE]),
    Command::new("cpu-compare", Group::Host, compare)
.answers("{result: text}")
        .about(
            "compare a CPU with the host's",
            "Says whether the host can provide the CPU that a file describes.",
        )
        .options(&[FILE.required(), ERROR, VALIDATE]),
    Command::new("cpu-models", Group::Host, models)
.answers("[text]")
        .about("list the CPU models of an architecture", "Prints the names of the models that can be chosen.")
        .options(&[Opt::text("arch", "the architecture").required().complete(Complete::Words(vocabulary::ARCHITECTURES))]),
    Command::new("hypervisor-cpu-baseline", Group::Host, hypervisor_baseline)
.answers(shape::XML)
        .about(
            "find the CPU that a hypervisor can provide on all of some hosts",
            "Reads descriptions of CPUs and prints the best one that the hypervisor can provide for each of them.",
        )
        .options(&[
            FILE.tolerated_by_place(),
            VIRT_TYPE,
            EMULATOR,
            ARCH,
            MACHINE,
            FEATURES,
            MIGRATABLE,
            Opt::text("model", "this one model instead of a file").tolerated_by_place(),
        ]),
    Command::new("hypervisor-cpu-compare", Group::Host, hypervisor_compare)
.answers("{result: text}")
        .about(
            "compare a CPU with what a hypervisor provides",
            "Says whether the hypervisor on this host can provide the CPU that a file describes.",
        )
        .options(&[FILE.required(), VIRT_TYPE, EMULATOR, ARCH, MACHINE, ERROR, VALIDATE]),
    Command::new("hypervisor-cpu-models", Group::Host, hypervisor_models)
.answers("[text]")
        .about(
            "list the CPU models that a hypervisor provides",
            "Prints the models that can be used on this host, or with --all those that the hypervisor knows.",
        )
        .options(&[
            VIRT_TYPE.by_name_only(),
            EMULATOR.by_name_only(),
            ARCH.by_name_only(),
            MACHINE.by_name_only(),
            Opt::flag("all", "also models that this host cannot provide"),
        ]),
];

const FILE: Opt = Opt::text("file", "an XML file that describes CPUs").complete(Complete::File);
const FEATURES: Opt = Opt::flag("features", "list the features that the model stands for");
const MIGRATABLE: Opt = Opt::flag("migratable", "leave out features that stand in the way of migration");
const ERROR: Opt = Opt::flag("error", "say in an error why a CPU does not fit");
const VALIDATE: Opt = Opt::flag("validate", "check the XML against the schema first");
const VIRT_TYPE: Opt = Opt::text("virttype", "the kind of virtualization, as /domain/@type")
    .tolerated_by_place()
    .complete(Complete::Words(vocabulary::HYPERVISORS));
const EMULATOR: Opt = Opt::text("emulator", "the emulator's path, as /domain/devices/emulator")
    .tolerated_by_place()
    .complete(Complete::File);
const ARCH: Opt = Opt::text("arch", "the architecture, as /domain/os/type/@arch")
    .tolerated_by_place()
    .complete(Complete::Words(vocabulary::ARCHITECTURES));
const MACHINE: Opt =
    Opt::text("machine", "the machine type, as /domain/os/type/@machine").tolerated_by_place();

fn models(session: &mut Session, args: &Args) -> Result<()> {
    let answer = session.connection()?.host().cpu_model_names(args.required("arch")?, 0);
    let models = answer.context("failed to get CPU model names")?;
    session.show(&models, |session| match models.is_empty() {
        true => session.print_extra("all CPU models are accepted\n"),
        false => session.print(models.iter().map(|model| format!("{model}\n")).collect::<String>()),
    })
}

/// The CPU descriptions in a file: CPUs themselves, or those in definitions and capabilities.
fn cpus_in(path: &str) -> Result<Vec<String>> {
    let text = files::read(path)?;
    let tree = xml::parse(&format!("<container>{}</container>", without_declarations(&text)), path)?;
    let mut cpus = Vec::new();
    for element in tree.elements() {
        match element.name.as_str() {
            "cpu" => cpus.push(element.clone()),
            "domain" => cpus.extend(element.child("cpu").cloned()),
            "capabilities" => cpus.extend(element.find("host/cpu").cloned()),
            "domainCapabilities" => cpus.extend(element.child("cpu").and_then(host_model)),
            _ => {}
        }
    }
    if cpus.is_empty() {
        bail!(
            "File '{path}' does not contain any <cpu> element or valid domain XML, host capabilities XML, or \
             domain capabilities XML"
        );
    }
    Ok(cpus.iter().map(ToString::to_string).collect())
}

/// The host's CPU as domain capabilities describe it, turned into a description of its own.
fn host_model(cpu: &Element) -> Option<Element> {
    let supported = |mode: &&Element| {
        mode.attribute("name") == Some("host-model") && mode.attribute("supported") == Some("yes")
    };
    let mut model = cpu.children("mode").find(supported)?.clone();
    model.name = "cpu".to_string();
    model.attributes.clear();
    Some(model)
}

/// The text without `<?xml …?>`, which may stand only at the very beginning of a document.
fn without_declarations(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<?xml") {
        out.push_str(before);
        rest = after.split_once("?>").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

fn baseline_flags(args: &Args) -> u32 {
    let features = if args.has("features") { CONNECT_BASELINE_CPU_EXPAND_FEATURES } else { 0 };
    let migratable = if args.has("migratable") { CONNECT_BASELINE_CPU_MIGRATABLE } else { 0 };
    features | migratable
}

fn compare_flags(args: &Args) -> u32 {
    let error = if args.has("error") { CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE } else { 0 };
    let validate = if args.has("validate") { CONNECT_COMPARE_CPU_VALIDATE_XML } else { 0 };
    error | validate
}

fn show_cpu(session: &mut Session, text: &str) -> Result<()> {
    session.show(&json!({ "xml": text }), |session| session.print(text))
}

fn baseline(session: &mut Session, args: &Args) -> Result<()> {
    let cpus = cpus_in(args.required("file")?)?;
    let text = session.connection()?.host().baseline_cpu(&cpus, baseline_flags(args))?;
    show_cpu(session, &text)
}

fn hypervisor_baseline(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("file", "model")?;
    for option in ["virttype", "emulator", "arch", "machine"] {
        args.text(option)?;
    }
    let cpus = match (args.text("file")?, args.text("model")?) {
        (Some(file), _) => cpus_in(file)?,
        (None, Some(model)) => {
            let cpu = Element::new("cpu").with_child(Element::new("model").with_text(model));
            vec![cpu.to_string()]
        }
        (None, None) => bail!("Either --file or --model must be provided"),
    };
    let text = session.connection()?.host().baseline_hypervisor_cpu(
        args.text("emulator")?,
        args.text("arch")?,
        args.text("machine")?,
        args.text("virttype")?,
        &cpus,
        baseline_flags(args),
    )?;
    show_cpu(session, &text)
}

fn compare(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let cpus = cpus_in(file)?;
    let answer = session.connection()?.host().compare_cpu(&cpus[0], compare_flags(args));
    let result = answer.with_context(|| format!("Failed to compare host CPU with {file}"))?;
    let (word, text) = match result {
        CPU_COMPARE_INCOMPATIBLE => {
            ("incompatible", format!("CPU described in {file} is incompatible with host CPU\n"))
        }
        CPU_COMPARE_IDENTICAL => ("identical", format!("CPU described in {file} is identical to host CPU\n")),
        CPU_COMPARE_SUPERSET => ("superset", format!("Host CPU is a superset of CPU described in {file}\n")),
        _ => bail!("Failed to compare host CPU with {file}"),
    };
    verdict(session, word, &text)
}

fn hypervisor_compare(session: &mut Session, args: &Args) -> Result<()> {
    let file = args.required("file")?;
    let cpus = cpus_in(file)?;
    let answer = session.connection()?.host().compare_hypervisor_cpu(
        args.text("emulator")?,
        args.text("arch")?,
        args.text("machine")?,
        args.text("virttype")?,
        &cpus[0],
        compare_flags(args),
    );
    let failed = || format!("Failed to compare hypervisor CPU with {file}");
    let provided = "the CPU provided by hypervisor on the host";
    let (word, text) = match answer.with_context(failed)? {
        CPU_COMPARE_INCOMPATIBLE => {
            ("incompatible", format!("CPU described in {file} is incompatible with {provided}\n"))
        }
        CPU_COMPARE_IDENTICAL => {
            ("identical", format!("CPU described in {file} is identical to {provided}\n"))
        }
        CPU_COMPARE_SUPERSET => (
            "superset",
            format!("The CPU provided by hypervisor on the host is a superset of CPU described in {file}\n"),
        ),
        _ => bail!(failed()),
    };
    verdict(session, word, &text)
}

/// Prints how two CPUs compare; that they do not fit fails the command.
fn verdict(session: &mut Session, word: &str, text: &str) -> Result<()> {
    session.show(&json!({ "result": word }), |session| session.print(text))?;
    match word {
        "incompatible" => Err(crate::shell::report::Silent.into()),
        _ => Ok(()),
    }
}

fn hypervisor_models(session: &mut Session, args: &Args) -> Result<()> {
    let answer = session.connection()?.host().domain_capabilities(
        args.text("emulator")?,
        args.text("arch")?,
        args.text("machine")?,
        args.text("virttype")?,
        0,
    );
    let text = answer.context("failed to get hypervisor CPU model names")?;
    let tree = xml::parse(&text, "domain capabilities")?;
    let modes = tree.child("cpu").into_iter().flat_map(|cpu| cpu.children("mode"));
    let custom = modes.filter(|mode| mode.attribute("name") == Some("custom"));
    let all = args.has("all");
    let models: Vec<_> = custom
        .flat_map(|mode| mode.children("model"))
        .filter(|model| all || model.attribute("usable") == Some("yes"))
        .map(|model| model.text())
        .collect();
    let text: String = models.iter().map(|model| format!("{model}\n")).collect();
    session.show(&models, |session| session.print(text))
}
