//! Reaching into a guest: its console, its screen, its keyboard, its agent.

pub mod agent;
pub mod console;
pub mod display;
pub mod key_names;
pub mod keyboard;
pub mod screenshot;
pub mod ssh_keys;
mod terminal;
