//! perf: performance counters kept for a domain.

use super::parameters::{self, Setting};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact};
use crate::commands::vocabulary;
use crate::model::{ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("perf", Group::Domain, perf)
    .answers("{*: boolean}")
    .about(
        "show or set performance counters",
        "Shows which performance counters are kept for a domain, or switches some on or off.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::text("enable", "counters to switch on, comma separated")
            .tolerated_by_place()
            .complete(Complete::WordList(vocabulary::PERFORMANCE_EVENTS)),
        Opt::text("disable", "counters to switch off, comma separated")
            .tolerated_by_place()
            .complete(Complete::WordList(vocabulary::PERFORMANCE_EVENTS)),
        impact::CONFIG,
        impact::LIVE,
        impact::CURRENT,
    ])
    .writes()];

fn perf(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let mut wanted = Vec::new();
    for (option, on) in [("enable", true), ("disable", false)] {
        let names = args.text(option)?.unwrap_or_default().split(',');
        let names = names.filter(|name| !name.is_empty());
        wanted.extend(names.map(|name| TypedParam::new(name, on)));
    }
    let shown = if wanted.is_empty() {
        let counters = connection.domains().perf_events(&domain, flags);
        counters.context("Unable to get perf events")?
    } else {
        let answer = connection.domains().set_perf_events(&domain, &wanted, flags);
        answer.context("Unable to enable/disable perf events")?;
        wanted
    };
    let setting = |counter: &TypedParam| {
        let on = counter.value == ParamValue::Boolean(true);
        Setting::with(&counter.name, if on { "enabled" } else { "disabled" }, on)
    };
    parameters::show_extra(session, shown.iter().map(setting).collect())
}
