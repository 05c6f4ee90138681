//! `migrate`: moving a domain to another host.

use super::options;
use crate::backend::{Connection, migration, registry};
use crate::commands::domain::lookup;
use crate::commands::domain::progress::Job;
use crate::error::{Error, Result as CallResult};
use crate::model::constants::*;
use crate::model::event::{DomainEvent, Event, EventFilter};
use crate::model::{DomainRef, TypedParam};
use crate::shell::address;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Group};
use anyhow::{Result, bail};
use std::time::Duration;

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("migrate", Group::Domain, migrate)
.answers(shape::PROGRESS)
    .about(
        "move a domain to another host",
        "Moves a domain to the host behind another connection; with --live the guest runs on meanwhile. This shell \
         talks to both ends, unless --p2p leaves it to the source host. Ctrl-C ends the attempt, and the guest \
         stays where it is.",
    )
    .options(options::OPTIONS)
    .writes()];

fn migrate(session: &mut Session, args: &Args) -> Result<()> {
    options::check(args)?;
    let connection = session.handle()?;
    let domain = lookup::domain(&*connection, args)?;
    let limit = limit(args)?;
    let by_itself = args.has("p2p") || args.has("direct");
    let uri = args.required("desturi")?;
    let destination = match by_itself {
        true => None,
        false => Some(registry::open(&address::resolve(Some(uri))?, false)?),
    };
    let (flags, params) = options::read(args)?;
    if session.settings.read_only {
        let function = if by_itself { "virDomainMigrateToURI3" } else { "virDomainMigrate3" };
        return Err(Error::read_only(function).into());
    }
    let mut watch = Watch::begin(&*connection, &domain, limit, args)?;
    let answer = Job {
        domain: &domain,
        label: "Migration",
        verbose: args.has("verbose"),
        meanwhile: &mut |session, elapsed| watch.look(session, elapsed),
    }
    .run(session, |connection| travel(connection, &domain, destination.as_deref(), uri, &params, flags))?;
    Ok(answer?)
}

/// The migration itself, between two connections or by the source alone.
fn travel(
    source: &dyn Connection,
    domain: &DomainRef,
    destination: Option<&dyn Connection>,
    uri: &str,
    params: &[TypedParam],
    flags: u32,
) -> CallResult<()> {
    match destination {
        Some(destination) => migration::migrate(source, domain, destination, params, flags).map(drop),
        None => migration::migrate_to_uri(source, domain, uri, params, flags),
    }
}

/// How long a live migration may take before something is done about it.
fn limit(args: &Args) -> Result<Option<Duration>> {
    let limit = args.number::<u32>("timeout")?.filter(|&seconds| seconds > 0);
    if limit.is_some() && !args.has("live") {
        bail!("migrate: Unexpected timeout for offline migration");
    }
    if limit.is_none() && (args.has("timeout-suspend") || args.has("timeout-postcopy")) {
        bail!("migrate: Unexpected --timeout-* option without --timeout");
    }
    Ok(limit.map(|seconds| Duration::from_secs(seconds.into())))
}

/// What is done to the guest while its migration runs.
struct Watch<'a> {
    connection: &'a dyn Connection,
    domain: &'a DomainRef,
    /// When to act, unless that was done.
    limit: Option<Duration>,
    /// Whether the guest is then moved before its memory rather than paused.
    post_copy: bool,
    /// The subscription to the rounds of the migration, until the second one began.
    rounds: Option<(EventFilter, i32)>,
}

impl<'a> Watch<'a> {
    fn begin(
        connection: &'a dyn Connection,
        domain: &'a DomainRef,
        limit: Option<Duration>,
        args: &Args,
    ) -> Result<Watch<'a>> {
        let post_copy = args.has("timeout-postcopy");
        let mut watch = Watch { connection, domain, limit, post_copy, rounds: None };
        if args.has("postcopy-after-precopy") {
            let id = DOMAIN_EVENT_ID_MIGRATION_ITERATION;
            let filter = EventFilter::Domain { id, domain: Some(domain.clone()) };
            match connection.events().subscribe(&filter) {
                Ok(subscription) => watch.rounds = Some((filter, subscription)),
                // A driver without events cannot migrate either, and says so by itself.
                Err(error) if error.is_unsupported() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(watch)
    }

    fn look(&mut self, session: &mut Session, elapsed: Duration) {
        if self.limit.is_some_and(|limit| elapsed >= limit) {
            self.limit = None;
            let domains = self.connection.domains();
            let answer = match self.post_copy {
                true => domains.migrate_start_post_copy(self.domain, 0),
                false => domains.suspend(self.domain),
            };
            complain(session, answer);
        }
        if self.rounds.is_some() && self.has_sent_all_once() {
            self.end_rounds();
            complain(session, self.connection.domains().migrate_start_post_copy(self.domain, 0));
        }
    }

    /// Whether the migration is in its second round.
    fn has_sent_all_once(&self) -> bool {
        while let Ok(Some((_, event))) = self.connection.events().next(Some(Duration::ZERO)) {
            if let Event::Domain(_, DomainEvent::MigrationIteration { iteration }) = event
                && iteration > 1
            {
                return true;
            }
        }
        false
    }

    fn end_rounds(&mut self) {
        if let Some((filter, subscription)) = self.rounds.take() {
            // A connection that broke has no subscriptions left to end.
            let _ = self.connection.events().unsubscribe(&filter, subscription);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.end_rounds();
    }
}

/// The migration goes on when what was to help it fails.
fn complain(session: &mut Session, answer: CallResult<()>) {
    if let Err(error) = answer {
        session.error(error);
    }
}
