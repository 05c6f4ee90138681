//! The doors to QEMU itself: monitor and agent commands as a person writes them.

use super::{QemuConnection, check_flags};
use crate::backend::DomainMonitor;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::DomainRef;
use crate::qemud::vm::agent;
use serde_json::Value;

/// The command is for the human monitor.
const HUMAN: u32 = 1;

impl DomainMonitor for QemuConnection {
    fn monitor_command(&self, domain: &DomainRef, cmd: &str, flags: u32) -> Result<String> {
        check_flags(flags, HUMAN, "virDomainQemuMonitorCommand")?;
        let guest = self.find(domain)?;
        let monitor = guest.monitor()?;
        if flags & HUMAN != 0 {
            return Ok(monitor.human(cmd)?);
        }
        let request = parse(cmd)?;
        // QEMU answers what names no command without an id, so that the answer could not be told from others.
        if request.get("execute").or(request.get("exec-oob")).and_then(Value::as_str).is_none() {
            let detail = "a monitor command must be a JSON object with a member 'execute'";
            return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
        }
        Ok(monitor.pass_through(request)?.to_string())
    }

    fn agent_command(
        &self,
        domain: &DomainRef,
        cmd: &str,
        timeout: i32,
        flags: u32,
    ) -> Result<Option<String>> {
        check_flags(flags, 0, "virDomainQemuAgentCommand")?;
        let guest = self.find(domain)?;
        super::guest_agent::check_patience(timeout)?;
        guest.lock().running()?;
        let request = parse(cmd)?;
        Ok(Some(agent::pass_through(&guest, &request, agent::patience(timeout))?.to_string()))
    }
}

fn parse(cmd: &str) -> Result<Value> {
    serde_json::from_str(cmd).map_err(|error| {
        let detail = format!("cannot parse json {cmd}: {error}");
        Error::internal(detail).from_origin(ErrorOrigin::QEMU)
    })
}
