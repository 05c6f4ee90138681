//! The command table: a folder a group, a file a few related commands, a row and a function each.

use crate::shell::spec::Command;

/// All rows, group by group, each group in its own order.
pub const TABLE: &[&[Command]] = &[];
