//! pool-list.

use crate::backend::Storage;
use crate::commands::vocabulary;
use crate::error::Result as CallResult;
use crate::model::constants::*;
use crate::model::{PoolInfo, PoolRef};
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::session::{Format, Session};
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use crate::shell::units::pretty_size;
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[Command::new("pool-list", Group::Pool, pool_list)
    .answers(
        "[{name: text, state: text, autostart: boolean?, persistent: boolean?, \
             capacity: integer?, allocation: integer?, available: integer?}]",
    )
    .about("list pools", "Lists the active pools, or those the options ask for.")
    .options(&[
        Opt::flag("inactive", "inactive pools"),
        Opt::flag("all", "inactive and active pools"),
        Opt::flag("transient", "only transient ones"),
        Opt::flag("persistent", "only persistent ones"),
        Opt::flag("autostart", "only those started at boot"),
        Opt::flag("no-autostart", "only those that are not started at boot"),
        Opt::text("type", "only pools of these types, comma separated")
            .tolerated_by_place()
            .complete(Complete::WordList(TYPE_NAMES)),
        Opt::flag("details", "show sizes and more columns"),
        Opt::flag("uuid", "only uuids"),
        Opt::flag("name", "only names"),
    ])];

const TYPES: &[(&str, u32)] = &[
    ("dir", CONNECT_LIST_STORAGE_POOLS_DIR),
    ("fs", CONNECT_LIST_STORAGE_POOLS_FS),
    ("netfs", CONNECT_LIST_STORAGE_POOLS_NETFS),
    ("logical", CONNECT_LIST_STORAGE_POOLS_LOGICAL),
    ("disk", CONNECT_LIST_STORAGE_POOLS_DISK),
    ("iscsi", CONNECT_LIST_STORAGE_POOLS_ISCSI),
    ("iscsi-direct", CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT),
    ("scsi", CONNECT_LIST_STORAGE_POOLS_SCSI),
    ("mpath", CONNECT_LIST_STORAGE_POOLS_MPATH),
    ("rbd", CONNECT_LIST_STORAGE_POOLS_RBD),
    ("sheepdog", CONNECT_LIST_STORAGE_POOLS_SHEEPDOG),
    ("gluster", CONNECT_LIST_STORAGE_POOLS_GLUSTER),
    ("zfs", CONNECT_LIST_STORAGE_POOLS_ZFS),
    ("vstorage", CONNECT_LIST_STORAGE_POOLS_VSTORAGE),
];

/// The names of the types alone.
pub(super) const TYPE_NAMES: &[&str] = &vocabulary::names::<_, { TYPES.len() }>(TYPES);

/// By their numbers.
pub(super) const STATES: &[&str] = &["inactive", "building", "running", "degraded", "inaccessible"];

fn filter(args: &Args) -> Result<u32> {
    let mut flags = args.flags(&[
        ("transient", CONNECT_LIST_STORAGE_POOLS_TRANSIENT),
        ("persistent", CONNECT_LIST_STORAGE_POOLS_PERSISTENT),
        ("autostart", CONNECT_LIST_STORAGE_POOLS_AUTOSTART),
        ("no-autostart", CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART),
    ]);
    if args.has("all") {
        flags |= CONNECT_LIST_STORAGE_POOLS_ACTIVE | CONNECT_LIST_STORAGE_POOLS_INACTIVE;
    } else if args.has("inactive") {
        flags |= CONNECT_LIST_STORAGE_POOLS_INACTIVE;
    } else {
        flags |= CONNECT_LIST_STORAGE_POOLS_ACTIVE;
    }
    for kind in args.text("type")?.into_iter().flat_map(|kinds| kinds.split(',')) {
        match TYPES.iter().find(|(name, _)| *name == kind) {
            Some((_, flag)) => flags |= flag,
            None => bail!("Invalid pool type '{kind}'"),
        }
    }
    Ok(flags)
}

fn pool_list(session: &mut Session, args: &Args) -> Result<()> {
    args.exclusive("details", "uuid")?;
    args.exclusive("details", "name")?;
    let flags = filter(args)?;
    let connection = session.handle()?;
    let storage = connection.storage();
    let mut pools = storage.list_all_pools(flags).context("Failed to list pools")?;
    pools.sort_by(|one, other| one.name.cmp(&other.name));
    let bare = args.has("uuid") || args.has("name");
    if bare && session.settings.format == Format::Table {
        for pool in pools {
            session.print(match (args.has("uuid"), args.has("name")) {
                (true, true) => format!("{} {}\n", pool.uuid, pool.name),
                (true, false) => format!("{}\n", pool.uuid),
                _ => format!("{}\n", pool.name),
            });
        }
        return Ok(());
    }
    let details = args.has("details") || session.settings.format != Format::Table;
    let table = if details { detailed(storage, &pools)? } else { short(storage, &pools)? };
    session.table(&table)
}

fn short(storage: &dyn Storage, pools: &[PoolRef]) -> CallResult<Table> {
    let mut table = Table::new(["Name", "State", "Autostart"]);
    for pool in pools {
        let active = storage.pool_is_active(pool)?;
        table.row([
            Cell::from(&pool.name),
            Cell::from(if active { "active" } else { "inactive" }),
            autostart(storage, pool),
        ]);
    }
    Ok(table)
}

/// What no start at boot can be told of says so.
pub(super) fn autostart(storage: &dyn Storage, pool: &PoolRef) -> Cell {
    match storage.pool_autostart(pool) {
        Ok(autostart) => Cell::choice(autostart, "yes", "no"),
        Err(_) => Cell::with("no autostart", ()),
    }
}

fn detailed(storage: &dyn Storage, pools: &[PoolRef]) -> CallResult<Table> {
    let mut table =
        Table::new(["Name", "State", "Autostart", "Persistent", "Capacity", "Allocation", "Available"]);
    for pool in pools {
        let info = storage.pool_info(pool)?;
        let known = has_sizes(&info);
        let size = |bytes| {
            if known { self::size(bytes) } else { Cell::with("-", ()) }
        };
        table.row([
            Cell::from(&pool.name),
            Cell::from(STATES.get(usize::from(info.state)).copied().unwrap_or("unknown")),
            autostart(storage, pool),
            Cell::choice(storage.pool_is_persistent(pool)?, "yes", "no"),
            size(info.capacity),
            size(info.allocation),
            size(info.available),
        ]);
    }
    Ok(table)
}

/// Whether a pool is in a state where its sizes are known.
pub(super) fn has_sizes(info: &PoolInfo) -> bool {
    matches!(i32::from(info.state), STORAGE_POOL_RUNNING | STORAGE_POOL_DEGRADED)
}

/// A size that people can read.
pub(in crate::commands) fn size(bytes: u64) -> Cell {
    let (value, unit) = pretty_size(bytes);
    Cell::with(format!("{value:.2} {unit}"), bytes)
}
