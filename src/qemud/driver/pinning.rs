//! Which host CPUs a guest's threads may run on.

use super::change::{edit_config, edit_live, impact};
use super::{QemuConnection, invalid};
use crate::error::{Error, ErrorOrigin, Result};
use crate::model::event::DomainEvent;
use crate::model::{DomainRef, TypedParam};
use crate::xml::Element;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// What is tied to host CPUs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tied {
    /// A virtual CPU.
    Vcpu(u32),
    /// The emulator's own threads.
    Emulator,
}

/// The host's CPUs, as many bits as there are.
pub fn host_cpus() -> u32 {
    let online = rustix_cpus();
    online.max(1)
}

fn rustix_cpus() -> u32 {
    let listed = std::fs::read_dir("/sys/devices/system/cpu");
    let is_cpu = |name: &str| {
        name.strip_prefix("cpu").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let count = listed
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(is_cpu))
        .count();
    u32::try_from(count).unwrap_or(1)
}

/// The CPUs of a map, lowest first.
fn cpus_of(map: &[u8]) -> Vec<u32> {
    let bits = map.iter().enumerate().flat_map(|(at, byte)| {
        (0..8u32).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| at as u32 * 8 + bit)
    });
    bits.collect()
}

/// A map with these CPUs, `length` bytes long.
pub fn map_of(cpus: &[u32], length: usize) -> Vec<u8> {
    let mut map = vec![0u8; length];
    for cpu in cpus {
        if let Some(byte) = map.get_mut(*cpu as usize / 8) {
            *byte |= 1 << (cpu % 8);
        }
    }
    map
}

/// A list of CPUs as definitions write it: `0-2,5`.
pub fn list_of(cpus: &[u32]) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for cpu in cpus {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *cpu => *last = *cpu,
            _ => parts.push((*cpu, *cpu)),
        }
    }
    let shown = parts.iter().map(
        |(first, last)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        },
    );
    shown.collect::<Vec<_>>().join(",")
}

/// Reads such a list; what makes no sense in it is left out, a completed definition has none.
pub fn cpus_in(list: &str) -> Vec<u32> {
    let mut cpus: Vec<u32> = Vec::new();
    for part in list.split(',').map(str::trim) {
        let (without, part) = part.strip_prefix('^').map_or((false, part), |part| (true, part));
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u32>(), last.parse::<u32>()) else {
            continue;
        };
        let range = first..=last.min(first.saturating_add(16384));
        if without {
            cpus.retain(|cpu| !range.contains(cpu));
        } else {
            cpus.extend(range);
        }
    }
    cpus.sort_unstable();
    cpus.dedup();
    cpus
}

/// The CPUs a definition ties something to; all of the host's if it says nothing.
fn tied_in(tree: &Element, what: Tied) -> Vec<u32> {
    let tuning = tree.child("cputune");
    let pin = match what {
        Tied::Vcpu(vcpu) => tuning.and_then(|tuning| {
            let number = vcpu.to_string();
            tuning.children("vcpupin").find(|pin| pin.attribute("vcpu") == Some(&number))
        }),
        Tied::Emulator => tuning.and_then(|tuning| tuning.child("emulatorpin")),
    };
    let list = pin.and_then(|pin| pin.attribute("cpuset"));
    let list = list.or_else(|| tree.child_attribute("vcpu", "cpuset"));
    list.map_or_else(|| (0..host_cpus()).collect(), cpus_in)
}

/// Tells an element from others.
type Matcher = Box<dyn Fn(&Element) -> bool>;

/// Writes into a definition what something is tied to.
fn tie_in(tree: &mut Element, what: Tied, cpus: &[u32]) {
    if tree.child("cputune").is_none() {
        let before = |node: &crate::xml::Node| {
            let behind = ["numatune", "resource", "sysinfo", "bootloader", "os"];
            matches!(node, crate::xml::Node::Element(e) if behind.contains(&e.name.as_str()))
        };
        let at = tree.nodes.iter().position(before).unwrap_or(tree.nodes.len());
        tree.nodes.insert(at, crate::xml::Node::Element(Element::new("cputune")));
    }
    let Some(tuning) = tree.child_mut("cputune") else {
        return;
    };
    let (pin, is_same): (Element, Matcher) = match what {
        Tied::Vcpu(vcpu) => (
            Element::new("vcpupin").with("vcpu", vcpu).with("cpuset", list_of(cpus)),
            Box::new(move |pin| pin.name == "vcpupin" && pin.attribute("vcpu") == Some(&vcpu.to_string())),
        ),
        Tied::Emulator => (
            Element::new("emulatorpin").with("cpuset", list_of(cpus)),
            Box::new(|pin| pin.name == "emulatorpin"),
        ),
    };
    tuning.retain(|element| !is_same(element));
    let number = |element: &Element| element.attribute("vcpu").and_then(|vcpu| vcpu.parse::<u32>().ok());
    let is_behind = |node: &crate::xml::Node| match (node, what) {
        (crate::xml::Node::Element(e), Tied::Vcpu(vcpu)) if e.name == "vcpupin" => number(e) > Some(vcpu),
        (crate::xml::Node::Element(e), _) => matches!(
            e.name.as_str(),
            "emulatorpin"
                | "iothreadpin"
                | "vcpusched"
                | "emulatorsched"
                | "iothreadsched"
                | "cachetune"
                | "memorytune"
        ),
        (crate::xml::Node::Text(_), _) => false,
    };
    let at = tuning.nodes.iter().position(is_behind).unwrap_or(tuning.nodes.len());
    tuning.nodes.insert(at, crate::xml::Node::Element(pin));
}

/// Ties one thread.
fn tie_thread(thread: i32, cpus: &[u32]) -> Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus {
        // A CPU beyond the set cannot exist here.
        let _ = set.set(*cpu as usize);
    }
    sched_setaffinity(Pid::from_raw(thread), &set).map_err(|errno| {
        let cause = std::io::Error::from_raw_os_error(errno as i32);
        Error::system(format!("cannot set CPU affinity on process {thread}"), &cause)
    })
}

/// The CPUs one thread may run on.
pub fn thread_cpus(thread: i32) -> Option<Vec<u32>> {
    let set = sched_getaffinity(Pid::from_raw(thread)).ok()?;
    Some((0..host_cpus()).filter(|cpu| set.is_set(*cpu as usize).unwrap_or(false)).collect())
}

impl QemuConnection {
    /// Ties a virtual CPU or the emulator to host CPUs.
    pub(super) fn tie(&self, domain: &DomainRef, what: Tied, map: &[u8], flags: u32) -> Result<()> {
        let guest = self.find(domain)?;
        let _turn = guest.jobs.take_turn("virDomainPinVcpu")?;
        let impact = impact(&guest.lock(), flags)?;
        let host = host_cpus();
        let cpus: Vec<u32> = cpus_of(map).into_iter().filter(|cpu| *cpu < host).collect();
        if cpus.is_empty() {
            let detail = "Empty cpu list for pinning";
            return Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
        }
        if let Tied::Vcpu(vcpu) = what {
            check_vcpu(&guest.lock(), vcpu, impact.live)?;
        }
        if impact.live {
            for thread in self.threads(&guest, what)? {
                tie_thread(thread, &cpus)?;
            }
            edit_live(self.inventory(), &guest, |tree| {
                tie_in(tree, what, &cpus);
                Ok(())
            })?;
            let name = match what {
                Tied::Vcpu(vcpu) => format!("cputune.vcpupin{vcpu}"),
                Tied::Emulator => "cputune.emulatorpin".to_string(),
            };
            let params = vec![TypedParam::new(name, list_of(&cpus))];
            self.inventory().tell(guest.lock().reference(), DomainEvent::Tunable { params });
        }
        if impact.config {
            edit_config(self.inventory(), &guest, |tree| {
                tie_in(tree, what, &cpus);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The threads that are tied together.
    fn threads(&self, guest: &crate::qemud::vm::guest::Guest, what: Tied) -> Result<Vec<i32>> {
        let (pid, vcpus) = {
            let condition = guest.lock();
            let active = condition.running()?;
            (active.process.pid(), active.vcpu_threads.clone())
        };
        match what {
            Tied::Vcpu(vcpu) => {
                let thread = vcpus.get(vcpu as usize).copied().filter(|thread| *thread != 0);
                let thread = thread.ok_or_else(|| invalid(format!("vcpu {vcpu} is not active")))?;
                Ok(vec![thread])
            }
            Tied::Emulator => {
                let listed = std::fs::read_dir(format!("/proc/{pid}/task"));
                let listed =
                    listed.map_err(|e| Error::system(format!("cannot read the threads of {pid}"), &e))?;
                let threads =
                    listed.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
                Ok(threads.filter(|thread| !vcpus.contains(thread)).collect())
            }
        }
    }

    /// To which host CPUs each of `count` virtual CPUs, or the emulator, is tied: `length` bytes each.
    pub(super) fn tied(
        &self,
        domain: &DomainRef,
        emulator: bool,
        count: i32,
        length: i32,
        flags: u32,
    ) -> Result<(Vec<u8>, i32)> {
        let guest = self.find(domain)?;
        let definition = super::change::asked_definition(&guest.lock(), flags)?;
        let tree = definition.tree()?;
        let length = usize::try_from(length).unwrap_or(0);
        if emulator {
            return Ok((map_of(&tied_in(&tree, Tied::Emulator), length), 1));
        }
        let count = u32::try_from(count).unwrap_or(0).min(definition.figures.max_vcpus);
        let maps = (0..count).flat_map(|vcpu| map_of(&tied_in(&tree, Tied::Vcpu(vcpu)), length));
        Ok((maps.collect(), i32::try_from(count).unwrap_or(0)))
    }
}

fn check_vcpu(condition: &crate::qemud::vm::guest::Condition, vcpu: u32, live: bool) -> Result<()> {
    let bad = |detail: String| Err(Error::invalid_argument(detail).from_origin(ErrorOrigin::QEMU));
    if live {
        let count = condition.running()?.definition.figures.vcpus;
        if vcpu >= count {
            return bad(format!("vcpu {vcpu} is out of range of live cpu count {count}"));
        }
        return Ok(());
    }
    let figures = condition.persistent.as_ref().map(|definition| definition.figures).unwrap_or_default();
    if vcpu >= figures.max_vcpus {
        let count = figures.vcpus;
        return bad(format!("vcpu {vcpu} is out of range of persistent cpu count {count}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_maps_agree() {
        assert_eq!(cpus_in("0-3,^2,7"), [0, 1, 3, 7]);
        assert_eq!(list_of(&[0, 1, 3, 7]), "0-1,3,7");
        assert_eq!(cpus_of(&map_of(&[0, 9], 2)), [0, 9]);
        assert_eq!(map_of(&[100], 2), [0, 0]);
    }

    #[test]
    fn pins_keep_their_order() {
        let mut tree = crate::xml::parse("<domain><vcpu>4</vcpu><os/></domain>", "x").unwrap();
        tie_in(&mut tree, Tied::Emulator, &[0]);
        tie_in(&mut tree, Tied::Vcpu(2), &[1]);
        tie_in(&mut tree, Tied::Vcpu(0), &[0, 1]);
        tie_in(&mut tree, Tied::Vcpu(2), &[0]);
        let pins: Vec<_> = tree
            .child("cputune")
            .unwrap()
            .elements()
            .map(|e| (e.name.clone(), e.attribute("cpuset").unwrap_or("").to_string()))
            .collect();
        assert_eq!(
            pins,
            [
                ("vcpupin".into(), "0-1".into()),
                ("vcpupin".into(), "0".into()),
                ("emulatorpin".into(), "0".into())
            ] as [(String, String); 3]
        );
        assert_eq!(tree.elements().nth(1).unwrap().name, "cputune");
    }
}
