//! XML as libvirt writes it: an element tree that drops nothing, a reader with line numbers, a writer, typed views.

pub mod domain;
mod fault;
pub mod interface;
pub mod network;
mod network_rules;
mod plain;
pub mod pool;
mod reader;
pub mod shape;
mod tree;
pub mod volume;
mod writer;
pub mod xpath;

pub use reader::parse;
pub use tree::{Element, Node};
