//! The shell: its grammar, its table's types, its prompt, its output. It knows no command; the table is given to it.

pub mod about;
pub mod address;
pub mod args;
pub mod cell;
pub mod completion;
pub mod fields;
pub mod help;
pub mod interrupt;
pub mod lexer;
mod line_editor;
pub mod manual;
pub mod model;
pub mod options;
pub mod parser;
pub mod prompt;
pub mod report;
mod ruled;
pub mod run;
pub mod session;
pub mod soundness;
pub mod spec;
pub mod start;
pub mod structured;
pub mod suggestion;
pub mod table;
pub mod units;
