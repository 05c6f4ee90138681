//! vcpuinfo, vcpupin, emulatorpin: where vCPUs and the emulator run, and where they may.

use crate::backend::Connection;
use crate::commands::cpu_list::{self, host_cpus, map_length};
use crate::commands::domain::lookup;
use crate::commands::impact::{self, impact};
use crate::commands::plain_name::plain_name;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Result, bail};
use serde_json::json;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vcpuinfo", Group::Domain, vcpuinfo)
        .answers(
            "[{vcpu: integer, cpu: integer?, state: text?, cpu_time_nanoseconds: integer?, \
             cpu_affinity: text}]",
        )
        .about("show a domain's vCPUs", "Shows state, host CPU, time and affinity of each vCPU.")
        .options(&[Opt::domain(Complete::Domain), Opt::flag("pretty", "affinity as a list of CPUs")]),
    Command::new("vcpupin", Group::Domain, vcpupin)
        .answers("[{vcpu: integer, cpu_affinity: text}]")
        .about(
            "show or set where vCPUs may run",
            "Shows on which host CPUs the vCPUs may run, or pins one to a list.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::number("vcpu", "number of the vCPU").tolerated_by_place().complete(Complete::Vcpu),
            Opt::text("cpulist", "host CPUs such as 0-3,^2, or r for all")
                .tolerated_by_place()
                .complete(Complete::HostCpuList),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
    Command::new("emulatorpin", Group::Domain, emulatorpin)
        .answers("{cpu_affinity: text}")
        .about(
            "show or set where the emulator may run",
            "Shows on which host CPUs the emulator's own threads may run, or pins them to a list.",
        )
        .options(&[
            Opt::domain(Complete::Domain),
            Opt::text("cpulist", "host CPUs, such as 0-3,5,^2")
                .tolerated_by_place()
                .complete(Complete::HostCpuList),
            impact::CONFIG,
            impact::LIVE,
            impact::CURRENT,
        ])
        .writes(),
];

/// By their numbers.
const STATES: &[&str] = &["offline", "running", "blocked"];

/// What vcpuinfo knows of a vCPU; an inactive domain has only affinities.
struct Vcpu {
    number: usize,
    cpu: Option<i32>,
    state: Option<&'static str>,
    time: u64,
    map: Vec<u8>,
}

fn vcpuinfo(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let cpus = host_cpus(&*connection)?;
    let vcpus = read_vcpus(&*connection, &domain, cpus)?;
    let data: Vec<_> = vcpus
        .iter()
        .map(|vcpu| {
            json!({
                "vcpu": vcpu.number,
                "cpu": vcpu.cpu,
                "state": vcpu.state,
                "cpu_time_nanoseconds": vcpu.state.map(|_| vcpu.time),
                "cpu_affinity": cpu_list::format(&vcpu.map, cpus),
            })
        })
        .collect();
    let pretty = args.has("pretty");
    session.show(&data, |session| {
        let blocks: Vec<String> = vcpus.iter().map(|vcpu| vcpu.text(cpus, pretty)).collect();
        session.print(blocks.join("\n"));
    })
}

fn read_vcpus(connection: &dyn Connection, domain: &DomainRef, cpus: usize) -> Result<Vec<Vcpu>> {
    let domains = connection.domains();
    let count = i32::from(domains.info(domain)?.vcpus);
    let length = map_length(cpus);
    let error = match domains.vcpu_info(domain, count, length as i32) {
        Ok((infos, maps)) => {
            let maps = maps.chunks(length.max(1));
            let vcpus = infos.iter().zip(maps).map(|(info, map)| Vcpu {
                number: info.number as usize,
                cpu: Some(info.cpu),
                state: Some(
                    usize::try_from(info.state)
                        .ok()
                        .and_then(|state| STATES.get(state).copied())
                        .unwrap_or("no state"),
                ),
                time: info.cpu_time,
                map: map.to_vec(),
            });
            return Ok(vcpus.collect());
        }
        Err(error) => error,
    };
    if domains.is_active(domain)? {
        return Err(error.into());
    }
    let (maps, known) = domains.vcpu_pin_info(domain, count, length as i32, DOMAIN_AFFECT_CONFIG)?;
    let maps = maps.chunks(length.max(1)).take(usize::try_from(known).unwrap_or_default());
    let vcpus = maps.enumerate().map(|(number, map)| Vcpu {
        number,
        cpu: None,
        state: None,
        time: 0,
        map: map.to_vec(),
    });
    Ok(vcpus.collect())
}

impl Vcpu {
    fn text(&self, cpus: usize, pretty: bool) -> String {
        let mut text = format!("{:<15} {}\n", "VCPU:", self.number);
        let cpu = self.cpu.map_or("N/A".to_string(), |cpu| cpu.to_string());
        text.push_str(&format!("{:<15} {cpu}\n", "CPU:"));
        text.push_str(&format!("{:<15} {}\n", "State:", self.state.unwrap_or("N/A")));
        match self.state {
            None => text.push_str(&format!("{:<15} N/A\n", "CPU time")),
            Some(_) if self.time == 0 => {}
            Some(_) => text.push_str(&format!("{:<15} {:.1}s\n", "CPU time:", self.time as f64 / 1e9)),
        }
        let affinity = if pretty {
            format!("{} (out of {cpus})", cpu_list::format(&self.map, cpus))
        } else {
            let mark = |cpu| {
                if cpu_list::contains(&self.map, cpu) { 'y' } else { '-' }
            };
            (0..cpus).map(mark).collect()
        };
        text.push_str(&format!("{:<15} {affinity}\n", "CPU Affinity:"));
        text
    }
}

fn vcpupin(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let vcpu = args.number::<u32>("vcpu")?;
    let list = args.get("cpulist");
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let cpus = host_cpus(&*connection)?;
    let Some(list) = list else {
        args.exclusive("live", "config")?;
        return show_vcpu_pins(session, &*connection, &domain, vcpu, flags, cpus);
    };
    let Some(vcpu) = vcpu else {
        bail!("vcpupin: Missing vCPU number in pin mode.");
    };
    let map = cpu_list::parse(list, cpus)?;
    let answer = connection.domains().pin_vcpu(&domain, vcpu, &map, flags);
    let asked = flags | u32::from(args.has("current"));
    Ok(plain_name(answer, asked, "virDomainPinVcpuFlags", "virDomainPinVcpu")?)
}

fn show_vcpu_pins(
    session: &mut Session,
    connection: &dyn Connection,
    domain: &DomainRef,
    vcpu: Option<u32>,
    flags: u32,
    cpus: usize,
) -> Result<()> {
    let domains = connection.domains();
    let live = flags & DOMAIN_AFFECT_CONFIG == 0 && (flags != 0 || domains.is_active(domain)?);
    let side = if live { DOMAIN_AFFECT_LIVE } else { DOMAIN_AFFECT_CONFIG };
    if live && !domains.is_active(domain)? {
        bail!("cannot get vcpupin for offline domain");
    }
    if !live && !domains.is_persistent(domain)? {
        bail!("cannot get vcpupin for transient domain");
    }
    let count = domains.vcpu_count(domain, side | DOMAIN_VCPU_MAXIMUM)?;
    if let Some(vcpu) = vcpu.filter(|&vcpu| i64::from(vcpu) >= i64::from(count)) {
        let side = if live { "live" } else { "persistent" };
        // virsh prints it as a number with a sign.
        let vcpu = vcpu as i32;
        bail!("vcpu {vcpu} is out of range of {side} cpu count {count}");
    }
    let length = map_length(cpus);
    let (maps, known) = domains.vcpu_pin_info(domain, count, length as i32, flags)?;
    let known = usize::try_from(known).unwrap_or_default();
    let mut table = Table::new(["VCPU", "CPU Affinity"]);
    for (number, map) in maps.chunks(length.max(1)).take(known).enumerate() {
        if vcpu.is_none_or(|vcpu| vcpu as usize == number) {
            table.row([Cell::from(number), Cell::from(cpu_list::format(map, cpus))]);
        }
    }
    session.table(&table)
}

fn emulatorpin(session: &mut Session, args: &Args) -> Result<()> {
    let flags = impact(args)?;
    let list = args.get("cpulist");
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let domains = connection.domains();
    let cpus = host_cpus(&*connection)?;
    if let Some(list) = list {
        let map = cpu_list::parse(list, cpus)?;
        let open = flags == 0 && !args.has("current");
        let flags = if open { DOMAIN_AFFECT_LIVE } else { flags };
        return Ok(domains.pin_emulator(&domain, &map, flags)?);
    }
    let (map, _) = domains.emulator_pin_info(&domain, map_length(cpus) as i32, flags)?;
    let list = cpu_list::format(&map, cpus);
    session.show(&json!({ "cpu_affinity": list }), |session| {
        session.print_extra("emulator: CPU Affinity\n----------------------------------\n       *: ");
        session.print(format_args!("{list}\n"));
    })
}
