//! pool-dumpxml, pool-info, pool-name, pool-uuid.

use super::list::{STATES, autostart, has_sizes, size};
use super::{by_name, pool, uuid_in};
use crate::commands::document::{self, WRAP, XPATH};
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::cell::Cell;
use crate::shell::fields::Fields;
use crate::shell::session::Session;
use crate::shell::shape;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("pool-dumpxml", Group::Pool, pool_dumpxml)
        .answers(shape::XML)
        .about("show the XML of a pool", "Prints the description of a pool.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool),
            Opt::flag("inactive", "the definition, not the running state"),
            XPATH,
            WRAP,
        ]),
    Command::new("pool-info", Group::Pool, pool_info)
        .answers(
            "{name: text, uuid: text, state: text, persistent: boolean?, autostart: \
             boolean?, capacity?: integer, allocation?: integer, available?: integer}",
        )
        .about("show a pool", "Shows state and sizes of a pool.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool),
            Opt::flag("bytes", "count in bytes instead of readable units"),
        ]),
    Command::new("pool-name", Group::Pool, pool_name)
        .answers("{name: text}")
        .about("find a pool's name by its uuid", "Prints the name of the pool that has a uuid.")
        .options(&[Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool)]),
    Command::new("pool-uuid", Group::Pool, pool_uuid)
        .answers("{uuid: text}")
        .about("find a pool's uuid by its name", "Prints the uuid of the pool that has a name.")
        .options(&[Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool)]),
];

fn pool_dumpxml(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("inactive", STORAGE_XML_INACTIVE)]);
    let connection = session.handle()?;
    let pool = pool(&*connection, args)?;
    let xml = connection.storage().pool_xml(&pool, flags)?;
    document::show(session, args, &xml)
}

fn pool_info(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let pool = pool(&*connection, args)?;
    let storage = connection.storage();
    let mut fields = Fields::new(15);
    fields.add("Name", &pool.name).add("UUID", pool.uuid.to_string());
    let info = storage.pool_info(&pool)?;
    let state = STATES.get(usize::from(info.state)).copied().unwrap_or("unknown");
    fields.add("State", state);
    let persistent = storage.pool_is_persistent(&pool)?;
    fields.add("Persistent", Cell::choice(persistent, "yes", "no"));
    fields.add("Autostart", autostart(storage, &pool));
    if has_sizes(&info) {
        for (label, bytes) in
            [("Capacity", info.capacity), ("Allocation", info.allocation), ("Available", info.available)]
        {
            let cell = if args.has("bytes") { Cell::from(bytes) } else { size(bytes) };
            fields.add(label, cell);
        }
    }
    session.fields(&fields)
}

fn pool_name(session: &mut Session, args: &Args) -> Result<()> {
    let text = args.required("pool")?;
    let connection = session.handle()?;
    let Some(uuid) = uuid_in(text) else {
        bail!("failed to get pool '{text}'");
    };
    match connection.storage().pool_lookup_by_uuid(uuid) {
        Ok(pool) => session.value("name", pool.name),
        Err(_) => bail!("failed to get pool '{text}'"),
    }
}

fn pool_uuid(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let pool = by_name(&*connection, args.required("pool")?)?;
    session.value("uuid", pool.uuid.to_string())
}
