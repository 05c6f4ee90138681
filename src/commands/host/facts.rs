//! Facts about the connection and what can run on it: capabilities, domcapabilities, hostname, maxvcpus, sysinfo,
//! uri, version.

use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::vocabulary;
use crate::model::constants::*;
use crate::shell::about::LIBVIRT_RELEASE;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::xml;
use anyhow::{Context, Result};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("capabilities", Group::Host, capabilities)
.answers(shape::XML)
        .about(
            "print what the host can do",
            "Prints the XML that describes the host and the kinds of guests it can run.",
        )
        .options(&[XPATH, WRAP]),
    Command::new("domcapabilities", Group::Host, domain_capabilities)
.answers(shape::XML)
        .about(
            "print what a kind of domain can have",
            "Prints the XML that describes the devices, CPUs and features which a domain of the given kind may \
             have on this host.",
        )
        .options(&[
            Opt::text("virttype", "the kind of virtualization, as /domain/@type")
                .tolerated_by_place()
                .complete(Complete::Words(vocabulary::HYPERVISORS)),
            Opt::text("emulatorbin", "the emulator's path, as /domain/devices/emulator")
                .tolerated_by_place()
                .complete(Complete::File),
            Opt::text("arch", "the architecture, as /domain/os/type/@arch").tolerated_by_place().complete(Complete::Words(vocabulary::ARCHITECTURES)),
            Opt::text("machine", "the machine type, as /domain/os/type/@machine").tolerated_by_place(),
            XPATH,
            WRAP,
            Opt::flag("disable-deprecated-features", "show the host's CPU without features that are deprecated"),
        ]),
    Command::new("hostname", Group::Host, hostname)
.answers("{hostname: text}")
        .about("print the host's name", "Prints the name of the machine that the connection leads to."),
    Command::new("maxvcpus", Group::Host, max_vcpus)
.answers("{max_vcpus: integer}")
        .about("print how many virtual CPUs a domain may have", "Prints the most that this connection allows.")
        .options(&[Opt::text("type", "of domains of this type").tolerated_by_place().complete(Complete::Words(vocabulary::HYPERVISORS))]),
    Command::new("sysinfo", Group::Host, sysinfo)
.answers(shape::XML)
        .about("print the host's firmware tables", "Prints as XML what the firmware says of the host."),
    Command::new("uri", Group::Host, uri)
.answers("{uri: text}")
        .about("print the connection's URI", "Prints the full URI of the present connection."),
    Command::new("version", Group::Host, version)
.answers("{program: text, interface: text, driver: text, hypervisor: text?, daemon: \
             text?}")
        .about("print versions", "Prints the versions of the interface and of the hypervisor that runs.")
        .options(&[Opt::flag("daemon", "and that of the daemon")]),
];

fn capabilities(session: &mut Session, args: &Args) -> Result<()> {
    let answer = session.connection()?.host().capabilities();
    let text = answer.context("failed to get capabilities")?;
    document::show(session, args, &text)
}

fn domain_capabilities(session: &mut Session, args: &Args) -> Result<()> {
    let flags = match args.has("disable-deprecated-features") {
        true => CONNECT_GET_DOMAIN_CAPABILITIES_DISABLE_DEPRECATED_FEATURES,
        false => 0,
    };
    let connection = session.connection()?;
    let answer = connection.host().domain_capabilities(
        args.text("emulatorbin")?,
        args.text("arch")?,
        args.text("machine")?,
        args.text("virttype")?,
        flags,
    );
    let text = answer.context("failed to get emulator capabilities")?;
    document::show(session, args, &text)
}

fn hostname(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.host().hostname();
    session.value("hostname", answer.context("failed to get hypervisor hostname")?)
}

/// What the driver says of the default kind of domain counts, then its general limit.
fn max_vcpus(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let kind = args.text("type")?;
    let described = connection.host().domain_capabilities(None, None, None, kind, 0).ok();
    let limit = described.and_then(|text| {
        let tree = xml::parse(&text, "domain capabilities").ok()?;
        tree.child_attribute("vcpu", "max")?.parse::<i32>().ok()
    });
    let limit = match limit {
        Some(limit) => limit,
        None => connection.host().max_vcpus(kind)?,
    };
    session.value("max_vcpus", limit)
}

fn sysinfo(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.host().sysinfo(0);
    let text = answer.context("failed to get sysinfo")?;
    session.show(&json!({ "xml": text }), |session| session.print(&text))
}

fn uri(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.host().uri();
    session.value("uri", answer.context("failed to get URI")?)
}

fn dotted(version: u64) -> String {
    format!("{}.{}.{}", version / 1_000_000, version / 1000 % 1000, version % 1000)
}

fn version(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let host = connection.host();
    let driver = host.driver_type().context("failed to get hypervisor type")?;
    let interface = LIBVIRT_RELEASE;
    let mut text = format!("Compiled against library: libvirt {interface}\n");
    text.push_str(&format!("Using library: libvirt {interface}\n"));
    text.push_str(&format!("Using API: {driver} {interface}\n"));
    let hypervisor = match host.version() {
        Ok(version) => version,
        Err(error) if error.is_unsupported() => 0,
        Err(error) => return Err(error).context("failed to get the hypervisor version"),
    };
    match hypervisor {
        0 => text.push_str(&format!("Cannot extract running {driver} hypervisor version\n")),
        known => text.push_str(&format!("Running hypervisor: {driver} {}\n", dotted(known))),
    }
    let mut daemon = None;
    if args.has("daemon") {
        let version = host.lib_version().context("failed to get the daemon version")?;
        text.push_str(&format!("Running against daemon: {}\n", dotted(version)));
        daemon = Some(dotted(version));
        for (part, words) in connection.details() {
            text.push_str(&format!("{part}: {words}\n"));
        }
    }
    let known = (hypervisor != 0).then(|| dotted(hypervisor));
    let data = json!({
        "program": env!("CARGO_PKG_VERSION"),
        "interface": interface,
        "driver": driver,
        "hypervisor": known,
        "daemon": daemon,
    });
    session.show(&data, |session| session.print(text))
}
