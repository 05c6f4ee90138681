//! schedinfo: the scheduler of a domain and its settings.

use super::parameters::{self, Setting};
use crate::backend::Domains;
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact};
use crate::commands::plain_name::plain_name;
use crate::error::Error;
use crate::model::constants::*;
use crate::model::{DomainRef, ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("schedinfo", Group::Domain, schedinfo)
    .answers("{*: any}")
    .about(
        "show or set CPU shares",
        "Shows the scheduler of a domain and its settings, and changes those given.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::number("weight", "share of the CPU (credit scheduler)"),
        Opt::number("cap", "limit in percent of a CPU (credit scheduler)"),
        impact::CURRENT,
        impact::CONFIG,
        impact::LIVE,
        Opt::rest("set", "settings as NAME=VALUE"),
    ])
    .writes()];

fn schedinfo(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let scheduler = domains.scheduler_type(&domain);
    let name = scheduler.as_ref().map_or("Unknown", |(name, _)| name).to_string();
    // The name stands there even if what follows fails.
    if session.settings.format == Format::Table {
        let line = Setting::with("Scheduler", &name, name.as_str());
        session.print(parameters::text(std::slice::from_ref(&line)));
    }
    let name = Setting::with("scheduler", &name, name.as_str());
    let (_, count) = scheduler?;
    if count == 0 {
        return Ok(());
    }
    // The call that takes flags is used only when one was asked for, and both impacts together are none.
    let reading = match args.flags(&[("config", 1), ("live", 1), ("current", 1)]) {
        0 => 0,
        _ if args.has("config") && args.has("live") => TYPED_PARAM_STRING_OKAY,
        _ => flags | TYPED_PARAM_STRING_OKAY,
    };
    let mut settings = read(domains, &domain, reading)?;
    let wanted = wanted(args, &settings)?;
    if !wanted.is_empty() {
        let answer = domains.set_scheduler_parameters(&domain, &wanted, flags);
        plain_name(answer, flags, "virDomainSetSchedulerParametersFlags", "virDomainSetSchedulerParameters")?;
        settings = read(domains, &domain, reading)?;
    }
    let mut lines: Vec<Setting> = settings.iter().map(Setting::of).collect();
    if session.settings.format != Format::Table {
        lines.insert(0, name);
    }
    parameters::show(session, lines)
}

fn read(domains: &dyn Domains, domain: &DomainRef, flags: u32) -> Result<Vec<TypedParam>, Error> {
    let answer = domains.scheduler_parameters(domain, flags);
    plain_name(answer, flags, "virDomainGetSchedulerParametersFlags", "virDomainGetSchedulerParameters")
}

/// What is to be changed: the options by their names, the rest as `NAME=VALUE`; each must be a setting there is.
fn wanted(args: &Args, settings: &[TypedParam]) -> Result<Vec<TypedParam>> {
    let mut pairs = Vec::new();
    for option in ["weight", "cap"] {
        if let Some(value) = args.text(option)? {
            pairs.push((option, value.to_string()));
        }
    }
    for text in args.all("set") {
        match text.split_once('=') {
            Some((name, value)) => pairs.push((name, value.to_string())),
            None => bail!("Invalid syntax for --set, expecting name=value"),
        }
    }
    let mut wanted = Vec::new();
    for (name, value) in pairs {
        match TypedParam::find(settings, name) {
            Some(known) => wanted.push(TypedParam::new(name, like(known, name, &value)?)),
            None => bail!("invalid scheduler option: {name}"),
        }
    }
    Ok(wanted)
}

/// Reads a value of the same type as the present one.
fn like(known: &ParamValue, name: &str, text: &str) -> Result<ParamValue, Error> {
    // Blanks before a number do not count.
    let trimmed = text.trim_start();
    let text = if matches!(known, ParamValue::String(_)) { text } else { trimmed };
    let read = match known {
        ParamValue::Int(_) => (text.parse().ok().map(ParamValue::Int), "int"),
        // A negative number counts down from zero, as C reads it.
        ParamValue::UInt(_) => {
            let number = text.parse::<i64>().ok().filter(|number| number.unsigned_abs() <= u32::MAX.into());
            (number.map(|number| ParamValue::UInt(number as u32)), "unsigned int")
        }
        ParamValue::LLong(_) => (text.parse().ok().map(ParamValue::LLong), "long long"),
        ParamValue::ULLong(_) => (text.parse().ok().map(ParamValue::ULLong), "unsigned long long"),
        ParamValue::Double(_) => (text.parse().ok().map(ParamValue::Double), "double"),
        ParamValue::Boolean(_) => match text {
            "0" => (Some(ParamValue::Boolean(false)), ""),
            "1" => (Some(ParamValue::Boolean(true)), ""),
            _ => (None, "boolean"),
        },
        ParamValue::String(_) => (Some(ParamValue::String(text.to_string())), ""),
    };
    let (value, kind) = read;
    let wrong = || Error::invalid_argument(format!("Invalid value for field '{name}': expected {kind}"));
    value.ok_or_else(wrong)
}
