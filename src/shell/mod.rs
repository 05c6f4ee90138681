//! The shell: its grammar, its table's types, its prompt, its output. It knows no command; the table is given to it.

pub mod args;
pub mod cell;
pub mod fields;
pub mod interrupt;
pub mod lexer;
pub mod options;
pub mod parser;
pub mod report;
pub mod run;
pub mod session;
pub mod spec;
pub mod start;
pub mod structured;
pub mod table;
pub mod units;
