//! Commands that change the state of a pool, from pool-build to pool-undefine.

use super::pool;
use crate::backend::Storage;
use crate::commands::document;
use crate::commands::editor::{Edited, edit};
use crate::error::Result as CallResult;
use crate::model::PoolRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result};

/// Build first.
pub(super) const BUILD: Opt = Opt::flag("build", "build the pool first");
/// What there is stays.
pub(super) const NO_OVERWRITE: Opt = Opt::flag("no-overwrite", "stop if there is data already");
/// What there is may go.
pub(super) const OVERWRITE: Opt = Opt::flag("overwrite", "write over what is there");

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("pool-autostart", Group::Pool, pool_autostart)
        .about("start a pool at boot", "Marks a pool to be started at boot, or no longer.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool),
            Opt::flag("disable", "no longer start it at boot"),
        ])
        .writes(),
    Command::new("pool-build", Group::Pool, pool_build)
        .about(
            "prepare a pool's place",
            "Makes what the pool needs before its first start, such as a folder or a file system.",
        )
        .options(&[
            Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool),
            NO_OVERWRITE,
            OVERWRITE,
        ])
        .writes(),
    Command::new("pool-delete", Group::Pool, pool_delete)
        .about("destroy what a pool lies on", "Removes the place of an inactive pool. What is in it is lost.")
        .options(&[Opt::text("pool", "a pool by its name or uuid")
            .required()
            .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_INACTIVE))])
        .writes(),
    Command::new("pool-destroy", Group::Pool, pool_destroy)
        .about("stop a pool", "Stops a pool; its data stays.")
        .options(&[Opt::text("pool", "a pool by its name or uuid")
            .required()
            .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE))])
        .writes(),
    Command::new("pool-edit", Group::Pool, pool_edit)
        .about("edit the XML of a pool", "Opens the description of a pool in an editor and puts it back.")
        .options(&[Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool)])
        .writes(),
    Command::new("pool-refresh", Group::Pool, pool_refresh)
        .about("look again what a pool holds", "Reads the volumes of a pool anew.")
        .options(&[Opt::text("pool", "a pool by its name or uuid")
            .required()
            .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE))])
        .writes(),
    Command::new("pool-start", Group::Pool, pool_start)
        .about("start a pool", "Starts a pool that is defined.")
        .options(&[
            Opt::text("pool", "a pool by its name or uuid")
                .required()
                .complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_INACTIVE)),
            BUILD,
            NO_OVERWRITE,
            OVERWRITE,
        ])
        .writes(),
    Command::new("pool-undefine", Group::Pool, pool_undefine)
        .about("forget a pool", "Forgets the definition of an inactive pool; its data stays.")
        .options(&[Opt::text("pool", "a pool by its name or uuid").required().complete(Complete::Pool)])
        .writes(),
];

/// Does one thing to the pool that is named, and says so.
fn act(
    session: &mut Session,
    args: &Args,
    verb: &str,
    done: &str,
    call: impl Fn(&dyn Storage, &PoolRef) -> CallResult<()>,
) -> Result<()> {
    let connection = session.handle()?;
    let pool = pool(&*connection, args)?;
    let name = &pool.name;
    call(connection.storage(), &pool).with_context(|| format!("Failed to {verb} pool {name}"))?;
    session.print_extra(format_args!("Pool {name} {done}\n"));
    Ok(())
}

fn pool_autostart(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let pool = pool(&*connection, args)?;
    let name = &pool.name;
    let enable = !args.has("disable");
    let mark = if enable { "mark" } else { "unmark" };
    let answer = connection.storage().pool_set_autostart(&pool, enable);
    answer.with_context(|| format!("failed to {mark} pool {name} as autostarted"))?;
    session.print_extra(format_args!("Pool {name} {mark}ed as autostarted\n"));
    Ok(())
}

fn pool_build(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[
        ("overwrite", STORAGE_POOL_BUILD_OVERWRITE),
        ("no-overwrite", STORAGE_POOL_BUILD_NO_OVERWRITE),
    ]);
    act(session, args, "build", "built", |storage, pool| storage.pool_build(pool, flags))
}

fn pool_delete(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, "delete", "deleted", |storage, pool| storage.pool_delete(pool, 0))
}

fn pool_destroy(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, "destroy", "destroyed", |storage, pool| storage.pool_destroy(pool))
}

fn pool_refresh(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, "refresh", "refreshed", |storage, pool| storage.pool_refresh(pool, 0))
}

fn pool_start(session: &mut Session, args: &Args) -> Result<()> {
    let flags = build_flags(args)?;
    act(session, args, "start", "started", |storage, pool| storage.pool_create(pool, flags))
}

fn pool_undefine(session: &mut Session, args: &Args) -> Result<()> {
    act(session, args, "undefine", "has been undefined", |storage, pool| storage.pool_undefine(pool))
}

/// `--build`, `--overwrite` and `--no-overwrite` of the commands that also start a pool.
pub(super) fn build_flags(args: &Args) -> Result<u32> {
    args.exclusive("overwrite", "no-overwrite")?;
    Ok(args.flags(&[
        ("build", STORAGE_POOL_CREATE_WITH_BUILD),
        ("overwrite", STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE),
        ("no-overwrite", STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE),
    ]))
}

fn pool_edit(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let pool = pool(&*connection, args)?;
    let (storage, name) = (connection.storage(), &pool.name);
    let fetch = || match storage.pool_xml(&pool, STORAGE_XML_INACTIVE) {
        // Drivers without stored descriptions have the present one.
        Err(error)
            if error.code == crate::error::ErrorCode::INVALID_ARGUMENT || document::refuses_flags(&error) =>
        {
            Ok(storage.pool_xml(&pool, 0)?)
        }
        answer => Ok(answer?),
    };
    let mut store = |xml: &str, _| {
        storage.pool_define_xml(xml, 0)?;
        Ok(())
    };
    match edit(session, &fetch, &mut store)? {
        Edited::Unchanged => {
            session.print_extra(format_args!("Pool {name} XML configuration not changed.\n"));
        }
        Edited::Stored => session.print_extra(format_args!("Pool {name} XML configuration edited.\n")),
    }
    Ok(())
}
