//! Answers of a hypervisor: whatever comes back from a hypercall is decoded or refused, in bounded time and memory.
#![no_main]

use hvsh::backend::xen::hypervisor::Hypervisor;
use hvsh::backend::xen::hypervisor::door::{Argument, Door, Errno, Region};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Answers with the fuzzer's bytes, one after the other.
struct Hostile {
    bytes: Mutex<Vec<u8>>,
    /// Lets itself be recognized as a release first, so that the rest is reached.
    honest: AtomicBool,
}

/// The size of a domain in a list of release 4.17.
const ELEMENT: usize = 112;

impl Hostile {
    /// The next byte; zero when they are used up.
    fn next(&self) -> u8 {
        self.bytes.lock().map_or(0, |mut bytes| bytes.pop().unwrap_or(0))
    }
}

/// The door to it.
struct Way(Arc<Hostile>);

impl Door for Way {
    fn call(&self, number: u64, arguments: &[Argument], regions: &mut [Region]) -> Result<i32, Errno> {
        let hostile = &self.0;
        if hostile.honest.load(Ordering::Relaxed) {
            if let [_, list] = regions {
                list.bytes[..ELEMENT].fill(1);
            }
            return Ok(if number == 17 { 4 << 16 | 17 } else { 0 });
        }
        if let (17, [Argument::Number(0), ..]) = (number, arguments) {
            return Ok(3 << 16 | i32::from(hostile.next() % 5));
        }
        match hostile.next() {
            0..=15 => return Err(Errno::EACCES),
            16..=19 => return Err(Errno::EAGAIN),
            20..=23 => return Err(Errno::ESRCH),
            _ => {}
        }
        for region in regions.iter_mut() {
            // Lists keep what they were filled with behind what is written.
            let most = region.bytes.len();
            let written = if most > 256 { (usize::from(hostile.next()) * 8).min(most) } else { most };
            region.bytes[..written].iter_mut().for_each(|byte| *byte = hostile.next());
        }
        Ok(i32::from(hostile.next()))
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let honest = bytes.first().is_some_and(|byte| byte & 1 == 0);
    let bytes = bytes.iter().skip(1).rev().copied().collect();
    let hostile = Arc::new(Hostile { bytes: Mutex::new(bytes), honest: AtomicBool::new(honest) });
    let Ok(hypervisor) = Hypervisor::behind(Box::new(Way(Arc::clone(&hostile)))) else { return };
    hostile.honest.store(false, Ordering::Relaxed);
    let _ = (hypervisor.release(), hypervisor.capabilities(), hypervisor.build_id(), hypervisor.compile_info());
    let _ = (hypervisor.physical(), hypervisor.topology(), hypervisor.numa(), hypervisor.idle_times());
    let Ok(domains) = hypervisor.domains() else { return };
    for domain in domains.iter().take(4) {
        let _ = (hypervisor.vcpus(domain), hypervisor.affinity(domain, 0, 64), domain.state());
        let _ = hypervisor.scheduler().map(|scheduler| hypervisor.parameters(domain, scheduler));
        let _ = (hypervisor.pause(domain), hypervisor.unpause(domain));
        let _ = (hypervisor.set_weight(domain, Some(1), None), hypervisor.set_affinity(domain, 0, &[1]));
    }
});
