//! Running guests: the state machine, the jobs, starting, watching, saving and taking over QEMU processes.
pub mod process;
pub mod spawn;
