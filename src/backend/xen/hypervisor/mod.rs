//! The hypervisor itself, asked by hypercalls: the one source that knows every domain, and that no guest can lie to.
//!
//! A [`Hypervisor`] is open to the control domain's root only. It reads what Xen keeps: its release, the host's CPUs
//! and memory, the domains with their states, times and figures, virtual CPUs and their affinity, the scheduler. It
//! changes what needs no toolstack: pause, unpause, destroy, the most memory, affinity, weight and cap. It knows no
//! names, no devices and no inactive domains: those are kept elsewhere.
//!
//! ```text
//! domains, host, vcpus, scheduler, facts    what is read, decoded by the tables
//! changes                                   what is changed
//! calls ─► layouts by interface             how a question is put into bytes
//! probe                                     which interface this hypervisor speaks
//! door ◄─ privcmd                           how bytes reach it
//! ```
//!
//! Nothing it answers is believed beyond the room it was given: counts are cut, ids must ascend, and a list whose
//! elements have another size than the interface says is not read at all.

mod calls;
mod changes;
mod domains;
pub mod door;
mod facts;
mod host;
mod interface;
mod layer;
mod layouts;
mod privcmd;
mod probe;
mod scheduler;
#[cfg(test)]
mod tests;
mod vcpus;

pub use domains::{Kind, ShutdownReason, XenDomain};
pub use facts::{CompileInfo, Release};
pub use host::{CpuPlace, NumaNode, Physical};
pub use interface::Interface;
pub use layer::{HypervisorLayer, statistics};
pub use scheduler::{Parameters, Scheduler};
pub use vcpus::XenVcpu;

use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use calls::{Command, Payload};
use door::Door;
use nix::errno::Errno;

/// An open hypervisor, whose interface is known.
pub struct Hypervisor {
    door: Box<dyn Door>,
    release: (u32, u32),
    interface: Interface,
}

impl Hypervisor {
    /// Opens the hypervisor below this control domain.
    pub fn open() -> Result<Hypervisor> {
        Hypervisor::behind(Box::new(privcmd::Privcmd::open()?))
    }

    /// Opens the hypervisor behind a door: asks for its release, then for its interface.
    pub fn behind(door: Box<dyn Door>) -> Result<Hypervisor> {
        let release = probe::release(&*door)?;
        let interface = probe::interface(&*door, release)?;
        Ok(Hypervisor { door, release, interface })
    }

    /// The interface it speaks.
    pub fn interface(&self) -> Interface {
        self.interface
    }

    /// Its release: major and minor.
    pub fn numbers(&self) -> (u32, u32) {
        self.release
    }

    /// The way to it.
    fn door(&self) -> &dyn Door {
        &*self.door
    }

    /// Runs one command.
    fn run(&self, command: Command, payload: Payload) -> std::result::Result<Payload, Errno> {
        calls::run(&*self.door, self.interface, command, payload)
    }

    /// Refuses a change on a hypervisor that is newer than the tables.
    fn must_know_interface(&self, change: &str) -> Result<()> {
        if self.interface.is_known() {
            return Ok(());
        }
        let message =
            format!("{change}: the hypervisor speaks {}, newer than what is known here", self.interface);
        Err(Error::new(ErrorCode::OPERATION_UNSUPPORTED, message).from_origin(ErrorOrigin::XEN))
    }
}
