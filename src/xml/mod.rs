//! XML as libvirt writes it: an element tree that drops nothing, a reader with line numbers, a writer, typed views.

pub mod domain;
pub mod interface;
pub mod network;
mod fault;
mod reader;
pub mod shape;
mod tree;
mod writer;
pub mod xpath;

pub use reader::parse;
pub use tree::{Element, Node};
