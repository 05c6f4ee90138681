//! qemu-monitor-command, qemu-agent-command, qemu-attach.

use super::json;
use crate::commands::descriptors::descriptors;
use crate::commands::domain::lookup;
use crate::error::{Error, ErrorCode, ErrorOrigin};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("qemu-monitor-command", Group::Domain, qemu_monitor_command)
.answers("any")
        .about("send a command to QEMU's monitor", "Sends a command to the monitor of a domain's QEMU and prints the answer. It can upset what the driver knows of the domain.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::flag("hmp", "the command is one of the human monitor"),
            Opt::flag("pretty", "lay the answer out over several lines"),
            Opt::flag("return-value", "show only what the command returned"),
            Opt::text("pass-fds", "descriptors to hand over with the command"),
            Opt::rest("cmd", "the command and its arguments").required(),
        ])
        .writes(),
    Command::new("qemu-agent-command", Group::Domain, qemu_agent_command)
.answers("any")
        .about("send a command to the guest's agent", "Sends a command to the QEMU agent inside a guest and prints the answer.")
        .options(&[
            Opt::domain(Complete::ActiveDomain),
            Opt::number("timeout", "seconds to wait for the agent"),
            Opt::flag("async", "do not wait for the agent at all"),
            Opt::flag("block", "wait for the agent without limit"),
            Opt::flag("pretty", "lay the answer out over several lines"),
            Opt::rest("cmd", "the command and its arguments").required(),
        ])
        .writes(),
    Command::new("qemu-attach", Group::Domain, qemu_attach)
        .about("take over a QEMU process", "Takes over a QEMU process that somebody else started.")
        .options(&[
            Opt::text("pid", "id of the QEMU process").required(),
        ])
        .writes(),
];

fn words(args: &Args) -> Vec<&str> {
    args.all("cmd").collect()
}

fn qemu_monitor_command(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("hmp", "pretty")?;
    args.exclusive("hmp", "return-value")?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    if !descriptors(args)?.is_empty() {
        return Err(Error::unsupported("virDomainQemuMonitorCommandWithFiles").into());
    }
    let (command, flags) = if args.has("hmp") {
        (words(args).join(" "), DOMAIN_QEMU_MONITOR_COMMAND_HMP)
    } else {
        (wrapped(&words(args))?, 0)
    };
    let answer = connection.domains().monitor_command(&domain, &command, flags)?;
    if args.has("hmp") {
        return session.show(&answer, |session| session.print(format_args!("{answer}\n")));
    }
    if !args.has("pretty") && !args.has("return-value") && session.settings.format == Format::Table {
        session.print(format_args!("{answer}\n"));
        return Ok(());
    }
    let mut value = json::parse(&answer).context("failed to parse JSON returned by qemu")?;
    if args.has("return-value") {
        value = match value.get_mut("return") {
            Some(inner) => inner.take(),
            None => bail!("'return' member missing"),
        };
    }
    let text =
        if args.has("pretty") { json::pretty(&value).trim_end().to_string() } else { value.to_string() };
    session.show(&value, |session| session.print(&text))
}

/// The words as one QMP command: JSON is taken as it is; else the first word is the command's name, and the
/// rest are the fields of its arguments.
fn wrapped(words: &[&str]) -> Result<String> {
    let whole = words.join(" ");
    if matches!(json::parse(&whole), Ok(Value::Object(_))) {
        return Ok(whole);
    }
    let name = words.first().copied().unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default().join(" ");
    // Arguments may come with their braces or without.
    let arguments = match json::parse(&rest) {
        Ok(arguments @ Value::Object(_)) => arguments,
        _ => json::parse(&format!("{{{rest}}}"))
            .with_context(|| format!("failed to wrap arguments '{rest}' into a QMP command wrapper"))?,
    };
    Ok(serde_json::json!({ "execute": name, "arguments": arguments }).to_string())
}

fn qemu_agent_command(session: &mut Session, args: &Args) -> Result<()> {
    let chosen = ["timeout", "async", "block"].iter().filter(|option| args.has(option));
    if chosen.count() > 1 {
        bail!("timeout, async and block options are exclusive");
    }
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let timeout = match args.number::<i32>("timeout")? {
        Some(seconds) if seconds < 1 => bail!("timeout must be positive"),
        Some(seconds) => seconds,
        None if args.has("async") => DOMAIN_QEMU_AGENT_COMMAND_NOWAIT,
        None if args.has("block") => DOMAIN_QEMU_AGENT_COMMAND_BLOCK,
        None => DOMAIN_QEMU_AGENT_COMMAND_DEFAULT,
    };
    let command = words(args).join(" ");
    let answer = connection.domains().agent_command(&domain, &command, timeout, 0)?;
    let Some(answer) = answer else {
        return Ok(());
    };
    let parsed = json::parse(&answer).ok();
    let text = match &parsed {
        Some(value) if args.has("pretty") => json::pretty(value),
        _ => answer,
    };
    session.show(&parsed, |session| session.print(format_args!("{text}\n")))
}

fn qemu_attach(session: &mut Session, args: &Args) -> Result<()> {
    let pid = args.number::<u32>("pid")?.unwrap_or_default();
    let connection = session.handle()?;
    if pid == 0 {
        let message = "pid_value in virDomainQemuAttach must not be zero".to_string();
        let refused = Error { code: ErrorCode::INVALID_ARGUMENT, origin: ErrorOrigin::NONE, message };
        return Err(refused).context("Failed to attach to pid 0");
    }
    let attached = connection.domains().attach(pid, 0);
    let domain = attached.with_context(|| format!("Failed to attach to pid {pid}"))?;
    session.print_extra(format_args!("Domain '{}' attached to pid {pid}\n", domain.name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_one_command() {
        assert_eq!(wrapped(&["query-status"]).unwrap(), r#"{"execute":"query-status","arguments":{}}"#);
        assert_eq!(wrapped(&["x", "\"a\":1"]).unwrap(), r#"{"execute":"x","arguments":{"a":1}}"#);
        assert_eq!(wrapped(&["{\"execute\":", "\"x\"}"]).unwrap(), "{\"execute\": \"x\"}");
        let refused = wrapped(&["x", "a=1"]).unwrap_err();
        assert_eq!(refused.to_string(), "failed to wrap arguments 'a=1' into a QMP command wrapper");
    }
}
