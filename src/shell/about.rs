//! What the program says about itself: usage and version.

use super::help::{self, GROUPS};
use super::options::{OPTIONS, ProcessOption};
use super::session::Settings;
use super::spec::Table;
use std::fmt::Write;

/// The libvirt release whose shell this one stands in for. Scripts refuse to run below certain releases.
pub const LIBVIRT_RELEASE: &str = "11.3.0";

/// `-v`
pub fn short_version(settings: &Settings) -> &'static str {
    match settings.as_virsh {
        true => LIBVIRT_RELEASE,
        false => env!("CARGO_PKG_VERSION"),
    }
}

/// `-V`
pub fn long_version(settings: &Settings) -> String {
    let own = env!("CARGO_PKG_VERSION");
    let first = match settings.as_virsh {
        true => format!("Virsh command line tool of libvirt {LIBVIRT_RELEASE}, provided by hvsh {own}"),
        false => format!("hvsh {own}, with the commands of virsh {LIBVIRT_RELEASE}"),
    };
    format!(
        "{first}\n{}\n\nDrivers: {}\n",
        env!("CARGO_PKG_REPOSITORY"),
        crate::backend::registry::names().join(" ")
    )
}

/// `-h`
pub fn usage(settings: &Settings, table: Table) -> String {
    let name = settings.name();
    let mut out = format!(
        "\n{name} [options]... [<command line>]\n{name} [options]... <command> [words...]\n\n  options:\n"
    );
    for option in OPTIONS.iter().filter(|option| !option.help.is_empty()) {
        let _ = writeln!(out, "    {:<38} {}", form(option), option.help);
    }
    out.push_str("\n  commands:\n\n");
    for &group in GROUPS {
        let _ = writeln!(out, " {} (help keyword '{}')", group.title(), group.keyword());
        out.push_str(&help::listing(table, group));
        out.push('\n');
    }
    out.push_str("  help GROUP lists a group, help COMMAND explains a command.\n\n");
    out
}

/// An option as it is typed: `-c | --connect=URI`.
pub fn form(option: &ProcessOption) -> String {
    let value = match (option.value, option.optional_value) {
        ("", _) => String::new(),
        (value, false) => format!("={value}"),
        (value, true) => format!("[={value}]"),
    };
    match option.short {
        Some(short) => format!("-{short} | --{}{value}", option.long),
        None => format!("--{}{value}", option.long),
    }
}
