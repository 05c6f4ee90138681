//! setvcpus, setvcpu, vcpucount, guestvcpus: how many vCPUs a domain has.

use super::parameters::{self, Setting};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact, impact_or_live};
use crate::commands::plain_name::plain_name;
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::{Map, json};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("setvcpus", Group::Domain, setvcpus)
        .about(
            "change how many vCPUs a domain has",
            "Plugs vCPUs in or out, or changes what the next boot uses.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("count", "how many vCPUs").required(),
            Opt::flag("maximum", "change the limit of the next boot"),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
            Opt::flag("guest", "switch vCPUs inside the guest by its agent"),
            Opt::flag("hotpluggable", "the added vCPUs can be taken out again"),
        ])
        .writes(),
    Command::new("setvcpu", Group::Domain, setvcpu)
        .about(
            "plug single vCPUs in or out",
            "Plugs vCPUs in or out one by one or in groups that the hypervisor keeps together.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("vcpulist", "vCPUs, such as 1-3").required().complete(Complete::VcpuList),
            Opt::flag("enable", "plug the vCPUs in"),
            Opt::flag("disable", "take the vCPUs out"),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("vcpucount", Group::Domain, vcpucount)
        .answers(
            "{count: integer} | {maximum_config?: integer, maximum_live?: integer, \
             current_config?: integer, current_live?: integer}",
        )
        .about(
            "count a domain's vCPUs",
            "Shows limit and present number of vCPUs, of the running domain and of the next boot.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::flag("maximum", "only the limit"),
            Opt::flag("active", "only those in use"),
            Opt::flag("live", "of the running domain"),
            Opt::flag("config", "of the next boot"),
            Opt::flag("current", "of the present state"),
            Opt::flag("guest", "as the guest itself sees it"),
        ]),
    Command::new("guestvcpus", Group::Domain, guestvcpus)
        .answers("{*: text}")
        .about(
            "show or switch vCPUs inside the guest",
            "Asks the guest's agent which vCPUs are online, or switches some on or off there.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::text("cpulist", "vCPUs, such as 1-3").tolerated_by_place(),
            Opt::flag("enable", "bring them online"),
            Opt::flag("disable", "take them offline"),
        ]),
];

fn setvcpus(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("current", "live")?;
    args.exclusive("current", "config")?;
    args.exclusive("guest", "config")?;
    args.requires("maximum", "config")?;
    let chosen = args.flags(&[
        ("guest", DOMAIN_VCPU_GUEST),
        ("maximum", DOMAIN_VCPU_MAXIMUM),
        ("hotpluggable", DOMAIN_VCPU_HOTPLUGGABLE),
    ]);
    let flags = match chosen {
        0 => impact_or_live(args)?,
        chosen => chosen | impact(args)?,
    };
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let count = args.number::<u32>("count")?.unwrap_or_default();
    if count == 0 {
        bail!("Can't set 0 processors for a VM");
    }
    let answer = connection.domains().set_vcpus(&domain, count, flags);
    let asked = chosen | impact(args)? | u32::from(args.has("current"));
    Ok(plain_name(answer, asked, "virDomainSetVcpusFlags", "virDomainSetVcpus")?)
}

fn setvcpu(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("enable", "disable")?;
    let flags = impact(args)?;
    if !args.has("enable") && !args.has("disable") {
        bail!("one of --enable, --disable is required");
    }
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let vcpus = args.required("vcpulist")?;
    let state = i32::from(args.has("enable"));
    Ok(connection.domains().set_vcpu(&domain, vcpus, state, flags)?)
}

/// A line of vcpucount: its words and its flags.
const COUNTS: &[(&str, &str, u32)] = &[
    ("maximum", "config", DOMAIN_VCPU_MAXIMUM | DOMAIN_AFFECT_CONFIG),
    ("maximum", "live", DOMAIN_VCPU_MAXIMUM | DOMAIN_AFFECT_LIVE),
    ("current", "config", DOMAIN_AFFECT_CONFIG),
    ("current", "live", DOMAIN_AFFECT_LIVE),
];

fn vcpucount(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("live", "config")?;
    args.exclusive("active", "maximum")?;
    args.exclusive("guest", "config")?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let options = ["maximum", "active", "live", "config", "current", "guest"];
    if options.iter().any(|option| args.has(option)) {
        let flags = args.flags(&[
            ("maximum", DOMAIN_VCPU_MAXIMUM),
            ("live", DOMAIN_AFFECT_LIVE),
            ("config", DOMAIN_AFFECT_CONFIG),
            ("guest", DOMAIN_VCPU_GUEST),
        ]);
        // Inside the guest every vCPU counts, and there is no limit to ask for.
        let guest = args.has("guest");
        let flags = if guest { flags & !DOMAIN_VCPU_MAXIMUM } else { flags };
        let answer = domains.vcpu_count(&domain, flags);
        let count = match answer {
            Err(error) if guest && error.code != ErrorCode::OPERATION_DENIED => {
                return Err(error).context("Failed to retrieve vCPU count from the guest");
            }
            answer => answer?,
        };
        return session.value("count", count);
    }
    let mut text = String::new();
    let mut data = Map::new();
    let active = domains.is_active(&domain)?;
    let persistent = domains.is_persistent(&domain)?;
    for &(what, side, flags) in COUNTS {
        let there = if side == "live" { active } else { persistent };
        if !there {
            continue;
        }
        let count = domains.vcpu_count(&domain, flags)?;
        text.push_str(&format!("{what:<12} {side:<12} {count:3}\n"));
        data.insert(format!("{what}_{side}"), json!(count));
    }
    session.show(&data, |session| session.print(&text))
}

fn guestvcpus(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("enable", "disable")?;
    args.requires("enable", "cpulist")?;
    args.requires("disable", "cpulist")?;
    args.text("cpulist")?;
    if args.has("cpulist") && !args.has("enable") && !args.has("disable") {
        bail!("One of options --enable or --disable is required by option --cpulist");
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    if let Some(vcpus) = args.text("cpulist")? {
        let state = i32::from(args.has("enable"));
        return Ok(domains.set_guest_vcpus(&domain, vcpus, state, 0)?);
    }
    let params = domains.guest_vcpus(&domain, 0)?;
    parameters::show(session, params.iter().map(Setting::of).collect())
}
