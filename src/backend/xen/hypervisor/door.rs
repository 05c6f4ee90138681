//! The door to the hypervisor: what a hypercall is made of, without any address in sight.

pub use nix::errno::Errno;

/// A run of bytes that the hypervisor reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// What it holds: the question before the call, the answer after it.
    pub bytes: Vec<u8>,
    /// The places in it where the address of another region must stand.
    pub links: Vec<Link>,
}

/// A place in a region where the address of another one must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Where the eight bytes of the address begin.
    pub at: usize,
    /// Which region is meant, by its number.
    pub to: usize,
}

/// An argument of a hypercall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A plain number.
    Number(u64),
    /// The address of a region, by its number.
    Region(usize),
}

/// A way to run hypercalls.
///
/// The real one is the device of the control domain's kernel; tests and fuzzers answer in its place.
pub trait Door: Send + Sync {
    /// Runs hypercall `number`; the regions come back as the hypervisor left them.
    fn call(&self, number: u64, arguments: &[Argument], regions: &mut [Region]) -> Result<i32, Errno>;
}

impl Region {
    /// A region that holds `bytes` and no address.
    pub fn new(bytes: Vec<u8>) -> Region {
        Region { bytes, links: Vec::new() }
    }
}
