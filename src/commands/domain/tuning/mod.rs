//! Tuning domains: memory, vCPUs, I/O threads, and what they may take of the host.

pub mod block_io;
pub mod io_thread;
pub mod memory;
pub(in crate::commands) mod parameters;
pub mod performance;
pub mod pinning;
pub mod processor_time;
pub mod scheduler;
pub mod vcpu;
