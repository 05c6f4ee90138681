//! The layer that asks xend, the daemon of Xen 3.0.2 to 4.4, over HTTP.
//!
//! Every request is in the form that all releases take. What a release would not survive, or would never answer, is
//! refused before it is asked; [`release`] knows which. A domain is read anew by its uuid before anything is asked of
//! it, so that neither an id nor a name that another domain has by now leads astray.

mod address;
mod devices;
mod domains;
mod files;
mod host;
mod http;
mod lifecycle;
mod lookup;
mod migration;
mod release;
mod request;
mod saving;
mod scheduler;
mod transport;
mod tuning;
mod vcpus;

use super::definitions::Definitions;
use super::layer::{Layer, LayerKind};
use super::native::request::Abilities;
use crate::backend::{DomainGuest, DomainMonitor, DomainStats, DomainStreams, Domains, Host};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, MemoryStat};
use crate::uri::Uri;
use address::Address;
use http::Client;
use request::Requests;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where xend keeps the definitions of its domains.
pub const MANAGED_DOMAINS: &str = "/var/lib/xend/domains";
/// The URI's parameter that says where xend listens, `unix:PATH` or `tcp:HOST:PORT`.
pub const ADDRESS_PARAMETER: &str = "xend";
/// The URI's parameter that says where xend keeps the definitions of its domains.
const MANAGED_PARAMETER: &str = "xend-domains";

/// The URI's parameter that says where the files lie that domains of the oldest releases start from.
const FILES_PARAMETER: &str = "xend-files";
/// Where they lie on this host.
const FILES: &str = "/etc/xen";
/// The URI's parameter that says how many seconds xend may take for anything.
const PATIENCE_PARAMETER: &str = "xend-timeout";
/// How long whatever listens in a usual place may take to say that it is xend.
const LOOK: Duration = Duration::from_secs(10);

/// xend.
pub struct XendLayer {
    requests: Requests,
    managed: PathBuf,
    /// The files of domains that do not run, where xend itself keeps none.
    files: Option<Definitions>,
    /// What leads here again.
    uri: String,
}

impl XendLayer {
    /// Connects to the xend that the URI names, or to the one that listens in a usual place.
    pub fn open(uri: &Uri) -> Result<XendLayer> {
        let named = uri.parameter(ADDRESS_PARAMETER);
        let requests = match named {
            Some(text) => {
                Requests::open(Client::new(Address::parse(text)?, longest(uri)?), request::QUESTION)?
            }
            None => find(longest(uri)?)?,
        };
        let managed = uri.parameter(MANAGED_PARAMETER).unwrap_or(MANAGED_DOMAINS).into();
        // One that is named may be another host's, whose files are not here.
        let folder = uri.parameter(FILES_PARAMETER).or(named.is_none().then_some(FILES));
        let folder = folder.filter(|_| !requests.release.manages_domains());
        let files = folder.map(|folder| Definitions::of_xm(Path::new(folder)));
        let plain = uri.query.is_empty();
        let uri = if plain { "xen:///system".to_string() } else { uri.to_string() };
        Ok(XendLayer { requests, managed, files, uri })
    }

    /// What this release takes.
    fn abilities(&self) -> Abilities {
        let release = self.requests.release;
        Abilities {
            tap: release.has_tap(),
            frame_buffers: release.has_frame_buffer(),
            kinds_of_drives: release.names_kind_of_drive(),
            pins_each: release.pins(),
            slashes: release.takes_slashes(),
        }
    }
}

/// How long the URI allows a request to take; each kind of request has a limit of its own besides.
fn longest(uri: &Uri) -> Result<Duration> {
    let Some(text) = uri.parameter(PATIENCE_PARAMETER) else {
        return Ok(Duration::MAX);
    };
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    seconds.ok_or_else(|| {
        let detail = format!("parameter {PATIENCE_PARAMETER} of URI '{uri}' is no number of seconds");
        Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
    })
}

/// Looks in the usual places.
fn find(longest: Duration) -> Result<Requests> {
    let mut tried = Vec::new();
    for address in Address::usual() {
        let asked =
            address.must_exist().and_then(|()| Requests::open(Client::new(address.clone(), longest), LOOK));
        match asked {
            Ok(requests) => return Ok(requests),
            Err(error) => tried.push((address, error)),
        }
    }
    Err(address::nobody_listens(&tried))
}

impl Layer for XendLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::Xend
    }
    fn host(&self) -> &dyn Host {
        self
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
}

impl DomainGuest for XendLayer {}
impl DomainMonitor for XendLayer {}

impl DomainStats for XendLayer {
    fn memory_stats(&self, domain: &DomainRef, flags: u32) -> Result<Vec<MemoryStat>> {
        check_flags(flags, 0, "virDomainMemoryStats")?;
        let info = self.find_running(domain)?.info(self.requests.release);
        Ok(vec![MemoryStat { tag: DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, value: info.memory }])
    }
}

impl DomainStreams for XendLayer {}

/// What does not fit the domain's state.
fn invalid(detail: impl std::fmt::Display) -> Error {
    Error::invalid_operation(detail).from_origin(ErrorOrigin::XEN)
}

/// The error for a domain that does not run.
fn not_running() -> Error {
    invalid("domain is not running")
}

/// What this release of xend cannot do, so that another layer is asked; the words are shown if none can.
fn cannot(function: &'static str, why: impl std::fmt::Display) -> Error {
    let error = Error::unsupported(function);
    Error { message: format!("{}: {why}", error.message), ..error }.from_origin(ErrorOrigin::XEN)
}

/// Refuses flags an operation does not know.
fn check_flags(flags: u32, known: u32, function: &str) -> Result<()> {
    match flags & !known {
        0 => Ok(()),
        unknown => {
            let detail = format!("unsupported flags ({unknown:#x}) in function {function}");
            Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN))
        }
    }
}

/// Whether a change is for the running domain; else it is for the definition. xend changes a running domain's
/// definition along with it, and cannot change that alone.
fn is_for_running(active: bool, flags: u32) -> Result<bool> {
    match (active, flags & DOMAIN_AFFECT_LIVE != 0, flags & DOMAIN_AFFECT_CONFIG != 0) {
        (false, true, _) => Err(not_running()),
        (true, false, true) => {
            let detail =
                "xend changes the definition of a running domain only together with the domain itself";
            Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, detail).from_origin(ErrorOrigin::XEN))
        }
        (active, ..) => Ok(active),
    }
}
