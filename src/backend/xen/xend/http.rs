//! Requests and answers: HTTP as xend speaks it.
//!
//! An answer ends after as many bytes as it says; the end of the connection is never waited for, because many
//! releases forget to close it. A connection is used again only for reading, and only by releases that serve
//! several at once: the older ones would let everybody else wait for us.

use super::address::Address;
use super::transport::{NoNames, ToXend};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use std::time::Duration;
use ureq::Agent;
use ureq::Body;
use ureq::http::Response;

/// The longest body that xend takes; it counts the encoded form.
const LONGEST_BODY: usize = 10_000;
/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 16 * 1024 * 1024;
/// How long an unused connection is kept.
const KEPT: Duration = Duration::from_secs(5);

/// What xend answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Where a new domain is found.
    pub location: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A way to xend.
pub struct Client {
    address: Address,
    longest: Duration,
    single: Agent,
    kept: Agent,
}

impl Client {
    /// A client of the xend at `address`; connects only when it asks something, and waits `longest` at most.
    pub fn new(address: Address, longest: Duration) -> Client {
        Client { single: agent(&address, 0), kept: agent(&address, 1), address, longest }
    }

    /// Where it asks.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Reads; `keep` says whether the connection may be used again.
    pub fn get(&self, path: &str, keep: bool, limit: Duration) -> Result<Answer> {
        let limit = limit.min(self.longest);
        if keep {
            let request = self.kept.get(url(path)).header("Connection", "keep-alive");
            match request.config().timeout_global(Some(limit)).build().call() {
                // The other end may close a kept connection at any time; reading again does no harm.
                Err(ureq::Error::Io(_)) => {}
                answer => return self.finish(path, limit, answer),
            }
        }
        let request = self.single.get(url(path)).header("Connection", "close");
        self.finish(path, limit, request.config().timeout_global(Some(limit)).build().call())
    }

    /// Sends a form. The request is not sent at all if it is longer than xend takes.
    pub fn post(&self, path: &str, form: &[(&str, Vec<u8>)], limit: Duration) -> Result<Answer> {
        let limit = limit.min(self.longest);
        let body = encode(form);
        if body.len() > LONGEST_BODY {
            let detail = format!(
                "the request has {} bytes, and xend takes at most {LONGEST_BODY}: the definition has to be shorter",
                body.len()
            );
            return Err(Error::operation_failed(detail).from_origin(ErrorOrigin::XEN));
        }
        let request = self.single.post(url(path)).header("Content-Type", "application/x-www-form-urlencoded");
        let request = request.header("Connection", "close");
        let what = form.first().map(|(_, op)| String::from_utf8_lossy(op).into_owned()).unwrap_or_default();
        self.finish(&what, limit, request.config().timeout_global(Some(limit)).build().send(&body[..]))
    }

    fn finish(
        &self,
        what: &str,
        limit: Duration,
        answer: std::result::Result<Response<Body>, ureq::Error>,
    ) -> Result<Answer> {
        let read = answer.and_then(|mut response| {
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let location = location.map(str::to_string);
            let body = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec()?;
            Ok(Answer { status: response.status().as_u16(), location, body })
        });
        read.map_err(|error| self.failed(what, limit, error))
    }

    fn failed(&self, what: &str, limit: Duration, error: ureq::Error) -> Error {
        let place = &self.address;
        let error = match error {
            ureq::Error::Timeout(_) => Error::new(
                ErrorCode::OPERATION_TIMEOUT,
                format!(
                    "xend at {place} did not answer '{what}' within {} seconds; see its log, xend.log",
                    limit.as_secs()
                ),
            ),
            ureq::Error::Io(cause) => Error::system(format!("xend at {place}, '{what}'"), &cause),
            other => Error::internal(format!("xend at {place} answered '{what}' with no HTTP: {other}")),
        };
        error.from_origin(ErrorOrigin::XEN)
    }
}

/// An agent that keeps at most so many connections.
fn agent(address: &Address, kept: usize) -> Agent {
    // With a name of its own and no word of what it accepts, xend would take us for a browser and answer in HTML.
    let config = Agent::config_builder()
        .user_agent("")
        .accept("application/sxp")
        .accept_encoding("")
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(kept)
        .max_idle_connections_per_host(kept)
        .max_idle_age(KEPT)
        .build();
    Agent::with_parts(config, ToXend(address.clone()), NoNames)
}

/// The URL of a path; its host is only what stands in the request.
fn url(path: &str) -> String {
    format!("http://localhost:8000{path}")
}

/// A part of a path: a name may have signs that part paths.
pub fn encode_path(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    let bytes = name.bytes();
    bytes
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A form as sparingly as xend reads it, for the sake of its limit.
fn encode(form: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in form {
        if !body.is_empty() {
            body.push(b'&');
        }
        body.extend(name.bytes());
        body.push(b'=');
        for byte in value {
            match byte {
                b'%' | b'&' | b'+' | b'=' | b';' | b'#' | 0..0x20 | 0x7f.. => {
                    body.extend(format!("%{byte:02X}").bytes());
                }
                plain => body.push(*plain),
            }
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_be_is_encoded() {
        let form = [("op", b"create".to_vec()), ("config", "(vm (args 'a=b+c;d#e%f&g h/i:j\né'))".into())];
        let expected = "op=create&config=(vm (args 'a%3Db%2Bc%3Bd%23e%25f%26g h/i:j%0A%C3%A9'))";
        assert_eq!(String::from_utf8_lossy(&encode(&form)), expected);
    }

    #[test]
    fn names_become_parts_of_paths() {
        assert_eq!(encode_path("a/b+c.d_e:f-1 g"), "a%2Fb%2Bc.d_e:f-1%20g");
    }
}
