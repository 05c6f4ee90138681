//! The scheduler and its parameters of a domain.

use super::Hypervisor;
use super::calls::{Command, Payload, refused};
use super::domains::XenDomain;
use super::interface::Interface;
use super::layouts::SCHED_ID;
use super::probe::strange;
use crate::error::{Error, Result};

/// `sched_id` of `sysctl`.
const ID: u32 = 4;
/// The same of `dom0_op`.
const ID_DOM0: u32 = 24;
/// `scheduler_op` of `domctl`.
const OPERATION: u32 = 16;
/// `adjustdom` of `dom0_op`.
const OPERATION_DOM0: u32 = 7;
/// Writes parameters.
const PUT: u64 = 0;
/// Reads parameters.
const GET: u64 = 1;

/// The schedulers that releases had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Borrowed virtual time (before 3.0.3).
    Bvt,
    /// Earliest deadline first (to 4.5).
    Sedf,
    /// By weight, with a cap (3.0.3 and later).
    Credit,
    /// The same, newer (4.1 and later).
    Credit2,
    /// Fixed frames (4.1 and later).
    Arinc653,
    /// Real time (4.5 and later).
    Rtds,
    /// None: each virtual CPU has its own CPU (4.9 and later).
    Null,
}

/// Parameters of a domain under its scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// Of [`Scheduler::Credit`] and [`Scheduler::Credit2`].
    Weighted {
        /// Its share, compared with that of others; 256 at first.
        weight: u16,
        /// The most it may use, in percent of one CPU; zero without limit. `None` where the scheduler has none.
        cap: Option<u16>,
    },
    /// Of [`Scheduler::Rtds`], in microseconds.
    RealTime {
        /// How often it gets its share.
        period: u32,
        /// How much it gets.
        budget: u32,
        /// Whether it may use what is left (4.10 and later).
        extra: bool,
    },
    /// Of [`Scheduler::Sedf`], in nanoseconds.
    Deadline {
        /// How often it gets its share.
        period: u64,
        /// How much it gets.
        slice: u64,
        /// How long it waits at most.
        latency: u64,
        /// Whether it may use what is left.
        extra: bool,
        /// Its share, instead of the times.
        weight: u32,
    },
}

impl Scheduler {
    /// The scheduler with this number.
    fn of(number: u32) -> Option<Scheduler> {
        Some(match number {
            0 => Scheduler::Bvt,
            4 => Scheduler::Sedf,
            5 => Scheduler::Credit,
            6 => Scheduler::Credit2,
            7 => Scheduler::Arinc653,
            8 => Scheduler::Rtds,
            9 => Scheduler::Null,
            _ => return None,
        })
    }

    /// Its number.
    fn number(self) -> u64 {
        match self {
            Scheduler::Bvt => 0,
            Scheduler::Sedf => 4,
            Scheduler::Credit => 5,
            Scheduler::Credit2 => 6,
            Scheduler::Arinc653 => 7,
            Scheduler::Rtds => 8,
            Scheduler::Null => 9,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Scheduler::Bvt => "bvt",
            Scheduler::Sedf => "sedf",
            Scheduler::Credit => "credit",
            Scheduler::Credit2 => "credit2",
            Scheduler::Arinc653 => "arinc653",
            Scheduler::Rtds => "rtds",
            Scheduler::Null => "null",
        }
    }
}

impl Hypervisor {
    /// The scheduler of the host's first pool of CPUs.
    pub fn scheduler(&self) -> Result<Scheduler> {
        let command = match self.interface() {
            Interface::Dom0 => Command::Dom0(ID_DOM0),
            Interface::Control { .. } => Command::Sysctl(ID),
        };
        let answer =
            self.run(command, Payload::new(&SCHED_ID)).map_err(|errno| refused("scheduler", errno))?;
        let number = answer.small("sched_id");
        Scheduler::of(number).ok_or_else(|| strange(format!("scheduler {number}")))
    }

    /// Reads or writes the parameters of a domain.
    fn adjust(&self, domain: &XenDomain, scheduler: Scheduler, payload: Payload) -> Result<Payload> {
        let payload = payload.with("sched_id", scheduler.number());
        let (command, payload) = match self.interface() {
            Interface::Dom0 => (Command::Dom0(OPERATION_DOM0), payload.with("domain", u64::from(domain.id))),
            Interface::Control { .. } => {
                (Command::Domctl(OPERATION, u16::try_from(domain.id).unwrap_or(u16::MAX)), payload)
            }
        };
        let asked = || format!("scheduler parameters of domain {}", domain.id);
        self.run(command, payload).map_err(|errno| refused(&asked(), errno))
    }

    /// An order of this direction, without parameters.
    fn order(&self, direction: u64) -> Payload {
        let layout = self.interface().scheduler();
        let field = if layout.field("cmd").is_some() { "cmd" } else { "direction" };
        Payload::new(layout).with(field, direction)
    }

    /// The parameters of a domain; `None` where its scheduler has none that can be read.
    pub fn parameters(&self, domain: &XenDomain, scheduler: Scheduler) -> Result<Option<Parameters>> {
        if matches!(scheduler, Scheduler::Bvt | Scheduler::Arinc653 | Scheduler::Null) {
            return Ok(None);
        }
        let answer = self.adjust(domain, scheduler, self.order(GET))?;
        self.still_there(domain)?;
        let has = |field| self.interface().scheduler().field(field).is_some();
        let half = |field| answer.number(field) as u16;
        Ok(match scheduler {
            Scheduler::Credit => {
                let (weight, cap) = (half("u.credit.weight"), half("u.credit.cap"));
                Some(Parameters::Weighted { weight, cap: Some(cap) })
            }
            Scheduler::Credit2 => {
                let cap = has("u.credit2.cap").then(|| half("u.credit2.cap"));
                Some(Parameters::Weighted { weight: half("u.credit2.weight"), cap })
            }
            Scheduler::Rtds => Some(Parameters::RealTime {
                period: answer.small("u.rtds.period"),
                budget: answer.small("u.rtds.budget"),
                extra: answer.small("u.rtds.flags") & 1 != 0,
            }),
            Scheduler::Sedf => Some(Parameters::Deadline {
                period: answer.number("u.sedf.period"),
                slice: answer.number("u.sedf.slice"),
                latency: answer.number("u.sedf.latency"),
                extra: answer.number("u.sedf.extratime") != 0,
                weight: answer.small("u.sedf.weight"),
            }),
            Scheduler::Bvt | Scheduler::Arinc653 | Scheduler::Null => None,
        })
    }

    /// Sets the weight and the cap of a domain; `None` leaves one as it is. What is left is read first and written
    /// back, because releases differ in what they take for "as it is".
    pub fn set_weight(&self, domain: &XenDomain, weight: Option<u16>, cap: Option<u16>) -> Result<()> {
        self.must_know_interface("scheduler parameters")?;
        self.still_there(domain)?;
        let scheduler = self.scheduler()?;
        let Some(Parameters::Weighted { weight: old_weight, cap: old_cap }) =
            self.parameters(domain, scheduler)?
        else {
            return Err(Error::unsupported_configuration(format!(
                "the scheduler {} has neither weight nor cap",
                scheduler.name()
            )));
        };
        if cap.is_some() && old_cap.is_none() {
            return Err(Error::unsupported_configuration(format!(
                "the scheduler {} has no cap",
                scheduler.name()
            )));
        }
        let (weight_field, cap_field) = match scheduler {
            Scheduler::Credit2 => ("u.credit2.weight", "u.credit2.cap"),
            _ => ("u.credit.weight", "u.credit.cap"),
        };
        let order = self.order(PUT).with(weight_field, u64::from(weight.unwrap_or(old_weight)));
        let order = match cap.or(old_cap) {
            Some(cap) => order.with(cap_field, u64::from(cap)),
            None => order,
        };
        self.adjust(domain, scheduler, order).map(drop)
    }
}
