//! The shell: its grammar, its table's types, its prompt, its output. It knows no command; the table is given to it.

pub mod args;
pub mod session;
pub mod spec;
pub mod units;
