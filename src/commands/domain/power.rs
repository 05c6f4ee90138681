//! Starting and stopping: destroy, shutdown, reboot, reset, suspend, resume, dompmsuspend, dompmwakeup.

use super::lookup;
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("destroy", Group::Domain, destroy)
        .about(
            "switch a domain off at once",
            "Ends the domain as pulling the plug does: the guest gets no chance to write back what it holds in \
             memory. Its definition and its disks stay.",
        )
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("graceful", "give up rather than kill a process that does not end by itself"),
            Opt::flag("remove-logs", "delete the log files of the domain too"), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("dompmsuspend", Group::Domain, pm_suspend)
        .about(
            "put a guest to sleep by its own power management",
            "Asks the agent in the guest to suspend to memory, to disk, or both.",
        )
        .options(&[
            Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_RUNNING)),
            Opt::text("target", "mem, disk or hybrid: where the guest keeps its state")
                .required()
                .complete(Complete::Words(SUSPEND_TARGETS)),
            Opt::number("duration", "wake the guest after so many seconds"),
        ])
        .writes(),
    Command::new("dompmwakeup", Group::Domain, pm_wakeup)
        .about(
            "wake a guest that sleeps",
            "Wakes a guest that its power management has suspended, as by a key or the power button.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("reboot", Group::Domain, reboot)
        .about(
            "ask a guest to restart",
            "Asks the guest to restart in order. The command returns at once; what happens then is the guest's \
             business and that of the on_reboot setting.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), MODE, Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("reset", Group::Domain, reset)
        .about(
            "press a domain's reset button",
            "Restarts the virtual hardware at once without telling the guest.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("resume", Group::Domain, resume)
        .about("let a paused domain go on", "Lets the virtual CPUs of a paused domain run again.")
        .options(&[Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_PAUSED)), Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("shutdown", Group::Domain, shutdown)
        .about(
            "ask a guest to shut down",
            "Asks the guest to shut itself down in order. The command returns at once; a guest may take its time \
             or ignore the request.",
        )
        .options(&[Opt::domain(Complete::ActiveDomain), MODE, Opt::all_domains()])
        .several(&[])
        .writes(),
    Command::new("suspend", Group::Domain, suspend)
        .about("pause a running domain", "Halts the virtual CPUs of a domain; its memory stays in place.")
        .options(&[Opt::domain(Complete::DomainWith(CONNECT_LIST_DOMAINS_RUNNING)), Opt::all_domains()])
        .several(&[])
        .writes(),
];

const MODE: Opt = Opt::text("mode", "how to ask, one or several of: acpi, agent, initctl, signal, paravirt")
    .positional()
    .complete(Complete::WordList(&["acpi", "agent", "initctl", "signal", "paravirt"]));

const SUSPEND_TARGETS: &[&str] = &["mem", "disk", "hybrid"];

fn destroy(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let mut flags = 0;
    if args.has("graceful") {
        flags |= DOMAIN_DESTROY_GRACEFUL;
    }
    if args.has("remove-logs") {
        flags |= DOMAIN_DESTROY_REMOVE_LOGS;
    }
    let name = args.required("domain")?;
    let answer = connection.domains().destroy(&domain, flags);
    plain_name(answer, flags, "virDomainDestroyFlags", "virDomainDestroy")
        .with_context(|| format!("Failed to destroy domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' destroyed\n"));
    Ok(())
}

/// The flags of a list of modes; those of `reboot` have the same numbers as those of `shutdown`.
///
/// virsh words the refusal of the two commands differently: `before_last` is what stands before the last mode.
fn mode_flags(args: &Args, before_last: &str) -> Result<u32> {
    let Some(modes) = args.text("mode")? else {
        return Ok(0);
    };
    let mut flags = 0;
    for mode in modes.split(',') {
        flags |= match mode {
            "acpi" => DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
            "agent" => DOMAIN_SHUTDOWN_GUEST_AGENT,
            "initctl" => DOMAIN_SHUTDOWN_INITCTL,
            "signal" => DOMAIN_SHUTDOWN_SIGNAL,
            "paravirt" => DOMAIN_SHUTDOWN_PARAVIRT,
            _ => bail!(
                "Unknown mode {mode} value, expecting 'acpi', 'agent', 'initctl', 'signal'{before_last} \
                 'paravirt'"
            ),
        };
    }
    Ok(flags)
}

fn shutdown(session: &mut Session, args: &Args) -> Result<()> {
    let flags = mode_flags(args, ", or")?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let answer = connection.domains().shutdown(&domain, flags);
    plain_name(answer, flags, "virDomainShutdownFlags", "virDomainShutdown")
        .with_context(|| format!("Failed to shutdown domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' is being shutdown\n"));
    Ok(())
}

fn reboot(session: &mut Session, args: &Args) -> Result<()> {
    let flags = mode_flags(args, " or")?;
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let answer = connection.domains().reboot(&domain, flags);
    answer.with_context(|| format!("Failed to reboot domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' is being rebooted\n"));
    Ok(())
}

fn reset(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let answer = connection.domains().reset(&domain, 0);
    answer.with_context(|| format!("Failed to reset domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' was reset\n"));
    Ok(())
}

fn suspend(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let answer = connection.domains().suspend(&domain);
    answer.with_context(|| format!("Failed to suspend domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' suspended\n"));
    Ok(())
}

fn resume(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = args.required("domain")?;
    let answer = connection.domains().resume(&domain);
    answer.with_context(|| format!("Failed to resume domain '{name}'"))?;
    session.print_extra(format_args!("Domain '{name}' resumed\n"));
    Ok(())
}

fn pm_suspend(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let duration = args.number("duration")?.unwrap_or(0);
    let target = match args.required("target")? {
        "mem" => NODE_SUSPEND_TARGET_MEM,
        "disk" => NODE_SUSPEND_TARGET_DISK,
        "hybrid" => NODE_SUSPEND_TARGET_HYBRID,
        _ => bail!("Invalid target"),
    };
    let name = &domain.name;
    let answer = connection.domains().pm_suspend_for_duration(&domain, target, duration, 0);
    answer.with_context(|| format!("Domain '{name}' could not be suspended"))?;
    session.print_extra(format_args!("Domain '{name}' successfully suspended"));
    Ok(())
}

fn pm_wakeup(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.connection()?;
    let domain = lookup::domain(connection, args)?;
    let name = &domain.name;
    let answer = connection.domains().pm_wakeup(&domain, 0);
    answer.with_context(|| format!("Domain '{name}' could not be woken up"))?;
    session.print_extra(format_args!("Domain '{name}' successfully woken up"));
    Ok(())
}
