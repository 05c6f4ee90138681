//! A server that answers as a recorded xend did: its status lines, headers and bodies, the requests that it never
//! answered, and the connections that it forgot to close.
//!
//! It stands at a place of the dialogue. A request that changes something is looked for from there on, by its path and
//! the fields of its form, and the place moves behind it; a question gets the answer that was given nearest to the
//! place. A domain can be asked for by its uuid where it was recorded by its name.

use crate::dialogue::{Dialogue, Entry, key_of};
use crate::wire::{self, Answer, Manners, Request, answer};
use hvsh::backend::xen::sxp::{Sxp, read_answer, show};
use std::sync::{Arc, Mutex};

/// What has happened so far.
struct State {
    dialogue: Dialogue,
    at: usize,
    seen: Vec<Request>,
    unknown: Vec<String>,
}

/// A running stand-in.
pub struct StandIn {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl StandIn {
    /// Starts one that stands before the entry `label` of a release's dialogue.
    pub fn at(version: &'static str, label: &str) -> StandIn {
        let dialogue = Dialogue::of(version);
        let at = dialogue.place(label);
        let state = State { dialogue, at, seen: Vec::new(), unknown: Vec::new() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let manners = Manners { one_at_a_time: false, forgets: version != "3.0.4" };
        let port = wire::start(manners, move |request| shared.lock().unwrap().answer(request));
        StandIn { port, state }
    }

    /// The connection URI that leads here.
    pub fn uri(&self) -> String {
        format!("xen:///?xend=tcp:127.0.0.1:{}&xend-domains=/nonexistent&xend-timeout=120", self.port)
    }

    /// What was asked for by `POST` so far, in order.
    pub fn posts(&self) -> Vec<Request> {
        let state = self.state.lock().unwrap();
        state.seen.iter().filter(|request| request.method == "POST").cloned().collect()
    }

    /// The operations that were asked for, in order.
    pub fn ops(&self) -> Vec<String> {
        self.posts().iter().map(|request| request.field("op")).collect()
    }

    /// The requests nothing is recorded about.
    pub fn unknown(&self) -> Vec<String> {
        self.state.lock().unwrap().unknown.clone()
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Option<Answer> {
        self.seen.push(request.clone());
        if request.headers.iter().any(|header| header.starts_with("User-Agent")) {
            self.unknown.push("a request with a User-Agent gets HTML".to_string());
        }
        let found = match request.method.as_str() {
            "GET" => self.read(request),
            _ => self.change(request),
        };
        found.unwrap_or_else(|| {
            self.unknown.push(format!("{request:?}"));
            Some(answer("500 Request failed", b"(xend.err 'nothing is recorded about this')"))
        })
    }

    /// The name of the domain that a key means now.
    fn name(&self, key: &str) -> String {
        let fits = |domain: &Sxp| {
            domain.get("uuid").as_deref() == Some(key) || domain.get("domid").as_deref() == Some(key)
        };
        let names = self.dialogue.names();
        let named = names
            .iter()
            .find(|name| self.dialogue.domain_at(self.at, name).is_some_and(|domain| fits(&domain)));
        named.cloned().unwrap_or_else(|| key.to_string())
    }

    fn read(&self, request: &Request) -> Option<Option<Answer>> {
        if request.path == "/xend/domain" {
            return Some(Some(self.list(&request.query)));
        }
        let Some(key) = key_of(&request.path) else {
            let entry = self
                .dialogue
                .read_at(self.at, |entry| entry.method == "GET" && entry.path == request.path)?;
            return Some(recorded(entry));
        };
        let name = self.name(key);
        if request.query.contains("op=vcpuinfo") {
            let asks = |entry: &Entry| entry.query.contains("op=vcpuinfo") && entry.key() == Some(&name);
            return self.dialogue.read_at(self.at, asks).map(recorded);
        }
        match self.dialogue.domain_at(self.at, &name) {
            Some(domain) => {
                // 4.1 and later end this page with an empty string.
                let junk = if self.dialogue.version == "4.4" { "''" } else { "" };
                let body = show(&domain, self.dialogue.version == "4.4") + junk;
                Some(Some(answer("200 OK", body.as_bytes())))
            }
            None => {
                let unknown = &self.dialogue.entries[self.dialogue.place("unknown-domain-get")];
                Some(recorded(unknown))
            }
        }
    }

    /// The list of domains: names, or with `detail=1` the whole of those that run and are not paused.
    fn list(&self, query: &str) -> Answer {
        let names = self.dialogue.names();
        let domains = names.iter().filter_map(|name| self.dialogue.domain_at(self.at, name));
        let status = |domain: &Sxp| domain.number("status").unwrap_or(-1);
        let wanted = |domain: &Sxp| match query {
            "state=all" => true,
            "state=halted" => status(domain) == 0,
            _ => status(domain) == 2,
        };
        let detail = query == "detail=1";
        let part =
            |domain: Sxp| if detail { domain } else { Sxp::atom(domain.get("name").unwrap_or_default()) };
        let parts: Vec<Sxp> = domains.filter(wanted).map(part).collect();
        answer("200 OK", show(&Sxp::List(parts), self.dialogue.version == "4.4").as_bytes())
    }

    fn change(&mut self, request: &Request) -> Option<Option<Answer>> {
        let name = key_of(&request.path).map(|key| self.name(key));
        let entries = &self.dialogue.entries;
        let order = (self.at..entries.len()).chain(0..self.at);
        let fits = |entry: &Entry| {
            entry.method == "POST"
                && entry.key().map(str::to_string) == name
                && entry.form.iter().all(|(field, value)| same_field(field, value, request.form.get(field)))
                && !entry.form.is_empty()
        };
        if let Some(entry) = self.dialogue.read_at(self.at, |entry| entry.asks_only() && fits(entry)) {
            return Some(recorded(entry));
        }
        // Some were recorded to show what is missing; nothing was missing if there is more than they had.
        let lacks = |entry: &Entry| {
            let error =
                entry.expression().and_then(|body| body.value().and_then(Sxp::text)).unwrap_or_default();
            error.starts_with("Missing parameter") && entry.form.len() < request.form.len()
        };
        let place = order.into_iter().find(|place| fits(&entries[*place]) && !lacks(&entries[*place]))?;
        self.at = if entries[place].changes() { place + 1 } else { self.at };
        Some(recorded(&entries[place]))
    }
}

/// Whether a field says the same; of configurations, each part of the recorded one has to be in ours.
fn same_field(field: &str, recorded: &[u8], ours: Option<&Vec<u8>>) -> bool {
    let Some(ours) = ours else { return false };
    if field != "config" {
        return ours == recorded;
    }
    match (read_answer(recorded), read_answer(ours)) {
        (Ok(Some(recorded)), Ok(Some(ours))) => holds(&ours, &recorded),
        _ => false,
    }
}

/// Whether a list holds every part of another one, whatever their order; both are called `vm` or `domain`.
fn holds(ours: &Sxp, theirs: &Sxp) -> bool {
    match (ours, theirs) {
        (Sxp::Atom(ours), Sxp::Atom(theirs)) => ours == theirs,
        (Sxp::List(ours), Sxp::List(theirs)) => {
            let atoms = |list: &[Sxp]| {
                list.iter().filter(|part| matches!(part, Sxp::Atom(_))).cloned().collect::<Vec<_>>()
            };
            let is_domain = theirs.first() == Some(&Sxp::atom("vm"));
            let same_head = is_domain || atoms(ours) == atoms(theirs);
            let mut lists = theirs.iter().filter(|part| matches!(part, Sxp::List(_)));
            same_head
                && lists.all(|part| ours.iter().any(|own| matches!(own, Sxp::List(_)) && holds(own, part)))
        }
        _ => false,
    }
}

fn recorded(entry: &Entry) -> Option<Answer> {
    let answer =
        Answer { status: entry.status.clone(), headers: entry.headers.clone(), body: entry.body.clone() };
    (!entry.status.is_empty()).then_some(answer)
}
