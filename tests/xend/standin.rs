//! A server that answers as a recorded xend did: its status lines, headers and bodies, the requests that it never
//! answered, and the connections that it forgot to close.
//!
//! It stands at a place of the dialogue. A request that changes something is looked for from there on, by its path and
//! the fields of its form, and the place moves behind it; a question gets the answer that was given nearest to the
//! place. A domain can be asked for by its uuid where it was recorded by its name.

use crate::dialogue::{Dialogue, Entry, key_of, read_form, split_target};
use hvsh::backend::xen::sxp::{Sxp, read_answer, show};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<String>,
    pub form: BTreeMap<String, Vec<u8>>,
}

impl Request {
    /// A field of the form.
    pub fn field(&self, name: &str) -> String {
        self.form.get(name).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
    }

    /// The configuration in the form.
    pub fn config(&self) -> Sxp {
        read_answer(&self.form["config"]).unwrap().unwrap()
    }
}

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
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(&connection, &shared));
            }
        });
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

/// An answer ready to be sent; nothing at all for a request that was never answered.
struct Answer {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn serve(connection: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(connection);
    let mut forgotten = false;
    while let Some(request) = read_request(&mut reader) {
        let keeps =
            request.headers.iter().any(|header| header.eq_ignore_ascii_case("connection: keep-alive"));
        // From 3.1 on most answers to a POST are followed by a socket that stays open for no reason.
        let (answer, old) = {
            let mut state = state.lock().unwrap();
            (state.answer(&request), state.dialogue.version == "3.0.4")
        };
        forgotten |= request.method == "POST" && !old;
        let Some(answer) = answer else {
            forgotten = true;
            break;
        };
        let mut text = format!("{}\r\nContent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if keeps {
            text.push_str("Connection: keep-alive\r\n");
        }
        text.push_str("\r\n");
        let mut writer = connection;
        let sent = writer.write_all(text.as_bytes()).and_then(|()| writer.write_all(&answer.body));
        if sent.is_err() || !keeps {
            break;
        }
    }
    if forgotten {
        // Open until the other end goes.
        let _ = connection.set_read_timeout(None);
        let _ = (&mut { connection }).read(&mut [0; 64]);
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut words = line.split_whitespace();
    let method = words.next()?.to_string();
    let (path, query) = split_target(words.next()?);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            header => headers.push(header.to_string()),
        }
    }
    let length = headers.iter().find_map(|header| header.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    // Without this header xend does not look at the body.
    let is_form = headers.iter().any(|header| header == "Content-Type: application/x-www-form-urlencoded");
    let form = if is_form { read_form(&body) } else { BTreeMap::new() };
    Some(Request { method, path, query, headers, form })
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
            Some(answer("HTTP/1.1 500 Request failed", b"(xend.err 'nothing is recorded about this')"))
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
                Some(Some(answer("HTTP/1.1 200 OK", body.as_bytes())))
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
        answer("HTTP/1.1 200 OK", show(&Sxp::List(parts), self.dialogue.version == "4.4").as_bytes())
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

fn answer(status: &str, body: &[u8]) -> Answer {
    let headers = [("Expires", "-1"), ("Content-type", "application/sxp"), ("Pragma", "no-cache")];
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_string()));
    Answer { status: status.to_string(), headers: headers.to_vec(), body: body.to_vec() }
}

fn recorded(entry: &Entry) -> Option<Answer> {
    let answer =
        Answer { status: entry.status.clone(), headers: entry.headers.clone(), body: entry.body.clone() };
    (!entry.status.is_empty()).then_some(answer)
}
