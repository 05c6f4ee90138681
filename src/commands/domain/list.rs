//! `list`: all domains, or those of certain kinds, in a number of questions that does not grow with them.

use super::words;
use crate::backend::{Connection, Domains};
use crate::error::ErrorCode;
use crate::model::constants::*;
use crate::model::{DomainRef, ParamValue, TypedParam};
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};
use std::cmp::Ordering;
use std::collections::HashMap;
use uuid::Uuid;

/// The row of this file.
pub const COMMANDS: &[Command] = &[Command::new("list", Group::Monitor, list)
.answers("[{id?: integer?, name?: text, state?: text, title?: text?, uuid?: text}]")
    .about(
        "list domains",
        "Shows the active domains, or with --all the inactive ones too. Filters of one kind add up, filters of \
         different kinds narrow the list.",
    )
    .options(&[
        Opt::flag("inactive", "only domains that are off"),
        Opt::flag("all", "active and inactive domains"),
        Opt::flag("transient", "only domains without a stored definition"),
        Opt::flag("persistent", "only domains with a stored definition"),
        Opt::flag("with-snapshot", "only domains that have snapshots"),
        Opt::flag("without-snapshot", "only domains that have none"),
        Opt::flag("with-checkpoint", "only domains that have checkpoints"),
        Opt::flag("without-checkpoint", "only domains that have none"),
        Opt::flag("state-running", "only domains that run"),
        Opt::flag("state-paused", "only domains that are paused"),
        Opt::flag("state-shutoff", "only domains that are off"),
        Opt::flag("state-other", "only domains in none of these states"),
        Opt::flag("autostart", "only domains that start with the host"),
        Opt::flag("no-autostart", "only domains that do not"),
        Opt::flag("with-managed-save", "only domains with a managed save image"),
        Opt::flag("without-managed-save", "only domains without one"),
        Opt::flag("uuid", "show uuids, alone or as a column of the table"),
        Opt::flag("name", "show names instead of the table"),
        Opt::flag("id", "show ids instead of the table"),
        Opt::flag("table", "show the table, which is what happens anyway"),
        Opt::flag("managed-save", "call an inactive domain with a managed save image saved"),
        Opt::flag("title", "show titles"),
    ])];

const FILTERS: &[(&str, u32)] = &[
    ("persistent", CONNECT_LIST_DOMAINS_PERSISTENT),
    ("transient", CONNECT_LIST_DOMAINS_TRANSIENT),
    ("state-running", CONNECT_LIST_DOMAINS_RUNNING),
    ("state-paused", CONNECT_LIST_DOMAINS_PAUSED),
    ("state-shutoff", CONNECT_LIST_DOMAINS_SHUTOFF),
    ("state-other", CONNECT_LIST_DOMAINS_OTHER),
    ("with-managed-save", CONNECT_LIST_DOMAINS_MANAGEDSAVE),
    ("without-managed-save", CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE),
    ("autostart", CONNECT_LIST_DOMAINS_AUTOSTART),
    ("no-autostart", CONNECT_LIST_DOMAINS_NO_AUTOSTART),
    ("with-snapshot", CONNECT_LIST_DOMAINS_HAS_SNAPSHOT),
    ("without-snapshot", CONNECT_LIST_DOMAINS_NO_SNAPSHOT),
    ("with-checkpoint", CONNECT_LIST_DOMAINS_HAS_CHECKPOINT),
    ("without-checkpoint", CONNECT_LIST_DOMAINS_NO_CHECKPOINT),
];

/// The filters that listing statistics knows too, with the same numbers.
const FILTERS_OF_STATS: u32 = CONNECT_LIST_DOMAINS_MANAGEDSAVE - 1;

fn list(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("table", "name")?;
    args.exclusive("table", "id")?;
    let table = args.has("table") || !(args.has("uuid") || args.has("name") || args.has("id"));
    let connection = session.handle()?;
    if table {
        let rows = with_states(&*connection, filters(args))?;
        let table = table_of(&*connection, args, rows, session.settings.format)?;
        session.table(&table)?;
        if table.is_empty() {
            hint_at_emptiness(session, args);
        }
        Ok(())
    } else {
        let failed = "Failed to list domains";
        let mut domains = connection.domains().list_all_domains(filters(args)).context(failed)?;
        domains.sort_by(in_listing_order);
        bare(session, args, &domains)
    }
}

/// An empty list surprises people whose domains are off, or belong to the other of the two places.
fn hint_at_emptiness(session: &mut Session, args: &Args) {
    let other = match session.connection().map(|connection| connection.host().uri()) {
        Ok(Ok(uri)) if uri.ends_with("/session") => Some((uri, "/session", "/system")),
        Ok(Ok(uri)) if uri.ends_with("/system") => Some((uri, "/system", "/session")),
        _ => None,
    };
    if !args.has("all") {
        session.hint("--all lists domains that are off, too");
    } else if let Some((uri, here, there)) = other {
        let other = uri.replace(here, there);
        session.hint(format_args!("this is {uri}; {other} has domains of its own: -c {other}"));
    }
}

fn filters(args: &Args) -> u32 {
    let which = if args.has("all") {
        CONNECT_LIST_DOMAINS_ACTIVE | CONNECT_LIST_DOMAINS_INACTIVE
    } else if args.has("inactive") || args.has("state-shutoff") {
        CONNECT_LIST_DOMAINS_INACTIVE
    } else {
        CONNECT_LIST_DOMAINS_ACTIVE
    };
    let chosen = FILTERS.iter().filter(|(option, _)| args.has(option));
    chosen.fold(which, |flags, (_, flag)| flags | flag)
}

/// Active domains first, by their ids, then the others by name.
pub(super) fn in_listing_order(left: &DomainRef, right: &DomainRef) -> Ordering {
    match (left.id, right.id) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => {
            let folded = left.name.to_ascii_lowercase().cmp(&right.name.to_ascii_lowercase());
            folded.then_with(|| left.name.cmp(&right.name))
        }
    }
}

/// The domains that pass the filters, each with its state: one question where the driver has statistics.
fn with_states(connection: &dyn Connection, flags: u32) -> Result<Vec<(DomainRef, i32)>> {
    let domains = connection.domains();
    if flags & !FILTERS_OF_STATS == 0 {
        match domains.all_domain_stats(&[], DOMAIN_STATS_STATE, flags) {
            Ok(records) if records.iter().all(|record| state_in(&record.params).is_some()) => {
                let states = records.into_iter().map(|record| {
                    let state = state_in(&record.params).unwrap_or_default();
                    (record.domain, state)
                });
                return Ok(sorted(states.collect()));
            }
            // Some drivers have no statistics, or none of this kind.
            Ok(_) => {}
            Err(error) if matches!(error.code, ErrorCode::NO_SUPPORT | ErrorCode::ARGUMENT_UNSUPPORTED) => {}
            Err(error) => return Err(error).context("Failed to list domains"),
        }
    }
    let listed = domains.list_all_domains(flags).context("Failed to list domains")?;
    let states = states_of(domains, &listed);
    let rows = listed.into_iter().map(|domain| {
        let known = states.get(&domain.uuid).copied();
        // A domain that went away between the two questions has no state.
        let state = known.or_else(|| domains.state(&domain, 0).ok().map(|answer| answer.state));
        (domain, state.unwrap_or(DOMAIN_NOSTATE))
    });
    Ok(sorted(rows.collect()))
}

/// The states of these domains in one question, or nothing if the driver cannot tell so.
fn states_of(domains: &dyn Domains, listed: &[DomainRef]) -> HashMap<Uuid, i32> {
    if listed.is_empty() {
        return HashMap::new();
    }
    let records = domains.all_domain_stats(listed, DOMAIN_STATS_STATE, 0).unwrap_or_default();
    let states =
        records.into_iter().filter_map(|record| Some((record.domain.uuid, state_in(&record.params)?)));
    states.collect()
}

fn state_in(params: &[TypedParam]) -> Option<i32> {
    let state = TypedParam::find(params, "state.state").and_then(ParamValue::as_i64)?;
    i32::try_from(state).ok()
}

fn sorted(mut rows: Vec<(DomainRef, i32)>) -> Vec<(DomainRef, i32)> {
    rows.sort_by(|(left, _), (right, _)| in_listing_order(left, right));
    rows
}

fn table_of(
    connection: &dyn Connection,
    args: &Args,
    rows: Vec<(DomainRef, i32)>,
    format: Format,
) -> Result<Table> {
    let domains = connection.domains();
    let (title, managed_save) = (args.has("title"), args.has("managed-save"));
    // Programs always get the uuid; people when they ask.
    let uuid = args.has("uuid") || format != Format::Table;
    let mut head = vec!["Id", "Name", "State"];
    head.extend(title.then_some("Title"));
    head.extend(uuid.then_some("UUID"));
    let mut table = Table::new(head);
    for (domain, state) in rows {
        let saved = managed_save
            && state == DOMAIN_SHUTOFF
            && domains.has_managed_save_image(&domain, 0).unwrap_or_default();
        let mut cells = vec![
            Cell::or_dash(domain.id),
            Cell::from(&domain.name),
            Cell::from(if saved { "saved" } else { words::state(state) }),
        ];
        if title {
            cells.push(Cell::from(title_of(domains, &domain)?));
        }
        if uuid {
            cells.push(Cell::from(domain.uuid.to_string()));
        }
        table.row(cells);
    }
    Ok(table)
}

fn title_of(domains: &dyn Domains, domain: &DomainRef) -> Result<String> {
    match domains.metadata(domain, DOMAIN_METADATA_TITLE, None, 0) {
        Ok(title) => Ok(title),
        Err(error) if error.code == ErrorCode::NO_DOMAIN_METADATA || error.code == ErrorCode::NO_DOMAIN => {
            Ok(String::new())
        }
        Err(error) if error.is_unsupported() => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}

/// Uuids, ids and names without a table, in this order when several are asked for.
fn bare(session: &mut Session, args: &Args, domains: &[DomainRef]) -> Result<()> {
    let (uuid, id, name) = (args.has("uuid"), args.has("id"), args.has("name"));
    // Ids alone leave out those that have none.
    let only_id = id && !uuid && !name;
    let mut text = String::new();
    let mut objects = Vec::new();
    for domain in domains.iter().filter(|domain| !only_id || domain.id.is_some()) {
        let mut parts = Vec::new();
        let mut object = serde_json::Map::new();
        if uuid {
            parts.push(domain.uuid.to_string());
            object.insert("uuid".to_string(), domain.uuid.to_string().into());
        }
        if id {
            parts.push(domain.id.map_or_else(|| "-".to_string(), |id| id.to_string()));
            object.insert("id".to_string(), domain.id.into());
        }
        if name {
            parts.push(domain.name.clone());
            object.insert("name".to_string(), domain.name.clone().into());
        }
        text.push_str(&parts.join(" "));
        text.push('\n');
        objects.push(object);
    }
    session.show(&objects, |session| session.print(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_domains_come_first() {
        let domain = |name: &str, id| DomainRef { name: name.to_string(), uuid: Uuid::nil(), id };
        let mut domains = [domain("b", None), domain("A", None), domain("z", Some(2)), domain("y", Some(1))];
        domains.sort_by(in_listing_order);
        let names: Vec<_> = domains.iter().map(|domain| domain.name.as_str()).collect();
        assert_eq!(names, ["y", "z", "A", "b"]);
    }
}
