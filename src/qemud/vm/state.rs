//! The edges of the state machine: what happened, the state it leads to, and the event that tells of it.

use crate::model::StateReason;
use crate::model::constants::*;

/// Something that happens to a guest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    /// Its CPUs stopped, for this reason (`virDomainPausedReason`).
    Stopped(i32),
    /// Its CPUs run, for this reason (`virDomainRunningReason`).
    Resumed(i32),
    /// It is powering off; by itself, or because QEMU was told to leave.
    PoweringOff {
        /// Whether the guest did it.
        by_guest: bool,
    },
    /// Its kernel panicked.
    Panicked,
    /// It sleeps, in memory or on disk.
    Suspended {
        /// Whether its memory went to disk.
        to_disk: bool,
    },
    /// It woke up.
    Woken,
    /// Its process is gone, for this reason (`virDomainShutoffReason`).
    Ended(i32),
}

/// What a happening leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// The new state.
    pub to: StateReason,
    /// The lifecycle event and its detail.
    pub event: (i32, i32),
}

/// Follows an edge; `None` when the happening changes nothing.
pub fn step(from: StateReason, happening: Happening) -> Option<Step> {
    let step = match happening {
        Happening::Stopped(reason) if from.state == DOMAIN_RUNNING => {
            (DOMAIN_PAUSED, reason, DOMAIN_EVENT_SUSPENDED, suspended_detail(reason))
        }
        // A guest that is off or has crashed is also stopped by QEMU; that is no pause.
        Happening::Stopped(_) => return None,
        Happening::Resumed(_) if from.state == DOMAIN_RUNNING => return None,
        Happening::Resumed(reason) => (DOMAIN_RUNNING, reason, DOMAIN_EVENT_RESUMED, resumed_detail(reason)),
        Happening::PoweringOff { .. } if from.state == DOMAIN_SHUTDOWN => return None,
        Happening::PoweringOff { by_guest } => {
            let detail = if by_guest { DOMAIN_EVENT_SHUTDOWN_GUEST } else { DOMAIN_EVENT_SHUTDOWN_HOST };
            (DOMAIN_SHUTDOWN, DOMAIN_SHUTDOWN_UNKNOWN, DOMAIN_EVENT_SHUTDOWN, detail)
        }
        Happening::Panicked => {
            (DOMAIN_CRASHED, DOMAIN_CRASHED_PANICKED, DOMAIN_EVENT_CRASHED, DOMAIN_EVENT_CRASHED_PANICKED)
        }
        Happening::Suspended { to_disk } => {
            let detail =
                if to_disk { DOMAIN_EVENT_PMSUSPENDED_DISK } else { DOMAIN_EVENT_PMSUSPENDED_MEMORY };
            (DOMAIN_PMSUSPENDED, DOMAIN_PMSUSPENDED_UNKNOWN, DOMAIN_EVENT_PMSUSPENDED, detail)
        }
        Happening::Woken if from.state != DOMAIN_PMSUSPENDED => return None,
        Happening::Woken => {
            (DOMAIN_RUNNING, DOMAIN_RUNNING_WAKEUP, DOMAIN_EVENT_STARTED, DOMAIN_EVENT_STARTED_WAKEUP)
        }
        Happening::Ended(reason) => {
            let panicked = from.state == DOMAIN_CRASHED && reason == DOMAIN_SHUTOFF_CRASHED;
            let detail = if panicked { DOMAIN_EVENT_STOPPED_CRASHED } else { stopped_detail(reason) };
            (DOMAIN_SHUTOFF, reason, DOMAIN_EVENT_STOPPED, detail)
        }
    };
    let (state, reason, event, detail) = step;
    let to = StateReason { state, reason };
    Some(Step { to, event: (event, detail) })
}

/// Why a process that nobody ended is gone, seen from the state it was in.
pub fn reason_of_unexpected_end(from: StateReason) -> i32 {
    match from.state {
        DOMAIN_SHUTDOWN => DOMAIN_SHUTOFF_SHUTDOWN,
        _ => DOMAIN_SHUTOFF_CRASHED,
    }
}

fn suspended_detail(reason: i32) -> i32 {
    match reason {
        DOMAIN_PAUSED_MIGRATION => DOMAIN_EVENT_SUSPENDED_MIGRATED,
        DOMAIN_PAUSED_IOERROR => DOMAIN_EVENT_SUSPENDED_IOERROR,
        DOMAIN_PAUSED_WATCHDOG => DOMAIN_EVENT_SUSPENDED_WATCHDOG,
        DOMAIN_PAUSED_FROM_SNAPSHOT => DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT,
        _ => DOMAIN_EVENT_SUSPENDED_PAUSED,
    }
}

fn resumed_detail(reason: i32) -> i32 {
    match reason {
        DOMAIN_RUNNING_MIGRATED => DOMAIN_EVENT_RESUMED_MIGRATED,
        DOMAIN_RUNNING_RESTORED | DOMAIN_RUNNING_FROM_SNAPSHOT => DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT,
        _ => DOMAIN_EVENT_RESUMED_UNPAUSED,
    }
}

fn stopped_detail(reason: i32) -> i32 {
    match reason {
        DOMAIN_SHUTOFF_SHUTDOWN => DOMAIN_EVENT_STOPPED_SHUTDOWN,
        DOMAIN_SHUTOFF_DESTROYED => DOMAIN_EVENT_STOPPED_DESTROYED,
        DOMAIN_SHUTOFF_MIGRATED => DOMAIN_EVENT_STOPPED_MIGRATED,
        DOMAIN_SHUTOFF_SAVED => DOMAIN_EVENT_STOPPED_SAVED,
        DOMAIN_SHUTOFF_FROM_SNAPSHOT => DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT,
        _ => DOMAIN_EVENT_STOPPED_FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(state: i32) -> StateReason {
        StateReason { state, reason: 0 }
    }

    #[test]
    fn a_guest_that_powers_off_is_shut_off_not_crashed() {
        let off = step(at(DOMAIN_RUNNING), Happening::PoweringOff { by_guest: true }).unwrap();
        assert_eq!(off.event, (DOMAIN_EVENT_SHUTDOWN, DOMAIN_EVENT_SHUTDOWN_GUEST));
        // QEMU stops the CPUs of a guest that is off; that must not look like a pause.
        assert_eq!(step(off.to, Happening::Stopped(DOMAIN_PAUSED_USER)), None);
        let reason = reason_of_unexpected_end(off.to);
        let end = step(off.to, Happening::Ended(reason)).unwrap();
        assert_eq!(end.to, StateReason { state: DOMAIN_SHUTOFF, reason: DOMAIN_SHUTOFF_SHUTDOWN });
        assert_eq!(end.event, (DOMAIN_EVENT_STOPPED, DOMAIN_EVENT_STOPPED_SHUTDOWN));
    }

    #[test]
    fn a_killed_process_is_a_crash_that_failed() {
        let reason = reason_of_unexpected_end(at(DOMAIN_RUNNING));
        let end = step(at(DOMAIN_RUNNING), Happening::Ended(reason)).unwrap();
        assert_eq!(end.to.reason, DOMAIN_SHUTOFF_CRASHED);
        assert_eq!(end.event, (DOMAIN_EVENT_STOPPED, DOMAIN_EVENT_STOPPED_FAILED));
        let panicked = step(at(DOMAIN_RUNNING), Happening::Panicked).unwrap();
        let end = step(panicked.to, Happening::Ended(DOMAIN_SHUTOFF_CRASHED)).unwrap();
        assert_eq!(end.event, (DOMAIN_EVENT_STOPPED, DOMAIN_EVENT_STOPPED_CRASHED));
    }

    proptest! {
        #[test]
        fn pausing_and_resuming_twice_is_told_once(state in 1..=7i32, reason in 0..=14i32) {
            for happening in [Happening::Stopped(reason), Happening::Resumed(reason), Happening::Woken] {
                if let Some(first) = step(at(state), happening) {
                    prop_assert_eq!(step(first.to, happening), None);
                }
            }
        }
    }
}
