//! What can be read: the node, lists, descriptions.

use super::{Guest, State, text};
use crate::dialogue::key_of;
use crate::wire::{Answer, Request, answer};
use hvsh::backend::xen::sxp::{Sxp, read_answer, show};

impl State {
    pub fn read(&mut self, request: &Request) -> Answer {
        match (request.path.as_str(), key_of(&request.path)) {
            ("/xend/node", _) => answer("200 OK", self.node().as_bytes()),
            ("/xend/domain", _) => answer("200 OK", self.list(&request.query).as_bytes()),
            (_, Some(key)) => match self.find(key) {
                Some(place) => {
                    let page = if request.query.contains("op=vcpuinfo") {
                        return self.vcpus(place);
                    } else {
                        self.describe(&self.guests[place])
                    };
                    let junk = if self.release >= 410 { "''" } else { "" };
                    answer("200 OK", (self.show(&page) + junk).as_bytes())
                }
                None => self.unknown(key),
            },
            (other, None) => text("404 Not found", &format!("Not found: {other}")),
        }
    }

    pub fn show(&self, expression: &Sxp) -> String {
        show(expression, self.release >= 410)
    }

    fn node(&self) -> String {
        let release = self.release;
        let mut node = "(node (system Linux) (host h) (machine x86_64) (nr_cpus 4) (nr_nodes 1)".to_string();
        if release < 320 {
            node += " (sockets_per_node 1)";
        }
        node += " (cores_per_socket 4) (threads_per_core 1) (cpu_mhz 2400)";
        if release >= 340 {
            node += " (virt_caps 'hvm hvm_directio')";
        }
        node += " (total_memory 8192) (free_memory 6080)";
        if release >= 400 {
            node += " (free_cpus 0) (numa_info none)";
        }
        let (major, minor, third) = (release / 100, release / 10 % 10, release % 10);
        let extra = if release == 302 { "-2".to_string() } else { format!(".{third}") };
        node += &format!(" (xen_major {major}) (xen_minor {minor}) (xen_extra {extra})");
        if release >= 310 {
            node += &format!(" (xen_scheduler {})", self.scheduler);
        }
        let format = match release {
            302 => String::new(),
            303 => " (xend_config_format 2)".to_string(),
            304 => " (xend_config_format 3)".to_string(),
            _ => " (xend_config_format 4)".to_string(),
        };
        node + &format + ")"
    }

    fn list(&self, query: &str) -> String {
        let runs = |guest: &&Guest| guest.id.is_some();
        let running = |guest: &&Guest| guest.id.is_some() && !guest.paused;
        let named = |guest: &Guest| Sxp::atom(guest.get("name"));
        let all = self.guests.iter();
        let parts: Vec<Sxp> = match (self.release < 304, query) {
            (true, "detail=1") => all.filter(runs).map(|guest| self.describe(guest)).collect(),
            (true, _) => all.filter(runs).map(named).collect(),
            (_, "detail=1") => all.filter(running).map(|guest| self.describe(guest)).collect(),
            (_, "state=all") => all.map(named).collect(),
            (_, "state=halted") => all.filter(|guest| guest.id.is_none()).map(named).collect(),
            (_, "state=paused") => {
                all.filter(|guest| guest.id.is_some() && guest.paused).map(named).collect()
            }
            (_, "" | "state=running") => all.filter(running).map(named).collect(),
            _ => Vec::new(),
        };
        self.show(&Sxp::List(parts))
    }

    /// How a domain is described.
    pub fn describe(&self, guest: &Guest) -> Sxp {
        let release = self.release;
        let mut page = Sxp::list("domain", []);
        if let Some(id) = guest.id {
            page.push(Sxp::pair("domid", id));
        }
        let plain = guest.config.items().iter().skip(1).filter(|part| !part.is_headed("device"));
        for part in
            plain.filter(|part| !["image", "cpus", "cpu_weight", "cpu_cap"].iter().any(|n| part.is_headed(n)))
        {
            page.push(part.clone());
        }
        for (name, value) in self.figures(guest) {
            page.unset(name);
            page.push(Sxp::pair(name, value));
        }
        if release >= 340 {
            let none = vec![Sxp::List(Vec::new()); guest.number("vcpus").max(1) as usize];
            let kept =
                guest.config.child("cpus").cloned().filter(|cpus| matches!(cpus.value(), Some(Sxp::List(_))));
            page.push(kept.unwrap_or_else(|| Sxp::list("cpus", [Sxp::List(none)])));
        } else if release == 304 {
            // A bug of theirs.
            for _ in 0..40 {
                page.push(read_answer(b"(cpus (0 1))").unwrap().unwrap());
            }
        }
        page.push(Sxp::list("features", [Sxp::atom("")]));
        if let Some(image) = guest.config.child("image").and_then(Sxp::value) {
            page.push(Sxp::list("image", [self.image(image)]));
        }
        for device in guest.config.all("device").filter_map(Sxp::value) {
            page.push(Sxp::list("device", [self.device(device, guest)]));
        }
        if guest.id.is_some_and(|id| id > 0) && release >= 310 && !guest.paused {
            page.push(read_answer(b"(device (console (protocol vt100) (location 2)))").unwrap().unwrap());
        }
        page
    }

    fn figures(&self, guest: &Guest) -> Vec<(&'static str, String)> {
        let release = self.release;
        let mut figures = Vec::new();
        match release {
            ..=303 => figures.push(("cpu_weight", "1.0".to_string())),
            // What it began with, for ever.
            304..=319 => figures.extend([("cpu_weight", "256".to_string()), ("cpu_cap", "0".to_string())]),
            320..=399 => {}
            _ => {
                figures.extend([("cpu_weight", guest.weight.to_string()), ("cpu_cap", guest.cap.to_string())])
            }
        }
        if release < 304 {
            figures.push(("shutdown_reason", "poweroff".to_string()));
        }
        if guest.id.is_some() {
            let state = if guest.paused { "--p---" } else { "-b----" };
            figures.push(("state", state.to_string()));
            figures.push(("online_vcpus", guest.online.to_string()));
            figures.push(("cpu_time", "1.5".to_string()));
        }
        if release >= 304 {
            let status = if guest.id.is_none() { 0 } else { 2 - i32::from(guest.paused) };
            figures.push(("status", status.to_string()));
        }
        figures
    }

    fn image(&self, image: &Sxp) -> Sxp {
        let mut image = image.clone();
        if image.is_headed("hvm") && self.release >= 330 {
            let loader = image.get("kernel").or_else(|| image.get("loader")).unwrap_or_default();
            image.set("kernel", "");
            image.set("loader", loader);
        }
        image
    }

    fn device(&self, device: &Sxp, guest: &Guest) -> Sxp {
        let mut device = device.clone();
        let is_drive = device.is_headed("vbd") || device.is_headed("tap");
        let dev = device.get("dev").unwrap_or_default();
        if is_drive && guest.id.is_some() && self.release >= 303 && !dev.contains(':') {
            device.set("dev", format!("{dev}:disk"));
        }
        if is_drive && (340..350).contains(&self.release) {
            device.push(Sxp::pair("bootable", 1));
            device.push(Sxp::pair("bootable", 1));
        }
        if device.is_headed("vif") && self.release >= 340 {
            if let Some(script) = device.get("script").filter(|script| !script.starts_with('/')) {
                device.set("script", format!("/etc/xen/scripts/{script}"));
            }
        }
        if device.is_headed("vfb") && self.release >= 340 {
            if let Some(kind) = device.get("type") {
                device.unset("type");
                device.push(Sxp::pair(&kind, 1));
            }
        }
        device
    }

    fn vcpus(&self, place: usize) -> Answer {
        let guest = &self.guests[place];
        if guest.id.is_none() && self.release < 320 {
            return answer("500 Request failed: vcpuinfo", b"(xend.err 'no such domain')");
        }
        let mut page = Sxp::list("domain", [Sxp::pair("name", guest.get("name"))]);
        for number in 0..guest.number("vcpus") {
            let online = u8::from(number < i64::from(guest.online));
            let pins = guest
                .config
                .child("cpus")
                .and_then(Sxp::value)
                .and_then(|list| list.items().get(number as usize));
            let map =
                pins.filter(|pins| !pins.items().is_empty()).map_or("(0 1 2 3)".to_string(), Sxp::to_string);
            let vcpu = format!(
                "(vcpu (number {number}) (online {online}) (blocked {online}) (running 0) (cpu_time 0.5) (cpu 0) (cpumap {map}))"
            );
            page.push(read_answer(vcpu.as_bytes()).unwrap().unwrap());
        }
        answer("200 OK", self.show(&page).as_bytes())
    }
}
