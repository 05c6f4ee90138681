//! One PCI bus: what may sit on it, and which of its places are taken.

use crate::error::{Error, Result};
use crate::xml::Element;
use std::collections::BTreeMap;

/// A place on some bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Place {
    /// The bus, that is the index of the controller that makes it.
    pub bus: u32,
    /// The slot.
    pub slot: u32,
    /// The function.
    pub function: u32,
}

impl Place {
    /// The place as definitions write it.
    pub fn element(self) -> Element {
        Element::new("address")
            .with("type", "pci")
            .with("domain", "0x0000")
            .with("bus", format!("0x{:02x}", self.bus))
            .with("slot", format!("0x{:02x}", self.slot))
            .with("function", format!("0x{:x}", self.function))
    }

    /// The place as errors write it.
    pub fn text(self) -> String {
        format!("0000:{:02x}:{:02x}.{:x}", self.bus, self.slot, self.function)
    }
}

/// What a device asks of its bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A PCI Express device: a root port, or a conventional bus where there is nothing else.
    Express,
    /// A conventional PCI device.
    Conventional,
    /// A part of the root complex: a root port, or a device that wants to sit on the root bus itself.
    Integrated,
}

/// What a controller makes of its bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BusKind {
    /// `pcie-root`.
    ExpressRoot,
    /// `pci-root`.
    ConventionalRoot,
    /// One slot behind a root port or a switch's downstream port.
    Port,
    /// `pcie-switch-upstream-port`: 32 slots for downstream ports.
    Upstream,
    /// 31 conventional slots behind a bridge.
    Bridge,
    /// Behind an expander: only root ports, or only bridges.
    Expander,
}

impl BusKind {
    /// The kind of bus that a controller of this model makes.
    pub fn of_model(model: &str) -> Option<BusKind> {
        Some(match model {
            "pcie-root" => BusKind::ExpressRoot,
            "pci-root" => BusKind::ConventionalRoot,
            "pcie-root-port" | "pcie-switch-downstream-port" => BusKind::Port,
            "pcie-switch-upstream-port" => BusKind::Upstream,
            "pci-bridge" | "dmi-to-pci-bridge" | "pcie-to-pci-bridge" => BusKind::Bridge,
            "pcie-expander-bus" | "pci-expander-bus" => BusKind::Expander,
            _ => return None,
        })
    }

    fn slots(self) -> std::ops::RangeInclusive<u32> {
        match self {
            BusKind::Port => 0..=0,
            BusKind::Upstream | BusKind::Expander => 0..=31,
            _ => 1..=31,
        }
    }

    /// Whether a device of `kind` is put here by itself.
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            BusKind::ExpressRoot => kind == Kind::Integrated,
            BusKind::ConventionalRoot => true,
            BusKind::Port => kind == Kind::Express,
            BusKind::Bridge => kind == Kind::Conventional,
            BusKind::Upstream | BusKind::Expander => false,
        }
    }
}

/// One slot's functions.
#[derive(Default, Clone, Debug)]
struct Slot {
    functions: u8,
    /// Whether only root ports sit in it, so that another one may join.
    joinable: bool,
}

/// One bus.
#[derive(Clone, Debug)]
pub struct Bus {
    /// What it is.
    pub kind: BusKind,
    slots: BTreeMap<u32, Slot>,
}

impl Bus {
    /// An empty bus.
    pub fn new(kind: BusKind) -> Bus {
        Bus { kind, slots: BTreeMap::new() }
    }

    /// Whether nothing sits in a slot.
    pub fn is_free(&self, slot: u32) -> bool {
        self.slots.get(&slot).is_none_or(|slot| slot.functions == 0)
    }

    /// Whether nothing sits on the bus.
    pub fn is_empty(&self) -> bool {
        self.slots.values().all(|slot| slot.functions == 0)
    }

    /// Takes a place; `joinable` says that root ports may share the slot.
    pub fn take(&mut self, place: Place, joinable: bool) -> Result<()> {
        let slots = self.kind.slots();
        if !slots.contains(&place.slot) {
            let (bound, limit) = match place.slot < *slots.start() {
                true => (">=", slots.start()),
                false => ("<=", slots.end()),
            };
            return Err(Error::xml(format!(
                "Invalid PCI address {}. slot must be {bound} {limit}",
                place.text()
            )));
        }
        if place.function > 7 {
            return Err(Error::xml(format!("Invalid PCI address {}. function must be <= 7", place.text())));
        }
        let fresh = self.is_free(place.slot);
        let slot = self.slots.entry(place.slot).or_default();
        let bit = 1 << place.function;
        if slot.functions & bit != 0 {
            return Err(Error::xml(format!("Attempted double use of PCI Address {}", place.text())));
        }
        slot.functions |= bit;
        slot.joinable = joinable && (fresh || slot.joinable);
        Ok(())
    }

    /// The first slot nothing sits in.
    pub fn free_slot(&self) -> Option<u32> {
        self.kind.slots().find(|slot| self.is_free(*slot))
    }

    /// A place for one more root port: beside others, or in a slot of its own.
    pub fn place_for_port(&self) -> Option<(u32, u32)> {
        let shared = self.slots.iter().filter(|(_, slot)| slot.joinable && slot.functions & 1 != 0);
        let mut shared = shared.filter_map(|(number, slot)| {
            let function = (1..8).find(|function| slot.functions & (1 << function) == 0)?;
            Some((*number, function))
        });
        shared.next().or_else(|| self.free_slot().map(|slot| (slot, 0)))
    }
}
