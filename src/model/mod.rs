//! Plain data that both sides of every seam speak. No I/O here, and nothing but [`crate::error`] below it.

pub mod constants;
pub mod event;
mod parameter;
mod ranges;
mod record;
mod reference;

pub use parameter::*;
pub use ranges::ranges;
pub use record::*;
pub use reference::*;

/// libvirt's release whose answers our drivers give, as `major * 1000000 + minor * 1000 + release`.
pub const LIBRARY_VERSION: u64 = 11_003_000;
