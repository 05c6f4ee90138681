//! The view of `<devices>`, and of the smaller kinds of devices.

use super::{CharacterDevice, ChardevSource, Disk, Graphics, Interface, number, switch, word};
use crate::error::Result;
use crate::xml::Element;
use crate::xml::shape::parse_number;

/// The devices of a domain.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // each field is the list of the devices it names
pub struct Devices {
    pub emulator: Option<String>,
    pub disks: Vec<Disk>,
    pub controllers: Vec<Controller>,
    pub interfaces: Vec<Interface>,
    pub serials: Vec<CharacterDevice>,
    pub parallels: Vec<CharacterDevice>,
    pub consoles: Vec<CharacterDevice>,
    pub channels: Vec<CharacterDevice>,
    pub inputs: Vec<Input>,
    pub tpms: Vec<Tpm>,
    pub graphics: Vec<Graphics>,
    pub sounds: Vec<Sound>,
    pub videos: Vec<Video>,
    pub host_devices: Vec<HostDevice>,
    pub watchdogs: Vec<Watchdog>,
    pub balloon: Option<Balloon>,
    pub random_sources: Vec<RandomSource>,
    pub panics: Vec<Panic>,
    pub memory: Vec<MemoryDevice>,
    pub vsock: Option<Vsock>,
}

/// Where a device sits.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // the fields are those of the XML
pub enum Address {
    Pci {
        domain: u16,
        bus: u8,
        slot: u8,
        function: u8,
        multifunction: Option<bool>,
    },
    Drive {
        controller: u32,
        bus: u32,
        target: u32,
        unit: u32,
    },
    VirtioSerial {
        controller: u32,
        bus: u32,
        port: u32,
    },
    Ccid {
        controller: u32,
        slot: u32,
    },
    Usb {
        bus: u32,
        port: Option<String>,
    },
    Isa {
        iobase: Option<u32>,
        irq: Option<u32>,
    },
    VirtioMmio,
    Dimm {
        slot: u32,
        base: Option<u64>,
    },
    /// Any other kind, by its name.
    Other(String),
}

impl Address {
    /// Reads an `<address>`; one that gives only its type is none yet.
    pub fn parse(address: &Element) -> Option<Address> {
        let value = |name: &str| address.attribute(name).and_then(parse_number);
        let small = |name: &str| u32::try_from(value(name).unwrap_or(0)).unwrap_or(u32::MAX);
        Some(match address.attribute("type")? {
            "pci" => Address::Pci {
                domain: u16::try_from(value("domain").unwrap_or(0)).ok()?,
                bus: u8::try_from(value("bus")?).ok()?,
                slot: u8::try_from(value("slot")?).ok()?,
                function: u8::try_from(value("function").unwrap_or(0)).ok()?,
                multifunction: switch(address, "multifunction"),
            },
            "drive" => Address::Drive {
                controller: small("controller"),
                bus: small("bus"),
                target: small("target"),
                unit: small("unit"),
            },
            "virtio-serial" => Address::VirtioSerial {
                controller: small("controller"),
                bus: small("bus"),
                port: small("port"),
            },
            "ccid" => Address::Ccid { controller: small("controller"), slot: small("slot") },
            "usb" => Address::Usb { bus: small("bus"), port: word(address, "port") },
            "isa" => Address::Isa {
                iobase: value("iobase").and_then(|base| u32::try_from(base).ok()),
                irq: value("irq").and_then(|irq| u32::try_from(irq).ok()),
            },
            "virtio-mmio" => Address::VirtioMmio,
            "dimm" => Address::Dimm { slot: small("slot"), base: value("base") },
            other => Address::Other(other.to_string()),
        })
    }
}

macro_rules! devices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty = $read:expr;)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default)]
            pub struct $name {
                $($(#[$field_doc])* pub $field: $kind,)*
                /// Its alias.
                pub alias: Option<String>,
                /// Where it sits.
                pub address: Option<Address>,
                /// The whole element.
                pub element: Element,
            }

            impl $name {
                /// Reads the completed element of this kind.
                pub fn parse(element: &Element) -> $name {
                    $(let $field: fn(&Element) -> $kind = $read;)*
                    $name {
                        $($field: $field(element),)*
                        alias: element.child_attribute("alias", "name").map(str::to_string),
                        address: element.child("address").and_then(Address::parse),
                        element: element.clone(),
                    }
                }
            }
        )*
    };
}

devices! {
    /// What other devices are plugged into.
    Controller {
        /// `usb`, `pci`, `scsi`, `virtio-serial`, …
        kind: String = |e| word(e, "type").unwrap_or_default();
        /// Its number among its kind.
        index: u32 = |e| number(e, "index").unwrap_or(0);
        /// Its model.
        model: Option<String> = |e| word(e, "model");
        /// How many ports it has.
        ports: Option<u32> = |e| number(e, "ports");
        /// How many interrupt vectors it has.
        vectors: Option<u32> = |e| number(e, "vectors");
    }
    /// A mouse, tablet or keyboard.
    Input {
        /// `mouse`, `tablet`, `keyboard`, `passthrough`, `evdev`.
        kind: String = |e| word(e, "type").unwrap_or_default();
        /// `ps2`, `usb`, `virtio`.
        bus: Option<String> = |e| word(e, "bus");
        /// The host's device it passes on.
        device: Option<String> = |e| {
            let source = e.child("source")?;
            word(source, "evdev").or_else(|| word(source, "dev"))
        };
    }
    /// A trusted platform module.
    Tpm {
        /// `tpm-tis`, `tpm-crb`.
        model: Option<String> = |e| word(e, "model");
        /// `emulator`, `passthrough`, `external`.
        backend: String = |e| e.child_attribute("backend", "type").unwrap_or_default().to_string();
        /// `1.2` or `2.0`.
        version: Option<String> = |e| e.child_attribute("backend", "version").map(str::to_string);
        /// The host's module, for `passthrough`.
        device: Option<String> = |e| e.child_attribute("backend/device", "path").map(str::to_string);
        /// Whether its state is kept when a transient domain ends.
        persistent_state: Option<bool> = |e| e.child("backend").and_then(|b| switch(b, "persistent_state"));
        /// The secret its state is encrypted with.
        encryption: Option<String> = |e| e.child_attribute("backend/encryption", "secret").map(str::to_string);
    }
    /// A sound card.
    Sound {
        /// `ich9`, `ac97`, …
        model: String = |e| word(e, "model").unwrap_or_default();
    }
    /// A graphics card.
    Video {
        /// `virtio`, `vga`, `qxl`, `bochs`, `none`, …
        model: String = |e| e.child_attribute("model", "type").unwrap_or_default().to_string();
        /// Its memory in KiB.
        memory: Option<u32> = |e| e.child("model").and_then(|m| number(m, "vram"));
        /// How many screens it drives.
        heads: Option<u32> = |e| e.child("model").and_then(|m| number(m, "heads"));
        /// Whether the guest starts on it.
        primary: bool = |e| e.child_attribute("model", "primary") == Some("yes");
        /// Whether it draws in three dimensions.
        accelerated: Option<bool> = |e| e.find("model/acceleration").and_then(|a| switch(a, "accel3d"));
        /// Its size at the start.
        resolution: Option<(u32, u32)> = |e| {
            let resolution = e.find("model/resolution")?;
            Some((number(resolution, "x")?, number(resolution, "y")?))
        };
    }
    /// A device of the host handed to the guest.
    HostDevice {
        /// `pci`, `usb`, `scsi`, `mdev`, …
        kind: String = |e| word(e, "type").unwrap_or_default();
        /// Whether it is taken from the host's driver and given back.
        managed: bool = |e| e.attribute("managed") == Some("yes");
    }
    /// A device that notices a guest that hangs.
    Watchdog {
        /// `i6300esb`, `itco`, …
        model: String = |e| word(e, "model").unwrap_or_default();
        /// What it does then.
        action: String = |e| word(e, "action").unwrap_or_else(|| "reset".to_string());
    }
    /// The memory balloon.
    Balloon {
        /// `virtio` or `none`.
        model: String = |e| word(e, "model").unwrap_or_default();
        /// Whether it shrinks before the guest runs out of memory.
        autodeflate: Option<bool> = |e| switch(e, "autodeflate");
        /// Whether it tells the host of free pages.
        free_page_reporting: Option<bool> = |e| switch(e, "freePageReporting");
        /// Every how many seconds it collects statistics.
        period: Option<u32> = |e| e.child("stats").and_then(|s| number(s, "period"));
    }
    /// A source of randomness.
    RandomSource {
        /// `virtio` and its older and newer kinds.
        model: String = |e| word(e, "model").unwrap_or_default();
        /// `random`, `builtin`, `egd`.
        backend: String = |e| e.child_attribute("backend", "model").unwrap_or_default().to_string();
        /// The host's device it reads.
        path: Option<String> = |e| e.child_text("backend").filter(|text| !text.is_empty());
        /// The far end of an entropy daemon's line.
        source: ChardevSource = |e| e.child("backend").map(ChardevSource::parse).unwrap_or_default();
        /// At most so many bytes in so many milliseconds.
        rate: Option<(u64, Option<u64>)> = |e| {
            let rate = e.child("rate")?;
            Some((number(rate, "bytes")?, number(rate, "period")))
        };
    }
    /// A device that notices a guest that crashes.
    Panic {
        /// `isa`, `pvpanic`, `hyperv`, …
        model: Option<String> = |e| word(e, "model");
    }
    /// Memory that is plugged in.
    MemoryDevice {
        /// `dimm`, `nvdimm`, `virtio-mem`, `virtio-pmem`, `sgx-epc`.
        model: String = |e| word(e, "model").unwrap_or_default();
        /// Its size in KiB.
        size: u64 = |e| e.find("target/size").map(crate::xml::domain::memory::kib).unwrap_or(0);
        /// The cell it belongs to.
        node: Option<u32> = |e| e.child_text("target/node").and_then(|text| text.parse().ok());
        /// The file it lies in.
        path: Option<String> = |e| e.child_text("source/path");
    }
    /// A private line between guest and host.
    Vsock {
        /// `virtio` and its older and newer kinds.
        model: Option<String> = |e| word(e, "model");
        /// The number the guest answers to; none if it is chosen at start.
        context: Option<u32> = |e| e.child("cid").and_then(|cid| number(cid, "address"));
        /// Whether that number is chosen at start.
        automatic: bool = |e| e.child_attribute("cid", "auto") == Some("yes");
    }
}

impl Devices {
    pub(super) fn parse(tree: &Element) -> Result<Devices> {
        let Some(devices) = tree.child("devices") else {
            return Ok(Devices::default());
        };
        fn all<T>(devices: &Element, name: &'static str, parse: fn(&Element) -> T) -> Vec<T> {
            devices.children(name).map(parse).collect()
        }
        Ok(Devices {
            emulator: devices.child_text("emulator"),
            disks: all(devices, "disk", Disk::parse),
            controllers: all(devices, "controller", Controller::parse),
            interfaces: all(devices, "interface", Interface::parse),
            serials: all(devices, "serial", CharacterDevice::parse),
            parallels: all(devices, "parallel", CharacterDevice::parse),
            consoles: all(devices, "console", CharacterDevice::parse),
            channels: all(devices, "channel", CharacterDevice::parse),
            inputs: all(devices, "input", Input::parse),
            tpms: all(devices, "tpm", Tpm::parse),
            graphics: all(devices, "graphics", Graphics::parse),
            sounds: all(devices, "sound", Sound::parse),
            videos: all(devices, "video", Video::parse),
            host_devices: all(devices, "hostdev", HostDevice::parse),
            watchdogs: all(devices, "watchdog", Watchdog::parse),
            balloon: devices.child("memballoon").map(Balloon::parse),
            random_sources: all(devices, "rng", RandomSource::parse),
            panics: all(devices, "panic", Panic::parse),
            memory: all(devices, "memory", MemoryDevice::parse),
            vsock: devices.child("vsock").map(Vsock::parse),
        })
    }
}
