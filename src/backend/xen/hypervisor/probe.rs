//! Finding out which interface a hypervisor speaks, without asking it anything that could hurt.
//!
//! First its release, which every caller may ask. Releases before 3.0.3 mask the number of a hypercall, so that a
//! `sysctl` would run something else there; later ones would take a `dom0_op` for an order to the platform. So each
//! is asked only where its number is safe. A version is confirmed by an answer, and the size of a list's elements
//! by filling the buffer with two patterns and looking which bytes the hypervisor wrote.

use super::calls::{Command, Payload, number, refused, run};
use super::door::{Argument, Door};
use super::interface::{Interface, candidates};
use super::layouts::GETDOMAININFOLIST;
use crate::error::{Error, ErrorOrigin, Result};
use nix::errno::Errno;
use std::collections::HashMap;

/// `getdomaininfolist` of `sysctl`.
pub(super) const LIST: u32 = 6;
/// The same of `dom0_op`.
pub(super) const LIST_DOM0: u32 = 38;
/// `getdomaininfo` of `domctl`.
pub(super) const GET: u32 = 5;
/// Room for one element of any release, and then some.
const ROOM: usize = 4096;

/// The release, as the hypervisor counts it: major and minor.
pub(super) fn release(door: &dyn Door) -> Result<(u32, u32)> {
    let arguments = [Argument::Number(0), Argument::Number(0)];
    let answer = door.call(number::XEN_VERSION, &arguments, &mut []);
    let answer = answer.map_err(|errno| refused("version", errno))?;
    let answer = u32::try_from(answer).map_err(|_| strange(format!("version {answer}")))?;
    Ok((answer >> 16, answer & 0xffff))
}

/// The interface of a hypervisor of this release.
pub(super) fn interface(door: &dyn Door, release: (u32, u32)) -> Result<Interface> {
    let (major, minor) = release;
    if major < 3 {
        return Err(strange(format!("release {major}.{minor} is older than 3.0")));
    }
    if release == (3, 0) {
        match written(door, Interface::Dom0) {
            Ok(size) => return confirmed(Interface::Dom0, size),
            Err(Errno::EACCES) => {}
            // Whatever this is, the old numbers are not known to be safe to leave.
            Err(errno) => return Err(refused("list of domains", errno)),
        }
    }
    let mut answers = HashMap::new();
    for (sysctl, domctl) in candidates(release) {
        let interface = Interface::Control { sysctl, domctl };
        let size = match answers.entry(sysctl).or_insert_with(|| written(door, interface)) {
            Ok(size) => *size,
            Err(Errno::EACCES) => continue,
            Err(errno) => return Err(refused("list of domains", *errno)),
        };
        let payload = Payload::new(interface.domain_info());
        match run(door, interface, Command::Domctl(GET, 0), payload) {
            Ok(_) => return confirmed(interface, size),
            Err(Errno::EACCES) => {}
            Err(errno) => return Err(refused("domain 0", errno)),
        }
    }
    Err(strange(format!("release {major}.{minor} accepts no known version of its interface")))
}

/// How many bytes the hypervisor writes for one element of the list of domains.
fn written(door: &dyn Door, interface: Interface) -> std::result::Result<usize, Errno> {
    let mut end = 0;
    for pattern in [0x55, 0xaa] {
        let payload =
            Payload::new(&GETDOMAININFOLIST).with("max_domains", 1).pointing("buffer", vec![pattern; ROOM]);
        let answer = run(door, interface, list_command(interface), payload)?;
        let last = answer.buffer(0).iter().rposition(|byte| *byte != pattern);
        end = end.max(last.map_or(0, |last| last + 1));
    }
    Ok(end)
}

/// The command that lists domains.
pub(super) fn list_command(interface: Interface) -> Command {
    match interface {
        Interface::Dom0 => Command::Dom0(LIST_DOM0),
        Interface::Control { .. } => Command::Sysctl(LIST),
    }
}

/// Accepts the interface if the elements have the size that its version says.
fn confirmed(interface: Interface, size: usize) -> Result<Interface> {
    let expected = interface.domain_info().size;
    if size == expected {
        return Ok(interface);
    }
    Err(strange(format!(
        "{interface}: domains of {size} bytes in a list, {expected} expected; nothing is read from it"
    )))
}

/// An answer that no released hypervisor gives.
pub(super) fn strange(what: String) -> Error {
    Error::internal(format!("unknown hypervisor: {what}")).from_origin(ErrorOrigin::XEN)
}
