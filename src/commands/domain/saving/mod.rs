//! Saving the state of domains: to files, to managed saves, as core dumps; and the jobs that this takes.

pub mod dump;
pub mod file;
pub mod image;
pub mod job;
pub mod managed;
