//! What a domain is and how it fares: dominfo, domstate, domcontrol, domid, domname, domuuid.

use super::lookup::{self, By};
use super::words;
use crate::backend::Connection;
use crate::model::DomainRef;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("domcontrol", Group::Monitor, control)
        .answers("{state: text, cause: text?, state_milliseconds: integer}")
        .about(
            "tell how the control channel to a domain fares",
            "Says whether the domain's monitor answers, is busy, or has failed, and since when.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), Opt::all_domains()])
        .several(&[]),
    Command::new("domid", Group::Domain, id)
        .answers("{id: integer?}")
        .about("print a domain's id", "Prints the id of a domain given by name or uuid, or - if it is off.")
        .options(&[Opt::text("domain", "a domain by its name or uuid")
            .required()
            .complete(Complete::ActiveDomain)]),
    Command::new("dominfo", Group::Monitor, info)
        .answers(
            "{id: integer?, name: text, uuid: text, os_type?: text, state: text, cpus: \
             integer, cpu_time_nanoseconds?: integer, max_memory: integer?, used_memory: \
             integer, persistent: boolean?, autostart?: boolean, autostart_once?: boolean, \
             managed_save: boolean?, security_model?: text, security_doi?: text, \
             security_label?: text, messages?: [text]}",
        )
        .about(
            "show the basic facts of a domain",
            "Shows who the domain is, its state, CPUs, memory and marks.",
        )
        .options(&[Opt::domain(Complete::Domain), Opt::all_domains()])
        .several(&[]),
    Command::new("domname", Group::Domain, name)
        .answers("{name: text}")
        .about("print a domain's name", "Prints the name of a domain given by id or uuid.")
        .options(&[Opt::text("domain", "a domain by its id or uuid")
            .required()
            .complete(Complete::DomainUuid)]),
    Command::new("domstate", Group::Monitor, state)
        .answers("{state: text, reason?: text}")
        .about("print a domain's state", "Prints the state of a domain, and on request why it is in it.")
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("reason", "say why it is in this state"),
            Opt::all_domains(),
        ])
        .several(&[]),
    Command::new("domuuid", Group::Domain, uuid)
        .answers("{uuid: text}")
        .about("print a domain's uuid", "Prints the uuid of a domain given by name or id.")
        .options(&[Opt::text("domain", "a domain by its id or name").required().complete(Complete::Domain)]),
];

fn info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domains = connection.domains();
    let domain = lookup::domain(&*connection, args)?;
    let mut fields = Fields::new(15);
    fields.add("Id", Cell::or_dash(domain.id));
    fields.add("Name", &domain.name);
    fields.named("UUID", "uuid", domain.uuid.to_string());
    if let Ok(os_type) = domains.os_type(&domain) {
        fields.named("OS Type", "os_type", os_type);
    }
    let info = domains.info(&domain)?;
    fields.add("State", words::state(i32::from(info.state)));
    fields.add("CPU(s)", info.vcpus);
    if info.cpu_time != 0 {
        #[allow(clippy::cast_precision_loss)] // shown to a tenth of a second
        let seconds = info.cpu_time as f64 / 1e9;
        fields.named("CPU time", "cpu_time_nanoseconds", Cell::with(format!("{seconds:.1}s"), info.cpu_time));
    }
    // Older drivers say so when there is no limit.
    let max_memory = if info.max_memory >= u64::from(u32::MAX) {
        Cell::with("no limit", ())
    } else {
        kibibytes(info.max_memory)
    };
    fields.named("Max memory", "max_memory", max_memory);
    fields.named("Used memory", "used_memory", kibibytes(info.memory));
    fields.add("Persistent", yes_no(domains.is_persistent(&domain).ok()));
    if let Ok(autostart) = domains.autostart(&domain) {
        fields.add("Autostart", Cell::choice(autostart, "enable", "disable"));
    }
    if let Ok(once) = domains.autostart_once(&domain) {
        fields.add("Autostart Once", Cell::choice(once, "enable", "disable"));
    }
    fields.add("Managed save", yes_no(domains.has_managed_save_image(&domain, 0).ok()));
    add_security(&*connection, &domain, &mut fields)?;
    add_messages(&*connection, &domain, &mut fields);
    session.fields(&fields)
}

/// A size shown in KiB; programs get bytes.
fn kibibytes(size: u64) -> Cell {
    Cell::with(format!("{size} KiB"), size.saturating_mul(1024))
}

fn yes_no(answer: Option<bool>) -> Cell {
    match answer {
        Some(answer) => Cell::choice(answer, "yes", "no"),
        None => Cell::with("unknown", ()),
    }
}

/// The security model if the node has one, and the label of a domain that runs.
fn add_security(connection: &dyn Connection, domain: &DomainRef, fields: &mut Fields) -> Result<()> {
    let model = match connection.host().node_security_model() {
        Ok(model) => model,
        Err(error) if error.is_unsupported() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if model.model.is_empty() {
        return Ok(());
    }
    fields.add("Security model", model.model);
    fields.named("Security DOI", "security_doi", model.doi);
    if domain.id.is_none() {
        // Only what runs has a label.
        return Ok(());
    }
    let label = connection.domains().security_label(domain)?;
    if !label.label.is_empty() {
        let mode = if label.enforcing { "enforcing" } else { "permissive" };
        fields.add("Security label", Cell::with(format!("{} ({mode})", label.label), label.label));
    }
    Ok(())
}

/// What the driver has to say about the domain, a line each under one label.
fn add_messages(connection: &dyn Connection, domain: &DomainRef, fields: &mut Fields) {
    let messages = connection.domains().messages(domain, 0).unwrap_or_default();
    if !messages.is_empty() {
        let shown = messages.join(&format!("\n{:16}", ""));
        fields.add("Messages", Cell::with(shown, messages));
    }
}

fn state(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let answer = connection.domains().state(&domain, 0)?;
    let state = words::state(answer.state);
    if !args.has("reason") {
        return session.value("state", state);
    }
    let reason = words::reason(answer.state, answer.reason);
    let data = serde_json::json!({"state": state, "reason": reason});
    session.show(&data, |session| session.print(format_args!("{state} ({reason})\n")))
}

fn control(session: &mut Session, args: &Args) -> Result<()> {
    const STATES: &[&str] = &["ok", "background job", "occupied", "error"];
    const CAUSES: &[&str] = &["", "unknown reason", "monitor failure", "internal (locking) error"];
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let info = connection.domains().control_info(&domain, 0)?;
    let word = |words: &'static [&str], number: u32| {
        let place = usize::try_from(number).ok();
        place.and_then(|place| words.get(place)).copied().unwrap_or("unknown")
    };
    let state = word(STATES, info.state);
    let cause = match state {
        "error" => word(CAUSES, info.details),
        _ => "",
    };
    let text = match (state, cause) {
        ("ok" | "error", "") => format!("{state}\n"),
        ("error", cause) => format!("{state}: {cause}\n"),
        _ => format!("{state} ({}.{:03}s)\n", info.state_time / 1000, info.state_time % 1000),
    };
    let cause = Some(cause).filter(|cause| !cause.is_empty());
    let data = serde_json::json!({"state": state, "cause": cause, "state_milliseconds": info.state_time});
    session.show(&data, |session| session.print(text))
}

fn id(session: &mut Session, args: &Args) -> Result<()> {
    let domain = lookup::domain_by(session.connection()?, args, By::UuidOrName)?;
    session.value("id", Cell::or_dash(domain.id))
}

fn name(session: &mut Session, args: &Args) -> Result<()> {
    let domain = lookup::domain_by(session.connection()?, args, By::IdOrUuid)?;
    session.value("name", domain.name)
}

fn uuid(session: &mut Session, args: &Args) -> Result<()> {
    let domain = lookup::domain_by(session.connection()?, args, By::IdOrName)?;
    session.value("uuid", domain.uuid.to_string())
}
