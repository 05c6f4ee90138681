//! What a guest's agent tells of users, system, file systems, disks and interfaces, as one list of parameters.

use crate::error::{Error, ErrorCode, Result};
use crate::model::TypedParam;
use crate::model::constants::*;
use crate::qemud::vm::agent;
use crate::qemud::vm::guest::Guest;
use crate::xml::Element;
use serde_json::Value;

/// One kind of facts: its flag, the agent's command, and how its answer becomes parameters.
struct Kind {
    flag: u32,
    command: &'static str,
    read: fn(&Value, &Element, &mut Facts),
}

const KINDS: &[Kind] = &[
    Kind { flag: DOMAIN_GUEST_INFO_USERS, command: "guest-get-users", read: users },
    Kind { flag: DOMAIN_GUEST_INFO_OS, command: "guest-get-osinfo", read: system },
    Kind { flag: DOMAIN_GUEST_INFO_TIMEZONE, command: "guest-get-timezone", read: timezone },
    Kind { flag: DOMAIN_GUEST_INFO_HOSTNAME, command: "guest-get-host-name", read: hostname },
    Kind { flag: DOMAIN_GUEST_INFO_FILESYSTEM, command: "guest-get-fsinfo", read: file_systems },
    Kind { flag: DOMAIN_GUEST_INFO_DISKS, command: "guest-get-disks", read: guest_disks },
    Kind { flag: DOMAIN_GUEST_INFO_INTERFACES, command: "guest-network-get-interfaces", read: interfaces },
    Kind { flag: DOMAIN_GUEST_INFO_LOAD, command: "guest-get-load", read: load },
];

/// The parameters so far.
#[derive(Default)]
struct Facts {
    params: Vec<TypedParam>,
}

impl Facts {
    fn text(&mut self, name: impl Into<String>, value: Option<&Value>) {
        if let Some(text) = value.and_then(Value::as_str) {
            self.params.push(TypedParam::new(name.into(), text));
        }
    }

    fn count(&mut self, name: impl Into<String>, count: usize) {
        self.params.push(TypedParam::new(name.into(), u32::try_from(count).unwrap_or(u32::MAX)));
    }

    fn number(&mut self, name: impl Into<String>, value: Option<&Value>) {
        if let Some(number) = value.and_then(Value::as_u64) {
            self.params.push(TypedParam::new(name.into(), number));
        }
    }
}

/// Asks the agent for what `types` names; for everything it knows if that is nothing.
pub fn facts(guest: &Guest, types: u32) -> Result<Vec<TypedParam>> {
    let tree = guest.lock().running()?.definition.tree()?;
    let known = KINDS.iter().fold(0, |all, kind| all | kind.flag);
    if types & !known != 0 {
        let detail = format!("unsupported guest information types '{:#x}'", types & !known);
        return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail));
    }
    let mut facts = Facts::default();
    for kind in KINDS.iter().filter(|kind| types == 0 || types & kind.flag != 0) {
        match agent::execute(guest, kind.command, Value::Null, None) {
            Ok(answer) => (kind.read)(&answer, &tree, &mut facts),
            // Nobody asked for this one by name, and an older agent need not know it.
            Err(error) if types == 0 && error.code == ErrorCode::AGENT_COMMAND_FAILED => {}
            Err(error) => return Err(error),
        }
    }
    Ok(facts.params)
}

fn list(answer: &Value) -> &[Value] {
    answer.as_array().map_or(&[], Vec::as_slice)
}

fn users(answer: &Value, _: &Element, facts: &mut Facts) {
    facts.count("user.count", list(answer).len());
    for (index, user) in list(answer).iter().enumerate() {
        facts.text(format!("user.{index}.name"), user.get("user"));
        facts.text(format!("user.{index}.domain"), user.get("domain"));
        if let Some(seconds) = user.get("login-time").and_then(Value::as_f64) {
            let milliseconds = (seconds * 1000.0) as u64;
            facts.params.push(TypedParam::new(format!("user.{index}.login-time"), milliseconds));
        }
    }
}

fn system(answer: &Value, _: &Element, facts: &mut Facts) {
    for name in [
        "id",
        "name",
        "pretty-name",
        "version",
        "version-id",
        "machine",
        "variant",
        "variant-id",
        "kernel-release",
        "kernel-version",
    ] {
        facts.text(format!("os.{name}"), answer.get(name));
    }
}

fn timezone(answer: &Value, _: &Element, facts: &mut Facts) {
    facts.text("timezone.name", answer.get("zone"));
    if let Some(offset) = answer.get("offset").and_then(Value::as_i64) {
        facts.params.push(TypedParam::new("timezone.offset", i32::try_from(offset).unwrap_or(0)));
    }
}

fn hostname(answer: &Value, _: &Element, facts: &mut Facts) {
    facts.text("hostname", answer.get("host-name"));
}

fn file_systems(answer: &Value, tree: &Element, facts: &mut Facts) {
    let systems = list(answer);
    if systems.is_empty() {
        return;
    }
    facts.count("fs.count", systems.len());
    for (index, system) in systems.iter().enumerate() {
        facts.text(format!("fs.{index}.name"), system.get("name"));
        facts.text(format!("fs.{index}.mountpoint"), system.get("mountpoint"));
        facts.text(format!("fs.{index}.fstype"), system.get("type"));
        facts.number(format!("fs.{index}.total-bytes"), system.get("total-bytes"));
        facts.number(format!("fs.{index}.used-bytes"), system.get("used-bytes"));
        let disks = system.get("disk").map_or(&[][..], list);
        facts.count(format!("fs.{index}.disk.count"), disks.len());
        for (number, disk) in disks.iter().enumerate() {
            let name = |field: &str| format!("fs.{index}.disk.{number}.{field}");
            if let Some(target) = super::guest_agent::target_of(tree, disk) {
                facts.params.push(TypedParam::new(name("alias"), target));
            }
            facts.text(name("serial"), disk.get("serial"));
            facts.text(name("device"), disk.get("dev"));
        }
    }
}

fn guest_disks(answer: &Value, tree: &Element, facts: &mut Facts) {
    facts.count("disk.count", list(answer).len());
    for (index, disk) in list(answer).iter().enumerate() {
        let name = |field: &str| format!("disk.{index}.{field}");
        facts.text(name("name"), disk.get("name"));
        let partition = disk.get("partition").and_then(Value::as_bool).unwrap_or(false);
        facts.params.push(TypedParam::new(name("partition"), partition));
        let dependencies = disk.get("dependencies").map_or(&[][..], list);
        if !dependencies.is_empty() {
            facts.count(name("dependency.count"), dependencies.len());
        }
        for (number, dependency) in dependencies.iter().enumerate() {
            facts.text(name(&format!("dependency.{number}.name")), Some(dependency));
        }
        if let Some(address) = disk.get("address") {
            facts.text(name("serial"), address.get("serial"));
            if let Some(target) = super::guest_agent::target_of(tree, address) {
                facts.params.push(TypedParam::new(name("alias"), target));
            }
        }
        facts.text(name("guest_alias"), disk.get("alias"));
        facts.text(name("guest_bus"), disk.pointer("/address/bus-type"));
    }
}

fn interfaces(answer: &Value, _: &Element, facts: &mut Facts) {
    facts.count("if.count", list(answer).len());
    for (index, interface) in list(answer).iter().enumerate() {
        facts.text(format!("if.{index}.name"), interface.get("name"));
        facts.text(format!("if.{index}.hwaddr"), interface.get("hardware-address"));
        let addresses = interface.get("ip-addresses").map_or(&[][..], list);
        if !addresses.is_empty() {
            facts.count(format!("if.{index}.addr.count"), addresses.len());
        }
        for (number, address) in addresses.iter().enumerate() {
            let name = |field: &str| format!("if.{index}.addr.{number}.{field}");
            facts.text(name("type"), address.get("ip-address-type"));
            facts.text(name("addr"), address.get("ip-address"));
            if let Some(prefix) = address.get("prefix").and_then(Value::as_u64) {
                facts.count(name("prefix"), prefix as usize);
            }
        }
    }
}

fn load(answer: &Value, _: &Element, facts: &mut Facts) {
    for name in ["1m", "5m", "15m"] {
        if let Some(value) = answer.get(format!("load{name}")).and_then(Value::as_f64) {
            facts.params.push(TypedParam::new(format!("load.{name}"), value));
        }
    }
}
