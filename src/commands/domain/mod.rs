//! Commands on domains: finding, showing, defining, starting and stopping them.

pub mod definition;
pub mod lookup;
pub mod power;
pub mod settings;
