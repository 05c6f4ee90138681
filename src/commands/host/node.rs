//! The node's hardware: nodeinfo, nodecpumap, nodecpustats, nodememstats, nodesevinfo, nodesuspend.

use crate::backend::Host;
use crate::commands::parameters;
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::{CpuMap, NodeStat, ranges};
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::{Map, json};
use std::time::Duration;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("nodecpumap", Group::Host, cpu_map)
        .answers("{cpus_present: integer, cpus_online: integer, online: [integer]}")
        .about("show which CPUs the node has", "Shows how many CPUs there are and which of them are online.")
        .options(&[Opt::flag("pretty", "as a list of numbers")]),
    Command::new("nodecpustats", Group::Host, cpu_stats)
        .answers("{*: number?}")
        .about(
            "show what the node's CPUs did",
            "Shows how long the CPUs, or one of them, did what since the node came up, in nanoseconds.",
        )
        .options(&[
            Opt::number("cpu", "only this CPU").tolerated_by_place().complete(Complete::HostCpu),
            Opt::flag("percent", "the shares within one second from now"),
        ]),
    Command::new("nodeinfo", Group::Host, info)
        .answers(
            "{cpu_model: text, cpus: integer, cpu_mhz: integer, sockets_per_cell: integer, \
             cores_per_socket: integer, threads_per_core: integer, numa_cells: integer, \
             memory: integer}",
        )
        .about("show the node's hardware", "Shows the CPUs, their arrangement, and the memory of the node."),
    Command::new("nodememstats", Group::Host, memory_stats)
        .answers("{*: integer}")
        .about("show the node's memory", "Shows how the memory of the node, or of one NUMA cell, is used.")
        .options(&[Opt::number("cell", "only this NUMA cell").tolerated_by_place()]),
    Command::new("nodesevinfo", Group::Host, sev_info)
        .answers("{*: any}")
        .about("show the node's memory encryption", "Shows what the node offers of AMD SEV."),
    Command::new("nodesuspend", Group::Host, suspend)
        .about(
            "send the node to sleep for a while",
            "Suspends the node itself, not a guest, and has it wake after the given time.",
        )
        .options(&[
            Opt::text("target", "mem, disk or hybrid: where the node keeps its state")
                .required()
                .complete(Complete::Words(&["mem", "disk", "hybrid"])),
            Opt::number("duration", "how many seconds to sleep, at least 60").required(),
        ])
        .writes(),
];

fn info(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.host().node_info();
    let info = answer.context("failed to get node information")?;
    let mut fields = Fields::new(20);
    fields.add("CPU model", info.model);
    fields.add("CPU(s)", info.cpus);
    fields.named("CPU frequency", "cpu_mhz", Cell::with(format!("{} MHz", info.mhz), info.mhz));
    fields.named("CPU socket(s)", "sockets_per_cell", info.sockets);
    fields.named("Core(s) per socket", "cores_per_socket", info.cores);
    fields.named("Thread(s) per core", "threads_per_core", info.threads);
    fields.add("NUMA cell(s)", info.nodes);
    let memory = Cell::with(format!("{} KiB", info.memory), info.memory.saturating_mul(1024));
    fields.named("Memory size", "memory", memory);
    session.fields(&fields)
}

fn cpu_map(session: &mut Session, args: &Args) -> Result<()> {
    let answer = session.connection()?.host().node_cpu_map(true, true, 0);
    let map = answer.context("Unable to get cpu map")?;
    let online = online(&map);
    let shown = match args.has("pretty") {
        true => ranges(&online),
        false => (0..map.total).map(|cpu| if online.contains(&cpu) { 'y' } else { '-' }).collect(),
    };
    let mut fields = Fields::new(15);
    fields.add("CPUs present", map.total);
    fields.add("CPUs online", map.online);
    fields.named("CPU map", "online", Cell::with(shown, online));
    session.fields(&fields)
}

/// The numbers of the CPUs that are online.
fn online(map: &CpuMap) -> Vec<i32> {
    let is_online = |cpu: &i32| {
        let cpu = usize::try_from(*cpu).unwrap_or_default();
        map.map.get(cpu / 8).is_some_and(|byte| byte >> (cpu % 8) & 1 == 1)
    };
    (0..map.total).filter(is_online).collect()
}

/// Counters in the order they are shown.
const CPU_COUNTERS: &[&str] = &["user", "system", "idle", "iowait", "intr"];

fn cpu_stats(session: &mut Session, args: &Args) -> Result<()> {
    let cpu = args.number::<i32>("cpu")?.unwrap_or(NODE_CPU_STATS_ALL_CPUS);
    let connection = session.handle()?;
    let before = cpu_counters(connection.host(), cpu)?;
    if args.has("percent") {
        let percentages = percentages(connection.host(), cpu, &before)?;
        let text: String = percentages
            .iter()
            .map(|(name, share)| {
                let share = if share.is_nan() { "-nan".to_string() } else { format!("{share:.1}") };
                format!("{:<15} {share:>5}%\n", format!("{name}:"))
            })
            .collect();
        let data: Map<_, _> = percentages.iter().map(|(name, share)| (name.clone(), json!(share))).collect();
        return session.show(&data, |session| session.print(text));
    }
    let known = || CPU_COUNTERS.iter().filter_map(|name| Some((*name, counter(&before, name)?)));
    let text: String =
        known().map(|(name, value)| format!("{:<15} {value:20}\n", format!("{name}:"))).collect();
    let mut text = text;
    if let Some(utilization) = counter(&before, "utilization") {
        text.push_str(&format!("{:<15} {utilization:19}%\n", "usage:"));
    }
    let data: Map<_, _> = before.iter().map(|stat| (stat.name.clone(), json!(stat.value))).collect();
    session.show(&data, |session| session.print(text))
}

fn cpu_counters(host: &dyn Host, cpu: i32) -> Result<Vec<NodeStat>> {
    if cpu < NODE_CPU_STATS_ALL_CPUS {
        let refusal = "cpuNum in virNodeGetCPUStats only accepts -1 as a negative value";
        bail!(anyhow::anyhow!(refusal).context("Unable to get number of cpu stats"));
    }
    let mut stats = host.node_cpu_stats(cpu, 0).map_err(|error| {
        let failed = match error.code {
            ErrorCode::INVALID_ARGUMENT => "Unable to get node cpu stats",
            _ => "Unable to get number of cpu stats",
        };
        anyhow::Error::from(error).context(failed)
    })?;
    for stat in &mut stats {
        // virsh calls time in the kernel by its older name.
        if stat.name == "kernel" {
            stat.name = "system".to_string();
        }
    }
    Ok(stats)
}

fn counter(stats: &[NodeStat], name: &str) -> Option<u64> {
    stats.iter().find(|stat| stat.name == name).map(|stat| stat.value)
}

/// The shares of each activity within a second, the whole of the busy ones first.
#[allow(clippy::cast_precision_loss)] // shown to a tenth of a percent
fn percentages(host: &dyn Host, cpu: i32, before: &[NodeStat]) -> Result<Vec<(String, f64)>> {
    if let Some(utilization) = counter(before, "utilization") {
        return Ok(vec![("usage".to_string(), utilization as f64)]);
    }
    std::thread::sleep(Duration::from_secs(1));
    let after = cpu_counters(host, cpu)?;
    let gone = |name| Some(counter(&after, name)?.saturating_sub(counter(before, name)?) as f64);
    let shares: Vec<_> = CPU_COUNTERS.iter().filter_map(|name| Some((*name, gone(name)?))).collect();
    let total: f64 = shares.iter().map(|(_, time)| time).sum();
    // Counters that stand still have no share in anything.
    let share = |time: f64| time / total * 100.0;
    let idle = gone("idle").unwrap_or_default() + gone("iowait").unwrap_or_default();
    let usage = std::iter::once(("usage".to_string(), share(total - idle)));
    Ok(usage.chain(shares.iter().map(|(name, time)| ((*name).to_string(), share(*time)))).collect())
}

fn memory_stats(session: &mut Session, args: &Args) -> Result<()> {
    let cell = args.number::<i32>("cell")?.unwrap_or(NODE_MEMORY_STATS_ALL_CELLS);
    let failed = "Unable to get number of memory stats";
    if cell < NODE_MEMORY_STATS_ALL_CELLS {
        let refusal = "cellNum in virNodeGetMemoryStats only accepts -1 as a negative value";
        bail!(anyhow::anyhow!(refusal).context(failed));
    }
    let stats = session.connection()?.host().node_memory_stats(cell, 0).context(failed)?;
    let text: String =
        stats.iter().map(|stat| format!("{:<7}: {:20} KiB\n", stat.name, stat.value)).collect();
    let data: Map<_, _> =
        stats.iter().map(|stat| (stat.name.clone(), json!(stat.value.saturating_mul(1024)))).collect();
    session.show(&data, |session| session.print(text))
}

fn sev_info(session: &mut Session, _: &Args) -> Result<()> {
    let answer = session.connection()?.host().node_sev_info(0);
    let params = answer.context("Unable to get host SEV information")?;
    let text: String = params.iter().map(|param| format!("{:<18}: {}\n", param.name, param.value)).collect();
    session.show(&parameters::object(&params), |session| session.print(text))
}

fn suspend(session: &mut Session, args: &Args) -> Result<()> {
    let target = match args.required("target")? {
        "mem" => NODE_SUSPEND_TARGET_MEM,
        "disk" => NODE_SUSPEND_TARGET_DISK,
        "hybrid" => NODE_SUSPEND_TARGET_HYBRID,
        _ => bail!("Invalid target"),
    };
    let duration = args.number::<i64>("duration")?.unwrap_or_default();
    let Ok(duration) = u64::try_from(duration) else {
        bail!("Invalid duration");
    };
    let answer = session.connection()?.host().node_suspend_for_duration(target, duration, 0);
    answer.context("The host was not suspended")
}
