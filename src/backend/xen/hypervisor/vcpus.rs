//! The virtual CPUs of a domain: how they fare, and which CPUs they may use.
//!
//! These questions go by id. So that nobody is told of a domain that has the id by now, each answer is given only
//! after another look whether the id is still that of the domain asked about.

use super::Hypervisor;
use super::calls::{Command, Payload, refused};
use super::domains::XenDomain;
use super::host::CPU_MAX;
use super::interface::Interface;
use crate::error::Result;
use nix::errno::Errno;

/// `getvcpuinfo` of `domctl`.
const INFO: u32 = 14;
/// The same of `dom0_op`.
const INFO_DOM0: u32 = 43;
/// `setvcpuaffinity` of `domctl`.
const SET_AFFINITY: u32 = 9;
/// The same of `dom0_op`.
const SET_AFFINITY_DOM0: u32 = 20;
/// `getvcpuaffinity` of `domctl`.
const GET_AFFINITY: u32 = 25;
/// The affinity that binds, of the two that there are since 4.5.
const HARD: u64 = 1;

/// A virtual CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct XenVcpu {
    /// Its number.
    pub number: u32,
    /// Whether it is in use.
    pub online: bool,
    /// Whether it has nothing to do.
    pub blocked: bool,
    /// Whether it is on a CPU right now.
    pub running: bool,
    /// CPU time used, in nanoseconds.
    pub cpu_time: u64,
    /// The CPU it is or was on.
    pub cpu: u32,
}

/// The domain's number in a hypercall.
fn number(domain: &XenDomain) -> u16 {
    // Decoding took no domain with a higher id.
    u16::try_from(domain.id).unwrap_or(u16::MAX)
}

impl Hypervisor {
    /// One virtual CPU; `None` if the domain, or the CPU of this number, is not there.
    fn vcpu_answer(&self, domain: &XenDomain, vcpu: u32) -> Result<Option<Payload>> {
        let interface = self.interface();
        let payload = Payload::new(interface.vcpu_info()).with("vcpu", u64::from(vcpu));
        let (command, payload) = match interface {
            Interface::Dom0 => (Command::Dom0(INFO_DOM0), payload.with("domain", u64::from(domain.id))),
            Interface::Control { .. } => (Command::Domctl(INFO, number(domain)), payload),
        };
        match self.run(command, payload) {
            Ok(answer) => Ok(Some(answer)),
            Err(Errno::ESRCH | Errno::EINVAL | Errno::ENOENT) => Ok(None),
            Err(errno) => Err(refused(&format!("virtual CPU {vcpu} of domain {}", domain.id), errno)),
        }
    }

    /// The virtual CPUs that a domain has, in use or not.
    pub fn vcpus(&self, domain: &XenDomain) -> Result<Vec<XenVcpu>> {
        let mut found = Vec::new();
        for vcpu in 0..domain.vcpus {
            let Some(answer) = self.vcpu_answer(domain, vcpu)? else { continue };
            found.push(XenVcpu {
                number: vcpu,
                online: answer.number("online") != 0,
                blocked: answer.number("blocked") != 0,
                running: answer.number("running") != 0,
                cpu_time: answer.number("cpu_time"),
                cpu: answer.small("cpu"),
            });
        }
        self.still_there(domain)?;
        Ok(found)
    }

    /// The CPUs that a virtual CPU may use: one bit each of `cpus`, the lowest first.
    pub fn affinity(&self, domain: &XenDomain, vcpu: u32, cpus: u32) -> Result<Vec<u8>> {
        let asked = || format!("affinity of virtual CPU {vcpu} of domain {}", domain.id);
        let interface = self.interface();
        let cpus = cpus.clamp(1, CPU_MAX);
        let mut map = match interface {
            Interface::Dom0 => {
                let answer =
                    self.vcpu_answer(domain, vcpu)?.ok_or_else(|| refused(&asked(), Errno::ESRCH))?;
                answer.number("cpumap").to_le_bytes().to_vec()
            }
            Interface::Control { .. } => {
                let payload = affinity_payload(interface, vcpu, vec![0; cpus.div_ceil(8) as usize], cpus);
                let answer = self.run(Command::Domctl(GET_AFFINITY, number(domain)), payload);
                answer.map_err(|errno| refused(&asked(), errno))?.buffer(0).to_vec()
            }
        };
        map.resize(cpus.div_ceil(8) as usize, 0);
        // Xen sets bits of CPUs that it could have: those of the last byte are not asked for.
        if let (Some(last), rest @ 1..) = (map.last_mut(), cpus % 8) {
            *last &= (1u8 << rest) - 1;
        }
        self.still_there(domain)?;
        Ok(map)
    }

    /// Binds a virtual CPU to the CPUs whose bits are set in `map`.
    pub fn set_affinity(&self, domain: &XenDomain, vcpu: u32, map: &[u8]) -> Result<()> {
        self.must_know_interface("vcpu affinity")?;
        self.still_there(domain)?;
        let asked = || format!("affinity of virtual CPU {vcpu} of domain {}", domain.id);
        let interface = self.interface();
        let cpus = u32::try_from(map.len() * 8).unwrap_or(u32::MAX).min(CPU_MAX);
        let map: Vec<u8> = map.iter().copied().take(cpus as usize / 8).collect();
        let (command, payload) = match interface {
            Interface::Dom0 => {
                let bits = map.iter().take(8).rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
                let payload = Payload::new(interface.affinity())
                    .with("domain", u64::from(domain.id))
                    .with("vcpu", u64::from(vcpu))
                    .with("cpumap", bits);
                (Command::Dom0(SET_AFFINITY_DOM0), payload)
            }
            Interface::Control { .. } => {
                (Command::Domctl(SET_AFFINITY, number(domain)), affinity_payload(interface, vcpu, map, cpus))
            }
        };
        self.run(command, payload).map(drop).map_err(|errno| refused(&asked(), errno))
    }
}

/// The question for an affinity, or the order to set it, in the form that this interface has.
fn affinity_payload(interface: Interface, vcpu: u32, map: Vec<u8>, cpus: u32) -> Payload {
    let layout = interface.affinity();
    let payload = Payload::new(layout).with("vcpu", u64::from(vcpu));
    match layout.field("flags") {
        Some(_) => payload
            .with("flags", HARD)
            .with("cpumap_hard.nr_bits", u64::from(cpus))
            .pointing("cpumap_hard.bitmap", map),
        None => payload.with("cpumap.nr_bits", u64::from(cpus)).pointing("cpumap.bitmap", map),
    }
}
