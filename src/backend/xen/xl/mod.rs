//! The layer of today's toolstack: its program `xl`, run as a child.
//!
//! It makes and ends domains, saves and restores them, plugs devices in and out; what it leaves running (a monitor
//! for each domain) is the toolstack's own. Before each change the domain's id is looked up by its uuid.

mod child;
mod console;
mod devices;
mod image;
mod lifecycle;
mod migration;
mod pinning;
mod saving;
mod tuning;

use super::directory::{Directory, Running};
use super::layer::{Layer, LayerKind};
use super::native::config::Config;
use super::native::xl;
use crate::backend::*;
use crate::error::{Error, ErrorOrigin, Result};
use child::{LONG, Program, SHORT};
use serde_json::Value;
use std::io::Write;
use std::sync::Arc;
use uuid::Uuid;

/// The toolstack of this host.
pub struct Toolstack {
    program: Program,
}

/// The layer.
pub struct XlLayer {
    toolstack: Arc<Toolstack>,
    directory: Arc<Directory>,
}

impl Toolstack {
    /// Finds it.
    pub fn find() -> Result<Toolstack> {
        Ok(Toolstack { program: Program::find()? })
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        self.program.run(arguments, SHORT)
    }

    /// Runs what moves a guest's memory, or waits for a guest.
    fn run_long(&self, arguments: &[&str]) -> Result<String> {
        self.program.run(arguments, LONG)
    }

    fn listing(&self, id: Option<u32>) -> Result<Vec<Value>> {
        let id = id.map(|id| id.to_string());
        let mut arguments = vec!["list", "-l"];
        arguments.extend(id.as_deref());
        let text = self.run(&arguments)?;
        let parsed: Value = serde_json::from_str(&text).map_err(|flaw| {
            let detail = format!("'xl list -l' did not answer with JSON: {flaw}");
            Error::internal(detail).from_origin(ErrorOrigin::XEN)
        })?;
        Ok(match parsed {
            Value::Array(domains) => domains,
            one => vec![one],
        })
    }

    /// The domains that run.
    pub fn running(&self) -> Result<Vec<Running>> {
        let running = |domain: &Value| {
            let id = u32::try_from(domain["domid"].as_u64()?).ok()?;
            let info = &domain["config"]["c_info"];
            let said = info["uuid"].as_str().and_then(|text| Uuid::try_parse(text).ok());
            let uuid = said.or((id == 0).then(Uuid::nil))?;
            Some(Running { id, uuid, name: info["name"].as_str()?.to_string(), figures: None })
        };
        Ok(self.listing(None)?.iter().filter_map(running).collect())
    }

    /// The configuration of what runs; `None` when it is gone meanwhile.
    pub fn config(&self, id: u32) -> Result<Option<Config>> {
        let domains = self.listing(Some(id))?;
        let own = domains.iter().find(|domain| domain["domid"].as_u64() == Some(u64::from(id)));
        Ok(own.map(xl::live::config))
    }
}

impl XlLayer {
    /// The layer of a toolstack, over the directory of its host.
    pub fn new(toolstack: Arc<Toolstack>, directory: Arc<Directory>) -> XlLayer {
        XlLayer { toolstack, directory }
    }

    /// The id of a running domain, as an argument; the control domain is refused where it must not be touched.
    fn id_of(&self, domain: &crate::model::DomainRef) -> Result<String> {
        let running = self.directory.must_run(domain)?;
        if running.is_control() {
            let detail = "Domain-0 does not support requested operation";
            return Err(Error::invalid_operation(detail).from_origin(ErrorOrigin::XEN));
        }
        Ok(running.id.to_string())
    }
}

/// Writes a configuration where only we can read it; it is gone with the answer.
fn temporary(config: &Config) -> Result<tempfile::NamedTempFile> {
    let cannot = |cause: std::io::Error| Error::system("cannot write a temporary file", &cause);
    let mut file = tempfile::Builder::new().prefix("hvsh-").suffix(".cfg").tempfile().map_err(cannot)?;
    file.write_all(config.to_string().as_bytes()).map_err(cannot)?;
    Ok(file)
}

/// A path as an argument of a child.
fn as_argument(path: &std::path::Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::invalid_argument(format!("the path '{}' is not text", path.display())))
}

impl Layer for XlLayer {
    fn kind(&self) -> LayerKind {
        LayerKind::Xl
    }
    fn domains(&self) -> &dyn Domains {
        self
    }
}

impl DomainLookup for XlLayer {}
impl DomainStats for XlLayer {}
impl DomainGuest for XlLayer {}
impl DomainMonitor for XlLayer {}
