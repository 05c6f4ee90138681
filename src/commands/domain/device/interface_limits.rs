//! domiftune: the bandwidth limits of a network interface.

use super::bandwidth::Rate;
use crate::commands::domain::lookup;
use crate::commands::domain::tuning::parameters::{self, Setting};
use crate::commands::impact::{self, impact};
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("domiftune", Group::Domain, domiftune)
    .answers("{*: integer | text?}")
    .about(
        "show or set an interface's limits",
        "Shows the bandwidth limits of a network interface, or changes those given.",
    )
    .options(&[
        Opt::domain(Complete::Domain),
        Opt::text("interface", "the interface, by its MAC address or its target")
            .required()
            .complete(Complete::Interface),
        Opt::text("inbound", "limits for what the guest receives: average[,peak[,burst[,floor]]]")
            .tolerated_by_place(),
        Opt::text("outbound", "limits for what the guest sends: average[,peak[,burst]]").tolerated_by_place(),
        impact::CONFIG,
        impact::LIVE,
        impact::CURRENT,
    ])
    .writes()];

fn domiftune(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let device = args.required("interface")?;
    let mut wanted = Vec::new();
    if let Some(text) = args.text("inbound")? {
        let rate = Rate::parse(text)?;
        rate.check_inbound(true)?;
        push(&mut wanted, "inbound", rate)?;
    }
    if let Some(text) = args.text("outbound")? {
        let rate = Rate::parse(text)?;
        rate.check_outbound(true)?;
        push(&mut wanted, "outbound", rate)?;
    }
    let domains = connection.domains();
    if !wanted.is_empty() {
        let answer = domains.set_interface_parameters(&domain, device, &wanted, flags);
        return answer.context("Unable to set interface parameters");
    }
    let params = domains.interface_parameters(&domain, device, flags | TYPED_PARAM_STRING_OKAY);
    let params = params.context("Unable to get interface parameters")?;
    parameters::show(session, params.iter().map(Setting::of).collect())
}

/// A zero average takes the limits of its direction away; the other fields count only when they are set.
fn push(wanted: &mut Vec<TypedParam>, direction: &str, rate: Rate) -> Result<()> {
    if rate.is_zero() {
        wanted.push(TypedParam::new(format!("{direction}.average"), 0u32));
    }
    for (field, value) in rate.fields() {
        let Ok(value) = u32::try_from(value) else {
            bail!("{direction} rate larger than maximum {}", u32::MAX);
        };
        wanted.push(TypedParam::new(format!("{direction}.{field}"), value));
    }
    Ok(())
}
