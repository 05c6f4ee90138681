//! Saving the state of domains: to files, to managed saves, as core dumps; and the jobs that this takes.

mod progress;
