//! The domains as the hypervisor knows them: no names, but ids, uuids, states and figures.

use super::Hypervisor;
use super::calls::{Command, FIRST_RESERVED, Payload, refused};
use super::interface::Interface;
use super::layouts::GETDOMAININFOLIST;
use super::probe::{GET, list_command, strange};
use crate::error::Result;
use crate::model::StateReason;
use crate::model::constants::*;
use nix::errno::Errno;
use uuid::Uuid;

/// `getdomaininfo` of `dom0_op`.
const GET_DOM0: u32 = 12;
/// How many domains the first call asks for: all of most hosts.
const FIRST_PAGE: u32 = 64;
/// How many times as many each further call asks for.
const GROWTH: u32 = 4;
/// How many it asks for at most.
const LARGEST_PAGE: u32 = 4096;
/// Highest number of a virtual CPU that is believed.
const VCPU_MAX: u32 = 8192;
/// A page in KiB.
pub(super) const PAGE_KIB: u64 = 4;

/// How a domain is virtualized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The guest's kernel knows Xen and runs without hardware help.
    Pv,
    /// Hardware help and no emulated machine. Hypervisors before 4.10 do not tell such a guest from [`Kind::Hvm`],
    /// apart from its first form, of 4.4 to 4.8.
    Pvh,
    /// Hardware help and an emulated machine.
    Hvm,
}

/// Why a domain shut itself down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShutdownReason {
    /// It is off.
    Poweroff,
    /// It wants to start again.
    Reboot,
    /// It sleeps, to be saved or moved.
    Suspend,
    /// It crashed.
    Crash,
    /// Its watchdog barked.
    Watchdog,
    /// It wants to start another kernel in its place.
    SoftReset,
    /// One that this release of ours does not know.
    Other(u8),
}

/// A domain at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XenDomain {
    /// Its id, which another domain may have later.
    pub id: u32,
    /// What identifies it; all zeros for the control domain.
    pub uuid: Uuid,
    /// How it is virtualized.
    pub kind: Kind,
    /// It is being taken apart.
    pub dying: bool,
    /// It shut itself down, and waits to be taken apart or resumed.
    pub shutdown: Option<ShutdownReason>,
    /// Somebody paused it.
    pub paused: bool,
    /// None of its virtual CPUs has anything to do.
    pub blocked: bool,
    /// One of its virtual CPUs is on a CPU right now.
    pub running: bool,
    /// Its pages.
    pub total_pages: u64,
    /// The most pages it may have; often close to 2^64 for the control domain.
    pub max_pages: u64,
    /// Pages promised to it and not handed out yet (4.3 and later).
    pub outstanding_pages: u64,
    /// Pages it shares with others (4.0 and later).
    pub shared_pages: u64,
    /// Pages that are paged out (4.2 and later).
    pub paged_pages: u64,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
    /// Virtual CPUs in use.
    pub online_vcpus: u32,
    /// How many virtual CPUs it has, in use or not.
    pub vcpus: u32,
    /// Its pool of CPUs (4.1 and later).
    pub cpupool: Option<u32>,
}

impl XenDomain {
    /// The domain that an element of the list, or a single answer, describes.
    pub(super) fn decode(interface: Interface, bytes: &[u8]) -> Option<XenDomain> {
        let layout = interface.domain_info();
        let bytes = bytes.get(..layout.size)?;
        let number = |field| layout.number(bytes, field);
        let small = |field| number(field).and_then(|number| u32::try_from(number).ok());
        let flags = small("flags")?;
        let online_vcpus = small("nr_online_vcpus")?.min(VCPU_MAX);
        // Without virtual CPUs the highest number is all ones, or on old hypervisors whatever lay there before.
        let vcpus = match small("max_vcpu_id")? {
            highest if highest < VCPU_MAX && (online_vcpus > 0 || layout.size >= 112) => highest + 1,
            _ => 0,
        };
        Some(XenDomain {
            id: small("domain")?,
            uuid: Uuid::from_slice(bytes.get(layout.field("handle")?)?).ok()?,
            kind: kind(interface, flags, small("arch_config.emulation_flags")),
            dying: flags & 1 != 0,
            shutdown: (flags & 4 != 0).then(|| ShutdownReason::of((flags >> 16) as u8)),
            paused: flags & 8 != 0,
            blocked: flags & 16 != 0,
            running: flags & 32 != 0,
            total_pages: number("tot_pages")?,
            max_pages: number("max_pages")?,
            outstanding_pages: number("outstanding_pages").unwrap_or(0),
            shared_pages: number("shr_pages").unwrap_or(0),
            paged_pages: number("paged_pages").unwrap_or(0),
            cpu_time: number("cpu_time")?,
            online_vcpus,
            vcpus: vcpus.max(online_vcpus),
            cpupool: small("cpupool"),
        })
    }

    /// Its memory in KiB.
    pub fn memory(&self) -> u64 {
        self.total_pages.saturating_mul(PAGE_KIB)
    }

    /// The most memory it may have in KiB, or `None` where there is no limit.
    pub fn max_memory(&self) -> Option<u64> {
        (self.max_pages < u64::from(u32::MAX)).then(|| self.max_pages.saturating_mul(PAGE_KIB))
    }

    /// Its state as the shell shows it. Why a domain runs or is paused, the hypervisor does not keep.
    pub fn state(&self) -> StateReason {
        let (state, reason) = match self {
            XenDomain { dying: true, .. } => (DOMAIN_SHUTDOWN, DOMAIN_SHUTDOWN_UNKNOWN),
            XenDomain { shutdown: Some(ShutdownReason::Crash), .. } => {
                (DOMAIN_CRASHED, DOMAIN_CRASHED_PANICKED)
            }
            XenDomain { shutdown: Some(ShutdownReason::Suspend), .. } => {
                (DOMAIN_PAUSED, DOMAIN_PAUSED_UNKNOWN)
            }
            XenDomain { shutdown: Some(_), .. } => (DOMAIN_SHUTDOWN, DOMAIN_SHUTDOWN_UNKNOWN),
            XenDomain { paused: true, .. } => (DOMAIN_PAUSED, DOMAIN_PAUSED_UNKNOWN),
            _ => (DOMAIN_RUNNING, DOMAIN_RUNNING_UNKNOWN),
        };
        StateReason { state, reason }
    }
}

/// How a domain with these flags is virtualized.
fn kind(interface: Interface, flags: u32, emulated: Option<u32>) -> Kind {
    /// Timer, interrupt controllers, clock and power management of a PC.
    const MACHINE: u32 = 1 << 2 | 1 << 3 | 1 << 5 | 1 << 8;
    // The seventh bit meant this from 4.4 to 4.8, another thing before and after.
    let first_form = (0x9..=0xc).contains(&interface.domctl()) && flags & 128 != 0;
    match (flags & 2 != 0, emulated) {
        _ if first_form => Kind::Pvh,
        (false, _) => Kind::Pv,
        (true, Some(emulated)) if emulated & MACHINE == 0 => Kind::Pvh,
        (true, _) => Kind::Hvm,
    }
}

impl ShutdownReason {
    /// The reason with this number.
    fn of(number: u8) -> ShutdownReason {
        match number {
            0 => ShutdownReason::Poweroff,
            1 => ShutdownReason::Reboot,
            2 => ShutdownReason::Suspend,
            3 => ShutdownReason::Crash,
            4 => ShutdownReason::Watchdog,
            5 => ShutdownReason::SoftReset,
            other => ShutdownReason::Other(other),
        }
    }
}

impl Hypervisor {
    /// All domains, by ascending id. Up to 64 of them take one hypercall, a thousand take three.
    pub fn domains(&self) -> Result<Vec<XenDomain>> {
        let mut found = Vec::new();
        let (mut first, mut most) = (0, FIRST_PAGE);
        while first < FIRST_RESERVED {
            let page = self.page(first, most)?;
            let Some(last) = page.last() else { break };
            first = last.id + 1;
            let is_full = page.len() == most as usize;
            found.extend(page);
            if !is_full {
                break;
            }
            most = most.saturating_mul(GROWTH).min(LARGEST_PAGE);
        }
        Ok(found)
    }

    /// The domains from id `first` on, `most` of them at most.
    fn page(&self, first: u32, most: u32) -> Result<Vec<XenDomain>> {
        let interface = self.interface();
        let size = interface.domain_info().size;
        let payload = Payload::new(&GETDOMAININFOLIST)
            .with("first_domain", u64::from(first))
            .with("max_domains", u64::from(most))
            .pointing("buffer", vec![0; size * most as usize]);
        let answer = self.run(list_command(interface), payload);
        let answer = answer.map_err(|errno| refused("list of domains", errno))?;
        // The hypervisor cannot have written more than it was given room for, whatever it says.
        let count = answer.small("num_domains").min(most) as usize;
        let mut page: Vec<XenDomain> = Vec::with_capacity(count);
        for bytes in answer.buffer(0).chunks_exact(size).take(count) {
            let domain =
                XenDomain::decode(interface, bytes).ok_or_else(|| strange("a domain".to_string()))?;
            let lowest = page.last().map_or(first, |before| before.id + 1);
            if domain.id < lowest || domain.id >= FIRST_RESERVED {
                return Err(strange(format!("domain {} in a list from {lowest} on", domain.id)));
            }
            page.push(domain);
        }
        Ok(page)
    }

    /// The domain that has this id now.
    pub fn domain(&self, id: u32) -> Result<Option<XenDomain>> {
        let Some(number) = u16::try_from(id).ok().filter(|_| id < FIRST_RESERVED) else {
            return Ok(None);
        };
        let interface = self.interface();
        let payload = Payload::new(interface.domain_info());
        let (command, payload) = match interface {
            Interface::Dom0 => (Command::Dom0(GET_DOM0), payload.with("domain", u64::from(number))),
            Interface::Control { .. } => (Command::Domctl(GET, number), payload),
        };
        match self.run(command, payload) {
            Ok(answer) => {
                let domain = XenDomain::decode(interface, answer.bytes());
                let domain = domain.ok_or_else(|| strange(format!("domain {id}")))?;
                // Older hypervisors answer with the next domain when there is none with this id.
                Ok((domain.id == id).then_some(domain))
            }
            Err(Errno::ESRCH) => Ok(None),
            Err(errno) => Err(refused(&format!("domain {id}"), errno)),
        }
    }

    /// The domain with this uuid, wherever it is now; `hint` is an id that it had once.
    ///
    /// While a domain is being restored or moved two may have its uuid: one that lives goes before one that dies.
    pub fn domain_by_uuid(&self, uuid: Uuid, hint: Option<u32>) -> Result<Option<XenDomain>> {
        let lives = |domain: &XenDomain| domain.uuid == uuid && !domain.dying && domain.shutdown.is_none();
        let hint = if uuid.is_nil() { Some(0) } else { hint };
        if let Some(domain) = hint.map(|id| self.domain(id)).transpose()?.flatten().filter(lives) {
            return Ok(Some(domain));
        }
        let mut same: Vec<XenDomain> =
            self.domains()?.into_iter().filter(|domain| domain.uuid == uuid).collect();
        if uuid.is_nil() {
            same.retain(|domain| domain.id == 0);
        }
        let place = same.iter().position(lives).or(same.iter().position(|domain| !domain.dying));
        Ok((!same.is_empty()).then(|| same.swap_remove(place.unwrap_or(0))))
    }
}
