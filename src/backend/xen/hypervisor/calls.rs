//! Questions to the hypervisor as it expects them: the command, its header, its payload and its buffers.

use super::door::{Argument, Door, Link, Region};
use super::interface::{DOM0_VERSION, Interface};
use super::layouts::{DOM0_OP, DOMCTL, Layout, SYSCTL};
use crate::error::{Error, ErrorCode, ErrorOrigin};
use nix::errno::Errno;

/// Numbers of hypercalls.
pub(super) mod number {
    /// One for everything, before 3.0.3.
    pub(in super::super) const DOM0_OP: u64 = 7;
    /// Who the hypervisor is.
    pub(in super::super) const XEN_VERSION: u64 = 17;
    /// About the host.
    pub(in super::super) const SYSCTL: u64 = 35;
    /// About one domain.
    pub(in super::super) const DOMCTL: u64 = 36;
}

/// Domain ids from here on are no domains.
pub(super) const FIRST_RESERVED: u32 = 0x7ff0;

/// What a command carries: its payload and the buffers that it points to.
#[derive(Debug)]
pub(super) struct Payload {
    layout: &'static Layout,
    bytes: Vec<u8>,
    buffers: Vec<Region>,
    links: Vec<Link>,
}

impl Payload {
    /// An empty payload of this shape.
    pub(super) fn new(layout: &'static Layout) -> Payload {
        Payload { layout, bytes: vec![0; layout.size], buffers: Vec::new(), links: Vec::new() }
    }

    /// With a number in a field.
    pub(super) fn with(mut self, field: &str, value: u64) -> Payload {
        self.layout.put(&mut self.bytes, field, value);
        self
    }

    /// With a buffer that a field points to.
    pub(super) fn pointing(mut self, field: &str, buffer: Vec<u8>) -> Payload {
        self.buffers.push(Region::new(buffer));
        let at = self.layout.field(field).map_or(0, |range| range.start);
        self.links.push(Link { at, to: self.buffers.len() });
        self
    }

    /// The number in a field of the answer; zero if this shape has no such field.
    pub(super) fn number(&self, field: &str) -> u64 {
        self.layout.number(&self.bytes, field).unwrap_or(0)
    }

    /// The number in a 32-bit field of the answer.
    pub(super) fn small(&self, field: &str) -> u32 {
        u32::try_from(self.number(field)).unwrap_or(u32::MAX)
    }

    /// The payload itself.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What a buffer holds, by the order in which they were added.
    pub(super) fn buffer(&self, place: usize) -> &[u8] {
        self.buffers.get(place).map_or(&[], |region| &region.bytes)
    }
}

/// The families of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Before 3.0.3.
    Dom0(u32),
    /// About the host.
    Sysctl(u32),
    /// About one domain.
    Domctl(u32, u16),
}

/// Runs one command; the payload comes back as the hypervisor left it.
pub(super) fn run(
    door: &dyn Door,
    interface: Interface,
    command: Command,
    mut payload: Payload,
) -> Result<Payload, Errno> {
    let (hypercall, header, version, operation) = match command {
        Command::Dom0(operation) => (number::DOM0_OP, &DOM0_OP, DOM0_VERSION, operation),
        Command::Sysctl(operation) => (number::SYSCTL, &SYSCTL, interface.sysctl(), operation),
        Command::Domctl(operation, _) => (number::DOMCTL, &DOMCTL, interface.domctl(), operation),
    };
    let mut bytes = vec![0; header.size];
    header.put(&mut bytes, "cmd", u64::from(operation));
    header.put(&mut bytes, "interface_version", u64::from(version));
    if let Command::Domctl(_, domain) = command {
        header.put(&mut bytes, "domain", u64::from(domain));
    }
    let room = header.field("u").unwrap_or(0..0);
    let inner = room.start..(room.start + payload.bytes.len()).min(room.end);
    bytes[inner.clone()].copy_from_slice(&payload.bytes[..inner.len()]);
    let links = payload.links.iter().map(|link| Link { at: room.start + link.at, to: link.to }).collect();
    let mut regions = vec![Region { bytes, links }];
    regions.append(&mut payload.buffers);
    door.call(hypercall, &[Argument::Region(0)], &mut regions)?;
    let head = regions.remove(0);
    payload.bytes[..inner.len()].copy_from_slice(&head.bytes[inner]);
    payload.buffers = regions;
    Ok(payload)
}

/// Says what the hypervisor refused, and what that means where it is known.
pub(super) fn refused(asked: &str, errno: Errno) -> Error {
    let meaning = match errno {
        Errno::EPERM => ": only the control domain may ask this",
        Errno::ENOSYS | Errno::EOPNOTSUPP => ": this hypervisor has no such call",
        _ => "",
    };
    let words = errno.desc();
    Error::new(ErrorCode::SYSTEM, format!("hypervisor: {asked}: {words}{meaning}"))
        .from_origin(ErrorOrigin::XEN)
}
