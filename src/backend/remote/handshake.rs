//! The first and the last words of a connection.

use super::RemoteConnection;
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::CONNECT_RO;
use crate::rpc::frame::REMOTE_PROGRAM;
use crate::rpc::procedure::{AUTH_LIST, AUTH_POLKIT, CONNECT_CLOSE, CONNECT_OPEN};
use crate::rpc::xdr::{from_bytes, to_bytes};
use crate::uri::Uri;
use std::time::{Duration, Instant};

/// Ways to prove who one is, as the protocol numbers them.
const AUTH_NONE: i32 = 0;
const AUTH_SASL: i32 = 1;
const AUTH_BY_POLKIT: i32 = 2;

/// How long a goodbye may take: a peer that hangs shall not hang us.
const GOODBYE: Duration = Duration::from_millis(250);

/// Parameters that are ours: the far side's driver never sees them.
const TRANSPORT_PARAMETERS: &[&str] = &[
    "name",
    "command",
    "socket",
    "mode",
    "auth",
    "netcat",
    "keyfile",
    "pkipath",
    "known_hosts",
    "known_hosts_verify",
    "sshauth",
    "no_sanity",
    "no_verify",
    "no_tty",
    "proxy",
    "tls_priority",
];

/// The URI as the far side's driver is to see it: no transport, no host, no parameters of the transport.
pub(super) fn driver_uri(uri: &Uri) -> String {
    if let Some(name) = uri.parameter("name") {
        return name.to_string();
    }
    let mut text = format!("{}://{}", uri.scheme, uri.path);
    let rest = uri.query.iter().filter(|(name, _)| !TRANSPORT_PARAMETERS.contains(&name.as_str()));
    for (index, (name, value)) in rest.enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text.push_str(&format!("{name}={value}"));
    }
    text
}

impl RemoteConnection {
    /// Proves who we are and opens the driver: one round trip where the peer asks for no proof.
    pub(super) fn shake_hands(&self, driver_uri: &str, read_only: bool) -> Result<()> {
        let flags = if read_only { CONNECT_RO } else { 0 };
        let open = (REMOTE_PROGRAM, CONNECT_OPEN, to_bytes(&(Some(driver_uri.to_string()), flags)));
        let mut answers = self.call_many(vec![(REMOTE_PROGRAM, AUTH_LIST, Vec::new()), open.clone()])?;
        let (Some(opened), Some(ways)) = (answers.pop(), answers.pop()) else {
            return Err(Error::internal("a call has no answer"));
        };
        let ways: Vec<i32> = from_bytes(&ways?)?;
        match opened {
            // The peer took the second call before it had settled the first, or wants a proof before it.
            Err(error) if error.code == ErrorCode::AUTH_FAILED || error.code == ErrorCode::RPC => {
                self.authenticate(&ways)?;
                self.call_many(vec![open])?.into_iter().try_for_each(|answer| answer.map(|_| ()))
            }
            other => other.map(|_| ()),
        }
    }

    fn authenticate(&self, ways: &[i32]) -> Result<()> {
        if ways.is_empty() || ways.contains(&AUTH_NONE) {
            return Ok(());
        }
        if ways.contains(&AUTH_BY_POLKIT) {
            let answers = self.call_many(vec![(REMOTE_PROGRAM, AUTH_POLKIT, Vec::new())])?;
            return answers.into_iter().try_for_each(|answer| answer.map(|_| ()));
        }
        let way = if ways.contains(&AUTH_SASL) { "SASL" } else { "unknown" };
        let what = format!(
            "the daemon wants {way} authentication, which is not supported; connect over ssh instead"
        );
        Err(Error::new(ErrorCode::AUTH_FAILED, what).from_origin(ErrorOrigin::REMOTE))
    }

    /// Lets the peer close in order; whether it does changes nothing for us. A libvirtd logs an error without it.
    pub(super) fn say_goodbye(&self) {
        if self.channel.state().failure.is_some() {
            return;
        }
        let deadline = Instant::now() + GOODBYE;
        let _ = self.channel.call_until(REMOTE_PROGRAM, CONNECT_CLOSE, Vec::new(), deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_far_driver_sees_only_its_own_part() {
        let seen = |text: &str| driver_uri(&Uri::parse(text).unwrap());
        assert_eq!(seen("qemu+unix:///system?socket=/run/x"), "qemu:///system");
        assert_eq!(seen("qemu+ssh://me@host/session?keyfile=k&x=1"), "qemu:///session?x=1");
        assert_eq!(seen("qemu+ssh://host/?name=test:///default"), "test:///default");
    }
}
