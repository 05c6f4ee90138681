//! `domstats`: all statistics of some or all domains.

use super::lookup::{self, By};
use crate::commands::parameters;
use crate::model::DomainStatsRecord;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::Result;
use serde_json::{Value, json};

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("domstats", Group::Monitor, stats)
.answers("[{name: text, uuid: text, id: integer?, stats: {*: any}}]")
    .about(
        "show the statistics of domains",
        "Shows the statistics of the given domains, or of all. The choice of kinds limits what is asked of the \
         hypervisor; without one everything it has is shown.",
    )
    .options(&[
        Opt::flag("state", "the state and its reason"),
        Opt::flag("cpu-total", "time used on the host's CPUs"),
        Opt::flag("balloon", "the balloon's figures"),
        Opt::flag("vcpu", "the virtual CPUs"),
        Opt::flag("interface", "the network interfaces"),
        Opt::flag("block", "the disks"),
        Opt::flag("perf", "performance events"),
        Opt::flag("iothread", "I/O threads"),
        Opt::flag("memory", "memory bandwidth"),
        Opt::flag("dirtyrate", "how fast memory changes"),
        Opt::flag("vm", "counters of the hypervisor itself"),
        Opt::flag("list-active", "only active domains"),
        Opt::flag("list-inactive", "only inactive domains"),
        Opt::flag("list-persistent", "only domains with a stored definition"),
        Opt::flag("list-transient", "only domains without one"),
        Opt::flag("list-running", "only domains that run"),
        Opt::flag("list-paused", "only domains that are paused"),
        Opt::flag("list-shutoff", "only domains that are off"),
        Opt::flag("list-other", "only domains in none of these states"),
        Opt::flag("raw", "leave the values as they come"),
        Opt::flag("enforce", "fail if a kind that was chosen is not known"),
        Opt::flag("backing", "include the backing chains of disks"),
        Opt::flag("nowait", "leave out what cannot be had at once"),
        Opt::rest("domain", "domains by name, id or uuid").complete(Complete::Domain),
    ])];

const KINDS: &[(&str, u32)] = &[
    ("state", DOMAIN_STATS_STATE),
    ("cpu-total", DOMAIN_STATS_CPU_TOTAL),
    ("balloon", DOMAIN_STATS_BALLOON),
    ("vcpu", DOMAIN_STATS_VCPU),
    ("interface", DOMAIN_STATS_INTERFACE),
    ("block", DOMAIN_STATS_BLOCK),
    ("perf", DOMAIN_STATS_PERF),
    ("iothread", DOMAIN_STATS_IOTHREAD),
    ("memory", DOMAIN_STATS_MEMORY),
    ("dirtyrate", DOMAIN_STATS_DIRTYRATE),
    ("vm", DOMAIN_STATS_VM),
];

const FLAGS: &[(&str, u32)] = &[
    ("list-active", CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE),
    ("list-inactive", CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE),
    ("list-persistent", CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT),
    ("list-transient", CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT),
    ("list-running", CONNECT_GET_ALL_DOMAINS_STATS_RUNNING),
    ("list-paused", CONNECT_GET_ALL_DOMAINS_STATS_PAUSED),
    ("list-shutoff", CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF),
    ("list-other", CONNECT_GET_ALL_DOMAINS_STATS_OTHER),
    ("nowait", CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT),
    ("backing", CONNECT_GET_ALL_DOMAINS_STATS_BACKING),
    ("enforce", CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS),
];

fn sum(args: &Args, table: &[(&str, u32)]) -> u32 {
    let chosen = table.iter().filter(|(option, _)| args.has(option));
    chosen.fold(0, |sum, (_, flag)| sum | flag)
}

fn stats(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let named = args.all("domain").map(|name| lookup::named(&*connection, name, By::Any));
    let named = named.collect::<Result<Vec<_>>>()?;
    let records = connection.domains().all_domain_stats(&named, sum(args, KINDS), sum(args, FLAGS))?;
    let texts: Vec<_> = records.iter().map(text_of).collect();
    let data: Vec<_> = records.iter().map(data_of).collect();
    session.show(&data, |session| session.print(texts.join("\n")))
}

fn text_of(record: &DomainStatsRecord) -> String {
    let mut text = format!("Domain: '{}'\n", record.domain.name);
    for param in &record.params {
        text.push_str(&format!("  {}={}\n", param.name, param.value));
    }
    text
}

fn data_of(record: &DomainStatsRecord) -> Value {
    let domain = &record.domain;
    json!({"name": domain.name, "uuid": domain.uuid.to_string(), "id": domain.id, "stats": parameters::object(&record.params)})
}
