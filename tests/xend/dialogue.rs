//! What real releases of xend were asked and what they answered, in the order in which it happened.

use hvsh::backend::xen::sxp::{Sxp, read_answer};
use serde_json::Value;
use std::collections::BTreeMap;

/// One question and its answer.
pub struct Entry {
    /// What it was about.
    pub label: String,
    /// `GET` or `POST`, and the path without its query.
    pub method: String,
    pub path: String,
    pub query: String,
    /// The fields of the form.
    pub form: BTreeMap<String, Vec<u8>>,
    /// The first line of the answer; empty if none ever came.
    pub status: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Entry {
    fn read(line: &str) -> Entry {
        let value: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let (request, response) = (&value["request"], &value["response"]);
        let line = text(&request["line"]);
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_string();
        let (path, query) = split_target(words.next().unwrap_or_default());
        let headers = response["headers"].as_array().into_iter().flatten();
        Entry {
            label: text(&value["op"]),
            method,
            path,
            query,
            form: read_form(text(&request["body"]).as_bytes()),
            status: text(&response["line"]),
            headers: headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
            body: text(&response["body"]).into_bytes(),
        }
    }

    /// The operation that was asked for.
    pub fn op(&self) -> Option<&[u8]> {
        self.form.get("op").map(Vec::as_slice)
    }

    /// The status code; 0 if no answer came.
    pub fn code(&self) -> u16 {
        self.status.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The domain a path is about, as it is called there.
    pub fn key(&self) -> Option<&str> {
        key_of(&self.path)
    }

    /// The expression that was answered.
    pub fn expression(&self) -> Option<Sxp> {
        read_answer(&self.body).ok().flatten()
    }

    /// Whether it only asked, though by `POST`.
    pub fn asks_only(&self) -> bool {
        let asks_only = [&b"vcpuinfo"[..], b"devices", b"list"].iter().any(|op| self.op() == Some(op));
        asks_only || self.op().is_some_and(|op| op.ends_with(b"_get"))
    }

    /// Whether it changed anything: from here on domains may be described in other words.
    pub fn changes(&self) -> bool {
        let failed = self.expression().is_some_and(|body| body.is_headed("xend.err"));
        self.method == "POST" && (self.code() / 100 == 2 || self.code() == 0) && !self.asks_only() && !failed
    }
}

/// The domain in `/xend/domain/KEY`.
pub fn key_of(path: &str) -> Option<&str> {
    path.strip_prefix("/xend/domain/").filter(|key| !key.is_empty() && !key.contains('/'))
}

/// A request's target: its path, decoded, and its query.
pub fn split_target(target: &str) -> (String, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (String::from_utf8_lossy(&decode(path.as_bytes(), false)).into_owned(), query.to_string())
}

/// The fields of a form.
pub fn read_form(body: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut form = BTreeMap::new();
    for pair in body.split(|byte| matches!(byte, b'&' | b';')).filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = decode(pair.get(at + 1..).unwrap_or_default(), true);
        form.insert(String::from_utf8_lossy(&pair[..at]).into_owned(), value);
    }
    form
}

fn decode(text: &[u8], plus_is_blank: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match (first, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) if plus_is_blank => out.push(b' '),
            _ => out.push(*first),
        }
        rest = after;
    }
    out
}

/// All that one release said.
pub struct Dialogue {
    /// Which one.
    pub version: &'static str,
    /// In the order in which it was said.
    pub entries: Vec<Entry>,
}

impl Dialogue {
    /// The recorded dialogue of a release.
    pub fn of(version: &'static str) -> Dialogue {
        let text = match version {
            "3.0.4" => include_str!("../facts/xend/dialogue-3.0.4.jsonl"),
            "3.1" => include_str!("../facts/xend/dialogue-3.1.jsonl"),
            "4.4" => include_str!("../facts/xend/dialogue-4.4.jsonl"),
            other => panic!("nothing is recorded of {other}"),
        };
        Dialogue { version, entries: text.lines().map(Entry::read).collect() }
    }

    /// Where a label stands; the first of that name.
    pub fn place(&self, label: &str) -> usize {
        let place = self.entries.iter().position(|entry| entry.label == label);
        place.unwrap_or_else(|| panic!("{}: nothing is recorded as '{label}'", self.version))
    }

    /// The answers to `GET` that hold at a place for what `fits`: the first before the next change, else the last one.
    pub fn read_at(&self, at: usize, fits: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let ahead = self.entries[at..].iter().take_while(|entry| !entry.changes());
        ahead
            .into_iter()
            .find(|entry| fits(entry))
            .or_else(|| self.entries[..at].iter().rev().find(|entry| fits(entry)))
    }

    /// What was said of the domain `name` at a place; `None` if there was none.
    pub fn domain_at(&self, at: usize, name: &str) -> Option<Sxp> {
        let said = self.read_at(at, |entry| {
            let detail = entry.method == "GET" && entry.key() == Some(name) && !entry.query.contains("op=");
            detail || is_making_of(entry, name) || is_end_of(entry, name)
        });
        said.filter(|entry| entry.code() == 200 || entry.code() == 201)
            .and_then(Entry::expression)
            .filter(|body| body.is_headed("domain"))
    }

    /// Every name a domain was ever asked by or given.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for entry in &self.entries {
            let said =
                entry.expression().filter(|body| body.is_headed("domain")).and_then(|body| body.get("name"));
            names.extend(said.filter(|name| !names.contains(name)));
        }
        names
    }
}

/// Whether this is the answer to the making of a domain of that name.
fn is_making_of(entry: &Entry, name: &str) -> bool {
    let is_create = entry.op() == Some(b"create") && entry.code() == 201;
    is_create && entry.expression().is_some_and(|body| body.get("name").as_deref() == Some(name))
}

/// Whether this is the answer to the end of a domain of that name.
fn is_end_of(entry: &Entry, name: &str) -> bool {
    let ends = entry.op() == Some(b"destroy") || entry.op() == Some(b"delete");
    ends && entry.code() == 202 && entry.key() == Some(name)
}
