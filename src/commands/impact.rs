//! Which definition of a domain a change is for: the running one, the next boot's, or what fits at present.

use crate::model::constants::{DOMAIN_AFFECT_CONFIG, DOMAIN_AFFECT_CURRENT, DOMAIN_AFFECT_LIVE};
use crate::shell::args::Args;
use crate::shell::spec::Opt;
use anyhow::Result;

/// `--config`
pub const CONFIG: Opt = Opt::flag("config", "apply to the stored definition, from the next boot on");
/// `--live`
pub const LIVE: Opt = Opt::flag("live", "apply to the running domain");
/// `--current`
pub const CURRENT: Opt =
    Opt::flag("current", "apply to the running domain if it runs, to the stored definition else");

/// The flags that `--current`, `--live` and `--config` ask for; zero when none is given.
pub fn impact(args: &Args) -> Result<u32> {
    args.exclusive("current", "live")?;
    args.exclusive("current", "config")?;
    let mut flags = DOMAIN_AFFECT_CURRENT;
    if args.has("config") {
        flags |= DOMAIN_AFFECT_CONFIG;
    }
    if args.has("live") {
        flags |= DOMAIN_AFFECT_LIVE;
    }
    Ok(flags)
}

/// The same for the oldest operations: without any of the options they reach the running domain only.
pub fn impact_or_live(args: &Args) -> Result<u32> {
    match impact(args)? {
        DOMAIN_AFFECT_CURRENT if !args.has("current") => Ok(DOMAIN_AFFECT_LIVE),
        flags => Ok(flags),
    }
}
