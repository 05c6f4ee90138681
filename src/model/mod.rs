//! Plain data that both sides of every seam speak. No I/O here, and nothing but [`crate::error`] below it.

pub mod constants;
pub mod event;
mod parameter;
mod record;
mod reference;

pub use parameter::*;
pub use record::*;
pub use reference::*;
