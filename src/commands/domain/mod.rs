//! Commands on domains: finding, showing, defining, starting and stopping them.

pub mod lookup;
