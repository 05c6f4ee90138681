//! Constants of the libvirt interface, a file a family. The numbers are wire facts shared by every driver.
#![allow(missing_docs)]

mod domain;
mod event;
mod host;
mod job;
mod network;
mod perf;
mod snapshot;
mod storage;

pub use domain::*;
pub use event::*;
pub use host::*;
pub use job::*;
pub use network::*;
pub use perf::*;
pub use snapshot::*;
pub use storage::*;
