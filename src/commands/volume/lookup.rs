//! Which volume a person means: by name in a pool, by key, by path.

use crate::backend::Connection;
use crate::commands::pool;
use crate::model::VolumeRef;
use crate::shell::args::Args;
use crate::shell::spec::Complete;
use crate::shell::suggestion::UnknownName;
use anyhow::{Context, Result, bail};

/// The volume that the option `vol` names; a bare name needs the pool that the option `pool_option` names.
pub fn volume(connection: &dyn Connection, args: &Args, pool_option: &str) -> Result<VolumeRef> {
    let text = args.required("vol")?;
    let storage = connection.storage();
    let pool = match args.text(pool_option)? {
        Some(name) => Some(pool::named(connection, name)?),
        None => None,
    };
    let hint =
        if pool.is_some() { String::new() } else { format!(", specifying --{pool_option} might help") };
    let Some(pool) = pool else {
        return by_key_or_path(connection, text, &hint);
    };
    if !storage.pool_is_active(&pool)? {
        bail!("pool '{}' is not active", args.required(pool_option)?);
    }
    if let Ok(volume) = storage.volume_lookup_by_name(&pool, text) {
        return Ok(volume);
    }
    let volume = by_key_or_path(connection, text, &hint)?;
    // A key or a path may lead to another pool than the one that was asked for.
    let home = storage.pool_lookup_by_volume(&volume)?;
    if home.name != pool.name {
        bail!("Requested volume '{text}' is not in pool '{}'", pool.name);
    }
    Ok(volume)
}

/// The volume of this key or path; `hint` ends the refusal.
pub fn by_key_or_path(connection: &dyn Connection, text: &str, hint: &str) -> Result<VolumeRef> {
    let storage = connection.storage();
    if let Ok(volume) = storage.volume_lookup_by_key(text) {
        return Ok(volume);
    }
    let failed = || UnknownName::new(format!("failed to get vol '{text}'{hint}"), text, Complete::Volume);
    storage.volume_lookup_by_path(text).with_context(failed)
}
