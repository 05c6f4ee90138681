//! Moving a domain from one connection to another: the steps of the protocol, driven from here.
//!
//! ```text
//! begin (source) ─ prepare (destination) ─ perform (source) ─ finish (destination) ─ confirm (source)
//! ```
//! Each step hands a cookie to the next. Until `perform` has succeeded the guest belongs to the source; whatever
//! fails, the destination is told to give up and the source to take the guest back. In the peer-to-peer form the
//! source's daemon does all of this by itself.

use super::Connection;
use crate::error::{Error, ErrorCode, Result};
use crate::model::constants::*;
use crate::model::{DomainRef, TypedParam};

/// What a driver can be asked about by [`super::Host::supports_feature`], by its numbers on the wire.
pub mod feature {
    /// The source's daemon can drive a migration.
    pub const PEER_TO_PEER: i32 = 4;
    /// The source's hypervisor can drive a migration.
    pub const DIRECT: i32 = 5;
    /// The source can refuse changes to a domain between the steps.
    pub const CHANGE_PROTECTION: i32 = 7;
    /// A definition can be moved without a guest.
    pub const OFFLINE: i32 = 12;
    /// The steps take typed parameters.
    pub const PARAMETERS: i32 = 13;
}

/// The parameters that the protocol knew before it became extensible.
const OLD_PARAMETERS: [&str; 4] = ["migrate_uri", "destination_name", "destination_xml", "bandwidth"];

/// Moves `domain` with this process between both ends; answers with the domain at the destination.
pub fn migrate(
    source: &dyn Connection,
    domain: &DomainRef,
    destination: &dyn Connection,
    params: &[TypedParam],
    flags: u32,
) -> Result<DomainRef> {
    refuse_impossible(flags)?;
    if flags & MIGRATE_TUNNELLED != 0 {
        return Err(plain("cannot perform tunnelled migration without using peer2peer flag"));
    }
    for (end, connection) in [("source", source), ("destination", destination)] {
        if flags & MIGRATE_OFFLINE != 0 && !has(connection, feature::OFFLINE)? {
            return Err(lacking("offline", end));
        }
    }
    if !has(source, feature::PARAMETERS)? || !has(destination, feature::PARAMETERS)? {
        return Err(not_extensible(params, "virDomainMigrate3"));
    }
    let protected = has(source, feature::CHANGE_PROTECTION)?;
    if flags & MIGRATE_CHANGE_PROTECTION != 0 && !protected {
        return Err(Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, "cannot enforce change protection"));
    }
    let mut journey = Journey {
        source,
        domain,
        destination,
        params: params.to_vec(),
        flags: flags & !MIGRATE_CHANGE_PROTECTION,
        protection: if protected { MIGRATE_CHANGE_PROTECTION } else { 0 },
    };
    journey.make()
}

/// Has the source's daemon, or its hypervisor, move `domain` to `uri` by itself.
pub fn migrate_to_uri(
    source: &dyn Connection,
    domain: &DomainRef,
    uri: &str,
    params: &[TypedParam],
    flags: u32,
) -> Result<()> {
    refuse_impossible(flags)?;
    if flags & MIGRATE_OFFLINE != 0 && !has(source, feature::OFFLINE)? {
        return Err(lacking("offline", "source"));
    }
    let (way, needed) = match flags & MIGRATE_PEER2PEER != 0 {
        true => ("p2p", feature::PEER_TO_PEER),
        false => ("direct", feature::DIRECT),
    };
    if !has(source, needed)? {
        return Err(lacking(way, "source"));
    }
    if !has(source, feature::PARAMETERS)? {
        return Err(not_extensible(params, "virDomainMigrateToURI3"));
    }
    source.domains().migrate_perform3_params(domain, Some(uri), params, &[], flags).map(drop)
}

/// Flags that no driver can honour together.
fn refuse_impossible(flags: u32) -> Result<()> {
    const TOGETHER: u32 = MIGRATE_TUNNELLED | MIGRATE_PARALLEL;
    if flags & TOGETHER == TOGETHER {
        return Err(plain("Flags 'VIR_MIGRATE_TUNNELLED' and 'VIR_MIGRATE_PARALLEL' are mutually exclusive"));
    }
    Ok(())
}

/// An argument's refusal in words of its own, without the prefix of its kind.
fn plain(message: &str) -> Error {
    Error::from_wire(ErrorCode::INVALID_ARGUMENT.0, 0, message.to_string())
}

fn lacking(way: &str, end: &str) -> Error {
    let what = format!("{way} migration is not supported by the {end} host");
    Error::new(ErrorCode::ARGUMENT_UNSUPPORTED, what)
}

/// What an end without the extensible protocol is answered with.
fn not_extensible(params: &[TypedParam], function: &'static str) -> Error {
    match params.iter().all(|param| OLD_PARAMETERS.contains(&param.name.as_str())) {
        true => Error::unsupported(function),
        false => Error::new(
            ErrorCode::ARGUMENT_UNSUPPORTED,
            "Migration APIs with extensible parameters are not supported but extended parameters were passed",
        ),
    }
}

/// Whether one end can do something; a driver that cannot even be asked cannot.
fn has(connection: &dyn Connection, feature: i32) -> Result<bool> {
    match connection.host().supports_feature(feature) {
        Err(error) if error.is_unsupported() => Ok(false),
        answer => answer,
    }
}

/// A migration on its way.
struct Journey<'a> {
    source: &'a dyn Connection,
    domain: &'a DomainRef,
    destination: &'a dyn Connection,
    params: Vec<TypedParam>,
    flags: u32,
    /// The flag that keeps others from the domain, where the source knows it.
    protection: u32,
}

impl Journey<'_> {
    fn make(&mut self) -> Result<DomainRef> {
        let domains = self.source.domains();
        let (cookie, xml) =
            domains.migrate_begin3_params(self.domain, &self.params, self.flags | self.protection)?;
        // A guest that is paused here is to be paused there.
        if domains.state(self.domain, 0).is_ok_and(|state| state.state == DOMAIN_PAUSED) {
            self.flags |= MIGRATE_PAUSED;
        }
        self.set("destination_xml", &xml);
        let prepared = self.prepare(&cookie);
        let cookie = match prepared {
            Ok(cookie) => cookie,
            Err(error) => {
                self.confirm(&[], true);
                return Err(error);
            }
        };
        let performed = self.perform(&cookie);
        if TypedParam::find(&self.params, "destination_name").is_none() {
            // The last steps find the guest at the destination by its name.
            self.set("destination_name", &self.domain.name);
        }
        match performed {
            // The guest lives at both ends now; only resuming the move brings it together.
            Err(error) if self.is_half_way() => Err(error),
            performed => self.arrive(performed),
        }
    }

    /// Has the destination wait for the guest; answers with the cookie for the next step.
    fn prepare(&mut self, cookie: &[u8]) -> Result<Vec<u8>> {
        let domains = self.destination.domains();
        let (cookie, uri) = domains.migrate_prepare3_params(&self.params, cookie, self.flags)?;
        if let Some(uri) = uri {
            self.set("migrate_uri", &uri);
        } else if TypedParam::find(&self.params, "migrate_uri").is_none() && self.flags & MIGRATE_OFFLINE == 0
        {
            return Err(Error::internal("domainMigratePrepare3 did not set uri"));
        }
        Ok(cookie)
    }

    /// Moves the guest; a definition alone has moved with its XML already, and the source has no more to say.
    fn perform(&self, cookie: &[u8]) -> Result<Vec<u8>> {
        if self.flags & MIGRATE_OFFLINE != 0 {
            return Ok(Vec::new());
        }
        let flags = self.flags | self.protection;
        self.source.domains().migrate_perform3_params(self.domain, None, &self.params, cookie, flags)
    }

    /// The last two steps, after a move that went well or not.
    fn arrive(&self, performed: Result<Vec<u8>>) -> Result<DomainRef> {
        let cancelled = performed.is_err();
        let cookie = performed.as_deref().unwrap_or_default();
        let domains = self.destination.domains();
        let finished = domains.migrate_finish3_params(&self.params, cookie, self.flags, cancelled);
        let failed = cancelled || finished.is_err();
        let cookie = finished.as_ref().map(|(_, cookie)| cookie.as_slice()).unwrap_or_default();
        if !(failed && self.is_half_way()) {
            self.confirm(cookie, failed);
        }
        match performed {
            Err(cause) => Err(better(cause, finished.err())),
            Ok(_) => finished.map(|(domain, _)| domain),
        }
    }

    /// Lets the source go of the guest, or take it back. What fails here changes nothing for the guest, which
    /// runs where the steps before it said.
    fn confirm(&self, cookie: &[u8], cancelled: bool) {
        let flags = self.flags | self.protection;
        let domains = self.source.domains();
        let _ = domains.migrate_confirm3_params(self.domain, &self.params, cookie, flags, cancelled);
    }

    /// Whether the guest runs at the destination already while the source still holds some of its memory.
    fn is_half_way(&self) -> bool {
        const REASONS: [i32; 2] = [DOMAIN_PAUSED_POSTCOPY, DOMAIN_PAUSED_POSTCOPY_FAILED];
        self.flags & MIGRATE_POSTCOPY != 0
            && self
                .source
                .domains()
                .state(self.domain, 0)
                .is_ok_and(|state| state.state == DOMAIN_PAUSED && REASONS.contains(&state.reason))
    }

    fn set(&mut self, name: &str, value: &str) {
        self.params.retain(|param| param.name != name);
        self.params.push(TypedParam::new(name, value));
    }
}

/// Of two failures the one that says more: a source that lost the connection knows less than the destination
/// that knows why.
fn better(source: Error, destination: Option<Error>) -> Error {
    match destination {
        Some(error) if source.code == ErrorCode::OPERATION_FAILED && error.code == ErrorCode::INTERNAL => {
            error
        }
        _ => source,
    }
}
