//! The manual page, written from the rows.

use super::spec::Table;

/// hvsh(1) in man's own language.
pub fn page(_table: Table) -> String {
    String::new()
}
