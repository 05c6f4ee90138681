//! The typed view of a completed definition: the same facts as fields, for code that acts on them.
//!
//! A view is read, never written back; what is not in it is still in the tree. Devices keep their element at hand
//! for what only a driver's own code looks at.

mod chardev;
mod cpu;
mod devices;
mod disk;
mod graphics;
mod interface;
mod os;

pub use chardev::{CharacterDevice, ChardevSource, SocketMode};
pub use cpu::{Cpu, CpuFeature, NumaCell, Topology};
pub use devices::{
    Address, Balloon, Controller, Devices, HostDevice, Input, MemoryDevice, Panic, RandomSource, Sound, Tpm,
    Video, Vsock, Watchdog,
};
pub use disk::{Disk, DiskSource, SourceHost};
pub use graphics::{Graphics, Listen};
pub use interface::{Interface, PortForward};
pub use os::{Loader, Nvram, Os, OsFirmware};

use crate::error::{Error, Result};
use crate::xml::Element;
use uuid::Uuid;

/// A domain definition.
#[derive(Clone, Debug)]
pub struct Domain {
    /// What runs it: `kvm`, `qemu`, `test`.
    pub virt_type: String,
    /// Its id, in the definition of a running domain.
    pub id: Option<u32>,
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub uuid: Uuid,
    /// The generation id shown to the guest.
    pub genid: Option<Uuid>,
    /// A short line about it.
    pub title: Option<String>,
    /// A longer text about it.
    pub description: Option<String>,
    /// Its memory.
    pub memory: Memory,
    /// Its processors, counted.
    pub vcpus: Vcpus,
    /// The numbers of its I/O threads.
    pub iothreads: Vec<u32>,
    /// What the machine is and how it boots.
    pub os: Os,
    /// The processor it sees; `None` leaves it to the driver.
    pub cpu: Option<Cpu>,
    /// Its clock.
    pub clock: Clock,
    /// What becomes of it when it powers off.
    pub on_poweroff: Action,
    /// What becomes of it when it reboots.
    pub on_reboot: Action,
    /// What becomes of it when it crashes.
    pub on_crash: Action,
    /// Whether it may suspend to memory.
    pub suspend_to_memory: Option<bool>,
    /// Whether it may suspend to disk.
    pub suspend_to_disk: Option<bool>,
    /// Its devices.
    pub devices: Devices,
    /// Arguments given to QEMU as they are.
    pub qemu_arguments: Vec<String>,
    /// Variables set in QEMU's environment; without a value they are passed on.
    pub qemu_environment: Vec<(String, Option<String>)>,
    /// The whole definition.
    pub element: Element,
}

/// The memory of a domain, in KiB.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What it has at most without plugging any in.
    pub maximum: u64,
    /// What it has now.
    pub current: u64,
    /// What it can grow to by plugging in.
    pub hotplug_maximum: Option<u64>,
    /// How many pieces can be plugged in.
    pub slots: u32,
    /// Whether it is left out of core dumps (`false`) or not.
    pub in_core_dumps: Option<bool>,
    /// Whether it is locked in the host's memory.
    pub locked: bool,
    /// Whether equal pages are kept apart.
    pub no_share_pages: bool,
    /// Whether huge pages back it, and of which sizes in KiB.
    pub huge_pages: Option<Vec<u64>>,
    /// What it is made of: `memfd`, `file`, `anonymous`.
    pub source: Option<String>,
    /// Whether it is shared with helpers.
    pub shared: bool,
    /// Whether it is taken from the host at once.
    pub immediate: bool,
    /// Whether its contents are dropped at the end.
    pub discard: bool,
}

/// The processors of a domain, counted.
#[derive(Clone, Debug, Default)]
pub struct Vcpus {
    /// How many there can be.
    pub maximum: u32,
    /// How many there are.
    pub current: u32,
    /// The host's processors they may run on.
    pub cpuset: Option<String>,
    /// Whether the host chooses where they run.
    pub automatic_placement: bool,
}

/// The clock of a domain.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// What it follows: `utc`, `localtime`, `timezone`, `variable`, `absolute`.
    pub offset: String,
    /// Seconds away from its basis, if it varies.
    pub adjustment: Option<i64>,
    /// The basis of a varying clock.
    pub basis: Option<String>,
    /// The time zone it shows.
    pub timezone: Option<String>,
    /// The second it starts at.
    pub start: Option<i64>,
    /// Its timers.
    pub timers: Vec<Timer>,
}

/// A timer of a clock.
#[derive(Clone, Debug, Default)]
pub struct Timer {
    /// Which.
    pub name: String,
    /// Whether the guest has it.
    pub present: Option<bool>,
    /// What becomes of ticks the guest missed.
    pub tick_policy: Option<String>,
    /// What it follows.
    pub track: Option<String>,
    /// Its frequency.
    pub frequency: Option<u64>,
    /// How it is made.
    pub mode: Option<String>,
}

/// What becomes of a domain that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// It is gone.
    Destroy,
    /// It starts again.
    Restart,
    /// It starts again under another name.
    RenameRestart,
    /// What is left of it stays for inspection.
    Preserve,
    /// Its memory is dumped, then it is gone.
    CoredumpDestroy,
    /// Its memory is dumped, then it starts again.
    CoredumpRestart,
}

impl Action {
    fn parse(text: &str) -> Result<Action> {
        Ok(match text {
            "destroy" => Action::Destroy,
            "restart" => Action::Restart,
            "rename-restart" => Action::RenameRestart,
            "preserve" => Action::Preserve,
            "coredump-destroy" => Action::CoredumpDestroy,
            "coredump-restart" => Action::CoredumpRestart,
            other => {
                return Err(Error::unsupported_configuration(format!("unknown lifecycle action: {other}")));
            }
        })
    }
}

impl Domain {
    /// Reads the view of a completed definition, be it of an inactive or of a running domain.
    pub fn parse(tree: &Element) -> Result<Domain> {
        let action = |name: &str, default| match tree.child_text(name) {
            Some(text) => Action::parse(&text),
            None => Ok(default),
        };
        let uuid = |name: &str| match tree.child_text(name) {
            Some(text) => Uuid::try_parse(&text)
                .map(Some)
                .map_err(|_| Error::internal(format!("malformed {name} element"))),
            None => Ok(None),
        };
        Ok(Domain {
            virt_type: tree.attribute("type").unwrap_or_default().to_string(),
            id: number(tree, "id"),
            name: tree.child("name").map(Element::text).unwrap_or_default(),
            uuid: uuid("uuid")?.ok_or_else(|| Error::internal("malformed uuid element"))?,
            genid: uuid("genid")?,
            title: tree.child("title").map(Element::text),
            description: tree.child("description").map(Element::text),
            memory: Memory::parse(tree),
            vcpus: Vcpus::parse(tree),
            iothreads: iothreads(tree),
            os: Os::parse(tree),
            cpu: tree.child("cpu").map(Cpu::parse),
            clock: Clock::parse(tree),
            on_poweroff: action("on_poweroff", Action::Destroy)?,
            on_reboot: action("on_reboot", Action::Restart)?,
            on_crash: action("on_crash", Action::Destroy)?,
            suspend_to_memory: tree.find("pm/suspend-to-mem").and_then(|pm| switch(pm, "enabled")),
            suspend_to_disk: tree.find("pm/suspend-to-disk").and_then(|pm| switch(pm, "enabled")),
            devices: Devices::parse(tree)?,
            qemu_arguments: qemu(tree, "qemu:arg").filter_map(|arg| word(arg, "value")).collect(),
            qemu_environment: qemu(tree, "qemu:env")
                .filter_map(|variable| Some((word(variable, "name")?, word(variable, "value"))))
                .collect(),
            element: tree.clone(),
        })
    }

    /// Whether a feature such as `acpi` is there and not switched off.
    pub fn has_feature(&self, name: &str) -> bool {
        self.feature(name).unwrap_or(false)
    }

    /// Whether a feature is on or off; `None` when the definition does not say.
    pub fn feature(&self, name: &str) -> Option<bool> {
        let feature = self.element.child("features")?.find(name)?;
        Some(switch(feature, "state").unwrap_or(true))
    }
}

fn qemu<'a>(tree: &'a Element, name: &'static str) -> impl Iterator<Item = &'a Element> {
    let lines = tree.children("qemu:commandline");
    lines.flat_map(move |line| line.children(name))
}

impl Memory {
    fn parse(tree: &Element) -> Memory {
        let kib = |name: &str| tree.child(name).map(super::memory::kib);
        let maximum = kib("memory").unwrap_or(0);
        let backing = tree.child("memoryBacking");
        let has = |name: &str| backing.is_some_and(|backing| backing.child(name).is_some());
        let says = |path: &str, name: &str| backing.and_then(|backing| backing.child_attribute(path, name));
        let pages = backing.and_then(|backing| backing.child("hugepages"));
        Memory {
            maximum,
            current: kib("currentMemory").unwrap_or(maximum),
            hotplug_maximum: kib("maxMemory"),
            slots: tree.child("maxMemory").and_then(|memory| number(memory, "slots")).unwrap_or(0),
            in_core_dumps: tree.child("memory").and_then(|memory| switch(memory, "dumpCore")),
            locked: has("locked"),
            no_share_pages: has("nosharepages"),
            huge_pages: pages
                .map(|pages| pages.children("page").filter_map(|page| number(page, "size")).collect()),
            source: says("source", "type").map(str::to_string),
            shared: says("access", "mode") == Some("shared"),
            immediate: says("allocation", "mode") == Some("immediate"),
            discard: has("discard"),
        }
    }
}

impl Vcpus {
    fn parse(tree: &Element) -> Vcpus {
        let Some(vcpu) = tree.child("vcpu") else {
            return Vcpus { maximum: 1, current: 1, ..Vcpus::default() };
        };
        let maximum = vcpu.text().trim().parse().unwrap_or(1);
        Vcpus {
            maximum,
            current: number(vcpu, "current").unwrap_or(maximum),
            cpuset: word(vcpu, "cpuset"),
            automatic_placement: vcpu.attribute("placement") == Some("auto"),
        }
    }
}

impl Clock {
    fn parse(tree: &Element) -> Clock {
        let Some(clock) = tree.child("clock") else {
            return Clock { offset: "utc".to_string(), ..Clock::default() };
        };
        let timer = |timer: &Element| Timer {
            name: word(timer, "name").unwrap_or_default(),
            present: switch(timer, "present"),
            tick_policy: word(timer, "tickpolicy"),
            track: word(timer, "track"),
            frequency: number(timer, "frequency"),
            mode: word(timer, "mode"),
        };
        Clock {
            offset: word(clock, "offset").unwrap_or_else(|| "utc".to_string()),
            adjustment: number(clock, "adjustment"),
            basis: word(clock, "basis"),
            timezone: word(clock, "timezone"),
            start: number(clock, "start"),
            timers: clock.children("timer").map(timer).collect(),
        }
    }
}

fn iothreads(tree: &Element) -> Vec<u32> {
    match tree.child("iothreadids") {
        Some(ids) => ids.children("iothread").filter_map(|thread| number(thread, "id")).collect(),
        None => {
            let count = tree.child_text("iothreads").and_then(|text| text.parse().ok()).unwrap_or(0);
            (1..=count).collect()
        }
    }
}

/// The value of an attribute as a word of its own.
fn word(element: &Element, name: &str) -> Option<String> {
    element.attribute(name).map(str::to_string)
}

/// The value of an attribute as a number.
fn number<T: std::str::FromStr>(element: &Element, name: &str) -> Option<T> {
    element.attribute(name)?.trim().parse().ok()
}

/// The value of an attribute that says `yes` or `no`, `on` or `off`.
fn switch(element: &Element, name: &str) -> Option<bool> {
    match element.attribute(name)? {
        "yes" | "on" => Some(true),
        "no" | "off" => Some(false),
        _ => None,
    }
}
