//! The shell as scripts and people see it, over `test:///default`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod address;
mod advice;
mod answers;
mod completions;
mod golden;
mod manual;
mod model;
mod prompt;
mod properties;
mod several;
mod stage;
mod table;
