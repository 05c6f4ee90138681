//! Devices: attaching, changing and detaching them, and what they may do.

use crate::backend::Connection;
use crate::model::DomainRef;
use crate::model::constants::*;
use crate::shell::args::Args;
use crate::shell::spec::Opt;
use crate::xml::Element;
use crate::xml::xpath::{self, Chosen};
use anyhow::Result;

mod bandwidth;
pub mod disk;
mod disk_address;
mod disk_options;
pub mod from_file;
pub mod interface;
pub mod interface_limits;
pub mod media;
pub mod memory;
pub mod throttle;

/// `--persistent`
const PERSISTENT: Opt = Opt::flag("persistent", "change the running domain and what the next boot uses");

/// What a change is for.
#[derive(Clone, Copy)]
struct Impact {
    /// The flags of the call.
    flags: u32,
    /// Whether an option chose them.
    chosen: bool,
}

impl Impact {
    /// Reads `--persistent`, `--config`, `--live` and `--current`.
    fn of(args: &Args, connection: &dyn Connection, domain: &DomainRef) -> Result<Impact> {
        let mut flags = 0;
        if args.has("config") || args.has("persistent") {
            flags |= DOMAIN_AFFECT_CONFIG;
        }
        if args.has("live") {
            flags |= DOMAIN_AFFECT_LIVE;
        }
        if args.has("persistent") && connection.domains().is_active(domain)? {
            flags |= DOMAIN_AFFECT_LIVE;
        }
        let chosen = flags != 0 || args.has("current");
        Ok(Impact { flags, chosen })
    }

    /// The flags of a call that has an older form without any.
    fn or_plain(self, connection: &dyn Connection) -> u32 {
        if self.chosen { self.flags } else { connection.plain_device_impact() }
    }

    /// Which description the device is looked up in.
    fn description(self) -> u32 {
        if self.flags & DOMAIN_AFFECT_CONFIG != 0 { DOMAIN_XML_INACTIVE } else { 0 }
    }
}

/// Refuses options that contradict each other.
fn check_impact(args: &Args) -> Result<()> {
    args.exclusive("persistent", "current")?;
    args.exclusive("current", "live")?;
    args.exclusive("current", "config")
}

/// The same for a device whose last element was put there: it has no line of its own.
fn with_new_child(device: &Element) -> String {
    let text = fragment(device);
    let end = format!("\n    </{}>", device.name);
    let Some((body, last)) = text.strip_suffix(&end).and_then(|body| body.rsplit_once("\n      ")) else {
        return text;
    };
    format!("{body}\n    {last}</{}>", device.name)
}

/// A device as it stands in its domain's description: its first line bare, the others as deep as they are there.
fn fragment(device: &Element) -> String {
    let lines = xpath::print(&[Chosen::Element(device)]);
    lines.trim_end().replace('\n', "\n    ")
}
