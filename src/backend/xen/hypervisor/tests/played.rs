//! A hypervisor played by the test. It lays its structures out by the measured tables in `tests/facts`, not by the
//! layer's own, and keeps a protocol of what it was asked.

use crate::backend::xen::hypervisor::door::{Argument, Door, Region};
use nix::errno::Errno;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The measured tables.
pub fn facts() -> Value {
    serde_json::from_str(include_str!("../../../../../tests/facts/xen-abi.json")).unwrap()
}

/// A structure: its size, and where its fields lie.
#[derive(Clone, Debug)]
pub struct Shape {
    pub size: usize,
    pub fields: BTreeMap<String, (usize, usize)>,
}

impl Shape {
    pub fn of(value: &Value) -> Shape {
        let field = |(name, place): (&String, &Value)| {
            let number = |at: usize| place[at].as_u64().unwrap() as usize;
            (name.clone(), (number(0), number(1)))
        };
        let fields = value["fields"].as_object().unwrap().iter().map(field).collect();
        Shape { size: value["size"].as_u64().unwrap() as usize, fields }
    }

    pub fn put(&self, bytes: &mut [u8], field: &str, value: u64) {
        if let Some((offset, size)) = self.fields.get(field) {
            bytes[*offset..offset + size].copy_from_slice(&value.to_le_bytes()[..*size]);
        }
    }

    pub fn get(&self, bytes: &[u8], field: &str) -> u64 {
        let (offset, size) = self.fields[field];
        bytes[offset..offset + size].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// A domain of the played hypervisor.
#[derive(Clone, Debug)]
pub struct Domain {
    pub id: u16,
    pub uuid: [u8; 16],
    pub flags: u32,
    pub pages: u64,
    pub emulated: u64,
    /// How often it was paused.
    pub pauses: u32,
    pub weight: u64,
    pub cap: u64,
    pub affinity: Vec<u8>,
    /// How often a destroy asks to be called again.
    pub reluctance: u32,
    pub max_kib: u64,
}

pub fn domain(id: u16) -> Domain {
    let uuid = if id == 0 { [0; 16] } else { [id as u8; 16] };
    Domain {
        id,
        uuid,
        flags: 16 | 0xff << 16,
        pages: 32768,
        emulated: 0,
        pauses: 0,
        weight: 256,
        cap: 0,
        affinity: vec![3],
        reluctance: 0,
        max_kib: 0,
    }
}

/// What the test may look at, and change, from outside.
#[derive(Default)]
pub struct Inside {
    pub domains: Vec<Domain>,
    /// Each hypercall with its command: number, command, version.
    pub asked: Vec<(u64, u32, u32)>,
    /// What `num_domains` says, if not the truth.
    pub claimed: Option<u32>,
    /// After so many more commands domain 1 is another one.
    pub replaced_in: Option<usize>,
    /// Bytes more than the interface says in each element of a list.
    pub longer: usize,
}

impl Inside {
    /// Notes a command, before it is carried out.
    fn note(&mut self, asked: (u64, u32, u32)) {
        self.asked.push(asked);
        self.replaced_in = match self.replaced_in {
            Some(0) => {
                self.domains[1].uuid = [9; 16];
                None
            }
            left => left.map(|left| left - 1),
        };
    }
}

/// The played hypervisor.
#[derive(Clone)]
pub struct Played {
    pub release: (u32, u32),
    /// The first and the last of the releases that it is.
    pub span: (String, String),
    pub sysctl: Option<u32>,
    pub domctl: Option<u32>,
    shapes: BTreeMap<String, Shape>,
    pub inside: Arc<Mutex<Inside>>,
}

/// A version as the tables have it.
fn version(value: &Value) -> Option<u32> {
    value.as_str().map(|text| u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap())
}

impl Played {
    /// One hypervisor for each run of releases that share their layouts.
    pub fn all() -> Vec<Played> {
        let facts = facts();
        facts["releases"].as_array().unwrap().iter().map(|release| Played::of(&facts, release)).collect()
    }

    /// The hypervisor of a release.
    pub fn release(wanted: &str) -> Played {
        let facts = facts();
        let release = facts["releases"].as_array().unwrap().iter().find(|release| release["first"] == wanted);
        Played::of(&facts, release.unwrap())
    }

    fn of(facts: &Value, release: &Value) -> Played {
        let mut numbers = release["first"].as_str().unwrap().split('.').map(|number| number.parse().unwrap());
        let shapes = release["layouts"].as_array().unwrap().iter().map(|id| {
            let id = id.as_str().unwrap();
            (id.rsplit_once('.').unwrap().0.to_string(), Shape::of(&facts["layouts"][id]))
        });
        Played {
            release: (numbers.next().unwrap(), numbers.next().unwrap()),
            span: ["first", "last"].map(|end| release[end].as_str().unwrap().to_string()).into(),
            sysctl: version(&release["sysctl"]),
            domctl: version(&release["domctl"]),
            shapes: shapes.collect(),
            inside: Arc::new(Mutex::new(Inside {
                domains: vec![domain(0), domain(1), domain(5)],
                ..Inside::default()
            })),
        }
    }

    pub fn is_old(&self) -> bool {
        self.sysctl.is_none()
    }

    /// The shape that one of these structures has in this release.
    pub fn shape(&self, names: &[&str]) -> &Shape {
        names.iter().find_map(|name| self.shapes.get(*name)).unwrap()
    }

    fn element(&self, domain: &Domain) -> Vec<u8> {
        let shape = self.shape(&["xen_domctl_getdomaininfo", "dom0_getdomaininfo"]);
        let mut bytes = vec![0; shape.size];
        let paused = if domain.pauses > 0 { 8 } else { 0 };
        let fields = [
            ("domain", u64::from(domain.id)),
            ("flags", u64::from(domain.flags | paused)),
            ("tot_pages", domain.pages),
            ("max_pages", domain.pages + 256),
            ("outstanding_pages", 3),
            ("shr_pages", 5),
            ("paged_pages", 7),
            ("cpu_time", 11_000_000_000),
            ("nr_online_vcpus", 1),
            ("max_vcpu_id", 1),
            ("cpupool", 0),
            ("arch_config.emulation_flags", domain.emulated),
        ];
        fields.iter().for_each(|(field, value)| shape.put(&mut bytes, field, *value));
        let (offset, _) = shape.fields["handle"];
        bytes[offset..offset + 16].copy_from_slice(&domain.uuid);
        bytes
    }

    fn sysctl(&self, command: u32, regions: &mut [Region]) -> Result<i32, Errno> {
        let inside = self.inside.lock().unwrap();
        let (head, buffers) = regions.split_first_mut().unwrap();
        let payload = &mut head.bytes[8..];
        match command {
            3 | 22 => {
                let shape = self.shape(&["xen_sysctl_physinfo", "dom0_physinfo"]);
                let fields = [
                    ("threads_per_core", 2),
                    ("cores_per_socket", 4),
                    ("sockets_per_node", 1),
                    ("nr_cpus", 8),
                    ("nr_nodes", 1),
                    ("max_node_id", if shape.fields.contains_key("nr_nodes") { 63 } else { 0 }),
                    ("max_cpu_id", 7),
                    ("cpu_khz", 2_596_138),
                    ("total_pages", 1_000_000),
                    ("free_pages", 1000),
                    ("scrub_pages", 24),
                ];
                fields.iter().for_each(|(field, value)| shape.put(payload, field, *value));
            }
            4 | 24 => payload[0] = if self.is_old() { 4 } else { 5 },
            6 | 38 => {
                let list = self.shape(&["xen_sysctl_getdomaininfolist", "dom0_getdomaininfolist"]);
                let (first, most) = (list.get(payload, "first_domain"), list.get(payload, "max_domains"));
                let wanted = inside.domains.iter().filter(|domain| u64::from(domain.id) >= first);
                let found: Vec<&Domain> = wanted.take(most as usize).collect();
                let mut bytes: Vec<u8> = Vec::new();
                for domain in &found {
                    bytes.extend(self.element(domain));
                    bytes.resize(bytes.len() + inside.longer, 0x77);
                }
                let room = buffers[0].bytes.len();
                bytes.truncate(room);
                buffers[0].bytes[..bytes.len()].copy_from_slice(&bytes);
                let count = inside.claimed.unwrap_or(found.len() as u32);
                list.put(payload, "num_domains", u64::from(count));
            }
            _ => return Err(Errno::ENOSYS),
        }
        Ok(0)
    }

    fn domctl(
        &self,
        command: u32,
        id: u64,
        payload: &mut [u8],
        buffers: &mut [Region],
    ) -> Result<i32, Errno> {
        let mut inside = self.inside.lock().unwrap();
        let next_will_do = matches!(command, 5 | 12) && self.release < (4, 18);
        let place = inside.domains.iter().position(|domain| match next_will_do {
            true => u64::from(domain.id) >= id,
            false => u64::from(domain.id) == id,
        });
        let place = place.ok_or(Errno::ESRCH)?;
        let counts = self.release >= (4, 5);
        let domain = &mut inside.domains[place];
        match (command, self.is_old()) {
            (2, false) | (9, true) => {
                if domain.reluctance > 0 {
                    domain.reluctance -= 1;
                    return Err(Errno::EAGAIN);
                }
                inside.domains.remove(place);
            }
            (3, false) | (10, true) => domain.pauses = if counts { domain.pauses + 1 } else { 1 },
            (4, false) | (11, true) if counts && domain.pauses == 0 => return Err(Errno::EINVAL),
            (4, false) | (11, true) => domain.pauses = domain.pauses.saturating_sub(1),
            (5, false) | (12, true) => {
                let element = self.element(domain);
                payload[..element.len()].copy_from_slice(&element);
            }
            (11, false) | (28, true) => {
                let shape = self.shape(&["xen_domctl_max_mem", "dom0_setdomainmaxmem"]);
                domain.max_kib = shape.get(payload, "max_memkb");
            }
            (14, false) | (43, true) => self.vcpu(domain, payload)?,
            (9 | 25, false) => self.affinity(command == 9, domain, payload, buffers)?,
            (20, true) => {
                let shape = self.shape(&["dom0_setvcpuaffinity"]);
                domain.affinity = vec![shape.get(payload, "cpumap") as u8];
            }
            (16, false) => self.schedule(domain, payload)?,
            _ => return Err(Errno::ENOSYS),
        }
        Ok(0)
    }

    fn vcpu(&self, domain: &Domain, payload: &mut [u8]) -> Result<(), Errno> {
        let shape = self.shape(&["xen_domctl_getvcpuinfo", "dom0_getvcpuinfo"]);
        if shape.get(payload, "vcpu") > 1 {
            return Err(if self.release >= (4, 22) { Errno::ENOENT } else { Errno::ESRCH });
        }
        let online = u64::from(shape.get(payload, "vcpu") == 0);
        let fields = [
            ("online", online * 255),
            ("blocked", 1),
            ("cpu_time", 9),
            ("cpu", 3),
            ("cpumap", domain.affinity[0].into()),
        ];
        fields.iter().for_each(|(field, value)| shape.put(payload, field, *value));
        Ok(())
    }

    fn affinity(
        &self,
        set: bool,
        domain: &mut Domain,
        payload: &mut [u8],
        buffers: &mut [Region],
    ) -> Result<(), Errno> {
        let shape = self.shape(&["xen_domctl_vcpuaffinity"]);
        let bits = ["cpumap_hard.nr_bits", "cpumap.nr_bits", "cpumap.nr_cpus"];
        let bits = bits.iter().find(|name| shape.fields.contains_key(**name)).unwrap();
        if shape.fields.contains_key("flags") && shape.get(payload, "flags") != 1 {
            return Err(Errno::EINVAL);
        }
        let bytes = (shape.get(payload, bits) as usize).div_ceil(8);
        let map = &mut buffers[0].bytes;
        if set {
            domain.affinity = map[..bytes].to_vec();
        } else {
            map.iter_mut()
                .zip(domain.affinity.iter().chain(std::iter::repeat(&0)))
                .for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }

    fn schedule(&self, domain: &mut Domain, payload: &mut [u8]) -> Result<(), Errno> {
        let shape = self.shape(&["xen_domctl_scheduler_op"]);
        if shape.get(payload, "sched_id") != 5 {
            return Err(Errno::EINVAL);
        }
        if shape.get(payload, "cmd") == 1 {
            shape.put(payload, "u.credit.weight", domain.weight);
            shape.put(payload, "u.credit.cap", domain.cap);
        } else {
            domain.weight = shape.get(payload, "u.credit.weight");
            domain.cap = shape.get(payload, "u.credit.cap");
        }
        Ok(())
    }
}

impl Door for Played {
    fn call(&self, number: u64, arguments: &[Argument], regions: &mut [Region]) -> Result<i32, Errno> {
        if number == 17 {
            return match arguments {
                [Argument::Number(0), Argument::Number(0)] => {
                    Ok((self.release.0 << 16 | self.release.1) as i32)
                }
                [Argument::Number(1), Argument::Region(0)] => {
                    regions[0].bytes[..2].copy_from_slice(b".7");
                    Ok(0)
                }
                _ => Err(Errno::ENOSYS),
            };
        }
        assert_eq!(arguments, [Argument::Region(0)]);
        assert!(!regions[0].links.iter().any(|link| link.to >= regions.len() || link.at % 8 != 0));
        let word = |at: usize| u32::from_le_bytes(regions[0].bytes[at..at + 4].try_into().unwrap());
        let (command, asked) = (word(0), word(4));
        self.inside.lock().unwrap().note((number, command, asked));
        match (number, self.is_old()) {
            (7, true) if asked == 0x0300_0000 => match command {
                22 | 24 | 38 => self.sysctl(command, regions),
                _ => {
                    let (head, buffers) = regions.split_first_mut().unwrap();
                    let id = u64::from(head.bytes[8]) | u64::from(head.bytes[9]) << 8;
                    self.domctl(command, id, &mut head.bytes[8..], buffers)
                }
            },
            (7, false) if asked != 0x0300_0000 => panic!("the platform was given an order"),
            (7, _) => Err(Errno::EACCES),
            (_, true) => panic!("hypercall {number} is another one on this release"),
            (35, false) if Some(asked) == self.sysctl => self.sysctl(command, regions),
            (36, false) if Some(asked) == self.domctl => {
                let (head, buffers) = regions.split_first_mut().unwrap();
                let id = u64::from(head.bytes[8]) | u64::from(head.bytes[9]) << 8;
                self.domctl(command, id, &mut head.bytes[16..], buffers)
            }
            (35 | 36, false) => Err(Errno::EACCES),
            _ => Err(Errno::ENOSYS),
        }
    }
}
