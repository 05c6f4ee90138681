//! vol-delete, vol-resize, vol-wipe.

use super::create::bytes;
use super::lookup::volume;
use crate::commands::plain_name::plain_name;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::session::Session;
use crate::shell::spec::{Command, Complete, Group, Opt};
use anyhow::{Context, Result, bail};

/// The rows of this file.
pub const COMMANDS: &[Command] = &[
    Command::new("vol-delete", Group::Volume, vol_delete)
        .about("delete a volume", "Deletes a volume and its contents.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid").positional().complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::flag("delete-snapshots", "remove the snapshots kept in the volume, too"),
        ])
        .writes(),
    Command::new("vol-resize", Group::Volume, vol_resize)
        .about("change a volume's size", "Changes the size of a volume that no running guest uses.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("capacity", "new size (bytes, or with a suffix)").required(),
            Opt::text("pool", "a pool by its name or uuid").positional().complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::flag("allocate", "reserve the new space at once"),
            Opt::flag("delta", "the given size is a change, not a total"),
            Opt::flag("shrink", "allow less than there is now"),
        ])
        .writes(),
    Command::new("vol-wipe", Group::Volume, vol_wipe)
        .about("overwrite a volume", "Overwrites a volume so that its contents cannot be read again.")
        .options(&[
            Opt::text("vol", "a volume by its name, key or path").required().complete(Complete::Volume),
            Opt::text("pool", "a pool by its name or uuid").positional().complete(Complete::PoolWith(CONNECT_LIST_STORAGE_POOLS_ACTIVE)),
            Opt::text("algorithm", "how to overwrite: zero, nnsa, dod, bsi, gutmann, schneier, pfitzner7, pfitzner33, random or trim").tolerated_by_place().complete(Complete::Words(ALGORITHMS)),
        ])
        .writes(),
];

fn vol_delete(session: &mut Session, args: &Args) -> Result<()> {
    let flags = args.flags(&[("delete-snapshots", STORAGE_VOL_DELETE_WITH_SNAPSHOTS)]);
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let name = args.required("vol")?;
    let answer = connection.storage().volume_delete(&volume, flags);
    answer.with_context(|| format!("Failed to delete vol {name}"))?;
    session.print_extra(format_args!("Vol {name} deleted\n"));
    Ok(())
}

fn vol_resize(session: &mut Session, args: &Args) -> Result<()> {
    let mut flags = args.flags(&[
        ("allocate", STORAGE_VOL_RESIZE_ALLOCATE),
        ("delta", STORAGE_VOL_RESIZE_DELTA),
        ("shrink", STORAGE_VOL_RESIZE_SHRINK),
    ]);
    let delta = args.has("delta");
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let text = args.required("capacity")?;
    let text = text.trim_start();
    let size = match text.strip_prefix('-') {
        // Less by so much.
        Some(less) => {
            if !delta || !args.has("shrink") {
                bail!("negative size requires --delta and --shrink");
            }
            flags |= STORAGE_VOL_RESIZE_SHRINK;
            bytes(less)?
        }
        None => bytes(text)?,
    };
    let (name, how) = (&volume.name, if delta { "by" } else { "to" });
    let answer = connection.storage().volume_resize(&volume, size, flags);
    answer.with_context(|| format!("Failed to change size of volume '{name}' {how} {text}"))?;
    session.print_extra(format_args!("Size of volume '{name}' successfully changed {how} {text}\n"));
    Ok(())
}

/// By their numbers.
const ALGORITHMS: &[&str] =
    &["zero", "nnsa", "dod", "bsi", "gutmann", "schneier", "pfitzner7", "pfitzner33", "random", "trim"];

fn vol_wipe(session: &mut Session, args: &Args) -> Result<()> {
    let connection = session.handle()?;
    let volume = volume(&*connection, args, "pool")?;
    let chosen = args.text("algorithm")?;
    let algorithm = chosen.unwrap_or(ALGORITHMS[0]);
    let Some(number) = ALGORITHMS.iter().position(|known| *known == algorithm) else {
        bail!("Unsupported algorithm '{algorithm}'");
    };
    let answer = connection.storage().volume_wipe_pattern(&volume, number as u32, 0);
    let asked = u32::from(chosen.is_some());
    plain_name(answer, asked, "virStorageVolWipePattern", "virStorageVolWipe")
        .with_context(|| format!("Failed to wipe vol {}", volume.name))?;
    session.print_extra(format_args!("Vol {} wiped\n", volume.name));
    Ok(())
}
