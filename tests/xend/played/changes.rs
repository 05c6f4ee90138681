//! What can be asked for by a form.

use super::{Guest, MANAGING, State, text};
use crate::dialogue::key_of;
use crate::wire::{Answer, Request, answer};
use hvsh::backend::xen::sxp::{Dialect, Sxp, read_all, read_answer};

/// What an operation comes to.
type Outcome = Result<Option<Sxp>, String>;

/// The free memory of the host, in MiB.
const FREE: i64 = 6080;
/// Operations that are accepted first and done afterwards.
const ACCEPTED: &[&str] = &[
    "shutdown",
    "destroy",
    "save",
    "dump",
    "start",
    "delete",
    "rename",
    "sysrq",
    "reset",
    "wait_for_devices",
];

impl State {
    /// The answer to a form; none where none ever comes.
    pub fn change(&mut self, request: &Request) -> Option<Answer> {
        let op = request.field("op");
        let encoded: usize = request.length;
        if encoded > 10_000 {
            return Some(answer("413 Request entity too large", b""));
        }
        let place = match key_of(&request.path) {
            Some(key) => match self.find(key) {
                Some(place) => Some(place),
                None => return Some(self.unknown(key)),
            },
            None => None,
        };
        if !self.has(&op, place.is_some()) {
            return Some(text(&format!("501 Operation not implemented: {op}"), "Operation not implemented"));
        }
        for field in self.wanted(&op) {
            if !request.form.contains_key(*field) {
                return Some(self.outcome(&op, Err(format!("Missing parameter: {field}"))));
            }
        }
        let done = match place {
            None => self.make(&op, request)?,
            Some(place) => self.alter(&op, place, request)?,
        };
        Some(self.outcome(&op, done))
    }

    /// Whether a release has an operation.
    fn has(&self, op: &str, on_domain: bool) -> bool {
        match (op, on_domain) {
            ("new", false) | ("start" | "delete" | "dump", true) => self.release >= MANAGING,
            ("reset", true) => self.release >= 330,
            ("domain_sched_credit_get" | "domain_sched_credit_set", true) => self.release >= 303,
            ("create" | "restore" | "list", false) => true,
            (_, on_domain) => on_domain,
        }
    }

    /// The fields a release insists on.
    fn wanted(&self, op: &str) -> &'static [&'static str] {
        match (op, self.release) {
            ("create" | "new" | "device_create", _) => &["config"],
            ("shutdown", _) => &["reason"],
            ("save" | "restore", _) => &["file"],
            ("dump", ..340) => &["file", "live", "crash"],
            ("dump", _) => &["file", "live", "crash", "reset"],
            ("migrate", ..330) => &["destination", "live", "resource", "port"],
            ("migrate", 330..400) => &["destination", "live", "port", "node", "ssl"],
            ("migrate", _) => &["destination", "live", "port", "node", "ssl", "change_home_server"],
            ("domain_sched_credit_set", 320..) => &["weight", "cap"],
            ("domain_sched_credit_set", _) => &["weight"],
            ("device_destroy", 330..) => &["type", "dev", "force", "rm_cfg"],
            ("device_destroy", _) => &["type", "dev"],
            ("device_configure", _) => &["config", "dev"],
            ("pincpu", _) => &["vcpu", "cpumap"],
            ("mem_target_set", _) => &["target"],
            ("maxmem_set", _) => &["memory"],
            ("set_vcpus", _) => &["vcpus"],
            ("rename", _) => &["name"],
            ("devices", _) => &["type"],
            ("cpu_sedf_set", _) => &["period", "slice", "latency", "extratime", "weight"],
            _ => &[],
        }
    }

    /// The status under which a release says how it went.
    fn outcome(&self, op: &str, outcome: Outcome) -> Answer {
        let good = match op {
            "create" => "201 created",
            "restore" => "201 Created",
            op if ACCEPTED.contains(&op) => "202 Accepted",
            _ => "200 OK",
        };
        match outcome {
            Ok(body) => answer(good, body.map(|body| self.show(&body)).unwrap_or_default().as_bytes()),
            Err(why) => {
                let error = Sxp::list("xend.err", [Sxp::atom(why)]);
                let status = match (op, self.release) {
                    ("restore" | "migrate", _) => "200 OK".to_string(),
                    ("save" | "dump", _) => "202 Accepted".to_string(),
                    ("create", 302) => "200 OK".to_string(),
                    (_, 302) => good.to_string(),
                    (op, _) => format!("500 Request failed: {op}"),
                };
                answer(&status, self.show(&error).as_bytes())
            }
        }
    }

    fn read_config(&self, request: &Request) -> Result<Sxp, String> {
        let dialect = match self.release {
            ..=303 => Dialect::Request302,
            304..=399 => Dialect::Request304,
            _ => Dialect::Request40,
        };
        let read = read_all(&request.form["config"], dialect).map_err(|flaw| flaw.to_string())?;
        read.into_iter().next().ok_or_else(|| "list index out of range".to_string())
    }

    fn make(&mut self, op: &str, request: &Request) -> Option<Outcome> {
        if op == "restore" {
            let Some(mut guest) = self.saved.clone() else { return Some(Err("no such file".to_string())) };
            if self.guests.iter().any(|known| known.id.is_some() && known.get("uuid") == guest.get("uuid")) {
                self.harm.push("a second copy of a running domain".to_string());
            }
            self.guests.retain(|known| known.get("uuid") != guest.get("uuid"));
            guest.id = Some(self.next_id());
            self.guests.push(guest);
            return Some(Ok(None));
        }
        let config = match self.read_config(request) {
            Ok(config) => config,
            Err(why) => return Some(Err(format!("Invalid configuration {why}"))),
        };
        if let Err(why) = self.check(&config) {
            return Some(Err(why));
        }
        let uuid = config.get("uuid").unwrap_or_default();
        let name = config.get("name").unwrap_or_default();
        let own = self.guests.iter().position(|guest| guest.get("uuid") == uuid);
        if self.guests.iter().any(|guest| guest.get("name") == name && guest.get("uuid") != uuid) {
            return Some(Err(format!("VM name '{name}' already exists")));
        }
        if op == "new" {
            self.keep(config, own);
            return Some(Ok(None));
        }
        if own.is_some_and(|own| self.guests[own].id.is_some()) {
            if self.release < 320 {
                self.harm.push(format!("two domains are {uuid}"));
            }
            return Some(Err("Domain is already running".to_string()));
        }
        if config.number("memory").unwrap_or(0) > FREE {
            if (303..320).contains(&self.release) {
                self.harm.push("xend hangs for memory".to_string());
                return None;
            }
            return Some(Err("I need more memory than there is".to_string()));
        }
        let managed = own.is_some();
        let online = config.number("vcpus").unwrap_or(1) as u32;
        let id = Some(self.next_id());
        let guest = Guest { id, managed, paused: true, config, weight: 256, cap: 0, online };
        let page = self.describe(&guest);
        match own {
            Some(own) => self.guests[own] = guest,
            None => self.guests.push(guest),
        }
        Some(Ok(Some(page)))
    }

    fn next_id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn keep(&mut self, mut config: Sxp, own: Option<usize>) {
        for gone in ["domid", "state", "status"] {
            config.unset(gone);
        }
        let weight = config.number("cpu_weight").unwrap_or(256) as u32;
        let cap = config.number("cpu_cap").unwrap_or(0) as i32;
        match own {
            Some(own) => {
                self.guests[own].managed = true;
                if self.guests[own].id.is_none() {
                    (self.guests[own].weight, self.guests[own].cap) = (weight, cap);
                    self.guests[own].config = config;
                }
            }
            None => {
                let online = config.number("vcpus").unwrap_or(1) as u32;
                self.guests.push(Guest {
                    id: None,
                    managed: true,
                    paused: false,
                    config,
                    weight,
                    cap,
                    online,
                });
            }
        }
    }

    /// What a release finds wrong with a configuration.
    fn check(&self, config: &Sxp) -> Result<(), String> {
        let name = config.get("name").unwrap_or_default();
        let fits =
            |c: char| c.is_ascii_alphanumeric() || "_.:+-".contains(c) || (c == '/' && self.release < 400);
        if name.is_empty() || !name.chars().all(fits) {
            return Err("Invalid VM Name".to_string());
        }
        if config.number("memory").is_none() {
            return Err("Invalid Configuration: Memory".to_string());
        }
        if config.number("vcpus").is_none() && self.release >= 340 {
            return Err("'vcpus'".to_string());
        }
        for device in config.all("device").filter_map(Sxp::value) {
            self.check_device(device)?;
        }
        Ok(())
    }

    fn check_device(&self, device: &Sxp) -> Result<(), String> {
        let class = device.head().unwrap_or_default();
        let since = match class.as_str() {
            "vbd" | "vif" | "pci" => 302,
            "tap" => 303,
            "vfb" | "vkbd" => 304,
            "console" => 310,
            "vscsi" | "tap2" | "vusb" => 400,
            _ => u32::MAX,
        };
        let dev = device.get("dev").unwrap_or_default();
        match () {
            () if self.release < since => Err(format!("XendConfig: {class} not a valid device type")),
            () if self.release == 302 && dev.contains(':') => {
                Err(format!("Unable to find number for device ({dev})"))
            }
            () => Ok(()),
        }
    }

    fn alter(&mut self, op: &str, place: usize, request: &Request) -> Option<Outcome> {
        let release = self.release;
        let active = self.guests[place].id.is_some();
        let is_host = self.guests[place].id == Some(0);
        let no_id = || Err("int() argument must be a string or a number, not 'NoneType'".to_string());
        if is_host && ["pause", "unpause", "destroy", "shutdown", "save"].contains(&op) {
            if release == 302 {
                self.harm.push(format!("the host took '{op}'"));
            }
            return Some(Err(format!("Cannot {op} privileged domain 0")));
        }
        let needs_life = ["pause", "unpause", "destroy", "dump", "migrate", "shutdown", "reset"];
        if !active && needs_life.contains(&op) {
            return Some(no_id());
        }
        let guest = &mut self.guests[place];
        Some(match op {
            "pause" | "unpause" => {
                guest.paused = op == "pause";
                Ok(None)
            }
            "shutdown" | "destroy" => {
                if op == "destroy" || request.field("reason") == "poweroff" {
                    self.end(place);
                }
                Ok(None)
            }
            "start" => {
                if active {
                    return Some(Err("Domain is already running".to_string()));
                }
                guest.paused = false;
                self.guests[place].id = Some(self.next_id());
                Ok(None)
            }
            "delete" if active => Err("Domain is not halted.".to_string()),
            "delete" => {
                self.guests.remove(place);
                Ok(None)
            }
            "rename" => {
                guest.config.set("name", request.field("name"));
                Ok(None)
            }
            "save" => {
                if !active || (guest.paused && release < 320) {
                    self.harm.push("a save that never ends".to_string());
                    return None;
                }
                if guest.paused {
                    return Some(Err("Domain is not running".to_string()));
                }
                self.saved = Some(guest.clone());
                self.end(place);
                Ok(None)
            }
            "migrate" => {
                self.end(place);
                Ok(None)
            }
            "wait_for_devices" | "dump" | "reset" => Ok(None),
            "mem_target_set" | "maxmem_set" | "set_vcpus" | "pincpu" => self.size(op, place, request),
            "device_create" | "device_destroy" | "device_configure" | "devices" => {
                self.plug(op, place, request)
            }
            _ => self.schedule(op, place, request),
        })
    }

    fn end(&mut self, place: usize) {
        match self.guests[place].managed {
            true => self.guests[place].id = None,
            false => drop(self.guests.remove(place)),
        }
    }

    fn size(&mut self, op: &str, place: usize, request: &Request) -> Outcome {
        let release = self.release;
        let guest = &mut self.guests[place];
        let number =
            |name| request.field(name).parse::<i64>().map_err(|_| "invalid literal for int()".to_string());
        match op {
            "mem_target_set" if number("target")? > guest.number("maxmem") && release >= 310 => {
                return Err("memory_dynamic_max must be less than memory_static_max".to_string());
            }
            "mem_target_set" => guest.config.set("memory", number("target")?),
            "maxmem_set" if number("memory")? < guest.number("memory") => match release {
                ..310 => guest.config.set("maxmem", number("memory")?),
                310..320 => self.harm.push("every domain is broken by a maximum".to_string()),
                _ => return Err("memory_dynamic_max is above".to_string()),
            },
            "maxmem_set" => guest.config.set("maxmem", number("memory")?),
            "set_vcpus" if guest.id.is_none() => guest.config.set("vcpus", number("vcpus")?),
            "set_vcpus" if number("vcpus")? > guest.number("vcpus") => {
                return if release >= 340 { Err("more than there are".to_string()) } else { Ok(None) };
            }
            "set_vcpus" => guest.online = number("vcpus")? as u32,
            _ if release < 340 => self.harm.push("a pin that unpins".to_string()),
            _ => {
                let cpus: Result<Vec<u32>, _> = request.field("cpumap").split(',').map(str::parse).collect();
                let cpus = cpus.map_err(|_| "invalid literal for int() with base 10".to_string())?;
                let mut pins = vec![Sxp::List(Vec::new()); guest.number("vcpus") as usize];
                if let Some(Sxp::List(known)) = guest.config.child("cpus").and_then(Sxp::value) {
                    pins.clone_from(known);
                }
                pins[number("vcpu")? as usize] =
                    Sxp::List(cpus.iter().map(|cpu| Sxp::atom(cpu.to_string())).collect());
                guest.config.unset("cpus");
                guest.config.push(Sxp::list("cpus", [Sxp::List(pins)]));
            }
        }
        Ok(None)
    }

    fn schedule(&mut self, op: &str, place: usize, request: &Request) -> Outcome {
        let release = self.release;
        let guest = &mut self.guests[place];
        if guest.id.is_none() && release < 320 {
            return Err("int() argument must be a string or a number, not 'NoneType'".to_string());
        }
        let number =
            |name| request.field(name).parse::<i64>().map_err(|_| "invalid literal for int()".to_string());
        match op {
            "domain_sched_credit_get" => {
                return Ok(Some(Sxp::atom(format!("{{'cap': {}, 'weight': {}}}", guest.cap, guest.weight))));
            }
            "domain_sched_credit_set" => {
                if !(1..=65535).contains(&number("weight")?) {
                    return Err("weight is out of range".to_string());
                }
                guest.weight = number("weight")? as u32;
                guest.cap = if release < 320 { -1 } else { number("cap")? as i32 };
            }
            "cpu_sedf_get" => return Ok(Some(self.sedf.clone())),
            "cpu_sedf_set" => {
                for name in ["period", "slice", "latency", "extratime", "weight"] {
                    self.sedf.set(name, number(name)?);
                }
            }
            other => return Err(format!("nothing is known of {other}")),
        }
        Ok(Some(Sxp::atom("0")))
    }

    fn plug(&mut self, op: &str, place: usize, request: &Request) -> Outcome {
        let bare = |dev: &str| dev.split(':').next().unwrap_or_default().to_string();
        let kind = request.field("type");
        if op == "device_create" {
            let device = self.read_config(request)?;
            self.check_device(&device)?;
            let class = device.head().unwrap_or_default();
            self.guests[place].config.push(Sxp::list("device", [device]));
            return Ok(Some(read_answer(format!("({class} (dom 9 id 1))").as_bytes()).unwrap().unwrap()));
        }
        let of_class = |guest: &Guest, kind: &str| -> Vec<Sxp> {
            guest
                .config
                .all("device")
                .filter_map(Sxp::value)
                .filter(|device| device.is_headed(kind))
                .cloned()
                .collect()
        };
        let dev = request.field("dev");
        match op {
            "devices" => {
                let entries =
                    of_class(&self.guests[place], &kind).into_iter().enumerate().map(|(number, device)| {
                        let settings = Sxp::List(vec![
                            Sxp::pair("handle", number),
                            Sxp::pair("mac", device.get("mac").unwrap_or_default()),
                        ]);
                        Sxp::List(vec![Sxp::atom(number.to_string()), settings])
                    });
                Ok(Some(Sxp::List(entries.collect())))
            }
            "device_destroy" => {
                let found =
                    of_class(&self.guests[place], &kind).into_iter().enumerate().find(|(number, device)| {
                        number.to_string() == dev
                            || device.get("dev").is_some_and(|own| bare(&own) == bare(&dev))
                    });
                let (_, found) = found.ok_or_else(|| format!("Device {dev} not connected"))?;
                let Sxp::List(items) = &mut self.guests[place].config else { return Ok(None) };
                items.retain(|item| !item.is_headed("device") || item.value() != Some(&found));
                Ok(None)
            }
            _ if self.release < 310 => Err("global name 'sxpr' is not defined".to_string()),
            _ if self.release >= 400 => Err(format!("Device {dev} not connected")),
            _ => {
                let device = self.read_config(request)?;
                let Sxp::List(items) = &mut self.guests[place].config else { return Ok(None) };
                let own = items.iter_mut().find(|item| {
                    let own = item.value().and_then(|known| known.get("dev")).unwrap_or_default();
                    item.is_headed("device") && bare(&own) == bare(&dev) && own.ends_with(":cdrom")
                });
                let own = own.ok_or_else(|| format!("Refusing to reconfigure device vbd:{dev}"))?;
                *own = Sxp::list("device", [device]);
                Ok(Some(Sxp::atom("True")))
            }
        }
    }
}
