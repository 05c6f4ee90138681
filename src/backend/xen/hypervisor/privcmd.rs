//! The kernel's door for hypercalls, `/dev/xen/privcmd`, and memory that the hypervisor can reach.
//!
//! The hypervisor walks this process's page tables and cannot fault a page in, so everything it is given lies in
//! memory made for that: pages of `/dev/xen/hypercall`, or locked ones of our own. This is the one place of the
//! layer that handles addresses; the memory never leaves it.
#![allow(unsafe_code)]

use super::door::{Argument, Door, Region};
use crate::error::{Error, ErrorCode, ErrorOrigin, Result};
use nix::errno::Errno;
use nix::libc;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

/// Where the door stands: today's place, then that of old kernels.
const DOORS: [&str; 2] = ["/dev/xen/privcmd", "/proc/xen/privcmd"];
/// Lends memory that never moves (Linux 4.18 and later).
const LENDER: &str = "/dev/xen/hypercall";
/// `_IOC(0, 'P', 0, 48)`.
const HYPERCALL: u64 = 0x30_5000;
/// The size of a page.
const PAGE: usize = 4096;
/// What most questions need; a run of this size is lent to one after the other.
const USUAL: usize = 4 * PAGE;
/// Own memory may be moved under our feet; the call is tried this often before that counts as an error.
const TRIES: usize = 8;
/// More than any question needs; a larger one is a mistake.
const MEMORY_MAX: usize = 16 * 1024 * 1024;

/// What the kernel is handed.
#[repr(C)]
struct Hypercall {
    /// The hypercall's number.
    number: u64,
    /// Its arguments.
    arguments: [u64; 5],
}

/// The open door.
pub(super) struct Privcmd {
    device: File,
    lender: Option<File>,
    /// Memory that no call uses right now.
    spare: Mutex<Vec<Memory>>,
}

impl Privcmd {
    /// Opens the door of this host.
    pub(super) fn open() -> Result<Privcmd> {
        let device = open_first(&DOORS)?;
        let lender = OpenOptions::new().read(true).write(true).open(LENDER).ok();
        Ok(Privcmd { device, lender, spare: Mutex::new(Vec::new()) })
    }

    /// Memory of at least `size` bytes, used before or new.
    fn memory(&self, size: usize) -> std::result::Result<Memory, Errno> {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        match spare.iter().position(|memory| memory.size() >= size) {
            Some(place) => Ok(spare.swap_remove(place)),
            None => Memory::new(self.lender.as_ref(), size.max(USUAL)),
        }
    }
}

/// Opens the first of `paths` that is there.
fn open_first(paths: &[&str]) -> Result<File> {
    let mut first = None;
    for path in paths {
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => return Ok(file),
            Err(cause) => {
                let absent = cause.kind() == ErrorKind::NotFound
                    || matches!(cause.raw_os_error(), Some(libc::ENXIO | libc::ENODEV));
                let error = cannot_open(path, &cause, absent);
                if !absent {
                    return Err(error);
                }
                first.get_or_insert(error);
            }
        }
    }
    Err(first.unwrap_or_else(|| Error::internal("no path to a hypercall device")))
}

/// Says why the door stays shut, and what that means.
fn cannot_open(path: &str, cause: &std::io::Error, absent: bool) -> Error {
    let meaning = match cause.kind() {
        _ if absent => ": not a Xen host?",
        ErrorKind::PermissionDenied => ": only root may ask the hypervisor",
        _ => "",
    };
    let plain = Error::system(path, cause);
    Error::new(ErrorCode::SYSTEM, format!("{plain}{meaning}")).from_origin(ErrorOrigin::XEN)
}

/// Where each region lies in one run of memory, and how long that is; each begins at a multiple of eight.
fn places(regions: &[Region]) -> Option<(Vec<usize>, usize)> {
    let mut end = 0usize;
    let mut places = Vec::with_capacity(regions.len());
    for region in regions {
        places.push(end);
        end = end.checked_add(region.bytes.len())?.checked_next_multiple_of(8)?;
    }
    (end <= MEMORY_MAX).then_some((places, end.max(1)))
}

impl Door for Privcmd {
    fn call(
        &self,
        number: u64,
        arguments: &[Argument],
        regions: &mut [Region],
    ) -> std::result::Result<i32, Errno> {
        let (places, size) = places(regions).ok_or(Errno::E2BIG)?;
        let mut memory = self.memory(size)?;
        let address = |region: usize| places.get(region).map(|place| memory.address() + *place as u64);
        let mut hypercall = Hypercall { number, arguments: [0; 5] };
        for (slot, argument) in hypercall.arguments.iter_mut().zip(arguments) {
            *slot = match argument {
                Argument::Number(number) => *number,
                Argument::Region(region) => address(*region).ok_or(Errno::EINVAL)?,
            };
        }
        let mut question = vec![0; size];
        for (region, place) in regions.iter().zip(&places) {
            let part = question.get_mut(*place..*place + region.bytes.len()).ok_or(Errno::EINVAL)?;
            part.copy_from_slice(&region.bytes);
            for link in &region.links {
                let address = address(link.to).ok_or(Errno::EINVAL)?;
                let slot = part.get_mut(link.at..).and_then(|rest| rest.get_mut(..8)).ok_or(Errno::EINVAL)?;
                slot.copy_from_slice(&address.to_le_bytes());
            }
        }
        let mut answer = Err(Errno::EFAULT);
        for _ in 0..TRIES {
            memory.bytes()[..size].copy_from_slice(&question);
            answer = run(&self.device, &mut hypercall);
            if answer != Err(Errno::EFAULT) {
                break;
            }
        }
        for (region, place) in regions.iter_mut().zip(&places) {
            let length = region.bytes.len();
            region.bytes.copy_from_slice(&memory.bytes()[*place..*place + length]);
        }
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        answer
    }
}

/// Hands a hypercall to the kernel.
fn run(device: &File, hypercall: &mut Hypercall) -> std::result::Result<i32, Errno> {
    use std::os::fd::AsRawFd;
    // SAFETY: the kernel copies the 48 bytes of `hypercall`, which lives until the call is over. The addresses in it
    // are those of one `Memory` that the caller holds exclusively, with room for every region it was told of.
    let answer = unsafe { libc::ioctl(device.as_raw_fd(), HYPERCALL as _, std::ptr::from_mut(hypercall)) };
    Errno::result(answer)
}

/// Whole pages that the hypervisor can reach.
struct Memory {
    start: NonNull<libc::c_void>,
    length: NonZeroUsize,
}

// SAFETY: the pages belong to this value alone; nothing in them depends on the thread that made them.
unsafe impl Send for Memory {}

impl Memory {
    /// Pages for `size` bytes, lent by the kernel or locked by ourselves.
    fn new(lender: Option<&File>, size: usize) -> std::result::Result<Memory, Errno> {
        let length =
            size.max(1).checked_next_multiple_of(PAGE).and_then(NonZeroUsize::new).ok_or(Errno::E2BIG)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        if let Some(lender) = lender {
            // SAFETY: a new mapping at an address of the kernel's choice; it overlaps nothing of ours.
            let start = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, lender, 0) };
            if let Ok(start) = start {
                return Ok(Memory { start, length });
            }
        }
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_LOCKED;
        // SAFETY: a new anonymous mapping at an address of the kernel's choice; it overlaps nothing of ours.
        let start = unsafe { mmap_anonymous(None, length, access, flags) }?;
        let mut memory = Memory { start, length };
        // SAFETY: these pages are a mapping of our own. A child must not share them: they would become copy-on-write.
        unsafe { madvise(start, length.get(), MmapAdvise::MADV_DONTFORK) }?;
        for byte in memory.bytes().iter_mut().step_by(PAGE) {
            *byte = 0;
        }
        Ok(memory)
    }

    /// How many bytes it has.
    fn size(&self) -> usize {
        self.length.get()
    }

    /// Where it lies, for the hypervisor.
    fn address(&self) -> u64 {
        self.start.as_ptr() as u64
    }

    /// Its bytes.
    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `start` is the start of a mapping of `length` readable and writable bytes that lives as long as
        // this value, and `&mut self` makes this the only reference. The hypervisor writes during a call only, while
        // no reference exists.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().cast(), self.length.get()) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` with this length and nothing refers to it any more.
        let _ = unsafe { munmap(self.start, self.length.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_one_after_the_other_at_multiples_of_eight() {
        let regions = [Region::new(vec![0; 136]), Region::new(vec![0; 3]), Region::new(vec![0; 8])];
        assert_eq!(places(&regions), Some((vec![0, 136, 144], 152)));
        assert_eq!(places(&[Region::new(vec![0; MEMORY_MAX + 1])]), None);
    }

    #[test]
    fn locked_memory_holds_what_is_written() {
        let Ok(mut memory) = Memory::new(None, PAGE + 1) else {
            return; // no right to lock memory here
        };
        assert_eq!(memory.size(), 2 * PAGE);
        assert_eq!(memory.address() % PAGE as u64, 0);
        memory.bytes().fill(7);
        assert!(memory.bytes().iter().all(|byte| *byte == 7));
    }

    #[test]
    fn a_closed_door_says_what_that_means() {
        let error = open_first(&["/nonexistent/privcmd", "/nonexistent/other"]).unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/privcmd: No such file or directory: not a Xen host?");
    }
}
