//! Migration: moving a domain to another host, and what tunes it.

pub mod migrate;
mod options;
pub mod tuning;
