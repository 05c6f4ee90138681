//! A xend of any release, played by the rules of its protocol: what it keeps, what it leaves out, what it refuses and
//! in which words, what it never answers, and what does it harm.
//!
//! The recorded dialogues hold what three releases said; this holds what is known of all of them, so that every
//! operation can be walked against each. Whoever does to it what a real one would not survive is found out by
//! [`Played::harm`].

mod changes;
mod pages;

use crate::wire::{self, Answer, Manners, Request, answer};
use hvsh::backend::xen::sxp::{Sxp, read_answer};
use std::sync::{Arc, Mutex};

/// Every release: 302 is 3.0.2, 341 is 3.4.1.
pub const RELEASES: &[u32] = &[302, 303, 304, 310, 320, 330, 341, 400, 416, 420, 430, 444];
/// The first of them that keep domains that do not run.
pub const MANAGING: u32 = 304;

/// A domain.
#[derive(Clone, Debug)]
pub struct Guest {
    pub id: Option<u32>,
    pub managed: bool,
    pub paused: bool,
    /// What it was told to be.
    pub config: Sxp,
    pub weight: u32,
    pub cap: i32,
    /// How many virtual CPUs are in use.
    pub online: u32,
}

impl Guest {
    pub fn get(&self, name: &str) -> String {
        self.config.get(name).unwrap_or_default()
    }
    pub fn number(&self, name: &str) -> i64 {
        self.config.number(name).unwrap_or(0)
    }
}

/// What a xend knows.
pub struct State {
    pub release: u32,
    pub guests: Vec<Guest>,
    pub next: u32,
    pub scheduler: &'static str,
    pub sedf: Sxp,
    /// What would have gone wrong on a real one.
    pub harm: Vec<String>,
    pub seen: Vec<Request>,
    /// The definition in the file of a saved guest.
    pub saved: Option<Guest>,
}

/// A running one.
pub struct Played {
    port: u16,
    pub state: Arc<Mutex<State>>,
}

impl Played {
    /// Starts one of a release, with a host and nobody else on it.
    pub fn of(release: u32) -> Played {
        let host = "(vm (name Domain-0) (uuid 00000000-0000-0000-0000-000000000000) (memory 2048) (maxmem 16777215) (vcpus 4))";
        let host = Guest {
            id: Some(0),
            managed: true,
            paused: false,
            config: read_answer(host.as_bytes()).unwrap().unwrap(),
            weight: 256,
            cap: 0,
            online: 4,
        };
        let sedf = "(sedf (domid 0) (period '100000000') (slice '0') (latency '0') (extratime 1) (weight 0))";
        let state = State {
            release,
            guests: vec![host],
            next: 1,
            scheduler: if release < 303 { "sedf" } else { "credit" },
            sedf: read_answer(sedf.as_bytes()).unwrap().unwrap(),
            harm: Vec::new(),
            seen: Vec::new(),
            saved: None,
        };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let manners = Manners { one_at_a_time: release < 304, forgets: release >= 310 };
        let port = wire::start(manners, move |request| shared.lock().unwrap().answer(request));
        Played { port, state }
    }

    /// The connection URI that leads here.
    pub fn uri(&self) -> String {
        format!("xen:///?xend=tcp:127.0.0.1:{}&xend-domains=/nonexistent&xend-timeout=30", self.port)
    }

    /// What would have gone wrong on a real one.
    pub fn harm(&self) -> Vec<String> {
        self.state.lock().unwrap().harm.clone()
    }

    /// The last request that changed something.
    pub fn last(&self) -> Request {
        let state = self.state.lock().unwrap();
        state.seen.iter().rev().find(|request| request.method == "POST").cloned().unwrap()
    }

    /// How many changes were asked for.
    pub fn changes(&self) -> usize {
        self.state.lock().unwrap().seen.iter().filter(|request| request.method == "POST").count()
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Option<Answer> {
        self.seen.push(request.clone());
        if request.headers.iter().any(|header| header.starts_with("User-Agent")) {
            self.harm.push("a request with a User-Agent gets HTML".to_string());
        }
        let keeps = request.headers.iter().any(|header| header == "Connection: keep-alive");
        if keeps && self.release < 304 {
            self.harm.push("everybody waits for a connection that is kept".to_string());
        }
        match request.method.as_str() {
            "GET" => Some(self.read(request)),
            _ => self.change(request),
        }
    }

    /// Whom a key means: names first, then ids, then uuids where these are known.
    pub fn find(&self, key: &str) -> Option<usize> {
        let place = |fits: &dyn Fn(&Guest) -> bool| self.guests.iter().position(fits);
        place(&|guest| guest.id.is_some() && guest.get("name") == key)
            .or_else(|| place(&|guest| guest.get("name") == key))
            .or_else(|| place(&|guest| guest.id.is_some_and(|id| id.to_string() == key)))
            .or_else(|| place(&|guest| self.release >= 304 && guest.get("uuid") == key))
    }

    /// What is said of a domain that is not known.
    pub fn unknown(&self, key: &str) -> Answer {
        match self.release {
            ..=303 => text("404 Not found", &format!("No such domain {key}")),
            304..=309 => text("404 Not found", &format!("No domain named '{key}'.")),
            310..=339 => answer("500 Internal server error", b""),
            _ => text("404 Not found", &format!("<Fault 3: '{key}'>")),
        }
    }
}

/// An answer in words.
pub fn text(status: &str, words: &str) -> Answer {
    let mut answer = answer(status, words.as_bytes());
    answer.headers.retain(|(name, _)| name != "Content-type");
    answer.headers.push(("Content-type".to_string(), "text/plain".to_string()));
    answer
}
