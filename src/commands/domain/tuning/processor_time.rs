//! cpu-stats: the CPU time a domain used.

use super::parameters;
use crate::backend::Domains;
use crate::commands::domain::lookup;
use crate::error::Result as CallResult;
use crate::model::{DomainRef, ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("cpu-stats", Group::Domain, cpu_stats)
    .answers("{cpus: [{*: integer}], total: {*: integer}?}")
    .about("show the CPU time a domain used", "Shows the time used on each host CPU, and in total.")
    .options(&[
        Opt::domain(Complete::ActiveDomain),
        Opt::flag("total", "only the sum"),
        Opt::number("start", "first CPU to show").tolerated_by_place(),
        Opt::number("count", "how many CPUs to show").tolerated_by_place(),
    ])];

/// CPUs that are asked about in one call; more than that a driver refuses.
const CHUNK: u32 = 128;

fn cpu_stats(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let (start, count) = (args.number::<i32>("start")?, args.number::<i32>("count")?);
    let ranged = start.is_some() || count.is_some();
    let start = u32::try_from(start.unwrap_or(0)).ok().context("Invalid value for start CPU")?;
    let most = count.map(u32::try_from).transpose().ok();
    let most = most.context("Invalid value for number of CPUs to show")?;
    let failed = || format!("Failed to retrieve CPU statistics for domain '{}'", domain.name);
    let mut shown = Vec::new();
    let total_alone = args.has("total") && !ranged;
    if !total_alone {
        let cpus = domains.cpu_stats(&domain, 0, 0, 0, 0).with_context(failed)?.1;
        let cpus = u32::try_from(cpus).unwrap_or_default();
        if start >= cpus {
            bail!("Start CPU {start} is out of range (min: 0, max: {})", i64::from(cpus) - 1);
        }
        if most.is_some_and(|most| most > cpus - start) && session.settings.format == Format::Table {
            session.print(format_args!("Only {cpus} CPUs available to show\n"));
        }
        let end = most.map_or(cpus, |most| cpus.min(start.saturating_add(most)));
        shown = single(domains, &domain, start, end).with_context(failed)?;
    }
    let total =
        if !ranged || args.has("total") { Some(sum(domains, &domain).with_context(failed)?) } else { None };
    let data = json!({
        "cpus": shown.iter().map(|(cpu, params)| object(Some(*cpu), params)).collect::<Vec<_>>(),
        "total": total.as_ref().map(|params| object(None, params)),
    });
    session.show(&data, |session| {
        for (cpu, params) in &shown {
            session.print(format_args!("CPU{cpu}:\n{}", lines(params)));
        }
        if let Some(params) = &total {
            session.print(format_args!("Total:\n{}", lines(params)));
        }
    })
}

type CpuParams = (u32, Vec<TypedParam>);

/// The figures of the CPUs from `start` to before `end`, as far as a CPU has any.
fn single(domains: &dyn Domains, domain: &DomainRef, start: u32, end: u32) -> CallResult<Vec<CpuParams>> {
    let (_, each) = domains.cpu_stats(domain, 0, 0, 1, 0)?;
    let each = u32::try_from(each).unwrap_or_default();
    let mut found = Vec::new();
    let mut cpu = start;
    while cpu < end && each > 0 {
        let count = (end - cpu).min(CHUNK);
        let (params, known) = domains.cpu_stats(domain, each, cpu as i32, count, 0)?;
        let known = usize::try_from(known).unwrap_or_default().max(1);
        for (place, params) in params.chunks(known).enumerate() {
            found.push((cpu + place as u32, params.to_vec()));
        }
        cpu += count;
    }
    Ok(found)
}

fn sum(domains: &dyn Domains, domain: &DomainRef) -> CallResult<Vec<TypedParam>> {
    let (_, known) = domains.cpu_stats(domain, 0, -1, 1, 0)?;
    match u32::try_from(known) {
        Ok(known) if known > 0 => Ok(domains.cpu_stats(domain, known, -1, 1, 0)?.0),
        _ => Ok(Vec::new()),
    }
}

fn object(cpu: Option<u32>, params: &[TypedParam]) -> Value {
    let mut fields = Map::new();
    if let Some(cpu) = cpu {
        fields.insert("cpu".into(), json!(cpu));
    }
    for param in params {
        fields.insert(format!("{}_nanoseconds", param.name), parameters::value(&param.value));
    }
    Value::Object(fields)
}

fn lines(params: &[TypedParam]) -> String {
    let line = |param: &TypedParam| match param.value {
        ParamValue::ULLong(time) => {
            let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
            format!("\t{:<12} {seconds:9}.{rest:09} seconds\n", param.name)
        }
        ref other => format!("\t{:<12} {other}\n", param.name),
    };
    params.iter().map(line).collect()
}
