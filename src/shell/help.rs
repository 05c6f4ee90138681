//! `help` in virsh's layout, written from the rows.

use super::spec::{Command, Group, Opt, OptKind, Table};
use std::fmt::Write;

/// The groups in the order of `help`.
pub const GROUPS: &[Group] = &[
    Group::Domain,
    Group::Monitor,
    Group::Events,
    Group::Host,
    Group::Checkpoint,
    Group::Interface,
    Group::Filter,
    Group::Network,
    Group::NodeDevice,
    Group::Secret,
    Group::Snapshot,
    Group::Backup,
    Group::Pool,
    Group::Volume,
    Group::Shell,
    Group::Extra,
];

/// What is said of commands that take several domains.
pub const SEVERAL: &str = "Several domains may be named, also by patterns such as 'web-*', or --all for all that the \
     command can be meant for. They are worked on in parallel; the command fails if any of them failed.";

/// All commands, group by group.
pub fn overview(table: Table) -> String {
    let mut out = "Grouped commands:\n\n".to_string();
    for &group in GROUPS {
        out.push_str(&self::group(table, group));
        out.push('\n');
    }
    out
}

/// The commands of a group.
pub fn group(table: Table, group: Group) -> String {
    let mut out = format!(" {} (help keyword '{}'):\n", group.title(), group.keyword());
    out.push_str(&listing(table, group));
    out
}

/// The commands of a group, without its title.
pub fn listing(table: Table, group: Group) -> String {
    let mut out = String::new();
    for row in table.rows().filter(|row| row.group == group && !row.hidden) {
        let _ = writeln!(out, "    {:<30} {}", row.name, row.summary);
    }
    out
}

/// All about one command.
pub fn command(row: &Command) -> String {
    let mut out =
        format!("  NAME\n    {} - {}\n\n  SYNOPSIS\n    {}\n", row.name, row.summary, synopsis(row));
    if !row.description.is_empty() {
        out.push_str("\n  DESCRIPTION\n");
        for line in wrap(row.description, 76) {
            let _ = writeln!(out, "    {line}");
        }
    }
    if row.several.is_some() {
        out.push('\n');
        for line in wrap(SEVERAL, 76) {
            let _ = writeln!(out, "    {line}");
        }
    }
    let mut options = row.listed_options().peekable();
    if options.peek().is_some() {
        out.push_str("\n  OPTIONS\n");
        for option in options {
            let _ = writeln!(out, "    {:<15}  {}", option_form(option), option.help);
        }
    }
    out
}

/// The command with its options, as one would type it.
pub fn synopsis(row: &Command) -> String {
    let mut out = row.name.to_string();
    for option in row.listed_options() {
        let (name, value) = (option.name, option.kind.value_name());
        let bare = match option.kind {
            OptKind::Flag => format!("--{name}"),
            _ if option.positional => format!("<{name}>"),
            _ => format!("--{name} <{value}>"),
        };
        let dots = if option.kind == OptKind::Rest { "..." } else { "" };
        let _ = match option.required {
            true => write!(out, " {bare}{dots}"),
            false => write!(out, " [{bare}]{dots}"),
        };
    }
    out
}

/// An option with its value, its name in brackets where it may be left out.
pub fn option_form(option: &Opt) -> String {
    let value = option.kind.value_name();
    let dots = if option.kind == OptKind::Rest { "..." } else { "" };
    match option.kind {
        OptKind::Flag => format!("--{}", option.name),
        _ if option.positional => format!("[--{}] <{value}>{dots}", option.name),
        _ => format!("--{} <{value}>{dots}", option.name),
    }
}

/// Breaks a paragraph into lines of at most `width` characters where words allow it.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::args::Args;
    use crate::shell::session::Session;

    fn nothing(_: &mut Session, _: &Args) -> anyhow::Result<()> {
        Ok(())
    }

    #[test]
    fn a_command_is_laid_out_as_virsh_lays_it_out() {
        const ROW: Command =
            Command::new("send-key", Group::Domain, nothing).about("press keys", "Presses keys.").options(&[
                Opt::text("domain", "a domain").required(),
                Opt::flag("all", "all of them"),
                Opt::number("holdtime", "how long").tolerated_by_place(),
                Opt::alias("hold", "holdtime"),
                Opt::rest("keycode", "the keys").required(),
            ]);
        assert_eq!(
            command(&ROW),
            "  NAME\n    send-key - press keys\n\n  SYNOPSIS\n    send-key <domain> [--all] [--holdtime <number>] \
             <keycode>...\n\n  DESCRIPTION\n    Presses keys.\n\n  OPTIONS\n    [--domain] <string>  a domain\n    \
             --all            all of them\n    --holdtime <number>  how long\n    [--keycode] <string>...  the keys\n"
        );
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
    }
}
