//! Jobs on disks: pulling, committing and copying images while the guest runs; and other changes to whole disks.

pub mod commit;
pub mod copy;
pub mod job;
pub mod pull;
pub mod size;
mod waiting;
