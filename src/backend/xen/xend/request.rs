//! What xend is asked, and what it makes of it: errors come under any status.

use super::http::{Answer, Client, encode_path};
use super::release::Release;
use crate::backend::xen::sxp::{Sxp, read_answer};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::fmt;
use std::time::Duration;

/// How long a question may take.
pub const QUESTION: Duration = Duration::from_secs(60);
/// How long a change may take that no guest has to agree to.
const CHANGE: Duration = Duration::from_secs(180);
/// How long devices may take; xend itself gives each of them a hundred seconds.
const DEVICES: Duration = Duration::from_secs(900);
/// How long the memory of a guest may take to get to a file or to another host.
const MEMORY: Duration = Duration::from_secs(4 * 3600);

/// An operation, with what an HTTP form says about it.
pub struct Form {
    op: &'static str,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl Form {
    /// The operation without any field.
    pub fn new(op: &'static str) -> Form {
        Form { op, fields: vec![("op", op.into())] }
    }

    /// The same with one more field. Fields a release does not know are ignored by it, so that one form does for all.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Form {
        self.fields.push((name, value.to_string().into_bytes()));
        self
    }

    /// The same with a configuration.
    #[must_use]
    pub fn with_config(mut self, config: &Sxp) -> Form {
        self.fields.push(("config", config.to_request()));
        self
    }

    /// How long it may take.
    fn limit(&self) -> Duration {
        match self.op {
            "save" | "restore" | "dump" | "migrate" => MEMORY,
            "wait_for_devices" | "start" | "device_create" | "device_destroy" | "create" => DEVICES,
            _ => CHANGE,
        }
    }
}

/// A xend and its release.
pub struct Requests {
    /// The way to it.
    pub client: Client,
    /// Which one it is.
    pub release: Release,
    /// What it said of its node when it was found.
    pub node: Sxp,
}

impl Requests {
    /// Asks the xend behind `client` who it is; it has to answer within `limit`.
    pub fn open(client: Client, limit: Duration) -> Result<Requests> {
        let answer = client.get("/xend/node", false, limit)?;
        let node = understand("node", &answer)?;
        let Some(node) = node.filter(|node| node.is_headed("node")) else {
            let detail =
                format!("what listens at {} is no xend: it does not describe its node", client.address());
            return Err(Error::internal(detail).from_origin(ErrorOrigin::XEN));
        };
        Ok(Requests { release: Release::of(&node), client, node })
    }

    fn get(&self, path: &str) -> Result<Answer> {
        self.client.get(path, self.release.serves_many(), QUESTION)
    }

    /// What a path shows; nothing if xend showed an empty page.
    pub fn read(&self, path: &str) -> Result<Option<Sxp>> {
        understand(path, &self.get(path)?)
    }

    /// The description of the node now.
    pub fn read_node(&self) -> Result<Sxp> {
        self.read("/xend/node")?.ok_or_else(|| no_answer("node"))
    }

    /// What a page of the domain that xend knows under `key` shows; `None` if it knows none.
    pub fn read_domain(&self, key: impl fmt::Display, query: &str) -> Result<Option<Sxp>> {
        let path = format!("/xend/domain/{}{query}", encode_path(&key.to_string()));
        let answer = self.get(&path)?;
        if says_unknown(&answer) {
            return Ok(None);
        }
        if is_wordless(&answer) {
            // From 3.1 to 3.3 nothing more is said of a domain that is not known. A xend that is broken has no list.
            self.read("/xend/domain")?;
            return Ok(None);
        }
        understand(&path, &answer)
    }

    /// Asks for something that no domain is needed for.
    pub fn ask(&self, form: &Form) -> Result<Option<Sxp>> {
        let answer = self.client.post("/xend/domain", &form.fields, form.limit())?;
        understand(form.op, &answer)
    }

    /// As [`Requests::ask`], and says under which name the domain it made is found.
    pub fn ask_for_new(&self, form: &Form) -> Result<(Option<Sxp>, Option<String>)> {
        let answer = self.client.post("/xend/domain", &form.fields, form.limit())?;
        let made = understand(form.op, &answer)?;
        let name = answer.location.as_deref().and_then(|location| location.rsplit('/').next());
        Ok((made, name.map(str::to_string)))
    }

    /// Asks for something of the domain that xend knows under `key`.
    pub fn ask_domain(&self, key: impl fmt::Display, form: &Form) -> Result<Option<Sxp>> {
        let key = key.to_string();
        let path = format!("/xend/domain/{}", encode_path(&key));
        let answer = self.client.post(&path, &form.fields, form.limit())?;
        // Without a word it may be another failure as well.
        if says_unknown(&answer) || (is_wordless(&answer) && self.read_domain(&key, "")?.is_none()) {
            let detail = format!("no domain with matching uuid or name '{key}'");
            return Err(Error::new(ErrorCode::NO_DOMAIN, detail).from_origin(ErrorOrigin::XEN));
        }
        understand(form.op, &answer)
    }
}

/// Whether an answer says that there is no such domain. A 404 can also hold another failure's text.
fn says_unknown(answer: &Answer) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    let words = ["No such domain", "No domain named", "<Fault 3:"];
    answer.status == 404 && words.iter().any(|words| text.starts_with(words))
}

/// Whether an answer says that something failed, and nothing more.
fn is_wordless(answer: &Answer) -> bool {
    answer.status == 500 && answer.body.is_empty()
}

/// The error for an answer without anything in it.
pub fn no_answer(what: &str) -> Error {
    Error::internal(format!("xend answered '{what}' with an empty page")).from_origin(ErrorOrigin::XEN)
}

/// What an answer holds, or the error it is.
fn understand(what: &str, answer: &Answer) -> Result<Option<Sxp>> {
    let failed = |code, detail: String| Err(Error::new(code, detail).from_origin(ErrorOrigin::XEN));
    let text = || {
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        // Some releases end a text with an empty string of their language.
        text.trim().trim_end_matches("''").chars().take(400).collect::<String>()
    };
    let read = read_answer(&answer.body);
    if let Ok(Some(error)) = &read {
        if error.is_headed("xend.err") {
            let words = error.value().and_then(Sxp::text).unwrap_or_default();
            return failed(ErrorCode::OPERATION_FAILED, format!("xend refused '{what}': {words}"));
        }
    }
    match answer.status {
        200..=299 if answer.body.starts_with(b"<") => failed(
            ErrorCode::INTERNAL,
            format!("xend answered '{what}' with a page for people: '{}'", text()),
        ),
        200..=299 => match read {
            Ok(expression) => Ok(expression),
            Err(flaw) => failed(
                ErrorCode::INTERNAL,
                format!("xend's answer to '{what}' is no S-expression: {flaw}: '{}'", text()),
            ),
        },
        413 => failed(ErrorCode::OPERATION_FAILED, format!("xend refused '{what}': the request is too long")),
        501 => failed(ErrorCode::NO_SUPPORT, format!("this xend has no operation '{what}'")),
        status if answer.body.is_empty() => failed(
            ErrorCode::OPERATION_FAILED,
            format!("xend failed on '{what}' (status {status}) and left the reason in its log, xend.log"),
        ),
        status => failed(
            ErrorCode::OPERATION_FAILED,
            format!("xend refused '{what}' (status {status}): {}", text()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(status: u16, body: &str) -> std::result::Result<Option<String>, String> {
        let answer = Answer { status, location: None, body: body.into() };
        understand("op", &answer).map(|some| some.map(|s| s.to_string())).map_err(|error| error.to_string())
    }

    #[test]
    fn errors_are_found_under_every_status() {
        for status in [200, 202, 404, 500] {
            assert_eq!(
                understood(status, "(xend.err \"it's gone\")"),
                Err("operation failed: xend refused 'op': it's gone".to_string())
            );
        }
        assert_eq!(understood(200, "(domain (name x))''"), Ok(Some("(domain (name x))".to_string())));
        assert_eq!(understood(202, ""), Ok(None));
        assert!(understood(500, "").unwrap_err().contains("status 500"));
        assert!(understood(406, "''").unwrap_err().contains("status 406"));
        assert!(
            understood(501, "Operation not implemented: op''").unwrap_err().contains("no operation 'op'")
        );
        assert!(understood(200, "(html (").unwrap_err().contains("no S-expression"));
        assert!(understood(200, "<html>").unwrap_err().contains("a page for people"));
        assert!(
            understood(404, "memory_dynamic_max is wrong")
                .unwrap_err()
                .contains("memory_dynamic_max is wrong")
        );
    }
}
