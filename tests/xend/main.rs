//! The layer that asks xend, driven through the shell against a stand-in that answers as real releases did.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod dialogue;
mod faults;
mod files;
mod older;
mod operations;
mod played;
mod refusals;
mod shell;
mod standin;
mod table;
mod walk;
mod wire;
