//! Moving a domain to another host's xend.
//!
//! xend moves it all by itself once it is told where to; the other steps only say who and where.

use super::request::Form;
use super::{XendLayer, cannot, invalid};
use crate::backend::DomainJobs;
use crate::backend::xen::native::describe;
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::constants::*;
use crate::model::*;
use crate::uri::Uri;

/// What can be asked of xend about a migration.
const KNOWN: u32 = MIGRATE_LIVE | MIGRATE_PERSIST_DEST | MIGRATE_UNDEFINE_SOURCE | MIGRATE_UNSAFE;

impl DomainJobs for XendLayer {
    fn migrate_begin3_params(
        &self,
        domain: &DomainRef,
        params: &[TypedParam],
        flags: u32,
    ) -> Result<(Vec<u8>, String)> {
        refuse(params, flags)?;
        let described = self.find_running(domain)?;
        Ok((Vec::new(), describe::describe(&described.sxp, true)?.to_string()))
    }

    fn migrate_prepare3_params(
        &self,
        params: &[TypedParam],
        _cookie_in: &[u8],
        flags: u32,
    ) -> Result<(Vec<u8>, Option<String>)> {
        refuse(params, flags)?;
        let said = TypedParam::find(params, "migrate_uri").and_then(ParamValue::as_str);
        let place = match said {
            Some(place) => place.to_string(),
            None => format!("xenmigr://{}", self.requests.node.get("host").unwrap_or_default()),
        };
        Ok((Vec::new(), Some(place)))
    }

    fn migrate_perform3_params(
        &self,
        domain: &DomainRef,
        dconnuri: Option<&str>,
        params: &[TypedParam],
        _cookie_in: &[u8],
        flags: u32,
    ) -> Result<Vec<u8>> {
        refuse(params, flags)?;
        let described = self.find_running(domain)?;
        if described.is_host() {
            return Err(invalid("Domain-0 cannot be moved: it runs the host"));
        }
        if described.state(self.requests.release).state == DOMAIN_PAUSED {
            // As with saving, the guest takes part.
            return Err(invalid("a paused domain cannot be moved; resume it first"));
        }
        let place = TypedParam::find(params, "migrate_uri").and_then(ParamValue::as_str).or(dconnuri);
        let (host, port) = destination(place.unwrap_or_default())?;
        let megabits = TypedParam::find(params, "bandwidth").and_then(ParamValue::as_u64).unwrap_or(0) * 8;
        let form = Form::new("migrate")
            .with("destination", host)
            .with("live", u8::from(flags & MIGRATE_LIVE != 0))
            .with("resource", megabits)
            .with("port", port)
            .with("node", -1)
            .with("ssl", 0)
            .with("change_home_server", 0);
        self.ask(&described, &form)?;
        Ok(Vec::new())
    }

    fn migrate_finish3_params(
        &self,
        params: &[TypedParam],
        _cookie_in: &[u8],
        _flags: u32,
        cancelled: bool,
    ) -> Result<(DomainRef, Vec<u8>)> {
        let name =
            TypedParam::find(params, "destination_name").and_then(ParamValue::as_str).unwrap_or_default();
        match self.by_name(name)? {
            Some(arrived) if !cancelled => Ok((arrived.reference, Vec::new())),
            _ => Err(XendLayer::no_such_name(name)),
        }
    }

    fn migrate_confirm3_params(
        &self,
        _domain: &DomainRef,
        _params: &[TypedParam],
        _cookie_in: &[u8],
        _flags: u32,
        _cancelled: bool,
    ) -> Result<()> {
        // xend lets go of the domain when it is there, and keeps it when it is not.
        Ok(())
    }
}

/// Refuses what xend has no word for.
fn refuse(params: &[TypedParam], flags: u32) -> Result<()> {
    if flags & !KNOWN != 0 {
        return Err(cannot(
            "virDomainMigratePerform3Params",
            format!("xend has no such migration (flags {flags:#x})"),
        ));
    }
    if TypedParam::find(params, "destination_xml").is_some() {
        return Err(cannot(
            "virDomainMigratePerform3Params",
            "xend moves a domain with its own definition only",
        ));
    }
    Ok(())
}

/// The host and port of `xenmigr://host:port`, `host:port` or a connection's URI; port 0 is xend's own.
fn destination(place: &str) -> Result<(String, u16)> {
    let missing = || {
        let detail = format!("no host to move the domain to in '{place}'; give one as xenmigr://HOST[:PORT]");
        Error::invalid_argument(detail).from_origin(ErrorOrigin::XEN)
    };
    if place.contains("://") {
        let uri = Uri::parse(place)?;
        let port = if uri.scheme == "xenmigr" { uri.port.unwrap_or(0) } else { 0 };
        return Ok((uri.host.ok_or_else(missing)?, port));
    }
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "0"));
    match (host, port.parse()) {
        (host, Ok(port)) if !host.is_empty() => Ok((host.to_string(), port)),
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_are_read() {
        for (place, host, port) in [
            ("xenmigr://h:8102", "h", 8102),
            ("xenmigr://h", "h", 0),
            ("xen+ssh://root@h/", "h", 0),
            ("h", "h", 0),
            ("h:1", "h", 1),
        ] {
            assert_eq!(destination(place).unwrap(), (host.to_string(), port), "{place}");
        }
        for wrong in ["", ":1", "h:x", "xen:///"] {
            assert!(destination(wrong).is_err(), "{wrong}");
        }
    }
}
