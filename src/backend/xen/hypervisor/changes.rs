//! Changes that the hypervisor makes by itself: pause, unpause, destroy, the most memory.
//!
//! Each looks the domain up by its uuid at once before, so that an id that another domain has by now is not hit.

use super::Hypervisor;
use super::calls::{Command, Payload, refused};
use super::domains::XenDomain;
use super::interface::Interface;
use super::layouts::DOM0_DOMAIN;
use crate::error::{Error, Result};
use nix::errno::Errno;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Operations of `domctl`, and the same of `dom0_op`.
mod operation {
    pub(super) const DESTROY: (u32, u32) = (2, 9);
    pub(super) const PAUSE: (u32, u32) = (3, 10);
    pub(super) const UNPAUSE: (u32, u32) = (4, 11);
    pub(super) const MAX_MEMORY: (u32, u32) = (11, 28);
}

/// How long a domain may take to fall apart, before 4.6.
const PATIENCE: Duration = Duration::from_secs(60);
/// An order that pauses is a counter on some releases; a domain that needs more than this to run is not ours.
const PAUSES_MAX: u32 = 64;

impl Hypervisor {
    /// The same domain as it is now; an error if it is gone, or if its id belongs to another one.
    pub(super) fn still_there(&self, domain: &XenDomain) -> Result<XenDomain> {
        match self.domain(domain.id)? {
            Some(now) if now.uuid == domain.uuid => Ok(now),
            _ => Err(Error::invalid_operation("domain is not running")),
        }
    }

    /// Gives an order about a domain that takes no more than its id, after looking once more whether it is the one.
    fn order_about(&self, domain: &XenDomain, (domctl, dom0): (u32, u32)) -> std::result::Result<(), Errno> {
        let number = u16::try_from(domain.id).map_err(|_| Errno::ESRCH)?;
        let (command, payload) = match self.interface() {
            Interface::Dom0 => {
                (Command::Dom0(dom0), Payload::new(&DOM0_DOMAIN).with("domain", u64::from(number)))
            }
            Interface::Control { .. } => {
                (Command::Domctl(domctl, number), Payload::new(&super::layouts::NOTHING))
            }
        };
        self.run(command, payload).map(drop)
    }

    /// Freezes the domain's virtual CPUs; paused already is success.
    pub fn pause(&self, domain: &XenDomain) -> Result<()> {
        self.must_know_interface("pause")?;
        // A second pause would have to be taken back twice.
        if self.still_there(domain)?.paused {
            return Ok(());
        }
        let done = self.order_about(domain, operation::PAUSE);
        done.map_err(|errno| refused(&format!("pause of domain {}", domain.id), errno))
    }

    /// Lets the domain's virtual CPUs run; running already is success. Takes back every pause there is.
    pub fn unpause(&self, domain: &XenDomain) -> Result<()> {
        self.must_know_interface("unpause")?;
        for _ in 0..PAUSES_MAX {
            if !self.still_there(domain)?.paused {
                return Ok(());
            }
            let done = self.order_about(domain, operation::UNPAUSE);
            done.map_err(|errno| refused(&format!("unpause of domain {}", domain.id), errno))?;
        }
        Err(Error::operation_failed(format!(
            "domain {} was unpaused {PAUSES_MAX} times and is still paused",
            domain.id
        )))
    }

    /// Takes the domain apart.
    pub fn destroy(&self, domain: &XenDomain) -> Result<()> {
        self.must_know_interface("destroy")?;
        self.still_there(domain)?;
        let start = Instant::now();
        loop {
            match self.order_about(domain, operation::DESTROY) {
                Ok(()) => return Ok(()),
                // Between two tries the domain may have gone, and its id with it.
                Err(Errno::EAGAIN) if start.elapsed() < PATIENCE => match self.domain(domain.id)? {
                    Some(now) if now.uuid == domain.uuid => sleep(Duration::from_millis(1)),
                    _ => return Ok(()),
                },
                Err(errno) => return Err(refused(&format!("destroy of domain {}", domain.id), errno)),
            }
        }
    }

    /// Sets the most memory that the domain may have, in KiB. Its balloon is another matter.
    pub fn set_max_memory(&self, domain: &XenDomain, memory: u64) -> Result<()> {
        self.must_know_interface("max memory")?;
        self.still_there(domain)?;
        let asked = || format!("most memory of domain {}", domain.id);
        let number = u16::try_from(domain.id).map_err(|_| refused(&asked(), Errno::ESRCH))?;
        let (domctl, dom0) = operation::MAX_MEMORY;
        let payload = Payload::new(self.interface().max_memory()).with("max_memkb", memory);
        let (command, payload) = match self.interface() {
            Interface::Dom0 => (Command::Dom0(dom0), payload.with("domain", u64::from(number))),
            Interface::Control { .. } => (Command::Domctl(domctl, number), payload),
        };
        self.run(command, payload).map(drop).map_err(|errno| refused(&asked(), errno))
    }
}
