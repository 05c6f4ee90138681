//! vol-dumpxml, vol-info, vol-key, vol-list, vol-name, vol-path, vol-pool.

use super::lookup::{by_key_or_path, volume};
use crate::commands::document::{self, WRAP, XPATH};
use crate::commands::plain_name::plain_name;
use crate::commands::pool;
use crate::commands::pool::list::size;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::{Format, Session};
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use crate::shell::table::Table;
use anyhow::{Context, Result};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vol-dumpxml", Group::Volume, vol_dumpxml)
        .answers(shape::XML)
        .about("show the XML of a volume", "Prints the description of a volume.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            XPATH,
            WRAP,
        ]),
    Command::new("vol-info", Group::Volume, vol_info)
        .answers(
            "{name: text, type: text, capacity: integer, allocation?: integer, physical?: \
             integer}",
        )
        .about("show a volume", "Shows type and sizes of a volume.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::flag("bytes", "count in bytes instead of readable units"),
            Opt::flag("physical", "show the space taken on the host as allocation"),
        ]),
    Command::new("vol-key", Group::Volume, vol_key)
        .answers("{key: text}")
        .about("find a volume's key", "Prints the key of a volume.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
        ]),
    Command::new("vol-list", Group::Volume, vol_list)
        .answers(
            "[{name: text, path: text, type?: text, capacity?: integer, allocation?: \
             integer}]",
        )
        .about("list a pool's volumes", "Lists the volumes of a pool.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid")
                .required()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::flag("details", "show sizes and more columns"),
        ]),
    Command::new("vol-name", Group::Volume, vol_name)
        .answers("{name: text}")
        .about("find a volume's name", "Prints the name of a volume.")
        .options(&[Opt::text("vol", "a volume by its name, key or path")
            .required()
            .complete(Complete::VolumePath)]),
    Command::new("vol-path", Group::Volume, vol_path)
        .answers("{path: text}")
        .about("find a volume's path", "Prints the path of a volume.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid")
                .positional()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
        ]),
    Command::new("vol-pool", Group::Volume, vol_pool)
        .answers("{name: text} | {uuid: text}")
        .about("find a volume's pool", "Prints the pool a volume lies in.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::VolumePath),
            Opt::flag("uuid", "the uuid instead of the name"),
        ]),
];

/// By their numbers.
const TYPES: &[&str] = &["file", "block", "dir", "network", "netdir", "ploop"];

fn kind(number: i8) -> &'static str {
    let place = usize::try_from(number).ok();
    place.and_then(|place| TYPES.get(place).copied()).unwrap_or("unknown")
}

fn vol_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let xml = connection.storage().volume_xml(&volume, 0)?;
    document::show(session, args, &xml)
}

fn vol_info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let flags = args.flags(&[("physical", STORAGE_VOL_GET_PHYSICAL)]);
    let mut fields = Fields::new(15);
    fields.add("Name", &volume.name);
    let answer = connection.storage().volume_info(&volume, flags);
    let answer = plain_name(answer, flags, "virStorageVolGetInfoFlags", "virStorageVolGetInfo");
    if answer.is_err() && session.settings.format == Format::Table {
        // The name stands there even if the figures are not to be had.
        session.fields(&fields)?;
    }
    let info = answer?;
    let bytes = |bytes: u64| {
        if args.has("bytes") { Cell::with(format!("{bytes} bytes"), bytes) } else { size(bytes) }
    };
    let taken = if args.has("physical") { "Physical" } else { "Allocation" };
    fields.add("Type", kind(info.kind));
    fields.add("Capacity", bytes(info.capacity));
    fields.add(taken, bytes(info.allocation));
    session.fields(&fields)
}

fn vol_list(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let pool = pool::named(&*connection, args.required("pool")?)?;
    let storage = connection.storage();
    let listed = storage.pool_list_all_volumes(&pool, 0);
    let mut volumes = listed.context("Failed to list volumes")?;
    volumes.sort_by(|one, other| one.name.cmp(&other.name));
    let details = args.has("details") || session.settings.format != Format::Table;
    let mut table = if details {
        Table::new(["Name", "Path", "Type", "Capacity", "Allocation"])
    } else {
        Table::new(["Name", "Path"])
    };
    for volume in volumes {
        let path = storage.volume_path(&volume)?;
        let mut cells = vec![Cell::from(&volume.name), Cell::from(path)];
        if details {
            let info = storage.volume_info(&volume, 0)?;
            cells.extend([Cell::from(kind(info.kind)), size(info.capacity), size(info.allocation)]);
        }
        table.row(cells);
    }
    session.table(&table)
}

fn vol_key(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    session.value("key", volume.key)
}

fn vol_name(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = by_key_or_path(&*connection, args.required("vol")?, "")?;
    session.value("name", volume.name)
}

fn vol_path(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let path = connection.storage().volume_path(&volume)?;
    session.value("path", path)
}

fn vol_pool(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = by_key_or_path(&*connection, args.required("vol")?, "")?;
    let answer = connection.storage().pool_lookup_by_volume(&volume);
    let pool = answer.context("failed to get parent pool")?;
    if args.has("uuid") {
        session.value("uuid", pool.uuid.to_string())
    } else {
        session.value("name", pool.name)
    }
}
