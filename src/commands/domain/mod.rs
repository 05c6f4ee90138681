//! Commands on domains: finding, showing, defining, starting and stopping them.

pub mod block;
pub mod block_info;
pub mod definition;
pub mod describe;
pub mod device;
pub mod device_tree;
pub mod guest;
pub mod guest_access;
pub mod info;
pub mod interface_info;
pub mod list;
pub mod lookup;
pub mod migration;
pub mod native;
pub mod power;
mod progress;
pub mod protection;
pub mod qemu;
pub mod saving;
pub mod settings;
pub mod stats;
pub mod tuning;
pub mod undefine;
pub mod words;
pub mod xml;

use crate::shell::spec::Command;

/// The rows of each file.
pub const COMMANDS: &[&[Command]] = &[
    block::commit::COMMANDS,
    block::copy::COMMANDS,
    block::job::COMMANDS,
    block::pull::COMMANDS,
    block::size::COMMANDS,
    block_info::COMMANDS,
    definition::COMMANDS,
    device::disk::COMMANDS,
    device::from_file::COMMANDS,
    device::interface::COMMANDS,
    device::interface_limits::COMMANDS,
    device::media::COMMANDS,
    device::memory::COMMANDS,
    device::throttle::COMMANDS,
    describe::COMMANDS,
    guest::COMMANDS,
    guest_access::agent::COMMANDS,
    guest_access::console::COMMANDS,
    guest_access::display::COMMANDS,
    guest_access::keyboard::COMMANDS,
    guest_access::screenshot::COMMANDS,
    guest_access::ssh_keys::COMMANDS,
    info::COMMANDS,
    interface_info::COMMANDS,
    list::COMMANDS,
    migration::migrate::COMMANDS,
    migration::tuning::COMMANDS,
    native::COMMANDS,
    power::COMMANDS,
    protection::COMMANDS,
    qemu::command::COMMANDS,
    qemu::events::COMMANDS,
    saving::dump::COMMANDS,
    saving::file::COMMANDS,
    saving::image::COMMANDS,
    saving::job::COMMANDS,
    saving::managed::COMMANDS,
    settings::COMMANDS,
    stats::COMMANDS,
    tuning::block_io::COMMANDS,
    tuning::io_thread::COMMANDS,
    tuning::memory::COMMANDS,
    tuning::performance::COMMANDS,
    tuning::pinning::COMMANDS,
    tuning::processor_time::COMMANDS,
    tuning::scheduler::COMMANDS,
    tuning::vcpu::COMMANDS,
    undefine::COMMANDS,
    xml::COMMANDS,
];
